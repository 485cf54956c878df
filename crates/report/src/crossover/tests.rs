use super::{Crossover, crossovers};

/// A device that is slow on small batches and fast on large ones: by hand, both are at 1,000 for 100 items.
#[test]
fn a_crossing_lies_between_the_points() {
    let cores = [(1.0, 1_000.0), (10_000.0, 1_000.0)];
    let device = [(1.0, 10.0), (10_000.0, 100_000.0)];
    let found = crossovers(&device, &cores);
    assert_eq!(found.len(), 1);
    assert!((found[0].x - 100.0).abs() < 1e-6 && (found[0].y - 1_000.0).abs() < 1e-6);
    assert!(found[0].first_leads);
    assert!(!crossovers(&cores, &device)[0].first_leads);
}

#[test]
fn lines_that_never_meet_do_not_cross() {
    assert!(crossovers(&[(1.0, 2.0), (10.0, 20.0)], &[(1.0, 1.0), (10.0, 10.0)]).is_empty());
    assert!(crossovers(&[], &[(1.0, 1.0)]).is_empty());
    assert!(crossovers(&[(1.0, 1.0)], &[(1.0, 1.0)]).is_empty());
}

/// Equal at a point: a crossing only where the leader differs before and after.
#[test]
fn to_touch_is_not_to_cross() {
    let flat = [(1.0, 5.0), (2.0, 5.0), (4.0, 5.0)];
    assert!(crossovers(&[(1.0, 6.0), (2.0, 5.0), (4.0, 6.0)], &flat).is_empty());
    let through = crossovers(&[(1.0, 4.0), (2.0, 5.0), (4.0, 6.0)], &flat);
    assert_eq!(through, [Crossover { x: 2.0, y: 5.0, first_leads: true }]);
}

#[test]
fn one_may_overtake_and_fall_back() {
    let wave = [(1.0, 1.0), (10.0, 100.0), (100.0, 1.0)];
    let flat = [(1.0, 10.0), (100.0, 10.0)];
    let leads: Vec<bool> = crossovers(&wave, &flat).iter().map(|one| one.first_leads).collect();
    assert_eq!(leads, [true, false]);
}

/// Where one line ends nothing is known, whatever its slope promises.
#[test]
fn nothing_is_guessed_outside_of_both() {
    assert!(crossovers(&[(1.0, 1.0), (10.0, 9.0)], &[(8.0, 10.0), (1_000.0, 10.0)]).is_empty());
}
