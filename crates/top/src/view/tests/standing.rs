//! Health, quotas, uptime: what a sidecar says of how it stands.

use super::{Value, moment, parse, same, view};
use crate::View;
use crate::view::{Device, Engine, Held};

/// Pages of a sidecar with devices in trouble: see vectors/README.md.
const EARLIER: &str = include_str!("../../vectors/standing-earlier.txt");
const LATER: &str = include_str!("../../vectors/standing-later.txt");

/// How it stood after ten seconds.
pub(crate) fn standing() -> View {
    view(EARLIER, LATER, 10.0)
}

fn device<'a>(view: &'a View, name: &str) -> &'a Device {
    view.devices.iter().find(|it| it.device == name).expect(name)
}

#[test]
fn engines_say_whether_they_take_work() {
    let view = standing();
    let names: Vec<_> = view.engines.iter().map(|it| (it.backend.as_str(), it.device.as_str())).collect();
    let expected = [
        ("cpu", "AMD EPYC 9R14"),
        ("cuda", "NVIDIA H200 #0"),
        ("cuda", "NVIDIA H200 #1"),
        ("cuda", "NVIDIA H200 #2"),
        ("opencl", "gfx942 #0"),
        ("vector", "AMD EPYC 9R14"),
    ];
    assert_eq!(names, expected);
    let cores = Engine {
        backend: "cpu".to_owned(),
        device: "AMD EPYC 9R14".to_owned(),
        healthy: Some(true),
        operations: Some(23.0),
        waiting_items: Some(8_192.0),
        waiting_seconds: Some(0.2375),
        running_items: Some(64.0),
    };
    assert_eq!(view.engines[0], cores);
    let health: Vec<_> = view.engines.iter().map(|it| (it.healthy, it.operations)).collect();
    let (good, bad) = (Some(true), Some(false));
    let expected = [(good, 23.0), (good, 17.0), (good, 0.0), (bad, 0.0), (good, 4.0), (good, 18.0)];
    assert_eq!(health, expected.map(|(healthy, operations)| (healthy, Some(operations))));
}

#[test]
fn devices_say_their_state_and_what_went_wrong() {
    let view = standing();
    let names: Vec<_> = view.devices.iter().map(|it| it.device.as_str()).collect();
    assert_eq!(names, ["NVIDIA H200 #0", "NVIDIA H200 #1", "NVIDIA H200 #2", "gfx942 #0"]);
    for (name, state, memory, restarts, faults, quarantines) in [
        ("NVIDIA H200 #0", "up", Some(120_259_084_288.0), 0.0, 0.0, 0.0),
        // Damaged answers are faults: the device stays.
        ("NVIDIA H200 #1", "quarantined", Some(120_259_084_288.0), 0.0, 4.0, 3.0),
        ("NVIDIA H200 #2", "down", None, 2.0, 7.0, 0.0),
        ("gfx942 #0", "testing", Some(164_926_744_166.0), 0.0, 0.0, 0.0),
    ] {
        let device = device(&view, name);
        assert_eq!((device.state.as_deref(), device.memory_limit_bytes), (Some(state), memory), "{name}");
        assert_eq!(device.worker_restarts_total, Some(restarts), "{name}");
        assert_eq!((device.faults_total, device.quarantines_total), (faults, quarantines), "{name}");
    }
    let planted =
        device(&view, "NVIDIA H200 #1").events.iter().find(|it| it.event == "planted").expect("it was counted");
    assert_eq!((planted.events_total, planted.events_per_second), (2.0, Some(0.1)));
}

#[test]
fn tenants_stand_beside_their_quotas() {
    let view = standing();
    let [other, peer0, peer1] = &view.tenants[..] else { panic!("{:?}", view.tenants) };
    assert_eq!([&other.tenant, &peer0.tenant, &peer1.tenant], ["other", "peer0", "peer1"]);
    let held = |in_flight, limit, used_percent| Held { in_flight: Some(in_flight), limit: Some(limit), used_percent };
    assert_eq!(peer0.requests, held(18.0, 24.0, Some(75.0)));
    assert_eq!(peer0.items, held(73_728.0, 98_304.0, Some(75.0)));
    assert_eq!(peer0.bytes, held(8_388_608.0, 67_108_864.0, Some(12.5)));
    assert_eq!((peer0.compute_seconds.in_flight, peer0.compute_seconds.limit), (Some(1.2), Some(1.5)));
    same(peer0.compute_seconds.used_percent, Some(80.0));
    assert_eq!((peer0.over_quota_per_second, peer0.over_quota_total), (Some(6.0), 160.0));
    assert_eq!(peer1.items, held(0.0, 131_072.0, Some(0.0)), "a tenant that holds nothing holds 0");
    let shared = Held { in_flight: Some(8.0), limit: None, used_percent: None };
    assert_eq!(other.items, shared, "each of the others has a quota of its own");
}

#[test]
fn uptime_cache_and_time_of_requests_are_those_of_the_pages() {
    let view = standing();
    assert_eq!(view.uptime_seconds, Some(11_525.75));
    let cache = view.cache.expect("gauges, though nothing was looked up");
    assert_eq!((cache.entries, cache.entries_limit), (Some(200_704.0), Some(262_144.0)));
    let [verify] = &view.operations[..] else { panic!("{:?}", view.operations) };
    let times = verify.times.as_ref().expect("requests were answered");
    same(Some(times.count_per_second), Some(40.0));
    same(Some(times.mean_seconds), Some(0.0015));
    same(times.p50_seconds, Some(0.001));
    same(times.p90_seconds, Some(0.0022));
}

/// A sidecar of before, and one that has not opened its device yet.
#[test]
fn what_is_not_reported_is_none_and_never_nothing() {
    let page = "# TYPE outrigger_device_batches gauge\noutrigger_device_batches{backend=\"cuda\",device=\"A\"} 0\n\
                # TYPE outrigger_rejections_total counter\n\
                outrigger_rejections_total{reason=\"overloaded\",tenant=\"t\"} 5\n\
                # TYPE outrigger_engine_operations gauge\n\
                outrigger_engine_operations{backend=\"cuda\",device=\"A\"} 0\n";
    let view = view(page, page, 1.0);
    assert_eq!(view.uptime_seconds, None);
    let [device] = &view.devices[..] else { panic!("{:?}", view.devices) };
    assert_eq!((device.state.as_deref(), device.memory_limit_bytes), (None, None));
    assert_eq!(
        (device.worker_starts_total, device.worker_restarts_total, device.worker_deaths_total),
        (None, None, None)
    );
    let [tenant] = &view.tenants[..] else { panic!("{:?}", view.tenants) };
    let unknown = Held { in_flight: None, limit: None, used_percent: None };
    assert_eq!([tenant.requests, tenant.items, tenant.bytes, tenant.compute_seconds], [unknown; 4]);
    let [engine] = &view.engines[..] else { panic!("{:?}", view.engines) };
    assert_eq!((engine.healthy, engine.operations, engine.waiting_items), (None, Some(0.0), None));
    let json = serde_json::to_value(&view).expect("plain data");
    assert_eq!((&json["uptime_seconds"], &json["devices"][0]["state"]), (&Value::Null, &Value::Null));
    assert_eq!(json["tenants"][0]["items"]["limit"], Value::Null);
}

/// A clock of another machine may be behind, and one that was not set at the start says nothing.
#[test]
fn uptime_is_never_less_than_nothing() {
    let started = |at: &str| {
        let page = format!("# TYPE outrigger_start_time_seconds gauge\noutrigger_start_time_seconds {at}\n");
        View::of(moment(), &parse(&page), None).uptime_seconds
    };
    assert_eq!(started("1795354060"), Some(0.0), "a minute ahead of ours");
    assert_eq!(started("1795353000"), Some(1_000.0));
    assert_eq!(started("0"), None);
    assert_eq!(started("NaN"), None);
}
