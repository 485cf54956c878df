//! A worker process behind the engine.

use std::sync::{Arc, LazyLock, mpsc};
use std::time::Instant;

use outrigger_algorithms::gpu;
use outrigger_device::{Api, BatchError, DeviceError, Job, Refusal, Standing, WorkerHandle, WorkerStats};
use outrigger_types::{Backend, Operation};

use super::{Batch, Worker};

/// All operations with their codes: looked up again and again while a device is watched.
static CODED: LazyLock<Vec<(Operation, u32)>> =
    LazyLock::new(|| gpu::operations().filter_map(|operation| Some((operation, gpu::code(operation)?))).collect());

static CODES: LazyLock<Vec<u32>> = LazyLock::new(|| CODED.iter().map(|(_, code)| *code).collect());

/// A device's worker process, kept alive by its handle, which others may ask for other things.
pub struct ProcessWorker {
    handle: Arc<WorkerHandle>,
    api: Api,
    device: String,
    batch_bytes_max: usize,
}

impl ProcessWorker {
    /// The worker of a device that is reached by `api` and known as `name`; of an arena of so many bytes a
    /// batch and its answer take an eighth each at most, so that two of them are on their way while others are packed.
    pub fn new(handle: Arc<WorkerHandle>, api: Api, name: &str, arena_bytes: usize) -> Self {
        Self { handle, api, device: name.to_owned(), batch_bytes_max: arena_bytes / 8 }
    }

    /// How the process fares.
    pub fn stats(&self) -> WorkerStats {
        self.handle.stats()
    }

    /// The operations that this process cannot do although there are kernels for them, and why.
    pub fn failures(&self) -> Vec<(Operation, String)> {
        let why = |operation| match self.handle.standing(gpu::code(operation)?)? {
            Standing::Failed { why, .. } => Some((operation, why.to_string())),
            Standing::Untested | Standing::Serves => None,
        };
        gpu::operations().filter_map(why).collect()
    }

    /// Tells the recorder of metrics how the process fares.
    pub fn record(&self) {
        crate::metrics::record_worker(self.backend(), self.device(), &self.stats());
        // Nobody knows it before a process has opened the device.
        if let Some(info) = self.handle.info() {
            crate::metrics::device_memory(self.backend(), self.device(), info.memory_bytes);
        }
    }

    /// Why the last process that did not come up did not.
    pub fn last_failure(&self) -> Option<DeviceError> {
        self.handle.last_failure()
    }
}

impl Worker for ProcessWorker {
    fn backend(&self) -> Backend {
        if self.api == Api::Cuda { Backend::Cuda } else { Backend::Opencl }
    }

    fn device(&self) -> &str {
        &self.device
    }

    fn life(&self) -> Option<u64> {
        self.handle.is_up().then(|| self.handle.stats().starts)
    }

    fn is_testing(&self) -> bool {
        !self.handle.has_tested(&CODES)
    }

    fn operations(&self) -> Vec<Operation> {
        let served = self.handle.served();
        CODED.iter().filter(|(_, code)| served.contains(code)).map(|(operation, _)| *operation).collect()
    }

    fn batch_bytes_max(&self) -> usize {
        self.batch_bytes_max
    }

    fn run(&self, batch: Batch<'_>) -> Result<Vec<u8>, DeviceError> {
        let operation = gpu::code(batch.operation).ok_or(DeviceError::Unsupported)?;
        let is_late = || batch.deadline.is_some_and(|deadline| deadline <= Instant::now());
        // Trials and proofs ask the same process: what they hold comes back, and then it is the turn of this batch.
        let goes_on = || !is_late() && self.handle.is_up();
        let region = self.handle.region_in_turn(batch.input_len, batch.output_len, &goes_on);
        let mut region = region.ok_or_else(|| if is_late() { DeviceError::Expired } else { lost() })?;
        (batch.fill)(region.input_mut());
        let (sender, receiver) = mpsc::sync_channel(1);
        let job = Job { operation, header: gpu::header(batch.nonce), region, deadline: batch.deadline };
        let completion = Box::new(move |finished| {
            // Who waits for it is there until it comes.
            let _ = sender.send(finished);
        });
        self.handle.submit_in_turn(job, completion, &|| !is_late()).map_err(|(refusal, _)| match refusal {
            Refusal::Full => DeviceError::Expired,
            Refusal::Down => lost(),
            Refusal::NotServed => DeviceError::Unsupported,
            Refusal::Misuse => DeviceError::Misuse("a batch that the worker does not take".to_owned()),
        })?;
        let finished = receiver.recv().map_err(|_| lost())?;
        match finished.result {
            Ok(timing) => {
                crate::metrics::device_timing(self.backend(), self.device(), &timing);
                finished.region.map(|region| region.output()).ok_or_else(lost)
            }
            Err(BatchError::Device(error)) => Err(error),
            Err(BatchError::WorkerLost) => Err(lost()),
        }
    }
}

fn lost() -> DeviceError {
    DeviceError::Lost("its worker is gone".to_owned())
}
