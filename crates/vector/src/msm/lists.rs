//! Points sorted by the bucket that they go into.

use std::ops::Range;

use super::Cut;
use super::scalars::{Digits, Secret};
use crate::lanes::LANES;
use crate::scratch::{Scratch, Words};

/// The most points that one list has: a bucket with more has several, whose sums are summed again.
pub(super) const LONGEST: usize = 512;

/// Points to be summed.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(super) struct List {
    /// Where among the entries it starts.
    pub(super) start: u32,
    pub(super) length: u32,
    /// Where its sum goes.
    pub(super) place: u32,
}

// SAFETY: three integers of one size.
unsafe impl Words for List {}

/// What goes into each bucket.
pub(crate) struct Lists {
    /// Points: twice the number, and one more where it counts negatively.
    pub(super) entries: Secret<u32>,
    /// Where the entries of each bucket end.
    pub(super) ends: Scratch<u32>,
}

impl Lists {
    /// One bucket.
    pub(super) fn of_ones(ones: &Secret<u32>) -> Self {
        let mut entries = Secret(Scratch::new(ones.0.len()));
        entries.0.copy_from_slice(&ones.0);
        let mut ends = Scratch::new(1);
        ends[0] = ones.0.len() as u32;
        Self { entries, ends }
    }

    /// The buckets of some sets: of each those for the digits of size 1 to 2^(c − 1), of the windows whose points are
    /// among some multiples. `count`: how many points there are of each multiple.
    pub(super) fn of_windows(digits: &Digits, sets: Range<usize>, multiples: Range<usize>, count: usize) -> Self {
        let buckets = 1 << (digits.bits - 1);
        let mut ends = Scratch::<u32>::new(sets.len() * buckets);
        ends.fill(0);
        let mut entries = Secret(Scratch::new(sets.len() * multiples.len() * digits.count()));
        let mut found = Secret(Scratch::<u32>::new(multiples.len() * digits.count()));
        let mut first = 0;
        for (set, ends) in sets.zip(ends.chunks_exact_mut(buckets)) {
            let windows = multiples.clone().map(|multiple| (multiple, multiple * digits.sets + set));
            let windows = windows.filter(|(_, window)| *window < digits.windows);
            // No digits are no pieces of some length.
            let pieces = found.0.chunks_exact_mut(digits.count().max(1));
            for ((_, window), found) in windows.clone().zip(pieces) {
                let zero = digits.zero(window) as i32;
                for (place, digit) in found.iter_mut().zip(digits.of_window(window)) {
                    let digit = digit as i32 - zero;
                    *place = digit as u32;
                    if digit != 0 {
                        ends[digit.unsigned_abs() as usize - 1] += 1;
                    }
                }
            }
            for end in ends.iter_mut() {
                (*end, first) = (first, first + *end);
            }
            let pieces = found.0.chunks_exact(digits.count().max(1));
            for ((multiple, _), found) in windows.zip(pieces) {
                let of_multiple = ((multiple * count) as u32) << 1;
                for (digit, entry) in found.iter().zip(digits.entries.0.iter()) {
                    let digit = *digit as i32;
                    if digit != 0 {
                        let end = &mut ends[digit.unsigned_abs() as usize - 1];
                        entries.0[*end as usize] = (entry + of_multiple) ^ u32::from(digit < 0);
                        *end += 1;
                    }
                }
            }
        }
        entries.0.truncate(first as usize);
        Self { entries, ends }
    }

    /// The lists, each of at most [`LONGEST`] points, longest first, in eights; and where those of each bucket end.
    pub(super) fn cut(&self) -> (Scratch<List>, Scratch<u32>) {
        let pieces: usize = self.lengths().map(|length| length.div_ceil(LONGEST)).sum();
        let mut lists = Scratch::<List>::new(pieces.next_multiple_of(LANES));
        let mut ends = Scratch::new(self.ends.len());
        let mut counts = [0_u32; LONGEST + 1];
        let mut place = 0;
        for (bucket, mut left) in self.lengths().enumerate() {
            while left > 0 {
                let length = left.min(LONGEST);
                counts[length] += 1;
                left -= length;
                place += 1;
            }
            ends[bucket] = place;
        }
        let mut sum = 0;
        for count in counts.iter_mut().rev() {
            (*count, sum) = (sum, sum + *count);
        }
        let (mut start, mut place) = (0, 0);
        for end in self.ends.iter() {
            while start < *end {
                let length = (*end - start).min(LONGEST as u32);
                let at = &mut counts[length as usize];
                lists[*at as usize] = List { start, length, place };
                *at += 1;
                start += length;
                place += 1;
            }
        }
        // Lists without points; their sums go after all others.
        for (i, list) in lists[pieces..].iter_mut().enumerate() {
            *list = List { start: 0, length: 0, place: (pieces + i) as u32 };
        }
        (lists, ends)
    }

    fn lengths(&self) -> impl Iterator<Item = usize> {
        let starts = std::iter::once(&0).chain(self.ends.iter());
        self.ends.iter().zip(starts).map(|(end, start)| (end - start) as usize)
    }
}

/// How windows are shared out to parts: by their sets of buckets, and by the multiples that they take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    sets: usize,
    sets_at_once: usize,
    multiples: usize,
    multiples_at_once: usize,
}

impl Shares {
    /// One set, or so many that a part has enough digits; or some of the windows of a set, where it has too many; but
    /// a part or two for each thread.
    pub(super) fn new(digits: &Digits, threads: usize, cut: Cut) -> Self {
        let sets = digits.sets.min(digits.windows);
        let multiples = if sets == 0 { 0 } else { digits.windows.div_ceil(digits.sets) };
        let of_set = multiples * digits.count();
        let enough = (cut.digits_at_once / (of_set + (1 << digits.bits)).max(1)).max(1);
        let sets_at_once = enough.min(sets.div_ceil(threads)).max(1);
        let pieces = pieces_of_set(of_set, cut).max(threads / sets.max(1)).max(1);
        Self { sets, sets_at_once, multiples, multiples_at_once: multiples.div_ceil(pieces).max(1) }
    }

    pub(super) fn count(&self) -> usize {
        self.sets.div_ceil(self.sets_at_once) * self.multiples.div_ceil(self.multiples_at_once)
    }

    /// The sets and the multiples of a part.
    pub(super) fn part(&self, part: usize) -> [Range<usize>; 2] {
        assert!(part < self.count(), "a part of the multiplication");
        let pieces = self.multiples.div_ceil(self.multiples_at_once);
        let range = |at: usize, size: usize, end: usize| at * size..end.min((at + 1) * size);
        [
            range(part / pieces, self.sets_at_once, self.sets),
            range(part % pieces, self.multiples_at_once, self.multiples),
        ]
    }
}

/// How many parts a set of buckets has that is for so many digits.
pub(super) fn pieces_of_set(digits: usize, cut: Cut) -> usize {
    let at_once = cut.digits_at_once.max(1);
    (digits + at_once) / (2 * at_once)
}
