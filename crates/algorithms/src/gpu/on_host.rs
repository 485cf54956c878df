//! The kernels as the host's compiler made them, for the tests of rooms.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use outrigger_device::{Argument, Buffer, Device, DeviceError, DeviceInfo, Queue};
use outrigger_device_host::HostDevice;
use outrigger_kernels::Program;
use outrigger_types::{Output, Work};

use super::{Resident, Session};

/// One device for all tests of a process, so that tables are made once.
static HOST: LazyLock<(HostDevice, Resident)> = LazyLock::new(Default::default);

/// The kernels' answer.
pub(crate) fn run(work: &Work) -> Output {
    with_session(work.items(), |session| super::run(session, work)).expect("the host runs kernels")
}

/// Hands over a session, for so many items, under a nonce of its own.
pub(crate) fn with_session<T>(
    items: usize,
    act: impl FnOnce(&mut Session<'_>) -> Result<T, DeviceError>,
) -> Result<T, DeviceError> {
    static SESSIONS: AtomicU64 = AtomicU64::new(1);
    let (device, resident) = &*HOST;
    let nonce = SESSIONS.fetch_add(1, Ordering::Relaxed) << 32 | 0x00c0_ffee;
    let queue = device.queue()?;
    let mut info = queue.info().clone();
    info.group_size_max = info.group_size_max.min(items.max(1) as u32);
    act(&mut Session::new(&mut Narrow { queue, info }, resident, nonce))
}

/// A queue whose groups are no larger than the work: work-items without an item take as long as those with one.
struct Narrow {
    queue: Box<dyn Queue>,
    info: DeviceInfo,
}

impl Queue for Narrow {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn load(&mut self, program: &Program) -> Result<(), DeviceError> {
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
