//! Two engines on the same threads: plain cores and lanes.

use outrigger_types::Engine;

use super::*;

/// A scheduler over `threads` threads with both engines, each with a runner of its own.
fn both(threads: usize, plain: impl Runner, lanes: impl Runner) -> Scheduler {
    let cores = cpu(threads, plain);
    let vector = cores.with_lanes_runner(lanes);
    Scheduler::new(options(), vec![cores, Arc::new(vector)])
}

/// Takes so long for a group of eight, however many of it are there, as lanes do.
fn in_groups(group: Duration) -> impl Runner {
    move |work: &Work, range: Range<usize>| {
        std::thread::sleep(group * range.len().div_ceil(8) as u32);
        echo(work, range)
    }
}

fn one_by_one(item: Duration) -> impl Runner {
    move |work: &Work, range: Range<usize>| {
        std::thread::sleep(item * range.len() as u32);
        echo(work, range)
    }
}

fn items_of(scheduler: &Scheduler, backend: Backend) -> usize {
    let stats = scheduler.stats();
    stats.engines.iter().filter(|engine| engine.backend == backend).map(|engine| engine.running_items).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_item_is_answered_right_whoever_does_it() {
    let scheduler = both(3, echo, echo);
    let mut waiting = Vec::new();
    for i in 0..60_u64 {
        let backend = [None, Some(Backend::Cpu), Some(Backend::Vector), None][i as usize % 4];
        let request = Request { backend, ..request(hashes(i * 1_000, 1 + (i as usize * 13) % 200)) };
        let scheduler = scheduler.clone();
        waiting.push(tokio::spawn(async move { (request.work.clone(), scheduler.submit(request).await) }));
    }
    for waiting in waiting {
        let (work, answer) = waiting.await.expect("no panic");
        assert!(is_echo(&work, &answer.expect("an answer")));
    }
    until(|| is_empty(&scheduler)).await;
}

/// Costs decide, once both are known. By a wide margin here: sleeps on a loaded machine are long; where cores and lanes
/// meet, the tests of placement say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_where_it_finishes_first() {
    let ms = Duration::from_millis;
    for (group, winner) in [(ms(2), Backend::Vector), (ms(200), Backend::Cpu)] {
        let scheduler = both(1, one_by_one(ms(2)), in_groups(group));
        for backend in [Backend::Cpu, Backend::Vector] {
            for items in [1, 4, 16] {
                let learn = Request { backend: Some(backend), ..request(hashes(0, items)) };
                scheduler.submit(learn).await.expect("an answer");
            }
        }
        let running = scheduler.clone();
        let work = tokio::spawn(async move { running.submit(request(hashes(0, 64))).await });
        until(|| items_of(&scheduler, Backend::Cpu) + items_of(&scheduler, Backend::Vector) > 0).await;
        assert!(items_of(&scheduler, winner) > 0, "groups take {group:?}");
        work.await.expect("no panic").expect("an answer");
    }
}

/// Single items of many callers fill lanes together, and each gets its own answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_items_share_lanes() {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = sizes.clone();
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let scheduler = both(1, echo, move |work: &Work, range: Range<usize>| {
        let _ = gate.lock().expect("unpoisoned").recv();
        seen.lock().expect("unpoisoned").push(range.len());
        echo(work, range)
    });
    let mut waiting = Vec::new();
    for i in 0..41_u64 {
        let request = Request { backend: Some(Backend::Vector), ..request(hashes(i * 7, 1)) };
        let submitting = scheduler.clone();
        waiting.push(tokio::spawn(async move { (request.work.clone(), submitting.submit(request).await) }));
        if i == 0 {
            until(|| items_of(&scheduler, Backend::Vector) == 1).await;
        }
    }
    until(|| scheduler.stats().held.items == 41).await;
    drop(open);
    for waiting in waiting {
        let (work, answer) = waiting.await.expect("no panic");
        assert!(is_echo(&work, &answer.expect("an answer")));
    }
    // Pieces of 16, the preferred size here.
    let sizes = sizes.lock().expect("unpoisoned").clone();
    assert_eq!(sizes.iter().sum::<usize>(), 41);
    assert!(sizes.len() <= 6 && sizes.contains(&16), "{sizes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lanes_break_on_is_done_again_on_plain_cores() {
    let faults = Arc::new(AtomicUsize::new(0));
    let count = faults.clone();
    let scheduler = both(2, one_by_one(Duration::from_millis(1)), move |_: &Work, _: Range<usize>| -> Output {
        count.fetch_add(1, Ordering::SeqCst);
        panic!("a carry too many")
    });
    for i in 0..6_u64 {
        let request = request(hashes(i * 100, 40));
        let work = request.work.clone();
        assert!(is_echo(&work, &scheduler.submit(request).await.expect("an answer")));
    }
    let forced = Request { backend: Some(Backend::Vector), ..request(hashes(0, 40)) };
    for _ in 0..3 {
        let answer = scheduler.submit(forced.clone()).await;
        assert!(matches!(answer, Err(Rejection::Internal(_) | Rejection::BackendUnavailable(_))), "{answer:?}");
    }
    let stats = scheduler.stats();
    assert!(stats.engines[0].healthy && !stats.engines[1].healthy, "the lanes are taken out, the cores are not");
    let broken = faults.load(Ordering::SeqCst);
    for i in 0..6_u64 {
        scheduler.submit(request(hashes(i * 100, 40))).await.expect("an answer");
    }
    assert_eq!(faults.load(Ordering::SeqCst), broken, "and are left alone");
}

/// What waits or runs in lanes is ahead of plain work too, and urgent work overtakes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_stand_in_one_queue() {
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let begun = Arc::new(AtomicUsize::new(0));
    let count = begun.clone();
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = order.clone();
    let scheduler = both(
        1,
        move |work: &Work, range: Range<usize>| {
            seen.lock().expect("unpoisoned").push(range.len());
            echo(work, range)
        },
        move |work: &Work, range: Range<usize>| {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = gate.lock().expect("unpoisoned").recv();
            echo(work, range)
        },
    );
    let submit = |backend, priority, items| {
        let request = Request { backend: Some(backend), priority, ..request(hashes(0, items)) };
        let scheduler = scheduler.clone();
        tokio::spawn(async move { scheduler.submit(request).await })
    };
    let blocker = submit(Backend::Vector, Priority::Bulk, 8);
    until(|| begun.load(Ordering::SeqCst) == 1).await;
    let later = submit(Backend::Cpu, Priority::Bulk, 2);
    until(|| scheduler.stats().held.requests == 2).await;
    let vote = submit(Backend::Cpu, Priority::Consensus, 1);
    until(|| scheduler.stats().held.requests == 3).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(order.lock().expect("unpoisoned").is_empty(), "the one thread is busy with lanes");
    drop(open);
    for call in [blocker, later, vote] {
        call.await.expect("no panic").expect("an answer");
    }
    assert_eq!(*order.lock().expect("unpoisoned"), [1, 2]);
}

/// Lanes that no room has pass no trial: the engine says so, and nothing is asked of it.
#[tokio::test]
async fn lanes_without_a_trial_answer_nothing() {
    let cores = CoreEngine::new(CoreOptions { threads: NonZeroUsize::new(1), ..CoreOptions::default() });
    let lanes = cores.lanes(outrigger_algorithms::Unit::PORTABLE);
    lanes.warm_up();
    assert_eq!((lanes.backend(), lanes.threads()), (Backend::Vector, 1));
    assert!(lanes.device().ends_with("portable"), "{}", lanes.device());
    let proofs = Operation::VerifyProofs(outrigger_types::Curve::Bn254);
    assert!(cores.supports(proofs) && !lanes.supports(proofs));
    let scheduler = Scheduler::new(options(), vec![Arc::new(cores), Arc::new(lanes)]);
    let tree = MerkleWork {
        tree: MerkleTree::EthereumTrie,
        algorithm: HashAlgorithm::Keccak256,
        leaves: ColumnBuf::from_items(&[[1; 4]; 3]),
        prove: None,
    };
    let answer = scheduler.submit(Request { backend: Some(Backend::Vector), ..request(Work::Merkle(tree)) }).await;
    assert!(matches!(answer, Err(Rejection::BackendUnavailable(_))), "{answer:?}");
}
