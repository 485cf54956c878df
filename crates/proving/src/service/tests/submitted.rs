//! Jobs that survive restarts.

use std::fs;

use super::*;

/// The directory as a crash at this moment would leave it, for another process to find.
fn crash(directory: &TempDir) -> TempDir {
    let copy = tempfile::tempdir().expect("a directory");
    fs::create_dir(copy.path().join("jobs")).expect("a directory");
    fs::copy(directory.path().join("jobs.redb"), copy.path().join("jobs.redb")).expect("the journal is copied");
    for name in sealed(directory) {
        let place = |root: &TempDir| root.path().join("jobs").join(&name);
        fs::copy(place(directory), place(&copy)).expect("a secret is copied");
    }
    copy
}

/// The files of secrets.
fn sealed(directory: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory.path().join("jobs")).expect("the directory of secrets");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("ours is ASCII")).collect()
}

/// Starts again over a directory of this process: a thread may hold the journal for a moment longer.
fn restart(options: &ProvingOptions) -> Bench {
    let since = Instant::now();
    loop {
        match try_start(options) {
            Ok(bench) => return bench,
            Err(error) => assert!(since.elapsed() < LONG && error.contains("in use"), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

async fn submit(bench: &Bench, script: &str) -> String {
    bench.service.submit(request(script)).await.expect("it is taken")
}

#[tokio::test]
async fn a_submitted_job_ends_and_its_secret_goes() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let running = bench.occupy().await;
    let job = submit(&bench, "x").await;
    assert_eq!(bench.service.state("t", &job).await, Ok(JobState::Queued(0)));
    assert_eq!(sealed(&directory), [format!("{job}.sealed")]);
    drop(running);
    assert_eq!(bench.end_of(&job).await, done("x"));
    assert_eq!(sealed(&directory), [""; 0]);
    assert_eq!(bench.service.state("t", &job).await, Ok(done("x")), "the result stays");
    for (tenant, job) in [("u", job.as_str()), ("t", "0123"), ("t", ""), ("t", "../../x")] {
        let refused = bench.service.state(tenant, job).await.expect_err("not to be seen");
        assert_eq!(refused.reason(), "not_found");
        assert_eq!(bench.service.cancel(tenant, job).await.expect_err("nor cancelled").reason(), "not_found");
    }
}

#[tokio::test]
async fn jobs_that_wait_run_or_have_ended_survive_a_crash() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let ended = submit(&bench, "ended").await;
    assert_eq!(bench.end_of(&ended).await, done("ended"));
    let bad = submit(&bench, "bad").await;
    let failed = bench.end_of(&bad).await;
    assert_eq!([bench.next_begun(), bench.next_begun()], ["ended", "bad"]);
    let running = submit(&bench, "slow").await;
    assert_eq!(bench.next_begun(), "slow");
    let waiting = submit(&bench, "waiting").await;
    let copy = crash(&directory);

    let bench = Bench::new(&copy);
    assert_eq!(bench.next_begun(), "slow", "it goes again, before what was submitted later");
    assert_eq!(bench.service.state("t", &waiting).await, Ok(JobState::Queued(0)));
    assert_eq!(bench.service.state("t", &ended).await, Ok(done("ended")));
    assert_eq!(bench.service.state("t", &bad).await, Ok(failed));
    bench.service.cancel("t", &running).await.expect("it is known");
    assert_eq!(bench.end_of(&running).await, JobState::Cancelled);
    assert_eq!(bench.end_of(&waiting).await, done("waiting"));
    assert_eq!(sealed(&copy), [""; 0]);
}

#[tokio::test]
async fn a_job_that_ends_the_process_each_time_is_given_up() {
    let mut directory = tempfile::tempdir().expect("a directory");
    let mut bench = Bench::new(&directory);
    let job = submit(&bench, "slow").await;
    for attempt in 1..=3 {
        assert_eq!(bench.next_begun(), "slow", "attempt {attempt}");
        let copy = crash(&directory);
        bench = Bench::new(&copy);
        directory = copy;
    }
    assert_eq!(failed_for(bench.end_of(&job).await), "internal");
    assert_eq!(sealed(&directory), [""; 0]);
    let next = submit(&bench, "next").await;
    assert_eq!(bench.end_of(&next).await, done("next"), "the sidecar is free of it");
}

#[tokio::test]
async fn draining_stops_submitted_jobs_which_go_on_after_the_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let running = submit(&bench, "slow").await;
    assert_eq!(bench.next_begun(), "slow");
    let waiting = submit(&bench, "waiting").await;
    let watch = bench.service.watch("t", &waiting).await.expect("it is known");
    tokio::time::timeout(LONG, bench.service.drain()).await.expect("it drains");
    assert_eq!(failed_for(end(watch).await), "draining", "who watches is told to come back");
    assert_eq!(bench.service.state("t", &waiting).await, Ok(JobState::Queued(0)));
    assert_eq!(sealed(&directory).len(), 2);
    for id in [&running, &waiting] {
        let record = bench.service.inner.on_disk("t", id).expect("it is there");
        assert_eq!((record.attempts, record.end), (0, None), "a stop in good order is no attempt");
    }
    drop(bench);
    let bench = restart(&options(directory.path()));
    assert_eq!(bench.next_begun(), "slow");
    bench.service.cancel("t", &running).await.expect("it is known");
    assert_eq!(bench.end_of(&waiting).await, done("waiting"));
}

#[tokio::test]
async fn a_job_that_ends_while_the_sidecar_drains_keeps_its_result() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let mut jobs = Vec::new();
    for _ in 0..20 {
        jobs.push(submit(&bench, "quick").await);
    }
    tokio::time::timeout(LONG, bench.service.drain()).await.expect("it drains");
    drop(bench);
    let bench = restart(&options(directory.path()));
    for job in &jobs {
        assert_eq!(bench.end_of(job).await, done("quick"), "none is lost");
    }
}

#[tokio::test]
async fn two_services_do_not_share_a_journal() {
    let directory = tempfile::tempdir().expect("a directory");
    let _bench = Bench::new(&directory);
    let error = try_start(&options(directory.path())).err().expect("it is in use");
    assert!(error.contains("in use by another process"), "{error}");
}

#[tokio::test]
async fn cancelling_wipes_the_secret_where_the_job_waits_and_where_it_runs() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let running = submit(&bench, "slow").await;
    assert_eq!(bench.next_begun(), "slow");
    let waiting = submit(&bench, "never").await;
    for job in [&waiting, &running] {
        bench.service.cancel("t", job).await.expect("it is known");
        assert!(!sealed(&directory).contains(&format!("{job}.sealed")), "it is gone when the call returns");
        assert_eq!(bench.service.state("t", job).await, Ok(JobState::Cancelled));
        bench.service.cancel("t", job).await.expect("twice is well");
    }
    let after = submit(&bench, "after").await;
    assert_eq!(bench.end_of(&after).await, done("after"));
    bench.service.cancel("t", &after).await.expect("what has ended stays");
    assert_eq!(bench.end_of(&after).await, done("after"));
    assert_eq!(bench.next_begun(), "after");
}

#[tokio::test]
async fn without_a_key_nothing_is_submitted_and_results_can_be_fetched() {
    let directory = tempfile::tempdir().expect("a directory");
    let without = ProvingOptions { journal_key: None, ..options(directory.path()) };
    let bench = Bench::with(&without);
    let refused = bench.service.submit(request("x")).await.expect_err("it is refused");
    assert!(matches!(&refused, Rejection::NotReady(what) if what.contains("proving.journal_key")), "{refused}");
    assert!(!directory.path().join("jobs.redb").exists());
    drop(bench);

    let bench = Bench::new(&directory);
    let ended = submit(&bench, "ended").await;
    assert_eq!(bench.end_of(&ended).await, done("ended"));
    assert_eq!(bench.next_begun(), "ended");
    let _running = bench.occupy().await;
    let [waiting, given_up] = [submit(&bench, "waiting").await, submit(&bench, "given up").await];
    let copy = crash(&directory);

    let bench = Bench::with(&ProvingOptions { journal_key: None, ..options(copy.path()) });
    assert_eq!(bench.service.state("t", &ended).await, Ok(done("ended")));
    assert_eq!(bench.service.state("t", &waiting).await, Ok(JobState::Queued(0)), "it sleeps");
    bench.service.cancel("t", &given_up).await.expect("it is known");
    assert_eq!(sealed(&copy), [format!("{waiting}.sealed")]);
    drop(bench);
    let bench = restart(&options(copy.path()));
    assert_eq!(bench.end_of(&waiting).await, done("waiting"));
    assert_eq!(bench.service.state("t", &given_up).await, Ok(JobState::Cancelled));
}

#[tokio::test]
async fn a_damaged_secret_fails_its_own_job_alone_and_a_wrong_key_none() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let _running = bench.occupy().await;
    let [damaged, missing, good] =
        [submit(&bench, "damaged").await, submit(&bench, "missing").await, submit(&bench, "good").await];
    let copy = crash(&directory);
    let other_key = crash(&directory);

    let place = |job: &str| copy.path().join("jobs").join(job).with_extension("sealed");
    let mut bytes = fs::read(place(&damaged)).expect("the secret");
    bytes[0] ^= 1;
    fs::write(place(&damaged), bytes).expect("it is written");
    fs::remove_file(place(&missing)).expect("it is removed");
    fs::write(place("0123456789abcdef"), b"orphan").expect("it is written");
    let bench = Bench::new(&copy);
    assert_eq!(failed_for(bench.end_of(&damaged).await), "data_loss");
    assert_eq!(failed_for(bench.end_of(&missing).await), "data_loss");
    assert_eq!(bench.end_of(&good).await, done("good"));
    assert_eq!(sealed(&copy), [""; 0], "orphans go");

    let key = Some(Arc::new(Zeroizing::new([8; 32])));
    let bench = Bench::with(&ProvingOptions { journal_key: key, ..options(other_key.path()) });
    let new = submit(&bench, "new").await;
    assert_eq!(bench.end_of(&new).await, done("new"));
    for job in [&damaged, &missing, &good] {
        assert_eq!(bench.service.state("t", job).await, Ok(JobState::Queued(0)), "it waits for its key");
    }
    bench.service.cancel("t", &missing).await.expect("it is known");
    drop(bench);
    let bench = restart(&options(other_key.path()));
    assert_eq!(bench.end_of(&good).await, done("good"));
    assert_eq!(bench.end_of(&damaged).await, done("damaged"));
    assert_eq!(bench.service.state("t", &missing).await, Ok(JobState::Cancelled));
}

#[tokio::test]
async fn results_expire_and_deadlines_pass_over_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::with(&ProvingOptions { result_lifetime: Duration::ZERO, ..options(directory.path()) });
    let ended = submit(&bench, "ended").await;
    assert!(bench.service.watch("t", &ended).await.is_ok());
    assert_eq!(bench.next_begun(), "ended");
    let _running = bench.occupy().await;
    let deadline = Some(Instant::now() + Duration::from_millis(300));
    let late = bench.service.submit(ProofRequest { deadline, ..request("late") }).await.expect("it is taken");
    let copy = crash(&directory);
    bench.service.inner.sweep();
    assert_eq!(bench.service.state("t", &ended).await.expect_err("it expired").reason(), "not_found");
    std::thread::sleep(Duration::from_millis(310));
    let bench = Bench::new(&copy);
    assert_eq!(failed_for(bench.end_of(&late).await), "deadline_exceeded");
    assert_eq!(bench.service.state("t", &ended).await, Ok(done("ended")), "here results are kept longer");
}

#[tokio::test]
async fn limits_hold_for_submitted_jobs_and_are_given_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::with(&ProvingOptions { tenant_jobs_max: 2, ..options(directory.path()) });
    let jobs = [submit(&bench, "slow").await, submit(&bench, "slow").await];
    assert_eq!(bench.service.submit(request("x")).await.expect_err("it is full").reason(), "tenant_quota");
    for job in &jobs {
        bench.service.cancel("t", job).await.expect("it is known");
    }
    bench.service.inner.admission.empty().await;
    let job = submit(&bench, "x").await;
    assert_eq!(bench.end_of(&job).await, done("x"));
}

#[tokio::test]
async fn nothing_on_disk_shows_a_secret() {
    let directory = tempfile::tempdir().expect("a directory");
    let bench = Bench::new(&directory);
    let _running = bench.occupy().await;
    submit(&bench, "bad and very secret indeed").await;
    for path in [directory.path().to_owned(), directory.path().join("jobs")] {
        for entry in fs::read_dir(path).expect("a directory") {
            let path = entry.expect("an entry").path();
            let bytes = if path.is_file() { fs::read(&path).expect("a file") } else { Vec::new() };
            assert!(!bytes.windows(11).any(|window| window == b"very secret"), "{}", path.display());
        }
    }
    let debug = format!("{:?}", request("very secret"));
    assert!(!debug.contains("very") && debug.contains("bytes: 11"), "{debug}");
}
