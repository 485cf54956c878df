//! The circuit store: a directory of circuits that survives restarts, each named by the SHA-256 of its proving key.
//!
//! ```text
//! <directory>/lock                              held while something is put in place or taken out
//! <directory>/<sha256>/circuit.zkey             the proving key, never written again
//! <directory>/<sha256>/circuit.r1cs             the constraints, where they were given
//! <directory>/<sha256>/circuit.wasm             the witness program, where it was given
//! <directory>/<sha256>/circuit.json             name, size, and the record of the key's check
//! <directory>/incoming/<random>/                an upload under way, or what is being removed
//! <directory>/incoming/<random>.lock            held by the process whose upload it is
//! ```
//!
//! Several processes may use one directory at once, a sidecar and the command line beside it. Files appear whole, by
//! a rename of their directory after everything was written to disk; both kinds of lock are `flock`s, so that a
//! process that dies lets go of them, and the next store that opens the directory clears away what it left.
//!
//! A key is hashed and checked when it comes. `circuit.json` says what was checked, by which version of the checks,
//! and the file's size, time of modification and inode; as long as these still hold, the key is mapped at once after
//! a restart. Where they do not, it is hashed and checked again before it is used.

mod directory;
mod memory;
mod record;
mod upload;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use outrigger_mapping::Mapping;
use outrigger_types::CircuitId;

use self::directory::Directory;
use self::memory::Memory;
use self::record::{FileState, Record};
use crate::{Control, KeyError, KeySummary, R1cs, ReadyKey, Stop};

pub use self::directory::circuit_id_of;
pub use self::upload::Upload;

/// How a store is kept.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Bytes of memory that ready keys may hold; the least recently used give way, but never one in use.
    pub ready_bytes_max: usize,
    /// Bytes of one proving key.
    pub key_bytes_max: u64,
    /// Bytes of one `.r1cs`.
    pub r1cs_bytes_max: u64,
    /// Bytes of one `.wasm`.
    pub wasm_bytes_max: u64,
    /// Says what is wrong with a `.wasm` before it is stored; the crate that runs them knows.
    pub check_wasm: fn(&[u8]) -> Result<(), String>,
}

impl StoreOptions {
    /// Default limits, with this check of witness programs.
    pub const fn new(check_wasm: fn(&[u8]) -> Result<(), String>) -> Self {
        Self {
            ready_bytes_max: 4 << 30,
            key_bytes_max: 16 << 30,
            r1cs_bytes_max: 8 << 30,
            wasm_bytes_max: 256 << 20,
            check_wasm,
        }
    }
}

/// A file of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The proving key.
    Zkey,
    /// The constraints.
    R1cs,
    /// The witness program.
    Wasm,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 3] = [Self::Zkey, Self::R1cs, Self::Wasm];

    /// The name of its file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Zkey => "circuit.zkey",
            Self::R1cs => "circuit.r1cs",
            Self::Wasm => "circuit.wasm",
        }
    }
}

/// What the store knows of a circuit without opening its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitInfo {
    /// Its name: the hash of its key.
    pub id: CircuitId,
    /// What people call it; not unique.
    pub name: String,
    /// The size of its key.
    pub summary: KeySummary,
    /// Whether its constraints are there.
    pub has_r1cs: bool,
    /// Whether its witness program is there.
    pub has_wasm: bool,
    /// When it was added.
    pub added: SystemTime,
    /// Whether its key is ready in memory now.
    pub is_ready: bool,
}

/// A circuit that is ready. Holding it keeps it in memory.
pub struct Circuit {
    /// What the store knew of it when it was made ready.
    pub info: CircuitInfo,
    /// Its key.
    pub key: ReadyKey,
    r1cs_path: PathBuf,
    r1cs: OnceLock<(Arc<R1cs>, usize)>,
    reading: Mutex<()>,
}

impl Circuit {
    fn new(info: CircuitInfo, key: ReadyKey, r1cs_path: PathBuf) -> Self {
        Self { info, key, r1cs_path, r1cs: OnceLock::new(), reading: Mutex::new(()) }
    }

    /// Its constraints, read the first time that they are asked for; `None` where the store does not have them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where the file no longer reads, or no longer belongs to the key.
    pub fn r1cs(&self) -> Result<Option<Arc<R1cs>>, StoreError> {
        let read = || self.r1cs.get().map(|(r1cs, _)| r1cs.clone());
        if let Some(r1cs) = read() {
            return Ok(Some(r1cs));
        }
        let _once = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(r1cs) = read() {
            return Ok(Some(r1cs));
        }
        if !self.r1cs_path.exists() {
            return Ok(None);
        }
        let (r1cs, bytes) = read_r1cs(&self.r1cs_path, &self.info.summary).map_err(|error| match error {
            StoreError::Part(what) => StoreError::Damaged(format!("{}: {what}", self.r1cs_path.display())),
            other => other,
        })?;
        Ok(Some(self.r1cs.get_or_init(|| (Arc::new(r1cs), bytes)).0.clone()))
    }

    /// Bytes of memory that it holds beside the key's file. The constraints count as their file does.
    fn memory_bytes(&self) -> usize {
        self.key.memory_bytes() + self.r1cs.get().map_or(0, |(_, bytes)| *bytes)
    }
}

/// Why the store did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The directory or a file cannot be read or written.
    Io(String),
    /// No such circuit.
    Unknown(CircuitId),
    /// A file is over its limit; in words.
    TooLarge(String),
    /// The key is not usable.
    Key(KeyError),
    /// The constraints or the witness program are not usable, or do not belong to the key.
    Part(String),
    /// What was uploaded has another hash than was announced.
    Hash {
        /// What was announced.
        announced: CircuitId,
        /// What came.
        found: CircuitId,
    },
    /// What is stored is no longer what was stored.
    Damaged(String),
    /// It was given up.
    Stopped(Stop),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(what) | Self::TooLarge(what) | Self::Part(what) | Self::Damaged(what) => f.write_str(what),
            Self::Unknown(id) => write!(f, "no circuit {id} in the store: add it with `outrigger circuits add`"),
            Self::Key(error) => error.fmt(f),
            Self::Hash { announced, found } => {
                write!(f, "the proving key's SHA-256 is {found}, but {announced} was announced: send the file again")
            }
            Self::Stopped(stop) => stop.fmt(f),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<KeyError> for StoreError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Stopped(stop) => Self::Stopped(stop),
            KeyError::Io(what) => Self::Io(what),
            other => Self::Key(other),
        }
    }
}

impl From<Stop> for StoreError {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

/// Circuits on disk, and their keys in memory. Everything here blocks: call it from a thread that may.
pub struct CircuitStore {
    shared: Arc<Shared>,
}

/// What the store shares with its uploads.
struct Shared {
    directory: Directory,
    options: StoreOptions,
    memory: Memory,
}

/// Runs the loading of a circuit where it is to be computed.
type Compute<'a> = dyn Fn(&(dyn Fn() -> Result<Circuit, StoreError> + Sync)) -> Result<Circuit, StoreError> + 'a;

impl CircuitStore {
    /// Opens the store in a directory, made with mode 0700 where it is missing. What a crash left half-written goes;
    /// what another process is uploading at this moment stays.
    ///
    /// # Errors
    /// [`StoreError::Io`] where the directory cannot be made or written, or others may write to it.
    pub fn open(directory: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let directory = Directory::open(directory)?;
        directory.clear_incoming()?;
        let memory = Memory::new(options.ready_bytes_max);
        Ok(Self { shared: Arc::new(Shared { directory, options, memory }) })
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        self.shared.directory.path()
    }

    /// Begins to add a circuit.
    ///
    /// # Errors
    /// [`StoreError::Io`] where nothing can be written.
    pub fn upload(&self) -> Result<Upload, StoreError> {
        Upload::begin(self.shared.clone())
    }

    /// Adds a circuit from files, which are copied. In the current rayon pool.
    ///
    /// # Errors
    /// As [`Upload::write`] and [`Upload::finish`].
    pub fn add_files(
        &self,
        name: &str,
        zkey: &Path,
        r1cs: Option<&Path>,
        wasm: Option<&Path>,
        control: &Control,
    ) -> Result<CircuitInfo, StoreError> {
        let mut upload = self.upload()?;
        upload.copy(Part::Zkey, zkey, control)?;
        for (part, path) in [(Part::R1cs, r1cs), (Part::Wasm, wasm)] {
            if let Some(path) = path {
                upload.copy(part, path, control)?;
            }
        }
        upload.finish(name, None, control)
    }

    /// All circuits, by name, then id, those that another process has added included. A circuit that cannot be read
    /// is left out, and logged.
    pub fn list(&self) -> Vec<CircuitInfo> {
        let ids = self.shared.directory.circuits().unwrap_or_else(|error| {
            tracing::warn!(%error, "the circuit store cannot be listed");
            Vec::new()
        });
        let mut circuits: Vec<_> = ids.into_iter().filter_map(|id| self.listed(id)).collect();
        circuits.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        circuits
    }

    fn listed(&self, id: CircuitId) -> Option<CircuitInfo> {
        match self.info(id) {
            Ok(info) => Some(info),
            // It was taken out since the directory was read.
            Err(StoreError::Unknown(_)) => None,
            Err(error) => {
                tracing::warn!(circuit = %id, %error, "a circuit is left out of the list");
                None
            }
        }
    }

    /// One circuit.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or [`StoreError::Damaged`] where what is stored of it cannot be read.
    pub fn info(&self, id: CircuitId) -> Result<CircuitInfo, StoreError> {
        let record = self.shared.directory.record(id)?;
        Ok(self.shared.describe(id, &record))
    }

    /// A circuit made ready: mapped in milliseconds where its key was checked before. Asked for by several threads at
    /// once, it is loaded once, while the others wait.
    ///
    /// A thread of a rayon pool must not wait so: while it helps to load, it may take up another job that waits for the
    /// same circuit, and so for itself. From outside, [`CircuitStore::ready_in`] lets a pool do the work.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or [`StoreError::Damaged`] where the key is no longer what was stored.
    pub fn ready(&self, id: CircuitId) -> Result<Arc<Circuit>, StoreError> {
        self.shared.ready(id, &|load| load())
    }

    /// As [`CircuitStore::ready`], what is to compute being computed in this pool.
    ///
    /// # Errors
    /// As [`CircuitStore::ready`].
    pub fn ready_in(&self, pool: &rayon::ThreadPool, id: CircuitId) -> Result<Arc<Circuit>, StoreError> {
        self.shared.ready(id, &|load| pool.install(load))
    }

    /// Takes a circuit out. Proofs that run with it end well.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or [`StoreError::Io`] where it cannot be taken out.
    pub fn remove(&self, id: CircuitId) -> Result<(), StoreError> {
        self.shared.directory.remove(id)?;
        self.shared.memory.forget(id);
        Ok(())
    }

    /// Where a file of a circuit lies, or would lie.
    pub fn path(&self, id: CircuitId, part: Part) -> PathBuf {
        self.shared.directory.file(id, part)
    }
}

impl Shared {
    fn describe(&self, id: CircuitId, record: &Record) -> CircuitInfo {
        CircuitInfo {
            id,
            name: record.name.clone(),
            summary: record.summary,
            has_r1cs: self.directory.file(id, Part::R1cs).exists(),
            has_wasm: self.directory.file(id, Part::Wasm).exists(),
            added: record.added,
            is_ready: self.memory.holds(id),
        }
    }

    fn ready(&self, id: CircuitId, compute: &Compute) -> Result<Arc<Circuit>, StoreError> {
        // Looked at each time, so that what another process removed or replaced is not used on.
        let state = self.directory.key_state(id)?;
        self.memory.get_or_load(id, state, || compute(&|| self.load(id, state)))
    }

    fn load(&self, id: CircuitId, state: FileState) -> Result<Circuit, StoreError> {
        let record = self.directory.record(id)?;
        let path = self.directory.file(id, Part::Zkey);
        let key = ReadyKey::open(&path).map_err(|error| damaged(id, &error))?;
        if !record.is_checked(&state) {
            self.check_again(id, &key, &state, record.clone())?;
        }
        let mut info = self.describe(id, &record);
        info.summary = key.summary();
        info.is_ready = true;
        Ok(Circuit::new(info, key, self.directory.file(id, Part::R1cs)))
    }

    /// Hashes and checks a key whose file is not the one that was checked: it was copied, restored, or damaged.
    fn check_again(&self, id: CircuitId, key: &ReadyKey, state: &FileState, record: Record) -> Result<(), StoreError> {
        tracing::info!(circuit = %id, "the proving key's file was touched: it is hashed and checked again");
        let found = self.directory.hash_key(id)?;
        if found != id {
            return Err(StoreError::Damaged(format!(
                "the proving key of circuit {id} was changed on disk, its SHA-256 is now {found}: add it again"
            )));
        }
        key.check(&Control::default()).map_err(|error| damaged(id, &error))?;
        let again = self.directory.key_state(id)?;
        if again != *state {
            return Err(StoreError::Damaged(format!("the proving key of circuit {id} changed while it was read")));
        }
        let record = record.checked_again(key.summary(), *state);
        if let Err(error) = self.directory.write_record(id, &record) {
            // It is good all the same; the next start will have to look again.
            tracing::warn!(circuit = %id, %error, "the record of the key's check cannot be written");
        }
        Ok(())
    }
}

fn damaged(id: CircuitId, error: &KeyError) -> StoreError {
    match error {
        KeyError::Stopped(stop) => StoreError::Stopped(*stop),
        // It may have been removed since it was looked at.
        KeyError::Io(what) => StoreError::Io(what.clone()),
        other => StoreError::Damaged(format!("the proving key of circuit {id} cannot be used: {other}; add it again")),
    }
}

/// Reads constraints that must belong to a key of this size; also the size of their file in bytes.
fn read_r1cs(path: &Path, key: &KeySummary) -> Result<(R1cs, usize), StoreError> {
    let file = Mapping::open(path).map_err(|error| directory::io_error("read", path, &error))?;
    let r1cs = R1cs::parse(&file).map_err(|error| StoreError::Part(error.to_string()))?;
    r1cs.fits(key).map_err(StoreError::Part)?;
    Ok((r1cs, file.len()))
}

#[cfg(test)]
mod tests;
