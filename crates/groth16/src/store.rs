//! The circuit store: a directory of circuits that survives restarts, each named by the SHA-256 of its proving key.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use outrigger_types::CircuitId;

use crate::{Control, KeyError, KeySummary, R1cs, ReadyKey, Stop};

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
    /// What the store knows of it.
    pub info: CircuitInfo,
    /// Its key.
    pub key: ReadyKey,
}

impl Circuit {
    /// Its constraints, read the first time that they are asked for.
    pub fn r1cs(&self) -> Result<Option<Arc<R1cs>>, StoreError> {
        todo!()
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

/// Circuits on disk, and their keys in memory. Everything here blocks: call it from a thread that may.
pub struct CircuitStore {}

/// The files of a circuit on their way into the store. Dropped before [`Upload::finish`], it leaves nothing behind.
pub struct Upload {}

impl CircuitStore {
    /// Opens the store in a directory, made with mode 0700 where it is missing. What a crash left half-written goes.
    pub fn open(_directory: &Path, _options: StoreOptions) -> Result<Self, StoreError> {
        todo!()
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        todo!()
    }

    /// Begins to add a circuit.
    pub fn upload(&self) -> Result<Upload, StoreError> {
        todo!()
    }

    /// Adds a circuit from files.
    pub fn add_files(
        &self,
        _name: &str,
        _zkey: &Path,
        _r1cs: Option<&Path>,
        _wasm: Option<&Path>,
        _control: &Control,
    ) -> Result<CircuitInfo, StoreError> {
        todo!()
    }

    /// All circuits, by name, then id.
    pub fn list(&self) -> Vec<CircuitInfo> {
        todo!()
    }

    /// One circuit.
    pub fn info(&self, _id: CircuitId) -> Result<CircuitInfo, StoreError> {
        todo!()
    }

    /// A circuit made ready: mapped in milliseconds where its key was checked before.
    pub fn ready(&self, _id: CircuitId) -> Result<Arc<Circuit>, StoreError> {
        todo!()
    }

    /// Takes a circuit out. Proofs that run with it end well.
    pub fn remove(&self, _id: CircuitId) -> Result<(), StoreError> {
        todo!()
    }

    /// Where a file of a circuit lies.
    pub fn path(&self, _id: CircuitId, _part: Part) -> PathBuf {
        todo!()
    }
}

impl Upload {
    /// Adds bytes to a file.
    pub fn write(&mut self, _part: Part, _bytes: &[u8]) -> Result<(), StoreError> {
        todo!()
    }

    /// Checks everything (in the current rayon pool) and puts the circuit in place. A circuit that is there already
    /// keeps its files and gains those that it lacked.
    pub fn finish(
        self,
        _name: &str,
        _announced: Option<CircuitId>,
        _control: &Control,
    ) -> Result<CircuitInfo, StoreError> {
        todo!()
    }
}
