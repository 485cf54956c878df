use super::load::Suite;
use super::outcome::Ratios;
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
fn suites_have_names_of_their_own() {
    let mut names = Suite::ALL.map(Suite::name).to_vec();
    names.dedup();
    assert_eq!(names.len(), Suite::ALL.len());
}
