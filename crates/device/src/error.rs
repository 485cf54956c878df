//! Why a device did not do what it was asked to.

use std::fmt;

/// A failure of a device, of its driver, or of the code that drives it. Never a verdict on an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceError {
    /// No memory for another `wanted` bytes, by the budget or by the driver. What was allocated before is unharmed.
    OutOfMemory {
        /// Bytes that were asked for.
        wanted: u64,
        /// Bytes that the budget had left; more than `wanted` where the driver refused before.
        left: u64,
    },
    /// The call was wrong: an unknown kernel, arguments that do not fit its declaration, a range past the end of a
    /// buffer. Our own fault, whatever the device.
    Misuse(String),
    /// A program did not compile.
    Build {
        /// The program.
        program: String,
        /// What the compiler said, shortened.
        log: String,
    },
    /// The driver reported a failure of this operation; later ones may go well.
    Failed(String),
    /// The device or its context is gone: nothing that was created on it can be used again.
    Lost(String),
    /// The work was given up because its caller no longer wants it.
    Cancelled,
    /// The deadline of the work passed before it began.
    Expired,
    /// There is no such driver or device, and why.
    Absent(String),
    /// There is no such operation, or this device does not do it.
    Unsupported,
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfMemory { wanted, left } => {
                write!(f, "out of device memory: {wanted} bytes wanted, {left} left of the budget")
            }
            Self::Misuse(what) => write!(f, "device used wrongly: {what}"),
            Self::Build { program, log } => write!(f, "program {program} does not compile: {log}"),
            Self::Failed(what) => write!(f, "device failed: {what}"),
            Self::Lost(what) => write!(f, "device lost: {what}"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Expired => f.write_str("the deadline passed before the work began"),
            Self::Absent(what) => write!(f, "no device: {what}"),
            Self::Unsupported => f.write_str("the device does not do this operation"),
        }
    }
}

impl std::error::Error for DeviceError {}
