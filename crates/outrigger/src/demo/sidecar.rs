//! A sidecar as a child process on a private socket.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;

use crate::cli::Failure;

/// How long the child may take to serve, and to go.
const PATIENCE: Duration = Duration::from_secs(30);

/// `devices.hang_max` where processors are asked for as devices: they share their cores with all else, and a worker that says
/// nothing for a while may only wait for them.
const PROCESSOR_HANG_MAX: &str = "60s";

/// What `serve --json` prints when it is ready.
#[derive(Deserialize)]
struct Ready {
    admin: Option<String>,
}

/// A running sidecar; killed when dropped.
pub(crate) struct Sidecar {
    child: Child,
    endpoint: String,
    admin: String,
    directory: TempDir,
}

impl Sidecar {
    /// Starts this very program as a sidecar and waits until it serves.
    /// It drives the OpenCL devices that the rule says: `auto`, `all` or `off`.
    pub(crate) fn start(opencl: &str) -> Result<Self, Failure> {
        Self::start_with(opencl, &[])
    }

    /// The same with values of the configuration, each by the name of its variable of the environment.
    pub(crate) fn start_with(opencl: &str, values: &[(&str, &str)]) -> Result<Self, Failure> {
        let directory = tempfile::Builder::new().prefix("outrigger-demo-").tempdir().map_err(Failure::work)?;
        let socket = directory.path().join("outrigger.sock");
        let program = std::env::current_exe().map_err(Failure::work)?;
        // The demo is the same whatever the surroundings say: a port or tenants of another sidecar are not its own.
        let others = std::env::vars_os().map(|(name, _)| name);
        let others = others.filter(|name| name.to_string_lossy().starts_with("OUTRIGGER_"));
        let mut command = Command::new(program);
        for name in others {
            command.env_remove(name);
        }
        let mut child = command
            .args(["serve", "--json", "--log", "warn", "--admin", "127.0.0.1:0", "--opencl", opencl, "--unix"])
            .arg(&socket)
            // Circuits and jobs of the demo go with it.
            .env("OUTRIGGER_PROVING__DIRECTORY", directory.path().join("state"))
            .envs((opencl == "all").then_some(("OUTRIGGER_DEVICES__HANG_MAX", PROCESSOR_HANG_MAX)))
            .envs(values.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::work(format_args!("cannot start the sidecar: {error}")))?;
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a piped stdout");
        let read = BufReader::new(stdout).read_line(&mut line);
        let ready = read.ok().and_then(|_| serde_json::from_str::<Ready>(&line).ok());
        let Some(admin) = ready.and_then(|ready| ready.admin) else {
            let _ = child.kill();
            return Err(Failure::work("the sidecar did not start; what it printed stands above"));
        };
        Ok(Self { child, endpoint: format!("unix:{}", socket.display()), admin, directory })
    }

    /// Where it serves.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A folder that goes with it.
    pub(crate) fn folder(&self) -> &Path {
        self.directory.path()
    }

    /// Items that each backend has judged so far, from the sidecar's own metrics.
    pub(crate) fn items_by_backend(&self) -> Result<BTreeMap<String, u64>, Failure> {
        let page = get(&self.admin, "/metrics")
            .map_err(|error| Failure::work(format_args!("cannot read the sidecar's metrics: {error}")))?;
        let mut items = BTreeMap::new();
        for line in page.lines().filter(|line| line.starts_with("outrigger_items_total{")) {
            let backend = line.split("backend=\"").nth(1).and_then(|rest| rest.split('"').next());
            let value = line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
            if let (Some(backend), Some(value)) = (backend, value) {
                *items.entry(backend.to_owned()).or_insert(0) += value as u64;
            }
        }
        Ok(items)
    }

    /// Asks it to go and waits until it has.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).map_err(Failure::work)?;
        let since = Instant::now();
        loop {
            match self.child.try_wait().map_err(Failure::work)? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(Failure::work(format_args!("the sidecar ended with {status}"))),
                None if since.elapsed() > PATIENCE => return Err(Failure::work("the sidecar did not stop")),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A page of the admin port.
fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
