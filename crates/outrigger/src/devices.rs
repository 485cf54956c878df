//! The devices of this machine, each driven by a process of its own.

mod listing;
pub(crate) mod worker;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use outrigger_algorithms::gpu;
use outrigger_config::{Config, DeviceApi, DeviceSearch, DeviceSeen, Devices, Overrides, Sources};
use outrigger_device::{Api, DeviceInfo, WorkerHandle, WorkerOptions};
use outrigger_groth16::engine::ProofEngine;
use outrigger_groth16::engine::device::remote::{self, RemoteEngine};
use outrigger_scheduler::device::{DeviceEngine, DeviceOptions, ProcessWorker};
use outrigger_types::{Backend, Engine};

use crate::cli::Failure;

pub(crate) use listing::Absence;
use listing::Listed;

/// How long a worker may take to compile kernels and test itself, kernels of a cold cache included.
pub(crate) const READY_TIME_MAX: Duration = Duration::from_secs(600);

/// How long it is waited for a device until it is looked whether it comes at all.
const LOOK: Duration = Duration::from_millis(200);

/// A device that is driven, and the process that drives it.
pub(crate) struct Driven {
    pub(crate) engine: Arc<DeviceEngine>,
    pub(crate) worker: Arc<ProcessWorker>,
    pub(crate) prover: Arc<RemoteEngine>,
    /// What the prover asks.
    pub(crate) proofs: remote::Worker,
}

impl Driven {
    /// Waits until everything that the engine can do was tried, or it is certain that nothing will be.
    pub(crate) fn wait(&self) -> bool {
        self.wait_for(|| self.engine.warm_up(LOOK))
    }

    /// Waits until everything that a proof takes was tried too.
    pub(crate) fn wait_for_proofs(&self) -> bool {
        self.wait_for(|| {
            self.proofs.has_tested() || {
                thread::sleep(LOOK);
                false
            }
        })
    }

    fn wait_for(&self, is_there: impl Fn() -> bool) -> bool {
        let until = Instant::now() + READY_TIME_MAX;
        while Instant::now() < until {
            if is_there() {
                return true;
            }
            if self.worker.stats().starts > 1 && self.worker.last_failure().is_some() {
                return false;
            }
        }
        false
    }
}

/// The devices that there are, and why there are none of an API.
pub(crate) struct Found {
    pub(crate) devices: Vec<DeviceInfo>,
    pub(crate) absent: Vec<(Backend, Absence)>,
}

/// The devices that are driven, and why there are none of a backend.
pub(crate) struct Started {
    pub(crate) driven: Vec<Driven>,
    pub(crate) absent: Vec<(Backend, Absence)>,
}

/// The configuration of a command that drives devices by itself. It listens nowhere, so it needs no place for a socket.
pub(crate) fn config(overrides: Overrides) -> Result<Config, Failure> {
    let overrides = Overrides { unix: Some("/nowhere".into()), ..overrides };
    Config::load_with_devices(Sources::of_process(None, overrides), seen).map_err(Failure::input)
}

/// The devices that a profile may be chosen by.
pub(crate) fn seen(search: &DeviceSearch) -> Vec<DeviceSeen> {
    let described = |device: DeviceInfo| DeviceSeen {
        api: if device.api == Api::Cuda { DeviceApi::Cuda } else { DeviceApi::Opencl },
        name: device.name,
        platform: device.platform,
        memory_bytes: device.memory_bytes,
        is_processor: device.is_processor,
    };
    let Listed { cuda, opencl } = listing::all(search);
    cuda.unwrap_or_default().into_iter().chain(opencl.unwrap_or_default()).map(described).collect()
}

/// Looks for the devices that the configuration wants: CUDA's first.
pub(crate) fn find(config: &Config) -> Found {
    let Listed { cuda, opencl: all } = listing::all(&DeviceSearch {
        cuda: config.engines.cuda,
        opencl: config.engines.opencl,
        cuda_worker: config.devices.cuda_worker.clone(),
    });
    let opencl = all.and_then(|all| listing::left_by_cuda(config, all, cuda.as_deref().unwrap_or_default()));
    let mut found = Found { devices: Vec::new(), absent: Vec::new() };
    for (backend, listed) in [(Backend::Cuda, cuda), (Backend::Opencl, opencl)] {
        match listed {
            Ok(devices) => found.devices.extend(devices),
            Err(why) => found.absent.push((backend, why)),
        }
    }
    found
}

/// Starts a worker for every device that the configuration wants. Returns at once: devices are offered work when they
/// have passed their trials.
pub(crate) fn start(config: &Config) -> Started {
    let found = find(config);
    for (backend, why) in &found.absent {
        match why {
            Absence::Off(_) => {}
            why if why.is_fault() => tracing::warn!(%backend, %why, "no devices of this backend"),
            why => tracing::info!(%backend, %why, "no devices of this backend"),
        }
    }
    let driven = found.devices.iter().filter_map(|device| drive(device, &config.devices)).collect();
    Started { driven, absent: found.absent }
}

/// The devices as engines of proofs.
pub(crate) fn provers(driven: &[Driven]) -> Vec<(Backend, Arc<dyn ProofEngine>)> {
    let prover = |driven: &Driven| (driven.engine.backend(), driven.prover.clone() as Arc<dyn ProofEngine>);
    driven.iter().map(prover).collect()
}

/// The engines among others.
pub(crate) fn engines(driven: &[Driven]) -> impl Iterator<Item = Arc<dyn Engine>> {
    driven.iter().map(|driven| driven.engine.clone() as Arc<dyn Engine>)
}

fn drive(device: &DeviceInfo, rules: &Devices) -> Option<Driven> {
    let handle = handle(device, rules, rules.arena_bytes)
        .inspect_err(|error| tracing::error!(device = device.label(), %error, "no worker for a device"))
        .ok()?;
    let handle = Arc::new(handle);
    let worker = Arc::new(ProcessWorker::new(handle.clone(), device.api, &device.label(), rules.arena_bytes));
    let audit_rate = f64::from(rules.audit_per_million) / 1e6;
    let engine = DeviceEngine::new(worker.clone(), DeviceOptions { audit_rate, ..DeviceOptions::default() });
    let calls = || remote::Worker::new(handle.clone(), rules.arena_bytes);
    let prover = RemoteEngine::new(Box::new(calls()), engine.backend().name());
    Some(Driven { engine: Arc::new(engine), worker, prover: Arc::new(prover), proofs: calls() })
}

/// Starts the worker of a device, with an arena of so many bytes.
pub(crate) fn handle(device: &DeviceInfo, rules: &Devices, arena_bytes: usize) -> std::io::Result<WorkerHandle> {
    let command = worker::command(device, rules)?;
    let options = WorkerOptions {
        build: gpu::build(),
        arena_bytes,
        progress_limit: rules.hang_max,
        ready_limit: rules.ready_max,
        ..WorkerOptions::default()
    };
    WorkerHandle::start(command, options)
}
