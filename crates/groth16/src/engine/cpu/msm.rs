//! Multi-scalar multiplication: Pippenger's buckets with signed digits.
//!
//! Scalars are sorted out first, for those of circuits are mostly small: zeros are left out, ones are summed apart, and
//! a scalar above r/2 is replaced by r minus it, with the negated point, so that −1 is a one too. The others are cut
//! into windows of c bits; the points of a window are sorted by their digit, the points of each digit are summed
//! ([`super::sums`]), and the sums are weighted with their digits by halving ([`weigh`]).

use ark_ff::{AdditiveGroup, Field, PrimeField};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::super::{Failure, PlainScalar, same_length};
use super::sums::{Block, Xy, halve};
use crate::Control;
use crate::curve::{Points, RawPoint, RawScalar, SCALAR_LIMBS};

/// The sum of scalar × point.
pub(super) fn msm<A>(points: &dyn Points<A>, scalars: &[PlainScalar], control: &Control) -> Result<A::Group, Failure>
where
    A: RawPoint<ScalarField: RawScalar>,
{
    same_length(points.len(), scalars.len())?;
    control.check()?;
    let terms = Terms::sort_out(points, scalars)?;
    let windows = Windows::cut(terms.others, terms.scalars);
    let (ones, others) = rayon::join(|| sum(&terms.ones, control), || windows.sum::<A>(control));
    Ok(others? + ones?.into_point::<A>())
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

impl<F: Field> Terms<F> {
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

/// The sum of points.
fn sum<F: Field>(points: &[Xy<F>], control: &Control) -> Result<Xy<F>, Failure> {
    let sums = points.par_chunks(Block::<F>::POINTS).map(|chunk| {
        control.check()?;
        let mut points = chunk.to_vec();
        let (mut ends, mut products) = ([points.len() as u32], Vec::new());
        while halve(&mut points, &mut ends, &mut products) {}
        Ok(points[0])
    });
    let sums = sums.collect::<Result<Vec<_>, Failure>>()?;
    match sums.as_slice() {
        [] => Ok(Xy::INFINITY),
        [sum] => Ok(*sum),
        sums => sum(sums, control),
    }
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

impl<F: Field> Windows<F> {
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
        let sums = (0..self.count).into_par_iter().with_max_len(1).map(|window| self.sum_by_digit(window, control));
        let sums = sums.collect::<Result<Vec<_>, Failure>>()?;
        // A few thousand buckets at once: enough for one inversion to be cheap.
        let at_once = (Block::<F>::POINTS / self.buckets()).max(1);
        let weighted = sums.par_chunks(at_once).map(|sums| {
            control.check()?;
            Ok(weigh(sums))
        });
        let weighted = weighted.collect::<Result<Vec<_>, Failure>>()?;
        Ok(combine::<A>(weighted.iter().flatten(), self.bits))
    }

    /// For each digit from one on, the sum of the points that have it in this window.
    fn sum_by_digit(&self, window: usize, control: &Control) -> Result<Vec<Xy<F>>, Failure> {
        control.check()?;
        let (sorted, ends) = self.sort(window);
        let mut sums = vec![Xy::INFINITY; self.buckets()];
        self.fill(&sorted, 0, &ends, &mut sums, control)?;
        Ok(sums)
    }

    /// The numbers of the points with a digit other than zero, sorted by its absolute value: twice the number, plus one
    /// where the digit is negative. And where each digit's end.
    fn sort(&self, window: usize) -> (Zeroizing<Vec<u32>>, Zeroizing<Vec<u32>>) {
        // A counting sort, which needs no comparison and no second copy. Digit d is counted in cell d, which first
        // becomes the place where d begins, and ends as the place where d ends.
        let mut cells = Zeroizing::new(vec![0u32; self.buckets() + 1]);
        for scalar in self.scalars.iter() {
            cells[self.digit(scalar, window).unsigned_abs() as usize] += 1;
        }
        let mut sum = 0;
        for cell in &mut cells[1..] {
            (*cell, sum) = (sum, sum + *cell);
        }
        let mut sorted = Zeroizing::new(vec![0; sum as usize]);
        for (number, scalar) in (0u32..).zip(self.scalars.iter()) {
            let digit = self.digit(scalar, window);
            if digit != 0 {
                let cell = &mut cells[digit.unsigned_abs() as usize];
                sorted[*cell as usize] = 2 * number + u32::from(digit < 0);
                *cell += 1;
            }
        }
        cells.remove(0);
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
fn weigh<F: Field>(windows: &[Vec<Xy<F>>]) -> Vec<Weighted<F>> {
    let mut points = windows.concat();
    let mut buckets = points.len();
    let (mut products, mut levels) = (Vec::new(), 0);
    while buckets > windows.len() {
        let odd: Vec<_> = points[..buckets].iter().skip(1).step_by(2).copied().collect();
        let mut ends = [points.len() as u32];
        halve(&mut points, &mut ends, &mut products);
        points.extend(odd);
        buckets /= 2;
        levels += 1;
    }
    let weighted = (0..windows.len()).map(|window| {
        let odd = (1..=levels).map(|level| points[level * windows.len() + window]).collect();
        Weighted { sum: points[window], odd }
    });
    weighted.collect()
}

/// Puts the windows together, the least first, of these many bits each.
fn combine<'a, A: RawPoint>(
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
