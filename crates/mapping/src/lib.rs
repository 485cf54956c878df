//! Files mapped into memory, read-only. A proving key is larger than anything else that the sidecar holds; mapped,
//! it is shared between processes, needs no time to load, and gives way when memory is short.
//!
//! This crate is the one place outside the engines where `unsafe` is allowed for files and for the memory that takes
//! their place, and holds nothing else.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::path::Path;

/// A whole file in memory, read-only.
#[derive(Debug)]
pub struct Mapping {
    map: memmap2::Mmap,
}

impl Mapping {
    /// Maps a regular file as it is now.
    ///
    /// The file must not be cut short while it is mapped: reading past its new end would end the process (SIGBUS).
    /// So map files that nobody writes to: those of the circuit store, which are put in place whole by a rename and
    /// lie in a directory that is closed to others, or a file that whoever runs the command has named.
    ///
    /// # Errors
    /// Where the file cannot be opened or mapped, or is not a regular file.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::of_file(&File::open(path)?)
    }

    /// Maps an open file; see [`Mapping::open`].
    ///
    /// # Errors
    /// Where it cannot be mapped, or is not a regular file.
    pub fn of_file(file: &File) -> io::Result<Self> {
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        // SAFETY: the mapping is read-only and private to this value, and `&[u8]` borrowed from it cannot outlive
        // it. That nobody changes the file beneath is upheld by the callers of this crate as `open` says: files of
        // the store are never written after their rename, and a file named on a command line is its user's.
        #[allow(unsafe_code)]
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self { map })
    }

    /// Tells the operating system that all of it will be read soon, in order.
    pub fn will_need(&self) {
        // Advice: where it is not taken, reading is slower and nothing else.
        let _ = self.map.advise(memmap2::Advice::WillNeed);
    }

    /// Gives the memory of these bytes back: read again, they come from the file again.
    ///
    /// # Panics
    /// Where the range is not within the file.
    pub fn release(&self, range: Range<usize>) {
        assert!(range.start <= range.end && range.end <= self.map.len(), "a range within the file");
        // SAFETY: pages of a file that is mapped read-only hold nothing that is not in the file: dropped, they are read
        // again, and a `&[u8]` to them sees the same bytes.
        #[allow(unsafe_code)]
        // Advice: where it is not taken, the memory stays.
        let _ =
            unsafe { self.map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len()) };
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

/// Gives back to the system what the allocator keeps of freed memory, where it is glibc's: that may be some hundred
/// megabytes after work with large blocks on several threads. Takes milliseconds.
pub fn give_back_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: a function of the C library that takes a number, locks what it looks at, and moves nothing.
    #[allow(unsafe_code)]
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests;
