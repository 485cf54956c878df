use std::time::Duration;

use outrigger_types::{Output, Ruleset, Verdict};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{Found, Judged, Latencies, Percentiles, judge, signing};
use crate::workload;

#[test]
fn every_answer_that_differs_is_counted_and_no_other() {
    let mut rng = StdRng::seed_from_u64(3);
    let mut signed = workload::fresh_keys(Ruleset::LibraEd25519, 4, 32, &mut rng);
    signed[2].expected = Verdict::Invalid;
    let mut part = signing::part(Ruleset::LibraEd25519, &signed);
    let judged = |part: &super::Part, verdicts: Vec<Verdict>, fixed: Vec<u8>| {
        let mut judged = Judged::default();
        let output = Output { verdicts, fixed, ..Output::unprocessed(part.work.operation(), 0) };
        judge(part, &output, &mut judged);
        (judged.wrong, judged.bad_found)
    };
    let right = part.expected.clone();
    assert_eq!(judged(&part, right.clone(), Vec::new()), (0, 1));
    let mut wrong = right.clone();
    wrong[2] = Verdict::Valid;
    assert_eq!(judged(&part, wrong, Vec::new()), (1, 0), "a bad one that passes");
    assert_eq!(judged(&part, right[..2].to_vec(), Vec::new()), (2, 0), "answers that are missing");
    part.found = Some(Found { at: 0, bytes: vec![vec![7]; 4] });
    assert_eq!(judged(&part, right.clone(), Vec::new()), (3, 1), "verdicts alone are not the answer");
}

#[test]
fn percentiles_are_those_of_the_sorted_list_to_three_digits() {
    let mut latencies = Latencies::default();
    for ms in 1..=1_000 {
        latencies.add(Duration::from_millis(ms));
    }
    let expected = Percentiles { p50: 500.0, p90: 900.0, p99: 990.0, p999: 999.0, max: 1_000.0 };
    let found = latencies.percentiles();
    for (found, expected) in [
        (found.p50, expected.p50),
        (found.p90, expected.p90),
        (found.p99, expected.p99),
        (found.p999, expected.p999),
        (found.max, expected.max),
    ] {
        assert!((found / expected - 1.0).abs() < 2e-3, "{found} for {expected}");
    }
    let over = latencies.over(Duration::from_millis(900));
    assert!((99..=100).contains(&over), "{over}");
    assert_eq!(latencies.over(Duration::from_secs(2)), 0);
}
