//! Jobs that live as long as their caller listens, and heavy calls.

use super::*;

#[tokio::test]
async fn a_proof_goes_through_its_states() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let first = bench.occupy().await;
    let mut second = bench.service.prove(request("second")).await.expect("it is taken");
    let third = bench.service.prove(request("third")).await.expect("it is taken");
    assert_eq!((second.now(), third.now()), (JobState::Queued(0), JobState::Queued(1)));
    drop(first);
    let mut percent = 0;
    loop {
        match second.changed().await {
            JobState::Queued(ahead) => assert_eq!(ahead, 0),
            JobState::Running { percent: now, .. } => {
                assert!(now >= percent, "it never falls");
                percent = now;
            }
            state => {
                assert_eq!(state, done("second"));
                break;
            }
        }
    }
    assert_eq!(second.changed().await, done("second"), "the end is said again");
    assert_eq!(end(third).await, done("third"));
}

#[tokio::test]
async fn failures_and_panics_end_their_own_job_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    for (script, reason) in [("bad", "invalid_argument"), ("panic", "internal")] {
        let watch = bench.service.prove(request(script)).await.expect("it is taken");
        assert_eq!(failed_for(end(watch).await), reason);
    }
    let watch = bench.service.prove(request("good")).await.expect("it is taken");
    assert_eq!(end(watch).await, done("good"));
}

#[tokio::test]
async fn a_dropped_watch_cancels_its_job_where_it_waits_and_where_it_runs() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let running = bench.occupy().await;
    let waiting = bench.service.prove(request("never")).await.expect("it is taken");
    let last = bench.service.prove(request("last")).await.expect("it is taken");
    drop(waiting);
    assert_eq!(last.now(), JobState::Queued(0), "who waited behind it moves up");
    drop(running);
    assert_eq!(end(last).await, done("last"));
    assert_eq!(bench.next_begun(), "last", "the one that was dropped never began");
}

#[tokio::test]
async fn what_can_be_refused_is_refused_before_any_work() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::with(&ProvingOptions { jobs_max: 3, tenant_jobs_max: 2, ..options(directory.path()) });
    let refusal = async |request| bench.service.prove(request).await.err().expect("it is refused").reason();
    assert_eq!(refusal(ProofRequest { circuit: CircuitId([2; 32]), ..request("x") }).await, "not_found");
    let inputs = Secret::Inputs(Zeroizing::new(b"{}".to_vec()));
    assert_eq!(refusal(ProofRequest { secret: inputs, ..request("x") }).await, "not_ready");
    let forced = ProofRequest { backend: Some(Backend::Cuda), ..request("x") };
    assert_eq!(refusal(forced).await, "backend_unavailable");
    let late = ProofRequest { deadline: Some(Instant::now()), ..request("x") };
    assert_eq!(refusal(late).await, "deadline_exceeded");
    let large = Secret::Witness(Zeroizing::new(vec![0; 1001]));
    assert_eq!(refusal(ProofRequest { secret: large, ..request("x") }).await, "too_large");

    let _running = bench.occupy().await;
    let _waiting = bench.service.prove(request("x")).await.expect("the tenant may have two");
    assert_eq!(refusal(request("x")).await, "tenant_quota");
    let other = |tenant: &str| ProofRequest { tenant: tenant.into(), ..request("x") };
    let _third = bench.service.prove(other("u")).await.expect("three may be there");
    assert_eq!(refusal(other("v")).await, "overloaded");
}

#[tokio::test]
async fn forcing_the_cpu_is_well() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let forced = ProofRequest { backend: Some(Backend::Cpu), ..request("x") };
    assert_eq!(end(bench.service.prove(forced).await.expect("it is taken")).await, done("x"));
}

#[tokio::test]
async fn who_ended_may_ask_again_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::with(&ProvingOptions { tenant_jobs_max: 1, ..options(directory.path()) });
    for _ in 0..50 {
        let watch = bench.service.prove(request("x")).await.expect("the place was given back before the answer");
        assert_eq!(end(watch).await, done("x"));
    }
}

#[tokio::test]
async fn deadlines_hold_in_the_queue_and_while_it_runs() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let soon = || Some(Instant::now() + Duration::from_millis(60));
    let running = bench.service.prove(ProofRequest { deadline: soon(), ..request("slow") }).await.expect("it is taken");
    let late = JobState::Failed(Rejection::DeadlineExceeded { predicted: None });
    assert_eq!(end(running).await, late);
    assert_eq!(bench.next_begun(), "slow");
    let _running = bench.occupy().await;
    let waiting = bench.service.prove(ProofRequest { deadline: soon(), ..request("x") }).await.expect("it is taken");
    assert_eq!(end(waiting).await, late, "no runner was free, and it was told on time");
}

#[tokio::test]
async fn a_deadline_that_cannot_be_met_is_refused_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    bench.service.inner.estimates.learn(CIRCUIT, Duration::from_secs(1000));
    let within = |seconds| {
        let deadline = Some(Instant::now() + Duration::from_secs(seconds));
        ProofRequest { deadline, ..request("x") }
    };
    let refused = bench.service.prove(within(900)).await.err().expect("1000 s do not go into 900");
    assert_eq!(refused, Rejection::DeadlineExceeded { predicted: Some(Duration::from_secs(1000)) });
    let _running = bench.occupy().await;
    let _waiting = bench.service.prove(request("x")).await.expect("it is taken");
    let refused = bench.service.prove(within(2500)).await.err().expect("two go before it");
    assert!(
        matches!(refused, Rejection::DeadlineExceeded { predicted: Some(predicted) } if predicted.as_secs() > 2900)
    );
    assert!(bench.service.prove(within(3100)).await.is_ok());
}

#[tokio::test]
async fn urgent_jobs_overtake() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let running = bench.occupy().await;
    let mut watches = Vec::new();
    for (script, priority) in [("1", Priority::Bulk), ("2", Priority::Mempool), ("3", Priority::Consensus)] {
        watches.push(bench.service.prove(ProofRequest { priority, ..request(script) }).await.expect("it is taken"));
    }
    let positions: Vec<_> = watches.iter().map(JobWatch::now).collect();
    assert_eq!(positions, [JobState::Queued(2), JobState::Queued(1), JobState::Queued(0)]);
    drop(running);
    assert_eq!([bench.next_begun(), bench.next_begun(), bench.next_begun()], ["3", "2", "1"]);
}

#[tokio::test]
async fn calls_run_in_the_pool() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let run = |call: fn(&Control) -> usize| bench.service.run("t".into(), Priority::Bulk, None, call);
    assert_eq!(run(|_| rayon::current_num_threads()).await, Ok(2));
    let panicked = run(|_| panic!("on purpose")).await;
    assert!(matches!(panicked, Err(Rejection::Internal(_))));
    assert_eq!(run(|_| 1).await, Ok(1), "the runner lives on");
    let late = bench.service.run("t".into(), Priority::Bulk, Some(Instant::now()), |_| ()).await;
    assert!(matches!(late, Err(Rejection::DeadlineExceeded { .. })));
}

#[tokio::test]
async fn a_dropped_call_is_cancelled_where_it_runs_and_where_it_waits() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let (tell, told) = mpsc::channel();
    let began = tell.clone();
    let call = bench.service.run("t".into(), Priority::Bulk, None, move |control| {
        let _ = began.send("began");
        while control.check().is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = began.send("cancelled");
    });
    let waits = bench.service.run("t".into(), Priority::Bulk, None, move |_| tell.send("the second ran"));
    let mut call = Box::pin(call);
    let mut waits = Box::pin(waits);
    tokio::select! {
        biased;
        _ = &mut call => panic!("it does not end by itself"),
        _ = &mut waits => panic!("it waits for the first"),
        () = tokio::time::sleep(Duration::from_millis(50)) => {}
    }
    assert_eq!(told.recv_timeout(LONG), Ok("began"));
    drop(waits);
    drop(call);
    assert_eq!(told.recv_timeout(LONG), Ok("cancelled"));
    bench.service.drain().await;
    assert!(told.try_recv().is_err(), "the second never ran");
}

#[tokio::test]
async fn draining_lets_attached_jobs_end_and_takes_no_more() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let running = bench.occupy().await;
    let waiting = bench.service.prove(request("x")).await.expect("it is taken");
    let draining = tokio::spawn({
        let service = bench.service.clone();
        async move { service.drain().await }
    });
    while !bench.service.inner.admission.is_draining() {
        tokio::task::yield_now().await;
    }
    let refused = bench.service.prove(request("y")).await.err().expect("it drains");
    assert_eq!(refused.reason(), "draining");
    assert!(!draining.is_finished());
    drop(running);
    assert_eq!(end(waiting).await, done("x"));
    tokio::time::timeout(LONG, draining).await.expect("it ends").expect("it does not panic");
}
