//! \[S\]B − \[k\]A for one signature a lane, by signed windows over one chain of doublings.

use super::field::{Element, inverse, words_of_bytes};
use super::point::Point;
use super::scalar::Scalar;
use super::table::{BASE_DIGIT_BITS, BaseMultiples, DIGIT_BITS, Multiples};
use crate::lanes::{LANES, Lanes, Mask, transpose};

/// The numbers of one group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scalars<L> {
    /// Digits of S.
    s: [L; 6],
    /// Digits of k.
    k: [L; 6],
}

impl<L: Lanes> Scalars<L> {
    /// Of the bytes of S, below 2²⁵³, and of hashes of which k is the remainder mod L.
    #[inline(never)]
    pub(super) fn new(s: &[&[u8; 32]; LANES], hashes: &[&[u8; 64]; LANES]) -> Self {
        L::enter(
            #[inline(always)]
            || {
                let s = Scalar::<L>::of_words(&words_of_bytes(s));
                let k = Scalar::of_wide_words(&words_of_hashes(hashes));
                Self { s: s.digits::<BASE_DIGIT_BITS>(), k: k.digits::<DIGIT_BITS>() }
            },
        )
    }
}

#[inline(always)]
pub(super) fn words_of_hashes<L: Lanes>(hashes: &[&[u8; 64]; LANES]) -> [L; 8] {
    let mut rows = [L::zero(); LANES];
    for (row, hash) in rows.iter_mut().zip(hashes) {
        let (words, _) = hash.as_chunks::<8>();
        let mut loaded = [0; LANES];
        for (word, bytes) in loaded.iter_mut().zip(words) {
            *word = u64::from_le_bytes(*bytes);
        }
        *row = L::load(&loaded);
    }
    transpose(rows)
}

/// The size of a signed digit and where it is negative, of the `width` bits at `shift`.
#[inline(always)]
fn digit<L: Lanes>(limb: L, shift: u32, width: u32) -> (L, Mask) {
    let raw = limb.shr_by(L::splat(u64::from(shift))).and(L::splat((1 << width) - 1));
    let half = L::splat(1 << (width - 1));
    let is_negative = raw.lt(half);
    (raw.sub(half).blend(is_negative, half.sub(raw)), is_negative)
}

/// \[S\]B + \[k\]P, where the table has the multiples of P.
#[inline(never)]
pub(super) fn combination<L: Lanes>(scalars: &Scalars<L>, multiples: &Multiples, base: &BaseMultiples) -> Point<L> {
    L::enter(
        #[inline(always)]
        || {
            let mut sum = Point::identity();
            let mut window = 51;
            while window > 0 {
                window -= 1;
                let (limb, place) = (window / 10, (window % 10) as u32);
                if window < 50 {
                    for _ in 0..DIGIT_BITS {
                        sum = sum.double();
                    }
                }
                let (multiple, is_negative) = digit(scalars.k[limb], place * DIGIT_BITS, DIGIT_BITS);
                sum = sum.add(&multiples.load(multiple), is_negative);
                if place % 2 == 0 {
                    let (multiple, is_negative) = digit(scalars.s[limb], place / 2 * BASE_DIGIT_BITS, BASE_DIGIT_BITS);
                    sum = sum.add_affine(&base.load(multiple), is_negative);
                }
            }
            sum
        },
    )
}

/// A point in coordinates that wait for the inverse of Z.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting<L> {
    x: Element<L>,
    y: Element<L>,
    z: Element<L>,
    /// The product of all Z before this one.
    before: Element<L>,
}

/// Points whose Z are inverted together.
pub(super) struct WaitingRoom<L> {
    points: Vec<Waiting<L>>,
    product: Element<L>,
}

impl<L: Lanes> WaitingRoom<L> {
    pub(super) fn with_capacity(groups: usize) -> Self {
        Self { points: Vec::with_capacity(groups), product: Element::one() }
    }

    #[inline(always)]
    pub(super) fn push(&mut self, point: &Point<L>) {
        let z = point.f.mul(&point.g);
        self.points.push(Waiting { x: point.e.mul(&point.f), y: point.g.mul(&point.h), z, before: self.product });
        self.product = self.product.mul(&z);
    }

    /// Inverts the product; points can be taken out from now on.
    #[inline(always)]
    pub(super) fn close(&mut self) {
        self.product = inverse(&self.product);
    }

    /// The canonical coordinates of the last point.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<(Element<L>, Element<L>)> {
        let point = self.points.pop()?;
        let inverse = self.product.mul(&point.before);
        self.product = self.product.mul(&point.z);
        Some((point.x.mul(&inverse).canonical(), point.y.mul(&inverse).canonical()))
    }
}
