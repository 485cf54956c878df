//! `circuit.json`: what is known of a circuit without opening its key.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outrigger_types::Curve;
use serde::{Deserialize, Serialize};

use crate::KeySummary;

/// The version of the file's format.
const FORMAT: u32 = 1;

/// The version of the checks of a key. It is raised when they get stricter, so that every key is checked anew.
const CHECKS: u32 = 1;

/// Bytes of a `circuit.json` that is read: many times what is ever written.
pub(super) const RECORD_BYTES_MAX: u64 = 64 << 10;

/// What `circuit.json` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) added: SystemTime,
    pub(super) summary: KeySummary,
    checked: FileState,
    checks: u32,
}

/// By what a file is known again without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileState {
    size: u64,
    modified_s: i64,
    modified_ns: i64,
    inode: u64,
}

impl FileState {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            modified_s: metadata.mtime(),
            modified_ns: metadata.mtime_nsec(),
            inode: metadata.ino(),
        }
    }
}

impl Record {
    /// A record of a key that was just checked, its file in this state.
    pub(super) fn new(name: &str, summary: KeySummary, state: FileState) -> Self {
        // The file keeps whole milliseconds.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let added = UNIX_EPOCH + Duration::from_millis(now);
        Self { name: name.to_owned(), added, summary, checked: state, checks: CHECKS }
    }

    /// The same record, the key checked again, its file in this state.
    pub(super) fn checked_again(self, summary: KeySummary, state: FileState) -> Self {
        Self { summary, checked: state, checks: CHECKS, ..self }
    }

    /// Whether the key was checked as it is checked today, when its file was in this state.
    pub(super) fn is_checked(&self, state: &FileState) -> bool {
        self.checks == CHECKS && self.checked == *state
    }

    pub(super) fn read(json: &[u8]) -> Result<Self, String> {
        let written: Written = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if written.version != FORMAT {
            return Err(format!("version {} is not known, only {FORMAT}: a newer release wrote it", written.version));
        }
        let added = UNIX_EPOCH.checked_add(Duration::from_millis(written.added_ms)).ok_or("a date out of range")?;
        Ok(Self {
            name: written.name,
            added,
            summary: written.key.summary()?,
            checked: written.checked.file,
            checks: written.checked.checks,
        })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let added = self.added.duration_since(UNIX_EPOCH).unwrap_or_default();
        let written = Written {
            version: FORMAT,
            name: self.name.clone(),
            added_ms: added.as_millis() as u64,
            key: WrittenKey::of(&self.summary),
            checked: Checked { checks: self.checks, what: CHECKED.to_owned(), file: self.checked },
        };
        let mut json = serde_json::to_vec_pretty(&written).expect("numbers and strings are JSON");
        json.push(b'\n');
        json
    }
}

/// For whoever reads the file: what the checks are.
const CHECKED: &str = "SHA-256, sections, indices, every point on its curve and in its subgroup, gamma != delta";

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    name: String,
    added_ms: u64,
    key: WrittenKey,
    checked: Checked,
}

#[derive(Serialize, Deserialize)]
struct WrittenKey {
    curve: String,
    wires: usize,
    public_signals: usize,
    domain: usize,
    constraints: usize,
    bytes: usize,
}

#[derive(Serialize, Deserialize)]
struct Checked {
    checks: u32,
    what: String,
    file: FileState,
}

impl WrittenKey {
    fn of(summary: &KeySummary) -> Self {
        Self {
            curve: summary.curve.name().to_owned(),
            wires: summary.wires,
            public_signals: summary.public_signals,
            domain: summary.domain,
            constraints: summary.constraints,
            bytes: summary.bytes,
        }
    }

    fn summary(&self) -> Result<KeySummary, String> {
        Ok(KeySummary {
            curve: self.curve.parse::<Curve>()?,
            wires: self.wires,
            public_signals: self.public_signals,
            domain: self.domain,
            constraints: self.constraints,
            bytes: self.bytes,
        })
    }
}
