//! Memory that two processes share: the one place of this crate with `unsafe`.
//!
//! Who may touch what is settled outside: a range belongs to one side at a time (see [`super::Region`]), and words that
//! both touch at any time are atomics. A worker that does not keep to it can change bytes of the arena while the parent
//! looks; so the parent copies what comes from a worker out before it judges it.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::atomic::AtomicU64;

use memmap2::{MmapOptions, MmapRaw};

/// Bytes at the start that hold words which both processes touch at any time; no range lies in them.
pub(crate) const CONTROL_BYTES: usize = 4096;

/// A sealed memory file, mapped.
pub(crate) struct Shared {
    map: MmapRaw,
}

impl Shared {
    /// Maps the first `bytes` bytes of a file that is sealed against shrinking, so that no access can end the process.
    pub(crate) fn of(file: &File, bytes: usize) -> io::Result<Self> {
        let seals = rustix::fs::fcntl_get_seals(file)?;
        let long_enough = file.metadata()?.len() >= bytes as u64;
        if !seals.contains(rustix::fs::SealFlags::SHRINK) || !long_enough || bytes < CONTROL_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the arena is not sealed, or too short"));
        }
        Ok(Self { map: MmapOptions::new().len(bytes).map_raw(file)? })
    }

    /// A word that both processes touch at any time.
    pub(crate) fn word(&self, index: usize) -> &AtomicU64 {
        assert!(index < CONTROL_BYTES / size_of::<AtomicU64>(), "a control word");
        let words: *mut AtomicU64 = self.map.as_mut_ptr().cast();
        // SAFETY: the mapping lives as long as `self` and is at least CONTROL_BYTES long (`of`); a page is aligned to
        // words; and nobody in either process has any reference into these bytes but to atomics, since ranges start
        // behind them (`check`).
        #[allow(unsafe_code)]
        unsafe {
            &*words.add(index)
        }
    }

    /// Address and length of all of it.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.map.as_mut_ptr().expose_provenance(), self.map.len())
    }

    /// Whether a range may be used: behind the control words, and inside.
    pub(crate) fn check(&self, range: &Range<usize>) -> bool {
        CONTROL_BYTES <= range.start && range.start <= range.end && range.end <= self.map.len()
    }

    /// The bytes of a range.
    ///
    /// # Safety
    /// The range passes `check`, and nobody writes to it in either process while the result lives.
    #[allow(unsafe_code)]
    pub(crate) unsafe fn bytes(&self, range: Range<usize>) -> &[u8] {
        debug_assert!(self.check(&range));
        // SAFETY: inside the mapping, and not written to, by the caller.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(range.start), range.len()) }
    }

    /// The bytes of a range, to write to.
    ///
    /// # Safety
    /// The range passes `check`, and nobody else has a reference into it in either process while the result lives.
    #[allow(unsafe_code, clippy::mut_from_ref)]
    pub(crate) unsafe fn bytes_mut(&self, range: Range<usize>) -> &mut [u8] {
        debug_assert!(self.check(&range));
        // SAFETY: inside the mapping, and ours alone, by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().add(range.start), range.len()) }
    }
}
