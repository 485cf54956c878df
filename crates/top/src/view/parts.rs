//! The parts of a view that the scheduler and the service report.

use crate::model::Labels;
use crate::view::change::{Change, Count, Key, Lookup, all, keys, percent};
use crate::view::{Backend, Batches, Cache, Call, InFlight, KnownKeys, Operation, Sizes, Verdict, Wait};

const ITEMS: &str = "outrigger_items_total";
const REQUESTS: &str = "outrigger_requests_total";
const REQUEST_SECONDS: &str = "outrigger_request_seconds";
const BATCH_ITEMS: &str = "outrigger_batch_items";
const COMPUTE_SECONDS: &str = "outrigger_compute_seconds";
pub(super) const RPC_REQUESTS: &str = "outrigger_rpc_requests_total";

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
    let mut times = change.times(REQUEST_SECONDS, by);
    let lookup = Lookup::of(change);
    let operation = |key: Key<2>| {
        let is_this = |labels: &Labels| by.map(|name| labels.get(name)) == key.each_ref().map(String::as_str);
        Operation {
            items_per_second: lookup.at(&items, &key).per_second,
            requests_per_second: lookup.at(&requests, &key).per_second,
            refused_per_second: lookup.at(&refused, &key).per_second,
            times: times.remove(&key).flatten(),
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

/// Whether a call ended otherwise than well.
pub(super) fn is_failed(labels: &Labels) -> bool {
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

pub(super) fn cache(change: &Change<'_>) -> Option<Cache> {
    let counts = change.counts("outrigger_cache_total", ["result"], all);
    let (entries, entries_limit) =
        (change.gauge("outrigger_cache_entries"), change.gauge("outrigger_cache_entries_limit"));
    if counts.is_empty() && entries.is_none() {
        return None;
    }
    let of = |result: &str| Lookup::of(change).at(&counts, &[result.to_owned()]).per_second;
    let (hits, misses, shared) = (of("hit"), of("miss"), of("shared"));
    let saved = [hits, shared].into_iter().sum::<Option<f64>>();
    let saved_percent = percent(saved, [saved, misses].into_iter().sum());
    Some(Cache {
        entries,
        entries_limit,
        hits_per_second: hits,
        misses_per_second: misses,
        shared_per_second: shared,
        saved_percent,
    })
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
