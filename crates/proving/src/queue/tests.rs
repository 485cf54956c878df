use super::*;

const MINUTE: Duration = Duration::from_secs(60);

/// A queue whose jobs are named, and a clock that stands where it is put.
struct Bench {
    queue: Queue<&'static str>,
    start: Instant,
    number: u64,
}

impl Bench {
    fn new() -> Self {
        Self { queue: Queue::new(MINUTE), start: Instant::now(), number: 0 }
    }

    fn push(&mut self, item: &'static str, tenant: &str, priority: Priority, at: Duration) -> u64 {
        self.number += 1;
        let since = self.start + at;
        self.queue.push(Waiting { number: self.number, tenant: tenant.into(), priority, since, item });
        self.number
    }

    fn pop(&mut self, at: Duration) -> Option<&'static str> {
        self.queue.pop(self.start + at).map(|waiting| waiting.item)
    }

    fn order(&self, at: Duration) -> Vec<&'static str> {
        self.queue.in_order(self.start + at).map(|waiting| waiting.item).collect()
    }

    fn pop_all(&mut self, at: Duration) -> Vec<&'static str> {
        std::iter::from_fn(|| self.pop(at)).collect()
    }
}

#[test]
fn urgent_classes_go_first() {
    let mut bench = Bench::new();
    bench.push("bulk", "a", Priority::Bulk, Duration::ZERO);
    bench.push("mempool", "a", Priority::Mempool, Duration::ZERO);
    bench.push("consensus", "a", Priority::Consensus, Duration::ZERO);
    bench.push("block", "a", Priority::Block, Duration::ZERO);
    assert_eq!(bench.pop_all(Duration::ZERO), ["consensus", "block", "mempool", "bulk"]);
}

#[test]
fn within_a_tenant_jobs_go_in_the_order_of_their_coming() {
    let mut bench = Bench::new();
    for item in ["1", "2", "3"] {
        bench.push(item, "a", Priority::Block, Duration::ZERO);
    }
    assert_eq!(bench.pop_all(Duration::ZERO), ["1", "2", "3"]);
}

#[test]
fn tenants_take_turns() {
    let mut bench = Bench::new();
    for item in ["a1", "a2", "a3", "a4"] {
        bench.push(item, "a", Priority::Block, Duration::ZERO);
    }
    bench.push("b1", "b", Priority::Block, Duration::ZERO);
    bench.push("c1", "c", Priority::Block, Duration::ZERO);
    bench.push("b2", "b", Priority::Block, Duration::ZERO);
    assert_eq!(bench.pop_all(Duration::ZERO), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
}

#[test]
fn who_comes_one_at_a_time_does_not_push_a_backlog_aside() {
    let mut bench = Bench::new();
    for item in ["b1", "b2"] {
        bench.push(item, "b", Priority::Block, Duration::ZERO);
    }
    bench.push("a1", "a", Priority::Block, Duration::ZERO);
    assert_eq!(bench.pop(Duration::ZERO), Some("b1"));
    assert_eq!(bench.pop(Duration::ZERO), Some("a1"));
    bench.push("a2", "a", Priority::Block, Duration::ZERO);
    assert_eq!(bench.pop(Duration::ZERO), Some("b2"), "a had its turn after b");
    assert_eq!(bench.pop(Duration::ZERO), Some("a2"));
}

#[test]
fn waiting_makes_urgent() {
    let mut bench = Bench::new();
    bench.push("old bulk", "a", Priority::Bulk, Duration::ZERO);
    bench.push("mempool", "b", Priority::Mempool, MINUTE);
    // One class up at exactly one minute, not a moment before.
    assert_eq!(bench.order(MINUTE - Duration::from_nanos(1)), ["mempool", "old bulk"]);
    assert_eq!(bench.order(MINUTE), ["old bulk", "mempool"]);
    bench.push("consensus", "b", Priority::Consensus, MINUTE * 2);
    assert_eq!(bench.order(MINUTE * 2), ["consensus", "old bulk", "mempool"], "two minutes are two classes");
    assert_eq!(bench.order(MINUTE * 3), ["old bulk", "mempool", "consensus"], "nothing passes the highest class");
    assert_eq!(bench.order(MINUTE * 1000), ["old bulk", "mempool", "consensus"]);
}

#[test]
fn without_an_aging_time_nothing_ages() {
    let mut queue = Queue::new(Duration::ZERO);
    let start = Instant::now();
    for (number, priority) in [(1, Priority::Bulk), (2, Priority::Mempool)] {
        queue.push(Waiting { number, tenant: "a".into(), priority, since: start, item: number });
    }
    assert_eq!(queue.pop(start + MINUTE * 1000).map(|waiting| waiting.item), Some(2));
}

#[test]
fn a_job_can_be_taken_out() {
    let mut bench = Bench::new();
    let first = bench.push("1", "a", Priority::Block, Duration::ZERO);
    bench.push("2", "a", Priority::Block, Duration::ZERO);
    bench.push("3", "b", Priority::Bulk, Duration::ZERO);
    assert_eq!(bench.queue.remove(first).map(|waiting| waiting.item), Some("1"));
    assert!(bench.queue.remove(first).is_none());
    let bulk = bench.queue.remove_where(|waiting| waiting.priority == Priority::Bulk);
    assert_eq!(bulk.len(), 1);
    assert_eq!(bench.order(Duration::ZERO), ["2"]);
    assert_eq!(bench.queue.len(), 1);
}

#[test]
fn who_is_ahead_of_a_newcomer() {
    let mut bench = Bench::new();
    for item in ["a1", "a2"] {
        bench.push(item, "a", Priority::Block, Duration::ZERO);
    }
    bench.push("c1", "c", Priority::Consensus, Duration::ZERO);
    let ahead = |bench: &Bench, tenant: &str, priority| -> Vec<_> {
        bench.queue.ahead_of(&tenant.into(), priority, bench.start).map(|waiting| waiting.item).collect()
    };
    assert_eq!(ahead(&bench, "b", Priority::Block), ["c1", "a1"]);
    assert_eq!(ahead(&bench, "a", Priority::Block), ["c1", "a1", "a2"]);
    assert_eq!(ahead(&bench, "b", Priority::Bulk), ["c1", "a1", "a2"]);
    assert_eq!(ahead(&bench, "b", Priority::Consensus), ["c1"]);
}

proptest::proptest! {
    /// What the queue foretells is what it does, and nothing is lost or doubled.
    #[test]
    fn the_order_foretold_is_the_order_kept(jobs in proptest::collection::vec((0..4_usize, 0..3_usize, 0..300_u64), 0..40)) {
        let start = Instant::now();
        let mut queue = Queue::new(MINUTE);
        for (number, (priority, tenant, age)) in jobs.iter().enumerate() {
            let since = start + Duration::from_secs(*age);
            let tenant = ["a", "b", "c"][*tenant].into();
            let number = number as u64;
            queue.push(Waiting { number, tenant, priority: Priority::ALL[*priority], since, item: number });
        }
        let now = start + MINUTE * 5;
        let foretold: Vec<_> = queue.in_order(now).map(|waiting| waiting.item).collect();
        let kept: Vec<_> = std::iter::from_fn(|| queue.pop(now).map(|waiting| waiting.item)).collect();
        proptest::prop_assert_eq!(&foretold, &kept);
        let mut sorted = kept;
        sorted.sort_unstable();
        proptest::prop_assert_eq!(sorted, (0..jobs.len() as u64).collect::<Vec<_>>());
    }
}
