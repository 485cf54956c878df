//! The cache, and equal work in flight.

use super::*;

fn cached() -> SchedulerOptions {
    SchedulerOptions { cache_entries: 10_000, ..SchedulerOptions::default() }
}

fn counting() -> (Arc<AtomicUsize>, impl Runner) {
    let ran = Arc::new(AtomicUsize::new(0));
    let counter = ran.clone();
    let runner = move |work: &Work, range: Range<usize>| {
        counter.fetch_add(range.len(), Ordering::SeqCst);
        echo(work, range)
    };
    (ran, runner)
}

#[tokio::test]
async fn what_was_judged_is_not_judged_again() {
    let (ran, runner) = counting();
    let scheduler = Scheduler::new(cached(), vec![cpu(2, runner)]);
    for (seed, items, total) in [(0, 100, 100), (0, 100, 100), (50, 100, 150), (149, 2, 151), (0, 151, 151)] {
        let asked = request(signatures(Ruleset::Bitcoin, seed, items));
        let answer = scheduler.submit(asked.clone()).await.expect("an answer");
        assert!(is_echo(&asked.work, &answer));
        assert_eq!(ran.load(Ordering::SeqCst), total);
    }
    assert_eq!(scheduler.stats().cache_entries, 151);
}

#[tokio::test]
async fn recovered_keys_come_back_from_the_cache() {
    let (ran, runner) = counting();
    let scheduler = Scheduler::new(cached(), vec![cpu(2, runner)]);
    for seed in [0, 0, 5] {
        let asked = request(Work::Recover(signature_work(Ruleset::EthereumTransaction, seed, 20)));
        let answer = scheduler.submit(asked.clone()).await.expect("an answer");
        assert!(is_echo(&asked.work, &answer));
    }
    assert_eq!(ran.load(Ordering::SeqCst), 25);
}

#[tokio::test]
async fn nothing_that_matters_is_left_out_of_the_key() {
    let (ran, runner) = counting();
    let scheduler = Scheduler::new(cached(), vec![cpu(1, runner)]);
    let base = signature_work(Ruleset::Sm2Message, 1, 1);
    let mut variants = vec![base.clone(); 7];
    variants[1].options.identity = Bytes::from_static(b"someone");
    variants[2].options.message_form = MessageForm::Message;
    variants[3].options.allow_high_s = true;
    variants[4].ruleset = Ruleset::FiscoSm2;
    // The same bytes, cut elsewhere.
    variants[5].keys = Keys::Inline(ColumnBuf::from_items(&[[1; 34]]));
    variants[5].signatures = ColumnBuf::from_items(&[[1; 63]]);
    for (count, variant) in variants[..6].iter().enumerate() {
        scheduler.submit(request(Work::Verify(variant.clone()))).await.expect("an answer");
        assert_eq!(ran.load(Ordering::SeqCst), count + 1);
    }
    // The same operation through a key set is the same work; recovery is not.
    variants[6].keys = Keys::Indexed { set: Arc::new(ColumnBuf::from_items(&[[1; 33]])), indices: vec![0] };
    scheduler.submit(request(Work::Verify(variants[6].clone()))).await.expect("an answer");
    assert_eq!(ran.load(Ordering::SeqCst), 6);
    scheduler.submit(request(Work::Recover(base))).await.expect("an answer");
    assert_eq!(ran.load(Ordering::SeqCst), 7);
}

#[tokio::test]
async fn a_forced_backend_answers_for_itself() {
    let (ran, runner) = counting();
    let scheduler = Scheduler::new(cached(), vec![cpu(1, runner)]);
    for _ in 0..2 {
        let forced = Request { backend: Some(Backend::Cpu), ..request(signatures(Ruleset::Bitcoin, 0, 10)) };
        scheduler.submit(forced).await.expect("an answer");
    }
    assert_eq!((ran.load(Ordering::SeqCst), scheduler.stats().cache_entries), (20, 0));
}

#[tokio::test]
async fn equal_items_of_one_request_are_judged_once() {
    let (ran, runner) = counting();
    let scheduler = Scheduler::new(cached(), vec![cpu(1, runner)]);
    let mut work = signature_work(Ruleset::Bitcoin, 1, 4);
    let messages: Vec<[u8; 32]> = [7, 7, 8, 7].iter().map(|&byte| [byte; 32]).collect();
    work.messages = ColumnBuf::from_items(&messages);
    let asked = request(Work::Verify(work));
    let answer = scheduler.submit(asked.clone()).await.expect("an answer");
    assert!(is_echo(&asked.work, &answer));
    assert_eq!(ran.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_work_in_flight_is_done_once() {
    let (open, ran, runner) = gated();
    let scheduler = Scheduler::new(cached(), vec![cpu(1, runner)]);
    let submit = || {
        let scheduler = scheduler.clone();
        tokio::spawn(async move { scheduler.submit(request(signatures(Ruleset::Bitcoin, 0, 10))).await })
    };
    let first = submit();
    until(|| scheduler.stats().engines[0].running_items == 10).await;
    let others: Vec<_> = (0..5).map(|_| submit()).collect();
    until(|| scheduler.stats().held.requests == 6).await;
    drop(open);
    let expected = first.await.expect("no panic").expect("an answer");
    for other in others {
        assert_eq!(other.await.expect("no panic").expect("an answer"), expected);
    }
    assert_eq!(ran.load(Ordering::SeqCst), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_does_it_when_the_other_goes_away() {
    let (open, _, runner) = gated();
    let scheduler = Scheduler::new(cached(), vec![cpu(1, runner)]);
    let submit = || {
        let scheduler = scheduler.clone();
        tokio::spawn(async move { scheduler.submit(request(signatures(Ruleset::Bitcoin, 0, 10))).await })
    };
    let first = submit();
    until(|| scheduler.stats().engines[0].running_items == 10).await;
    let second = submit();
    until(|| scheduler.stats().held.requests == 2).await;
    first.abort();
    drop(open);
    let answer = second.await.expect("no panic").expect("an answer");
    assert!(is_echo(&signatures(Ruleset::Bitcoin, 0, 10), &answer));
    until(|| is_empty(&scheduler)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urgent_work_does_not_wait_for_a_lower_class() {
    let (open, ran, runner) = gated();
    let scheduler = Scheduler::new(cached(), vec![cpu(2, runner)]);
    let submit = |priority| {
        let request = Request { priority, ..request(signatures(Ruleset::Bitcoin, 0, 1)) };
        let scheduler = scheduler.clone();
        tokio::spawn(async move { scheduler.submit(request).await })
    };
    let bulk = submit(Priority::Bulk);
    until(|| scheduler.stats().engines[0].running_items == 1).await;
    let vote = submit(Priority::Consensus);
    until(|| scheduler.stats().engines[0].running_items == 2).await;
    drop(open);
    assert_eq!(vote.await.expect("no panic"), bulk.await.expect("no panic"));
    assert_eq!(ran.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_fault_leaves_nothing_in_the_cache() {
    let scheduler = Scheduler::new(cached(), vec![cpu(1, |_: &Work, _: Range<usize>| panic!("damaged"))]);
    let refused = scheduler.submit(request(signatures(Ruleset::Bitcoin, 0, 3))).await;
    assert!(matches!(refused, Err(Rejection::Internal(_))), "{refused:?}");
    assert_eq!(scheduler.stats().cache_entries, 0);
}
