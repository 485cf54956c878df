//! The worker's side: a process that drives one device and carries out whole operations.

mod watched;

use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fmt, process, thread};

use rustix::process::{Pid, Signal};

use self::watched::Watched;
use crate::arena::{Control, LANES, Mapped, SLOTS};
use crate::link::{Link, Received};
use crate::protocol::{Introduction, PACKET_BYTES_MAX, Run, Timing, ToParent, ToWorker, VERSION, nanoseconds};
use crate::{Device, DeviceError, Queue};

/// The exit status of a worker whose device is lost: nothing that it made there can be used, so it starts anew.
pub const EXIT_LOST: i32 = 3;

/// The exit status of a worker in which an operation panicked.
pub const EXIT_PANICKED: i32 = 4;

/// What a worker can do: whole operations, a batch or a proof each. Called by several threads at a time.
pub trait Operations: Send + Sync {
    /// The numbers of those that this device can do at all.
    fn operations(&self) -> Vec<u32>;

    /// Carries out an operation once on known input and judges the answer. It may compile programs and fill tables.
    ///
    /// # Errors
    /// What the device reports; [`DeviceError::Failed`] where the answer is wrong.
    fn self_test(&self, queue: &mut dyn Queue, operation: u32) -> Result<(), DeviceError>;

    /// Carries out an operation: reads the header (its parameters) and the input, writes the output, which is zero before.
    /// Time is measured by the queue. Between calls of the queue a long operation can be cancelled.
    ///
    /// # Errors
    /// What the queue reports; [`DeviceError::Misuse`] where header, input and output do not fit each other.
    fn run(
        &self,
        queue: &mut dyn Queue,
        operation: u32,
        header: &[u8],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), DeviceError>;
}

/// Why a worker does not serve.
#[derive(Debug)]
pub enum ServeError {
    /// The socket or the arena failed.
    Io(io::Error),
    /// The parent speaks another protocol, or none: the worker was not started by its handle.
    Protocol(String),
    /// The device cannot be opened. The parent has been told.
    Device(DeviceError),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the worker's socket or arena failed: {error}"),
            Self::Protocol(what) => write!(f, "{what}; a device worker is started by the sidecar, not by hand"),
            Self::Device(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ServeError {}

impl From<io::Error> for ServeError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The socket on which a handle started this process: its standard input.
///
/// # Errors
/// Where there is no standard input.
pub fn socket_from_stdin() -> io::Result<OwnedFd> {
    io::stdin().as_fd().try_clone_to_owned()
}

/// Serves until the parent closes the socket or is gone. `build` names the build: parent and worker must be of the same.
/// `open` opens the device, after it is certain that this process ends with its parent.
///
/// # Errors
/// Where the parent cannot be understood, or the device not be opened. (A device that is lost later ends the
/// process, with [`EXIT_LOST`].)
pub fn serve(
    socket: OwnedFd,
    build: &str,
    open: impl FnOnce() -> Result<(Box<dyn Device>, Arc<dyn Operations>), DeviceError>,
) -> Result<(), ServeError> {
    let link = Link::of(socket);
    let arena = greet(&link, build)?;
    let opened = open().and_then(|(device, operations)| {
        // Where it cannot be pinned, copies are slower.
        let (address, bytes) = arena.place();
        let _ = device.pin(address, bytes);
        // One queue each, made before anything is promised.
        let queues = (0..LANES).map(|_| device.queue()).collect::<Result<Vec<_>, _>>()?;
        Ok((device, operations, queues))
    });
    let (device, operations, queues) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            link.send(&ToParent::Refused(error.clone()).encode())?;
            return Err(ServeError::Device(error));
        }
    };
    let introduction = Introduction { info: device.info().clone(), operations: operations.operations() };
    link.send(&ToParent::Hello { version: VERSION, build: build.to_owned(), introduction }.encode())?;
    let worker = Worker { link, arena, operations, spinning: AtomicBool::new(false) };
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..)
            .zip(queues)
            .map(|(lane, mut queue)| {
                let worker = &worker;
                thread::Builder::new().name(format!("device-lane-{lane}")).spawn_scoped(scope, move || {
                    // A lane that fails takes the other one with it.
                    worker.serve_lane(lane, &mut *queue).inspect_err(|_| worker.link.close())
                })
            })
            .collect::<Result<_, _>>()?;
        lanes.into_iter().try_for_each(|lane| lane.join().unwrap_or_else(|_| process::exit(EXIT_PANICKED)))
    })?;
    Ok(())
}

/// Takes the arena from the parent, and makes sure that this process does not outlive it.
fn greet(link: &Link, build: &str) -> Result<Mapped, ServeError> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from)?;
    let mut packet = [0; PACKET_BYTES_MAX];
    let (bytes, descriptor) = link.receive_with(&mut packet)?;
    let Some(ToWorker::Hello { version, build: theirs, parent, arena_bytes }) = ToWorker::decode(&packet[..bytes])
    else {
        return Err(ServeError::Protocol("the first message is none that a worker knows".to_owned()));
    };
    if version != VERSION || theirs != build {
        let what = format!("the parent is of build {theirs}, protocol {version}; this worker of {build}, {VERSION}");
        return Err(ServeError::Protocol(what));
    }
    // Had the parent died before the call above, no signal would come.
    let alive = rustix::process::getppid().map(Pid::as_raw_nonzero).map(|pid| pid.get().cast_unsigned());
    if alive != Some(parent) {
        return Err(ServeError::Protocol("the parent is gone".to_owned()));
    }
    let bytes = usize::try_from(arena_bytes).map_err(|_| ServeError::Protocol("too large an arena".to_owned()))?;
    Ok(Mapped::new(descriptor, bytes)?)
}

struct Worker {
    link: Link,
    arena: Mapped,
    operations: Arc<dyn Operations>,
    /// Whether a lane waits awake: one is enough to take a batch at once, two would only heat the room.
    spinning: AtomicBool,
}

impl Worker {
    /// Takes batches from the socket until it is closed. The kernel gives each packet to one of the lanes that wait.
    fn serve_lane(&self, lane: usize, queue: &mut dyn Queue) -> io::Result<()> {
        let mut packet = [0; PACKET_BYTES_MAX];
        loop {
            let spin = !self.spinning.swap(true, Ordering::Relaxed);
            let received = self.receive(&mut packet, spin)?;
            let Received::Packet(bytes) = received else { return Ok(()) };
            let Some(ToWorker::Run(run)) = ToWorker::decode(&packet[..bytes]) else {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a message that no worker knows"));
            };
            let id = run.id;
            self.arena.set_batch(lane, id);
            let result = self.answer(lane, queue, &run);
            self.arena.set_batch(lane, 0);
            let lost = matches!(result, Err(DeviceError::Lost(_)));
            let sent = self.link.send(&ToParent::Done { id, result }.encode());
            if lost {
                process::exit(EXIT_LOST);
            }
            // A parent that is gone needs no answer; the next wait finds that out.
            if sent.is_err() {
                return Ok(());
            }
        }
    }

    fn receive(&self, packet: &mut [u8], spin: bool) -> io::Result<Received> {
        if spin {
            // Nobody else spins from here until the flag is down again, which it must be before this lane sleeps.
            let received = self.link.receive(packet, true, Some(Instant::now()));
            self.spinning.store(false, Ordering::Relaxed);
            match received? {
                Received::Nothing => {}
                other => return Ok(other),
            }
        }
        self.link.receive(packet, false, None)
    }

    fn answer(&self, lane: usize, queue: &mut dyn Queue, run: &Run) -> Result<Timing, DeviceError> {
        let now = now_ns();
        if run.deadline_ns.is_some_and(|deadline| now >= deadline) {
            return Err(DeviceError::Expired);
        }
        let slot = run.slot as usize;
        if slot >= SLOTS {
            return Err(DeviceError::Misuse(format!("slot {slot}")));
        }
        let mut watched = Watched::new(queue, &self.arena, lane, slot, run.id);
        watched.go_on()?;
        let worked = catch_unwind(AssertUnwindSafe(|| {
            if run.self_test {
                return self.operations.self_test(&mut watched, run.operation);
            }
            let Some((input, output)) = self.arena.batch(run.input.clone(), run.output.clone()) else {
                return Err(DeviceError::Misuse("input and output that do not lie in the arena".to_owned()));
            };
            self.operations.run(&mut watched, run.operation, &run.header, input, output)
        }));
        let Ok(result) = worked else {
            // What the operation held is in no known state. The panic's message has been printed by its hook.
            let _ = writeln!(io::stderr(), "operation {} panicked: the worker ends", run.operation);
            process::exit(EXIT_PANICKED);
        };
        // Kernels that an operation left running must not meet the next batch.
        let finished = watched.settle();
        result.and(finished)?;
        let worked = Duration::from_nanos(now_ns().saturating_sub(now));
        Ok(Timing { waited: Duration::from_nanos(now.saturating_sub(run.submitted_ns)), worked, ..watched.timing() })
    }
}

/// The clock that parent and worker share.
pub(crate) fn now_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    nanoseconds(Duration::new(now.tv_sec.cast_unsigned(), u32::try_from(now.tv_nsec).unwrap_or(0)))
}
