//! Ours and the peer in turn, in one run: the shape of all benches of lanes.

use std::time::{Duration, Instant};

/// Pairs of which the median counts.
#[allow(dead_code, reason = "some benches have a clock of their own")]
const PAIRS: usize = 11;

/// Times `ours` and `peer` over `items` items each in turn and prints nanoseconds an item of both, and the peer's
/// time over ours: the median of the pairs, the lowest and the highest.
#[allow(dead_code, reason = "some benches have a clock of their own")]
pub(crate) fn compare(name: &str, items: usize, ours: impl FnMut(), peer: impl FnMut()) {
    let start = Instant::now();
    compare_by(&|| start.elapsed(), PAIRS, name, items, ours, peer);
}

/// As [`compare`], by any clock, of an odd number of pairs.
pub(crate) fn compare_by(
    clock: &dyn Fn() -> Duration,
    count: usize,
    name: &str,
    items: usize,
    mut ours: impl FnMut(),
    mut peer: impl FnMut(),
) {
    let time = |work: &mut dyn FnMut()| {
        let start = clock();
        work();
        (clock() - start).as_secs_f64() * 1e9 / items as f64
    };
    time(&mut ours);
    time(&mut peer);
    let pairs: Vec<(f64, f64)> = (0..count).map(|_| (time(&mut ours), time(&mut peer))).collect();
    let median = |of: &dyn Fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = pairs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        (values[0], values[count / 2], values[count - 1])
    };
    let (low, ratio, high) = median(&|(ours, peer)| peer / ours);
    println!(
        "{name}: {items} items, ours {:.0} ns, peer {:.0} ns, ratio {ratio:.2} ({low:.2} to {high:.2})",
        median(&|pair| pair.0).1,
        median(&|pair| pair.1).1,
    );
}
