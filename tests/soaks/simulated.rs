//! A queue of a simulator, which interprets kernels instruction by instruction: a table of multiples of a base point
//! would take it an hour. It makes a small group of each, which must be what the host build makes of that part; the
//! whole table comes from there.

use std::time::Duration;

use outrigger_device::{Argument, Buffer, Device, DeviceError, DeviceInfo, Queue};
use outrigger_device_host::HostDevice;
use outrigger_kernels::Program;

/// Work-items that it makes a table with: they share inversions, and each makes many multiples.
const GROUP_SIZE: u32 = 2;
/// What the kernel of a table is called at its end.
const TABLES: &str = "_tables";
/// What the simulator has not written holds this: no table is long the same byte.
const UNWRITTEN: u8 = 0xa5;
/// Kernels write words.
const WORD_BYTES: usize = 4;

/// Whether a device is a simulator.
pub(super) fn is_simulator(info: &DeviceInfo) -> bool {
    info.platform.contains("Oclgrind")
}

/// Its queue.
pub(super) struct SimulatedQueue {
    queue: Box<dyn Queue>,
    host: Box<dyn Queue>,
}

impl SimulatedQueue {
    pub(super) fn new(queue: Box<dyn Queue>) -> Result<Self, DeviceError> {
        Ok(Self { queue, host: HostDevice::new().queue()? })
    }

    /// The table that the host build makes.
    fn on_host(&mut self, kernel: &str, work_items: u32, bytes: usize) -> Result<Vec<u8>, DeviceError> {
        let size = self.host.info().group_size_max;
        let buffer = self.host.allocate(bytes)?;
        self.host.launch(kernel, work_items.div_ceil(size), size, &[Argument::Buffer(&buffer, 0)])?;
        let mut table = vec![0; bytes];
        self.host.read(&buffer, 0, &mut table)?;
        Ok(table)
    }

    fn table(&mut self, kernel: &str, groups: u32, group_size: u32, argument: Argument<'_>) -> Result<(), DeviceError> {
        let Argument::Buffer(buffer, 0) = argument else {
            return Err(DeviceError::Misuse(format!("{kernel}: a table is a buffer")));
        };
        let table = self.on_host(kernel, groups * group_size, buffer.bytes())?;
        self.queue.write(buffer, 0, &vec![UNWRITTEN; table.len()])?;
        self.queue.launch(kernel, 1, group_size.min(GROUP_SIZE), &[argument])?;
        let mut part = vec![0; table.len()];
        self.queue.read(buffer, 0, &mut part)?;
        let words = part.chunks(WORD_BYTES).zip(table.chunks(WORD_BYTES));
        let written: Vec<_> = words.filter(|(found, _)| found.iter().any(|byte| *byte != UNWRITTEN)).collect();
        if written.is_empty() || written.iter().any(|(found, expected)| found != expected) {
            return Err(DeviceError::Failed(format!("{kernel}: another table than the host build's")));
        }
        println!("  {kernel}: {} of {} bytes by the simulator", written.len() * WORD_BYTES, table.len());
        self.queue.write(buffer, 0, &table)
    }
}

impl Queue for SimulatedQueue {
    fn info(&self) -> &DeviceInfo {
        self.queue.info()
    }

    fn load(&mut self, program: &Program) -> Result<(), DeviceError> {
        self.host.load(program)?;
        self.queue.load(program)
    }

    fn allocate(&mut self, bytes: usize) -> Result<Buffer, DeviceError> {
        self.queue.allocate(bytes)
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
        match arguments {
            [table] if kernel.ends_with(TABLES) => self.table(kernel, groups, group_size, *table),
            _ => self.queue.launch(kernel, groups, group_size, arguments),
        }
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
