//! Secrets of submitted jobs, each sealed in a file of its own: ciphertext ‖ tag ‖ nonce, AES-256-GCM with a random
//! nonce, the job, its circuit and the kind of the secret being associated data.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use outrigger_types::CircuitId;
use zeroize::Zeroizing;

use crate::job::{Secret, SecretKind};

const EXTENSION: &str = "sealed";

/// Seals and opens.
pub(super) struct Sealer {
    key: RandomizedNonceKey,
    name: String,
}

/// Which secret is meant: what binds a file to its job.
#[derive(Clone, Copy)]
pub(super) struct Binding<'a> {
    pub(super) job: &'a str,
    pub(super) circuit: CircuitId,
    pub(super) kind: SecretKind,
}

impl Binding<'_> {
    fn associated_data(&self) -> Vec<u8> {
        format!("outrigger-job-1\0{}\0{}\0{}", self.job, self.circuit, self.kind.name()).into_bytes()
    }
}

impl Sealer {
    pub(super) fn new(key: &[u8; 32]) -> Result<Self, String> {
        // Names the key without telling it, so that another key is noticed before a secret is opened with it.
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"outrigger-journal-key-name-1");
        let name = hex::encode(&tag.as_ref()[..8]);
        let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| "the journal key is not usable".to_owned())?;
        Ok(Self { key, name })
    }

    /// The key's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Writes a secret to its file and makes sure that it is on disk. The buffer holds ciphertext afterwards.
    pub(super) fn seal(&self, directory: &Path, binding: Binding, secret: Secret) -> io::Result<()> {
        let mut bytes = secret.into_bytes();
        let associated = Aad::from(binding.associated_data());
        let sealed = self.key.seal_in_place_separate_tag(associated, &mut bytes);
        let (nonce, tag) = sealed.map_err(|_| io::Error::other("the secret cannot be sealed"))?;
        let path = path(directory, binding.job);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&bytes)?;
        file.write_all(tag.as_ref())?;
        file.write_all(nonce.as_ref())?;
        file.sync_all()?;
        File::open(directory)?.sync_all()
    }

    /// Reads a secret; the error says what is wrong with its file.
    pub(super) fn open(&self, directory: &Path, binding: Binding) -> Result<Secret, String> {
        let mut bytes = read(&path(directory, binding.job)).map_err(|error| format!("cannot be read: {error}"))?;
        let damaged = || "was damaged, or sealed with another key".to_owned();
        let nonce_at = bytes.len().checked_sub(NONCE_LEN).ok_or_else(damaged)?;
        let (sealed, nonce) = bytes.split_at_mut(nonce_at);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let associated = Aad::from(binding.associated_data());
        let length = self.key.open_in_place(nonce, associated, sealed).map_err(|_| damaged())?.len();
        bytes.truncate(length);
        Ok(binding.kind.of(bytes))
    }
}

/// Where the sealed secret of a job lies.
pub(super) fn path(directory: &Path, job: &str) -> PathBuf {
    directory.join(job).with_extension(EXTENSION)
}

/// Deletes what is sealed of a job, if it is there.
pub(super) fn unlink(directory: &Path, job: &str) -> io::Result<()> {
    match fs::remove_file(path(directory, job)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads a file into a buffer that never grows, so that no copy of it stays behind.
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut file = File::open(path)?;
    let size = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut bytes = Zeroizing::new(vec![0; size]);
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: Binding<'static> = Binding { job: "0123", circuit: CircuitId([7; 32]), kind: SecretKind::Witness };

    fn seal(directory: &Path, content: &[u8]) -> Sealer {
        let sealer = Sealer::new(&[1; 32]).expect("a key");
        let secret = Secret::Witness(Zeroizing::new(content.to_vec()));
        sealer.seal(directory, JOB, secret).expect("it is sealed");
        sealer
    }

    #[test]
    fn what_was_sealed_opens() {
        for length in [0, 1, 15, 16, 17, 100_000] {
            let directory = tempfile::tempdir().expect("a directory");
            let content = vec![0xa5; length];
            let sealer = seal(directory.path(), &content);
            let on_disk = fs::read(path(directory.path(), JOB.job)).expect("the file");
            assert_eq!(on_disk.len(), length + 16 + NONCE_LEN);
            assert!(length < 15 || !on_disk.windows(15).any(|window| window == &content[..15]));
            let opened = sealer.open(directory.path(), JOB).expect("it opens");
            assert_eq!(**opened.into_bytes(), content);
        }
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let directory = tempfile::tempdir().expect("a directory");
        let sealer = seal(directory.path(), b"secret");
        let place = path(directory.path(), JOB.job);
        let good = fs::read(&place).expect("the file");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&place, bad).expect("it is written");
            assert!(sealer.open(directory.path(), JOB).is_err(), "byte {at}");
        }
        for length in 0..good.len() {
            fs::write(&place, &good[..length]).expect("it is written");
            assert!(sealer.open(directory.path(), JOB).is_err(), "length {length}");
        }
        fs::write(&place, good).expect("it is written");
        assert!(sealer.open(directory.path(), JOB).is_ok());
    }

    #[test]
    fn a_secret_opens_for_its_own_job_and_key_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let sealer = seal(directory.path(), b"secret");
        fs::copy(path(directory.path(), JOB.job), path(directory.path(), "4567")).expect("it is copied");
        assert!(sealer.open(directory.path(), Binding { job: "4567", ..JOB }).is_err());
        assert!(sealer.open(directory.path(), Binding { circuit: CircuitId([8; 32]), ..JOB }).is_err());
        assert!(sealer.open(directory.path(), Binding { kind: SecretKind::Inputs, ..JOB }).is_err());
        let other = Sealer::new(&[2; 32]).expect("a key");
        assert!(other.open(directory.path(), JOB).is_err());
        assert_ne!(other.name(), sealer.name());
    }
}
