//! The parts of a view that the scheduler and the service report.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Labels;
use crate::view::change::{Change, Count, Key, percent};
use crate::view::{
    Backend, Batches, Cache, Call, Device, Event, InFlight, KnownKeys, Operation, Refusal, Sizes, Tenant, Verdict, Wait,
};

const ITEMS: &str = "outrigger_items_total";
const REQUESTS: &str = "outrigger_requests_total";
const REJECTIONS: &str = "outrigger_rejections_total";
const BATCH_ITEMS: &str = "outrigger_batch_items";
const COMPUTE_SECONDS: &str = "outrigger_compute_seconds";
const RPC_REQUESTS: &str = "outrigger_rpc_requests_total";

fn all(_: &Labels) -> bool {
    true
}

/// All keys of some lists.
fn keys<'a, const N: usize>(lists: impl IntoIterator<Item = &'a BTreeMap<Key<N>, Count>>) -> BTreeSet<Key<N>> {
    lists.into_iter().flat_map(|list| list.keys().cloned()).collect()
}

/// Counts under a key; nothing is counted where it is missing.
struct Lookup {
    none: Count,
}

impl Lookup {
    fn of(change: &Change<'_>) -> Self {
        Self { none: Count { total: 0.0, per_second: change.seconds().map(|_| 0.0) } }
    }

    fn at<const N: usize>(&self, counts: &BTreeMap<Key<N>, Count>, key: &Key<N>) -> Count {
        counts.get(key).copied().unwrap_or(self.none)
    }
}

pub(super) fn verdicts(change: &Change<'_>, wanted: impl Fn(&Labels) -> bool) -> Vec<Verdict> {
    let counts = change.counts(ITEMS, ["verdict"], wanted);
    let whole = counts.values().map(|count| count.per_second).sum::<Option<f64>>();
    let verdict = |([verdict], count): (Key<1>, Count)| Verdict {
        verdict,
        items_per_second: count.per_second,
        share_percent: percent(count.per_second, whole),
        items_total: count.total,
    };
    counts.into_iter().map(verdict).collect()
}

pub(super) fn operations(change: &Change<'_>) -> Vec<Operation> {
    let by = ["operation", "ruleset"];
    let (items, requests) = (change.counts(ITEMS, by, all), change.counts(REQUESTS, by, all));
    let refused = change.counts(REQUESTS, by, |labels| labels.get("result") != "ok");
    let lookup = Lookup::of(change);
    let operation = |key: Key<2>| {
        let is_this = |labels: &Labels| by.map(|name| labels.get(name)) == key.each_ref().map(String::as_str);
        Operation {
            items_per_second: lookup.at(&items, &key).per_second,
            requests_per_second: lookup.at(&requests, &key).per_second,
            refused_per_second: lookup.at(&refused, &key).per_second,
            verdicts: verdicts(change, is_this),
            operation: key[0].clone(),
            ruleset: key[1].clone(),
        }
    };
    keys([&items, &requests]).into_iter().map(operation).collect()
}

pub(super) fn in_flight(change: &Change<'_>) -> Option<InFlight> {
    let requests = change.gauge("outrigger_inflight_requests")?;
    let items = change.gauge("outrigger_inflight_items")?;
    Some(InFlight { requests, items, bytes: change.gauge("outrigger_inflight_bytes")? })
}

pub(super) fn waits(change: &Change<'_>) -> Vec<Wait> {
    let times = change.times("outrigger_queue_seconds", ["operation"]);
    times.into_iter().map(|([operation], times)| Wait { operation, times }).collect()
}

pub(super) fn batches(change: &Change<'_>) -> Vec<Batches> {
    let by = ["backend", "operation"];
    let mut compute = change.times(COMPUTE_SECONDS, by);
    let of_key = |(key, observed): (Key<2>, Option<crate::Histogram>)| Batches {
        batches_per_second: change.seconds().and_then(|seconds| Some(observed.as_ref()?.count() / seconds)),
        sizes: observed.as_ref().and_then(Sizes::of),
        compute: compute.remove(&key).flatten(),
        backend: key[0].clone(),
        operation: key[1].clone(),
    };
    change.observed(BATCH_ITEMS, by).into_iter().map(of_key).collect()
}

pub(super) fn backends(change: &Change<'_>) -> Vec<Backend> {
    let counts = |name| change.counts(name, ["backend"], all);
    let (items, chosen) = (counts(ITEMS), counts("outrigger_backend_choice_total"));
    let (fallback, hedged) = (counts("outrigger_fallback_items_total"), counts("outrigger_hedged_items_total"));
    let compute = change.times(COMPUTE_SECONDS, ["backend"]);
    let whole = change.sum(ITEMS, all).per_second;
    let lookup = Lookup::of(change);
    let backend = |key: Key<1>| {
        let items = lookup.at(&items, &key).per_second;
        let (fallback, hedged) = (lookup.at(&fallback, &key), lookup.at(&hedged, &key));
        let times = compute.get(&key).and_then(Option::as_ref);
        let computed = times.map_or(0.0, |times| times.mean_seconds * times.count_per_second);
        Backend {
            items_per_second: items,
            share_percent: percent(items, whole),
            batches_per_second: lookup.at(&chosen, &key).per_second,
            compute_seconds_per_second: change.seconds().map(|_| computed),
            fallback_items_per_second: fallback.per_second,
            fallback_items_total: fallback.total,
            hedged_items_per_second: hedged.per_second,
            hedged_items_total: hedged.total,
            backend: key[0].clone(),
        }
    };
    keys([&items, &chosen, &fallback, &hedged]).into_iter().map(backend).collect()
}

pub(super) fn devices(change: &Change<'_>) -> Vec<Device> {
    let by = ["backend", "device"];
    let batches = change.gauges("outrigger_device_batches", by);
    let workers = change.counts("outrigger_device_workers_total", ["backend", "device", "event"], all);
    let events = change.counts("outrigger_device_events_total", ["backend", "device", "event"], all);
    let time = change.counts("outrigger_device_microseconds_total", ["backend", "device", "part"], all);
    let bytes = change.counts("outrigger_device_bytes_total", ["backend", "device", "direction"], all);
    let counted = keys([&workers, &events, &time, &bytes]).into_iter().map(|[backend, device, _]| [backend, device]);
    let known: BTreeSet<_> = counted.chain(batches.keys().cloned()).collect();
    let lookup = Lookup::of(change);
    let device = |[backend, device]: Key<2>| {
        let of = |list, kind: &str| lookup.at(list, &[backend.clone(), device.clone(), kind.to_owned()]);
        let starts = of(&workers, "started").total;
        let is_here = |key: &Key<3>| key[0] == backend && key[1] == device;
        let happened = events.iter().filter(|(key, _)| is_here(key)).map(|([.., event], count)| Event {
            event: event.clone(),
            events_per_second: count.per_second,
            events_total: count.total,
        });
        Device {
            batches: batches.get(&[backend.clone(), device.clone()]).copied(),
            busy_queues: of(&time, "worked").per_second.map(|microseconds| microseconds / 1e6),
            bytes_in_per_second: of(&bytes, "in").per_second,
            bytes_out_per_second: of(&bytes, "out").per_second,
            worker_starts_total: starts,
            worker_restarts_total: (starts - 1.0).max(0.0),
            worker_failed_starts_total: of(&workers, "failed_to_start").total,
            worker_hangs_total: of(&workers, "hung").total,
            worker_deaths_total: of(&workers, "died").total,
            events: happened.collect(),
            backend,
            device,
        }
    };
    known.into_iter().map(device).collect()
}

fn is_failed(labels: &Labels) -> bool {
    labels.get("code") != "OK"
}

pub(super) fn calls(change: &Change<'_>) -> Vec<Call> {
    let calls = change.counts(RPC_REQUESTS, ["method"], all);
    let failed = change.counts(RPC_REQUESTS, ["method"], is_failed);
    let mut times = change.times("outrigger_rpc_seconds", ["method"]);
    let lookup = Lookup::of(change);
    let call = |(key, count): (Key<1>, Count)| Call {
        calls_per_second: count.per_second,
        failed_per_second: lookup.at(&failed, &key).per_second,
        times: times.remove(&key).flatten(),
        method: key[0].clone(),
    };
    calls.into_iter().map(call).collect()
}

pub(super) fn tenants(change: &Change<'_>) -> Vec<Tenant> {
    let calls = change.counts(RPC_REQUESTS, ["tenant"], all);
    let failed = change.counts(RPC_REQUESTS, ["tenant"], is_failed);
    let refused = change.counts(REJECTIONS, ["tenant"], all);
    let over_quota = change.counts(REJECTIONS, ["tenant"], |labels| labels.get("reason") == "tenant_quota");
    let lookup = Lookup::of(change);
    let tenant = |key: Key<1>| {
        let (refused, over_quota) = (lookup.at(&refused, &key), lookup.at(&over_quota, &key));
        Tenant {
            calls_per_second: lookup.at(&calls, &key).per_second,
            failed_per_second: lookup.at(&failed, &key).per_second,
            refused_per_second: refused.per_second,
            refused_total: refused.total,
            over_quota_per_second: over_quota.per_second,
            over_quota_total: over_quota.total,
            tenant: key[0].clone(),
        }
    };
    keys([&calls, &refused]).into_iter().map(tenant).collect()
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

pub(super) fn cache(change: &Change<'_>) -> Option<Cache> {
    let counts = change.counts("outrigger_cache_total", ["result"], all);
    if counts.is_empty() {
        return None;
    }
    let of = |result: &str| Lookup::of(change).at(&counts, &[result.to_owned()]).per_second;
    let (hits, misses, shared) = (of("hit"), of("miss"), of("shared"));
    let saved = [hits, shared].into_iter().sum::<Option<f64>>();
    let saved_percent = percent(saved, [saved, misses].into_iter().sum());
    Some(Cache { hits_per_second: hits, misses_per_second: misses, shared_per_second: shared, saved_percent })
}

pub(super) fn known_keys(change: &Change<'_>) -> Option<KnownKeys> {
    let looked_up = change.counts("outrigger_known_keys_total", ["result"], all);
    let tables = change.counts("outrigger_known_key_tables_total", ["event"], all);
    if looked_up.is_empty() && tables.is_empty() {
        return None;
    }
    let of = |list, kind: &str| Lookup::of(change).at(list, &[kind.to_owned()]);
    let (hits, misses) = (of(&looked_up, "hit").per_second, of(&looked_up, "miss").per_second);
    Some(KnownKeys {
        tables: change.gauge("outrigger_known_key_tables"),
        bytes: change.gauge("outrigger_known_key_bytes"),
        hits_per_second: hits,
        misses_per_second: misses,
        hits_percent: percent(hits, [hits, misses].into_iter().sum()),
        built_per_second: of(&tables, "built").per_second,
        evicted_per_second: of(&tables, "evicted").per_second,
        damaged_total: of(&tables, "damaged").total,
    })
}
