//! File, environment, command line and hardware profiles to one validated [`Config`].
//!
//! Four layers, each overriding the one before: the hardware profile, the TOML file, the environment, the command
//! line. Unknown keys are errors, with the nearest known key suggested; all errors are collected and shown at
//! once, each with the place that it came from.
//!
//! # Environment
//! `OUTRIGGER_` and the path of the key in capitals, with two underscores where the path has a dot:
//! `listen.unix` is `OUTRIGGER_LISTEN__UNIX`, `scheduler.batch.items_max` is
//! `OUTRIGGER_SCHEDULER__BATCH__ITEMS_MAX`, `drain_grace` is `OUTRIGGER_DRAIN_GRACE`. Lists are separated by
//! commas. Lists of tables (tenants, guesses of costs) can be set in a file only. [`CONFIG_VARIABLE`] names the file itself, and
//! [`ENDPOINT_VARIABLE`] is for the commands that call a sidecar; neither is a key.
//!
//! # Values
//! Durations are `"250ms"`, `"20s"`, `"500us"`, `"2m"`; sizes in bytes are integers or `"16MiB"`, `"512KiB"`,
//! `"1GiB"`. An empty string turns an optional address or path off.
//!
//! # Keys
//! See [`Config`] and its parts; the path of a key is the path of its field. [`KEYS`] lists them all, each with its
//! unit, its range, its default and its meaning, and so does `hw-profiles/README.md`.
//!
//! # Profiles
//! A [`Profile`] of those that travel with the program is chosen by its [`Match`] with the [`Machine`]; a
//! [`ProfileDraft`] writes one.

mod errors;
mod keys;
mod layers;
mod load;
mod model;
mod profile;
mod reader;
mod sources;
mod units;

pub use errors::{ConfigError, ConfigErrors};
pub use keys::{KEYS, Key, KeyDefault};
pub use model::{
    Config, CostGuess, Devices, ENGINE_ORDER_DEFAULT, EngineRule, Engines, Limits, Listen, Log, LogFormat, OpenclRule,
    OtlpEndpoint, Proving, SOCKET_MODE_DEFAULT, SchedulerTuning, Tenant, Threads, Tls, Tracing, WitnessBounds,
};
pub use profile::{
    Basis, Choice, ComputeCapability, DeviceApi, DeviceSeen, Figure, Machine, Match, Profile, ProfileDraft,
    ProfileValue, Vendor,
};
pub use sources::{CONFIG_VARIABLE, DeviceSearch, ENDPOINT_VARIABLE, Origin, Overrides, Sources};
