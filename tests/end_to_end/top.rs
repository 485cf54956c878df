//! `outrigger top` beside the pages that it reads: what it shows is what the sidecar says at that time.

use std::time::Instant;

use outrigger_client::CallOptions;
use outrigger_types::{HashAlgorithm, Ruleset, Verdict};
use serde_json::Value;

use crate::support::command::outrigger;
use crate::support::load::{Callers, Known, runtime};
use crate::support::sidecar::{Sidecar, until};
use crate::support::workload::{hashing, items};

/// Items of a request to hash.
const MESSAGES: usize = 4_000;
/// Different signatures: each is verified once and then found in the cache.
const SIGNATURES: usize = 256;

/// One tenant, of whoever runs the tests, with room for four such requests beside the part for consensus.
fn tenant(name: &str) -> String {
    let uid = rustix::process::geteuid().as_raw();
    format!(
        "[[tenants]]\nname = \"{name}\"\nuids = [{uid}]\ncalls = [\"verify\", \"hash\"]\nrulesets = [\"*\"]\n\
         priority_max = \"block\"\n[tenants.quota]\nrequests_max = 24\nitems_max = 30000\nbytes_max = \"64MiB\"\n\
         compute_max = \"4s\"\n"
    )
}

/// What is on a page of metrics, summed over the lines of a name that contain all of these labels.
fn sum(page: &str, name: &str, labels: &[&str]) -> f64 {
    lines(page, name).filter(|(rest, _)| labels.iter().all(|label| rest.contains(label))).map(|(_, value)| value).sum()
}

/// The labels and values of a name.
fn lines<'a>(page: &'a str, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
    page.lines().filter_map(move |line| {
        let rest = line.strip_prefix(name).filter(|rest| rest.starts_with(['{', ' ']))?;
        let (labels, value) = rest.rsplit_once(' ')?;
        Some((labels, value.parse().ok()?))
    })
}

fn metrics(sidecar: &Sidecar) -> String {
    sidecar.page("/metrics").1
}

/// What `outrigger top` says, and the pages just before and just after it.
fn seen(sidecar: &Sidecar) -> (String, Value, String) {
    let before = metrics(sidecar);
    let ran = outrigger(&["top", "--json", "--interval", "300ms", "--metrics", sidecar.admin()], "");
    (before, ran.json(), metrics(sidecar))
}

/// The one of a list whose fields have these values.
#[track_caller]
fn one<'a>(list: &'a Value, fields: &[(&str, &str)]) -> &'a Value {
    let is_it = |it: &&Value| fields.iter().all(|(name, value)| it[name] == *value);
    list.as_array().and_then(|list| list.iter().find(is_it)).unwrap_or_else(|| panic!("no {fields:?} in {list}"))
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Items that an operation has judged since the start, as top counts them.
fn judged(view: &Value, operation: &str, ruleset: &str) -> f64 {
    let operation = one(&view["operations"], &[("operation", operation), ("ruleset", ruleset)]);
    operation["verdicts"].as_array().expect("a list").iter().map(|verdict| number(&verdict["items_total"])).sum()
}

/// Whether hashes were answered and timed in the interval, and requests of the tenant were in flight at its end.
fn has_work(view: &Value) -> bool {
    let hash = one(&view["operations"], &[("operation", "hash")]);
    let node = one(&view["tenants"], &[("tenant", "node")]);
    let (requests, items) = (&node["requests"]["in_flight"], &node["items"]["in_flight"]);
    let times = &hash["times"];
    let figures = [&hash["items_per_second"], &times["count_per_second"], &times["mean_seconds"]];
    let figures = figures.into_iter().chain([&node["calls_per_second"], requests, items]);
    // Where no request ended in the interval, there are no times.
    figures.map(Value::as_f64).all(|figure| figure.is_some_and(|figure| figure > 0.0))
}

/// What must hold at any time: a count that only rises lies between those of the pages around it.
fn check_under_load((before, view, after): &(String, Value, String)) {
    for (operation, ruleset) in [("verify", "fabric"), ("hash", "keccak256")] {
        let labels = [format!("operation=\"{operation}\""), format!("ruleset=\"{ruleset}\"")];
        let on = |page: &str| sum(page, "outrigger_items_total", &[&labels[0], &labels[1]]);
        let total = judged(view, operation, ruleset);
        assert!((on(before)..=on(after)).contains(&total), "{ruleset}: {} {total} {}", on(before), on(after));
        let rate = number(&one(&view["operations"], &[("operation", operation)])["items_per_second"]);
        let in_interval = rate * number(&view["interval_seconds"]);
        assert!(in_interval <= on(after) - on(before) + 1e-3, "{ruleset}: {in_interval} items in the interval");
    }
    let node = one(&view["tenants"], &[("tenant", "node")]);
    for (what, limit) in
        [("requests", 24.0), ("items", 30_000.0), ("bytes", 64.0 * 1_048_576.0), ("compute_seconds", 4.0)]
    {
        let name = format!("outrigger_tenant_{what}_in_flight_limit");
        assert_eq!(sum(after, &name, &["tenant=\"node\""]), limit, "{what}");
        assert_eq!(number(&node[what]["limit"]), limit, "{what}");
        let held = number(&node[what]["in_flight"]);
        assert!((0.0..=limit).contains(&held), "{what}: {held}");
        let used = number(&node[what]["used_percent"]);
        assert!((used - 100.0 * held / limit).abs() < 1e-9, "{what}: {held} of {limit} is {used} %");
    }
}

/// What must hold when nothing happens: every figure is that of the pages around it, which are the same.
fn check_at_rest((before, view, after): &(String, Value, String)) {
    for (operation, ruleset) in [("verify", "fabric"), ("hash", "keccak256")] {
        let labels = [format!("operation=\"{operation}\""), format!("ruleset=\"{ruleset}\"")];
        let on = |page: &str| sum(page, "outrigger_items_total", &[&labels[0], &labels[1]]);
        assert_eq!((on(before), judged(view, operation, ruleset)), (on(after), on(after)), "{ruleset}");
        let now = one(&view["operations"], &[("operation", operation), ("ruleset", ruleset)]);
        assert_eq!((number(&now["items_per_second"]), &now["times"]), (0.0, &Value::Null), "{now}");
    }
    for verdict in view["verdicts"].as_array().expect("a list") {
        let label = format!("verdict={}", verdict["verdict"]);
        assert_eq!(number(&verdict["items_total"]), sum(after, "outrigger_items_total", &[&label]), "{label}");
    }
    let node = one(&view["tenants"], &[("tenant", "node")]);
    assert_eq!(number(&node["refused_total"]), sum(after, "outrigger_rejections_total", &["tenant=\"node\""]));
    assert!(number(&node["refused_total"]) >= 1.0, "{node}");
    for what in ["requests", "items", "bytes", "compute_seconds"] {
        let name = format!("outrigger_tenant_{what}_in_flight");
        assert_eq!((number(&node[what]["in_flight"]), sum(after, &name, &["tenant=\"node\""])), (0.0, 0.0), "{what}");
    }
    check_engines(before, view, after);
    let cache = &view["cache"];
    let entries = sum(after, "outrigger_cache_entries", &[]);
    assert_eq!((number(&cache["entries"]), entries), (SIGNATURES as f64, SIGNATURES as f64), "each verdict once");
    assert_eq!(number(&cache["entries_limit"]), sum(after, "outrigger_cache_entries_limit", &[]));
}

/// As many engines as the page has, each with its figures; and without devices, no figure of one.
fn check_engines(before: &str, view: &Value, page: &str) {
    let engines = view["engines"].as_array().expect("a list");
    assert_eq!(engines.len(), lines(page, "outrigger_engine_healthy").count());
    assert!(engines.iter().any(|engine| engine["backend"] == "cpu"), "{engines:?}");
    for engine in engines {
        let labels = [format!("backend={}", engine["backend"]), format!("device={}", engine["device"])];
        let on = |page: &str, name: &str| sum(page, name, &[&labels[0], &labels[1]]);
        let healthy = on(page, "outrigger_engine_healthy");
        assert_eq!((&engine["healthy"], healthy), (&Value::Bool(true), 1.0), "{engine}");
        // Lanes are tried out beside the work, and do more from one page to the next.
        let operations = on(before, "outrigger_engine_operations")..=on(page, "outrigger_engine_operations");
        assert!(operations.contains(&number(&engine["operations"])), "{operations:?}: {engine}");
        assert_eq!((number(&engine["waiting_items"]), number(&engine["running_items"])), (0.0, 0.0), "{engine}");
    }
    assert_eq!((&view["devices"], lines(page, "outrigger_device_state").count()), (&Value::Array(Vec::new()), 0));
}

#[test]
fn top_says_what_the_metrics_say_at_that_time() {
    let begun = Instant::now();
    let sidecar = Sidecar::start_with(&format!("[scheduler]\ncache_entries = 100000\n{}", tenant("node")));
    let runtime = runtime();
    let client = runtime.block_on(sidecar.client());
    let hashes = Known {
        work: hashing(HashAlgorithm::Keccak256, MESSAGES, 256),
        expected: vec![Verdict::Valid; MESSAGES].into(),
    };
    let signatures = Known::new(Ruleset::Fabric, &items(Ruleset::Fabric, SIGNATURES, 5, 31));
    let too_many = client.run(hashing(HashAlgorithm::Keccak256, 25_000, 8), CallOptions::default());
    runtime.block_on(too_many).expect_err("more than the quota without what is kept for consensus");
    // Alone, so that each signature is verified once.
    let first = runtime.block_on(client.run(signatures.work.clone(), CallOptions::default())).expect("verdicts");
    assert_eq!(first.output.verdicts[..], signatures.expected[..]);

    let callers = Callers::start(&runtime, &client, 4, &[hashes, signatures]);
    until("top sees requests of the tenant in flight", || {
        let seen = seen(&sidecar);
        if sum(&seen.0, "outrigger_items_total", &["operation=\"hash\""]) == 0.0 {
            return None;
        }
        check_under_load(&seen);
        has_work(&seen.1).then_some(())
    });
    let done = callers.finish(&runtime);
    assert_eq!((done.wrong, done.refusals()), (0, 0), "{done:?}");
    sidecar.wait_until_idle();

    let at_rest = seen(&sidecar);
    check_at_rest(&at_rest);
    let (before, view, after) = at_rest;
    let start = sum(&before, "outrigger_start_time_seconds", &[]);
    assert_eq!(start, sum(&after, "outrigger_start_time_seconds", &[]), "it was started once");
    let uptime = number(&view["uptime_seconds"]);
    assert!((uptime - (number(&view["unix_seconds"]) - start)).abs() < 1e-3, "{uptime}");
    assert!(uptime > 0.0 && uptime <= begun.elapsed().as_secs_f64(), "{uptime}");

    let text = outrigger(&["top", "--once", "--interval", "100ms", "--metrics", sidecar.admin()], "").stdout;
    for words in ["  up ", "Engines now, items", "Tenants now, in flight of their quota", "0 / 30,000"] {
        assert!(text.contains(words), "{words:?} is missing:\n{text}");
    }
}

/// Callers of a sidecar without tenants are one tenant, by the same name in all figures; after a reload that names
/// tenants it stands at nothing.
#[test]
fn local_callers_are_a_tenant_with_a_quota() {
    let sidecar = Sidecar::start();
    let runtime = runtime();
    let client = runtime.block_on(sidecar.client());
    let work = hashing(HashAlgorithm::Sha256, 10, 8);
    runtime.block_on(client.run(work, CallOptions::default())).expect("digests");
    let (_, view, after) = seen(&sidecar);
    let tenants: Vec<_> = view["tenants"].as_array().expect("a list").iter().map(|it| &it["tenant"]).collect();
    assert_eq!(tenants, ["local"], "{view}");
    let limit = |page: &str, label| sum(page, "outrigger_tenant_items_in_flight_limit", &[label]);
    let local = one(&view["tenants"], &[("tenant", "local")]);
    assert_eq!(number(&local["items"]["limit"]), limit(&after, "tenant=\"local\""));
    assert!(limit(&after, "tenant=\"local\"") > 0.0);
    sidecar.configure(&tenant("node"));
    assert!(sidecar.reload().contains("configuration reloaded"));
    let page = metrics(&sidecar);
    assert_eq!((limit(&page, "tenant=\"local\""), limit(&page, "tenant=\"node\"")), (0.0, 30_000.0));
}
