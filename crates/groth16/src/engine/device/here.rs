//! The device of the tests: the host, or the first OpenCL device where the environment has `OUTRIGGER_TEST_OPENCL`.

use std::env;
use std::sync::LazyLock;

use outrigger_device::Device;
use outrigger_device_host::HostDevice;
use outrigger_device_opencl::{OpenClDevice, OpenClOptions};

/// One device for all tests of a process, so that programs are compiled once.
pub(crate) fn device() -> &'static dyn Device {
    static DEVICE: LazyLock<Box<dyn Device>> = LazyLock::new(|| {
        if is_opencl() {
            Box::new(OpenClDevice::open(0, &OpenClOptions::default()).expect("an OpenCL device"))
        } else {
            Box::new(HostDevice::new())
        }
    });
    &**DEVICE
}

/// Whether the device of the tests is one of OpenCL: it takes larger groups and more work than the host.
pub(crate) fn is_opencl() -> bool {
    env::var_os("OUTRIGGER_TEST_OPENCL").is_some()
}
