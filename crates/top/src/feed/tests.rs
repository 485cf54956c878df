use std::time::{Duration, Instant, SystemTime};

use super::{Feed, History};
use crate::fake::Fake;
use crate::fetch::Sample;
use crate::view::Continuity;
use crate::{Error, Snapshot, Source, View};

fn page(items: u64) -> String {
    format!(
        "# TYPE outrigger_items_total counter\n\
         outrigger_items_total{{operation=\"verify\",ruleset=\"fabric\",backend=\"cpu\",verdict=\"valid\"}} {items}\n"
    )
}

/// Samples of a sidecar at seconds of a clock of their own.
struct Clock {
    begun: Instant,
    history: History,
    source: Source,
}

impl Clock {
    fn new() -> Self {
        let source = "127.0.0.1:1".parse().expect("a source");
        Self { begun: Instant::now(), history: History::default(), source }
    }

    fn at(&mut self, seconds: f64, items: u64) -> View {
        let snapshot = Snapshot::parse(&page(items)).expect("a page");
        let taken = self.begun + Duration::from_secs_f64(seconds);
        let sample = Sample { snapshot, taken, version: Some("1".to_owned()), ready: Some(true) };
        self.history.view(&self.source, sample, SystemTime::UNIX_EPOCH + Duration::from_millis(1_500))
    }
}

fn told(view: &View) -> (Continuity, Option<f64>, Option<f64>) {
    (view.moment.continuity, view.interval_seconds, view.items_per_second)
}

#[test]
fn rates_are_of_the_time_between_two_samples() {
    let mut clock = Clock::new();
    let first = clock.at(0.0, 100);
    assert_eq!(told(&first), (Continuity::First, None, None));
    assert_eq!((first.moment.unix_seconds, first.moment.source.as_str()), (1.5, "http://127.0.0.1:1/metrics"));
    assert_eq!(told(&clock.at(2.0, 150)), (Continuity::Continued, Some(2.0), Some(25.0)));
    assert_eq!(told(&clock.at(2.5, 150)), (Continuity::Continued, Some(0.5), Some(0.0)));
}

#[test]
fn a_restart_begins_anew() {
    let mut clock = Clock::new();
    clock.at(0.0, 100);
    assert_eq!(told(&clock.at(1.0, 40)), (Continuity::Restarted, None, None), "no rate of -60 or of 40");
    assert_eq!(told(&clock.at(2.0, 50)), (Continuity::Continued, Some(1.0), Some(10.0)));
}

#[test]
fn a_gap_begins_anew() {
    let mut clock = Clock::new();
    clock.at(0.0, 100);
    clock.history.missed();
    assert_eq!(told(&clock.at(60.0, 700)), (Continuity::Returned, None, None));
    assert_eq!(told(&clock.at(61.0, 710)), (Continuity::Continued, Some(1.0), Some(10.0)));
    clock.history.missed();
    assert_eq!(told(&clock.at(90.0, 5)), (Continuity::Restarted, None, None), "a restart says more than a gap");
    let mut clock = Clock::new();
    clock.history.missed();
    assert_eq!(told(&clock.at(0.0, 1)), (Continuity::First, None, None), "it was never there before");
}

#[test]
fn no_time_is_no_interval() {
    let mut clock = Clock::new();
    clock.at(1.0, 100);
    assert_eq!(told(&clock.at(1.0, 110)), (Continuity::Continued, None, None));
}

#[tokio::test]
async fn a_sidecar_that_goes_away_comes_back() {
    let mut fake = Fake::sidecar(&page(100)).await;
    let mut feed = Feed::new(fake.source());
    assert_eq!(feed.next().await.expect("a view").moment.continuity, Continuity::First);
    fake.says(&page(150));
    let view = feed.next().await.expect("a view");
    let (items, interval) = (view.items_per_second.expect("a rate"), view.interval_seconds.expect("an interval"));
    assert!((items * interval - 50.0).abs() < 1e-6, "{items} {interval}");
    fake.go_away().await;
    for _ in 0..2 {
        assert!(matches!(feed.next().await, Err(Error::Away { .. })));
    }
    fake.come_back().await;
    assert_eq!(feed.next().await.expect("a view").moment.continuity, Continuity::Returned);
    assert_eq!(feed.next().await.expect("a view").moment.continuity, Continuity::Continued);
}
