//! The frame that SHA-256 and SM3 share: blocks of sixteen 32-bit words, big-endian, padded with one bit, zeros and
//! the length in bits.
//!
//! Where all messages have one length, a last block of mere padding is the same block in all lanes: its schedule
//! is made once, by plain code, and lanes only take the steps. Messages of 64 bytes, which two nodes of a tree
//! are, have such a block.

use std::array::from_fn;

use crate::Unit;
use crate::lanes::{ROW_BYTES, array};
use crate::messages::{Alone, Marker, Message, Turn, prefetch, schedule};
use crate::unit::on_lanes;
use crate::words::{WORDS, WordMask, Words};

/// Bytes of a block.
const BLOCK_BYTES: usize = 64;

/// Bytes of padding at least: the first byte and the length in bits.
const PADDING_BYTES: usize = 9;

/// The byte that follows a message: one bit and zeros.
static MARKER: Marker = Marker::new(0x80);

/// Groups of lanes that run interleaved, since steps depend on each other.
const GROUPS: usize = 2;

/// A compression function in this frame, on `G` groups of lanes.
pub(crate) trait Compression {
    /// The schedule of a block that is the same in all lanes.
    type Schedule;

    /// The state before the first block.
    const INITIAL: [u32; 8];

    /// Makes the schedule of a block.
    fn schedule(block: &[u32; 16]) -> Self::Schedule;

    /// Takes in a block a lane.
    fn compress<L: Words, const G: usize>(state: &mut [[L; 8]; G], words: [[L; 16]; G]);

    /// Takes in one block for all lanes.
    fn compress_constant<L: Words, const G: usize>(state: &mut [[L; 8]; G], schedule: &Self::Schedule);

    /// Makes the digest of the last state: nothing, mostly.
    #[inline(always)]
    fn finish<L: Words, const G: usize>(_state: &mut [[L; 8]; G]) {}
}

/// Hashes `digests.len()` messages: number i into place i.
pub(crate) fn many<C: Compression, M: Message>(
    unit: Unit,
    alone: Option<Alone<M, 32>>,
    message: impl Fn(usize) -> M,
    digests: &mut [[u8; 32]],
) {
    let mut padding = Padding { length: None, schedule: C::schedule(&[0; 16]) };
    let blocks = |i| blocks(message(i).length());
    schedule::<{ GROUPS * WORDS }>(digests.len(), blocks, alone.map(|alone| alone.worth), |turn| match turn {
        Turn::Alone(i) => {
            let alone = alone.expect("without a way to hash them alone, messages go together");
            digests[i] = (alone.digest)(message(i));
        }
        Turn::Soon(indices) => prefetch(unit, indices.iter().map(|i| message(*i))),
        Turn::Together(indices) => {
            let messages: [[M; WORDS]; GROUPS] =
                from_fn(|g| from_fn(|lane| message(*indices.get(g * WORDS + lane).unwrap_or(&indices[0]))));
            let mut found = [[[0; 32]; WORDS]; GROUPS];
            if indices.len() <= WORDS {
                let (messages, found) = (messages.first_chunk::<1>(), found.first_chunk_mut::<1>());
                if let (Some(messages), Some(found)) = (messages, found) {
                    padding.prepare::<C, M>(messages.as_flattened());
                    on_lanes!(unit, L => together::<C, L, M, 1>(messages, &padding, found));
                }
            } else {
                padding.prepare::<C, M>(messages.as_flattened());
                on_lanes!(unit, L => together::<C, L, M, GROUPS>(&messages, &padding, &mut found));
            }
            for (i, digest) in indices.iter().zip(found.as_flattened()) {
                digests[*i] = *digest;
            }
        }
    });
}

/// The blocks of a message of so many bytes.
const fn blocks(length: usize) -> usize {
    (length + PADDING_BYTES).div_ceil(BLOCK_BYTES)
}

/// The last block of messages of one length, where it has no byte of them.
struct Padding<S> {
    /// The length; `None` where messages of the turn differ in it, or have bytes in their last block.
    length: Option<usize>,
    schedule: S,
}

impl<S> Padding<S> {
    /// Makes the schedule, unless it is there from the turn before.
    fn prepare<C: Compression<Schedule = S>, M: Message>(&mut self, messages: &[M]) {
        let length = messages.first().map_or(0, Message::length);
        let start = (blocks(length) - 1) * BLOCK_BYTES;
        if start < length || length == 0 || messages.iter().any(|message| message.length() != length) {
            self.length = None;
        } else if self.length != Some(length) {
            let bits = 8 * length as u64;
            let mut block = [0; 16];
            block[0] = if start == length { 0x8000_0000 } else { 0 };
            block[14] = (bits >> 32) as u32;
            block[15] = bits as u32;
            *self = Self { length: Some(length), schedule: C::schedule(&block) };
        }
    }
}

/// Hashes a message a lane.
#[inline(never)]
fn together<C: Compression, L: Words, M: Message, const G: usize>(
    messages: &[[M; WORDS]; G],
    padding: &Padding<C::Schedule>,
    found: &mut [[[u8; 32]; WORDS]; G],
) {
    L::enter(
        #[inline(always)]
        || {
            let last: [[usize; WORDS]; G] = from_fn(|g| messages[g].map(|message| blocks(message.length()) - 1));
            let longest = last.as_flattened().iter().copied().max().unwrap_or(0);
            let initial: [L; 8] = array(L::zero(), |i| L::splat32(C::INITIAL[i]));
            let mut state = [initial; G];
            let mut results = state;
            for block in 0..=longest {
                let ends: [WordMask; G] = from_fn(|g| {
                    (0..WORDS).fold(0, |ends, lane| ends | (WordMask::from(last[g][lane] == block) << lane))
                });
                if block == longest && padding.length.is_some() {
                    C::compress_constant(&mut state, &padding.schedule);
                } else {
                    let mut words = [[L::zero(); 16]; G];
                    for g in 0..G {
                        words[g] = read(&messages[g], block, ends[g]);
                    }
                    C::compress(&mut state, words);
                }
                for g in 0..G {
                    results[g] = array(L::zero(), |i| results[g][i].blend32(ends[g], state[g][i]));
                }
            }
            C::finish(&mut results);
            for g in 0..G {
                found[g] = digests(results[g]);
            }
        },
    );
}

/// A block of each message, padded.
#[inline(always)]
fn read<L: Words, M: Message>(messages: &[M; WORDS], block: usize, ends: WordMask) -> [L; 16] {
    let start = block * BLOCK_BYTES;
    let mut rows = [L::zero(); WORDS];
    for (row, message) in rows.iter_mut().zip(messages) {
        *row = message.row(start);
        if let Some(place) = message.length().checked_sub(start).filter(|place| *place < ROW_BYTES) {
            *row = row.or(MARKER.at(place));
        }
    }
    let mut words = L::transpose32(rows);
    for word in &mut words {
        *word = word.swap_bytes32();
    }
    if ends != 0 {
        let bits = |lane: usize| 8 * messages[lane].length() as u64;
        words[14] = words[14].or(L::load32(&from_fn(|lane| (bits(lane) >> 32) as u32)).keep32(ends));
        words[15] = words[15].or(L::load32(&from_fn(|lane| bits(lane) as u32)).keep32(ends));
    }
    words
}

#[inline(always)]
fn digests<L: Words>(state: [L; 8]) -> [[u8; 32]; WORDS] {
    let rows = L::transpose32(array(L::zero(), |i| state[i % 8].swap_bytes32()));
    let mut digests = [[0; 32]; WORDS];
    for (digest, row) in digests.iter_mut().zip(rows) {
        for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(row.to_array()) {
            *bytes = word.to_le_bytes();
        }
    }
    digests
}
