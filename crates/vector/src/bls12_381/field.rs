//! What the two fields of coordinates have in common.

use crate::lanes::{LANES, Lanes, Mask};

/// Eight elements of a field. Products are below 3p in each part, whatever their operands were (up to 2¹⁶p); sums and
/// differences grow, and say by how much.
pub(super) trait Field<L: Lanes>: Copy {
    /// One element in memory.
    type Row: Copy;

    /// 0.
    fn zero() -> Self;
    /// 1.
    fn one() -> Self;
    /// a·b.
    fn mul(&self, other: &Self) -> Self;
    /// a².
    fn square(&self) -> Self;
    /// a + b.
    fn add(&self, other: &Self) -> Self;
    /// a − b + K·p in each part. Takes b ≤ K·p.
    fn sub<const K: u64>(&self, other: &Self) -> Self;
    /// 3a.
    fn triple(&self) -> Self;
    /// 2^A·a − 2^B·b + K·p in each part. Takes 2^B·b ≤ K·p.
    fn difference<const A: u32, const B: u32, const K: u64>(&self, other: &Self) -> Self;
    /// `other` where the mask has a bit.
    fn select(&self, mask: Mask, other: &Self) -> Self;
    /// Lanes that are 0.
    fn is_zero(&self) -> Mask;
    /// The elements of all lanes, to memory.
    fn rows(&self) -> [Self::Row; LANES];
    /// Elements from memory.
    fn from_rows(rows: &[&Self::Row; LANES]) -> Self;
    /// Inverts all, with 0 where an element is 0.
    fn invert_all(elements: &mut [Self]);

    /// a·b and c·d, where that is less than one after the other.
    #[inline(always)]
    fn products(a: &Self, b: &Self, c: &Self, d: &Self) -> [Self; 2] {
        [a.mul(b), c.mul(d)]
    }

    /// a² and b².
    #[inline(always)]
    fn squares(a: &Self, b: &Self) -> [Self; 2] {
        [a.square(), b.square()]
    }

    /// a² and b·c.
    #[inline(always)]
    fn square_and_product(a: &Self, b: &Self, c: &Self) -> [Self; 2] {
        [a.square(), b.mul(c)]
    }

    /// 2a.
    #[inline(always)]
    fn double(&self) -> Self {
        self.add(self)
    }

    /// −a + K·p. Takes a ≤ K·p.
    #[inline(always)]
    fn neg<const K: u64>(&self) -> Self {
        Self::zero().sub::<K>(self)
    }

    /// Lanes in which both are the same. Takes b ≤ 1024p.
    #[inline(always)]
    fn equals(&self, other: &Self) -> Mask {
        self.sub::<1024>(other).is_zero()
    }
}
