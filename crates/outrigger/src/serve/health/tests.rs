use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use outrigger_scheduler::{CoreEngine, CoreOptions, EngineStats};
use outrigger_types::{Backend, HashAlgorithm, Ruleset};

use super::{describe, operations, show};

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
