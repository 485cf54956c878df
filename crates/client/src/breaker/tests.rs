use std::time::Duration;

use super::Breaker;
use crate::BreakerOptions;

fn breaker() -> Breaker {
    Breaker::new(BreakerOptions { failures_max: 3, probe_interval: Duration::from_secs(1) })
}

fn fail(breaker: &Breaker) {
    breaker.admit().expect("a permit").fail();
}

#[tokio::test(start_paused = true)]
async fn opens_after_failures_in_a_row_alone() {
    let breaker = breaker();
    fail(&breaker);
    fail(&breaker);
    breaker.admit().expect("a permit").succeed();
    fail(&breaker);
    fail(&breaker);
    assert!(breaker.is_closed(), "a success between must have set the count back");
    fail(&breaker);
    assert!(!breaker.is_closed());
    assert!(breaker.admit().is_none());
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_and_its_answer_decides() {
    let breaker = breaker();
    (0..3).for_each(|_| fail(&breaker));
    tokio::time::advance(Duration::from_millis(999)).await;
    assert!(breaker.admit().is_none(), "too early");
    tokio::time::advance(Duration::from_millis(1)).await;
    let probe = breaker.admit().expect("the probe");
    assert!(breaker.admit().is_none(), "a second probe");
    probe.fail();
    assert!(breaker.admit().is_none(), "after a failed probe the wait begins anew");
    tokio::time::advance(Duration::from_secs(1)).await;
    breaker.admit().expect("the second probe").succeed();
    assert!(breaker.is_closed());
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_probe_does_not_block_the_next() {
    let breaker = breaker();
    (0..3).for_each(|_| fail(&breaker));
    tokio::time::advance(Duration::from_secs(1)).await;
    drop(breaker.admit().expect("the probe"));
    assert!(breaker.admit().is_some());
}

#[tokio::test(start_paused = true)]
async fn late_failures_do_not_put_the_probe_off() {
    let breaker = breaker();
    let late = breaker.admit().expect("a permit");
    (0..3).for_each(|_| fail(&breaker));
    tokio::time::advance(Duration::from_millis(900)).await;
    late.fail();
    tokio::time::advance(Duration::from_millis(100)).await;
    assert!(breaker.admit().is_some());
}
