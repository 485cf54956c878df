//! The arena: memory that a parent and its worker share, and the regions in which batches lie.

mod free;
mod shared;

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};

use self::free::Free;
use self::shared::{CONTROL_BYTES, Shared};

/// Regions and outputs start at multiples of this, in bytes: a page, so that no two of them share one that a driver pins.
const ALIGNMENT: usize = 4096;

/// The largest arena, in bytes. The system is asked for all of it at once, and it would rather end processes than refuse.
const BYTES_MAX: usize = 4 << 30;

/// Batches that a worker works on at the same time, each on a queue of its own: the copies of one overlap the kernels of
/// the other.
pub(crate) const LANES: usize = 2;

/// Batches that are with a worker at most.
pub(crate) const SLOTS: usize = 16;

/// Words of a lane: the batch that runs, and a count that moves while it does. A cache line each.
const LANE_WORDS: usize = 8;

/// Where the words of slots begin: the batch that is cancelled.
const SLOT_WORDS: usize = LANES * LANE_WORDS;

/// How a lane stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The batch that runs; 0 where none does.
    pub(crate) batch: u64,
    /// Moves with each step of a batch.
    pub(crate) steps: u64,
}

/// The words that parent and worker touch at any time. Counts and flags that say nothing of other memory, so relaxed
/// order is enough: bytes change hands with messages.
pub(crate) trait Control {
    fn shared(&self) -> &Shared;

    fn progress(&self, lane: usize) -> Progress {
        let word = |place| self.shared().word(lane * LANE_WORDS + place).load(Ordering::Relaxed);
        Progress { batch: word(0), steps: word(1) }
    }

    fn set_batch(&self, lane: usize, batch: u64) {
        self.shared().word(lane * LANE_WORDS).store(batch, Ordering::Relaxed);
        self.step(lane);
    }

    fn step(&self, lane: usize) {
        self.shared().word(lane * LANE_WORDS + 1).fetch_add(1, Ordering::Relaxed);
    }

    fn cancel(&self, slot: usize, batch: u64) {
        self.shared().word(SLOT_WORDS + slot).store(batch, Ordering::Relaxed);
    }

    fn is_cancelled(&self, slot: usize, batch: u64) -> bool {
        self.shared().word(SLOT_WORDS + slot).load(Ordering::Relaxed) == batch
    }
}

/// The parent's side: it owns the memory and deals out its regions.
pub struct Arena {
    shared: Shared,
    file: File,
    bytes: usize,
    free: Mutex<Free>,
}

impl Control for Arena {
    fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl Arena {
    /// An arena with room for regions of `bytes` bytes in all, taken from the system at once: memory that is missing is
    /// missed here, not in the middle of a batch.
    ///
    /// # Errors
    /// Where the system does not give the memory, or it is more than 4 GiB or than half of what is available.
    pub fn new(bytes: usize) -> io::Result<Arc<Self>> {
        if bytes > BYTES_MAX || bytes as u64 > available_bytes() / 2 {
            let what = format!("an arena of {bytes} bytes is more than 4 GiB, or than half of the memory available");
            return Err(io::Error::new(io::ErrorKind::OutOfMemory, what));
        }
        let length = bytes.next_multiple_of(ALIGNMENT) + CONTROL_BYTES;
        let descriptor = rustix::fs::memfd_create("outrigger-arena", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        rustix::fs::fallocate(&descriptor, FallocateFlags::empty(), 0, length as u64)?;
        rustix::fs::fcntl_add_seals(&descriptor, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let file = File::from(descriptor);
        let shared = Shared::of(&file, length)?;
        Ok(Arc::new(Self { shared, file, bytes: length, free: Mutex::new(Free::new(CONTROL_BYTES..length)) }))
    }

    /// A region for a batch with so many bytes of input and of output; `None` where the arena has no room for it now.
    /// Its content is what an earlier batch left.
    pub fn region(self: &Arc<Self>, input_bytes: usize, output_bytes: usize) -> Option<Region> {
        let input = input_bytes.checked_next_multiple_of(ALIGNMENT)?;
        let length = input.checked_add(output_bytes.checked_next_multiple_of(ALIGNMENT)?)?;
        // A batch of nothing has a place too, so that every region is one of the list.
        let taken = self.free.lock().unwrap_or_else(PoisonError::into_inner).take(length.max(ALIGNMENT))?;
        let output = taken.start + input;
        Some(Region {
            arena: Arc::clone(self),
            input: taken.start..taken.start + input_bytes,
            output: output..output + output_bytes,
            secret: false,
            taken,
        })
    }

    /// The length of all of it.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Memory that the system could give without swapping, in bytes; all there is where it does not say.
fn available_bytes() -> u64 {
    let told = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes = told.lines().find_map(|line| line.strip_prefix("MemAvailable:")?.trim().strip_suffix("kB"));
    kibibytes
        .and_then(|number| number.trim().parse::<u64>().ok())
        .map_or(u64::MAX, |number| number.saturating_mul(1024))
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// Room in an arena for the input and the output of one batch. It belongs to whoever holds it: to the caller until it is
/// submitted, and again when the batch has been answered.
pub struct Region {
    arena: Arc<Arena>,
    taken: Range<usize>,
    input: Range<usize>,
    output: Range<usize>,
    secret: bool,
}

impl Region {
    /// Where the caller packs the batch.
    #[allow(unsafe_code)]
    pub fn input_mut(&mut self) -> &mut [u8] {
        // SAFETY: inside the arena, which gave the range to this region alone, and `&mut self` keeps others of this
        // process out. The worker touches it between submission and answer only, while its handle holds the region.
        unsafe { self.arena.shared.bytes_mut(self.input.clone()) }
    }

    /// A copy of the output: a copy, since what is judged must not change while it is.
    #[allow(unsafe_code)]
    pub fn output(&self) -> Vec<u8> {
        // SAFETY: inside the arena, and written to only through `&mut self`, or by a worker while its handle holds
        // the region.
        unsafe { self.arena.shared.bytes(self.output.clone()) }.to_vec()
    }

    /// Makes all output zero: an item that nobody writes to is one that nobody processed.
    #[allow(unsafe_code)]
    pub(crate) fn clear_output(&mut self) {
        // SAFETY: as for `input_mut`.
        unsafe { self.arena.shared.bytes_mut(self.output.clone()) }.fill(0);
    }

    /// Says that the batch holds a secret: input and output are wiped when the region is dropped, whoever does.
    pub fn mark_secret(&mut self) {
        self.secret = true;
    }

    #[allow(unsafe_code)]
    fn wipe(&mut self) {
        // SAFETY: as for `input_mut`; all of the range is this region's.
        unsafe { self.arena.shared.bytes_mut(self.taken.clone()) }.fill(0);
    }

    /// Whether this region lies in that arena.
    pub(crate) fn is_of(&self, arena: &Arc<Arena>) -> bool {
        Arc::ptr_eq(&self.arena, arena)
    }

    pub(crate) fn input_range(&self) -> Range<usize> {
        self.input.clone()
    }

    pub(crate) fn output_range(&self) -> Range<usize> {
        self.output.clone()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if self.secret {
            self.wipe();
        }
        self.arena.free.lock().unwrap_or_else(PoisonError::into_inner).give(self.taken.clone());
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Region").field("input", &self.input).field("output", &self.output).finish_non_exhaustive()
    }
}

/// The worker's side.
pub(crate) struct Mapped {
    shared: Shared,
}

impl Control for Mapped {
    fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl Mapped {
    /// Maps the arena that the parent sent.
    pub(crate) fn new(descriptor: OwnedFd, bytes: usize) -> io::Result<Self> {
        Ok(Self { shared: Shared::of(&File::from(descriptor), bytes)? })
    }

    /// Address and length of the memory, for a driver that wants to know where bytes will come from.
    pub(crate) fn place(&self) -> (usize, usize) {
        self.shared.place()
    }

    /// Input and output of a batch; `None` where they do not lie in the arena, or in each other.
    #[allow(unsafe_code, clippy::mut_from_ref, reason = "memory of another process: the parent gives it away")]
    pub(crate) fn batch(&self, input: Range<usize>, output: Range<usize>) -> Option<(&[u8], &mut [u8])> {
        let apart = input.end <= output.start || output.end <= input.start;
        if !(self.shared.check(&input) && self.shared.check(&output) && apart) {
            return None;
        }
        // SAFETY: inside the arena and apart from each other. The parent gives a range to one batch at a time and
        // leaves it alone until that is answered, and a batch is taken from the socket by one lane.
        Some(unsafe { (self.shared.bytes(input), self.shared.bytes_mut(output)) })
    }
}

#[cfg(test)]
mod tests;
