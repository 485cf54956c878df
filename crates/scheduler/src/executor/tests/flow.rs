//! Order, priorities, deadlines, limits, drain, reload.

use proptest::prelude::*;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_gets_their_own_order_back() {
    let batch = BatchOptions { items_max: 100, ..options().batch };
    let scheduler = Scheduler::new(SchedulerOptions { batch, ..options() }, vec![cpu(3, echo)]);
    let mut waiting = Vec::new();
    for i in 0..200_u64 {
        let items = (i * 37 % 400) as usize;
        let work = match i % 4 {
            0 => signatures(Ruleset::Bitcoin, i * 1_000, items),
            1 => Work::Recover(signature_work(Ruleset::EthereumTransaction, i * 1_000, items)),
            2 => hashes(i * 1_000, items),
            _ => signatures(Ruleset::Ed25519Zip215, i * 1_000, items),
        };
        let mut request = request(work);
        request.tenant = ["a", "b", "c"][i as usize % 3].into();
        request.priority = Priority::ALL[i as usize % 4];
        let scheduler = scheduler.clone();
        waiting.push(tokio::spawn(async move { (request.work.clone(), scheduler.submit(request).await) }));
    }
    for waiting in waiting {
        let (work, answer) = waiting.await.expect("no panic");
        assert!(is_echo(&work, &answer.expect("an answer")));
    }
    until(|| is_empty(&scheduler)).await;
}

#[tokio::test]
async fn empty_requests_and_trees_are_answered() {
    let scheduler = Scheduler::new(options(), vec![cpu(1, echo)]);
    let nothing = scheduler.submit(request(hashes(0, 0))).await.expect("an answer");
    assert!(nothing.verdicts.is_empty());
    for leaves in [0, 1, 5_000] {
        let leaves = ColumnBuf::from_items(&vec![[0_u8; 8]; leaves]);
        let tree = MerkleTree::Binary;
        let work = Work::Merkle(MerkleWork { tree, algorithm: HashAlgorithm::Sha256, leaves, prove: None });
        // The echo runner answers nothing for a tree of no leaves, which is its way of a verdict of none.
        let answer = scheduler.submit(request(work)).await.expect("an answer");
        assert_eq!((answer.verdicts.len(), answer.fixed.len()), (1, 32));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consensus_request_does_not_wait_for_bulk() {
    let slow = |work: &Work, range: Range<usize>| {
        std::thread::sleep(Duration::from_micros(50) * range.len() as u32);
        echo(work, range)
    };
    let scheduler = Scheduler::new(options(), vec![cpu(1, slow)]);
    // 20,000 items of 50 us: a second of work on the one thread.
    let bulk = Request { priority: Priority::Bulk, ..request(hashes(0, 20_000)) };
    let behind = tokio::spawn({
        let scheduler = scheduler.clone();
        async move { scheduler.submit(bulk).await }
    });
    until(|| scheduler.stats().engines[0].running_jobs > 0).await;
    let started = Instant::now();
    let vote = Request { priority: Priority::Consensus, ..request(hashes(7, 1)) };
    scheduler.submit(vote).await.expect("an answer");
    assert!(started.elapsed() < Duration::from_millis(200), "{:?}", started.elapsed());
    assert!(!behind.is_finished());
    behind.abort();
    until(|| is_empty(&scheduler)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_past_its_deadline_is_not_run() {
    let (open, ran, runner) = gated();
    let scheduler = Scheduler::new(options(), vec![cpu(1, runner)]);
    let first = tokio::spawn({
        let scheduler = scheduler.clone();
        async move { scheduler.submit(request(hashes(0, 1))).await }
    });
    until(|| scheduler.stats().engines[0].running_jobs == 1).await;
    let late = Request { deadline: Some(Instant::now() + Duration::from_millis(20)), ..request(hashes(5, 500)) };
    assert_eq!(scheduler.submit(late).await, Err(Rejection::DeadlineExceeded { predicted: None }));
    let past = Request { deadline: Some(Instant::now()), ..request(hashes(5, 500)) };
    assert_eq!(scheduler.submit(past).await, Err(Rejection::DeadlineExceeded { predicted: None }));
    drop(open);
    first.await.expect("no panic").expect("an answer");
    until(|| is_empty(&scheduler)).await;
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_in_time_is_refused_at_once() {
    let slow = |work: &Work, range: Range<usize>| {
        std::thread::sleep(Duration::from_micros(200) * range.len() as u32);
        echo(work, range)
    };
    let scheduler = Scheduler::new(options(), vec![cpu(1, slow)]);
    scheduler.submit(request(hashes(0, 200))).await.expect("an answer");
    let started = Instant::now();
    let deadline = Some(started + Duration::from_millis(100));
    let refused = scheduler.submit(Request { deadline, ..request(hashes(0, 10_000)) }).await;
    assert!(matches!(refused, Err(Rejection::DeadlineExceeded { predicted: Some(_) })), "{refused:?}");
    assert!(started.elapsed() < Duration::from_millis(50));
    scheduler.submit(Request { deadline, ..request(hashes(0, 5)) }).await.expect("this one is in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_future_that_is_dropped_gives_everything_back() {
    let (open, ran, runner) = gated();
    let scheduler = Scheduler::new(options(), vec![cpu(1, runner)]);
    let mut given_up = Vec::new();
    for i in 0..50 {
        let scheduler = scheduler.clone();
        given_up.push(tokio::spawn(async move { scheduler.submit(request(hashes(i, 300))).await }));
    }
    until(|| scheduler.stats().held.requests == 50).await;
    for one in &given_up {
        one.abort();
    }
    until(|| scheduler.stats().held == Load::default()).await;
    assert_eq!(scheduler.stats().engines[0].waiting_items, 0);
    drop(open);
    until(|| is_empty(&scheduler)).await;
    // At most the piece that was running, and those of one job that had been begun.
    assert!(ran.load(Ordering::SeqCst) <= 32, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drain_answers_what_is_there_and_refuses_what_comes() {
    let (open, _, runner) = gated();
    let scheduler = Scheduler::new(options(), vec![cpu(1, runner)]);
    let submit = |seed| {
        let scheduler = scheduler.clone();
        tokio::spawn(async move { scheduler.submit(request(hashes(seed, 40))).await })
    };
    let there = submit(0);
    until(|| scheduler.stats().held.requests == 1).await;
    let drained = tokio::spawn({
        let scheduler = scheduler.clone();
        async move { scheduler.drain().await }
    });
    until(|| scheduler.stats().draining).await;
    let refused = submit(1).await.expect("no panic");
    assert!(matches!(refused, Err(Rejection::Draining { .. })), "{refused:?}");
    assert!(!drained.is_finished());
    drop(open);
    there.await.expect("no panic").expect("an answer");
    drained.await.expect("drained");
}

#[tokio::test]
async fn reload_is_obeyed_by_what_comes() {
    let scheduler = Scheduler::new(options(), vec![cpu(1, echo)]);
    scheduler.submit(request(hashes(0, 100))).await.expect("an answer");
    let mut tight = options();
    tight.quota.items_max = 50;
    scheduler.reload(tight);
    let refused = scheduler.submit(request(hashes(0, 100))).await;
    assert!(matches!(refused, Err(Rejection::TooLarge { .. })), "{refused:?}");
    scheduler.reload(options());
    scheduler.submit(request(hashes(0, 100))).await.expect("an answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_refused_at_once_and_consensus_still_gets_in() {
    let (open, _, runner) = gated();
    let mut small = options();
    small.quota.items_max = 1_000;
    let scheduler = Scheduler::new(small, vec![cpu(1, runner)]);
    let submit = |priority, items| {
        let request = Request { priority, ..request(hashes(0, items)) };
        let scheduler = scheduler.clone();
        tokio::spawn(async move { scheduler.submit(request).await })
    };
    let there = submit(Priority::Bulk, 800);
    until(|| scheduler.stats().held.requests == 1).await;
    let refused = submit(Priority::Block, 100).await.expect("no panic");
    assert!(matches!(refused, Err(Rejection::Overloaded { .. })), "{refused:?}");
    let vote = submit(Priority::Consensus, 100);
    until(|| scheduler.stats().held.requests == 2).await;
    drop(open);
    vote.await.expect("no panic").expect("an answer");
    there.await.expect("no panic").expect("an answer");
}

/// Not a benchmark: it prints what the way through the scheduler adds, and fails only where it is absurd.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overhead_is_small() {
    let scheduler = Scheduler::new(options(), vec![cpu(1, echo)]);
    let runs: Vec<Duration> = (0..500)
        .map(|_| {
            let started = Instant::now();
            std::hint::black_box(echo(&hashes(0, 1_000), 0..1_000));
            started.elapsed()
        })
        .collect();
    println!("the runner alone, making its input, 1000 items: about {:?}", runs[250]);
    for (items, bound_us) in [(1, 2_000), (1_000, 5_000)] {
        let request = request(hashes(0, items));
        let mut times = Vec::new();
        for _ in 0..500 {
            let started = Instant::now();
            scheduler.submit(request.clone()).await.expect("an answer");
            times.push(started.elapsed());
        }
        times.sort();
        println!("{items} items: median {:?}, p90 {:?}", times[250], times[450]);
        assert!(times[250] < Duration::from_micros(bound_us));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Submissions, time-outs and departures at random: what is answered is right, and nothing stays behind.
    #[test]
    fn accounts_close_whatever_callers_do(
        calls in prop::collection::vec((0_usize..120, 0_usize..3, 0_usize..4, 0_u64..8), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let slow = |work: &Work, range: Range<usize>| {
                std::thread::sleep(Duration::from_micros(2) * range.len() as u32);
                echo(work, range)
            };
            let batch = BatchOptions { items_max: 64, ..options().batch };
            let scheduler = Scheduler::new(SchedulerOptions { batch, ..options() }, vec![cpu(2, slow)]);
            let mut waiting = Vec::new();
            for (i, (items, tenant, class, patience)) in calls.into_iter().enumerate() {
                let deadline = (patience > 4).then(|| Instant::now() + Duration::from_millis(patience - 4));
                let request = Request {
                    tenant: ["a", "b", "c"][tenant].into(),
                    priority: Priority::ALL[class],
                    deadline,
                    ..request(hashes(i as u64 * 1_000, items))
                };
                let scheduler = scheduler.clone();
                let work = request.work.clone();
                let call = tokio::spawn(async move { scheduler.submit(request).await });
                if patience == 0 { call.abort(); } else { waiting.push((work, deadline, call)); }
            }
            for (work, deadline, call) in waiting {
                match call.await.expect("no panic") {
                    Ok(output) => assert!(is_echo(&work, &output)),
                    Err(Rejection::DeadlineExceeded { .. }) => assert!(deadline.is_some()),
                    Err(other) => panic!("{other}"),
                }
            }
            until(|| is_empty(&scheduler)).await;
        });
    }
}
