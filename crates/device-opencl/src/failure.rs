//! What the codes of OpenCL mean to us.

use opencl3::error_codes::{
    CL_DEVICE_NOT_AVAILABLE, CL_INVALID_BUFFER_SIZE, CL_INVALID_COMMAND_QUEUE, CL_INVALID_CONTEXT, CL_INVALID_DEVICE,
    CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_HOST_MEMORY, CL_OUT_OF_RESOURCES, error_text,
};
use outrigger_device::DeviceError;

/// The failure of a call. After those that say that device, context or queue is gone, nothing made on it can be used.
pub(crate) fn failed(call: &str, code: i32) -> DeviceError {
    let what = format!("{call}: {} ({code})", error_text(code));
    match code {
        CL_DEVICE_NOT_AVAILABLE | CL_INVALID_COMMAND_QUEUE | CL_INVALID_CONTEXT | CL_INVALID_DEVICE => {
            DeviceError::Lost(what)
        }
        // Drivers allocate when memory is first used, so this comes from launches and copies too.
        CL_MEM_OBJECT_ALLOCATION_FAILURE | CL_OUT_OF_HOST_MEMORY => DeviceError::OutOfMemory { wanted: 0, left: 0 },
        _ => DeviceError::Failed(what),
    }
}

/// The failure of a request for `wanted` bytes, where the budget had `left`.
pub(crate) fn allocation_failed(wanted: u64, left: u64, code: i32) -> DeviceError {
    match code {
        CL_MEM_OBJECT_ALLOCATION_FAILURE | CL_OUT_OF_RESOURCES | CL_OUT_OF_HOST_MEMORY | CL_INVALID_BUFFER_SIZE => {
            DeviceError::OutOfMemory { wanted, left }
        }
        _ => failed("clCreateBuffer", code),
    }
}
