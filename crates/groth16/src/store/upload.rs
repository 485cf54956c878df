//! The files of a circuit on their way into the store.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use outrigger_mapping::Mapping;
use outrigger_types::CircuitId;
use sha2::{Digest, Sha256};

use super::directory::{CHUNK_BYTES, Workplace, io_error};
use super::record::{FileState, Record};
use super::{Circuit, CircuitInfo, Part, Shared, StoreError, read_r1cs};
use crate::{Control, KeySummary, ReadyKey};

/// Characters of a name.
const NAME_CHARS_MAX: usize = 64;

/// The files of a circuit on their way into the store. Dropped before [`Upload::finish`], it leaves nothing behind.
pub struct Upload {
    shared: Arc<Shared>,
    workplace: Workplace,
    parts: [Option<Incoming>; Part::ALL.len()],
    key_hasher: Sha256,
}

/// A file that is being written.
struct Incoming {
    file: File,
    bytes: u64,
}

impl Upload {
    pub(super) fn begin(shared: Arc<Shared>) -> Result<Self, StoreError> {
        let workplace = shared.directory.workplace()?;
        Ok(Self { shared, workplace, parts: [const { None }; Part::ALL.len()], key_hasher: Sha256::new() })
    }

    /// Adds bytes to a file. Parts may come in any order, and by turns.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] where the part passes its limit; [`StoreError::Io`] where it cannot be written.
    pub fn write(&mut self, part: Part, bytes: &[u8]) -> Result<(), StoreError> {
        let limit = self.limit(part);
        let incoming = match &mut self.parts[part as usize] {
            Some(incoming) => incoming,
            none => none.insert(Incoming { file: self.workplace.create(part)?, bytes: 0 }),
        };
        incoming.bytes += bytes.len() as u64;
        if incoming.bytes > limit {
            return Err(StoreError::TooLarge(format!("{limit} bytes for the {}", described(part))));
        }
        incoming.file.write_all(bytes).map_err(|error| io_error("write", &self.workplace.file(part), &error))?;
        if part == Part::Zkey {
            self.key_hasher.update(bytes);
        }
        Ok(())
    }

    /// Adds all of a file.
    pub(super) fn copy(&mut self, part: Part, path: &Path, control: &Control) -> Result<(), StoreError> {
        let mut file = File::open(path).map_err(|error| io_error("read", path, &error))?;
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            control.check()?;
            match file.read(&mut buffer).map_err(|error| io_error("read", path, &error))? {
                0 => return Ok(()),
                count => self.write(part, &buffer[..count])?,
            }
        }
    }

    /// Checks everything (in the current rayon pool) and puts the circuit in place. A circuit that is there already
    /// keeps its files and its name, and gains the files that it lacked; for such a one the key need not come again,
    /// it is enough to announce it.
    ///
    /// # Errors
    /// [`StoreError::Hash`], [`StoreError::Key`], [`StoreError::Part`] for a bad name, constraints or program;
    /// [`StoreError::Stopped`] by the control; [`StoreError::Io`].
    pub fn finish(
        mut self,
        name: &str,
        announced: Option<CircuitId>,
        control: &Control,
    ) -> Result<CircuitInfo, StoreError> {
        if self.parts[Part::Zkey as usize].is_none() {
            return self.finish_parts(announced, control);
        }
        check_name(name)?;
        let id = CircuitId(std::mem::take(&mut self.key_hasher).finalize().into());
        if let Some(announced) = announced.filter(|announced| *announced != id) {
            return Err(StoreError::Hash { announced, found: id });
        }
        self.flush()?;
        let key = ReadyKey::open(&self.workplace.file(Part::Zkey))?;
        self.check_parts(&key.summary(), control)?;
        key.check(control)?;
        let record = match self.shared.directory.record(id) {
            Ok(known) => known.checked_again(key.summary(), self.key_state()?),
            Err(_) => Record::new(name, key.summary(), self.key_state()?),
        };
        self.workplace.write_record(&record)?;
        self.shared.directory.place(id, &self.workplace)?;
        self.settle(id, key)
    }

    /// The key is in place: what was mapped is used on, if it is that file.
    fn settle(self, id: CircuitId, key: ReadyKey) -> Result<CircuitInfo, StoreError> {
        let directory = &self.shared.directory;
        let (state, record) = (directory.key_state(id)?, directory.record(id)?);
        let mut info = self.shared.describe(id, &record);
        // Where the circuit was there already, the key that came is a copy, and goes.
        if !self.workplace.file(Part::Zkey).exists() {
            info.is_ready = true;
            key.moved_to(&directory.file(id, Part::Zkey));
            let circuit = Circuit::new(info.clone(), key, directory.file(id, Part::R1cs));
            self.shared.memory.put(id, state, circuit);
        }
        Ok(info)
    }

    /// Only constraints or a witness program came, for a circuit of the store.
    fn finish_parts(self, announced: Option<CircuitId>, control: &Control) -> Result<CircuitInfo, StoreError> {
        let Some(id) = announced else {
            return Err(StoreError::Part(
                "no proving key came: send the .zkey, or announce a circuit of the store".into(),
            ));
        };
        let record = self.shared.directory.record(id)?;
        self.flush()?;
        self.check_parts(&record.summary, control)?;
        self.shared.directory.place_parts(id, &self.workplace)?;
        Ok(self.shared.describe(id, &record))
    }

    /// Puts what was written on disk, before it gets its place.
    fn flush(&self) -> Result<(), StoreError> {
        for part in Part::ALL {
            if let Some(incoming) = &self.parts[part as usize] {
                let path = self.workplace.file(part);
                incoming.file.sync_all().map_err(|error| io_error("write", &path, &error))?;
            }
        }
        Ok(())
    }

    fn check_parts(&self, key: &KeySummary, control: &Control) -> Result<(), StoreError> {
        if self.parts[Part::R1cs as usize].is_some() {
            read_r1cs(&self.workplace.file(Part::R1cs), key)?;
        }
        control.check()?;
        if self.parts[Part::Wasm as usize].is_some() {
            let path = self.workplace.file(Part::Wasm);
            let program = Mapping::open(&path).map_err(|error| io_error("read", &path, &error))?;
            (self.shared.options.check_wasm)(&program).map_err(StoreError::Part)?;
        }
        Ok(control.check()?)
    }

    fn key_state(&self) -> Result<FileState, StoreError> {
        let path = self.workplace.file(Part::Zkey);
        let metadata = std::fs::metadata(&path).map_err(|error| io_error("read", &path, &error))?;
        Ok(FileState::of(&metadata))
    }

    fn limit(&self, part: Part) -> u64 {
        let options = &self.shared.options;
        match part {
            Part::Zkey => options.key_bytes_max,
            Part::R1cs => options.r1cs_bytes_max,
            Part::Wasm => options.wasm_bytes_max,
        }
    }
}

const fn described(part: Part) -> &'static str {
    match part {
        Part::Zkey => "proving key",
        Part::R1cs => "constraints (.r1cs)",
        Part::Wasm => "witness program (.wasm)",
    }
}

/// A name is shown in lists and logs: short, visible, and nothing that turns a terminal's text around.
fn check_name(name: &str) -> Result<(), StoreError> {
    let count = name.chars().count();
    if count == 0 || count > NAME_CHARS_MAX {
        return Err(StoreError::Part(format!(
            "a circuit's name has 1 to {NAME_CHARS_MAX} characters, this has {count}"
        )));
    }
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if name.chars().any(invisible) || name.trim() != name {
        let message = "a circuit's name is made of printable characters, with no blank at either end";
        return Err(StoreError::Part(message.into()));
    }
    Ok(())
}
