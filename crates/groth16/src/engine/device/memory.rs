//! Programs, sizes of groups, and the wiping of memory.

use outrigger_device::{Buffer, DeviceError, Queue};
use outrigger_kernels::Program;

/// Bytes that one row of `proving_wipe` is: lengths of what holds secrets are multiples of it.
pub(super) const WIPE_BYTES: usize = 16;

/// Work-items of a wipe at most.
const WIPE_ITEMS_MAX: usize = 1 << 16;

/// The program of this name.
pub(super) fn program(name: &str) -> Result<&'static Program, DeviceError> {
    Program::find(name).ok_or_else(|| DeviceError::Misuse(format!("there is no program {name}")))
}

/// Work-items of a group, a power of two: as many as the device takes, no more than are of use.
pub(super) fn group_size(queue: &dyn Queue, useful: u32) -> u32 {
    let at_most = queue.info().group_size_max.min(useful).max(1);
    1 << at_most.ilog2()
}

/// How many groups of how many work-items so many work-items are.
pub(super) fn groups_for(queue: &dyn Queue, items: u32) -> (u32, u32) {
    let size = group_size(queue, items);
    (items.div_ceil(size), size)
}

/// Starts to overwrite a buffer, the last bytes of which are left where its length is no multiple of [`WIPE_BYTES`].
///
/// # Errors
/// What the device reports.
pub(super) fn wipe(queue: &mut dyn Queue, buffer: &Buffer) -> Result<(), DeviceError> {
    wipe_start(queue, buffer, buffer.bytes() / WIPE_BYTES * WIPE_BYTES)
}

/// Starts to overwrite the first bytes of a buffer, rounded up to a multiple of [`WIPE_BYTES`].
///
/// # Errors
/// What the device reports.
pub(super) fn wipe_start(queue: &mut dyn Queue, buffer: &Buffer, bytes: usize) -> Result<(), DeviceError> {
    queue.load(program("proving_wipe")?)?;
    let rows = u32::try_from(bytes.div_ceil(WIPE_BYTES).min(buffer.bytes() / WIPE_BYTES))
        .map_err(|_| DeviceError::Misuse(format!("{bytes} bytes to be wiped at once")))?;
    let items = rows.min(WIPE_ITEMS_MAX as u32);
    if items == 0 {
        return Ok(());
    }
    let (groups, size) = groups_for(queue, items);
    queue.launch("proving_wipe", groups, size, &[buffer.into(), rows.into(), (groups * size).into()])
}
