//! From encodings to points: y with the sign of x in its top bit, y taken mod p, the sign of x = 0 ignored.

use super::field::{Element, limbs_of, power_of_roots, words_of_bytes};
use super::point::D;
use crate::lanes::{LANES, Lanes, Mask};

/// √−1.
const ROOT_OF_MINUS_ONE: [u64; 5] =
    limbs_of([0xc4ee_1b27_4a0e_a0b0, 0x2f43_1806_ad2f_e478, 0x2b4d_0099_3dfb_d7a7, 0x2b83_2480_4fc1_df0b]);

/// y of the points of order 8, up to sign, little-endian.
const Y_OF_ORDER_8: [u64; 4] =
    [0xb027_b2c2_8f95_e826, 0xf098_eff2_89f4_c345, 0x3933_c6d3_05ac_dfd5, 0x05fc_536d_8802_38b1];
/// p, little-endian.
const P: [u64; 4] = [0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, u64::MAX >> 1];

/// Points of one group of lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decoded<L> {
    pub(super) x: Element<L>,
    pub(super) y: Element<L>,
    /// Lanes whose encoding is of a point. The others have the identity.
    pub(super) is_point: Mask,
}

/// Whether y of an encoding, mod p, is that of a point P with \[8\]P = 0. Where the encoding is of a point, this
/// says whether that point has small order.
pub fn has_small_order(encoding: &[u8; 32]) -> bool {
    let (words, _) = encoding.as_chunks::<8>();
    let mut y: [u64; 4] = std::array::from_fn(|i| u64::from_le_bytes(words[i]));
    y[3] &= u64::MAX >> 1;
    let [low, p_low] = [y[0], P[0]];
    let above = y[1..] == P[1..] && low >= p_low;
    if above {
        y = [low - p_low, 0, 0, 0];
    }
    // ±y8, 1, −1 and 0.
    y == Y_OF_ORDER_8 || y == negative(Y_OF_ORDER_8) || y == [1, 0, 0, 0] || y == negative([1, 0, 0, 0]) || y == [0; 4]
}

/// p − y, of 0 < y < p.
const fn negative(y: [u64; 4]) -> [u64; 4] {
    let mut result = [0; 4];
    let mut borrow = false;
    let mut i = 0;
    while i < 4 {
        let (difference, first) = P[i].overflowing_sub(y[i]);
        let (difference, second) = difference.overflowing_sub(borrow as u64);
        result[i] = difference;
        borrow = first || second;
        i += 1;
    }
    result
}

/// Decodes `N` groups of lanes, whose long chains of squares run interleaved.
#[inline(never)]
pub(super) fn decode<L: Lanes, const N: usize>(groups: &[[&[u8; 32]; LANES]; N]) -> [Decoded<L>; N] {
    L::enter(
        #[inline(always)]
        || {
            let mut signs = [0; N];
            let mut y = [Element::zero(); N];
            for n in 0..N {
                let words = words_of_bytes::<L>(&groups[n]);
                signs[n] = words[3].test(L::splat(1 << 63));
                y[n] = Element::from_words(words);
            }
            // x² = (y² − 1)/(dy² + 1) =: u/v, and (u·v³)·(u·v⁷)^((p − 5)/8) is a root of ±u/v or of ±√−1·u/v.
            let one = Element::<L>::one();
            let mut parts = [[Element::<L>::zero(); 3]; N];
            let mut bases = [Element::zero(); N];
            for n in 0..N {
                let yy = y[n].square();
                let u = yy.columns().minus(one.columns()).carry();
                let v = yy.times(&Element::splat(D)).plus(one.columns()).carry();
                let v3 = v.square().mul(&v);
                let uv3 = u.mul(&v3);
                bases[n] = uv3.mul(&v3.mul(&v));
                parts[n] = [u, v, uv3];
            }
            let powers = power_of_roots(&bases);
            let mut decoded = [Decoded { x: one, y: one, is_point: 0 }; N];
            for n in 0..N {
                let [u, v, uv3] = parts[n];
                decoded[n] = finish(u, v, uv3.mul(&powers[n]), y[n], signs[n]);
            }
            decoded
        },
    )
}

/// Chooses the root and its sign.
#[inline(always)]
fn finish<L: Lanes>(u: Element<L>, v: Element<L>, root: Element<L>, y: Element<L>, sign: Mask) -> Decoded<L> {
    let vxx = root.square().times(&v);
    let is_root = vxx.minus(u.columns()).carry().is_zero();
    let is_root_of_minus = vxx.plus(u.columns()).carry().is_zero();
    let x = root.blend(!is_root, &root.mul(&Element::splat(ROOT_OF_MINUS_ONE)));
    let is_point = is_root | is_root_of_minus;
    let x = x.blend(x.is_odd() ^ sign, &x.negative());
    Decoded { x: x.blend(!is_point, &Element::zero()), y: y.blend(!is_point, &Element::one()), is_point }
}
