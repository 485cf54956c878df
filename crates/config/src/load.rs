//! From sources to a configuration.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use outrigger_types::{
    BatchOptions, Call, CircuitId, CircuitRule, Priority, Quota, Ruleset, SchedulerOptions, TenantPolicy, limits,
};
use toml::Table;

use crate::layers::{Layers, Raw};
use crate::reader::Reader;
use crate::{
    Config, ConfigError, ConfigErrors, Devices, EngineRule, Engines, Limits, Listen, Log, LogFormat, OpenclRule,
    Origin, Profile, SOCKET_MODE_DEFAULT, SchedulerTuning, Sources, Tenant, Threads, Tls, profile,
};

mod proving;

/// Memory is the bound of every size; a larger figure is a slip of the pen.
const BYTES_LIMIT: u64 = 1 << 40;
const DAY: Duration = Duration::from_secs(86_400);
const ADMIN_DEFAULT: &str = "127.0.0.1:9464";
const CONNECTIONS_DEFAULT: u64 = 1_024;
const STREAM_WINDOW_DEFAULT: u64 = 1_024;
const KEY_SET_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
const MERKLE_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
/// A witness of 2^23 wires. The service lets twice of it arrive at a time.
const SECRET_BYTES_DEFAULT: u64 = 256 * 1024 * 1024;
/// 2^20 points of BLS12-381 in G2 with their scalars, or 2^23 elements.
const OPERATION_BYTES_DEFAULT: u64 = 256 * 1024 * 1024;
/// Several hundred keys, which is more than sign on most consortium chains.
const KNOWN_KEYS_BYTES_DEFAULT: u64 = 256 * 1024 * 1024;
/// A few tables.
const KNOWN_KEYS_BYTES_MIN: u64 = 4 * 1024 * 1024;
/// One in a thousand: of a batch of 4,096 that a device accepts, four on average.
const AUDIT_PER_MILLION_DEFAULT: u64 = 1_000;
/// A batch may take an eighth: 2^20 leaves of 32 bytes with what is said of them.
const ARENA_BYTES_DEFAULT: u64 = 272 * 1024 * 1024;
/// Two batches of some thousand items.
const ARENA_BYTES_MIN: u64 = 4 * 1024 * 1024;
/// A batch takes milliseconds; compilers of kernels report that they are at work.
const HANG_MAX_DEFAULT: Duration = Duration::from_secs(10);
const READY_MAX_DEFAULT: Duration = Duration::from_secs(600);
const DRAIN_GRACE_DEFAULT: Duration = Duration::from_secs(20);
const IO_THREADS_DEFAULT: u64 = 2;
const WEIGHT_DEFAULT: u64 = 100;

impl Config {
    /// Reads, layers and checks everything.
    ///
    /// # Errors
    /// All that is wrong, at once: files that cannot be read, keys that are unknown, values out of their range,
    /// values that contradict each other.
    pub fn load(sources: Sources) -> Result<Self, ConfigErrors> {
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
        let (profile, layers) = put_on_profile(upper, &sources, &mut errors);
        let mut reader = Reader::new(layers, errors);
        let config = read(&mut reader, &sources, profile);
        reader.finish()?;
        // Every part is `None` only where an error was noted, and then `finish` has failed.
        config.ok_or_else(|| ConfigErrors(Vec::new()))
    }
}

fn read_table(path: &PathBuf) -> Result<Table, String> {
    let text = std::fs::read_to_string(path).map_err(|cause| format!("cannot read the file: {cause}"))?;
    text.parse().map_err(|cause| format!("not TOML: {cause}"))
}

/// The layers with the profile that they ask for beneath them.
fn put_on_profile(upper: Layers, sources: &Sources, errors: &mut Vec<ConfigError>) -> (Option<Profile>, Layers) {
    let mut probe = Reader::new(upper.clone(), Vec::new());
    let wanted = probe.text("profile").unwrap_or_else(|| "auto".to_owned());
    match profile::choose(&wanted, &sources.machine) {
        Ok((profile, values)) => {
            let mut layers = Layers::default();
            let origin = profile.path.clone().map_or_else(|| Origin::Profile(profile.name.clone()), Origin::File);
            layers.push_table(values, &origin);
            layers.entries.extend(upper.entries);
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

fn read(reader: &mut Reader, sources: &Sources, profile: Option<Profile>) -> Option<Config> {
    reader.text("profile");
    let listen = listen(reader, sources);
    let limits = limits(reader);
    let scheduler = scheduler(reader);
    let tenants = tenants(reader);
    let log = log(reader);
    let drain_grace = reader.duration("drain_grace", Duration::ZERO..=DAY).unwrap_or(DRAIN_GRACE_DEFAULT);
    let threads = Threads {
        verify: reader.number("threads.verify", 0..=4_096).unwrap_or(0) as usize,
        io: reader.number("threads.io", 1..=256).unwrap_or(IO_THREADS_DEFAULT) as usize,
    };
    let engines = engines(reader);
    let devices = devices(reader, sources);
    let proving = proving::read(reader, sources, limits.secret_bytes_max);
    let profile = profile?;
    Some(Config { listen, limits, scheduler, tenants, log, drain_grace, threads, engines, devices, proving, profile })
}

fn listen(reader: &mut Reader, sources: &Sources) -> Listen {
    let unix = match reader.text("listen.unix") {
        Some(path) => Some(PathBuf::from(path)).filter(|path| !path.as_os_str().is_empty()),
        None => sources.runtime_directory.as_ref().map(|directory| directory.join("outrigger/outrigger.sock")),
    };
    let unix_mode = reader.text("listen.unix_mode").and_then(|text| mode(reader, &text)).unwrap_or(SOCKET_MODE_DEFAULT);
    let tcp = reader.parsed::<SocketAddr>("listen.tcp").flatten();
    let tls = tls(reader);
    let insecure_loopback = reader.flag("listen.insecure_loopback").unwrap_or(false);
    let admin = reader.parsed("listen.admin").unwrap_or_else(|| ADMIN_DEFAULT.parse().ok());
    let connections_max = reader.number("listen.connections_max", 1..=1 << 20).unwrap_or(CONNECTIONS_DEFAULT) as usize;
    if let Some(address) = tcp
        && tls.is_none()
    {
        check_plain_tcp(reader, address, insecure_loopback);
    }
    if unix.is_none() && tcp.is_none() {
        reader.fail("listen.unix", "there is nothing to listen on: set listen.unix to a path, or listen.tcp");
    }
    Listen { unix, unix_mode, tcp, tls, insecure_loopback, admin, connections_max }
}

fn mode(reader: &mut Reader, text: &str) -> Option<u32> {
    let mode = u32::from_str_radix(text.trim_start_matches("0o"), 8).ok().filter(|mode| *mode <= 0o777);
    if mode.is_none() {
        reader.fail("listen.unix_mode", format!("{text:?} is not a mode; write octal digits such as \"0660\""));
    }
    mode
}

fn tls(reader: &mut Reader) -> Option<Tls> {
    let mut path = |key: &str| reader.text(key).filter(|path| !path.is_empty()).map(PathBuf::from);
    let certificate = path("listen.tls.certificate");
    let key = path("listen.tls.key");
    let client_ca = path("listen.tls.client_ca");
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate, key, client_ca }),
        (None, None) => {
            if client_ca.is_some() {
                reader.fail("listen.tls.client_ca", "needs listen.tls.certificate and listen.tls.key beside it");
            }
            None
        }
        (Some(_), None) => {
            reader.fail("listen.tls.certificate", "needs listen.tls.key beside it");
            None
        }
        (None, Some(_)) => {
            reader.fail("listen.tls.key", "needs listen.tls.certificate beside it");
            None
        }
    }
}

fn check_plain_tcp(reader: &mut Reader, address: SocketAddr, insecure_loopback: bool) {
    if !address.ip().is_loopback() {
        reader.fail(
            "listen.tcp",
            format!("{address} is not a loopback address: set listen.tls.certificate, listen.tls.key and listen.tls.client_ca"),
        );
    } else if !insecure_loopback {
        reader.fail("listen.tcp", "has no TLS: set listen.tls, or listen.insecure_loopback = true to do without");
    }
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

fn scheduler(reader: &mut Reader) -> SchedulerTuning {
    let default = SchedulerOptions::default();
    let items = reader.number("scheduler.batch.items_max", 1..=1 << 24);
    let bytes = reader.bytes("scheduler.batch.bytes_max", 1 << 10..=1 << 32);
    let delay = reader.duration("scheduler.batch.delay_max", Duration::ZERO..=Duration::from_secs(10));
    SchedulerTuning {
        batch: BatchOptions {
            items_max: items.map_or(default.batch.items_max, |items| items as usize),
            bytes_max: bytes.map_or(default.batch.bytes_max, |bytes| bytes as usize),
            delay_max: delay.unwrap_or(default.batch.delay_max),
        },
        aging: reader.duration("scheduler.aging", Duration::from_millis(1)..=DAY).unwrap_or(default.aging),
        cache_entries: reader
            .number("scheduler.cache_entries", 0..=1 << 28)
            .map_or(default.cache_entries, |entries| entries as usize),
        consensus_reserve_percent: reader
            .number("scheduler.consensus_reserve_percent", 0..=90)
            .map_or(default.consensus_reserve_percent, |percent| percent as u8),
    }
}

fn log(reader: &mut Reader) -> Log {
    let filter = reader.text("log.filter").unwrap_or_else(|| "info".to_owned());
    let format = match reader.text("log.format").as_deref() {
        None | Some("text") => LogFormat::Text,
        Some("json") => LogFormat::Json,
        Some(other) => {
            reader.fail("log.format", format!("{other:?} is neither \"json\" nor \"text\""));
            LogFormat::Text
        }
    };
    Log { filter, format }
}

fn engines(reader: &mut Reader) -> Engines {
    let vector = engine_rule(reader, "engines.vector");
    let key = "engines.known_keys_bytes_max";
    let known = reader.bytes(key, 0..=BYTES_LIMIT).unwrap_or(KNOWN_KEYS_BYTES_DEFAULT);
    if (1..KNOWN_KEYS_BYTES_MIN).contains(&known) {
        reader.fail(key, "holds no table: write 0 to keep none, or 4MiB and more");
    }
    let opencl = match reader.text("engines.opencl").as_deref() {
        None | Some("auto") => OpenclRule::Auto,
        Some("all") => OpenclRule::All,
        Some("off") => OpenclRule::Off,
        Some(other) => {
            reader.fail("engines.opencl", format!("{other:?} is none of \"auto\", \"all\" and \"off\""));
            OpenclRule::Auto
        }
    };
    let cuda = engine_rule(reader, "engines.cuda");
    Engines { vector, cuda, opencl, known_keys_bytes_max: known as usize }
}

fn devices(reader: &mut Reader, sources: &Sources) -> Devices {
    let per_million = reader.number("devices.audit_per_million", 0..=1_000_000).unwrap_or(AUDIT_PER_MILLION_DEFAULT);
    let arena = reader.bytes("devices.arena_bytes", ARENA_BYTES_MIN..=BYTES_LIMIT).unwrap_or(ARENA_BYTES_DEFAULT);
    let hang_max = reader.duration("devices.hang_max", Duration::from_millis(100)..=Duration::from_secs(600));
    let ready_max = reader.duration("devices.ready_max", Duration::from_secs(1)..=Duration::from_secs(3_600));
    let kernel_cache = match reader.text("devices.kernel_cache") {
        None => sources.cache_directory.as_ref().map(|directory| directory.join("kernels")),
        Some(path) => (!path.is_empty()).then(|| path.into()),
    };
    Devices {
        audit_per_million: per_million as u32,
        memory_bytes_max: reader.bytes("devices.memory_bytes_max", 0..=u64::MAX).unwrap_or(0),
        arena_bytes: arena as usize,
        msm_window_bits: reader.number("devices.msm_window_bits", 0..=24).unwrap_or(0) as u32,
        msm_entries_per_item: reader.number("devices.msm_entries_per_item", 8..=4_096).unwrap_or(64) as u32,
        msm_copies_max: reader.number("devices.msm_copies_max", 1..=16).unwrap_or(1) as u32,
        hang_max: hang_max.unwrap_or(HANG_MAX_DEFAULT),
        ready_max: ready_max.unwrap_or(READY_MAX_DEFAULT),
        cuda_worker: reader.text("devices.cuda_worker").filter(|path| !path.is_empty()).map(PathBuf::from),
        kernel_cache,
    }
}

fn engine_rule(reader: &mut Reader, key: &str) -> EngineRule {
    match reader.text(key).as_deref() {
        None | Some("auto") => EngineRule::Auto,
        Some("off") => EngineRule::Off,
        Some(other) => {
            reader.fail(key, format!("{other:?} is neither \"auto\" nor \"off\""));
            EngineRule::Auto
        }
    }
}

fn tenants(reader: &mut Reader) -> Vec<Tenant> {
    let count = reader.table_count("tenants");
    let tenants: Vec<_> = (0..count).filter_map(|i| tenant(reader, &format!("tenants[{i}]"))).collect();
    let mut names = BTreeSet::new();
    let mut callers = BTreeSet::new();
    for (i, tenant) in tenants.iter().enumerate() {
        if !names.insert(tenant.policy.name.clone()) {
            reader.fail(&format!("tenants[{i}].name"), format!("{:?} is the name of two tenants", tenant.policy.name));
        }
        let uids = tenant.uids.iter().map(|uid| ("uids", format!("user id {uid}")));
        let certificates = tenant.certificate_names.iter().map(|name| ("certificate_names", name.to_ascii_lowercase()));
        let unauthenticated = tenant.unauthenticated.then(|| ("unauthenticated", "callers without one".to_owned()));
        for (key, caller) in uids.chain(certificates).chain(unauthenticated) {
            if !callers.insert((key, caller.clone())) {
                reader.fail(&format!("tenants[{i}].{key}"), format!("{caller} already belongs to another tenant"));
            }
        }
    }
    tenants
}

fn tenant(reader: &mut Reader, path: &str) -> Option<Tenant> {
    let at = |key: &str| format!("{path}.{key}");
    let name = reader.text(&at("name"));
    if name.as_ref().is_none_or(|name| name.is_empty() || name.len() > 64) {
        reader.fail(&at("name"), "a tenant needs a name of 1 to 64 bytes");
    }
    let calls = named(reader, &at("calls"), |name| {
        let known = Call::ALL.into_iter().find(|call| call.name() == name);
        known.ok_or_else(|| format!("unknown call {name:?}; one of {}", Call::ALL.map(Call::name).join(", ")))
    });
    let rulesets = named(reader, &at("rulesets"), |name| match name {
        "*" => Ok(None),
        name => name.parse::<Ruleset>().map(Some),
    });
    let circuits = circuits(reader, &at("circuits"));
    let priority_max = reader.parsed::<Priority>(&at("priority_max")).flatten().unwrap_or(Priority::Block);
    let quota = tenant_quota(reader, path);
    let weight = reader.number(&at("weight"), 1..=1_000).unwrap_or(WEIGHT_DEFAULT) as u32;
    let uids = reader.number_list(&at("uids")).unwrap_or_default();
    let certificate_names = reader.list(&at("certificate_names")).unwrap_or_default();
    let unauthenticated = reader.flag(&at("unauthenticated")).unwrap_or(false);
    if uids.is_empty() && certificate_names.is_empty() && !unauthenticated {
        reader.fail(&at("name"), "no caller is of this tenant: set uids, certificate_names or unauthenticated");
    }
    let rulesets = if rulesets.contains(&None) {
        Ruleset::ALL.iter().copied().collect()
    } else {
        rulesets.into_iter().flatten().collect()
    };
    let calls = calls.into_iter().collect();
    let policy = TenantPolicy { name: name?.into(), calls, rulesets, circuits, priority_max, quota, weight };
    Some(Tenant { policy, uids, certificate_names, unauthenticated })
}

/// The circuits of a list; `"*"` takes all.
fn circuits(reader: &mut Reader, path: &str) -> CircuitRule {
    let circuits = named(reader, path, |name| match name {
        "*" => Ok(None),
        name => name.parse::<CircuitId>().map(Some),
    });
    if circuits.contains(&None) {
        CircuitRule::All
    } else {
        CircuitRule::Only(circuits.into_iter().flatten().collect())
    }
}

/// A list of names, each looked up; every one that is unknown is an error of its own.
fn named<T>(reader: &mut Reader, path: &str, find: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
    let names = reader.list(path).unwrap_or_default();
    let found = names.iter().map(|name| find(name));
    found.filter_map(|found| found.map_err(|message| reader.fail(path, message)).ok()).collect()
}

fn tenant_quota(reader: &mut Reader, path: &str) -> Quota {
    let at = |key: &str| format!("{path}.quota.{key}");
    let default = Quota::TENANT;
    Quota {
        requests_max: reader.number(&at("requests_max"), 1..=1 << 32).unwrap_or(default.requests_max),
        items_max: reader.number(&at("items_max"), 1..=1 << 40).unwrap_or(default.items_max),
        bytes_max: reader.bytes(&at("bytes_max"), 1..=BYTES_LIMIT).unwrap_or(default.bytes_max),
        compute_max: reader.duration(&at("compute_max"), Duration::from_micros(1)..=DAY).unwrap_or(default.compute_max),
    }
}

#[cfg(test)]
mod tests;
