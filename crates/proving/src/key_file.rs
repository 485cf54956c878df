//! The key that seals secrets in the journal, as it lies in a file.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The name of the credential that systemd passes (`LoadCredential=outrigger-journal-key:…`).
const CREDENTIAL: &str = "outrigger-journal-key";

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Reads a journal key from a file: 32 bytes, or 64 hexadecimal digits with or without a newline. The file must belong
/// to the user that runs this, or to root, and nobody else may read it.
///
/// # Errors
/// In words that say what to do, where the file cannot be read, is open to others, or holds no key.
pub fn read_key(path: &Path) -> Result<Zeroizing<[u8; KEY_BYTES]>, String> {
    let (file, metadata) = open(path)?;
    let place = path.display();
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(format!("the journal key {place} is open to others (mode {mode:04o}): run `chmod 600 {place}`"));
    }
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != user && metadata.uid() != 0 {
        return Err(format!(
            "the journal key {place} belongs to user {}, and this runs as user {user}: run `chown {user} {place}`",
            metadata.uid()
        ));
    }
    parse(file).map_err(|what| format!("the journal key {place} {what}"))
}

/// Reads the journal key that systemd passed as the credential `outrigger-journal-key`; `None` where it passed none.
///
/// Systemd keeps credentials in a directory that only the service can enter, so modes of the file say nothing.
///
/// # Errors
/// As [`read_key`].
pub fn read_credential() -> Result<Option<Zeroizing<[u8; KEY_BYTES]>>, String> {
    let Some(directory) = std::env::var_os("CREDENTIALS_DIRECTORY") else { return Ok(None) };
    credential_of(&PathBuf::from(directory))
}

fn credential_of(directory: &Path) -> Result<Option<Zeroizing<[u8; KEY_BYTES]>>, String> {
    let path = directory.join(CREDENTIAL);
    if !path.exists() {
        return Ok(None);
    }
    let (file, _) = open(&path)?;
    parse(file).map(Some).map_err(|what| format!("the credential {CREDENTIAL} {what}"))
}

/// Makes a new journal key in a file that does not exist yet, mode 0600.
///
/// # Errors
/// In words, where the file exists or cannot be written.
pub fn create_key(path: &Path) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("the journal key {} cannot be made: {error}", path.display());
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut *key).map_err(|error| failed(&error))?;
    let mut digits = Zeroizing::new([0; 2 * KEY_BYTES]);
    hex::encode_to_slice(*key, &mut *digits).map_err(|error| failed(&error))?;
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| failed(&error))?;
    let written = file.write_all(&*digits).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
    written.map_err(|error| failed(&error))
}

fn open(path: &Path) -> Result<(File, Metadata), String> {
    let failed = |error| format!("the journal key {} cannot be read: {error}", path.display());
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(format!("the journal key {} is not a regular file", path.display()));
    }
    Ok((file, metadata))
}

/// A key, whichever way it is written; the error continues a sentence about the file.
fn parse(mut file: File) -> Result<Zeroizing<[u8; KEY_BYTES]>, String> {
    // One byte more than the longest form, so that a longer file is not taken for it.
    let mut text = Zeroizing::new([0; 2 * KEY_BYTES + 2]);
    let mut count = 0;
    while count < text.len() {
        match file.read(&mut text[count..]).map_err(|error| format!("cannot be read: {error}"))? {
            0 => break,
            more => count += more,
        }
    }
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let text = &text[..count];
    if text.len() == KEY_BYTES {
        key.copy_from_slice(text);
        return Ok(key);
    }
    let digits = text.strip_suffix(b"\n").unwrap_or(text);
    hex::decode_to_slice(digits, &mut *key).map_err(|_| {
        // Not the error of the decoder: it would quote the key.
        format!("is neither {KEY_BYTES} bytes nor {} hexadecimal digits", 2 * KEY_BYTES)
    })?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(directory: &Path, name: &str, content: &[u8], mode: u32) -> PathBuf {
        let path = directory.join(name);
        fs::write(&path, content).expect("the file is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode is set");
        path
    }

    #[test]
    fn both_forms_are_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let digits = "0f".repeat(32);
        for (name, content) in [
            ("raw", vec![0x0f; 32]),
            ("hex", digits.clone().into_bytes()),
            ("hex and newline", format!("{digits}\n").into_bytes()),
        ] {
            let path = file(directory.path(), name, &content, 0o400);
            assert_eq!(*read_key(&path).expect(name), [0x0f; 32], "{name}");
        }
    }

    #[test]
    fn what_is_open_to_others_or_no_key_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let open = file(directory.path(), "open", &[1; 32], 0o640);
        assert!(read_key(&open).expect_err("others may read it").contains("chmod 600"));
        for (name, content) in [("empty", &b""[..]), ("31", &[1; 31]), ("33", &[1; 33]), ("66", &[b'0'; 66])] {
            let path = file(directory.path(), name, content, 0o600);
            assert!(read_key(&path).expect_err(name).contains("neither 32 bytes"), "{name}");
        }
        let secret = file(directory.path(), "typo", format!("{}g", "a".repeat(63)).as_bytes(), 0o600);
        assert!(!read_key(&secret).expect_err("g is no digit").contains("aaaa"), "the key must not be quoted");
        assert!(read_key(&directory.path().join("absent")).expect_err("it is absent").contains("cannot be read"));
        assert!(read_key(directory.path()).is_err());
    }

    #[test]
    fn a_made_key_can_be_read_and_is_not_made_twice() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("key");
        create_key(&path).expect("it is made");
        let key = read_key(&path).expect("it is read");
        assert_ne!(*key, [0; 32]);
        assert!(create_key(&path).is_err());
        assert_eq!(*read_key(&path).expect("it is still there"), *key);
    }

    #[test]
    fn a_credential_may_have_any_mode() {
        let directory = tempfile::tempdir().expect("a directory");
        assert_eq!(credential_of(directory.path()), Ok(None));
        file(directory.path(), CREDENTIAL, &[3; 32], 0o440);
        assert_eq!(*credential_of(directory.path()).expect("it is read").expect("it is there"), [3; 32]);
    }
}
