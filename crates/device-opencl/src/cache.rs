//! Compiled programs on disk.
//!
//! An entry is a file named by a digest of its key: all that the binary depends on (text, options, device, driver).
//! The file holds the key too, and a digest over all of it; what does not match is as if it were not there, and is
//! written anew. What is loaded from here is executed, so a directory that others can write to is not used.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// What an entry begins with; counted up when its form changes.
const MAGIC: &[u8; 16] = b"outrigger-cl  1\n";

/// Binaries are a few MiB at most; a longer file is none of ours, and is not read into memory.
const ENTRY_BYTES_MAX: u64 = 256 << 20;

const DIGEST_BYTES: usize = 32;

/// Numbers the temporary files of this process.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// A directory with compiled programs.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// Opens or makes the directory.
    ///
    /// # Errors
    /// Where it cannot be made, or somebody else may write to it.
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let metadata = fs::metadata(directory)?;
        if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
            let what = "others may write to it: what lies there would be run";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
        }
        Ok(Self { directory: directory.to_owned() })
    }

    /// The binary of a key; `None` where there is none, or it is damaged.
    pub(crate) fn find(&self, key: &str) -> Option<Vec<u8>> {
        let mut entry = Vec::new();
        File::open(self.path(key)).ok()?.take(ENTRY_BYTES_MAX).read_to_end(&mut entry).ok()?;
        let (content, digest) = entry.split_at_checked(entry.len().checked_sub(DIGEST_BYTES)?)?;
        if blake3::hash(content) != *<&[u8; DIGEST_BYTES]>::try_from(digest).ok()? {
            return None;
        }
        let binary = content.strip_prefix(MAGIC)?.strip_prefix(head(key).as_slice())?;
        Some(binary.to_vec())
    }

    /// Keeps a binary. A failure costs a compilation later, so it is nobody's concern.
    pub(crate) fn keep(&self, key: &str, binary: &[u8]) {
        let mut entry = MAGIC.to_vec();
        entry.extend(head(key));
        entry.extend(binary);
        let digest = blake3::hash(&entry);
        entry.extend(digest.as_bytes());
        if entry.len() as u64 > ENTRY_BYTES_MAX {
            return;
        }
        let write = WRITES.fetch_add(1, Ordering::Relaxed);
        let temporary = self.directory.join(format!(".{}-{write}", process::id()));
        let written = File::create_new(&temporary)
            .and_then(|mut file| file.write_all(&entry))
            .and_then(|()| fs::rename(&temporary, self.path(key)));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.directory.join(format!("{}.clbin", blake3::hash(key.as_bytes()).to_hex()))
    }
}

/// The key with its length before it, so that no key is the beginning of another with its binary.
fn head(key: &str) -> Vec<u8> {
    let mut head = (key.len() as u64).to_le_bytes().to_vec();
    head.extend(key.as_bytes());
    head
}

#[cfg(test)]
mod tests;
