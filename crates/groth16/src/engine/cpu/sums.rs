//! Sums of many points in affine coordinates.
//!
//! An affine addition costs an inversion and three multiplications (λ, λ², and one for y). Additions that do not
//! depend on each other share one inversion by Montgomery's trick (Peter L. Montgomery, "Speeding the Pollard and
//! Elliptic Curve Methods of Factorization", 1987, section 10.3.1), three multiplications each; that makes six where
//! the mixed addition of Jacobian coordinates has eleven. Points that go into one sum are added as a tree, so the
//! additions of one level never depend on each other, whatever the bucket.

use crate::curve::{RawField, RawPoint};

/// A point by its coordinates; (0, 0), which is on no curve with b ≠ 0, is infinity. Smaller than arkworks' point, so
/// more of them fit into a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Xy<F> {
    pub(super) x: F,
    pub(super) y: F,
}

impl<F: RawField> Xy<F> {
    pub(super) const INFINITY: Self = Self { x: F::ZERO, y: F::ZERO };

    pub(super) fn of<A: RawPoint<BaseField = F>>(point: &A) -> Self {
        point.xy().map_or(Self::INFINITY, |(x, y)| Self { x, y })
    }

    pub(super) fn into_point<A: RawPoint<BaseField = F>>(self) -> A {
        if self.is_infinity() { A::zero() } else { A::from_xy_unchecked(self.x, self.y) }
    }

    pub(super) fn negated_if(self, negative: bool) -> Self {
        Self { x: self.x, y: self.y.negated_if(negative) }
    }

    #[inline]
    pub(super) fn is_infinity(&self) -> bool {
        self.x.is_zero() && self.y.is_zero()
    }

    /// What the sum of two points divides by: the run of the line through them, or of the tangent. One where nothing
    /// is divided, because a point or the sum is infinity: a batch of inversions must not have a zero.
    #[inline(always)]
    fn divisor(&self, other: &Self) -> F {
        if self.is_ordinary(other) {
            return other.x.minus(&self.x);
        }
        if self == other && !self.y.is_zero() { self.y.double() } else { F::ONE }
    }

    /// Whether the sum is that of the line through two points.
    #[inline(always)]
    fn is_ordinary(&self, other: &Self) -> bool {
        self.x != other.x && !self.is_infinity() && !other.is_infinity()
    }

    /// The sum of two points; `inverse` is that of [`Xy::divisor`].
    // Products are made in place, and the fresh operand is the borrowed one: a copy of a value whose limbs were just
    // stored one by one is loaded two limbs at once, which has to wait for the stores to reach the cache.
    #[inline(always)]
    fn add(&self, other: &Self, inverse: F) -> Self {
        let mut slope = inverse;
        if self.is_ordinary(other) {
            slope *= &other.y.minus(&self.y);
        } else {
            match self.degenerate_sum(other) {
                Ok(sum) => return sum,
                Err(rise_of_tangent) => slope *= &rise_of_tangent,
            }
        };
        let x = slope.square().minus(&self.x).minus(&other.x);
        slope *= &self.x.minus(&x);
        Self { x, y: slope.minus(&self.y) }
    }

    /// The sum where it needs no division, else the rise of the tangent: the points are equal.
    #[cold]
    fn degenerate_sum(&self, other: &Self) -> Result<Self, F> {
        if self.is_infinity() {
            Ok(*other)
        } else if other.is_infinity() {
            Ok(*self)
        } else if self.y == other.y && !self.y.is_zero() {
            let square = self.x.square();
            Err(square.double() + square)
        } else {
            Ok(Self::INFINITY)
        }
    }
}

/// Halves segments of points: in each segment neighbours are added pairwise, and what is left over stays. `ends` are
/// where the segments end; both are brought up to date. False where no segment had two points.
///
/// `products` is room for the inversion's products; its first element is one.
pub(super) fn halve<F: RawField>(points: &mut Vec<Xy<F>>, ends: &mut [u32], products: &mut Vec<F>) -> bool {
    // From the end, so that the sums can be written from the start: over points that are done with.
    let mut pairs = 0;
    products.resize(points.len() / 2 + 1, F::ONE);
    for segment in (0..ends.len()).rev() {
        let start = if segment == 0 { 0 } else { ends[segment - 1] as usize };
        for pair in points[start..ends[segment] as usize].chunks_exact(2).rev() {
            let (known, new) = products.split_at_mut(pairs + 1);
            new[0] = pair[0].divisor(&pair[1]);
            new[0] *= &known[pairs];
            pairs += 1;
        }
    }
    if pairs == 0 {
        return false;
    }
    // No divisor is zero, unless coordinates are not below q: such a key is refused where keys are checked. Where it
    // was not, its proof is wrong, and found out when it is verified.
    let mut inverse = products[pairs].inverse().unwrap_or(F::ZERO);
    let (mut start, mut written) = (0, 0);
    for end in ends {
        let mut pair = start;
        start = *end as usize;
        while pair + 1 < start {
            let (one, other) = (points[pair], points[pair + 1]);
            pairs -= 1;
            let mut own = products[pairs];
            own *= &inverse;
            inverse *= &one.divisor(&other);
            points[written] = one.add(&other, own);
            written += 1;
            pair += 2;
        }
        if pair < start {
            points[written] = points[pair];
            written += 1;
        }
        *end = written as u32;
    }
    points.truncate(written);
    true
}

/// Points on their way into buckets, a few thousand at once: so many that an inversion is cheap, so few that they stay
/// in the cache.
pub(super) struct Block<F> {
    points: Vec<Xy<F>>,
    ends: Vec<u32>,
    owners: Vec<u32>,
    products: Vec<F>,
}

impl<F: RawField> Block<F> {
    /// Bytes of points in a block: a part of a core's level-2 cache.
    const BYTES: usize = 1 << 18;
    /// Points in a block.
    pub(super) const POINTS: usize = Self::BYTES / size_of::<Xy<F>>();

    pub(super) fn new() -> Self {
        let points = Vec::with_capacity(Self::POINTS);
        Self { points, ends: Vec::new(), owners: Vec::new(), products: vec![F::ONE] }
    }

    /// How many points may still come.
    pub(super) fn room(&self) -> usize {
        Self::POINTS - self.points.len()
    }

    /// Adds a point to the open segment.
    pub(super) fn push(&mut self, point: Xy<F>) {
        self.points.push(point);
    }

    /// Ends the open segment: its sum is for this bucket.
    pub(super) fn close(&mut self, bucket: usize) {
        self.ends.push(self.points.len() as u32);
        self.owners.push(bucket as u32);
    }

    /// Whether no point came since the last [`Block::close`].
    pub(super) fn is_closed(&self) -> bool {
        self.ends.last().map_or(0, |end| *end as usize) == self.points.len()
    }

    /// Writes the sums of all segments into their buckets, and is empty again.
    pub(super) fn sum_into(&mut self, buckets: &mut [Xy<F>]) {
        while halve(&mut self.points, &mut self.ends, &mut self.products) {}
        let mut start = 0;
        for (end, bucket) in self.ends.drain(..).zip(self.owners.drain(..)) {
            buckets[bucket as usize] = if start < end { self.points[start as usize] } else { Xy::INFINITY };
            start = end;
        }
        self.points.clear();
    }
}
