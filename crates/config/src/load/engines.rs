//! The keys below `engines` and `devices`.

use std::path::PathBuf;
use std::time::Duration;

use outrigger_types::Backend;

use super::BYTES_LIMIT;
use crate::reader::Reader;
use crate::{DeviceSearch, Devices, ENGINE_ORDER_DEFAULT, EngineRule, Engines, OpenclRule, Sources};

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
/// Below it a window of a multi-scalar multiplication has hardly a bucket.
const WINDOW_BITS_MIN: u64 = 4;
/// Groups of the host device, which takes the fewest.
const GROUP_MIN: u64 = 8;
/// A batch takes milliseconds; compilers of kernels report that they are at work.
const HANG_MAX_DEFAULT: Duration = Duration::from_secs(10);
const READY_MAX_DEFAULT: Duration = Duration::from_secs(600);

const RULES: [(&str, EngineRule); 2] = [("auto", EngineRule::Auto), ("off", EngineRule::Off)];
const OPENCL_RULES: [(&str, OpenclRule); 3] =
    [("auto", OpenclRule::Auto), ("all", OpenclRule::All), ("off", OpenclRule::Off)];

pub(super) fn engines(reader: &mut Reader, search: &DeviceSearch) -> Engines {
    let vector = reader.choice("engines.vector", &RULES).unwrap_or(EngineRule::Auto);
    let order = order(reader);
    let key = "engines.known_keys_bytes_max";
    let known = reader.bytes(key, 0..=BYTES_LIMIT).unwrap_or(KNOWN_KEYS_BYTES_DEFAULT);
    if (1..KNOWN_KEYS_BYTES_MIN).contains(&known) {
        reader.fail(key, "holds no table: write 0 to keep none, or 4MiB and more");
    }
    Engines { vector, cuda: search.cuda, opencl: search.opencl, order, known_keys_bytes_max: known as usize }
}

/// Which devices are looked for.
pub(super) fn search(reader: &mut Reader) -> DeviceSearch {
    DeviceSearch {
        cuda: reader.choice("engines.cuda", &RULES).unwrap_or(EngineRule::Auto),
        opencl: reader.choice("engines.opencl", &OPENCL_RULES).unwrap_or(OpenclRule::Auto),
        cuda_worker: reader.text("devices.cuda_worker").filter(|path| !path.is_empty()).map(PathBuf::from),
    }
}

/// Backends that are not named come behind those that are, in the order of the default.
fn order(reader: &mut Reader) -> [Backend; 4] {
    let key = "engines.order";
    let mut order = Vec::with_capacity(4);
    for name in reader.list(key).unwrap_or_default() {
        match name.parse::<Backend>() {
            Ok(backend) if order.contains(&backend) => reader.fail(key, format!("{name:?} is named twice")),
            Ok(backend) => order.push(backend),
            Err(message) => reader.fail(key, message),
        }
    }
    order.extend(ENGINE_ORDER_DEFAULT.into_iter().filter(|backend| !order.contains(backend)).collect::<Vec<_>>());
    order.try_into().unwrap_or(ENGINE_ORDER_DEFAULT)
}

pub(super) fn devices(reader: &mut Reader, sources: &Sources, search: DeviceSearch) -> Devices {
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
        memory_bytes_max: reader.bytes("devices.memory_bytes_max", 0..=BYTES_LIMIT).unwrap_or(0),
        arena_bytes: arena as usize,
        group_max: group_max(reader),
        msm_window_bits: window_bits(reader),
        msm_entries_per_item: reader.number("devices.msm_entries_per_item", 8..=4_096).unwrap_or(64) as u32,
        msm_copies_max: reader.number("devices.msm_copies_max", 1..=16).unwrap_or(1) as u32,
        hang_max: hang_max.unwrap_or(HANG_MAX_DEFAULT),
        ready_max: ready_max.unwrap_or(READY_MAX_DEFAULT),
        cuda_worker: search.cuda_worker,
        kernel_cache,
    }
}

fn group_max(reader: &mut Reader) -> u32 {
    let key = "devices.group_max";
    let group = reader.number(key, 0..=1_024).unwrap_or(0);
    if group != 0 && (group < GROUP_MIN || !group.is_power_of_two()) {
        reader.fail(key, format!("{group} is neither 0 nor a power of two from {GROUP_MIN} to 1024"));
    }
    group as u32
}

fn window_bits(reader: &mut Reader) -> u32 {
    let key = "devices.msm_window_bits";
    let bits = reader.number(key, 0..=24).unwrap_or(0);
    if (1..WINDOW_BITS_MIN).contains(&bits) {
        reader.fail(key, format!("write 0 to have it computed, or {WINDOW_BITS_MIN} to 24"));
    }
    bits as u32
}
