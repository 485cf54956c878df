//! Files that appear whole or not at all, files that are secret, and the hash of large ones.

use std::fs::{File, Permissions};
use std::io::{BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use outrigger_groth16::store::circuit_id_of;
use outrigger_types::CircuitId;
use zeroize::Zeroizing;

use crate::cli::Failure;

/// Bytes between the writer and the system.
const BUFFER: usize = 1 << 20;

/// Writes a file beside its place and renames it, so that nobody ever reads half of it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_with(path, |file| file.write_all(bytes))
}

/// As [`write()`], for what only the owner may read. No copy of it stays in a buffer.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    place(path, 0o600, |file| file.write_all(bytes))
}

/// As [`write()`], for what is too large to be held in memory.
pub(crate) fn write_with(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), Failure> {
    place(path, 0o666, |file| {
        let mut buffered = BufWriter::with_capacity(BUFFER, file);
        fill(&mut buffered)?;
        buffered.flush()
    })
}

/// Fills a file of this mode, less what the process masks, and puts it in its place.
fn place(path: &Path, mode: u32, fill: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<(), Failure> {
    let fail = |error: &dyn std::fmt::Display| Failure::work(format_args!("cannot write {}: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new()
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)
        .map_err(|error| fail(&error))?;
    fill(temporary.as_file_mut()).and_then(|()| temporary.as_file().sync_all()).map_err(|error| fail(&error))?;
    temporary.persist(path).map_err(|error| fail(&error.error))?;
    Ok(())
}

/// Reads a secret; `-` is standard input. What is read is wiped when dropped, and no copy of it stays behind.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let result = if path == Path::new("-") {
        read_wiping(&mut std::io::stdin().lock(), BUFFER)
    } else {
        // One byte more than there is, so that the end is seen without another buffer.
        File::open(path).and_then(|mut file| {
            let length = file.metadata()?.len() as usize;
            read_wiping(&mut file, length + 1)
        })
    };
    result.map_err(|error| Failure::input(format_args!("cannot read {}: {error}", path.display())))
}

/// Reads to the end. A buffer that is full gives way to one of twice its size and is wiped, as `Vec` itself would not.
fn read_wiping(from: &mut impl Read, first: usize) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; first.max(1)]);
    let mut length = 0;
    loop {
        if length == bytes.len() {
            let mut larger = Zeroizing::new(vec![0; 2 * length]);
            larger[..length].copy_from_slice(&bytes);
            bytes = larger;
        }
        match from.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// The name that a proving key has in every store: its SHA-256.
pub(crate) fn circuit_id(key: &Path) -> Result<CircuitId, Failure> {
    circuit_id_of(key).map_err(|error| Failure::input(format_args!("cannot read {}: {error}", key.display())))
}

#[cfg(test)]
mod tests;
