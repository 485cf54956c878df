//! Memory of the host device: exactly as long as it was asked for, so that a sanitizer sees the first byte too far.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;

use outrigger_device::{Claim, DeviceError};

use crate::Running;

/// What a driver aligns buffers to, at least.
const ALIGNMENT: usize = 64;

/// What new memory holds: as verdict, tag or digest it is wrong.
const PATTERN: u8 = 0xA5;

/// Longer than any host's memory, in bytes: refused before an allocator under a sanitizer ends the process over it.
const BYTES_MAX: usize = 1 << 39;

/// The bytes of one buffer.
pub(crate) struct Memory {
    start: NonNull<u8>,
    layout: Layout,
    _claim: Claim,
}

// SAFETY: the bytes are reached through raw pointers only, and only by whoever holds `Running`, one thread at a time
// (and the threads of the kernel that it runs, whose races are the kernel's own to avoid).
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    pub(crate) fn new(bytes: usize, claim: Claim) -> Result<Self, DeviceError> {
        let refused = || DeviceError::OutOfMemory { wanted: bytes as u64, left: 0 };
        if bytes > BYTES_MAX {
            return Err(refused());
        }
        // A buffer of no bytes has an address too.
        let layout = Layout::from_size_align(bytes.max(1), ALIGNMENT).map_err(|_| refused())?;
        // SAFETY: the layout has at least one byte.
        let start = NonNull::new(unsafe { alloc(layout) }).ok_or_else(refused)?;
        // SAFETY: the allocation is that long.
        unsafe { start.as_ptr().write_bytes(PATTERN, layout.size()) };
        Ok(Self { start, layout, _claim: claim })
    }

    /// Copies bytes in. The caller has checked that they fit.
    pub(crate) fn write(&self, _: &Running<'_>, offset: usize, bytes: &[u8]) {
        debug_assert!(offset + bytes.len() <= self.layout.size());
        // SAFETY: the range lies in the allocation, as the caller checked; whoever holds `Running` is alone with it, and
        // a `&[u8]` of somebody else never points into device memory.
        unsafe { self.start.as_ptr().add(offset).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }

    /// Copies bytes out. The caller has checked that they are there.
    pub(crate) fn read(&self, _: &Running<'_>, offset: usize, into: &mut [u8]) {
        debug_assert!(offset + into.len() <= self.layout.size());
        // SAFETY: as in `write`.
        unsafe { self.start.as_ptr().add(offset).copy_to_nonoverlapping(into.as_mut_ptr(), into.len()) };
    }

    /// The address of a byte.
    pub(crate) fn at(&self, offset: usize) -> *mut u8 {
        self.start.as_ptr().wrapping_add(offset)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, and nobody else frees it.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}
