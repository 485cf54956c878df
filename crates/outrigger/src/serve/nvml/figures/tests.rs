use std::collections::VecDeque;
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::{Gpu, Gpus, Memory, Reading, Recorder, XID_LINE_INTERVAL, Xid, describe};

/// Bytes of a GiB.
const GIB: f64 = 1_073_741_824.0;
const LABELS: &str = "device=\"NVIDIA H200 #0\",uuid=\"GPU-1\"";

fn gpu(number: u32) -> Gpu {
    Gpu { device: format!("NVIDIA H200 #{number}"), uuid: format!("GPU-{}", number + 1) }
}

fn reading(temperature: u32, ecc: [u64; 2]) -> Reading {
    Reading {
        temperature_celsius: Some(temperature),
        memory: Some(Memory { used: 3 << 30, total: 141 << 30 }),
        busy_percent: Some(87),
        ecc_corrected: Some(ecc[0]),
        ecc_uncorrected: Some(ecc[1]),
    }
}

/// Metrics of a test's own, and their page.
struct Page(PrometheusRecorder, PrometheusHandle);

impl Page {
    fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let page = Self(recorder, handle);
        page.within(describe);
        page
    }

    fn within<T>(&self, act: impl FnOnce() -> T) -> T {
        metrics::with_local_recorder(&self.0, act)
    }

    /// The value of the series with exactly these labels; none where it is not on the page.
    fn value(&self, name: &str, labels: &str) -> Option<f64> {
        let page = self.1.render();
        let start = format!("{name}{{{labels}}} ");
        let value = page.lines().find_map(|line| line.strip_prefix(&start))?;
        Some(value.parse().expect("a number"))
    }

    fn ecc(&self, kind: &str) -> Option<f64> {
        self.value("outrigger_gpu_ecc_errors_total", &format!("{LABELS},kind=\"{kind}\""))
    }
}

#[test]
fn figures_stand_under_the_labels_that_alerts_ask_for() {
    let page = Page::new();
    let mut recorder = Recorder::default();
    page.within(|| recorder.record(&[(gpu(0), reading(64, [5, 0])), (gpu(1), reading(50, [0, 0]))]));
    let expected = [
        ("outrigger_gpu_temperature_celsius", 64.0),
        ("outrigger_gpu_memory_used_bytes", 3.0 * GIB),
        ("outrigger_gpu_memory_total_bytes", 141.0 * GIB),
        ("outrigger_gpu_utilisation_ratio", 0.87),
        ("outrigger_gpu_readings_total", 1.0),
    ];
    for (name, value) in expected {
        assert_eq!(page.value(name, LABELS), Some(value), "{name}");
    }
    assert_eq!((page.ecc("corrected"), page.ecc("uncorrected")), (Some(5.0), Some(0.0)));
    let other = "device=\"NVIDIA H200 #1\",uuid=\"GPU-2\"";
    assert_eq!(page.value("outrigger_gpu_temperature_celsius", other), Some(50.0));
}

/// 5, 7, then 2 of a count that has begun again, 2 still, 3: ten errors in all. A counter that went back would be a fault
/// of ours, and one that followed the driver's by its highest value alone would hide the three.
#[test]
fn counts_that_begin_again_go_on_here() {
    let page = Page::new();
    let mut recorder = Recorder::default();
    let mut shown = Vec::new();
    for count in [5, 7, 2, 2, 3] {
        page.within(|| recorder.record(&[(gpu(0), reading(64, [count, 0]))]));
        shown.push(page.ecc("corrected").expect("a count"));
    }
    assert_eq!(shown, [5.0, 7.0, 9.0, 9.0, 10.0]);
}

#[test]
fn a_gpu_that_vanishes_shows_no_old_figures() {
    let page = Page::new();
    let mut recorder = Recorder::default();
    let temperature = || page.value("outrigger_gpu_temperature_celsius", LABELS).expect("a series");
    page.within(|| recorder.record(&[(gpu(0), reading(64, [4, 1])), (gpu(1), reading(50, [0, 0]))]));
    // Gone from the driver's list, or there and lost: the same.
    for readings in [vec![(gpu(1), reading(51, [0, 0]))], vec![(gpu(0), Reading::default())]] {
        page.within(|| recorder.record(&readings));
        assert!(temperature().is_nan(), "{}", temperature());
        assert_eq!(page.ecc("uncorrected"), Some(1.0), "what was counted stays");
        assert_eq!(page.value("outrigger_gpu_readings_total", LABELS), Some(1.0), "it stands still");
    }
    // After a reset, with counts that begin again.
    page.within(|| recorder.record(&[(gpu(0), reading(40, [0, 0]))]));
    assert_eq!((temperature(), page.ecc("uncorrected")), (40.0, Some(1.0)));
    assert_eq!(page.value("outrigger_gpu_readings_total", LABELS), Some(2.0));
}

#[test]
fn what_a_model_does_not_know_has_no_series() {
    let page = Page::new();
    let mut recorder = Recorder::default();
    let passive = Reading { temperature_celsius: Some(30), ..Reading::default() };
    page.within(|| recorder.record(&[(gpu(0), passive)]));
    assert_eq!(page.value("outrigger_gpu_temperature_celsius", LABELS), Some(30.0));
    assert_eq!(page.value("outrigger_gpu_utilisation_ratio", LABELS), None);
    assert_eq!((page.value("outrigger_gpu_memory_used_bytes", LABELS), page.ecc("corrected")), (None, None));
}

/// A driver whose Xids come at once, and which says nothing then.
struct Fake {
    readings: usize,
    xids: VecDeque<Xid>,
}

impl Gpus for Fake {
    fn read(&mut self) -> Vec<(Gpu, Reading)> {
        self.readings += 1;
        vec![(gpu(0), reading(60, [0, 0]))]
    }

    fn wait(&mut self, time: Duration) -> Option<Xid> {
        let xid = self.xids.pop_front();
        if xid.is_none() {
            std::thread::sleep(time);
        }
        xid
    }
}

#[test]
fn a_round_reads_once_and_takes_every_xid() {
    let page = Page::new();
    let mut recorder = Recorder::default();
    let of_gpu = |number| Xid { gpu: Some(gpu(0)), number };
    let xids = [of_gpu(79), of_gpu(48), of_gpu(79), Xid { gpu: None, number: 999 }];
    let mut fake = Fake { readings: 0, xids: xids.into() };
    let began = Instant::now();
    page.within(|| recorder.round(&mut fake, Duration::from_millis(50)));
    assert!(began.elapsed() >= Duration::from_millis(50), "a round has its time");
    assert_eq!((fake.readings, fake.xids.len()), (1, 0));
    let count = |labels: &str| page.value("outrigger_gpu_xid_events_total", labels);
    assert_eq!(count(&format!("{LABELS},xid=\"79\"")), Some(2.0));
    assert_eq!(count(&format!("{LABELS},xid=\"48\"")), Some(1.0));
    assert_eq!(count("device=\"unknown\",uuid=\"unknown\",xid=\"999\""), Some(1.0));
}

#[test]
fn a_flood_of_xids_is_counted_and_not_logged() {
    let page = Page::new();
    let mut recorder = Recorder::default();
    let start = Instant::now();
    let xid = Xid { gpu: Some(gpu(0)), number: 31 };
    page.within(|| {
        for second in 0..59 {
            recorder.count(xid.clone(), start + Duration::from_secs(second));
        }
    });
    assert_eq!(recorder.said[&(gpu(0), 31)], start, "one line");
    page.within(|| recorder.count(xid, start + XID_LINE_INTERVAL));
    assert_eq!(recorder.said[&(gpu(0), 31)], start + XID_LINE_INTERVAL, "and one a minute later");
    assert_eq!(page.value("outrigger_gpu_xid_events_total", &format!("{LABELS},xid=\"31\"")), Some(60.0));
}
