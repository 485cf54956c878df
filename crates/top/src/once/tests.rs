use std::io::{self, Write};
use std::time::Duration;

use super::{json, run, text};
use crate::fake::Fake;
use crate::feed::Feed;
use crate::view::tests::{real, standing};
use crate::{Error, View};

fn page(hits: u64) -> String {
    format!("# TYPE outrigger_cache_total counter\noutrigger_cache_total{{result=\"hit\"}} {hits}\n")
}

const SOON: Duration = Duration::from_millis(20);

#[test]
fn text_has_the_figures_of_the_view() {
    let text = text(&real());
    assert!(
        text.starts_with("outrigger 0.1.0  up –  http://127.0.0.1:9464/metrics\nready; figures of the last 20.0 s\n"),
        "{text}"
    );
    for expected in [
        "items judged/s 25.0   requests/s 0.25   refused/s 0   in flight 0 items",
        "hash       keccak256     25.0        0 %        0.05          0",
        "opencl   pthread-skylake-avx512-Intel(R) Xeon(R) Processor #0",
        "peer0   too_large   ",
        ">2.00 s",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing:\n{text}");
    }
    assert!(text.lines().all(|line| line.trim_end() == line) && !text.contains('\u{1b}'), "plain text for pipes");
}

#[test]
fn text_and_json_say_how_a_sidecar_stands() {
    let text = text(&standing());
    assert!(text.starts_with("outrigger 0.1.0  up 3 h 12 min  http"), "{text}");
    for expected in ["quarantined  112.0 GiB", "73,728 / 98,304", "200,704  262,144"] {
        assert!(text.contains(expected), "{expected:?} is missing:\n{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&json(&standing())).expect("JSON");
    assert_eq!(json["uptime_seconds"], 11_525.75);
    assert_eq!((&json["engines"][3]["healthy"], &json["devices"][1]["state"]), (&false.into(), &"quarantined".into()));
    let items = serde_json::json!({"in_flight": 73_728.0, "limit": 98_304.0, "used_percent": 75.0});
    assert_eq!(json["tenants"][1]["items"], items);
}

#[tokio::test]
async fn two_samples_make_one_line_of_json() {
    let fake = Fake::sidecar(&page(5)).await;
    let mut output = Vec::new();
    run(Feed::new(fake.source()), SOON, &mut output, json).await.expect("a view");
    let text = String::from_utf8(output).expect("text");
    assert_eq!(text.matches('\n').count(), 1);
    let view: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&view["version"], &view["cache"]["hits_per_second"]), (&"9.8.7".into(), &0.0.into()));
    assert!(view["interval_seconds"].as_f64().is_some_and(|interval| interval >= 0.02));
}

#[tokio::test]
async fn it_fails_where_nothing_answers() {
    let mut fake = Fake::sidecar(&page(5)).await;
    fake.go_away().await;
    let error = run(Feed::new(fake.source()), SOON, &mut Vec::new(), json).await.expect_err("nobody is there");
    assert!(matches!(error, Error::Away { .. }) && !error.is_input(), "{error:?}");
}

/// Writes, and has the sidecar start again before each sample but the last ones.
#[tokio::test]
async fn a_restart_in_between_takes_another_sample() {
    let fake = Fake::sidecar(&page(9)).await;
    let restarting = async {
        tokio::time::sleep(SOON * 5).await;
        fake.says(&page(3));
    };
    let mut output = Vec::new();
    let (result, ()) = tokio::join!(run(Feed::new(fake.source()), SOON * 10, &mut output, json), restarting);
    result.expect("two samples after the restart");
    let view: serde_json::Value = serde_json::from_slice(&output).expect("JSON");
    assert_eq!((&view["continuity"], &view["cache"]["hits_per_second"]), (&"continued".into(), &0.0.into()));
}

/// What `head` leaves of a pipe.
struct Closed(io::ErrorKind);

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_that_has_enough_is_no_error_and_a_full_disk_is() {
    let fake = Fake::sidecar(&page(5)).await;
    let render = |_: &View| "x".to_owned();
    assert!(run(Feed::new(fake.source()), SOON, &mut Closed(io::ErrorKind::BrokenPipe), render).await.is_ok());
    let full = run(Feed::new(fake.source()), SOON, &mut Closed(io::ErrorKind::StorageFull), render).await;
    assert!(matches!(full, Err(Error::Output(_))));
}
