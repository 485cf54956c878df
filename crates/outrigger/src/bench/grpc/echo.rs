//! The sidecar that `bench grpc` measures: the real service and scheduler over an engine that says *valid* to
//! everything at once. It exists in this command alone; `serve` has no such engine.

use std::io::{BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use outrigger_scheduler::{CoreEngine, CoreOptions, Scheduler};
use outrigger_service::{Server, ServiceOptions};
use outrigger_types::{Output, SchedulerOptions, Verdict, Work};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::cli::{BenchEchoArgs, Failure};
use crate::print;

/// Items that the echo takes at once. Rooms size their pieces by time, some half a millisecond; an echo of a
/// nanosecond an item would take any number.
const ECHO_PIECE_ITEMS: usize = 1_024;

/// Processor time inside the engine's calls, over all threads.
static ENGINE_NS: AtomicU64 = AtomicU64::new(0);

/// Processor time of the server so far.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct CpuTime {
    /// Of the whole process.
    pub(super) process_ns: u64,
    /// Of its threads while inside the engine.
    pub(super) engine_ns: u64,
}

fn clock(id: ClockId) -> u64 {
    let time = clock_gettime(id);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Says *valid* to everything.
fn echo(work: &Work, range: Range<usize>) -> Output {
    let start = clock(ClockId::ThreadCPUTime);
    let mut output = Output::unprocessed(work.operation(), range.len());
    output.verdicts.fill(Verdict::Valid);
    ENGINE_NS.fetch_add(clock(ClockId::ThreadCPUTime) - start, Ordering::Relaxed);
    output
}

/// Serves until standard input ends; answers each line of it with the processor time so far.
pub(crate) fn serve_echo(args: &BenchEchoArgs) -> Result<ExitCode, Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Failure::work)?;
    let engine = CoreEngine::with_runner(
        CoreOptions { threads: NonZeroUsize::new(1), piece_items: NonZeroUsize::new(ECHO_PIECE_ITEMS), pin: false },
        echo,
    );
    let options = SchedulerOptions { cache_entries: 0, ..SchedulerOptions::default() };
    let scheduler = Scheduler::new(options, vec![Arc::new(engine)]);
    let service = ServiceOptions::on_unix(&args.unix, env!("CARGO_PKG_VERSION"));
    let running = runtime.block_on(Server::start(service, scheduler)).map_err(Failure::work)?;
    println!("ready");
    for _ in std::io::stdin().lines().map_while(Result::ok) {
        print::json(&CpuTime {
            process_ns: clock(ClockId::ProcessCPUTime),
            engine_ns: ENGINE_NS.load(Ordering::Relaxed),
        });
    }
    drop(running);
    Ok(ExitCode::SUCCESS)
}

/// The echo server as a child process; killed when dropped.
pub(super) struct EchoServer {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    directory: TempDir,
}

impl EchoServer {
    /// Starts this program as an echo server.
    pub(super) fn start() -> Result<Self, Failure> {
        let directory = tempfile::Builder::new().prefix("outrigger-bench-").tempdir().map_err(Failure::work)?;
        let mut child = Command::new(std::env::current_exe().map_err(Failure::work)?)
            .args(["bench-echo", "--unix"])
            .arg(directory.path().join("echo.sock"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Failure::work)?;
        let input = child.stdin.take().expect("a piped stdin");
        let mut output = BufReader::new(child.stdout.take().expect("a piped stdout"));
        let mut line = String::new();
        output.read_line(&mut line).map_err(Failure::work)?;
        if line.trim() != "ready" {
            return Err(Failure::work("the echo server did not start"));
        }
        Ok(Self { child, pipes: Mutex::new((input, output)), directory })
    }

    /// Its socket.
    pub(super) fn socket(&self) -> std::path::PathBuf {
        self.directory.path().join("echo.sock")
    }

    /// Its processor time so far.
    pub(super) fn cpu_time(&self) -> Result<CpuTime, Failure> {
        let mut pipes = self.pipes.lock().expect("no panic while held");
        let (input, output) = &mut *pipes;
        writeln!(input).and_then(|()| input.flush()).map_err(Failure::work)?;
        let mut line = String::new();
        output.read_line(&mut line).map_err(Failure::work)?;
        serde_json::from_str(&line).map_err(Failure::work)
    }
}

impl Drop for EchoServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
