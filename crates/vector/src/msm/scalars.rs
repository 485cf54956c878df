//! Scalars sorted out, and cut into signed digits.

use super::Cut;
use super::multiples::{Multiples, weighing};
use crate::scratch::Scratch;

type Scalar = [u64; 4];

/// What is to be added, by the numbers of the points: twice the number, and one more where the point counts negatively,
/// since its scalar was above r/2.
pub(super) struct Terms {
    /// Points whose scalar is one.
    pub(super) ones: Secret<u32>,
    /// Points whose scalar is above one.
    others: Secret<u32>,
    /// Their scalars, word by word: the lowest of all, then the next.
    words: Secret<u64>,
    lengths: Lengths,
}

/// Memory that is overwritten before it is given back.
pub(super) struct Secret<T: crate::scratch::Words + Default>(pub(super) Scratch<T>);

impl<T: crate::scratch::Words + Default> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.fill(T::default());
        std::hint::black_box(&*self.0);
    }
}

impl Terms {
    /// `None` where a scalar is not below the order.
    pub(super) fn sort_out(scalars: &[Scalar], order: &Scalar) -> Option<Self> {
        let half = halved(order);
        let (mut ones, mut others) = (0, 0);
        for scalar in scalars {
            if scalar[1..] == [0; 3] && scalar[0] < 2 {
                ones += scalar[0] as usize;
            } else {
                others += 1;
            }
        }
        // Some of the others will be ones.
        let mut terms = Self {
            ones: Secret(Scratch::new(ones + others)),
            others: Secret(Scratch::new(others)),
            words: Secret(Scratch::new(4 * others)),
            lengths: Lengths([0; 257]),
        };
        let all = others;
        (ones, others) = (0, 0);
        for (i, scalar) in scalars.iter().enumerate() {
            if scalar == &[0; 4] {
                continue;
            }
            let (mut size, mut entry) = (*scalar, (i as u32) << 1);
            if is_above(scalar, &half) {
                let (difference, borrow) = minus(order, scalar);
                if borrow || difference == [0; 4] {
                    return None;
                }
                (size, entry) = (difference, entry | 1);
            }
            if size == [1, 0, 0, 0] {
                terms.ones.0[ones] = entry;
                ones += 1;
            } else {
                terms.others.0[others] = entry;
                for (k, word) in size.into_iter().enumerate() {
                    terms.words.0[k * all + others] = word;
                }
                terms.lengths.count(&size);
                others += 1;
            }
        }
        terms.ones.0.truncate(ones);
        terms.others.0.truncate(others);
        terms.stride(all, others);
        Some(terms)
    }

    /// Brings words from one distance to a smaller one.
    fn stride(&mut self, from: usize, to: usize) {
        for k in 1..4 {
            self.words.0.copy_within(k * from..k * from + to, k * to);
        }
    }

    /// The digits; takes the scalars.
    pub(super) fn cut(&mut self, multiples: &Multiples) -> Digits {
        let (bits, sets) = self.lengths.best_window(multiples);
        let windows = self.lengths.windows(bits);
        let empty = || Secret(Scratch::new(0));
        let entries = std::mem::replace(&mut self.others, empty());
        let words = std::mem::replace(&mut self.words, Secret(Scratch::new(0)));
        let mut digits = Digits { entries, words, bits, windows, sets };
        digits.add_offset();
        digits
    }
}

/// Scalars as signed digits.
pub(super) struct Digits {
    /// The points, as [`Terms::others`].
    pub(super) entries: Secret<u32>,
    /// The scalars, each plus the offset.
    words: Secret<u64>,
    /// Bits of a window, c.
    pub(super) bits: usize,
    /// How many windows there are.
    pub(super) windows: usize,
    /// How many sets of buckets: window i is of set i modulo this, and takes the multiple i over this of its points.
    pub(super) sets: usize,
}

impl Digits {
    /// How many scalars.
    pub(super) fn count(&self) -> usize {
        self.entries.0.len()
    }

    /// Adds 2^(c − 1) in each window but the last. Unsigned digits of the sum are the signed digits plus 2^(c − 1): in
    /// [−2^(c − 1), 2^(c − 1)), and in the last window, which has room for the carry, in [0, 2^(c − 1)].
    fn add_offset(&mut self) {
        let mut offset = [0; 4];
        for window in 1..self.windows {
            let bit = window * self.bits - 1;
            offset[bit / 64] |= 1 << (bit % 64);
        }
        let count = self.count();
        for i in 0..count {
            let mut carry = false;
            for (k, addend) in offset.into_iter().enumerate() {
                let word = &mut self.words.0[k * count + i];
                let (sum, one) = word.overflowing_add(addend);
                let (sum, other) = sum.overflowing_add(u64::from(carry));
                (*word, carry) = (sum, one | other);
            }
        }
    }

    /// All digits of a window plus [`Digits::zero`].
    pub(super) fn of_window(&self, window: usize) -> impl Iterator<Item = u32> {
        let (count, bit) = (self.count(), window * self.bits);
        let (word, shift) = ((bit / 64).min(3), bit % 64);
        let next = (word + 1).min(3);
        let words = self.words.0[word * count..][..count].iter().zip(&self.words.0[next * count..][..count]);
        let (mask, mask_next) = ((1 << self.bits) - 1, if next > word { u64::MAX } else { 0 });
        words.map(move |(low, high)| {
            let digit = low >> shift | ((high & mask_next) << 1) << (63 - shift);
            (digit & mask) as u32
        })
    }

    /// What stands for a digit of 0.
    pub(super) fn zero(&self, window: usize) -> u32 {
        if window + 1 == self.windows { 0 } else { 1 << (self.bits - 1) }
    }
}

/// How many scalars there are of each length in bits.
struct Lengths([usize; 257]);

impl Lengths {
    fn count(&mut self, scalar: &Scalar) {
        let top = scalar.iter().rposition(|word| *word != 0).unwrap_or(0);
        self.0[64 * (top + 1) - scalar[top].leading_zeros() as usize] += 1;
    }

    /// Windows of these many bits for the longest scalar, and the carry out of it.
    fn windows(&self, bits: usize) -> usize {
        let longest = self.0.iter().rposition(|count| *count > 0);
        longest.map_or(0, |longest| (longest + 1).div_ceil(bits))
    }

    /// The bits of a window, and how many sets of buckets there are, with which the least is to be done.
    fn best_window(&self, multiples: &Multiples) -> (usize, usize) {
        let cut = multiples.cut;
        let apart = cut.windows().map(|bits| (bits, self.windows(bits).max(1)));
        let choices = apart.chain(multiples.windows());
        choices.min_by_key(|choice| self.additions(*choice, cut)).expect("there are sizes to choose from")
    }

    /// About how many additions there are.
    fn additions(&self, (bits, sets): (usize, usize), cut: Cut) -> usize {
        let digits: usize = self.0.iter().enumerate().map(|(length, count)| count * (length + 1).div_ceil(bits)).sum();
        let windows = self.windows(bits);
        let count = digits / windows.max(1);
        digits + sets.min(windows) * weighing(bits, count, windows.div_ceil(sets), cut)
    }
}

fn is_above(a: &Scalar, b: &Scalar) -> bool {
    a.iter().rev().gt(b.iter().rev())
}

fn minus(a: &Scalar, b: &Scalar) -> (Scalar, bool) {
    let mut difference = [0; 4];
    let mut borrow = false;
    for i in 0..4 {
        let (word, one) = a[i].overflowing_sub(b[i]);
        let (word, other) = word.overflowing_sub(u64::from(borrow));
        (difference[i], borrow) = (word, one | other);
    }
    (difference, borrow)
}

pub(super) fn halved(a: &Scalar) -> Scalar {
    std::array::from_fn(|i| a[i] >> 1 | a.get(i + 1).map_or(0, |next| next << 63))
}
