//! One stream of a device, and what stays on it between batches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use outrigger_device::{Argument, Buffer, DeviceError, Queue};
use outrigger_types::packed::Marks;
use outrigger_types::tag;

use super::combs::{CombKind, CombStats, Combs, Held};

/// Words of a result before its output: verdict and tag.
const RESULT_HEAD: usize = 2;

/// Told apart from launch to launch of a batch: an odd number, so that multiples of it come back after 2⁶⁴ launches.
const NONCE_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Tables that stay on a device, by name, and combs of known signers; shared by its queues.
#[derive(Debug, Default)]
pub struct Resident {
    buffers: Mutex<HashMap<&'static str, Arc<Buffer>>>,
    combs: Combs,
}

impl Resident {
    /// Nothing yet, and combs of known signers for never more than so many bytes a room.
    pub fn with_comb_bytes(bytes_max: usize) -> Self {
        Self { combs: Combs::with_bytes(bytes_max), ..Self::default() }
    }

    /// How the combs of a room's known signers stand.
    pub fn comb_stats(&self, room: &str) -> CombStats {
        self.combs.stats(room)
    }

    /// Where the combs of a room are.
    #[cfg(test)]
    pub(crate) fn combs_of(&self, room: &str) -> Option<Arc<Buffer>> {
        self.combs.buffer(room)
    }
}

/// A queue for the time of a batch.
pub struct Session<'a> {
    queue: &'a mut dyn Queue,
    resident: &'a Resident,
    /// Of the next launch.
    nonce: u64,
    marks: Marks,
    /// What [`Self::lanes`] is to say in place of the truth.
    lanes: Option<usize>,
}

/// An argument of a kernel that gives results.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a> {
    /// A buffer of the caller's.
    Buffer(&'a Buffer),
    /// A number.
    Number(u32),
    /// The results, two words an item and those of its output.
    Results,
    /// The number of items.
    Count,
    /// The low half of the launch's nonce.
    NonceLow,
    /// The high half of the launch's nonce.
    NonceHigh,
}

impl<'a> Session<'a> {
    /// A batch under a nonce that was never used, on a queue of the device that `resident` is of.
    pub fn new(queue: &'a mut dyn Queue, resident: &'a Resident, nonce: u64) -> Self {
        Self { queue, resident, nonce, marks: Marks::none(), lanes: None }
    }

    /// What comes next has these marks on its items.
    pub(super) fn mark(&mut self, marks: &Marks) {
        self.marks = marks.clone();
    }

    /// Has the device taken for one that runs so many work-items at once, for tests of what is done where there are many
    /// or few; `None` is what it says itself.
    pub fn take_lanes(&mut self, lanes: Option<usize>) {
        self.lanes = lanes;
    }

    /// Whether the key of the item at this place is known to whoever sent the batch.
    pub(crate) fn is_marked(&self, place: usize) -> bool {
        self.marks.is_marked(place)
    }

    /// The combs of known signers' keys, to be held while they are used; nothing where there is no memory for any.
    ///
    /// # Errors
    /// What the device reports.
    pub(crate) fn combs<const K: usize>(
        &mut self,
        kind: CombKind,
        keys: &[[u32; K]],
    ) -> Result<Option<Held>, DeviceError> {
        let resident = self.resident;
        resident.combs.hold(kind, self, keys)
    }

    /// Makes a program of `kernels/` known to the device.
    ///
    /// # Errors
    /// What the device reports; [`DeviceError::Misuse`] where there is no such program.
    pub fn load(&mut self, program: &str) -> Result<(), DeviceError> {
        let found = outrigger_kernels::programs().iter().find(|other| other.name == program);
        self.queue.load(found.ok_or_else(|| DeviceError::Misuse(format!("there is no program {program}")))?)
    }

    /// The queue, for launches that give no results.
    pub fn queue(&mut self) -> &mut dyn Queue {
        self.queue
    }

    /// A buffer of these words.
    ///
    /// # Errors
    /// What the device reports.
    pub fn words(&mut self, words: &[u32]) -> Result<Buffer, DeviceError> {
        self.bytes(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>())
    }

    /// A buffer of these bytes, at least four of them, filled up to whole words with zeros.
    ///
    /// # Errors
    /// What the device reports.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<Buffer, DeviceError> {
        let whole = bytes.len() & !3;
        let buffer = self.queue.allocate(bytes.len().next_multiple_of(4).max(4))?;
        self.queue.write(&buffer, 0, &bytes[..whole])?;
        if whole < buffer.bytes() {
            let mut last = [0; 4];
            last[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
            self.queue.write(&buffer, whole, &last)?;
        }
        Ok(buffer)
    }

    /// Items of varying length: their bytes one after the other, and where each begins, with the end of the last.
    ///
    /// # Errors
    /// What the device reports; [`DeviceError::Misuse`] where the items together pass 4 GiB.
    pub fn strings<'b>(&mut self, items: impl Iterator<Item = &'b [u8]>) -> Result<[Buffer; 2], DeviceError> {
        let (mut bytes, mut offsets) = (Vec::new(), vec![0]);
        for item in items {
            bytes.extend_from_slice(item);
            let end = u32::try_from(bytes.len());
            offsets.push(end.map_err(|_| DeviceError::Misuse("a batch of more than 4 GiB".to_owned()))?);
        }
        Ok([self.bytes(&bytes)?, self.words(&offsets)?])
    }

    /// A table that stays on the device: made at its first use.
    ///
    /// # Errors
    /// What `make` reports.
    pub fn resident(
        &mut self,
        name: &'static str,
        make: impl FnOnce(&mut Self) -> Result<Buffer, DeviceError>,
    ) -> Result<Arc<Buffer>, DeviceError> {
        let resident = self.resident;
        let mut buffers = resident.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(buffer) = buffers.get(name) {
            return Ok(buffer.clone());
        }
        let buffer = Arc::new(make(self)?);
        // Other queues may use it from now on, so it must be there.
        self.queue.finish()?;
        buffers.insert(name, buffer.clone());
        Ok(buffer)
    }

    /// Work-items that the device runs at once: a group of the largest size on each of its units, on a processor one on
    /// each of its cores.
    pub(crate) fn lanes(&self) -> usize {
        if let Some(lanes) = self.lanes {
            return lanes;
        }
        let info = self.queue.info();
        info.compute_units as usize * if info.is_processor { 1 } else { info.group_size_max as usize }
    }

    /// Whether so many neighbouring work-items always are of one group.
    pub(crate) fn group_is_of(&self, parts: usize) -> bool {
        (self.queue.info().group_size_max as usize).is_multiple_of(parts)
    }

    /// How many work-items a group has here, and how many groups `items` of them need.
    pub fn groups(&self, items: usize) -> Result<(u32, u32), DeviceError> {
        let size = self.queue.info().group_size_max;
        let groups = u32::try_from(items.div_ceil(size as usize));
        Ok((groups.map_err(|_| DeviceError::Misuse("more than 2^32 work-items".to_owned()))?, size))
    }

    /// Runs a kernel on `count` items, one work-item each; see [`Self::judge_with`].
    ///
    /// # Errors
    /// As there.
    pub fn judge(
        &mut self,
        kernel: &str,
        count: usize,
        output_words: usize,
        arguments: &[Given<'_>],
    ) -> Result<Results, DeviceError> {
        self.judge_with(kernel, count, count, output_words, arguments)
    }

    /// Runs a kernel on `count` items, by so many work-items at least, and gives back results of `output_words` words an
    /// item, all of whose tags are right. What lay in that memory before has no right tags, for the nonce is new: that of
    /// the batch for the first launch, another for each after it.
    ///
    /// # Errors
    /// What the device reports; [`DeviceError::Failed`] where a tag is wrong: nothing of the batch is to be believed.
    pub fn judge_with(
        &mut self,
        kernel: &str,
        work_items: usize,
        count: usize,
        output_words: usize,
        arguments: &[Given<'_>],
    ) -> Result<Results, DeviceError> {
        let nonce = self.nonce;
        self.nonce = nonce.wrapping_add(NONCE_STEP);
        let (groups, size) = self.groups(work_items)?;
        let words = (RESULT_HEAD + output_words) * count;
        let buffer = self.queue.allocate(4 * words)?;
        let arguments: Vec<Argument<'_>> = arguments
            .iter()
            .map(|argument| match *argument {
                Given::Buffer(buffer) => Argument::Buffer(buffer, 0),
                Given::Number(number) => Argument::Number(number),
                Given::Results => Argument::Buffer(&buffer, 0),
                Given::Count => Argument::Number(count as u32),
                Given::NonceLow => Argument::Number(nonce as u32),
                Given::NonceHigh => Argument::Number((nonce >> 32) as u32),
            })
            .collect();
        self.queue.launch(kernel, groups, size, &arguments)?;
        let mut bytes = vec![0; 4 * words];
        self.queue.read(&buffer, 0, &mut bytes)?;
        let results = Results {
            words: bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect(),
            count,
            output_words,
        };
        match (0..count).find(|&item| !results.is_tagged(item, nonce)) {
            None => Ok(results),
            Some(item) => Err(DeviceError::Failed(format!("kernel {kernel}: the tag of item {item} is wrong"))),
        }
    }
}

/// What a kernel said of each item, by columns: verdict, tag, output words.
#[derive(Debug)]
pub struct Results {
    words: Vec<u32>,
    count: usize,
    output_words: usize,
}

impl Results {
    /// What the kernel decided of an item: a verdict of `dialect/tag.h`, or a code of its own.
    pub fn verdict(&self, item: usize) -> u32 {
        self.words[item]
    }

    /// A word of the output of an item.
    pub fn word(&self, item: usize, word: usize) -> u32 {
        self.words[(RESULT_HEAD + word) * self.count + item]
    }

    fn is_tagged(&self, item: usize, nonce: u64) -> bool {
        let start = tag::start(nonce, item as u32, self.verdict(item));
        (0..self.output_words).fold(start, |state, word| tag::step(state, self.word(item, word)))
            == self.words[self.count + item]
    }
}
