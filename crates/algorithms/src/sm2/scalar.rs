//! Numbers modulo n, the order of SM2's group, and their signed digits. Verification only adds and subtracts
//! them: no multiplication, no inversion.

use super::field::{add_limbs, is_below, limbs, sub_limbs};

/// n.
pub(super) const ORDER: [u64; 4] =
    [0x53bb_f409_39d5_4123, 0x7203_df6b_21c6_052b, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff];

/// A number below n, four limbs, least significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scalar([u64; 4]);

impl Scalar {
    /// The number of 32 big-endian bytes; `None` where it is not in 1..n.
    pub(super) fn decode_nonzero(bytes: &[u8; 32]) -> Option<Self> {
        let limbs = limbs(bytes);
        (limbs != [0; 4] && is_below(&limbs, &ORDER)).then_some(Self(limbs))
    }

    /// The number of 32 big-endian bytes modulo n. One subtraction is enough: 2^256 < 2n.
    pub(super) fn reduce(bytes: &[u8; 32]) -> Self {
        Self(subtract_order_once(limbs(bytes), false))
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let (sum, carry) = add_limbs(&self.0, &other.0);
        Self(subtract_order_once(sum, carry))
    }

    pub(super) fn sub(&self, other: &Self) -> Self {
        let (difference, borrow) = sub_limbs(&self.0, &other.0);
        Self(if borrow { add_limbs(&difference, &ORDER).0 } else { difference })
    }

    /// The number itself, and the number plus n where that is below 2^256: what it can stand for.
    pub(super) fn representatives(&self) -> [Option<[u64; 4]>; 2] {
        let (next, carry) = add_limbs(&self.0, &ORDER);
        [Some(self.0), (!carry).then_some(next)]
    }

    /// Signed digits d_i with Σ d_i·2^i equal to the number: each is 0 or odd with |d_i| < 2^(width − 1), and of
    /// `width` neighbours at most one is not 0. Widths of 2 to 15.
    pub(super) fn signed_digits(&self, width: usize) -> [i16; DIGITS] {
        let mut digits = [0; DIGITS];
        let (mut carry, mut position) = (0, 0);
        while position < DIGITS {
            if self.bits(position, 1) == carry {
                position += 1;
                continue;
            }
            // Odd, since the lowest bit and the carry differ. Bit 256 is 0, so the last window leaves no carry.
            let window = self.bits(position, width) + carry;
            carry = window >> (width - 1);
            digits[position] = (i32::from(window) - (i32::from(carry) << width)) as i16;
            position += width;
        }
        digits
    }

    /// `count` bits from `position` on, up to 15; bits past the top are 0.
    fn bits(&self, position: usize, count: usize) -> u16 {
        let (limb, shift) = (position / 64, position % 64);
        let low = self.0.get(limb).map_or(0, |limb| limb >> shift);
        let high = if shift == 0 { 0 } else { self.0.get(limb + 1).map_or(0, |limb| limb << (64 - shift)) };
        ((low | high) & ((1 << count) - 1)) as u16
    }
}

/// Digits of a number below 2^256: one more than bits, for the last carry.
pub(super) const DIGITS: usize = 257;

/// carry·2^256 + t, less n where it is not below n; for numbers below 2n.
fn subtract_order_once(t: [u64; 4], carry: bool) -> [u64; 4] {
    let (difference, borrow) = sub_limbs(&t, &ORDER);
    if borrow && !carry { t } else { difference }
}
