//! The panes of engines and devices.

use crate::number::{bytes, decimal, or_nothing, seconds};
use crate::panes::{Cell, Pane, bad_count, bad_rate, bad_total, count, figure, name, now, rate};
use crate::view::{Device, Engine, View};

pub(super) fn engines(view: &View) -> Pane {
    let rows = view.engines.iter().map(|it| {
        vec![
            name(&it.backend),
            name(&it.device),
            health(it),
            now(it.operations),
            now(it.waiting_items),
            figure(or_nothing(it.waiting_seconds, seconds)),
            now(it.running_items),
        ]
    });
    let headings = ["backend", "device", "health", "operations", "waiting", "predicted", "running"];
    Pane::new("Engines now, items", 3, &headings, rows)
}

/// A device in quarantine or in its trials is no fault of the engine's: the pane of devices tells them apart.
fn health(engine: &Engine) -> Cell {
    match (engine.healthy, engine.operations) {
        (Some(false), _) => Cell { text: "faults".to_owned(), is_alarm: true },
        (_, Some(0.0)) => figure("no work".to_owned()),
        (Some(true), _) => figure("good".to_owned()),
        (None, _) => rate(None),
    }
}

pub(super) fn devices(view: &View) -> Pane {
    let rows = view.devices.iter().map(|it| {
        vec![
            name(&it.backend),
            name(&it.device),
            state(it),
            figure(or_nothing(it.memory_limit_bytes, bytes)),
            bad_count(it.worker_restarts_total),
            bad_total(it.faults_total),
            bad_total(it.quarantines_total),
        ]
    });
    let headings = ["backend", "device", "state", "may hold", "restarts", "faults", "quarantines"];
    Pane::new("Devices now, counts since start", 3, &headings, rows)
}

fn state(device: &Device) -> Cell {
    let Some(state) = &device.state else { return rate(None) };
    Cell { is_alarm: ["quarantined", "down"].contains(&state.as_str()), ..name(state) }
}

pub(super) fn work(view: &View) -> Pane {
    let rows = view.devices.iter().map(|it| {
        vec![
            name(&it.backend),
            name(&it.device),
            now(it.batches),
            figure(or_nothing(it.busy_queues, decimal)),
            figure(or_nothing(it.bytes_in_per_second, bytes)),
            figure(or_nothing(it.bytes_out_per_second, bytes)),
        ]
    });
    Pane::new("Work of devices", 2, &["backend", "device", "batches", "queues busy", "in/s", "out/s"], rows)
}

pub(super) fn workers(view: &View) -> Pane {
    let row = |it: &Device| {
        vec![
            name(&it.backend),
            name(&it.device),
            count(it.worker_starts_total),
            bad_count(it.worker_restarts_total),
            bad_count(it.worker_failed_starts_total),
            bad_count(it.worker_hangs_total),
            bad_count(it.worker_deaths_total),
        ]
    };
    let headings = ["backend", "device", "started", "restarted", "did not start", "hung", "died"];
    Pane::new("Workers of devices, since start", 2, &headings, view.devices.iter().map(row))
}

pub(super) fn faults(view: &View) -> Pane {
    let events = view.devices.iter().flat_map(|device| device.events.iter().map(move |event| (device, event)));
    let rows = events.map(|(device, it)| {
        let names = [name(&device.backend), name(&device.device), name(&it.event)];
        names.into_iter().chain([bad_rate(it.events_per_second), bad_total(it.events_total)]).collect()
    });
    Pane::new("Faults of devices", 3, &["backend", "device", "fault", "faults/s", "since start"], rows)
}
