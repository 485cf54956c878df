//! A sidecar as a child process on a private socket, its pages and its memory.

use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use outrigger_client::{Client, ClientOptions, Endpoint, Fallback};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;

use super::command::program;
use super::cuda::Environment;

/// How long anything may take that must come at last.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What `serve --json` prints when it is ready.
#[derive(Debug, Deserialize)]
struct Ready {
    unix: Option<String>,
    tcp: Option<String>,
    admin: Option<String>,
    pid: u32,
    profile: String,
    proving: bool,
    circuits: Option<PathBuf>,
}

/// A running sidecar; killed when dropped.
pub(crate) struct Sidecar {
    child: Child,
    ready: Ready,
    home: TempDir,
    environment: Environment,
}

impl Sidecar {
    /// Starts one with the defaults.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// Starts one with this configuration file.
    pub(crate) fn start_with(config: &str) -> Self {
        let home = tempfile::Builder::new().prefix("outrigger-test-").tempdir().expect("a folder");
        Self::start_in(home, config)
    }

    /// Starts one that keeps submitted jobs.
    pub(crate) fn start_with_journal() -> Self {
        let home = tempfile::Builder::new().prefix("outrigger-test-").tempdir().expect("a folder");
        let key = home.path().join("journal.key");
        std::fs::write(&key, [7; 32]).expect("a key");
        std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("its mode");
        Self::start_in(home, &format!("[proving]\njournal_key = {key:?}\n"))
    }

    /// Starts one in a folder of the caller's making, which may hold certificates.
    pub(crate) fn start_in(home: TempDir, config: &str) -> Self {
        Self::start_in_environment(home, config, Vec::new())
    }

    /// Starts one with this configuration file and these variables.
    pub(crate) fn start_with_environment(config: &str, environment: Environment) -> Self {
        let home = tempfile::Builder::new().prefix("outrigger-test-").tempdir().expect("a folder");
        Self::start_in_environment(home, config, environment)
    }

    fn start_in_environment(home: TempDir, config: &str, environment: Environment) -> Self {
        std::fs::write(home.path().join("outrigger.toml"), config).expect("the configuration is written");
        let (child, ready) = spawn(home.path(), &environment);
        Self { child, ready, home, environment }
    }

    /// Starts it again where it was, after it ended.
    pub(crate) fn start_again(&mut self) {
        let (child, ready) = spawn(self.home.path(), &self.environment);
        (self.child, self.ready) = (child, ready);
    }

    /// The endpoint as the command line takes it.
    pub(crate) fn endpoint(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.ready.pid
    }

    /// The path of its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.home.path().join("outrigger.sock")
    }

    /// The address of its TCP listener.
    pub(crate) fn tcp(&self) -> &str {
        self.ready.tcp.as_deref().expect("a TCP listener")
    }

    /// The address of its admin port.
    pub(crate) fn admin(&self) -> &str {
        self.ready.admin.as_deref().expect("an admin port")
    }

    /// The profile that it says it runs with.
    pub(crate) fn profile(&self) -> &str {
        &self.ready.profile
    }

    /// Whether it says that it proves, and where it says that its circuits are.
    pub(crate) fn proving_said(&self) -> (bool, Option<&Path>) {
        (self.ready.proving, self.ready.circuits.as_deref())
    }

    /// A folder of its own, where its configuration lies.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// What it says that it listens on.
    pub(crate) fn unix_said(&self) -> Option<&str> {
        self.ready.unix.as_deref()
    }

    /// A client that does nothing by itself: every error comes to the caller.
    pub(crate) fn client_options(&self) -> ClientOptions {
        let endpoint: Endpoint = self.endpoint().parse().expect("an endpoint");
        ClientOptions { fallback: Fallback::None, ..ClientOptions::new(endpoint) }
    }

    /// A client with these options.
    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.client_options()).await.expect("the sidecar answers")
    }

    /// Writes another configuration; obeyed at the next SIGHUP.
    pub(crate) fn configure(&self, config: &str) {
        std::fs::write(self.home.path().join("outrigger.toml"), config).expect("the configuration is written");
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the sidecar is there");
    }

    /// Kills it where it stands and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the sidecar is there");
        self.child.wait().expect("it ends");
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        until("the sidecar ends", || self.child.try_wait().expect("its status"))
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).expect("the log")
    }

    /// Tells it to read its configuration again; gives back what it logs about it.
    pub(crate) fn reload(&self) -> String {
        let before = self.log().len();
        self.signal(Signal::HUP);
        until("the sidecar has reloaded", || {
            let log = self.log();
            let news = log.get(before..).unwrap_or_default();
            let is_done = news.contains("configuration reloaded") || news.contains("reload refused");
            is_done.then(|| news.to_owned())
        })
    }

    /// A page of the admin port: its status line and what follows the headers.
    pub(crate) fn page(&self, path: &str) -> (String, String) {
        let address = self.admin();
        let mut stream = TcpStream::connect(address).expect("the admin port answers");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("headers");
        (head.lines().next().expect("a status").to_owned(), body.to_owned())
    }

    /// The sum of a metric over all label sets that contain every one of `labels` (such as `backend="cpu"`).
    pub(crate) fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let (_, page) = self.page("/metrics");
        let is_wanted = |line: &&str| {
            let rest = line.strip_prefix(name).unwrap_or_default();
            (rest.starts_with('{') || rest.starts_with(' ')) && labels.iter().all(|label| rest.contains(label))
        };
        let values = page.lines().filter(is_wanted).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        values.sum()
    }

    /// Waits until nothing is admitted and not answered.
    pub(crate) fn wait_until_idle(&self) {
        let names = ["outrigger_inflight_requests", "outrigger_inflight_items", "outrigger_inflight_bytes"];
        until("the in-flight gauges are back at 0", || {
            names.iter().all(|name| self.metric(name, &[]) == 0.0).then_some(())
        });
    }

    /// Resident memory now and at its highest, in KiB.
    pub(crate) fn memory_kib(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.ready.pid)).expect("its status");
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).expect("a figure");
            line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
        };
        (field("VmRSS:"), field("VmHWM:"))
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the log of the sidecar:\n{}", self.log());
        }
    }
}

/// Starts the program in `home` and waits for its ready line.
fn spawn(home: &Path, environment: &Environment) -> (Child, Ready) {
    let log = File::options().create(true).append(true).open(home.join("log")).expect("a log file");
    let mut child = program()
        .args(["serve", "--json", "--admin", "127.0.0.1:0", "--config"])
        .arg(home.join("outrigger.toml"))
        .arg("--unix")
        .arg(home.join("outrigger.sock"))
        .env("XDG_STATE_HOME", home.join("state"))
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the sidecar starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let ready = serde_json::from_str::<Ready>(&line).unwrap_or_else(|error| {
        let log = std::fs::read_to_string(home.join("log")).unwrap_or_default();
        panic!("no ready line ({error}) but {line:?}; it logged:\n{log}")
    });
    assert_eq!(ready.pid, child.id());
    (child, ready)
}

/// Asks again and again until there is an answer.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(since.elapsed() < PATIENCE, "waited {} s in vain: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(10));
    }
}
