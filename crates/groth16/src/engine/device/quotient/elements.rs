//! Elements and plain numbers on their way to a device and back.

use outrigger_device::{Buffer, DeviceError, Queue};
use outrigger_kernels::Program;
use zeroize::Zeroizing;

use crate::curve::{RawScalar, SCALAR_BYTES, SCALAR_LIMBS};
use crate::engine::PlainScalar;

/// Bytes of an element, and of a plain number.
pub(super) const ELEMENT_BYTES: usize = SCALAR_BYTES;

/// Elements that are copied at once, through memory that is wiped.
const ELEMENTS_AT_ONCE: usize = 1 << 14;

/// Bytes that one row of `proving_wipe` is.
const WIPE_BYTES: usize = 16;

/// Work-items of a wipe at most.
const WIPE_ITEMS_MAX: usize = 1 << 16;

/// A length that a device can allocate: not 0.
pub(super) const fn not_empty(bytes: usize) -> usize {
    if bytes == 0 { ELEMENT_BYTES } else { bytes }
}

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

/// Copies elements to a device, in Montgomery form, from element number `start` of the buffer on.
///
/// # Errors
/// What the device reports.
pub fn write_elements<F: RawScalar>(
    queue: &mut dyn Queue,
    buffer: &Buffer,
    start: usize,
    elements: &[F],
) -> Result<(), DeviceError> {
    write(queue, buffer, start, elements.len(), |i| elements[i].raw_limbs())
}

/// Copies plain numbers to a device, from number `start` of the buffer on.
///
/// # Errors
/// What the device reports.
pub fn write_scalars(
    queue: &mut dyn Queue,
    buffer: &Buffer,
    start: usize,
    scalars: &[PlainScalar],
) -> Result<(), DeviceError> {
    write(queue, buffer, start, scalars.len(), |i| scalars[i])
}

/// Copies elements from a device, after all that was asked of the queue before.
///
/// # Errors
/// What the device reports.
pub fn read_elements<F: RawScalar>(
    queue: &mut dyn Queue,
    buffer: &Buffer,
    start: usize,
    elements: &mut [F],
) -> Result<(), DeviceError> {
    read(queue, buffer, start, elements.len(), |i, limbs| elements[i] = F::from_raw_limbs(limbs))
}

/// Copies plain numbers from a device, after all that was asked of the queue before.
///
/// # Errors
/// What the device reports.
pub fn read_scalars(
    queue: &mut dyn Queue,
    buffer: &Buffer,
    start: usize,
    scalars: &mut [PlainScalar],
) -> Result<(), DeviceError> {
    read(queue, buffer, start, scalars.len(), |i, limbs| scalars[i] = limbs)
}

/// Starts to overwrite a buffer, the last bytes of which are left where its length is no multiple of 16.
///
/// # Errors
/// What the device reports.
pub fn wipe(queue: &mut dyn Queue, buffer: &Buffer) -> Result<(), DeviceError> {
    queue.load(program("proving_wipe")?)?;
    let rows = u32::try_from(buffer.bytes() / WIPE_BYTES)
        .map_err(|_| DeviceError::Misuse(format!("{} bytes to be wiped at once", buffer.bytes())))?;
    let items = rows.min(WIPE_ITEMS_MAX as u32);
    if items == 0 {
        return Ok(());
    }
    let (groups, size) = groups_for(queue, items);
    queue.launch("proving_wipe", groups, size, &[buffer.into(), rows.into(), (groups * size).into()])
}

fn write(
    queue: &mut dyn Queue,
    buffer: &Buffer,
    start: usize,
    count: usize,
    limbs: impl Fn(usize) -> [u64; SCALAR_LIMBS],
) -> Result<(), DeviceError> {
    let mut bytes = Zeroizing::new(vec![0; count.min(ELEMENTS_AT_ONCE) * ELEMENT_BYTES]);
    for from in (0..count).step_by(ELEMENTS_AT_ONCE) {
        let here = (count - from).min(ELEMENTS_AT_ONCE);
        for (i, bytes) in (from..from + here).zip(bytes.chunks_exact_mut(ELEMENT_BYTES)) {
            for (bytes, limb) in bytes.chunks_exact_mut(8).zip(limbs(i)) {
                bytes.copy_from_slice(&limb.to_le_bytes());
            }
        }
        queue.write(buffer, (start + from) * ELEMENT_BYTES, &bytes[..here * ELEMENT_BYTES])?;
    }
    Ok(())
}

fn read(
    queue: &mut dyn Queue,
    buffer: &Buffer,
    start: usize,
    count: usize,
    mut take: impl FnMut(usize, [u64; SCALAR_LIMBS]),
) -> Result<(), DeviceError> {
    let mut bytes = Zeroizing::new(vec![0; count.min(ELEMENTS_AT_ONCE) * ELEMENT_BYTES]);
    for from in (0..count).step_by(ELEMENTS_AT_ONCE) {
        let here = (count - from).min(ELEMENTS_AT_ONCE);
        queue.read(buffer, (start + from) * ELEMENT_BYTES, &mut bytes[..here * ELEMENT_BYTES])?;
        for (i, bytes) in (from..from + here).zip(bytes.chunks_exact(ELEMENT_BYTES)) {
            let limb = |place: usize| u64::from_le_bytes(bytes[8 * place..][..8].try_into().expect("eight bytes"));
            take(i, std::array::from_fn(limb));
        }
    }
    Ok(())
}
