//! What the errors of CUDA mean to us.

use cust::error::CudaError;
use cust::sys::CUresult;
use outrigger_device::DeviceError;

/// The failure of a call that `cust` wraps.
pub(crate) fn failed(call: &str, error: CudaError) -> DeviceError {
    meaning(call, error as u32)
}

/// The result of a call that it does not.
pub(crate) fn checked(call: &str, result: CUresult) -> Result<(), DeviceError> {
    if result == CUresult::CUDA_SUCCESS { Ok(()) } else { Err(meaning(call, result as u32)) }
}

/// By the driver's numbers (`cuda.h`). Errors of a kernel that ran are sticky: nothing of that context works afterwards.
fn meaning(call: &str, code: u32) -> DeviceError {
    let what = format!("{call}: CUDA error {code}{}", words(code));
    match code {
        2 => DeviceError::OutOfMemory { wanted: 0, left: 0 },
        100 | 101 => DeviceError::Absent(what),
        // Deinitialised; context invalid or destroyed; uncorrectable errors of memory and of NVLink; what a kernel did;
        // unknown.
        4 | 201 | 214 | 220 | 700 | 702 | 709 | 710 | 714..=719 | 999 => DeviceError::Lost(what),
        _ => DeviceError::Failed(what),
    }
}

/// Those that an operator meets.
fn words(code: u32) -> &'static str {
    match code {
        3 => " (not initialised)",
        100 => " (no device)",
        101 => " (no such device)",
        200 => " (an image that the driver does not take)",
        209 => " (no code for this GPU)",
        214 => " (an uncorrectable error of memory)",
        218 => " (PTX that the driver does not take)",
        222 => " (PTX of a newer CUDA than the driver's)",
        700 => " (an illegal address)",
        701 => " (too many registers for the size of the group)",
        702 => " (a kernel that took too long)",
        719 => " (a kernel that failed)",
        802 => " (the system is not ready)",
        803 => " (driver and library do not fit)",
        _ => "",
    }
}
