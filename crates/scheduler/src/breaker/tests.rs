use std::time::{Duration, Instant};

use super::*;

#[test]
fn three_faults_in_a_row_open_it_and_a_probe_closes_it() {
    let start = Instant::now();
    let mut breaker = Breaker::default();
    assert!(!breaker.failed(start));
    breaker.succeeded();
    assert!(!breaker.failed(start) && !breaker.failed(start));
    assert!(breaker.failed(start));
    assert!(!breaker.admits(start, true));
    let later = start + BACKOFF_FIRST;
    assert!(!breaker.admits(later, false), "one probe at a time");
    assert!(breaker.admits(later, true));
    breaker.succeeded();
    assert!(breaker.is_closed() && breaker.admits(later, false));
}

#[test]
fn the_backoff_doubles_to_a_bound() {
    let start = Instant::now();
    let mut breaker = Breaker::default();
    for _ in 0..20 {
        breaker.failed(start);
    }
    assert!(!breaker.admits(start + Duration::from_secs(59), true));
    assert!(breaker.admits(start + BACKOFF_LONGEST, true));
}
