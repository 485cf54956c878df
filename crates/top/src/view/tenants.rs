//! The part of a view that tells what tenants ask for, hold and may.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::view::change::{Change, Count, Key, Lookup, all, percent};
use crate::view::parts::{RPC_REQUESTS, is_failed};

/// What a tenant asks for, and what it holds.
#[derive(Clone, Debug, Serialize)]
pub struct Tenant {
    /// The tenant; `other` for those that the configuration does not name.
    pub tenant: String,
    /// Requests in flight; proofs are not counted.
    pub requests: Held,
    /// Their items.
    pub items: Held,
    /// Their bytes.
    pub bytes: Held,
    /// Their compute time in seconds, as it is predicted.
    pub compute_seconds: Held,
    /// Calls over gRPC that ended.
    pub calls_per_second: Option<f64>,
    /// Of these, those with a code other than OK.
    pub failed_per_second: Option<f64>,
    /// Requests that the scheduler refused.
    pub refused_per_second: Option<f64>,
    /// The same since the start.
    pub refused_total: f64,
    /// Of these, those over the tenant's quota.
    pub over_quota_per_second: Option<f64>,
    /// The same since the start.
    pub over_quota_total: f64,
}

/// What is in flight, now, beside what may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Held {
    /// What is admitted and not answered; `None` where the sidecar does not say.
    pub in_flight: Option<f64>,
    /// The quota, of which a part may be kept for the consensus class; `None` where there is none, or the sidecar does not
    /// say.
    pub limit: Option<f64>,
    /// The one of the other, 0 to 100.
    pub used_percent: Option<f64>,
}

/// Requests of a tenant that were refused for one reason.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    /// The tenant.
    pub tenant: String,
    /// The reason, such as `tenant_quota`.
    pub reason: String,
    /// Requests.
    pub refused_per_second: Option<f64>,
    /// The same since the start.
    pub refused_total: f64,
}

const REJECTIONS: &str = "outrigger_rejections_total";

/// What tenants hold of one part of their quotas.
struct Part {
    in_flight: BTreeMap<Key<1>, f64>,
    limits: BTreeMap<Key<1>, f64>,
}

impl Part {
    fn of(change: &Change<'_>, name: &str) -> Self {
        let limits = change.gauges(&format!("{name}_limit"), ["tenant"]);
        Self { in_flight: change.gauges(name, ["tenant"]), limits }
    }

    fn at(&self, key: &Key<1>) -> Held {
        let (in_flight, limit) = (self.in_flight.get(key).copied(), self.limits.get(key).copied());
        Held { in_flight, limit, used_percent: percent(in_flight, limit) }
    }
}

pub(super) fn tenants(change: &Change<'_>) -> Vec<Tenant> {
    let calls = change.counts(RPC_REQUESTS, ["tenant"], all);
    let failed = change.counts(RPC_REQUESTS, ["tenant"], is_failed);
    let refused = change.counts(REJECTIONS, ["tenant"], all);
    let over_quota = change.counts(REJECTIONS, ["tenant"], |labels| labels.get("reason") == "tenant_quota");
    let names = ["requests", "items", "bytes", "compute_seconds"];
    let parts = names.map(|what| Part::of(change, &format!("outrigger_tenant_{what}_in_flight")));
    let counted = calls.keys().chain(refused.keys());
    let held = parts.iter().flat_map(|part| part.in_flight.keys().chain(part.limits.keys()));
    let known: BTreeSet<_> = counted.chain(held).cloned().collect();
    let lookup = Lookup::of(change);
    let tenant = |key: Key<1>| {
        let (refused, over_quota) = (lookup.at(&refused, &key), lookup.at(&over_quota, &key));
        let [requests, items, bytes, compute_seconds] = parts.each_ref().map(|part| part.at(&key));
        Tenant {
            requests,
            items,
            bytes,
            compute_seconds,
            calls_per_second: lookup.at(&calls, &key).per_second,
            failed_per_second: lookup.at(&failed, &key).per_second,
            refused_per_second: refused.per_second,
            refused_total: refused.total,
            over_quota_per_second: over_quota.per_second,
            over_quota_total: over_quota.total,
            tenant: key[0].clone(),
        }
    };
    known.into_iter().map(tenant).collect()
}

pub(super) fn refusals(change: &Change<'_>) -> Vec<Refusal> {
    let refusal = |([tenant, reason], count): (Key<2>, Count)| Refusal {
        tenant,
        reason,
        refused_per_second: count.per_second,
        refused_total: count.total,
    };
    change.counts(REJECTIONS, ["tenant", "reason"], all).into_iter().map(refusal).collect()
}
