//! Multi-scalar multiplication: Σ kᵢ·Pᵢ over many points of a curve y² = x³ + b.
//!
//! **How.** Pippenger's buckets with signed digits. Scalars are sorted out first, for those of circuits are mostly
//! small: zeros are left out, points with a one are summed apart, and a scalar above r/2 counts as r minus it with the
//! negated point. Of each window the points are sorted by digit; lists of points of about the same length are summed
//! eight at a time, one a lane, as trees of affine additions that share their inversions (`sums.rs`); and the sums
//! are weighted with their digits by halving (`weighing.rs`).
//!
//! **Multiples.** Of bases that are multiplied again and again 2^s, 2^2s, … times each may be kept as well
//! ([`Bases::prepare_with`]). Windows that are s bits apart then share their buckets, so that there are less buckets to
//! weigh, and windows may be longer. That pays for some ten thousand points; for more of them memory is too slow.
//!
//! **Parts.** An [`Msm`] is made of [`Msm::parts`] that any threads may sum in any order ([`Msm::sum_part`]); what they
//! give is put together by [`Msm::finish`].
//!
//! **Secrets.** What is derived from scalars is in memory that is overwritten before it is given back, but for sums.

pub(crate) mod finishing;
pub(crate) mod lists;
pub(crate) mod multiples;
mod scalars;
pub(crate) mod sums;
pub(crate) mod weighing;

use std::fmt;
use std::fmt::Debug;
use std::ops::ControlFlow;

use crate::lanes::{LANES, Lanes, Mask};
use crate::scratch::{Scratch, Words};
use crate::unit::Unit;
use crate::weierstrass::inversion::Invertible;
use lists::{Lists, Shares};
use multiples::Multiples;
use scalars::{Digits, Terms};

/// A curve whose points can be summed: those that this crate knows.
#[expect(private_bounds, reason = "curves are those of this crate")]
pub trait Curve: Copy + Debug + Send + Sync + 'static {
    /// A coordinate: little-endian words of a number below p, in Montgomery's form with R = 2²⁵⁶ for words of 256 bits and
    /// 2³⁸⁴ for those of 384.
    type Number: Copy + Debug + Default + PartialEq + Send + Sync;
    /// A point in memory.
    #[doc(hidden)]
    type Row: Words + Debug + Default + Send + Sync;
    /// Coordinates in lanes.
    #[doc(hidden)]
    type Coordinate<L: Lanes>: Coordinate<L, Row = Self::Row, Number = Self::Number>;
    /// The order of the group, which is odd: at most 255 bits, so that half of it, with the carry of signed digits, fits
    /// windows of 255 bits.
    #[doc(hidden)]
    const ORDER: [u64; 4];

    #[doc(hidden)]
    fn pack(unit: Unit, points: &[[Self::Number; 2]; LANES], present: Mask) -> [Self::Row; LANES];
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "curves are those of this crate")]
    fn sum_lists(
        unit: Unit,
        points: &[Self::Row],
        lists: Lists,
        asked: &mut Check<'_>,
    ) -> Result<Scratch<Self::Row>, Stopped>;
    #[doc(hidden)]
    fn doubled(unit: Unit, points: &[Self::Row], times: usize) -> Vec<Self::Row>;
    #[doc(hidden)]
    fn weigh(unit: Unit, buckets: &[Self::Row], windows: usize) -> Vec<Self::Row>;
    #[doc(hidden)]
    fn finish(unit: Unit, sums: &[(usize, Self::Row)]) -> Option<[Self::Number; 2]>;
}

/// The functions over lanes of a [`Curve`]: in its implementation, which is not generic, so that they are compiled with
/// this crate, and not where a multiplication is asked for.
macro_rules! in_lanes {
    () => {
        fn pack(
            unit: $crate::Unit,
            points: &[[Self::Number; 2]; $crate::lanes::LANES],
            present: $crate::lanes::Mask,
        ) -> [Self::Row; $crate::lanes::LANES] {
            $crate::unit::on_lanes!(unit, L => $crate::msm::pack::<L, Self>(points, present))
        }

        #[expect(private_interfaces, reason = "curves are those of this crate")]
        fn sum_lists(
            unit: $crate::Unit,
            points: &[Self::Row],
            lists: $crate::msm::lists::Lists,
            asked: &mut $crate::msm::Check<'_>,
        ) -> Result<$crate::scratch::Scratch<Self::Row>, $crate::msm::Stopped> {
            $crate::unit::on_lanes!(unit, L => $crate::msm::sums::sum_lists::<L, Self>(points, lists, asked))
        }

        fn doubled(unit: $crate::Unit, points: &[Self::Row], times: usize) -> Vec<Self::Row> {
            $crate::unit::on_lanes!(unit, L => $crate::msm::multiples::doubled::<L, Self>(points, times))
        }

        fn weigh(unit: $crate::Unit, buckets: &[Self::Row], windows: usize) -> Vec<Self::Row> {
            $crate::unit::on_lanes!(unit, L => $crate::msm::weighing::weigh::<L, Self>(buckets, windows))
        }

        fn finish(unit: $crate::Unit, sums: &[(usize, Self::Row)]) -> Option<[Self::Number; 2]> {
            $crate::unit::on_lanes!(unit, L => $crate::msm::finishing::finish::<L, Self>(sums))
        }
    };
}

pub(crate) use in_lanes;

/// A coordinate of eight points. Points have coordinates that are *settled*: below a bound of the field's own, which
/// sums and differences of two or three of them, and products of those, keep to what multiplications take.
pub(crate) trait Coordinate<L: Lanes>: Invertible + Words {
    type Row;
    type Number;

    fn zero() -> Self;
    fn one() -> Self;
    /// The coordinates of a point a lane, below p, negated in the lanes of the mask; and the lanes that are infinity, where both
    /// are 0.
    fn load(rows: [&Self::Row; LANES], negative: Mask) -> (Self, Self, Mask);
    /// The opposite, of settled coordinates.
    fn store(x: &Self, y: &Self) -> [Self::Row; LANES];
    /// Settled.
    fn from_numbers(numbers: &[Self::Number; LANES]) -> Self;
    fn to_numbers(&self) -> [Self::Number; LANES];
    /// a·b. Takes sums and differences of two.
    fn product(&self, other: &Self) -> Self;
    /// a². Takes products and settled numbers.
    fn squared(&self) -> Self;
    fn sum(&self, other: &Self) -> Self;
    /// a − b, of a settled number b.
    fn minus(&self, other: &Self) -> Self;
    /// a − 2x − `run`, settled, of a product, a settled number, and a difference of settled ones.
    fn settled_x(&self, x: &Self, run: &Self) -> Self;
    /// a − b, settled.
    fn settled_minus(&self, other: &Self) -> Self;
    /// A settled number, below p.
    fn least(&self) -> Self;
    /// Lanes in which all words are 0: of coordinates that stand for infinity.
    fn is_nought(&self) -> Mask;
    /// Lanes that are 0.
    fn is_zero(&self) -> Mask;
    /// `other` in the lanes of the mask.
    fn blend(&self, mask: Mask, other: &Self) -> Self;
}

/// How multiplications are cut: values of a hardware profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Digits that a part sums: so many that inversions are shared by enough additions, and so few that what it sorts
    /// stays in the second cache.
    pub digits_at_once: usize,
    /// Bits of a window at most, 4 to 18: how many is computed from the scalars, and the buckets of longer windows leave
    /// the caches.
    pub window_bits_max: usize,
}

impl Default for Cut {
    fn default() -> Self {
        Self { digits_at_once: 1 << 16, window_bits_max: 18 }
    }
}

/// Points to be multiplied, as they lie in lanes: as many bytes as their coordinates, and one point more.
pub struct Bases<C: Curve> {
    /// The points, then all of them times 2^spacing, and so on; after them infinity.
    rows: Vec<C::Row>,
    count: usize,
    multiples: Multiples,
}

impl<C: Curve> Debug for Bases<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bases").field("count", &self.count).field("multiples", &self.multiples).finish_non_exhaustive()
    }
}

impl<C: Curve> Bases<C> {
    /// From x and y of each point; `None` for infinity. Points must be on the curve.
    ///
    /// # Panics
    /// Where there are 2³¹ or more.
    pub fn prepare(unit: Unit, count: usize, point: impl Fn(usize) -> Option<[C::Number; 2]>) -> Self {
        Self::prepare_with(unit, count, 1, Cut::default(), point)
    }

    /// As [`Bases::prepare`], and up to `most` multiples of each point, itself included, where multiplications gain
    /// by them: [`Bases::memory_bytes`] becomes up to `most` times as much. Some 5 µs a point of G1, and thrice that of G2.
    ///
    /// # Panics
    /// Where there are 2³¹ or more.
    pub fn prepare_with(
        unit: Unit,
        count: usize,
        most: usize,
        cut: Cut,
        point: impl Fn(usize) -> Option<[C::Number; 2]>,
    ) -> Self {
        let multiples = Multiples::best(count, most, cut, &C::ORDER, size_of::<C::Row>());
        let all = count.checked_mul(multiples.count).filter(|all| *all < 1 << 31);
        let mut rows = Vec::with_capacity(1 + all.expect("not too many points for one multiplication"));
        let mut start = 0;
        while start < count {
            let points: [_; LANES] =
                std::array::from_fn(|lane| if start + lane < count { point(start + lane) } else { None });
            let present = (0..LANES).fold(0, |mask, lane| mask | Mask::from(points[lane].is_some()) << lane);
            let points = points.map(Option::unwrap_or_default);
            let packed = C::pack(unit, &points, present);
            rows.extend_from_slice(&packed[..LANES.min(count - start)]);
            start += LANES;
        }
        for multiple in 1..multiples.count {
            let next = C::doubled(unit, &rows[(multiple - 1) * count..], multiples.spacing);
            rows.extend_from_slice(&next);
        }
        rows.push(C::Row::default());
        Self { rows, count, multiples }
    }

    /// How many points there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many multiples of each point there are, itself included.
    pub fn multiples(&self) -> usize {
        self.multiples.count
    }

    /// Bytes of memory.
    pub fn memory_bytes(&self) -> usize {
        size_of_val(&*self.rows)
    }
}

#[inline(never)]
pub(crate) fn pack<L: Lanes, C: Curve>(points: &[[C::Number; 2]; LANES], present: Mask) -> [C::Row; LANES] {
    L::enter(
        #[inline(always)]
        || {
            let zero = C::Coordinate::<L>::zero();
            let x = C::Coordinate::<L>::from_numbers(&points.map(|[x, _]| x));
            let y = C::Coordinate::<L>::from_numbers(&points.map(|[_, y]| y));
            C::Coordinate::store(&zero.blend(present, &x), &zero.blend(present, &y))
        },
    )
}

/// The work was stopped by who asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Asked now and then, some thousands of additions apart, whether to go on.
pub type Check<'a> = &'a mut dyn FnMut() -> ControlFlow<()>;

fn check(asked: &mut Check<'_>) -> Result<(), Stopped> {
    if asked().is_break() { Err(Stopped) } else { Ok(()) }
}

/// A multiplication, cut into parts.
pub struct Msm<'a, C: Curve> {
    unit: Unit,
    bases: &'a Bases<C>,
    terms: Terms,
    digits: Digits,
    shares: Shares,
}

impl<C: Curve> Debug for Msm<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Msm").field("unit", &self.unit).field("bases", &self.bases).finish_non_exhaustive()
    }
}

/// The sum of a part: sums that are still to be doubled some times.
#[derive(Clone, Debug)]
pub struct Part<C: Curve> {
    /// Each is to be multiplied by 2 to the power of its number.
    sums: Vec<(usize, C::Row)>,
}

impl<'a, C: Curve> Msm<'a, C> {
    /// Σ scalar·base, of scalars below the order of the group: four little-endian words each, not in Montgomery's form.
    /// None where there are not as many scalars as bases, or one is not below the order.
    ///
    /// `threads`: how many will sum parts.
    pub fn new(unit: Unit, bases: &'a Bases<C>, scalars: &[[u64; 4]], threads: usize) -> Option<Self> {
        if bases.count() != scalars.len() {
            return None;
        }
        let mut terms = Terms::sort_out(scalars, &C::ORDER)?;
        let digits = terms.cut(&bases.multiples);
        let shares = Shares::new(&digits, threads.max(1), bases.multiples.cut);
        Some(Self { unit, bases, terms, digits, shares })
    }

    /// How many parts there are.
    pub fn parts(&self) -> usize {
        1 + self.shares.count()
    }

    /// About how much a part is, in additions of points of G1 of BN254: some 20 ns each.
    ///
    /// # Panics
    /// Where there is no such part.
    pub fn cost(&self, part: usize) -> usize {
        let additions = if part == 0 {
            self.terms.ones.0.len()
        } else {
            let [sets, multiples] = self.shares.part(part - 1);
            sets.len() * (multiples.len() * self.digits.count() + (1 << self.digits.bits))
        };
        // A product takes about as long as the square of its length, and three times that over a quadratic field.
        match size_of::<C::Row>() {
            ..65 => additions,
            65..97 => additions * 5 / 2,
            97..129 => additions * 3,
            _ => additions * 7,
        }
    }

    /// Sums a part.
    ///
    /// # Errors
    /// [`Stopped`] where `asked` said so.
    ///
    /// # Panics
    /// Where there is no such part.
    pub fn sum_part(&self, part: usize, mut asked: Check<'_>) -> Result<Part<C>, Stopped> {
        check(&mut asked)?;
        if part == 0 {
            let lists = Lists::of_ones(&self.terms.ones);
            let sums = C::sum_lists(self.unit, &self.bases.rows, lists, &mut asked)?;
            return Ok(Part { sums: vec![(0, sums[0])] });
        }
        let [sets, multiples] = self.shares.part(part - 1);
        let lists = Lists::of_windows(&self.digits, sets.clone(), multiples, self.bases.count);
        let buckets = C::sum_lists(self.unit, &self.bases.rows, lists, &mut asked)?;
        check(&mut asked)?;
        let bits = self.digits.bits;
        let weighed = C::weigh(self.unit, &buckets, sets.len());
        let of_set = weighed.len() / sets.len();
        let sums = weighed.iter().enumerate().map(|(i, sum)| {
            let (set, power) = (i / of_set, i % of_set);
            // The first is the sum of all, the others those of the digits that are odd at a bit.
            ((sets.start + set) * bits + power.saturating_sub(1), *sum)
        });
        Ok(Part { sums: sums.collect() })
    }

    /// The sum of all parts: x and y, or `None` where it is infinity.
    pub fn finish(&self, parts: &[Part<C>]) -> Option<[C::Number; 2]> {
        let mut sums: Vec<_> = parts.iter().flat_map(|part| &part.sums).copied().collect();
        sums.sort_by_key(|(power, _)| std::cmp::Reverse(*power));
        C::finish(self.unit, &sums)
    }
}

/// Σ scalar·base by this thread alone; see [`Msm`].
///
/// # Errors
/// [`Stopped`] where `asked` said so.
///
/// # Panics
/// Where [`Msm::new`] gives nothing.
pub fn msm<C: Curve>(
    unit: Unit,
    bases: &Bases<C>,
    scalars: &[[u64; 4]],
    asked: Check<'_>,
) -> Result<Option<[C::Number; 2]>, Stopped> {
    let msm = Msm::new(unit, bases, scalars, 1).expect("as many scalars as bases, all below the order");
    let mut parts = Vec::with_capacity(msm.parts());
    for part in 0..msm.parts() {
        parts.push(msm.sum_part(part, asked)?);
    }
    Ok(msm.finish(&parts))
}

#[cfg(test)]
mod tests;
