//! Elements and plain numbers on their way to a device and back.

use outrigger_device::{Buffer, DeviceError, Queue};
use zeroize::Zeroizing;

use crate::curve::{RawScalar, SCALAR_BYTES, SCALAR_LIMBS};
use crate::engine::PlainScalar;

/// Bytes of an element, and of a plain number.
pub(super) const ELEMENT_BYTES: usize = SCALAR_BYTES;

/// Elements that are copied at once, through memory that is wiped.
const ELEMENTS_AT_ONCE: usize = 1 << 14;

/// A length that a device can allocate: not 0.
pub(super) const fn not_empty(bytes: usize) -> usize {
    if bytes == 0 { ELEMENT_BYTES } else { bytes }
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
