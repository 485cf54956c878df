//! A queue of a simulator, which interprets kernels instruction by instruction: a table of multiples of a base point
//! would take it an hour. It makes a small group of each, which must be what the host build makes of that part; the
//! whole table comes from there.

use std::time::Duration;

use outrigger_device::{Argument, Buffer, Device, DeviceError, DeviceInfo, Queue};
use outrigger_device_host::HostDevice;
use outrigger_kernels::Program;

/// Work-items that it makes a table with: they share inversions, and each makes many multiples.
const GROUP_SIZE: u32 = 2;
/// What kernels of tables are called at their end.
const TABLES: [&str; 2] = ["_tables", "_comb"];
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

    /// The tables by the host build, held against what the simulator makes of them.
    fn make_tables(
        &mut self,
        kernel: &str,
        groups: u32,
        group_size: u32,
        arguments: &[Argument<'_>],
    ) -> Result<(), DeviceError> {
        let before = contents(&mut *self.queue, arguments)?;
        let after = self.on_host(kernel, groups * group_size, arguments, &before)?;
        self.queue.launch(kernel, 1, group_size.min(GROUP_SIZE), arguments)?;
        let found = contents(&mut *self.queue, arguments)?;
        let (mut written, mut all) = (0, 0);
        for ((before, after), found) in before.iter().zip(&after).zip(&found) {
            let words = found.chunks(WORD_BYTES).zip(before.chunks(WORD_BYTES)).zip(after.chunks(WORD_BYTES));
            let changed: Vec<_> = words.filter(|((found, before), _)| found != before).collect();
            if changed.iter().any(|((found, _), after)| found != after) {
                return Err(DeviceError::Failed(format!("{kernel}: another table than the host build's")));
            }
            written += changed.len() * WORD_BYTES;
            all += found.len();
        }
        if written == 0 {
            return Err(DeviceError::Failed(format!("{kernel}: the simulator writes nothing")));
        }
        println!("  {kernel}: {written} of {all} bytes by the simulator");
        let buffers = arguments.iter().filter_map(buffer_of);
        buffers.zip(&after).try_for_each(|((buffer, _), bytes)| self.queue.write(buffer, 0, bytes))
    }

    /// What the host build makes of the buffers among the arguments.
    fn on_host(
        &mut self,
        kernel: &str,
        work_items: u32,
        arguments: &[Argument<'_>],
        before: &[Vec<u8>],
    ) -> Result<Vec<Vec<u8>>, DeviceError> {
        let size = self.host.info().group_size_max;
        let mut buffers = Vec::new();
        for bytes in before {
            let buffer = self.host.allocate(bytes.len())?;
            self.host.write(&buffer, 0, bytes)?;
            buffers.push(buffer);
        }
        let mut own = buffers.iter();
        let on_host: Vec<Argument<'_>> = arguments
            .iter()
            .map(|argument| match argument {
                Argument::Buffer(_, offset) => Argument::Buffer(own.next().expect("one for each"), *offset),
                Argument::Number(number) => Argument::Number(*number),
            })
            .collect();
        self.host.launch(kernel, work_items.div_ceil(size), size, &on_host)?;
        read_all(&mut *self.host, buffers.iter())
    }
}

fn buffer_of<'a>(argument: &Argument<'a>) -> Option<(&'a Buffer, usize)> {
    match *argument {
        Argument::Buffer(buffer, offset) => Some((buffer, offset)),
        Argument::Number(_) => None,
    }
}

/// What the buffers among the arguments hold.
fn contents(queue: &mut dyn Queue, arguments: &[Argument<'_>]) -> Result<Vec<Vec<u8>>, DeviceError> {
    read_all(queue, arguments.iter().filter_map(buffer_of).map(|(buffer, _)| buffer))
}

fn read_all<'a>(queue: &mut dyn Queue, buffers: impl Iterator<Item = &'a Buffer>) -> Result<Vec<Vec<u8>>, DeviceError> {
    buffers
        .map(|buffer| {
            let mut bytes = vec![0; buffer.bytes()];
            queue.read(buffer, 0, &mut bytes)?;
            Ok(bytes)
        })
        .collect()
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
        if TABLES.iter().any(|end| kernel.ends_with(end)) {
            return self.make_tables(kernel, groups, group_size, arguments);
        }
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
