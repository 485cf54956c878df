//! The thread that keeps a worker: starts it, reads its answers, watches it, ends it, and starts it again.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::backoff::{pause, random};
use super::state::{InFlight, Kind, Phase, Standing};
use super::watch::Watch;
use super::{BatchError, Finished, Inner};
use crate::DeviceError;
use crate::arena::{Control, LANES};
use crate::link::{Link, Received};
use crate::protocol::{Introduction, PACKET_BYTES_MAX, Timing, ToParent, ToWorker, VERSION};

/// How often the keeper looks whether the worker moves and whether a self-test is due, at least.
const LOOK_LONGEST: Duration = Duration::from_millis(250);

/// How often it looks whether a process that was killed is gone.
const REAP_PAUSE: Duration = Duration::from_millis(1);

/// Makes the command of one start.
pub(super) type Starter = Box<dyn FnMut() -> Command + Send>;

/// Why a worker is no more.
enum End {
    /// It was to stop.
    Stopped,
    /// It hung.
    Hung,
    /// It ended, or said something that no worker says.
    Died,
}

/// A worker that has said hello.
struct Up {
    child: Child,
    link: Arc<Link>,
}

/// Keeps a worker until the handle is dropped. It runs on one thread all the time, which matters: a worker is told to die
/// with the *thread* that started it.
pub(super) fn keep(inner: &Inner, mut start: Starter) {
    let mut failures = 0u32;
    while !inner.lock().stopping {
        let answered = inner.lock().stats.batches;
        match bring_up(inner, &mut start) {
            Ok(up) => {
                let end = attend(inner, &up.link);
                take_down(inner, up, &end);
            }
            Err(error) => {
                let mut state = inner.lock();
                state.stats.failed_starts += 1;
                state.last_failure = Some(error);
            }
        }
        // A worker that has answered was a good one.
        failures = if inner.lock().stats.batches > answered { 1 } else { failures.saturating_add(1) };
        let options = &inner.options;
        let wait = pause(options.backoff_first, options.backoff_longest, failures, random());
        let state = inner.lock();
        let waited = inner.changed.wait_timeout_while(state, wait, |state| !state.stopping);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// Starts a process and hears what it can do.
fn bring_up(inner: &Inner, start: &mut Starter) -> Result<Up, DeviceError> {
    let failed = |what: &str, error: std::io::Error| DeviceError::Failed(format!("{what}: {error}"));
    let (link, theirs) = Link::pair().map_err(|error| failed("no socket for a worker", error))?;
    let link = Arc::new(link);
    let mut command = start();
    // A group of its own, so that an interrupt at the terminal, which is meant for us, does not end it.
    command.stdin(Stdio::from(theirs)).process_group(0);
    let child = command.spawn().map_err(|error| failed("the worker cannot be started", error))?;
    // Holds our copy of its end, which must close when the worker's does.
    drop(command);
    let mut state = inner.lock();
    state.stats.starts += 1;
    state.link = Some(Arc::clone(&link));
    state.process = Some(child.id());
    let stopping = state.stopping;
    drop(state);
    let mut up = Up { child, link };
    let greeted = if stopping { Err(DeviceError::Cancelled) } else { greet(inner, &up.link) };
    match greeted {
        Ok(Introduction { info, operations }) => {
            let mut state = inner.lock();
            state.info = Some(info);
            state.begin(operations, &inner.options);
            state.phase = Phase::Up;
            drop(state);
            inner.changed.notify_all();
            Ok(up)
        }
        Err(error) => {
            let mut state = inner.lock();
            (state.link, state.process) = (None, None);
            drop(state);
            end(&mut up.child, Duration::ZERO, inner);
            Err(error)
        }
    }
}

fn greet(inner: &Inner, link: &Link) -> Result<Introduction, DeviceError> {
    let failed = |what: &str| DeviceError::Failed(what.to_owned());
    let build = inner.options.build.clone();
    let parent = std::process::id();
    let hello = ToWorker::Hello { version: VERSION, build, parent, arena_bytes: inner.arena.bytes() as u64 };
    let ended = "the worker ended before it came up";
    link.send_with(&hello.encode(), inner.arena.descriptor()).map_err(|_| failed(ended))?;
    let mut packet = [0; PACKET_BYTES_MAX];
    let until = Instant::now() + inner.options.ready_limit;
    match link.receive(&mut packet, false, Some(until)).map_err(|error| failed(&error.to_string()))? {
        Received::Packet(bytes) => match ToParent::decode(&packet[..bytes]) {
            Some(ToParent::Hello { version: VERSION, build, introduction }) if build == inner.options.build => {
                Ok(introduction)
            }
            Some(ToParent::Refused(error)) => Err(error),
            _ => Err(failed("the worker is of another build")),
        },
        Received::Nothing => Err(failed("the worker did not come up in time")),
        Received::Closed => Err(failed(ended)),
    }
}

/// Reads answers and watches until the worker is to end, or has.
fn attend(inner: &Inner, link: &Link) -> End {
    let mut packet = [0; PACKET_BYTES_MAX];
    let mut watch = Watch::new(Instant::now());
    let look = (inner.options.progress_limit / 4).clamp(Duration::from_millis(1), LOOK_LONGEST);
    let mut next_look = Instant::now();
    loop {
        let now = Instant::now();
        if now >= next_look {
            if inner.lock().stopping {
                return End::Stopped;
            }
            if hangs(inner, &mut watch, now) {
                return End::Hung;
            }
            inner.lock().test_next(now);
            next_look = now + look;
        }
        match link.receive(&mut packet, true, Some(next_look)) {
            Ok(Received::Nothing) => {}
            Ok(Received::Packet(bytes)) => match ToParent::decode(&packet[..bytes]) {
                Some(ToParent::Done { id, result }) => {
                    let Some(ended) = inner.lock().take(id) else { return End::Died };
                    inner.room.notify_one();
                    finish(inner, ended, result);
                }
                _ => return End::Died,
            },
            Ok(Received::Closed) if inner.lock().stopping => return End::Stopped,
            Ok(Received::Closed) | Err(_) => return End::Died,
        }
    }
}

fn hangs(inner: &Inner, watch: &mut Watch, now: Instant) -> bool {
    let lanes = std::array::from_fn::<_, LANES, _>(|lane| inner.arena.progress(lane));
    let state = inner.lock();
    // A self-test compiles, and may keep the other lane waiting meanwhile.
    let limit = if state.is_testing() { inner.options.ready_limit } else { inner.options.progress_limit };
    watch.hangs(now, lanes, !state.in_flight.is_empty(), limit)
}

/// Hands an answer to whoever waits for it.
fn finish(inner: &Inner, ended: InFlight, result: Result<Timing, DeviceError>) {
    match ended.kind {
        Kind::SelfTest { operation } => {
            let mut state = inner.lock();
            state.tested(operation, result.map(|_| ()), &inner.options);
            state.test_next(Instant::now());
            drop(state);
            inner.changed.notify_all();
        }
        Kind::Batch { region, completion } => {
            inner.lock().count(&result);
            completion(Finished { result: result.map_err(BatchError::Device), region: Some(region) });
        }
    }
}

/// Ends the process where it has not ended, and answers all that it had.
fn take_down(inner: &Inner, mut up: Up, why: &End) {
    let mut state = inner.lock();
    state.phase = Phase::Down;
    (state.link, state.process) = (None, None);
    match why {
        End::Stopped => {}
        End::Hung => state.stats.hung += 1,
        End::Died => state.stats.died += 1,
    }
    let ids: Vec<u64> = state.in_flight.keys().copied().collect();
    let lost: Vec<InFlight> = ids.into_iter().filter_map(|id| state.take(id)).collect();
    if !matches!(why, End::Stopped) {
        for one in &lost {
            if let Kind::SelfTest { operation } = one.kind {
                *state.fatal.entry(operation).or_default() += 1;
            }
        }
    }
    state.stats.lost += lost.iter().filter(|one| matches!(one.kind, Kind::Batch { .. })).count() as u64;
    // Operations of the next worker are tested anew; until then there is nobody to ask.
    state.standings.values_mut().for_each(|standing| *standing = Standing::Untested);
    drop(state);
    inner.changed.notify_all();
    inner.room.notify_all();
    up.link.close();
    let mut regions = Vec::new();
    for one in lost {
        if let Kind::Batch { region, completion } = one.kind {
            regions.push(region);
            completion(Finished { result: Err(BatchError::WorkerLost), region: None });
        }
    }
    let grace = if matches!(why, End::Stopped) { inner.options.stop_limit } else { Duration::ZERO };
    end(&mut up.child, grace, inner);
    // Now nobody writes to them any more.
    for lane in 0..LANES {
        inner.arena.set_batch(lane, 0);
    }
    drop(regions);
}

/// Waits for a process to end, and kills it where it does not within `grace`. One that the kernel does not let go (its
/// driver holds it) is waited for as long as it takes, since its memory is in the device's hands; only a handle that is
/// being dropped gives up on it.
fn end(child: &mut Child, grace: Duration, inner: &Inner) {
    let started = Instant::now();
    let mut killed = false;
    while matches!(child.try_wait(), Ok(None)) {
        if started.elapsed() >= grace && !killed {
            // It fails only where the process is gone.
            let _ = child.kill();
            killed = true;
        }
        if killed && inner.lock().stopping && started.elapsed() > grace + inner.options.stop_limit {
            return;
        }
        thread::sleep(REAP_PAUSE);
    }
}
