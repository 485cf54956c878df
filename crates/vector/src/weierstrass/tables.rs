//! Points of which much is known beforehand: tables with which a product needs no doubling.
//!
//! A scalar of 256 bits is 32 signed odd digits of 8 bits. For each place i the table holds the odd multiples of
//! 2^(8·i)·Q up to 255: 4,096 points of 64 bytes, 256 KiB, and a product is 31 additions.

use std::fmt::Debug;
use std::marker::PhantomData;

use super::digits::Digit;
use super::multiples::Packed;
use crate::Unit;
use crate::lanes::LANES;

/// Bits of a digit. One less would save 40 % of the table and cost 5 more additions of 32.
pub(crate) const WIDTH: usize = 8;
/// Digits of a scalar.
pub(crate) const PLACES: usize = 256 / WIDTH;
/// Odd multiples at each place.
pub(crate) const MULTIPLES: usize = 1 << (WIDTH - 1);

/// A curve whose points get tables.
pub trait Tabled: Copy + Debug + Send + Sync + 'static {
    /// The rows of a point's table, multiple j of place i at `MULTIPLES`·i + j; `None` where a coordinate is not
    /// below p or the point is off the curve. The same on all units.
    fn rows(unit: Unit, point: [[u64; 4]; 2]) -> Option<Vec<Packed>>;
}

/// A key's multiples, with which its signatures are verified several times as fast: 256 KiB. Making it takes some
/// 160 µs, on secp256k1 350 µs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<C> {
    rows: Box<[Packed]>,
    y_is_odd: bool,
    checksum: u64,
    curve: PhantomData<C>,
}

impl<C: Tabled> Table<C> {
    /// The table of a key; `None` where a coordinate is not below p or the point is off the curve.
    pub fn new(x: [u64; 4], y: [u64; 4]) -> Option<Self> {
        Self::on(Unit::detect().unwrap_or(Unit::PORTABLE), [x, y])
    }

    /// As [`Table::new`], made on a unit: it is the same table.
    pub(crate) fn on(unit: Unit, point: [[u64; 4]; 2]) -> Option<Self> {
        let rows = C::rows(unit, point)?.into_boxed_slice();
        let (checksum, y_is_odd) = (checksum(&rows), point[1][0] & 1 == 1);
        Some(Self { rows, y_is_odd, checksum, curve: PhantomData })
    }
}

impl<C> Table<C> {
    /// Bytes of memory that it takes.
    pub const fn bytes(&self) -> usize {
        std::mem::size_of_val::<[Packed]>(&self.rows) + std::mem::size_of::<Self>()
    }

    /// Whether its content is still what was computed.
    pub fn is_intact(&self) -> bool {
        checksum(&self.rows) == self.checksum
    }

    /// Whether the point's y is odd.
    pub(crate) fn y_is_odd(&self) -> bool {
        self.y_is_odd
    }

    /// Any row.
    pub(crate) fn first_row(&self) -> &Packed {
        &self.rows[0]
    }

    /// The row that a lane's digit at a place picks.
    #[inline(always)]
    pub(crate) fn row(&self, place: usize, digit: &Digit, lane: usize) -> &Packed {
        &self.rows[place * MULTIPLES + digit.indices[lane] as usize % MULTIPLES]
    }
}

/// Sums of words turned by their place: any changed bit, and any two rows exchanged, change it.
fn checksum(rows: &[Packed]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut sums = [FACTOR; LANES];
    for row in rows {
        for (sum, word) in sums.iter_mut().zip(row.0) {
            *sum = (*sum ^ word).wrapping_mul(FACTOR).rotate_left(29);
        }
    }
    sums.iter().fold(0, |sum, word| (sum ^ word).wrapping_mul(FACTOR).rotate_left(29))
}

#[cfg(test)]
mod tests;
