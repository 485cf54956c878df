//! The devices of this machine, each driven by a process of its own.

pub(crate) mod worker;

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_config::{Config, Devices, OpenclRule};
use outrigger_device::{Api, WorkerHandle, WorkerOptions};
use outrigger_scheduler::device::{DeviceEngine, DeviceOptions, ProcessWorker};
use outrigger_types::Engine;

use worker::Listed;

/// Parent and worker are of the same build.
pub(crate) const BUILD: &str = env!("CARGO_PKG_VERSION");

/// How long drivers may take to say what devices there are.
const LIST_TIME_MAX: Duration = Duration::from_secs(20);
/// How long a worker may take to compile kernels and test itself, kernels of a cold cache included.
const READY_TIME_MAX: Duration = Duration::from_secs(600);

/// A device that is driven, and the process that drives it.
pub(crate) struct Driven {
    pub(crate) engine: Arc<DeviceEngine>,
    pub(crate) worker: Arc<ProcessWorker>,
}

impl Driven {
    /// Waits until everything that it can do was tried, or it is certain that nothing will be.
    pub(crate) fn wait(&self) -> bool {
        let until = Instant::now() + READY_TIME_MAX;
        while Instant::now() < until {
            if self.engine.warm_up(Duration::from_millis(200)) {
                return true;
            }
            if self.worker.stats().starts > 1 && self.worker.last_failure().is_some() {
                return false;
            }
        }
        false
    }
}

/// Starts a worker for every device that the configuration wants. Returns at once: devices are offered work when they
/// have passed their trials.
pub(crate) fn start(config: &Config) -> Vec<Driven> {
    let listed = match config.engines.opencl {
        OpenclRule::Off => Vec::new(),
        OpenclRule::Auto => list().into_iter().filter(|device| !device.is_processor).collect(),
        OpenclRule::All => list(),
    };
    listed.iter().filter_map(|device| drive(device, &config.devices)).collect()
}

/// The engines among others.
pub(crate) fn engines(driven: &[Driven]) -> impl Iterator<Item = Arc<dyn Engine>> {
    driven.iter().map(|driven| driven.engine.clone() as Arc<dyn Engine>)
}

fn drive(device: &Listed, rules: &Devices) -> Option<Driven> {
    let command = worker::command(device.ordinal, rules)
        .inspect_err(|error| tracing::error!(%error, "this program cannot be found, so no device is driven"))
        .ok()?;
    let options = WorkerOptions {
        build: BUILD.to_owned(),
        arena_bytes: rules.arena_bytes,
        progress_limit: rules.hang_max,
        ready_limit: READY_TIME_MAX,
        ..WorkerOptions::default()
    };
    let handle = WorkerHandle::start(command, options)
        .inspect_err(|error| tracing::error!(device = device.name, %error, "no worker for a device"))
        .ok()?;
    let worker = Arc::new(ProcessWorker::new(handle, Api::OpenCl, &device.name, rules.arena_bytes));
    let audit_rate = f64::from(rules.audit_per_million) / 1e6;
    let engine = DeviceEngine::new(worker.clone(), DeviceOptions { audit_rate, ..DeviceOptions::default() });
    Some(Driven { engine: Arc::new(engine), worker })
}

/// What devices there are, asked in a process of its own: a driver that crashes takes nothing with it.
pub(crate) fn list() -> Vec<Listed> {
    let asked = || -> std::io::Result<Vec<Listed>> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["device-worker", "--list"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let until = Instant::now() + LIST_TIME_MAX;
        while child.try_wait()?.is_none() {
            if Instant::now() >= until {
                child.kill()?;
                child.wait()?;
                return Err(std::io::Error::other("the drivers do not answer"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut text = String::new();
        if let Some(mut stdout) = child.stdout.take() {
            stdout.read_to_string(&mut text)?;
        }
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    };
    asked().unwrap_or_else(|error| {
        tracing::warn!(%error, "it cannot be found out what devices there are");
        Vec::new()
    })
}
