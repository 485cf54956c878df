use std::time::{Duration, Instant};

use outrigger_types::HashAlgorithm;

use super::*;

fn fitted(samples: impl IntoIterator<Item = (usize, usize, f64)>) -> CostModel {
    let now = Instant::now();
    let mut model = CostModel::new(1);
    for (items, bytes, ns) in samples {
        model.observe(items, bytes, Duration::from_nanos(ns as u64), now);
    }
    model
}

#[test]
fn nothing_is_said_before_enough_was_seen() {
    let model = fitted([(1, 10, 1_000.0), (1, 10, 1_000.0)]);
    assert_eq!(model.cost(), None);
}

#[test]
fn pieces_of_one_size_give_time_per_item_alone() {
    let cost = fitted([(32, 3_200, 64_000.0); 10]).cost().expect("known");
    assert_eq!((cost.fixed_ns, cost.byte_ns), (0.0, 0.0));
    assert!((cost.item_ns - 2_000.0).abs() < 1.0, "{cost:?}");
}

#[test]
fn a_fixed_part_is_found_where_sizes_differ() {
    let samples = (0..200).map(|i| {
        let items = 1 + (i * 7) % 500;
        (items, items * 96, 20_000.0 + 300.0 * items as f64)
    });
    let cost = fitted(samples).cost().expect("known");
    assert!((cost.fixed_ns - 20_000.0).abs() < 500.0, "{cost:?}");
    let predicted = cost.compute(1_000, 96_000).as_nanos() as f64;
    assert!((predicted / 320_000.0 - 1.0).abs() < 0.05, "{cost:?}");
}

#[test]
fn bytes_are_told_from_items_where_they_vary() {
    let samples = (0..300).map(|i| {
        let items = 1 + (i * 13) % 200;
        let bytes = items * (32 + (i * 37) % 900);
        (items, bytes, 5_000.0 + 100.0 * items as f64 + 2.0 * bytes as f64)
    });
    let cost = fitted(samples).cost().expect("known");
    let predicted = cost.compute(50, 50 * 400).as_nanos() as f64;
    assert!((predicted / 50_000.0 - 1.0).abs() < 0.1, "{cost:?} {predicted}");
}

#[test]
fn one_outlier_moves_little_and_a_lasting_change_gets_through() {
    let mut model = fitted([(10, 100, 10_000.0); 50]);
    let now = Instant::now();
    model.observe(10, 100, Duration::from_secs(5), now);
    assert!(model.cost().expect("known").item_ns < 1_100.0);
    for _ in 0..500 {
        model.observe(10, 100, Duration::from_nanos(30_000), now);
    }
    assert!(model.cost().expect("known").item_ns > 2_700.0);
}

#[test]
fn predictions_are_bounded_and_shared_by_cores() {
    let cost = Cost { fixed_ns: 100.0, item_ns: 1e18, byte_ns: 1e18, grain: 1 };
    assert_eq!(cost.compute(usize::MAX, usize::MAX), Duration::from_secs(3_600));
    let cost = Cost { fixed_ns: 1_000.0, item_ns: 1_000.0, byte_ns: 0.0, grain: 1 };
    assert_eq!(cost.wall(100, 0, 4), Duration::from_micros(26));
    assert_eq!(cost.wall(1, 0, 4), Duration::from_micros(2));
}

#[test]
fn a_model_grows_stale() {
    let model = fitted([(1, 1, 1_000.0); 4]);
    assert!(model.is_fresh(Instant::now()));
    assert!(!model.is_fresh(Instant::now() + Duration::from_secs(11)));
}

/// Eight lanes cost the same whether one or all have an item: a model in single items would put the first group far
/// above or below what it takes, and there is where cores and lanes meet.
#[test]
fn a_grain_is_paid_whole() {
    let mut model = CostModel::new(8);
    let now = Instant::now();
    let takes = |items: usize| Duration::from_micros(5 + 10 * items.div_ceil(8) as u64);
    for items in [1, 3, 8, 9, 64, 250, 1, 17].into_iter().cycle().take(100) {
        model.observe(items, 0, takes(items), now);
    }
    let cost = model.cost().expect("known");
    for items in [1, 7, 8, 9, 16, 100, 1_000] {
        let predicted = cost.compute(items, 0).as_nanos() as f64 / takes(items).as_nanos() as f64;
        assert!((0.95..1.05).contains(&predicted), "{items}: {predicted}");
    }
    let eighths = cost.wall(64, 0, 8).as_nanos() as f64 / takes(8).as_nanos() as f64;
    assert!((0.95..1.05).contains(&eighths), "each of eight cores takes eight items: {eighths}");
}

#[test]
fn guesses_hold_until_something_was_measured() {
    let (known, other) = (Operation::Hash(HashAlgorithm::Sha256), Operation::Hash(HashAlgorithm::Sm3));
    let table = CostTable::with_grain(8);
    assert_eq!(table.cost(known), None);
    let guess = Cost { fixed_ns: 5_000.0, item_ns: 70.0, byte_ns: 0.0, grain: 1 };
    table.guess(Guesses::new(move |operation| (operation == known).then_some(guess)));
    let now = Instant::now();
    let expected = Some(Cost { grain: 8, ..guess });
    assert_eq!((table.cost(known), table.cost(other)), (expected, None));
    assert_eq!(table.cost_and_freshness(known, now), (expected, false), "no request is refused on a guess");
    for _ in 0..OBSERVATIONS_MIN {
        let pieces = Pieces { count: 1, items: 8, bytes: 80, compute: Duration::from_micros(8) };
        table.observe(known, pieces, now);
    }
    let (cost, is_fresh) = table.cost_and_freshness(known, now);
    assert!(is_fresh && cost.is_some_and(|cost| cost.item_ns > 900.0), "{cost:?}");
}
