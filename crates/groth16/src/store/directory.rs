//! The directory of the store: what lies where, its locks, and how things appear and go at once.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use outrigger_types::CircuitId;
use rustix::fs::FlockOperation;
use sha2::{Digest, Sha256};

use super::record::{FileState, RECORD_BYTES_MAX, Record};
use super::{Part, StoreError};

/// Bytes that are read at once where a file is copied or hashed.
pub(super) const CHUNK_BYTES: usize = 1 << 20;

const RECORD: &str = "circuit.json";
const INCOMING: &str = "incoming";
const LOCK_EXTENSION: &str = "lock";

pub(super) struct Directory {
    path: PathBuf,
    incoming: PathBuf,
}

/// Held while something is put in place or taken out; other processes and threads wait for it. Released when dropped.
pub(super) struct Lock {
    _file: File,
}

/// A directory under `incoming/` that is this process's own. It goes when dropped.
pub(super) struct Workplace {
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let path = std::path::absolute(path).map_err(|error| io_error("open", path, &error))?;
        make_private(&path)?;
        let mode = fs::metadata(&path).map_err(|error| io_error("open", &path, &error))?.mode();
        if mode & 0o022 != 0 {
            let place = path.display();
            return Err(StoreError::Io(format!(
                "others may write to the circuit store {place} (mode {:o}), and keys in it are used as they lie: \
                 run `chmod go-w {place}`",
                mode & 0o777
            )));
        }
        let incoming = path.join(INCOMING);
        make_private(&incoming)?;
        Ok(Self { path, incoming })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn circuit(&self, id: CircuitId) -> PathBuf {
        self.path.join(id.to_string())
    }

    pub(super) fn file(&self, id: CircuitId, part: Part) -> PathBuf {
        self.circuit(id).join(part.file_name())
    }

    /// Waits for the lock of the store. What is done under it takes milliseconds.
    pub(super) fn lock(&self) -> Result<Lock, StoreError> {
        let path = self.path.join(LOCK_EXTENSION);
        let file = lock_file(&path)?;
        rustix::io::retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::LockExclusive))
            .map_err(|error| io_error("lock", &path, &error.into()))?;
        Ok(Lock { _file: file })
    }

    /// The circuits that have a directory.
    pub(super) fn circuits(&self) -> Result<Vec<CircuitId>, StoreError> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(|error| io_error("list", &self.path, &error))? {
            let entry = entry.map_err(|error| io_error("list", &self.path, &error))?;
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.parse::<CircuitId>().ok());
            // Written as we write it: 0x and capitals are no names of ours.
            ids.extend(id.filter(|id| *name == *id.to_string()));
        }
        Ok(ids)
    }

    /// The state of a circuit's key file.
    pub(super) fn key_state(&self, id: CircuitId) -> Result<FileState, StoreError> {
        let path = self.file(id, Part::Zkey);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(FileState::of(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.missing(id, &path)),
            Err(error) => Err(io_error("read", &path, &error)),
        }
    }

    pub(super) fn record(&self, id: CircuitId) -> Result<Record, StoreError> {
        let path = self.circuit(id).join(RECORD);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.missing(id, &path)),
            Err(error) => return Err(io_error("read", &path, &error)),
        };
        let mut json = Vec::new();
        file.take(RECORD_BYTES_MAX).read_to_end(&mut json).map_err(|error| io_error("read", &path, &error))?;
        Record::read(&json).map_err(|error| {
            let place = path.display();
            StoreError::Damaged(format!("{place} cannot be read: {error}; add the circuit again"))
        })
    }

    /// A file of a circuit is not there: either there is no such circuit, or it is damaged.
    fn missing(&self, id: CircuitId, path: &Path) -> StoreError {
        if self.circuit(id).exists() {
            StoreError::Damaged(format!("{} is missing; add the circuit again", path.display()))
        } else {
            StoreError::Unknown(id)
        }
    }

    pub(super) fn hash_key(&self, id: CircuitId) -> Result<CircuitId, StoreError> {
        let path = self.file(id, Part::Zkey);
        circuit_id_of(&path).map_err(|error| io_error("read", &path, &error))
    }

    /// Replaces the record of a circuit that is in place.
    pub(super) fn write_record(&self, id: CircuitId, record: &Record) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        let workplace = self.workplace_locked()?;
        workplace.write_record(record)?;
        let place = self.circuit(id);
        move_into(&workplace.path, &place, RECORD)?;
        sync_directory(&place)
    }

    /// A directory of our own to put files in.
    pub(super) fn workplace(&self) -> Result<Workplace, StoreError> {
        let _lock = self.lock()?;
        self.workplace_locked()
    }

    /// The lock of the store is held, so that nobody sees the workplace before its own lock is taken.
    fn workplace_locked(&self) -> Result<Workplace, StoreError> {
        let name = random_name()?;
        let lock_path = self.incoming.join(&name).with_extension(LOCK_EXTENSION);
        let lock = lock_file(&lock_path)?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|error| io_error("lock", &lock_path, &error.into()))?;
        let workplace = Workplace { path: self.incoming.join(&name), lock_path, _lock: lock };
        make_private(&workplace.path)?;
        Ok(workplace)
    }

    /// Puts a circuit in place: all of it where it is new or what is there is damaged, else the parts that it lacks.
    pub(super) fn place(&self, id: CircuitId, workplace: &Workplace) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        let place = self.circuit(id);
        if self.is_intact(id) {
            return self.add_parts(id, workplace);
        }
        if place.exists() {
            for part in [Part::R1cs, Part::Wasm] {
                if !workplace.file(part).exists() && place.join(part.file_name()).exists() {
                    move_into(&place, &workplace.path, part.file_name())?;
                }
            }
            self.discard(&place)?;
        }
        sync_directory(&workplace.path)?;
        fs::rename(&workplace.path, &place).map_err(|error| io_error("put in place", &place, &error))?;
        sync_directory(&self.path)
    }

    /// Adds the parts that a circuit lacks.
    pub(super) fn place_parts(&self, id: CircuitId, workplace: &Workplace) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        self.key_state(id)?;
        self.add_parts(id, workplace)
    }

    /// Whether a circuit's key is still the one that was checked.
    fn is_intact(&self, id: CircuitId) -> bool {
        let record = self.record(id);
        let state = self.key_state(id);
        matches!((record, state), (Ok(record), Ok(state)) if record.is_checked(&state))
    }

    fn add_parts(&self, id: CircuitId, workplace: &Workplace) -> Result<(), StoreError> {
        for part in [Part::R1cs, Part::Wasm] {
            if workplace.file(part).exists() && !self.file(id, part).exists() {
                move_into(&workplace.path, &self.circuit(id), part.file_name())?;
            }
        }
        sync_directory(&self.circuit(id))
    }

    pub(super) fn remove(&self, id: CircuitId) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        let place = self.circuit(id);
        if !place.exists() {
            return Err(StoreError::Unknown(id));
        }
        self.discard(&place)
    }

    /// Takes a directory out at once, then deletes it: after a crash in between, the next start deletes it.
    fn discard(&self, place: &Path) -> Result<(), StoreError> {
        let gone = self.incoming.join(random_name()?);
        fs::rename(place, &gone).map_err(|error| io_error("remove", place, &error))?;
        sync_directory(&self.path)?;
        fs::remove_dir_all(&gone).map_err(|error| io_error("remove", &gone, &error))
    }

    /// Deletes what no living process works on.
    pub(super) fn clear_incoming(&self) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        for entry in fs::read_dir(&self.incoming).map_err(|error| io_error("list", &self.incoming, &error))? {
            let path = entry.map_err(|error| io_error("list", &self.incoming, &error))?.path();
            let lock_path = path.with_extension(LOCK_EXTENSION);
            if is_locked(&lock_path)? {
                continue;
            }
            tracing::info!(path = %path.display(), "what a crash left of an upload is removed");
            remove_all(&path)?;
            remove_all(&lock_path)?;
        }
        Ok(())
    }
}

impl Workplace {
    pub(super) fn file(&self, part: Part) -> PathBuf {
        self.path.join(part.file_name())
    }

    pub(super) fn create(&self, part: Part) -> Result<File, StoreError> {
        create(&self.file(part))
    }

    pub(super) fn write_record(&self, record: &Record) -> Result<(), StoreError> {
        let path = self.path.join(RECORD);
        let mut file = create(&path)?;
        let written = file.write_all(&record.write()).and_then(|()| file.sync_all());
        written.map_err(|error| io_error("write", &path, &error))
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // After the upload was put in place the directory is no longer here. What cannot be removed now, the next
        // start removes.
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(&self.lock_path);
    }
}

/// The name that a proving key has in every store: the SHA-256 of its file. Reads all of it.
///
/// # Errors
/// Where the file cannot be read.
pub fn circuit_id_of(zkey: &Path) -> io::Result<CircuitId> {
    let mut file = File::open(zkey)?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; CHUNK_BYTES]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(CircuitId(hasher.finalize().into())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// An error of the operating system, in words that say what to do where that is known.
pub(super) fn io_error(what: &str, path: &Path, error: &io::Error) -> StoreError {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ": make room there, or let the circuit store lie elsewhere"
        }
        io::ErrorKind::PermissionDenied => ": it must belong to the user that runs this",
        _ => "",
    };
    StoreError::Io(format!("cannot {what} {}: {error}{hint}", path.display()))
}

fn make_private(path: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| io_error("make the directory", path, &error))
}

fn create(path: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|error| io_error("write", path, &error))
}

fn lock_file(path: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    file.map_err(|error| io_error("lock", path, &error))
}

/// Whether a living process holds this lock.
fn is_locked(path: &Path) -> Result<bool, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(io_error("lock", path, &error)),
    };
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(false),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
        Err(error) => Err(io_error("lock", path, &error.into())),
    }
}

fn move_into(from: &Path, to: &Path, name: &str) -> Result<(), StoreError> {
    let target = to.join(name);
    fs::rename(from.join(name), &target).map_err(|error| io_error("put in place", &target, &error))
}

fn remove_all(path: &Path) -> Result<(), StoreError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", path, &error)),
        _ => Ok(()),
    }
}

/// Makes sure that the names in a directory are on disk.
fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let synced = File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(|error| io_error("write", path, &error))
}

fn random_name() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Io(format!("no random numbers: {error}")))?;
    Ok(hex::encode(bytes))
}
