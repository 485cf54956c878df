use std::time::Duration;

use serde_json::Value;

use super::{Continuity, Moment, Operation, View};
use crate::Snapshot;

mod standing;

pub(crate) use standing::standing;

/// Pages of a real sidecar: see vectors/README.md.
const EARLIER: &str = include_str!("../vectors/earlier.txt");
const LATER: &str = include_str!("../vectors/later.txt");

/// What a device of theirs is called.
const POCL: &str = "pthread-skylake-avx512-Intel(R) Xeon(R) Processor #0";

pub(crate) fn moment() -> Moment {
    Moment {
        source: "http://127.0.0.1:9464/metrics".to_owned(),
        version: Some("0.1.0".to_owned()),
        ready: Some(true),
        unix_seconds: 1_795_354_000.0,
        continuity: Continuity::Continued,
    }
}

fn parse(text: &str) -> Snapshot {
    Snapshot::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn view(before: &str, now: &str, seconds: f64) -> View {
    View::of(moment(), &parse(now), Some((&parse(before), Duration::from_secs_f64(seconds))))
}

/// What the real sidecar did in twenty seconds.
pub(crate) fn real() -> View {
    view(EARLIER, LATER, 20.0)
}

/// What is counted on a page, by searching its lines: those that begin with `name` and contain all of `with`.
fn counted(page: &str, name: &str, with: &[&str]) -> f64 {
    let lines = page.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
    let lines = lines.filter(|line| with.iter().all(|part| line.contains(part)));
    lines.map(|line| line.rsplit(' ').next().expect("a value").parse::<f64>().expect("a number")).sum()
}

/// The same per second between the two real pages.
fn rate(name: &str, with: &[&str]) -> Option<f64> {
    Some((counted(LATER, name, with) - counted(EARLIER, name, with)) / 20.0)
}

#[track_caller]
fn same(found: Option<f64>, expected: Option<f64>) {
    let (found, expected) = (found.expect("a figure"), expected.expect("an expectation"));
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} is not {expected}");
}

#[test]
fn sums_are_those_of_the_pages() {
    let view = real();
    assert_eq!(view.interval_seconds, Some(20.0));
    same(view.items_per_second, rate("outrigger_items_total", &[]));
    same(view.items_per_second, Some(500.0 / 20.0));
    same(view.requests_per_second, rate("outrigger_requests_total", &[]));
    same(view.refused_per_second, Some(0.0));
    let held = view.in_flight.expect("gauges");
    assert_eq!((held.requests, held.items, held.bytes), (0.0, 0.0, 0.0));
}

#[test]
fn operations_and_verdicts_are_those_of_the_pages() {
    let view = real();
    let names: Vec<_> = view.operations.iter().map(|it| (it.operation.as_str(), it.ruleset.as_str())).collect();
    assert_eq!(names, [("hash", "keccak256"), ("verify", "fabric")]);
    let hash: &Operation = &view.operations[0];
    same(hash.items_per_second, Some(25.0));
    same(hash.requests_per_second, Some(1.0 / 20.0));
    assert_eq!(hash.verdicts.iter().find(|it| it.verdict == "valid").expect("valid").share_percent, Some(100.0));
    let verify = &view.operations[1];
    same(verify.items_per_second, Some(0.0));
    same(verify.requests_per_second, Some(4.0 / 20.0));
    assert!(verify.verdicts.iter().all(|it| it.share_percent.is_none()), "shares of nothing are none");
    let totals: Vec<_> = view.verdicts.iter().map(|it| (it.verdict.as_str(), it.items_total)).collect();
    assert_eq!(totals, [("invalid", 4.0), ("malformed", 4.0), ("unprocessed", 0.0), ("valid", 1_192.0)]);
}

#[test]
fn batches_and_backends_are_those_of_the_pages() {
    let view = real();
    let batches = view.batches.iter().find(|it| (&*it.backend, &*it.operation) == ("cpu", "hash")).expect("hashes");
    same(batches.batches_per_second, Some(1.0 / 20.0));
    let sizes = batches.sizes.as_ref().expect("one batch");
    assert_eq!(sizes.mean_items, 500.0);
    // One batch of 500 is in the bucket from 256 to 1,024: half of it is at its middle.
    assert_eq!(sizes.p50_items, Some(640.0));
    let compute = batches.compute.as_ref().expect("one batch");
    same(Some(compute.mean_seconds), Some(0.00089256 - 0.000427754));
    let idle = view.batches.iter().find(|it| (&*it.backend, &*it.operation) == ("vector", "verify")).expect("lanes");
    assert!(idle.sizes.is_none() && idle.compute.is_none(), "no batch in the interval");
    same(idle.batches_per_second, Some(0.0));
    let names: Vec<_> = view.backends.iter().map(|it| it.backend.as_str()).collect();
    assert_eq!(names, ["cpu", "vector"]);
    let cpu = &view.backends[0];
    same(cpu.items_per_second, Some(25.0));
    same(cpu.share_percent, Some(100.0));
    same(cpu.batches_per_second, rate("outrigger_backend_choice_total", &["\"cpu\""]));
    same(cpu.compute_seconds_per_second, rate("outrigger_compute_seconds_sum", &["\"cpu\""]));
    assert_eq!((cpu.fallback_items_total, cpu.hedged_items_total), (0.0, 0.0), "never counted is 0");
}

#[test]
fn devices_are_those_of_the_pages() {
    let view = real();
    let [device] = &view.devices[..] else { panic!("{:?}", view.devices) };
    assert_eq!((device.backend.as_str(), device.device.as_str()), ("opencl", POCL));
    assert_eq!(
        (device.batches, device.worker_starts_total, device.worker_restarts_total),
        (Some(1.0), Some(1.0), Some(0.0))
    );
    same(device.busy_queues, rate("outrigger_device_microseconds_total", &["\"worked\""]).map(|it| it / 1e6));
    same(device.bytes_in_per_second, rate("outrigger_device_bytes_total", &["\"in\""]));
    same(device.bytes_out_per_second, rate("outrigger_device_bytes_total", &["\"out\""]));
    assert!(device.events.is_empty());
}

#[test]
fn calls_and_tenants_are_those_of_the_pages() {
    let view = real();
    let call = |method: &str| view.calls.iter().find(|it| it.method == method).expect(method);
    let verify = call("SignatureService/VerifyBatch");
    same(verify.calls_per_second, rate("outrigger_rpc_requests_total", &["VerifyBatch"]));
    same(verify.failed_per_second, Some(0.0));
    let times = verify.times.as_ref().expect("calls ended");
    same(Some(times.count_per_second), verify.calls_per_second);
    let spent = rate("outrigger_rpc_seconds_sum", &["VerifyBatch"]).expect("a rate");
    same(Some(times.mean_seconds), Some(spent / times.count_per_second));
    let prove = call("ProofService/Prove").times.as_ref().expect("a proof ended");
    assert_eq!((prove.p50_seconds, prove.p99_seconds, prove.known_up_to_seconds), (None, None, 2.0), "it took 16 s");
    let [tenant] = &view.tenants[..] else { panic!("{:?}", view.tenants) };
    assert_eq!((tenant.tenant.as_str(), tenant.refused_total, tenant.over_quota_total), ("peer0", 2.0, 0.0));
    same(tenant.calls_per_second, rate("outrigger_rpc_requests_total", &[]));
    let refusals: Vec<_> = view.refusals.iter().map(|it| (it.reason.as_str(), it.refused_total)).collect();
    assert_eq!(refusals, [("backend_unavailable", 1.0), ("too_large", 1.0)]);
}

#[test]
fn proofs_caches_and_keys_are_those_of_the_pages() {
    let view = real();
    let proving = view.proving.expect("proofs");
    assert_eq!((proving.queued, proving.running, proving.secret_bytes), (Some(0.0), Some(0.0), Some(0.0)));
    same(proving.proofs_per_second, Some(1.0 / 20.0));
    assert_eq!((proving.proofs_total, proving.repeated_total), (1.0, 0.0));
    same(proving.times.map(|times| times.mean_seconds), Some(15.81566271));
    same(proving.waits.map(|times| times.mean_seconds), Some(0.000118282));
    let stages: Vec<_> = proving.stages.iter().map(|it| it.stage.as_str()).collect();
    assert_eq!(stages, ["msm_g1", "msm_g2", "ntt", "sparse_product", "verify", "witness"]);
    same(proving.stages[0].times.as_ref().map(|times| times.mean_seconds), Some(8.265882649));
    let cpu = proving.engines.iter().find(|it| it.engine == "cpu").expect("the engine of plain cores");
    assert_eq!((cpu.begun_total, cpu.units[0].curve.as_str()), (1.0, "bn254"));
    assert_eq!(cpu.units[0].unit_seconds, 0.000013319092609890752);
    let cache = view.cache.expect("a cache");
    same(cache.hits_per_second, rate("outrigger_cache_total", &["\"hit\""]));
    same(cache.saved_percent, Some(100.0));
    let keys = view.known_keys.expect("tables");
    assert_eq!((keys.tables, keys.bytes, keys.damaged_total), (Some(1.0), Some(262_240.0), 0.0));
    same(keys.misses_per_second, rate("outrigger_known_keys_total", &["\"miss\""]));
}

#[test]
fn one_page_has_states_and_totals_and_no_rates() {
    let view = View::of(moment(), &parse(LATER), None);
    assert_eq!((view.interval_seconds, view.items_per_second, view.refused_per_second), (None, None, None));
    assert!(view.calls.iter().all(|it| it.calls_per_second.is_none() && it.times.is_none()));
    assert!(view.backends.iter().all(|it| it.compute_seconds_per_second.is_none()));
    assert_eq!(view.proving.expect("proofs").proofs_total, 1.0);
    assert!(view.in_flight.is_some());
}

/// A series appears with its first count: it was at 0 before.
#[test]
fn a_series_that_is_new_was_at_nothing() {
    let now = "# TYPE outrigger_fallback_items_total counter\noutrigger_fallback_items_total{backend=\"opencl\"} 30\n\
               # TYPE outrigger_hedged_items_total counter\noutrigger_hedged_items_total{backend=\"opencl\"} 8\n\
               # TYPE outrigger_rpc_seconds histogram\noutrigger_rpc_seconds_bucket{method=\"A/B\",le=\"1\"} 2\n\
               outrigger_rpc_seconds_bucket{method=\"A/B\",le=\"+Inf\"} 2\noutrigger_rpc_seconds_sum{method=\"A/B\"} 1\n\
               outrigger_rpc_seconds_count{method=\"A/B\"} 2\n# TYPE outrigger_rpc_requests_total counter\n\
               outrigger_rpc_requests_total{method=\"A/B\",tenant=\"t\",code=\"OK\"} 2\n";
    let view = view("", now, 2.0);
    let [opencl] = &view.backends[..] else { panic!("{:?}", view.backends) };
    assert_eq!((opencl.fallback_items_per_second, opencl.fallback_items_total), (Some(15.0), 30.0));
    assert_eq!((opencl.hedged_items_per_second, opencl.hedged_items_total), (Some(4.0), 8.0));
    let times = view.calls[0].times.as_ref().expect("two calls");
    assert_eq!((times.count_per_second, times.mean_seconds, times.p50_seconds), (1.0, 0.5, Some(0.5)));
}

#[test]
fn what_is_not_reported_is_left_out() {
    let view = view("", "", 1.0);
    assert_eq!((view.items_per_second, view.requests_per_second), (Some(0.0), Some(0.0)));
    assert!(
        view.operations.is_empty() && view.devices.is_empty() && view.tenants.is_empty() && view.batches.is_empty()
    );
    assert!(view.in_flight.is_none() && view.proving.is_none() && view.cache.is_none() && view.known_keys.is_none());
}

/// What goes wrong: workers that came up again, a device out of memory, tenants over their quota.
#[test]
fn trouble_is_counted_where_it_belongs() {
    let page = |starts: u32, full: u32, quota: u32| {
        format!(
            "# TYPE outrigger_device_workers_total counter\n\
             outrigger_device_workers_total{{backend=\"cuda\",device=\"A\",event=\"started\"}} {starts}\n\
             outrigger_device_workers_total{{backend=\"cuda\",device=\"A\",event=\"hung\"}} 1\n\
             outrigger_device_workers_total{{backend=\"cuda\",device=\"B\",event=\"died\"}} 2\n\
             # TYPE outrigger_device_events_total counter\n\
             outrigger_device_events_total{{backend=\"cuda\",device=\"A\",event=\"out_of_memory\"}} {full}\n\
             # TYPE outrigger_rejections_total counter\n\
             outrigger_rejections_total{{reason=\"tenant_quota\",tenant=\"t\"}} {quota}\n\
             outrigger_rejections_total{{reason=\"overloaded\",tenant=\"t\"}} 5\n\
             # TYPE outrigger_proofs_repeated_total counter\noutrigger_proofs_repeated_total {quota}\n\
             # TYPE outrigger_proofs_queued gauge\noutrigger_proofs_queued 3\n"
        )
    };
    let view = view(&page(1, 1, 10), &page(3, 4, 40), 10.0);
    let [a, b] = &view.devices[..] else { panic!("{:?}", view.devices) };
    assert_eq!(
        (a.worker_starts_total, a.worker_restarts_total, a.worker_hangs_total),
        (Some(3.0), Some(2.0), Some(1.0))
    );
    assert_eq!((a.events[0].events_per_second, a.events[0].events_total), (Some(0.3), 4.0));
    assert_eq!((b.worker_restarts_total, b.worker_deaths_total, b.batches), (Some(0.0), Some(2.0), None));
    let [tenant] = &view.tenants[..] else { panic!("{:?}", view.tenants) };
    assert_eq!((tenant.refused_per_second, tenant.refused_total), (Some(3.0), 45.0));
    assert_eq!((tenant.over_quota_per_second, tenant.over_quota_total), (Some(3.0), 40.0));
    let proving = view.proving.expect("jobs wait");
    assert_eq!((proving.queued, proving.repeated_per_second), (Some(3.0), Some(3.0)));
}

#[test]
fn json_has_units_in_its_names() {
    // A number whose name has no unit is a count of what its name says, or of what the name around it says.
    let counts =
        ["requests", "items", "batches", "queued", "running", "tables", "busy_queues", "operations", "entries"];
    let of_what_is_around = ["in_flight", "limit"];
    let units = ["_per_second", "_seconds", "_percent", "_total", "_items", "_bytes", "bytes", "_limit"];
    let has_unit = |name: &str| {
        counts.contains(&name) || of_what_is_around.contains(&name) || units.iter().any(|unit| name.ends_with(unit))
    };
    check_names(&serde_json::to_value(standing()).expect("plain data"), &has_unit);
    let json = serde_json::to_value(real()).expect("plain data");
    check_names(&json, &has_unit);
    assert_eq!(json["source"], "http://127.0.0.1:9464/metrics");
    assert_eq!((&json["version"], &json["ready"]), (&Value::from("0.1.0"), &Value::Bool(true)));
    assert_eq!((&json["continuity"], &json["interval_seconds"]), (&Value::from("continued"), &Value::from(20.0)));
    assert_eq!(json["items_per_second"], 25.0);
    assert_eq!(json["devices"][0]["device"], POCL);
    assert_eq!(json["proving"]["proofs_total"], 1.0);
}

fn check_names(json: &Value, has_unit: &dyn Fn(&str) -> bool) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                assert!(!value.is_number() || has_unit(name), "{name} has no unit");
                check_names(value, has_unit);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| check_names(value, has_unit)),
        _ => {}
    }
}
