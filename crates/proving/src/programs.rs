//! Witness programs, compiled once and kept.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use outrigger_types::CircuitId;
use outrigger_witness::{WitnessError, WitnessProgram};

/// Programs that are kept. Compiled, one takes some megabytes; to compile it again takes from a tenth of a second to
/// some seconds.
const PROGRAMS_MAX: usize = 16;

#[derive(Default)]
pub(crate) struct Programs {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    programs: HashMap<CircuitId, Entry>,
    uses: u64,
}

struct Entry {
    file: FileState,
    used: u64,
    /// Filled by whoever compiles it, while others wait.
    program: Slot,
}

type Slot = Arc<Mutex<Option<Arc<WitnessProgram>>>>;

/// By what a file is known again: its inode, size, and time of modification in seconds and nanoseconds.
type FileState = (u64, u64, i64, i64);

/// Why there is no program.
pub(crate) enum ProgramError {
    Io(std::io::Error),
    Program(WitnessError),
}

impl Programs {
    /// The program of a circuit, whose file lies there.
    pub(crate) fn get(&self, circuit: CircuitId, path: &Path) -> Result<Arc<WitnessProgram>, ProgramError> {
        let metadata = std::fs::metadata(path).map_err(ProgramError::Io)?;
        let file = (metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec());
        let slot = self.slot(circuit, file);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = &*slot {
            return Ok(program.clone());
        }
        let wasm = std::fs::read(path).map_err(ProgramError::Io)?;
        let program = Arc::new(WitnessProgram::compile(&wasm).map_err(ProgramError::Program)?);
        *slot = Some(program.clone());
        Ok(program)
    }

    fn slot(&self, circuit: CircuitId, file: FileState) -> Slot {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.uses += 1;
        let used = held.uses;
        if held.programs.get(&circuit).is_none_or(|entry| entry.file != file) {
            if held.programs.len() >= PROGRAMS_MAX {
                let oldest = held.programs.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id);
                oldest.and_then(|id| held.programs.remove(&id));
            }
            held.programs.insert(circuit, Entry { file, used, program: Slot::default() });
        }
        let entry = held.programs.get_mut(&circuit).expect("it was just put there");
        entry.used = used;
        entry.program.clone()
    }
}
