//! Over a real socket, as a service manager reads it. What is told goes where the environment says, and a test must not
//! change its own: the tests that listen start this program once more, with one of the tests that speak.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{keep_alive, ready, reloaded, reloading, stopping, tell};

/// Set where a test is to speak.
const SPEAKS: &str = "OUTRIGGER_TEST_SPEAKS";
/// Long, for machines that are busy; nothing waits for it where all goes well.
const TIME_MAX: Duration = Duration::from_secs(30);

struct Manager {
    socket: UnixDatagram,
    _directory: tempfile::TempDir,
    speaker: Child,
}

impl Manager {
    /// Starts the test of this name with the manager's variables in its environment.
    fn of(speaker: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(TIME_MAX)).expect("a limit");
        let name = format!("{}::{speaker}", module_path!().split_once("::").expect("a path below the crate").1);
        let speaker = Command::new(std::env::current_exe().expect("this program"))
            .args([&name, "--exact", "--nocapture", "--test-threads=1"])
            .env(SPEAKS, "1")
            .env("NOTIFY_SOCKET", &path)
            .stdout(Stdio::null())
            .spawn()
            .expect("starts");
        Self { socket, _directory: directory, speaker }
    }

    /// The next message, as lines.
    fn hears(&self) -> Vec<String> {
        let mut bytes = [0; 4_096];
        let length = self.socket.recv(&mut bytes).expect("a message in time");
        let text = std::str::from_utf8(&bytes[..length]).expect("text");
        text.lines().map(str::to_owned).collect()
    }

    /// Nothing more comes, and the speaker ends well.
    fn has_ended(mut self) {
        let status = self.speaker.wait().expect("ends");
        assert!(status.success(), "{status}");
        self.socket.set_nonblocking(true).expect("a mode");
        let error = self.socket.recv(&mut [0; 4_096]).expect_err("silence");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
}

fn is_speaker() -> bool {
    std::env::var_os(SPEAKS).is_some()
}

#[test]
fn speaks_of_its_life() {
    if !is_speaker() {
        return silent();
    }
    ready("unix:/run/outrigger/outrigger.sock");
    reloading();
    reloaded("here", &Ok(()));
    reloading();
    reloaded("here", &Err("listen.tcp: wrong".to_owned()));
    stopping(Duration::from_secs(20));
}

/// Without a manager, telling is nothing and no error: it must not block either.
fn silent() {
    assert!(std::env::var_os("NOTIFY_SOCKET").is_none(), "these tests must not be run by a service manager");
    let started = Instant::now();
    ready("nowhere");
    reloading();
    stopping(Duration::MAX / 2);
    assert!(started.elapsed() < TIME_MAX);
}

#[test]
fn a_manager_hears_of_start_reloads_and_end() {
    let manager = Manager::of("speaks_of_its_life");
    assert_eq!(manager.hears(), ["READY=1", "STATUS=serves on unix:/run/outrigger/outrigger.sock"]);
    let mut last = 0_u64;
    for status in ["STATUS=serves on here", "STATUS=serves on here; the last reload was refused, see the log"] {
        let begun = manager.hears();
        assert_eq!(begun[0], "RELOADING=1");
        let time = begun[1].strip_prefix("MONOTONIC_USEC=").expect("the time").parse().expect("a number");
        assert!(time > last, "{time} after {last}");
        last = time;
        assert_eq!(manager.hears(), ["READY=1", status]);
    }
    // The grace, and ten seconds to close what is open.
    assert_eq!(manager.hears(), ["STOPPING=1", "EXTEND_TIMEOUT_USEC=30000000", "STATUS=drains"]);
    manager.has_ended();
}

/// Answers twice, is silent once, answers twice, and then never more.
#[test]
fn speaks_while_it_is_alive() {
    if !is_speaker() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let asked = AtomicU32::new(0);
    let answers = || {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        async move {
            if number == 2 || number > 4 {
                std::future::pending().await
            }
        }
    };
    runtime.block_on(async {
        let alive = keep_alive(Duration::from_millis(400), answers);
        assert!(tokio::time::timeout(Duration::from_secs(4), alive).await.is_err(), "it never ends by itself");
    });
    assert!(asked.load(Ordering::SeqCst) >= 6, "asked again after silence");
    tell(&[sd_notify::NotifyState::Status("no more")]);
}

#[test]
fn signs_of_life_come_at_half_of_the_interval_and_only_after_an_answer() {
    let manager = Manager::of("speaks_while_it_is_alive");
    let mut times = Vec::new();
    for _ in 0..4 {
        assert_eq!(manager.hears(), ["WATCHDOG=1"]);
        times.push(Instant::now());
    }
    // Three times 200 ms, 100 ms more where one was not answered. The clock here is another process's, and a busy machine
    // wakes either late, so only all of it together says something.
    let all = times[3].duration_since(times[0]);
    assert!(all >= Duration::from_millis(450), "{all:?}");
    // Silence of the scheduler is silence here.
    assert_eq!(manager.hears(), ["STATUS=no more"]);
    manager.has_ended();
}
