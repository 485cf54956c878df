//! A worker in a process of its own, and everything that can happen to it. The child is this program again, running the
//! test `child_worker`; what it can do is in `worker/operations.rs`.

#[path = "worker/faults.rs"]
mod faults;
#[path = "worker/operations.rs"]
mod operations;

use std::env;
use std::process::Command;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use outrigger_device::{
    BatchError, DeviceError, Finished, Job, Refusal, Region, Standing, Ticket, WorkerHandle, WorkerOptions,
};

use operations::{EMPTY, NOTHING, SCALE, SLEEP, STEPS, bytes, words};

/// Tells the child that it is one; its value may name a file that a broken operation waits for.
const CHILD: &str = "OUTRIGGER_TEST_WORKER";

/// Far longer than anything here takes, on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(60);

/// The worker. Run by hand it does nothing.
#[test]
fn child_worker() {
    if env::var_os(CHILD).is_some() {
        operations::serve();
    }
}

/// The command of a child, with something for its broken operation.
fn child(value: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.args(["--exact", "child_worker", "--nocapture"]).env(CHILD, value).stdout(std::process::Stdio::null());
    command
}

fn options() -> WorkerOptions {
    WorkerOptions {
        build: "test".to_owned(),
        arena_bytes: 16 << 20,
        progress_limit: Duration::from_secs(10),
        ready_limit: Duration::from_secs(30),
        backoff_first: Duration::from_millis(20),
        backoff_longest: Duration::from_millis(200),
        ..WorkerOptions::default()
    }
}

fn started(options: WorkerOptions) -> WorkerHandle {
    let handle = WorkerHandle::start(|| child(""), options).expect("a handle");
    assert!(handle.wait_ready(LONG), "{:?}", handle.last_failure());
    handle
}

fn job(handle: &WorkerHandle, operation: u32, header: &[u32], input: &[u32]) -> Job {
    let mut region = handle.region(4 * input.len(), 4 * input.len()).expect("room");
    region.input_mut().copy_from_slice(&bytes(input));
    Job { operation, header: bytes(header), region, deadline: None }
}

/// Submits a batch; the receiver gets its end.
fn submit(handle: &WorkerHandle, job: Job) -> Result<(Ticket, mpsc::Receiver<Finished>), (Refusal, Box<Job>)> {
    let (sender, receiver) = mpsc::channel();
    let ticket = handle.submit(job, Box::new(move |finished| sender.send(finished).expect("the test waits")))?;
    Ok((ticket, receiver))
}

fn run(handle: &WorkerHandle, job: Job) -> Finished {
    let (_, receiver) = submit(handle, job).unwrap_or_else(|(refusal, _)| panic!("{refusal:?}"));
    receiver.recv_timeout(LONG).expect("an end")
}

/// Waits for its turn, and for the answer.
fn run_in_turn(handle: &WorkerHandle, job: Job) -> Finished {
    let (sender, receiver) = mpsc::channel();
    let completion = Box::new(move |finished| sender.send(finished).expect("the test waits"));
    let taken = handle.submit_in_turn(job, completion, &|| true);
    taken.unwrap_or_else(|(refusal, _)| panic!("{refusal:?}"));
    receiver.recv_timeout(LONG).expect("an end")
}

/// The error of a batch that has none to show.
fn error(finished: Finished) -> BatchError {
    finished.result.expect_err("an error")
}

fn scaled(input: &[u32], factor: u32) -> Vec<u32> {
    (0..).zip(input).map(|(i, word)| word.wrapping_mul(factor).wrapping_add(i)).collect()
}

/// That the worker answers, and rightly.
fn check_serves(handle: &WorkerHandle) {
    let input: Vec<u32> = (5..105).collect();
    let finished = run(handle, job(handle, SCALE, &[7], &input));
    finished.result.expect("an answer");
    assert_eq!(words(&finished.region.expect("the region").output()), scaled(&input, 7));
}

#[test]
fn a_batch_is_answered() {
    let handle = started(options());
    let info = handle.info().expect("a device");
    assert_eq!(info.name, "host");
    check_serves(&handle);
    let stats = handle.stats();
    assert_eq!((stats.starts, stats.batches, stats.failed, stats.lost, stats.in_flight), (1, 1, 0, 0, 0));
    assert_eq!((stats.timing.bytes_in, stats.timing.bytes_out), (400, 400));
    assert!(stats.timing.kernels > Duration::ZERO && stats.timing.worked >= stats.timing.kernels);
}

#[test]
fn a_batch_without_bytes_is_answered() {
    let handle = started(options());
    let finished = run(&handle, job(&handle, EMPTY, &[], &[]));
    assert!(finished.result.is_ok() && finished.region.expect("the region").output().is_empty());
}

/// What an earlier batch left in the arena is not an answer to this one.
#[test]
fn output_that_nobody_wrote_is_zero() {
    let handle = started(options());
    for _ in 0..3 {
        let finished = run(&handle, job(&handle, SCALE, &[1], &[9; 100]));
        assert_ne!(finished.region.expect("the region").output(), [0; 400]);
        let finished = run(&handle, job(&handle, NOTHING, &[], &[9; 100]));
        assert!(finished.result.is_ok());
        assert_eq!(finished.region.expect("the region").output(), [0; 400]);
    }
}

#[test]
fn two_batches_run_at_a_time_and_no_more_are_taken_than_said() {
    let handle = started(WorkerOptions { in_flight_max: 2, ..options() });
    // Each waits in the worker until both are there.
    let started = Instant::now();
    let first = submit(&handle, job(&handle, SLEEP, &[1000], &[1])).expect("taken");
    let second = submit(&handle, job(&handle, SLEEP, &[1000], &[1])).expect("taken");
    let (refusal, third) = submit(&handle, job(&handle, EMPTY, &[], &[5])).expect_err("a third");
    assert_eq!((refusal, handle.stats().in_flight), (Refusal::Full, 2));
    let mut given_back = third.region;
    assert_eq!(words(given_back.input_mut()), [5], "untouched");
    let answered = run_in_turn(&handle, job(&handle, SCALE, &[3], &[5]));
    assert_eq!(words(&answered.region.expect("the region").output()), [15], "in its turn");
    for (_, receiver) in [first, second] {
        receiver.recv_timeout(LONG).expect("an end").result.expect("an answer");
    }
    assert!(started.elapsed() < Duration::from_millis(1900), "one after the other: {:?}", started.elapsed());
    check_serves(&handle);
}

#[test]
fn many_submitters_get_their_own_answers() {
    let handle = started(options());
    thread::scope(|scope| {
        for thread in 0..8u32 {
            let handle = &handle;
            scope.spawn(move || {
                for round in 0..100 {
                    let input: Vec<u32> = (0..1 + (thread * 7 + round * 13) % 300).map(|i| i ^ thread).collect();
                    let finished = run_in_turn(handle, job(handle, SCALE, &[round], &input));
                    finished.result.expect("an answer");
                    assert_eq!(words(&finished.region.expect("the region").output()), scaled(&input, round));
                }
            });
        }
    });
    let stats = handle.stats();
    assert_eq!((stats.batches, stats.lost, stats.in_flight), (800, 0, 0));
}

#[test]
fn an_arena_that_is_full_has_no_region() {
    let handle = started(options());
    let held: Vec<Region> = (0..4).map_while(|_| handle.region(4 << 20, 0)).collect();
    assert_eq!(held.len(), 4);
    assert!(handle.region(1, 0).is_none());
    drop(held);
    check_serves(&handle);
}

#[test]
fn a_batch_past_its_deadline_is_not_begun() {
    let handle = started(options());
    let late = Job { deadline: Some(Instant::now()), ..job(&handle, SCALE, &[1], &[1]) };
    let finished = run(&handle, late);
    assert_eq!(finished.result, Err(BatchError::Device(DeviceError::Expired)));
    let soon = Job { deadline: Some(Instant::now() + LONG), ..job(&handle, SCALE, &[1], &[1]) };
    assert!(run(&handle, soon).result.is_ok());
}

#[test]
fn a_batch_that_runs_or_waits_is_cancelled() {
    let handle = started(options());
    // Two run, for a minute; the third waits.
    let all: Vec<_> = (0..3).map(|_| submit(&handle, job(&handle, STEPS, &[60_000], &[1])).expect("taken")).collect();
    thread::sleep(Duration::from_millis(50));
    for (ticket, _) in &all {
        handle.cancel(*ticket);
    }
    for (_, receiver) in &all {
        let finished = receiver.recv_timeout(LONG).expect("an end");
        assert!(finished.region.is_some());
        assert_eq!(error(finished), BatchError::Device(DeviceError::Cancelled));
    }
    handle.cancel(all[0].0);
    check_serves(&handle);
}

#[test]
fn what_the_worker_cannot_do_is_refused() {
    let handle = started(options());
    let refused = |job| submit(&handle, job).expect_err("a refusal").0;
    assert_eq!(refused(job(&handle, 99, &[], &[1])), Refusal::NotServed);
    assert_eq!(refused(job(&handle, SCALE, &[0; 2000], &[1])), Refusal::Misuse, "a header that long");
    let other = started(options());
    assert_eq!(refused(job(&other, SCALE, &[1], &[1])), Refusal::Misuse, "another arena");
    let odd = handle.region(3, 3).expect("room");
    let finished = run(&handle, Job { operation: SCALE, header: bytes(&[1]), region: odd, deadline: None });
    assert!(matches!(error(finished), BatchError::Device(DeviceError::Misuse(_))), "no whole words");
}

/// The seam between processes costs little: an empty batch there and back, one at a time, takes 50 µs at most at the
/// median. That holds on a machine that does nothing else; what is asserted here also holds on one that is busy.
#[test]
fn an_empty_batch_is_quick() {
    let handle = started(options());
    let (sender, receiver) = mpsc::channel();
    let mut times: Vec<Duration> = (0..5000)
        .map(|_| {
            let empty = job(&handle, EMPTY, &[], &[]);
            let sender = sender.clone();
            let started = Instant::now();
            let done = Box::new(move |finished: Finished| sender.send((Instant::now(), finished)).expect("waited for"));
            handle.submit(empty, done).unwrap_or_else(|(refusal, _)| panic!("{refusal:?}"));
            let (ended, finished) = receiver.recv_timeout(LONG).expect("an end");
            finished.result.expect("an answer");
            ended - started
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 100];
    println!("an empty batch: {:?} at the median, {:?} at 90 %, {:?} at 99 %", at(50), at(90), at(99));
    assert!(times[0] < Duration::from_micros(500), "the quickest: {:?}", times[0]);
}

#[test]
fn dropping_the_handle_stops_the_process() {
    let handle = started(options());
    let process = handle.process_id().expect("a process");
    let (_, waiting) = submit(&handle, job(&handle, STEPS, &[60_000], &[1])).expect("taken");
    drop(handle);
    assert!(!faults::is_alive(process));
    assert_eq!(error(waiting.recv_timeout(LONG).expect("an end")), BatchError::WorkerLost);
}

/// The last handle may be held by a completion, which runs on the handle's own thread.
#[test]
fn a_handle_is_dropped_by_its_own_completion() {
    let handle = Arc::new(started(options()));
    let process = handle.process_id().expect("a process");
    let (sender, receiver) = mpsc::channel();
    let held = Mutex::new(Some(Arc::clone(&handle)));
    let next = job(&handle, SLEEP, &[50], &[1]);
    let last = Box::new(move |finished: Finished| {
        held.lock().expect("the handle").take();
        sender.send(finished.result.is_ok()).expect("the test waits");
    });
    handle.submit(next, last).unwrap_or_else(|(refusal, _)| panic!("{refusal:?}"));
    drop(handle);
    assert_eq!(receiver.recv_timeout(LONG), Ok(true));
    faults::wait_until(|| !faults::is_alive(process));
}

#[test]
fn standings_are_told() {
    let handle = started(options());
    assert_eq!(handle.standing(SCALE), Some(Standing::Serves));
    assert_eq!(handle.standing(99), None);
    assert!(matches!(handle.standing(operations::BROKEN), Some(Standing::Failed { .. })));
    assert!(handle.served().contains(&EMPTY) && !handle.served().contains(&operations::BROKEN));
}
