//! The kernels for the tests of rooms: as the host's compiler made them, or on the first OpenCL device where the
//! environment has `OUTRIGGER_TEST_OPENCL`.

use std::env;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use outrigger_device::{Api, Device, DeviceError, NarrowQueue};
use outrigger_device_host::HostDevice;
use outrigger_device_opencl::{OpenClDevice, OpenClOptions};
use outrigger_types::{Output, Work};

use super::{Resident, Session};

/// One device for all tests of a process, so that tables are made once.
static DEVICE: LazyLock<(Box<dyn Device>, Resident)> = LazyLock::new(|| (device(), Resident::default()));

fn device() -> Box<dyn Device> {
    if env::var_os("OUTRIGGER_TEST_OPENCL").is_none() {
        return Box::new(HostDevice::new());
    }
    Box::new(OpenClDevice::open(0, &OpenClOptions::default()).expect("OUTRIGGER_TEST_OPENCL asks for a device"))
}

/// The kernels' answer.
pub(crate) fn run(work: &Work) -> Output {
    with_session(work.items(), |session| super::run(session, work)).expect("the device runs kernels")
}

/// The kernels' answer, in groups as large as the device takes, however few items there are: what trees are cut by.
pub(crate) fn run_in_whole_groups(work: &Work) -> Output {
    with_session(usize::MAX, |session| super::run(session, work)).expect("the device runs kernels")
}

/// Hands over a session, for so many items, under a nonce of its own.
pub(crate) fn with_session<T>(
    items: usize,
    act: impl FnOnce(&mut Session<'_>) -> Result<T, DeviceError>,
) -> Result<T, DeviceError> {
    static SESSIONS: AtomicU64 = AtomicU64::new(1);
    let (device, resident) = &*DEVICE;
    let nonce = SESSIONS.fetch_add(1, Ordering::Relaxed) << 32 | 0x00c0_ffee;
    let mut queue = device.queue()?;
    let size = match device.info().api {
        Api::Host => u32::try_from(items).unwrap_or(u32::MAX),
        // It compiles a kernel anew for every size of group.
        _ => u32::MAX,
    };
    act(&mut Session::new(&mut NarrowQueue::new(queue.as_mut(), size), resident, nonce))
}
