//! The parts of a view that tell how engines and devices are.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::view::change::{Change, Count, Key, Lookup, all, keys};

/// How an engine stands: plain cores, lanes, or a device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Engine {
    /// The backend: `cpu`, `vector`, `cuda` or `opencl`.
    pub backend: String,
    /// The processor or the device.
    pub device: String,
    /// Whether work goes to it; `false` while its breaker is open after faults.
    pub healthy: Option<bool>,
    /// Verifications and hash functions that it does now; 0 in quarantine and before the first trial has passed.
    pub operations: Option<f64>,
    /// Items that wait for it, now.
    pub waiting_items: Option<f64>,
    /// Their compute time, as it is predicted.
    pub waiting_seconds: Option<f64>,
    /// Items that it has, now.
    pub running_items: Option<f64>,
}

/// What a device does, and how it and its worker fare.
#[derive(Clone, Debug, Serialize)]
pub struct Device {
    /// The API that drives it: `cuda` or `opencl`.
    pub backend: String,
    /// Its name.
    pub device: String,
    /// `up`, `testing`, `quarantined` or `down`; `None` where the sidecar does not say.
    pub state: Option<String>,
    /// Bytes of its memory that its worker may hold; `None` before a worker has opened it.
    pub memory_limit_bytes: Option<f64>,
    /// Batches in the hands of its worker, now.
    pub batches: Option<f64>,
    /// How many of the worker's queues were busy, on average.
    pub busy_queues: Option<f64>,
    /// Bytes copied to it.
    pub bytes_in_per_second: Option<f64>,
    /// Bytes copied from it.
    pub bytes_out_per_second: Option<f64>,
    /// Worker processes that came up; like what follows, `None` where the sidecar says nothing of this device's workers.
    pub worker_starts_total: Option<f64>,
    /// Of these, those after the first.
    pub worker_restarts_total: Option<f64>,
    /// Worker processes that did not come up.
    pub worker_failed_starts_total: Option<f64>,
    /// Workers killed because they said nothing.
    pub worker_hangs_total: Option<f64>,
    /// Workers that died.
    pub worker_deaths_total: Option<f64>,
    /// How often it was put into quarantine, for an answer to a planted item or one that the CPU, asked again, did not give.
    pub quarantines_total: f64,
    /// What else went wrong on it: faults, damaged answers, batches that it had no memory for.
    pub faults_total: f64,
    /// All of this by what it was.
    pub events: Vec<Event>,
}

/// Something that went wrong on a device.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// `damaged`, `planted`, `audit`, `out_of_memory` or `fault`.
    pub event: String,
    /// How often.
    pub events_per_second: Option<f64>,
    /// The same since the start.
    pub events_total: f64,
}

/// The events after each of which a device is in quarantine.
const QUARANTINING: [&str; 2] = ["planted", "audit"];
/// What a device is known by.
const BY: [&str; 2] = ["backend", "device"];

/// How long the sidecar runs; `None` where it does not say. Two machines may disagree about the time, so it is never less
/// than nothing.
pub(super) fn uptime_seconds(change: &Change<'_>, unix_seconds: f64) -> Option<f64> {
    let start = change.gauge("outrigger_start_time_seconds").filter(|start| *start > 0.0)?;
    Some((unix_seconds - start).max(0.0))
}

pub(super) fn engines(change: &Change<'_>) -> Vec<Engine> {
    let healthy = change.gauges("outrigger_engine_healthy", BY);
    let operations = change.gauges("outrigger_engine_operations", BY);
    let waiting = change.gauges("outrigger_engine_waiting_items", BY);
    let predicted = change.gauges("outrigger_engine_waiting_seconds", BY);
    let running = change.gauges("outrigger_engine_running_items", BY);
    let lists = [&healthy, &operations, &waiting, &predicted, &running];
    let known: BTreeSet<_> = lists.into_iter().flat_map(|list| list.keys().cloned()).collect();
    let engine = |key: Key<2>| Engine {
        healthy: healthy.get(&key).map(|healthy| *healthy > 0.0),
        operations: operations.get(&key).copied(),
        waiting_items: waiting.get(&key).copied(),
        waiting_seconds: predicted.get(&key).copied(),
        running_items: running.get(&key).copied(),
        backend: key[0].clone(),
        device: key[1].clone(),
    };
    known.into_iter().map(engine).collect()
}

pub(super) fn devices(change: &Change<'_>) -> Vec<Device> {
    let batches = change.gauges("outrigger_device_batches", BY);
    let states = change.gauges("outrigger_device_state", ["backend", "device", "state"]);
    let memory = change.gauges("outrigger_device_memory_limit_bytes", BY);
    let workers = change.counts("outrigger_device_workers_total", ["backend", "device", "event"], all);
    let events = change.counts("outrigger_device_events_total", ["backend", "device", "event"], all);
    let time = change.counts("outrigger_device_microseconds_total", ["backend", "device", "part"], all);
    let bytes = change.counts("outrigger_device_bytes_total", ["backend", "device", "direction"], all);
    let counted = keys([&workers, &events, &time, &bytes]).into_iter().chain(states.keys().cloned());
    let counted = counted.map(|[backend, device, _]| [backend, device]);
    let known: BTreeSet<_> = counted.chain(batches.keys().cloned()).chain(memory.keys().cloned()).collect();
    let lookup = Lookup::of(change);
    let device = |[backend, device]: Key<2>| {
        let of = |list, kind: &str| lookup.at(list, &[backend.clone(), device.clone(), kind.to_owned()]);
        let is_here = |key: &Key<3>| key[0] == backend && key[1] == device;
        let is_told = workers.keys().any(is_here);
        let worker = |event| is_told.then(|| of(&workers, event).total);
        let events: Vec<_> = events.iter().filter(|(key, _)| is_here(key)).map(event).collect();
        let (quarantines_total, faults_total) = totals(&events);
        let state = states.iter().find(|(key, is_now)| is_here(key) && **is_now > 0.0);
        Device {
            state: state.map(|([.., state], _)| state.clone()),
            memory_limit_bytes: memory.get(&[backend.clone(), device.clone()]).copied(),
            batches: batches.get(&[backend.clone(), device.clone()]).copied(),
            busy_queues: of(&time, "worked").per_second.map(|microseconds| microseconds / 1e6),
            bytes_in_per_second: of(&bytes, "in").per_second,
            bytes_out_per_second: of(&bytes, "out").per_second,
            worker_starts_total: worker("started"),
            worker_restarts_total: worker("started").map(|starts| (starts - 1.0).max(0.0)),
            worker_failed_starts_total: worker("failed_to_start"),
            worker_hangs_total: worker("hung"),
            worker_deaths_total: worker("died"),
            quarantines_total,
            faults_total,
            events,
            backend,
            device,
        }
    };
    known.into_iter().map(device).collect()
}

fn event(([.., event], count): (&Key<3>, &Count)) -> Event {
    Event { event: event.clone(), events_per_second: count.per_second, events_total: count.total }
}

/// How many of these put the device into quarantine, and how many did not.
fn totals(events: &[Event]) -> (f64, f64) {
    let (quarantines, faults): (Vec<_>, Vec<_>) =
        events.iter().partition(|event| QUARANTINING.contains(&event.event.as_str()));
    let sum = |events: Vec<&Event>| events.iter().map(|event| event.events_total).fold(0.0, |sum, total| sum + total);
    (sum(quarantines), sum(faults))
}
