//! Workers that die, hang, refuse or compute wrongly: batches end, the handle recovers by itself.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use super::operations::{ABORT, BROKEN, GREEDY, HANG, LOSE, PANIC};
use super::*;

fn pid(process: u32) -> Pid {
    Pid::from_raw(process.cast_signed()).expect("a number of a process")
}

/// Whether there is such a process that has not ended.
pub(crate) fn is_alive(process: u32) -> bool {
    !matches!(state(process), None | Some('Z' | 'X'))
}

/// The letter that the kernel gives for what a process does.
fn state(process: u32) -> Option<char> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    text.rsplit(')').next()?.trim_start().chars().next()
}

pub(crate) fn wait_until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < LONG, "it did not come to that");
        thread::sleep(Duration::from_millis(2));
    }
}

fn signal(process: u32, signal: Signal) {
    kill_process(pid(process), signal).expect("a signal");
}

/// A batch of this operation is lost, and the worker that comes after serves.
fn check_lost_by(operation: u32, options: WorkerOptions) -> WorkerHandle {
    let handle = started(options);
    let before = handle.process_id();
    let finished = run(&handle, job(&handle, operation, &[], &[1]));
    assert!(finished.region.is_none());
    assert_eq!(error(finished), BatchError::WorkerLost);
    assert!(handle.wait_ready(LONG));
    assert_ne!(handle.process_id(), before);
    check_serves(&handle);
    assert_eq!((handle.stats().starts, handle.stats().lost), (2, 1));
    handle
}

#[test]
fn a_worker_that_ends_in_mid_batch_is_started_again() {
    let handle = check_lost_by(ABORT, options());
    assert_eq!((handle.stats().died, handle.stats().hung), (1, 0));
}

#[test]
fn a_worker_that_panics_is_started_again() {
    let handle = check_lost_by(PANIC, options());
    assert_eq!((handle.stats().died, handle.stats().hung), (1, 0));
}

#[test]
fn a_worker_that_hangs_is_killed_and_started_again() {
    let limit = Duration::from_secs(2);
    let begun = Instant::now();
    let handle = check_lost_by(HANG, WorkerOptions { progress_limit: limit, ..options() });
    assert_eq!((handle.stats().died, handle.stats().hung), (0, 1));
    assert!(begun.elapsed() >= limit);
}

/// From outside, as the kernel does when memory is short: all batches end, those that run and those that wait.
#[test]
fn a_worker_that_is_killed_loses_no_batch() {
    let handle = started(options());
    let all: Vec<_> = (0..3).map(|_| submit(&handle, job(&handle, STEPS, &[60_000], &[1])).expect("taken").1).collect();
    signal(handle.process_id().expect("a process"), Signal::KILL);
    for receiver in all {
        assert_eq!(error(receiver.recv_timeout(LONG).expect("an end")), BatchError::WorkerLost);
    }
    assert!(handle.wait_ready(LONG));
    check_serves(&handle);
    assert_eq!((handle.stats().lost, handle.stats().died, handle.stats().in_flight), (3, 1, 0));
}

/// A process that does nothing at all takes no batch from the socket; that is a hang too.
#[test]
fn a_worker_that_is_stopped_is_killed_and_started_again() {
    let handle = started(WorkerOptions { progress_limit: Duration::from_secs(2), ..options() });
    let process = handle.process_id().expect("a process");
    signal(process, Signal::STOP);
    wait_until(|| state(process) == Some('T'));
    let finished = run(&handle, job(&handle, EMPTY, &[], &[1]));
    assert_eq!(error(finished), BatchError::WorkerLost);
    assert!(handle.wait_ready(LONG));
    assert!(!is_alive(process));
    check_serves(&handle);
}

/// Steps, however many, are no hang.
#[test]
fn a_long_batch_that_moves_is_left_alone() {
    let limit = Duration::from_secs(1);
    let handle = started(WorkerOptions { progress_limit: limit, ..options() });
    let begun = Instant::now();
    run(&handle, job(&handle, STEPS, &[2500], &[1])).result.expect("an answer");
    assert!(begun.elapsed() > 2 * limit);
    assert_eq!((handle.stats().hung, handle.stats().starts), (0, 1));
}

/// A process that dies while nothing is to do is replaced before anybody asks.
#[test]
fn an_idle_worker_that_dies_is_replaced() {
    let handle = started(options());
    let process = handle.process_id().expect("a process");
    signal(process, Signal::KILL);
    wait_until(|| handle.stats().starts == 2);
    assert!(handle.wait_ready(LONG));
    check_serves(&handle);
    assert_eq!(handle.stats().lost, 0);
}

#[test]
fn a_device_out_of_memory_is_an_error_and_lives_on() {
    let handle = started(options());
    for _ in 0..10 {
        let finished = run(&handle, job(&handle, GREEDY, &[], &[1]));
        assert!(matches!(error(finished), BatchError::Device(DeviceError::OutOfMemory { .. })));
        check_serves(&handle);
    }
    let stats = handle.stats();
    assert_eq!((stats.starts, stats.failed, stats.out_of_memory, stats.lost), (1, 10, 10, 0));
}

/// Nothing that was made on a lost device can be used again, so the worker starts anew.
#[test]
fn a_lost_device_is_opened_by_a_new_worker() {
    let handle = started(options());
    let finished = run(&handle, job(&handle, LOSE, &[], &[1]));
    assert_eq!(error(finished), BatchError::Device(DeviceError::Lost("fell off the bus".to_owned())));
    wait_until(|| handle.stats().starts == 2);
    assert!(handle.wait_ready(LONG));
    check_serves(&handle);
}

/// Pauses grow, so that a worker that cannot start costs nothing; and the reason is there to be read.
fn check_never_comes_up(starter: fn() -> Command, reason: &str) {
    let handle = WorkerHandle::start(starter, options()).expect("a handle");
    wait_until(|| handle.stats().failed_starts >= 3);
    let before = handle.stats().failed_starts;
    thread::sleep(Duration::from_millis(500));
    let tries = handle.stats().failed_starts - before;
    assert!(tries <= 10, "{tries} in half a second");
    let said = handle.last_failure().expect("a reason").to_string();
    assert!(said.contains(reason), "{said}");
    assert!(!handle.is_up());
    let refused = submit(&handle, job(&handle, SCALE, &[1], &[1])).expect_err("a refusal").0;
    assert_eq!(refused, Refusal::Down);
}

#[test]
fn a_worker_without_a_device_says_so() {
    check_never_comes_up(|| child("no device"), "none today");
}

#[test]
fn a_worker_that_is_no_program_is_tried_again() {
    check_never_comes_up(|| Command::new("/no/such/program"), "cannot be started");
}

#[test]
fn a_worker_that_ends_at_once_is_tried_again() {
    check_never_comes_up(|| Command::new("/bin/true"), "ended before it came up");
}

#[test]
fn a_worker_of_another_build_is_not_used() {
    let handle = WorkerHandle::start(|| child(""), WorkerOptions { build: "other".to_owned(), ..options() });
    let handle = handle.expect("a handle");
    wait_until(|| handle.stats().failed_starts >= 1);
    assert!(!handle.is_up());
}

/// An operation whose self-test fails is not served, the others are; it is tried again until it passes.
#[test]
fn an_operation_is_served_once_its_self_test_passes() {
    let directory = std::env::temp_dir().join(format!("outrigger-worker-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let mended = directory.join("mended");
    let value = mended.to_str().expect("a plain path").to_owned();
    let handle = WorkerHandle::start(move || child(&value), options()).expect("a handle");
    assert!(handle.wait_ready(LONG));
    check_serves(&handle);
    let refused = submit(&handle, job(&handle, BROKEN, &[], &[1])).expect_err("a refusal").0;
    assert_eq!(refused, Refusal::NotServed);
    wait_until(|| handle.stats().failed_self_tests >= 2);
    std::fs::write(&mended, "").expect("a file");
    wait_until(|| handle.standing(BROKEN) == Some(Standing::Serves));
    run(&handle, job(&handle, BROKEN, &[], &[1])).result.expect("an answer");
    assert_eq!(handle.stats().starts, 1);
    std::fs::remove_dir_all(&directory).expect("removed");
}

#[test]
fn an_operation_in_quarantine_comes_back_through_its_self_test() {
    let handle = started(WorkerOptions { backoff_first: Duration::from_millis(200), ..options() });
    handle.quarantine(SCALE, DeviceError::Failed("a wrong answer".to_owned()));
    let refused = submit(&handle, job(&handle, SCALE, &[1], &[1])).expect_err("a refusal").0;
    assert_eq!(refused, Refusal::NotServed);
    assert!(run(&handle, job(&handle, EMPTY, &[], &[1])).result.is_ok(), "others go on");
    wait_until(|| handle.standing(SCALE) == Some(Standing::Serves));
    check_serves(&handle);
}

/// The parent of the test below; run by hand it does nothing.
#[test]
fn child_parent() {
    if env::var_os("OUTRIGGER_TEST_PARENT").is_some() {
        let handle = started(options());
        // It hangs, so that only a signal can end it.
        let _batches: Vec<_> = (0..2).map(|_| submit(&handle, job(&handle, HANG, &[], &[1]))).collect();
        println!("\nworker {}", handle.process_id().expect("a process"));
        thread::sleep(LONG);
    }
}

/// A sidecar that is killed leaves no worker behind, not even one that hangs.
#[test]
fn a_worker_dies_with_its_parent() {
    let mut parent = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "faults::child_parent", "--nocapture"])
        .env("OUTRIGGER_TEST_PARENT", "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("a parent");
    let lines = BufReader::new(parent.stdout.take().expect("its output")).lines();
    let worker = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("worker ").and_then(|number| number.parse().ok()))
        .expect("a worker");
    assert!(is_alive(worker));
    parent.kill().expect("killed");
    parent.wait().expect("gone");
    wait_until(|| !is_alive(worker));
}
