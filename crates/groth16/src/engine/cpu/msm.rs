//! Multi-scalar multiplication: Pippenger's buckets with signed digits.
//!
//! Scalars are sorted out first, for those of circuits are mostly small: zeros are left out, ones are summed apart, and
//! a scalar above r/2 is replaced by r minus it, with the negated point, so that −1 is a one too. The others are cut
//! into windows of c bits; the points of a window are sorted by their digit, the points of each digit are summed
//! ([`super::sums`]), and the sums are weighted with their digits by halving ([`weigh`]).

use std::ops::Range;

use ark_ff::{AdditiveGroup, PrimeField};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::super::{Failure, PlainScalar, same_length};
use super::sums::{Block, Xy, halve};
use crate::Control;
use crate::curve::{Points, RawField, RawPoint, RawScalar, SCALAR_LIMBS};

/// The sum of scalar × point.
pub(super) fn msm<A>(points: &dyn Points<A>, scalars: &[PlainScalar], control: &Control) -> Result<A::Group, Failure>
where
    A: RawPoint<BaseField: RawField, ScalarField: RawScalar>,
{
    same_length(points.len(), scalars.len())?;
    control.check()?;
    let terms = Terms::sort_out(points, scalars)?;
    let windows = Windows::cut(terms.others, terms.scalars);
    let (ones, others) = rayon::join(|| sum::<A>(&terms.ones, control), || windows.sum::<A>(control));
    Ok(others? + ones?)
}

/// What is to be added, with positive scalars: a point stands negated where its scalar was above r/2.
struct Terms<F> {
    /// Points whose scalar is one.
    ones: Vec<Xy<F>>,
    /// Points whose scalar is above one.
    others: Vec<Xy<F>>,
    /// Their scalars.
    scalars: Zeroizing<Vec<PlainScalar>>,
}

impl<F: RawField> Terms<F> {
    fn sort_out<A>(points: &dyn Points<A>, scalars: &[PlainScalar]) -> Result<Self, Failure>
    where
        A: RawPoint<BaseField = F, ScalarField: RawScalar>,
    {
        let mut terms = Self { ones: Vec::new(), others: Vec::new(), scalars: Zeroizing::default() };
        // At full length at once: a vector that grows leaves copies of secrets behind.
        let wide = scalars.iter().filter(|scalar| scalar[1..] != [0; SCALAR_LIMBS - 1] || scalar[0] > 1).count();
        terms.others.reserve_exact(wide);
        terms.scalars.reserve_exact(wide);
        for (i, scalar) in scalars.iter().enumerate() {
            if *scalar == [0; SCALAR_LIMBS] {
                continue;
            }
            let (negative, size) = size::<A::ScalarField>(scalar)?;
            let point = Xy::of(&points.point(i)).negated_if(negative);
            if point.is_infinity() {
                continue;
            }
            if size == [1, 0, 0, 0] {
                terms.ones.push(point);
            } else {
                terms.others.push(point);
                terms.scalars.push(size);
            }
        }
        Ok(terms)
    }
}

/// A scalar as sign and absolute value, at most (r − 1)/2.
fn size<S: PrimeField>(scalar: &PlainScalar) -> Result<(bool, PlainScalar), Failure> {
    let half = limbs::<S>(S::MODULUS_MINUS_ONE_DIV_TWO);
    if !scalar.iter().rev().gt(half.iter().rev()) {
        return Ok((false, *scalar));
    }
    let mut size = limbs::<S>(S::MODULUS);
    let mut borrow = false;
    for (minuend, subtrahend) in size.iter_mut().zip(scalar) {
        let (difference, one) = minuend.overflowing_sub(*subtrahend);
        let (difference, other) = difference.overflowing_sub(u64::from(borrow));
        (*minuend, borrow) = (difference, one | other);
    }
    if borrow || size == [0; SCALAR_LIMBS] {
        return Err(Failure::Fault("a scalar is not below the order of the group".into()));
    }
    Ok((true, size))
}

fn limbs<S: PrimeField>(number: S::BigInt) -> PlainScalar {
    number.as_ref().try_into().expect("a scalar has four limbs")
}

/// Points below which an inversion (that of BN254's base field takes as long as twelve additions) is no longer worth it.
const FEW_POINTS: usize = 64;

/// The sum of points.
fn sum<A: RawPoint<BaseField: RawField>>(points: &[Xy<A::BaseField>], control: &Control) -> Result<A::Group, Failure> {
    let sums = points.par_chunks(Block::<A::BaseField>::POINTS).map(|chunk| {
        control.check()?;
        let mut points = chunk.to_vec();
        let (mut ends, mut products) = ([points.len() as u32], vec![]);
        while points.len() > FEW_POINTS && halve(&mut points, &mut ends, &mut products) {}
        Ok(points.iter().fold(A::Group::ZERO, |sum, point| sum + point.into_point::<A>()))
    });
    sums.try_reduce(|| A::Group::ZERO, |one, other| Ok(one + other))
}

/// Scalars cut into signed digits.
struct Windows<F> {
    points: Vec<Xy<F>>,
    /// The scalars, each plus [`Windows::offset`].
    scalars: Zeroizing<Vec<PlainScalar>>,
    /// Bits of a window, c.
    bits: usize,
    /// How many windows there are.
    count: usize,
}

impl<F: RawField> Windows<F> {
    fn cut(points: Vec<Xy<F>>, scalars: Zeroizing<Vec<PlainScalar>>) -> Self {
        let lengths = Lengths::of(&scalars);
        let bits = lengths.best_window();
        let count = lengths.windows(bits);
        let mut windows = Self { points, scalars, bits, count };
        let offset = windows.offset();
        for scalar in windows.scalars.iter_mut() {
            add(scalar, &offset);
        }
        windows
    }

    /// 2^(c − 1) in each window but the last. A scalar plus it, cut into unsigned digits, gives the signed digits plus
    /// 2^(c − 1): in [−2^(c − 1), 2^(c − 1)), and in the last window, which has room for the carry, in
    /// [0, 2^(c − 1)].
    fn offset(&self) -> PlainScalar {
        let mut offset = [0; SCALAR_LIMBS];
        for window in 1..self.count {
            let bit = window * self.bits - 1;
            offset[bit / 64] |= 1 << (bit % 64);
        }
        offset
    }

    fn digit(&self, scalar: &PlainScalar, window: usize) -> i32 {
        let (limb, shift) = (window * self.bits / 64, window * self.bits % 64);
        let next = scalar.get(limb + 1).copied().unwrap_or(0);
        let low = scalar[limb] >> shift | (next << 1) << (63 - shift);
        let digit = (low & ((1 << self.bits) - 1)) as i32;
        if window + 1 == self.count { digit } else { digit - self.buckets() as i32 }
    }

    /// Buckets of a window: for the digits 1 to 2^(c − 1).
    fn buckets(&self) -> usize {
        1 << (self.bits - 1)
    }

    fn sum<A: RawPoint<BaseField = F>>(&self, control: &Control) -> Result<A::Group, Failure> {
        let windows: Vec<usize> = (0..self.count).collect();
        let sums = windows.par_chunks(self.windows_at_once()).map(|windows| {
            control.check()?;
            self.sum_by_digit(windows[0]..windows[0] + windows.len(), control)
        });
        let sums = sums.collect::<Result<Vec<_>, Failure>>()?.concat();
        // A few thousand buckets at once: enough for one inversion to be cheap.
        let at_once = self.buckets() * (Block::<F>::POINTS / self.buckets()).max(1);
        let weighted = sums.par_chunks(at_once).map(|sums| {
            control.check()?;
            Ok(weigh(sums, sums.len() / self.buckets()))
        });
        let weighted = weighted.collect::<Result<Vec<_>, Failure>>()?;
        Ok(combine::<A>(weighted.iter().flatten(), self.bits))
    }

    /// How many windows one task takes: one, or so many that it has points enough for an inversion to be cheap, but
    /// some for each thread.
    fn windows_at_once(&self) -> usize {
        let for_each_thread = self.count.div_ceil(rayon::current_num_threads()).max(1);
        (Block::<F>::POINTS / self.points.len().max(1)).clamp(1, for_each_thread)
    }

    /// For each window, and for each digit from one on, the sum of the points that have it there.
    fn sum_by_digit(&self, windows: Range<usize>, control: &Control) -> Result<Vec<Xy<F>>, Failure> {
        let mut sums = vec![Xy::INFINITY; windows.len() * self.buckets()];
        let (sorted, ends) = self.sort(windows);
        self.fill(&sorted, 0, &ends, &mut sums, control)?;
        Ok(sums)
    }

    /// The numbers of the points with a digit other than zero, sorted by window and the digit's absolute value: twice
    /// the number, plus one where the digit is negative. And where those of each bucket end.
    fn sort(&self, windows: Range<usize>) -> (Zeroizing<Vec<u32>>, Zeroizing<Vec<u32>>) {
        // A counting sort, which compares nothing. The cell of a bucket first counts, then says where the bucket
        // begins, and at last where it ends.
        let mut cells = Zeroizing::new(vec![0u32; windows.len() * self.buckets()]);
        let mut first = 0;
        for window in windows.clone() {
            for scalar in self.scalars.iter() {
                let digit = self.digit(scalar, window);
                if digit != 0 {
                    cells[first + digit.unsigned_abs() as usize - 1] += 1;
                }
            }
            first += self.buckets();
        }
        let mut sum = 0;
        for cell in cells.iter_mut() {
            (*cell, sum) = (sum, sum + *cell);
        }
        let mut sorted = Zeroizing::new(vec![0; sum as usize]);
        let mut first = 0;
        for window in windows {
            for (number, scalar) in (0u32..).zip(self.scalars.iter()) {
                let digit = self.digit(scalar, window);
                if digit != 0 {
                    let cell = &mut cells[first + digit.unsigned_abs() as usize - 1];
                    sorted[*cell as usize] = 2 * number + u32::from(digit < 0);
                    *cell += 1;
                }
            }
            first += self.buckets();
        }
        (sorted, cells)
    }

    /// Sums points into buckets: those of `sorted` from `start`, up to the ends of each bucket.
    fn fill(
        &self,
        sorted: &[u32],
        start: usize,
        ends: &[u32],
        buckets: &mut [Xy<F>],
        control: &Control,
    ) -> Result<(), Failure> {
        let count = ends.last().map_or(0, |end| *end as usize - start);
        if count > 4 * Block::<F>::POINTS && buckets.len() > 1 {
            let half = ends.partition_point(|end| *end as usize <= start + count / 2).clamp(1, buckets.len() - 1);
            let ((ends_low, ends_high), (low, high)) = (ends.split_at(half), buckets.split_at_mut(half));
            let middle = ends_low[half - 1] as usize;
            let (low, high) = rayon::join(
                || self.fill(sorted, start, ends_low, low, control),
                || self.fill(sorted, middle, ends_high, high, control),
            );
            return low.and(high);
        }
        let mut block = Block::new();
        let mut start = start;
        for (bucket, end) in ends.iter().enumerate() {
            let mut left = &sorted[start..*end as usize];
            start = *end as usize;
            while !left.is_empty() {
                let (now, later) = left.split_at(left.len().min(block.room()));
                for entry in now {
                    block.push(self.points[(entry / 2) as usize].negated_if(entry % 2 == 1));
                }
                left = later;
                if block.room() == 0 {
                    control.check()?;
                    block.close(bucket);
                    block.sum_into(buckets);
                    // What the bucket has so far goes on with it.
                    block.push(buckets[bucket]);
                }
            }
            if !block.is_closed() {
                block.close(bucket);
            }
        }
        block.sum_into(buckets);
        Ok(())
    }
}

/// How many scalars there are of each length in bits.
struct Lengths([usize; 64 * SCALAR_LIMBS + 1]);

impl Lengths {
    fn of(scalars: &[PlainScalar]) -> Self {
        let mut lengths = Self([0; 64 * SCALAR_LIMBS + 1]);
        for scalar in scalars {
            let top = scalar.iter().rposition(|limb| *limb != 0).unwrap_or(0);
            lengths.0[64 * (top + 1) - scalar[top].leading_zeros() as usize] += 1;
        }
        lengths
    }

    /// Windows of these many bits for the longest scalar, and the carry out of it.
    fn windows(&self, bits: usize) -> usize {
        let longest = self.0.iter().rposition(|count| *count > 0).unwrap_or(0);
        (longest + 1).div_ceil(bits)
    }

    /// The bits of a window with which the least is to be done.
    fn best_window(&self) -> usize {
        (2..=16).min_by_key(|bits| self.additions(*bits)).expect("there are sizes to choose from")
    }

    /// About how many additions there are with windows of these many bits: one for each digit, two for each bucket.
    fn additions(&self, bits: usize) -> usize {
        let digits: usize = self.0.iter().enumerate().map(|(length, count)| count * (length + 1).div_ceil(bits)).sum();
        digits + self.windows(bits) * 2 * (1 << (bits - 1))
    }
}

/// The buckets of one window, weighted: the sum of digit × bucket is `sum` + Σ 2^j · `odd[j]`.
struct Weighted<F> {
    sum: Xy<F>,
    odd: Vec<Xy<F>>,
}

/// Weighs the buckets of some windows at once.
///
/// With B_i the bucket of digit i + 1, the sum is ΣB_i + Σ i·B_i, and Σ i·B_i = 2·Σ i·(B_2i + B_2i+1) + ΣB_2i+1: half
/// as many buckets, and the sum of the odd ones. All levels go on together: after each halving of everything that
/// is there, the odd ones of that level join. Two additions a bucket as with running sums, but independent ones, which
/// share their inversion.
fn weigh<F: RawField>(buckets: &[Xy<F>], windows: usize) -> Vec<Weighted<F>> {
    let mut points = buckets.to_vec();
    let mut buckets = buckets.len();
    let (mut products, mut levels) = (vec![], 0);
    while buckets > windows {
        let odd: Vec<_> = points[..buckets].iter().skip(1).step_by(2).copied().collect();
        let mut ends = [points.len() as u32];
        halve(&mut points, &mut ends, &mut products);
        points.extend(odd);
        buckets /= 2;
        levels += 1;
    }
    let weighted = (0..windows).map(|window| {
        let odd = (1..=levels).map(|level| points[level * windows + window]).collect();
        Weighted { sum: points[window], odd }
    });
    weighted.collect()
}

/// Puts the windows together, the least first, of these many bits each.
fn combine<'a, A: RawPoint<BaseField: RawField>>(
    windows: impl DoubleEndedIterator<Item = &'a Weighted<A::BaseField>>,
    bits: usize,
) -> A::Group {
    let mut sum = A::Group::ZERO;
    for window in windows.rev() {
        for bit in (0..bits).rev() {
            sum.double_in_place();
            if let Some(odd) = window.odd.get(bit) {
                sum += odd.into_point::<A>();
            }
        }
        sum += window.sum.into_point::<A>();
    }
    sum
}

fn add(number: &mut PlainScalar, other: &PlainScalar) {
    let mut carry = false;
    for (limb, other) in number.iter_mut().zip(other) {
        let (sum, one) = limb.overflowing_add(*other);
        let (sum, two) = sum.overflowing_add(u64::from(carry));
        (*limb, carry) = (sum, one | two);
    }
}
