//! A queue whose groups are small.

use std::time::Duration;

use outrigger_kernels::Program;

use crate::{Argument, Buffer, DeviceError, DeviceInfo, Queue};

/// A queue that says its groups have at most so many work-items. Where work-items run one after the other, those
/// without an item take as long as those with one, so that few items are quicker in a small group.
pub struct NarrowQueue<'a> {
    queue: &'a mut dyn Queue,
    info: DeviceInfo,
}

impl<'a> NarrowQueue<'a> {
    /// The same queue with groups of at most `group_size_max`, which is not 0.
    pub fn new(queue: &'a mut dyn Queue, group_size_max: u32) -> Self {
        let mut info = queue.info().clone();
        info.group_size_max = info.group_size_max.min(group_size_max.max(1));
        Self { queue, info }
    }
}

impl Queue for NarrowQueue<'_> {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn load(&mut self, program: &Program) -> Result<(), DeviceError> {
        self.queue.load(program)
    }

    fn allocate(&mut self, bytes: usize) -> Result<Buffer, DeviceError> {
        self.queue.allocate(bytes)
    }

    fn memory_left(&self) -> u64 {
        self.queue.memory_left()
    }

    fn write(&mut self, buffer: &Buffer, offset: usize, bytes: &[u8]) -> Result<(), DeviceError> {
        self.queue.write(buffer, offset, bytes)
    }

    fn launch(
        &mut self,
        kernel: &str,
        groups: u32,
        group_size: u32,
        arguments: &[Argument<'_>],
    ) -> Result<(), DeviceError> {
        self.queue.launch(kernel, groups, group_size, arguments)
    }

    fn read(&mut self, buffer: &Buffer, offset: usize, into: &mut [u8]) -> Result<(), DeviceError> {
        self.queue.read(buffer, offset, into)
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        self.queue.finish()
    }

    fn take_kernel_time(&mut self) -> Duration {
        self.queue.take_kernel_time()
    }
}
