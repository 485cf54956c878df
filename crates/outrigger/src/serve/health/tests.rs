use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use outrigger_scheduler::{CoreEngine, CoreOptions, EngineStats, Request, Scheduler};
use outrigger_types::{
    Backend, ColumnBuf, Engine, HashAlgorithm, HashWork, Priority, Quota, Ruleset, SchedulerOptions, TenantPolicy, Work,
};

use super::{describe, operations, refresh, show};

/// The value of a series on a page.
#[track_caller]
fn value(page: &PrometheusHandle, series: &str) -> f64 {
    let text = page.render();
    let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let found = found.unwrap_or_else(|| panic!("{series} is not in {text}"));
    found.parse().expect("a number")
}

/// What is on the page stands there under the labels that dashboards and alerts ask for.
#[test]
fn gauges_say_how_an_engine_stands() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let page = recorder.handle();
    let stats = |healthy| EngineStats {
        backend: Backend::Opencl,
        device: "a card".to_owned(),
        healthy,
        waiting_items: 7,
        waiting_compute: Duration::from_millis(250),
        running_jobs: 1,
        running_items: 64,
        costs: Vec::new(),
    };
    metrics::with_local_recorder(&recorder, || {
        describe();
        show(&stats(true), 22);
        show(&stats(false), 0);
    });
    let text = page.render();
    let labels = "{backend=\"opencl\",device=\"a card\"}";
    for line in [
        format!("outrigger_engine_healthy{labels} 0"),
        format!("outrigger_engine_operations{labels} 0"),
        format!("outrigger_engine_waiting_items{labels} 7"),
        format!("outrigger_engine_waiting_seconds{labels} 0.25"),
        format!("outrigger_engine_running_items{labels} 64"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
}

#[test]
fn plain_cores_do_everything() {
    let cores = CoreEngine::new(CoreOptions::default());
    assert_eq!(operations(&cores), Ruleset::ALL.len() + HashAlgorithm::ALL.len());
}

#[test]
fn the_start_is_told_once() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let page = recorder.handle();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
    let before = now();
    metrics::with_local_recorder(&recorder, describe);
    let start = value(&page, "outrigger_start_time_seconds");
    assert!((before..=now()).contains(&start), "{start}");
}

/// Before each page: who holds what of its quota, what the cache keeps, how the engines are; and how long requests took.
#[test]
fn a_page_says_how_the_scheduler_stands() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let page = recorder.handle();
    let quota =
        Quota { requests_max: 24, items_max: 3_000, bytes_max: 1 << 20, compute_max: Duration::from_millis(1_500) };
    let tenants = vec![TenantPolicy { quota, ..TenantPolicy::unrestricted("peer0") }];
    let options = SchedulerOptions { tenants, cache_entries: 1_000, ..SchedulerOptions::default() };
    let cores = Arc::new(CoreEngine::new(CoreOptions::default()));
    let scheduler = Scheduler::new(options, vec![cores.clone()]);
    let messages = ColumnBuf::from_items(&[b"one".as_slice(), b"two"]);
    let request = Request {
        work: Arc::new(Work::Hash(HashWork { algorithm: HashAlgorithm::Sha256, messages })),
        tenant: "peer0".into(),
        priority: Priority::Block,
        deadline: None,
        backend: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    metrics::with_local_recorder(&recorder, || {
        describe();
        runtime.block_on(scheduler.submit(request)).expect("digests");
        refresh(&scheduler, &[])();
    });
    for (series, expected) in [
        ("outrigger_tenant_requests_in_flight{tenant=\"peer0\"}", 0.0),
        ("outrigger_tenant_requests_in_flight_limit{tenant=\"peer0\"}", 24.0),
        ("outrigger_tenant_items_in_flight{tenant=\"peer0\"}", 0.0),
        ("outrigger_tenant_items_in_flight_limit{tenant=\"peer0\"}", 3_000.0),
        ("outrigger_tenant_bytes_in_flight{tenant=\"peer0\"}", 0.0),
        ("outrigger_tenant_bytes_in_flight_limit{tenant=\"peer0\"}", 1_048_576.0),
        ("outrigger_tenant_compute_seconds_in_flight{tenant=\"peer0\"}", 0.0),
        ("outrigger_tenant_compute_seconds_in_flight_limit{tenant=\"peer0\"}", 1.5),
        ("outrigger_cache_entries", 0.0),
        ("outrigger_cache_entries_limit", 1_024.0),
        ("outrigger_request_seconds_count{operation=\"hash\",ruleset=\"sha256\"}", 1.0),
    ] {
        assert_eq!(value(&page, series), expected, "{series}");
    }
    let healthy = format!("outrigger_engine_healthy{{backend=\"cpu\",device=\"{}\"}}", cores.device());
    assert_eq!(value(&page, &healthy), 1.0);
    assert!(!page.render().contains("outrigger_device_state"), "there is no device");
}
