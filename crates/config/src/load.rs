//! From sources to a configuration.

use std::path::PathBuf;
use std::time::Duration;

use outrigger_types::{Quota, limits};
use toml::Table;

use crate::layers::{Layers, Raw};
use crate::reader::Reader;
use crate::{
    Config, ConfigError, ConfigErrors, DeviceSearch, DeviceSeen, EngineRule, Limits, Log, LogFormat, OpenclRule,
    Origin, Profile, Sources, Threads, profile,
};

mod engines;
mod listen;
mod proving;
mod scheduler;
mod tenants;
mod tracing;

/// Memory is the bound of every size; a larger figure is a slip of the pen.
const BYTES_LIMIT: u64 = 1 << 40;
const DAY: Duration = Duration::from_secs(86_400);
const STREAM_WINDOW_DEFAULT: u64 = 1_024;
const KEY_SET_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
const MERKLE_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
/// A witness of 2^23 wires. The service lets twice of it arrive at a time.
const SECRET_BYTES_DEFAULT: u64 = 256 * 1024 * 1024;
/// 2^20 points of BLS12-381 in G2 with their scalars, or 2^23 elements.
const OPERATION_BYTES_DEFAULT: u64 = 256 * 1024 * 1024;
const DRAIN_GRACE_DEFAULT: Duration = Duration::from_secs(20);
const IO_THREADS_DEFAULT: u64 = 2;

impl Config {
    /// Reads, layers and checks everything. `profile = "auto"` knows no devices but those of the sources' machine.
    ///
    /// # Errors
    /// All that is wrong, at once: files that cannot be read, keys that are unknown, values out of their range,
    /// values that contradict each other.
    pub fn load(sources: Sources) -> Result<Self, ConfigErrors> {
        Self::load_with_devices(sources, |_| Vec::new())
    }

    /// The same, with a way to look for the devices of this machine, which may take seconds. It is asked at most once,
    /// and only where the choice of a profile may depend on it: `profile = "auto"`, and an API is not off. What it finds
    /// is added to the devices of the sources' machine.
    ///
    /// # Errors
    /// As those of [`Config::load`]. A search that fails finds nothing.
    pub fn load_with_devices(
        sources: Sources,
        look: impl FnOnce(&DeviceSearch) -> Vec<DeviceSeen>,
    ) -> Result<Self, ConfigErrors> {
        let (config, reader) = read_sources(sources, look);
        reader.finish()?;
        // Every part is `None` only where an error was noted, and then `finish` has failed.
        config.ok_or_else(|| ConfigErrors(Vec::new()))
    }
}

/// What the sources say, and the reader that has the errors.
pub(crate) fn read_sources(
    mut sources: Sources,
    look: impl FnOnce(&DeviceSearch) -> Vec<DeviceSeen>,
) -> (Option<Config>, Reader) {
    let mut errors = Vec::new();
    let mut upper = Layers::default();
    if let Some(path) = &sources.file {
        let origin = Origin::File(path.clone());
        match read_table(path) {
            Ok(table) => upper.push_table(table, &origin),
            Err(message) => errors.push(ConfigError { origin, key: String::new(), message }),
        }
    }
    upper.push_environment(&sources.environment);
    for (key, value) in sources.overrides.entries() {
        upper.push(key.to_owned(), Raw::Text(value), Origin::CommandLine(key.to_owned()));
    }
    let (profile, layers) = put_on_profile(upper, &mut sources, look, &mut errors);
    let mut reader = Reader::new(layers, errors);
    let config = read(&mut reader, &sources, profile);
    (config, reader)
}

fn read_table(path: &PathBuf) -> Result<Table, String> {
    let text = std::fs::read_to_string(path).map_err(|cause| format!("cannot read the file: {cause}"))?;
    text.parse().map_err(|cause| format!("not TOML: {cause}"))
}

/// The layers with the profile that they ask for beneath them.
fn put_on_profile(
    upper: Layers,
    sources: &mut Sources,
    look: impl FnOnce(&DeviceSearch) -> Vec<DeviceSeen>,
    errors: &mut Vec<ConfigError>,
) -> (Option<Profile>, Layers) {
    // Its errors are found again when everything is read.
    let mut probe = Reader::new(upper.clone(), Vec::new());
    let wanted = probe.text("profile").unwrap_or_else(|| profile::AUTO.to_owned());
    let search = engines::search(&mut probe);
    let is_off = search.cuda == EngineRule::Off && search.opencl == OpenclRule::Off;
    if wanted == profile::AUTO && !is_off && profile::depends_on_devices(&sources.machine) {
        sources.machine.devices.extend(look(&search));
    }
    match profile::choose(&wanted, &sources.machine) {
        Ok((profile, values)) => {
            let mut layers = Layers::default();
            let origin = profile.path.clone().map_or_else(|| Origin::Profile(profile.name.clone()), Origin::File);
            layers.push_table(values, &origin);
            layers.push_layers(upper);
            (Some(profile), layers)
        }
        Err(mut found) => {
            for error in &mut found {
                if error.key == "profile" {
                    error.origin = probe.origin("profile");
                }
            }
            errors.append(&mut found);
            (None, upper)
        }
    }
}

/// Reads every key that there is.
pub(crate) fn read(reader: &mut Reader, sources: &Sources, profile: Option<Profile>) -> Option<Config> {
    reader.text("profile");
    let listen = listen::read(reader, sources);
    let limits = limits(reader);
    let scheduler = scheduler::read(reader);
    let tenants = tenants::read(reader);
    let log = log(reader);
    let tracing = tracing::read(reader);
    let drain_grace = reader.duration("drain_grace", Duration::ZERO..=DAY).unwrap_or(DRAIN_GRACE_DEFAULT);
    let threads = Threads {
        verify: reader.number("threads.verify", 0..=4_096).unwrap_or(0) as usize,
        io: reader.number("threads.io", 1..=256).unwrap_or(IO_THREADS_DEFAULT) as usize,
        pin: reader.flag("threads.pin").unwrap_or(false),
    };
    let search = engines::search(reader);
    let engines = engines::engines(reader, &search);
    let devices = engines::devices(reader, sources, search);
    let proving = proving::read(reader, sources, limits.secret_bytes_max);
    let profile = profile?;
    Some(Config {
        listen,
        limits,
        scheduler,
        tenants,
        log,
        tracing,
        drain_grace,
        threads,
        engines,
        devices,
        proving,
        profile,
    })
}

fn limits(reader: &mut Reader) -> Limits {
    let quota = Quota {
        requests_max: reader.number("limits.requests_max", 1..=1 << 32).unwrap_or(Quota::GLOBAL.requests_max),
        items_max: reader.number("limits.items_in_flight_max", 1..=1 << 40).unwrap_or(Quota::GLOBAL.items_max),
        bytes_max: reader.bytes("limits.bytes_in_flight_max", 1..=BYTES_LIMIT).unwrap_or(Quota::GLOBAL.bytes_max),
        compute_max: reader
            .duration("limits.compute_max", Duration::from_micros(1)..=DAY)
            .unwrap_or(Quota::GLOBAL.compute_max),
    };
    // Lengths of columns are 32-bit numbers, and a message is held in one piece.
    let message = reader.bytes("limits.message_bytes_max", 1 << 10..=1 << 30);
    let items = reader.number("limits.items_max", 1..=1 << 24);
    let window = reader.number("limits.stream_window", 1..=1 << 20);
    let key_sets = reader.bytes("limits.key_set_bytes_max", 0..=u64::from(u32::MAX));
    let merkle = reader.bytes("limits.merkle_bytes_max", 1 << 10..=u64::from(u32::MAX));
    let secret = reader.bytes("limits.secret_bytes_max", 1 << 10..=BYTES_LIMIT);
    let operation = reader.bytes("limits.operation_bytes_max", 1 << 10..=BYTES_LIMIT);
    Limits {
        quota,
        message_bytes_max: message.map_or(limits::MESSAGE_BYTES_MAX, |bytes| bytes as usize),
        items_max: items.map_or(limits::ITEMS_MAX, |items| items as usize),
        stream_window: window.unwrap_or(STREAM_WINDOW_DEFAULT) as usize,
        key_set_bytes_max: key_sets.unwrap_or(KEY_SET_BYTES_DEFAULT) as usize,
        merkle_bytes_max: merkle.unwrap_or(MERKLE_BYTES_DEFAULT) as usize,
        secret_bytes_max: secret.unwrap_or(SECRET_BYTES_DEFAULT) as usize,
        operation_bytes_max: operation.unwrap_or(OPERATION_BYTES_DEFAULT) as usize,
    }
}

fn log(reader: &mut Reader) -> Log {
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    Log {
        filter: reader.text("log.filter").unwrap_or_else(|| "info".to_owned()),
        format: reader.choice("log.format", &formats).unwrap_or(LogFormat::Text),
    }
}

#[cfg(test)]
mod tests;
