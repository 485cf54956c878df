//! The seam that every backend fills: a device, its queues, memory on it, and launches of kernels.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use outrigger_kernels::{Kernel, Parameter, Program, Word};
use serde::{Deserialize, Serialize};

use crate::DeviceError;

/// Offsets into buffers that are handed to a kernel are multiples of this, in bytes: OpenCL cuts a buffer only at the
/// device's own alignment, and the largest among common drivers is 4096 bits.
pub const OFFSET_ALIGNMENT: usize = 512;

/// The way to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// The kernels compiled by the host's C compiler.
    Host,
    /// OpenCL.
    OpenCl,
    /// CUDA.
    Cuda,
}

impl Api {
    /// The name in records and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::OpenCl => "opencl",
            Self::Cuda => "cuda",
        }
    }
}

/// What is known of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// How it is reached.
    pub api: Api,
    /// Which of the devices of that API it is, from 0.
    pub ordinal: u32,
    /// The model, as its driver gives it.
    pub name: String,
    /// Whose implementation of the API it is.
    pub platform: String,
    /// The driver and its version.
    pub driver: String,
    /// Multiprocessors, compute units, or cores.
    pub compute_units: u32,
    /// Bytes of its memory that we may hold: the budget, not what it has.
    pub memory_bytes: u64,
    /// Work-items of a group at most, for every kernel: arrays in LOCAL memory have this size.
    pub group_size_max: u32,
    /// A processor: its cores and lanes do the same work better.
    pub is_processor: bool,
}

impl DeviceInfo {
    /// The device in records and metrics: two of the same model have different numbers.
    pub fn label(&self) -> String {
        format!("{} #{}", self.name.trim(), self.ordinal)
    }

    /// The line in which a worker's program names the device with `--list`.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The device of such a line; `None` for a line of anything else, such as what a driver prints by the way.
    pub fn from_line(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

/// A device that kernels run on.
pub trait Device: Send + Sync {
    /// What is known of it.
    fn info(&self) -> &DeviceInfo;

    /// A new stream of work.
    ///
    /// # Errors
    /// Where the driver gives none.
    fn queue(&self) -> Result<Box<dyn Queue>, DeviceError>;

    /// Tells the device of memory of this process that batches will be copied from and to for as long as it lives: a
    /// driver that locks its pages copies faster. The memory is given by its address and length in bytes.
    ///
    /// # Errors
    /// What the driver reports; then copies are slower, and nothing else.
    fn pin(&self, _address: usize, _bytes: usize) -> Result<(), DeviceError> {
        Ok(())
    }
}

/// One stream of work on a device, carried out in order. Two queues of a device overlap the copies of one with the
/// kernels of the other. A queue is used by one thread at a time.
///
/// Buffers belong to the device: a queue may use what another one allocated, once what the other did to it has finished.
pub trait Queue: Send {
    /// What is known of the device.
    fn info(&self) -> &DeviceInfo;

    /// Makes the kernels of a program known to the device. The first call of a device compiles it or finds it in a
    /// cache, which may take seconds; later ones return at once.
    ///
    /// # Errors
    /// [`DeviceError::Build`] where the compiler refuses it.
    fn load(&mut self, program: &Program) -> Result<(), DeviceError>;

    /// Memory of the device, with undefined content, given back when the buffer is dropped.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`], by the budget or by the driver. Never an abort.
    fn allocate(&mut self, bytes: usize) -> Result<Buffer, DeviceError>;

    /// Bytes that [`Queue::allocate`] still gives by the budget, so that who needs much asks before it copies anything.
    fn memory_left(&self) -> u64 {
        u64::MAX
    }

    /// Copies `bytes` into a buffer from `offset` on. They are taken when the call returns.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where they do not fit; what the driver reports.
    fn write(&mut self, buffer: &Buffer, offset: usize, bytes: &[u8]) -> Result<(), DeviceError>;

    /// Starts a kernel on `groups` groups of `group_size` work-items. The arguments are checked against its declaration;
    /// what they point to must be as long as the kernel's description says, which no backend can check.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where the kernel is not loaded or the arguments do not fit it; what the driver
    /// reports, perhaps only from a later call.
    fn launch(
        &mut self,
        kernel: &str,
        groups: u32,
        group_size: u32,
        arguments: &[Argument<'_>],
    ) -> Result<(), DeviceError>;

    /// Waits for all that came before and copies out of a buffer from `offset` on.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where the buffer is shorter; what the driver reports, also of earlier launches.
    fn read(&mut self, buffer: &Buffer, offset: usize, into: &mut [u8]) -> Result<(), DeviceError>;

    /// Waits for all that came before.
    ///
    /// # Errors
    /// What the driver reports, also of earlier launches.
    fn finish(&mut self) -> Result<(), DeviceError>;

    /// Time that kernels of this queue ran, by the device's clock, since this was last asked. Asked after
    /// [`Queue::finish`] or [`Queue::read`]; kernels that have not ended are not counted.
    fn take_kernel_time(&mut self) -> Duration;
}

/// Memory on a device, given back when dropped.
pub struct Buffer {
    bytes: usize,
    memory: Box<dyn Any + Send + Sync>,
}

impl Buffer {
    /// A buffer of `bytes` bytes around what a backend knows it by.
    pub fn new(bytes: usize, memory: Box<dyn Any + Send + Sync>) -> Self {
        Self { bytes, memory }
    }

    /// Its length in bytes.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What its backend knows it by.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where another backend made it.
    pub fn memory<T: 'static>(&self) -> Result<&T, DeviceError> {
        self.memory.downcast_ref().ok_or_else(|| DeviceError::Misuse("a buffer of another kind of device".to_owned()))
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a> {
    /// A pointer into a buffer, so many bytes from its start: a multiple of [`OFFSET_ALIGNMENT`].
    Buffer(&'a Buffer, usize),
    /// A number by value.
    Number(u32),
}

impl<'a> From<&'a Buffer> for Argument<'a> {
    fn from(buffer: &'a Buffer) -> Self {
        Self::Buffer(buffer, 0)
    }
}

impl From<u32> for Argument<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

/// Checks a launch against the declaration of its kernel; every backend does before it touches the device.
///
/// # Errors
/// [`DeviceError::Misuse`], saying what does not fit.
pub fn check_launch(
    info: &DeviceInfo,
    kernel: &Kernel,
    groups: u32,
    group_size: u32,
    arguments: &[Argument<'_>],
) -> Result<(), DeviceError> {
    let misuse = |what: String| Err(DeviceError::Misuse(format!("kernel {}: {what}", kernel.name)));
    if groups == 0 || group_size == 0 || group_size > info.group_size_max {
        return misuse(format!("{groups} groups of {group_size}, where at most {} fit a group", info.group_size_max));
    }
    // GLOBAL_ID() is 32 bits wide.
    if groups.checked_mul(group_size).is_none() {
        return misuse(format!("{groups} groups of {group_size} are more than 2^32 - 1 work-items"));
    }
    if arguments.len() != kernel.parameters.len() {
        return misuse(format!("{} arguments for {} parameters", arguments.len(), kernel.parameters.len()));
    }
    for (place, (argument, parameter)) in arguments.iter().zip(&kernel.parameters).enumerate() {
        match (argument, parameter) {
            (Argument::Number(_), Parameter::Number) => {}
            (Argument::Buffer(buffer, offset), Parameter::Input(word) | Parameter::Output(word)) => {
                if !offset.is_multiple_of(OFFSET_ALIGNMENT) {
                    return misuse(format!("offset {offset} of argument {place} is no multiple of {OFFSET_ALIGNMENT}"));
                }
                if *offset > 0 && *offset >= buffer.bytes() {
                    return misuse(format!("offset {offset} of argument {place} past {} bytes", buffer.bytes()));
                }
                if !(buffer.bytes() - offset).is_multiple_of(word_bytes(*word)) {
                    return misuse(format!("argument {place} is not a whole number of words of {word:?}"));
                }
            }
            (Argument::Number(_), _) => return misuse(format!("argument {place} is a number, not a buffer")),
            (Argument::Buffer(..), Parameter::Number) => {
                return misuse(format!("argument {place} is a buffer, not a number"));
            }
        }
    }
    Ok(())
}

/// Checks that `length` bytes from `offset` on lie in a buffer.
///
/// # Errors
/// [`DeviceError::Misuse`] where they do not.
pub fn check_range(buffer: &Buffer, offset: usize, length: usize) -> Result<(), DeviceError> {
    match offset.checked_add(length) {
        Some(end) if end <= buffer.bytes() => Ok(()),
        _ => Err(DeviceError::Misuse(format!("{length} bytes at {offset} of a buffer of {}", buffer.bytes()))),
    }
}

const fn word_bytes(word: Word) -> usize {
    match word {
        Word::U8 => 1,
        Word::U32 => 4,
        Word::U64 => 8,
    }
}

#[cfg(test)]
mod tests;
