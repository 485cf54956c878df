//! The engine that proofs and their steps are measured on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_groth16::engine::device::remote::{RemoteEngine, Worker};
use outrigger_groth16::engine::{EngineChoice, ProofEngine};
use outrigger_types::Backend;

use super::Record;
use super::devices::{Chosen, choose};
use crate::cli::{BenchArgs, Failure};
use crate::devices;

/// Bytes of the arena: the points and the scalars of a sum of 2^22 in G2, once, and half as much again.
const ARENA_BYTES: usize = 2 << 30;

/// What is measured: the engine of the backend that was asked for, or the fastest of this machine's cores.
pub(super) struct Subject {
    pub(super) engine: Arc<dyn ProofEngine>,
    /// The fastest of the cores, where the engine is that of a device.
    pub(super) cores: Option<EngineChoice>,
    backend: Backend,
    /// The device and its driver, where it is none of the cores.
    device: Option<String>,
}

impl Subject {
    /// The engine that the command line asks for. A device passes its self-tests before it is measured.
    pub(super) fn of(args: &BenchArgs) -> Result<Self, Failure> {
        let fastest = EngineChoice::fastest();
        let of_cores =
            |choice: EngineChoice, backend| Self { engine: Arc::new(choice), cores: None, backend, device: None };
        match args.backend {
            None if fastest == EngineChoice::Vector => Ok(of_cores(fastest, Backend::Vector)),
            None | Some(Backend::Cpu) => Ok(of_cores(EngineChoice::Cpu, Backend::Cpu)),
            Some(Backend::Vector) if fastest == EngineChoice::Vector => Ok(of_cores(fastest, Backend::Vector)),
            Some(Backend::Vector) => Err(Failure::input(
                "--backend vector: this processor has no AVX-512 IFMA; `outrigger devices` lists what is here",
            )),
            Some(backend @ (Backend::Cuda | Backend::Opencl)) => Self::on_device(args, backend),
        }
    }

    fn on_device(args: &BenchArgs, backend: Backend) -> Result<Self, Failure> {
        let Chosen { config, device, .. } = choose(args)?;
        super::announce(args, &format!("{}, after its self-tests", device.label()));
        let handle = Arc::new(devices::handle(&device, &config.devices, ARENA_BYTES).map_err(Failure::work)?);
        let worker = Worker::new(handle.clone(), ARENA_BYTES);
        let started = Instant::now();
        while !worker.has_tested() {
            if let Some(why) = handle.last_failure() {
                return Err(Failure::work(format_args!("{} is not driven: {why}", device.label())));
            }
            if started.elapsed() > devices::READY_TIME_MAX {
                return Err(Failure::work(format_args!("{} is not ready in time", device.label())));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        if let Some((call, why)) = worker.failures().into_iter().next() {
            return Err(Failure::work(format_args!("{}: {}: {why}", device.label(), call.name())));
        }
        let engine = Arc::new(RemoteEngine::new(Box::new(worker), backend.name()));
        let device = Some(format!("{}, {}", device.label(), device.driver));
        Ok(Self { engine, cores: Some(EngineChoice::fastest()), backend, device })
    }

    /// Whether proofs are made in lanes of this machine's cores.
    pub(super) fn is_vector(&self) -> bool {
        self.backend == Backend::Vector
    }

    /// A record of this engine that has no figures yet.
    pub(super) fn record(&self, suite: &'static str, algorithm: &str, batch: usize, threads: usize) -> Record {
        let record = Record::new(suite, algorithm, batch, threads);
        let cores =
            if self.is_vector() { Record::of_prover(suite, algorithm, batch, threads).device } else { record.device };
        Record { backend: self.backend.name().to_owned(), device: self.device.clone().unwrap_or(cores), ..record }
    }
}
