use std::time::Duration;

use outrigger_types::{Backend, HashAlgorithm, MerkleTree, Operation, Rejection, Ruleset};

use super::*;

const VERIFY: Operation = Operation::Verify(Ruleset::Bitcoin);

fn ask(items: usize) -> Ask {
    Ask { operation: VERIFY, items, bytes: items * 100, time_left: None, backend: None }
}

/// A core pool: 50 us an item on each of two cores, nothing to begin.
fn cpu() -> EngineView {
    let cost = Cost { fixed_ns: 0.0, item_ns: 50_000.0, byte_ns: 0.0, grain: 1 };
    EngineView {
        backend: Backend::Cpu,
        supports: true,
        healthy: true,
        cost: Some(cost),
        fresh: true,
        cores: 2,
        shares: 2,
        ahead: Duration::ZERO,
        queue: 0,
    }
}

/// A device: 2 ms to begin, then 1 us an item.
fn gpu() -> EngineView {
    let cost = Cost { fixed_ns: 2_000_000.0, item_ns: 1_000.0, byte_ns: 0.0, grain: 1 };
    EngineView { backend: Backend::Cuda, cost: Some(cost), cores: 1, shares: 1, queue: 1, ..cpu() }
}

#[test]
fn small_stays_on_the_cores_and_large_goes_to_the_device() {
    assert_eq!(place(&ask(10), &[cpu(), gpu()]), Ok(Placement::One(0)));
    assert_eq!(place(&ask(4_000), &[cpu(), gpu()]), Ok(Placement::One(1)));
    let queued = EngineView { ahead: Duration::from_secs(1), ..gpu() };
    assert_eq!(place(&ask(4_000), &[cpu(), queued]), Ok(Placement::One(0)));
}

#[test]
fn large_work_is_split_where_that_saves_enough() {
    let slow = EngineView { cost: Some(Cost { item_ns: 40_000.0, ..gpu().cost.expect("known") }), ..gpu() };
    let Ok(Placement::Split(parts)) = place(&ask(1_000), &[cpu(), slow]) else { panic!("not split") };
    assert_eq!(parts.len(), 2);
    assert_eq!((parts[0].1.start, parts[0].1.end, parts[1].1.end), (0, parts[1].1.start, 1_000));
    assert!((500..=700).contains(&parts[0].1.end), "{parts:?}");
    let tree = Operation::Merkle(MerkleTree::Binary, HashAlgorithm::Sha256);
    let whole = Ask { operation: tree, ..ask(1_000) };
    assert!(matches!(place(&whole, &[cpu(), slow]), Ok(Placement::One(_))));
}

#[test]
fn a_deadline_that_no_engine_meets_is_refused_only_on_a_fresh_model() {
    let late = Ask { time_left: Some(Duration::from_millis(10)), ..ask(4_000) };
    let refused = place(&late, &[cpu()]);
    assert_eq!(refused, Err(Rejection::DeadlineExceeded { predicted: Some(Duration::from_millis(100)) }));
    assert_eq!(place(&late, &[cpu(), gpu()]), Ok(Placement::One(1)), "the device is in time");
    assert!(place(&late, &[EngineView { fresh: false, ..cpu() }]).is_ok());
    assert!(place(&late, &[EngineView { cost: None, ..cpu() }]).is_ok());
}

#[test]
fn an_unknown_engine_is_tried_while_it_is_idle() {
    let unknown = EngineView { cost: None, ..gpu() };
    assert_eq!(place(&ask(100), &[cpu(), unknown]), Ok(Placement::One(1)));
    let busy = EngineView { ahead: Duration::from_millis(1), ..unknown };
    assert_eq!(place(&ask(100), &[cpu(), busy]), Ok(Placement::One(0)));
}

#[test]
fn forced_absent_unsupported_and_quarantined_say_what_is_wrong() {
    let forced = Ask { backend: Some(Backend::Cuda), ..ask(1) };
    assert_eq!(place(&forced, &[cpu(), gpu()]), Ok(Placement::One(1)));
    for engines in [vec![cpu()], vec![EngineView { supports: false, ..gpu() }]] {
        let Err(Rejection::BackendUnavailable(why)) = place(&forced, &engines) else { panic!("placed") };
        assert!(why.contains("cuda"), "{why}");
    }
    let sick = EngineView { healthy: false, ..gpu() };
    assert!(matches!(place(&forced, &[cpu(), sick]), Err(Rejection::BackendUnavailable(_))));
    assert_eq!(place(&ask(4_000), &[cpu(), sick]), Ok(Placement::One(0)));
    assert!(matches!(place(&ask(1), &[]), Err(Rejection::BackendUnavailable(_))));
}

/// Lanes on the same two cores: a group of eight in the time of two scalar items.
fn vector() -> EngineView {
    let cost = Cost { fixed_ns: 20_000.0, item_ns: 10_000.0, byte_ns: 0.0, grain: 8 };
    EngineView { backend: Backend::Vector, cost: Some(cost), ..cpu() }
}

#[test]
fn lanes_take_what_they_finish_first() {
    // One item: 50 us plain, 100 us in lanes. Four: 100 us on two cores, 100 us on one group a core; ties stay plain.
    for (items, expected) in [(1, 0), (4, 0), (5, 1), (8, 1), (1_000, 1)] {
        assert_eq!(choose(items, 0, &[cpu(), vector()]), Some(expected), "{items} items");
        assert_eq!(place(&ask(items), &[cpu(), vector()]), Ok(Placement::One(expected)), "{items} items");
    }
    let sick = EngineView { healthy: false, ..vector() };
    assert_eq!(choose(1_000, 0, &[cpu(), sick]), Some(0));
    assert_eq!(choose(1, 0, &[sick]), None);
}

#[test]
fn engines_that_share_cores_never_split_work() {
    let slow = EngineView { cost: Some(Cost { item_ns: 55_000.0, ..vector().cost.expect("known") }), ..vector() };
    assert_eq!(place(&ask(4_000), &[cpu(), slow]), Ok(Placement::One(0)));
    // With a device, the better of the two shares with it.
    let device = EngineView { cost: Some(Cost { item_ns: 5_000.0, ..gpu().cost.expect("known") }), ..gpu() };
    let Ok(Placement::Split(parts)) = place(&ask(4_000), &[cpu(), vector(), device]) else { panic!("not split") };
    assert_eq!(parts.iter().map(|(engine, _)| *engine).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn engines_of_unknown_or_old_cost_are_tried_under_load_too() {
    let busy = Duration::from_millis(1);
    let unknown = EngineView { cost: None, ..vector() };
    assert_eq!(choose(100, 0, &[cpu(), unknown]), Some(1));
    let [cpu_busy, unknown_busy] = [cpu(), unknown].map(|view| EngineView { ahead: busy, ..view });
    assert_eq!(choose(100, 0, &[cpu_busy, unknown_busy]), Some(1));
    let old = EngineView { fresh: false, ..cpu() };
    assert_eq!(choose(5, 0, &[old, vector()]), Some(0), "nearly as quick, and not measured of late");
    assert_eq!(choose(100, 0, &[old, vector()]), Some(0), "slower by what is said, and a short try");
    assert_eq!(choose(100_000, 0, &[old, vector()]), Some(1), "too slow for a try");
    let [old_busy, vector_busy] = [old, vector()].map(|view| EngineView { ahead: busy, ..view });
    assert_eq!(
        choose(100, 0, &[old_busy, vector_busy]),
        Some(0),
        "load that never ends must not keep a bad figure alive"
    );
    assert_eq!(choose(100, 0, &[EngineView { cost: None, ..cpu() }, unknown]), Some(0), "nothing is known of either");
}
