//! A device behind its worker, asked plainly: nothing is planted or judged again, for here every answer is compared.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use outrigger_algorithms::gpu;
use outrigger_config::Devices;
use outrigger_device::{DeviceInfo, Finished, Job, Region, Standing, Timing, WorkerHandle};
use outrigger_types::packed::{self, Marks, Part};
use outrigger_types::{Operation, Output};

use super::items::Batch;
use crate::cli::Failure;
use crate::devices;

/// Longer than any batch may take; a worker that hangs is killed before.
const PATIENCE: Duration = Duration::from_secs(900);

/// A device that passed its self-tests, or failed some.
pub(super) struct Asked {
    handle: WorkerHandle,
    pub(super) info: DeviceInfo,
    /// From the start of its process to the end of its self-tests.
    pub(super) ready: Duration,
}

/// A batch that is packed, in a region of the arena.
pub(super) struct Packed {
    operation: Operation,
    items: usize,
    region: Region,
}

/// What a batch came to.
pub(super) struct Answered {
    /// The same region, to be given away again or read.
    pub(super) packed: Packed,
    nonce: u64,
    /// From the submission to the answer.
    pub(super) took: Duration,
    pub(super) timing: Timing,
}

impl Asked {
    /// Starts the worker of a device and waits for its self-tests.
    pub(super) fn start(device: &DeviceInfo, rules: &Devices, arena_bytes: usize) -> Result<Self, Failure> {
        let started = Instant::now();
        let handle = devices::handle(device, rules, arena_bytes).map_err(Failure::work)?;
        while !handle.wait_ready(Duration::from_millis(200)) {
            if let Some(why) = handle.last_failure() {
                return Err(Failure::work(format_args!("{} is not driven: {why}", device.label())));
            }
            if started.elapsed() > devices::READY_TIME_MAX {
                return Err(Failure::work(format_args!("{} is not ready in time", device.label())));
            }
        }
        let info = handle.info().unwrap_or_else(|| device.clone());
        Ok(Self { handle, info, ready: started.elapsed() })
    }

    /// Why an operation is not served; `None` where it is. Waits for a worker that is being started again.
    pub(super) fn refusal(&self, operation: Operation) -> Option<String> {
        if !self.handle.wait_ready(devices::READY_TIME_MAX) {
            return Some("its worker does not come back".to_owned());
        }
        match gpu::code(operation).and_then(|code| self.handle.standing(code)) {
            Some(Standing::Serves) => None,
            Some(Standing::Failed { why, .. }) => Some(why.to_string()),
            Some(Standing::Untested) => Some("its self-test has not ended".to_owned()),
            None => Some("the device does not do it".to_owned()),
        }
    }

    /// Packs a batch into the arena.
    pub(super) fn pack(&self, batch: &Batch) -> Result<Packed, Failure> {
        self.pack_marked(batch.operation, &batch.parts, &batch.marks)
    }

    /// Packs parts of work with marks on items whose keys are to be known.
    pub(super) fn pack_marked(&self, operation: Operation, parts: &[Part], marks: &Marks) -> Result<Packed, Failure> {
        let region = self.handle.region(packed::packed_len(parts, marks), packed::answer_len(parts));
        let mut region = region.ok_or_else(|| Failure::work("the arena has no room for the batch"))?;
        packed::pack(parts, marks, region.input_mut());
        let items = parts.iter().map(|(_, range)| range.len()).sum();
        Ok(Packed { operation, items, region })
    }

    /// Gives a batch to the worker and waits for its answer.
    pub(super) fn ask(&self, packed: Packed) -> Result<Answered, Failure> {
        let Packed { operation, items, region } = packed;
        let code = gpu::code(operation).ok_or_else(|| Failure::work("there are no kernels for it"))?;
        let nonce = rand::random();
        let (sender, receiver) = mpsc::sync_channel(1);
        let job = Job { operation: code, header: gpu::header(nonce), region, deadline: None };
        let completion = Box::new(move |finished: Finished| {
            let _ = sender.send((finished, Instant::now()));
        });
        let submitted = Instant::now();
        let refused = |refusal| Failure::work(format_args!("the worker does not take a batch: {refusal:?}"));
        self.handle.submit(job, completion).map_err(|(refusal, _)| refused(refusal))?;
        let (finished, ended) =
            receiver.recv_timeout(PATIENCE).map_err(|_| Failure::work("the worker does not answer"))?;
        let timing = finished.result.map_err(|error| match error {
            outrigger_device::BatchError::Device(error) => Failure::work(error),
            outrigger_device::BatchError::WorkerLost => Failure::work("the worker ended with a batch in its hands"),
        })?;
        let region = finished.region.ok_or_else(|| Failure::work("the worker is gone"))?;
        Ok(Answered { packed: Packed { operation, items, region }, nonce, took: ended - submitted, timing })
    }

    /// The time of a batch without items through the worker: what a batch costs beside its work.
    pub(super) fn empty_batch(&self, operation: Operation) -> Result<Duration, Failure> {
        self.ask(self.pack_marked(operation, &[], &Marks::none())?).map(|answered| answered.took)
    }
}

impl Answered {
    /// The answer, its tags checked.
    pub(super) fn output(&self) -> Result<Output, Failure> {
        let Packed { operation, items, ref region } = self.packed;
        let count = if operation.is_divisible() { items } else { 1 };
        packed::read_answer(self.nonce, operation, count, &region.output()).map_err(Failure::work)
    }
}
