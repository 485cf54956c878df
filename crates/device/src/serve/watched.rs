//! A queue that tells the parent that it moves on, and measures where time goes.

use std::time::{Duration, Instant};

use outrigger_kernels::Program;

use crate::arena::{Control, Mapped};
use crate::protocol::Timing;
use crate::{Argument, Buffer, DeviceError, DeviceInfo, Queue};

/// The queue of a lane, for the time of one batch.
pub(crate) struct Watched<'a> {
    queue: &'a mut dyn Queue,
    arena: &'a Mapped,
    lane: usize,
    slot: usize,
    batch: u64,
    /// Whether launches may still run.
    running: bool,
    timing: Timing,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(queue: &'a mut dyn Queue, arena: &'a Mapped, lane: usize, slot: usize, batch: u64) -> Self {
        // What an earlier batch left untold is none of this one's.
        queue.take_kernel_time();
        Self { queue, arena, lane, slot, batch, running: false, timing: Timing::default() }
    }

    /// A step done, for the parent that watches; an error where it no longer wants the batch.
    pub(crate) fn go_on(&self) -> Result<(), DeviceError> {
        self.arena.step(self.lane);
        if self.arena.is_cancelled(self.slot, self.batch) { Err(DeviceError::Cancelled) } else { Ok(()) }
    }

    /// Waits for launches that nobody waited for.
    pub(crate) fn settle(&mut self) -> Result<(), DeviceError> {
        if self.running {
            self.timed(|timing| &mut timing.copy_out, |queue| queue.finish())?;
            self.running = false;
        }
        self.timing.kernels += self.queue.take_kernel_time();
        Ok(())
    }

    pub(crate) fn timing(&self) -> Timing {
        self.timing
    }

    fn timed<T>(&mut self, place: fn(&mut Timing) -> &mut Duration, call: impl FnOnce(&mut dyn Queue) -> T) -> T {
        let started = Instant::now();
        let result = call(self.queue);
        *place(&mut self.timing) += started.elapsed();
        self.arena.step(self.lane);
        result
    }
}

impl Queue for Watched<'_> {
    fn info(&self) -> &DeviceInfo {
        self.queue.info()
    }

    fn load(&mut self, program: &Program) -> Result<(), DeviceError> {
        self.go_on()?;
        let result = self.queue.load(program);
        self.arena.step(self.lane);
        result
    }

    fn allocate(&mut self, bytes: usize) -> Result<Buffer, DeviceError> {
        self.go_on()?;
        self.queue.allocate(bytes)
    }

    fn memory_left(&self) -> u64 {
        self.queue.memory_left()
    }

    fn write(&mut self, buffer: &Buffer, offset: usize, bytes: &[u8]) -> Result<(), DeviceError> {
        self.go_on()?;
        self.timing.bytes_in += bytes.len() as u64;
        self.timed(|timing| &mut timing.copy_in, |queue| queue.write(buffer, offset, bytes))
    }

    fn launch(
        &mut self,
        kernel: &str,
        groups: u32,
        group_size: u32,
        arguments: &[Argument<'_>],
    ) -> Result<(), DeviceError> {
        self.go_on()?;
        self.running = true;
        self.queue.launch(kernel, groups, group_size, arguments)
    }

    fn read(&mut self, buffer: &Buffer, offset: usize, into: &mut [u8]) -> Result<(), DeviceError> {
        self.go_on()?;
        self.timing.bytes_out += into.len() as u64;
        let result = self.timed(|timing| &mut timing.copy_out, |queue| queue.read(buffer, offset, into));
        self.running &= result.is_err();
        result
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        self.go_on()?;
        let result = self.timed(|timing| &mut timing.copy_out, |queue| queue.finish());
        self.running &= result.is_err();
        result
    }

    fn take_kernel_time(&mut self) -> Duration {
        // It is counted here; an operation that asks is told, and it is not lost to the batch's timing.
        let time = self.queue.take_kernel_time();
        self.timing.kernels += time;
        time
    }
}
