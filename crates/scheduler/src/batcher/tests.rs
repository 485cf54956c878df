use std::collections::HashMap;
use std::time::{Duration, Instant};

use outrigger_types::{HashAlgorithm, MerkleTree, Ruleset};
use proptest::prelude::*;

use super::*;

const VERIFY: Operation = Operation::Verify(Ruleset::Bitcoin);
const AGING: Duration = Duration::from_millis(250);
const ITEM: Duration = Duration::from_micros(50);

fn room(items_max: usize) -> Room {
    Room { items_max, bytes_max: usize::MAX, compute_max: Duration::MAX, items_min: 0 }
}

fn entry(id: RequestId, tenant: &str, priority: Priority, items: usize, arrived: Instant) -> Entry {
    Entry {
        id,
        tenant: tenant.into(),
        weight: 100,
        priority,
        demand: VERIFY.into(),
        range: 0..items,
        item_bytes: 100,
        item_cost: ITEM,
        arrived,
        deadline: None,
    }
}

fn ids(batch: &Batch) -> Vec<RequestId> {
    batch.segments.iter().map(|segment| segment.id).collect()
}

fn take(batcher: &mut Batcher, now: Instant, items_max: usize) -> Batch {
    batcher.take(now, &room(items_max)).batch.expect("a batch")
}

#[test]
fn urgent_work_goes_before_a_bulk_request_that_is_half_done() {
    let now = Instant::now();
    let mut batcher = Batcher::new(AGING);
    batcher.push(entry(1, "a", Priority::Bulk, 60_000, now));
    assert_eq!(take(&mut batcher, now, 160).segments, [Segment { id: 1, range: 0..160 }]);
    batcher.push(entry(2, "a", Priority::Consensus, 5, now));
    let batch = take(&mut batcher, now, 160);
    assert_eq!(batch.priority, Priority::Consensus);
    assert_eq!(batch.segments, [Segment { id: 2, range: 0..5 }, Segment { id: 1, range: 160..315 }]);
    assert_eq!(batcher.waiting().items, 60_000 - 315);
}

#[test]
fn waiting_work_ages_past_work_that_keeps_coming() {
    let start = Instant::now();
    let mut batcher = Batcher::new(AGING);
    batcher.push(entry(0, "a", Priority::Bulk, 10, start));
    let mut served_at = None;
    for step in 1..200_u64 {
        let now = start + Duration::from_millis(10 * step);
        batcher.push(entry(step, "a", Priority::Block, 10, now));
        if ids(&take(&mut batcher, now, 10)).contains(&0) {
            served_at = Some(now - start);
            break;
        }
    }
    let served_at = served_at.expect("starved");
    assert!((AGING * 2..AGING * 3).contains(&served_at), "{served_at:?}");
}

/// Aged work counts as consensus class, but a vote of another operation, which can never share its batch, waits for one
/// batch of it at most.
#[test]
fn an_aged_backlog_does_not_shut_out_votes_of_another_operation() {
    let start = Instant::now();
    let mut batcher = Batcher::new(AGING);
    for id in 0..100 {
        batcher.push(entry(id, "node", Priority::Mempool, 1_000, start));
    }
    let now = start + AGING * 2;
    for step in 0..20_u64 {
        let vote = Entry {
            demand: Operation::Verify(Ruleset::SolanaEd25519).into(),
            ..entry(1_000 + step, "node", Priority::Consensus, 8, now)
        };
        batcher.push(vote);
        let batches = [take(&mut batcher, now, 100), take(&mut batcher, now, 100)];
        let is_vote = |batch: &Batch| ids(batch) == [1_000 + step];
        assert_eq!(batches.iter().filter(|batch| is_vote(batch)).count(), 1, "round {step}: {batches:?}");
        assert!(batches.iter().any(|batch| batch.demand.operation == VERIFY), "and the backlog does not starve");
    }
}

#[test]
fn tenants_share_by_weight_and_a_flood_does_not_shut_out_the_small() {
    let now = Instant::now();
    let mut batcher = Batcher::new(AGING);
    for id in 0..100 {
        batcher.push(Entry { weight: 300, ..entry(id, "flood", Priority::Block, 1_000, now) });
        batcher.push(entry(1_000 + id, "small", Priority::Block, 1_000, now));
    }
    let mut items: HashMap<bool, usize> = HashMap::new();
    for _ in 0..50 {
        for segment in take(&mut batcher, now, 400).segments {
            *items.entry(segment.id < 1_000).or_default() += segment.range.len();
        }
    }
    let ratio = items[&true] as f64 / items[&false] as f64;
    assert!((2.7..3.3).contains(&ratio), "{items:?}");
}

#[test]
fn a_late_small_tenant_is_in_the_next_batch() {
    let now = Instant::now();
    let mut batcher = Batcher::new(AGING);
    for id in 0..50 {
        batcher.push(entry(id, "flood", Priority::Mempool, 4_096, now));
    }
    batcher.push(entry(99, "small", Priority::Mempool, 1, now));
    assert!(ids(&take(&mut batcher, now, 160)).contains(&99));
}

#[test]
fn expired_work_is_named_and_never_taken() {
    let now = Instant::now();
    let mut batcher = Batcher::new(AGING);
    batcher.push(Entry { deadline: Some(now), ..entry(1, "a", Priority::Block, 3, now) });
    batcher.push(entry(2, "a", Priority::Block, 3, now));
    batcher.push(Entry { deadline: Some(now), ..entry(3, "b", Priority::Consensus, 3, now) });
    let taken = batcher.take(now, &room(100));
    assert_eq!(taken.expired, [3, 1]);
    assert_eq!(ids(&taken.batch.expect("the live one")), [2]);
    assert_eq!(batcher.waiting(), Waiting::default());
}

#[test]
fn a_batch_has_one_operation_and_trees_go_alone() {
    let now = Instant::now();
    let mut batcher = Batcher::new(AGING);
    let tree = Operation::Merkle(MerkleTree::Binary, HashAlgorithm::Sha256);
    batcher.push(Entry { demand: tree.into(), ..entry(1, "a", Priority::Block, 5_000, now) });
    batcher.push(Entry { demand: tree.into(), ..entry(2, "b", Priority::Block, 0, now) });
    batcher.push(entry(3, "a", Priority::Block, 5, now + ITEM));
    let mut taken = Vec::new();
    while let Some(batch) = batcher.take(now, &room(100)).batch {
        taken.push((batch.demand.operation, batch.segments));
    }
    assert_eq!(taken.len(), 3);
    assert!(taken.contains(&(tree, vec![Segment { id: 1, range: 0..5_000 }])));
    assert!(taken.contains(&(tree, vec![Segment { id: 2, range: 0..0 }])));
}

#[test]
fn operations_that_combine_items_never_mix_tenants() {
    let now = Instant::now();
    let mut batcher = Batcher::new(AGING);
    let combined = Operation::Verify(Ruleset::Ed25519Zip215);
    for id in 0..20 {
        let tenant = if id % 2 == 0 { "even" } else { "odd" };
        batcher.push(Entry { demand: combined.into(), ..entry(id, tenant, Priority::Block, 1, now) });
    }
    while let Some(batch) = batcher.take(now, &room(100)).batch {
        let parity = batch.segments[0].id % 2;
        assert!(batch.segments.iter().all(|segment| segment.id % 2 == parity), "{batch:?}");
    }
}

#[test]
fn a_batch_closes_on_bytes_and_on_compute() {
    let now = Instant::now();
    let mut batcher = Batcher::new(AGING);
    batcher.push(entry(1, "a", Priority::Block, 1_000, now));
    let bytes = Room { bytes_max: 1_050, ..room(4_096) };
    assert_eq!(batcher.take(now, &bytes).batch.expect("a batch").segments[0].range, 0..10);
    let compute = Room { compute_max: Duration::from_millis(1), ..room(4_096) };
    assert_eq!(batcher.take(now, &compute).batch.expect("a batch").segments[0].range, 10..30);
    let least = Room { items_min: 64, ..compute };
    assert_eq!(batcher.take(now, &least).batch.expect("a batch").segments[0].range, 30..94);
    let tiny = Room { bytes_max: 1, ..room(4_096) };
    assert_eq!(batcher.take(now, &tiny).batch.expect("one item always goes").segments[0].range, 94..95);
}

#[test]
fn a_busy_engine_lets_work_gather_and_an_idle_one_does_not() {
    let now = Instant::now();
    let delay = Duration::from_millis(2);
    let mut batcher = Batcher::new(AGING);
    batcher.push(entry(1, "a", Priority::Block, 10, now));
    assert!(!batcher.gathers(now, false, delay, 100));
    assert!(batcher.gathers(now, true, delay, 100));
    assert!(!batcher.gathers(now + delay, true, delay, 100));
    assert!(!batcher.gathers(now, true, delay, 10));
    assert!(!batcher.gathers(now, true, Duration::ZERO, 100));
}

proptest! {
    /// Every item of every request is taken exactly once or its request is removed, batches keep their limits,
    /// and the accounts close at zero.
    #[test]
    fn nothing_is_lost_or_taken_twice(
        requests in prop::collection::vec((0_usize..3, 0_usize..4, 1_usize..300, 0_usize..3, any::<bool>()), 1..60),
        items_max in 1_usize..200,
    ) {
        let now = Instant::now();
        let mut batcher = Batcher::new(AGING);
        let operations = [VERIFY, Operation::Hash(HashAlgorithm::Sm3), Operation::Verify(Ruleset::Ed25519Zip215)];
        let mut expected = HashMap::new();
        for (id, (tenant, class, items, operation, removed)) in requests.into_iter().enumerate() {
            let id = id as RequestId;
            let tenant = ["a", "b", "c"][tenant];
            let mut new = entry(id, tenant, Priority::ALL[class], items, now);
            new.demand = operations[operation].into();
            batcher.push(new);
            if removed { prop_assert!(batcher.remove(id)) } else { expected.insert(id, items); }
        }
        let mut next: HashMap<RequestId, usize> = HashMap::new();
        while let Some(batch) = batcher.take(now, &room(items_max)).batch {
            let total: usize = batch.segments.iter().map(|segment| segment.range.len()).sum();
            prop_assert!(total <= items_max && total > 0);
            for segment in batch.segments {
                let at = next.entry(segment.id).or_default();
                prop_assert_eq!(*at, segment.range.start);
                *at = segment.range.end;
            }
        }
        prop_assert_eq!(next, expected);
        prop_assert_eq!(batcher.waiting(), Waiting::default());
        prop_assert!(batcher.ring.is_empty());
    }
}
