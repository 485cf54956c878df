//! The panes of tenants.

use crate::number::{or_nothing, whole};
use crate::panes::{Cell, Pane, bad_rate, figure, name, rate, share, total};
use crate::view::{Held, View};

/// What tenants hold. Bytes and compute time as shares, so that all of it fits in a window of 80 columns.
pub(super) fn held(view: &View) -> Pane {
    let rows = view.tenants.iter().map(|it| {
        vec![
            name(&it.tenant),
            of_quota(&it.requests),
            of_quota(&it.items),
            share(it.bytes.used_percent),
            share(it.compute_seconds.used_percent),
            bad_rate(it.over_quota_per_second),
        ]
    });
    let headings = ["tenant", "requests", "items", "bytes", "compute", "over quota/s"];
    Pane::new("Tenants now, in flight of their quota", 1, &headings, rows)
}

/// Both figures, or that nothing is known.
fn of_quota(held: &Held) -> Cell {
    match held {
        Held { in_flight: None, limit: None, .. } => rate(None),
        Held { in_flight, limit, .. } => {
            figure(format!("{} / {}", or_nothing(*in_flight, whole), or_nothing(*limit, whole)))
        }
    }
}

pub(super) fn tenants(view: &View) -> Pane {
    let rows = view.tenants.iter().map(|it| {
        vec![
            name(&it.tenant),
            rate(it.calls_per_second),
            bad_rate(it.failed_per_second),
            bad_rate(it.refused_per_second),
            total(it.refused_total),
            bad_rate(it.over_quota_per_second),
            total(it.over_quota_total),
        ]
    });
    let headings = ["tenant", "calls/s", "failed/s", "refused/s", "since start", "over quota/s", "since start"];
    Pane::new("Tenants", 1, &headings, rows)
}

pub(super) fn refusals(view: &View) -> Pane {
    let rows = view
        .refusals
        .iter()
        .map(|it| vec![name(&it.tenant), name(&it.reason), bad_rate(it.refused_per_second), total(it.refused_total)]);
    Pane::new("Refused requests", 2, &["tenant", "reason", "requests/s", "since start"], rows)
}
