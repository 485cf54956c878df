//! Many messages for lanes that hash in step: how their bytes are read, and which go together.

use std::cmp::Reverse;

use crate::Unit;
use crate::lanes::{Lanes, ROW_BYTES};
use crate::unit::on_lanes;

/// Bytes to hash: in one piece (`&[u8]`), or in parts that are hashed as one message (`[&[u8]; N]`), so that
/// nobody need join them first.
pub trait Message: Copy {
    /// How many bytes it has.
    fn length(&self) -> usize;

    /// The 64 bytes from place `at` on, zeros past the end.
    fn row<L: Lanes>(&self, at: usize) -> L;

    /// Asks for the first bytes, which will be read soon.
    fn prefetch<L: Lanes>(&self);
}

/// How far ahead bytes are asked for. Lanes read at as many places as there are messages, more than processors follow by
/// themselves.
const AHEAD_BYTES: usize = 3 * ROW_BYTES;

impl Message for &[u8] {
    #[inline(always)]
    fn length(&self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn row<L: Lanes>(&self, at: usize) -> L {
        if let Some(later) = self.get(at + AHEAD_BYTES) {
            L::prefetch(later);
        }
        match self.get(at..) {
            Some(rest) => match rest.first_chunk::<ROW_BYTES>() {
                Some(row) => L::load_bytes(row, 0),
                None => L::load_bytes(rest, 0),
            },
            None => L::zero(),
        }
    }

    #[inline(always)]
    fn prefetch<L: Lanes>(&self) {
        for byte in self[..self.len().min(AHEAD_BYTES)].iter().step_by(ROW_BYTES) {
            L::prefetch(byte);
        }
    }
}

impl<const N: usize> Message for [&[u8]; N] {
    #[inline(always)]
    fn length(&self) -> usize {
        self.iter().map(|part| part.len()).sum()
    }

    #[inline(always)]
    fn row<L: Lanes>(&self, at: usize) -> L {
        let mut row = L::zero();
        let mut start = 0;
        for part in self {
            // What lies before the row is skipped; what begins behind it is left out. No branches: a row has parts
            // at any place.
            let skipped = at.saturating_sub(start).min(part.len());
            let place = start.saturating_sub(at);
            let end = if place < ROW_BYTES { part.len() } else { skipped };
            row = row.or(L::load_bytes(&part[skipped..end], place % ROW_BYTES));
            start += part.len();
        }
        row
    }

    #[inline(always)]
    fn prefetch<L: Lanes>(&self) {
        for part in self {
            part.prefetch::<L>();
        }
    }
}

/// Asks for the first bytes of messages.
pub(crate) fn prefetch<M: Message>(unit: Unit, messages: impl Iterator<Item = M>) {
    on_lanes!(unit, L => for message in messages {
        message.prefetch::<L>();
    });
}

/// One byte among zeros: the byte that follows a message, in a table from which it is read at any place of a row
/// (its own bytes just written would hold up the load).
pub(crate) struct Marker([u8; 2 * ROW_BYTES - 1]);

impl Marker {
    pub(crate) const fn new(byte: u8) -> Self {
        let mut bytes = [0; 2 * ROW_BYTES - 1];
        bytes[ROW_BYTES - 1] = byte;
        Self(bytes)
    }

    /// The byte at a place below 64, zeros around it.
    #[inline(always)]
    pub(crate) fn at<L: Lanes>(&self, place: usize) -> L {
        let start = (ROW_BYTES - 1).saturating_sub(place);
        L::load_bytes(&self.0[start..start + ROW_BYTES], 0)
    }
}

/// How messages are hashed that would have a register nearly for themselves: a register costs the same whether
/// one of its lanes is at work or all.
#[derive(Clone, Copy, Debug)]
pub struct Alone<M, const DIGEST_BYTES: usize> {
    /// Hashes one message without lanes.
    pub digest: fn(M) -> [u8; DIGEST_BYTES],
    /// How many blocks are hashed so in the time of one block in all lanes.
    pub worth: usize,
}

/// What happens next: indices of messages.
pub(crate) enum Turn<'a> {
    /// This one is hashed without lanes.
    Alone(usize),
    /// These, at most as many as there are lanes, are hashed in step, the longest first.
    Together(&'a [usize]),
    /// Nothing yet: these are the ones of the turn after the one that comes next.
    Soon(&'a [usize]),
}

/// Divides `count` messages of so many blocks into turns of at most `N`.
///
/// Sorted by length, neighbours end at about the same time: over all turns, the lanes that wait for the longest of
/// their turn lose no more blocks than `N` times the blocks of the longest message. Where `worth` is given (see
/// [`Alone`]), the longest of a turn are taken out while that costs less than the others' waiting for them.
pub(crate) fn schedule<const N: usize>(
    count: usize,
    blocks: impl Fn(usize) -> usize,
    worth: Option<usize>,
    mut run: impl FnMut(Turn<'_>),
) {
    let equal = (1..count).all(|i| blocks(i) == blocks(0));
    let order = if equal { Vec::new() } else { longest_first(count, &blocks) };
    let at = |place: usize| if equal { place } else { order[place] };
    let mut next = 0;
    while next < count {
        let window = N.min(count - next);
        let alone = worth.map_or(0, |worth| first_together(window, worth, |i| blocks(at(next + i))));
        for _ in 0..alone {
            run(Turn::Alone(at(next)));
            next += 1;
        }
        if alone < window {
            let mut turn = [0; N];
            let together = N.min(count - next);
            for place in &mut turn[..together] {
                *place = at(next);
                next += 1;
            }
            let mut after = [0; N];
            let soon = N.min(count - next);
            for (place, index) in after[..soon].iter_mut().zip(next..) {
                *place = at(index);
            }
            run(Turn::Soon(&after[..soon]));
            run(Turn::Together(&turn[..together]));
        }
    }
}

/// How many of the first of `window` messages, sorted by blocks, had better be hashed alone.
fn first_together(window: usize, worth: usize, blocks: impl Fn(usize) -> usize) -> usize {
    let (mut best, mut least) = (0, worth * blocks(0));
    let mut spent = 0;
    for first in 1..=window {
        spent += blocks(first - 1);
        let cost = spent + if first < window { worth * blocks(first) } else { 0 };
        if cost <= least {
            (best, least) = (first, cost);
        }
        if spent > least {
            break;
        }
    }
    best
}

/// The indices, those of most blocks first. Counting, since nearly all messages have few blocks.
fn longest_first(count: usize, blocks: impl Fn(usize) -> usize) -> Vec<usize> {
    const MANY: usize = 255;
    let class = |i: usize| MANY - blocks(i).min(MANY);
    let mut ends = [0_usize; MANY + 1];
    for i in 0..count {
        ends[class(i)] += 1;
    }
    let long = ends[0];
    let mut end = 0;
    for place in &mut ends {
        end += std::mem::replace(place, end);
    }
    let mut order = vec![0; count];
    for i in 0..count {
        let place = &mut ends[class(i)];
        order[*place] = i;
        *place += 1;
    }
    order[..long].sort_unstable_by_key(|i| Reverse(blocks(*i)));
    order
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) mod judging;
