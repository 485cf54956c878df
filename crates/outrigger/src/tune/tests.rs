use super::load::Suite;
use super::outcome::{Ratios, gain, wins};
use super::variable;

#[test]
fn keys_become_variables_of_the_environment() {
    assert_eq!(variable("scheduler.batch.items_max"), "OUTRIGGER_SCHEDULER__BATCH__ITEMS_MAX");
    assert_eq!(variable("threads.io"), "OUTRIGGER_THREADS__IO");
}

#[test]
fn the_median_of_pairs_counts() {
    let mut ratios = Ratios::default();
    for (before, after) in [(1.0, 9.0), (2.0, 2.2), (4.0, 2.0)] {
        ratios.push(before, after);
    }
    assert_eq!(ratios.len(), 3);
    assert!((ratios.median() - 1.1).abs() < 1e-12);
}

#[test]
fn a_loss_is_one_of_most_pairs() {
    let of = |ratios: &[f64]| {
        let mut found = Ratios::default();
        ratios.iter().for_each(|ratio| found.push(1.0, *ratio));
        found
    };
    assert!(of(&[0.9, 0.95, 0.96, 0.9, 1.1]).loses());
    assert!(!of(&[0.9, 0.95, 1.02, 1.2, 0.96]).loses(), "three of five are chance");
    assert!(!of(&[0.98, 0.99, 0.98]).loses(), "what is lost is little");
    let gains = [(Suite::Blocks, of(&[2.0, 2.0, 0.9, 2.0])), (Suite::Singles, of(&[0.5, 0.5, 1.1, 0.5]))];
    assert!((gain(&gains) - 1.0).abs() < 1e-12 && (wins(&gains) - 0.5).abs() < 1e-12);
}

#[test]
fn suites_have_names_of_their_own() {
    let mut names = Suite::ALL.map(Suite::name).to_vec();
    names.dedup();
    assert_eq!(names.len(), Suite::ALL.len());
}
