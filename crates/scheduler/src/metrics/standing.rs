//! How things stand just before metrics are shown: what tenants hold of their quotas, what the cache keeps, how devices
//! are. Nobody counts these on the way of a request; they are read off when somebody asks.

use metrics::{Unit, describe_gauge, gauge};
use outrigger_types::{Backend, Quota};

use crate::device::DeviceState;
use crate::limits::{Load, Standing};

/// Requests that a tenant has in flight, by `tenant`.
pub const TENANT_REQUESTS: &str = "outrigger_tenant_requests_in_flight";
/// How many it may have, by `tenant`: its quota, with the part that is kept for consensus.
pub const TENANT_REQUESTS_LIMIT: &str = "outrigger_tenant_requests_in_flight_limit";
/// Items of these requests, by `tenant`.
pub const TENANT_ITEMS: &str = "outrigger_tenant_items_in_flight";
/// How many it may have, by `tenant`.
pub const TENANT_ITEMS_LIMIT: &str = "outrigger_tenant_items_in_flight_limit";
/// Bytes of these requests, by `tenant`.
pub const TENANT_BYTES: &str = "outrigger_tenant_bytes_in_flight";
/// How many it may have, by `tenant`.
pub const TENANT_BYTES_LIMIT: &str = "outrigger_tenant_bytes_in_flight_limit";
/// Predicted compute time of these requests, by `tenant`.
pub const TENANT_COMPUTE: &str = "outrigger_tenant_compute_seconds_in_flight";
/// How much it may have, by `tenant`.
pub const TENANT_COMPUTE_LIMIT: &str = "outrigger_tenant_compute_seconds_in_flight_limit";
/// Verdicts in the cache.
pub const CACHE_ENTRIES: &str = "outrigger_cache_entries";
/// How many the cache keeps at most; 0 where it is turned off.
pub const CACHE_ENTRIES_LIMIT: &str = "outrigger_cache_entries_limit";
/// Whether a device is in a state (1) or not (0), by `backend`, `device` and `state`: see [`DeviceState`].
pub const DEVICE_STATE: &str = "outrigger_device_state";
/// Bytes of a device's memory that its worker may hold, by `backend` and `device`.
pub const DEVICE_MEMORY_LIMIT: &str = "outrigger_device_memory_limit_bytes";

/// Tells the recorder what each of these means.
pub(super) fn describe() {
    describe_gauge!(TENANT_REQUESTS, "Requests of a tenant that are admitted and not answered; proofs are not counted");
    describe_gauge!(TENANT_REQUESTS_LIMIT, "Requests that a tenant may have in flight");
    describe_gauge!(TENANT_ITEMS, "Items of a tenant that are admitted and not answered");
    describe_gauge!(TENANT_ITEMS_LIMIT, "Items that a tenant may have in flight");
    describe_gauge!(TENANT_BYTES, Unit::Bytes, "Bytes of a tenant that are admitted and not answered");
    describe_gauge!(TENANT_BYTES_LIMIT, Unit::Bytes, "Bytes that a tenant may have in flight");
    describe_gauge!(TENANT_COMPUTE, Unit::Seconds, "Predicted compute time of what a tenant has in flight");
    describe_gauge!(TENANT_COMPUTE_LIMIT, Unit::Seconds, "Predicted compute time that a tenant may have in flight");
    describe_gauge!(CACHE_ENTRIES, "Verdicts in the cache");
    describe_gauge!(CACHE_ENTRIES_LIMIT, "Verdicts that the cache keeps at most; 0 where it is turned off");
    describe_gauge!(DEVICE_STATE, "Whether a device is up, testing, quarantined or down");
    describe_gauge!(DEVICE_MEMORY_LIMIT, Unit::Bytes, "Bytes of a device's memory that its worker may hold");
}

/// What tenants hold, and what they may.
pub(crate) fn tenants(standings: &[Standing]) {
    for Standing { label, held, quota } in standings {
        let label = || label.to_string();
        let Load { requests, items, bytes, compute } = held;
        gauge!(TENANT_REQUESTS, "tenant" => label()).set(*requests as f64);
        gauge!(TENANT_ITEMS, "tenant" => label()).set(*items as f64);
        gauge!(TENANT_BYTES, "tenant" => label()).set(*bytes as f64);
        gauge!(TENANT_COMPUTE, "tenant" => label()).set(compute.as_secs_f64());
        let Some(Quota { requests_max, items_max, bytes_max, compute_max }) = quota else { continue };
        gauge!(TENANT_REQUESTS_LIMIT, "tenant" => label()).set(*requests_max as f64);
        gauge!(TENANT_ITEMS_LIMIT, "tenant" => label()).set(*items_max as f64);
        gauge!(TENANT_BYTES_LIMIT, "tenant" => label()).set(*bytes_max as f64);
        gauge!(TENANT_COMPUTE_LIMIT, "tenant" => label()).set(compute_max.as_secs_f64());
    }
}

/// How many verdicts the cache has, of how many.
pub(crate) fn cache(entries: usize, entries_max: usize) {
    gauge!(CACHE_ENTRIES).set(entries as f64);
    gauge!(CACHE_ENTRIES_LIMIT).set(entries_max as f64);
}

/// How a device is. Devices are few, so a label for each is bounded.
pub(crate) fn device(backend: Backend, device: &str, now: DeviceState) {
    for state in DeviceState::ALL {
        let labels =
            [("backend", backend.name().to_owned()), ("device", device.to_owned()), ("state", state.name().to_owned())];
        gauge!(DEVICE_STATE, &labels).set(f64::from(u8::from(state == now)));
    }
}

/// How much of its memory a device's worker may hold.
pub(crate) fn device_memory(backend: Backend, device: &str, bytes: u64) {
    let labels = [("backend", backend.name().to_owned()), ("device", device.to_owned())];
    gauge!(DEVICE_MEMORY_LIMIT, &labels).set(bytes as f64);
}
