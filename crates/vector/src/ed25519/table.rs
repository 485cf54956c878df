//! Multiples of points in memory, in rows that a lane loads on its own.

use std::sync::OnceLock;

use super::field::{Element, inverse, limbs_of};
use super::point::{Affine, Point, Projective};
use crate::lanes::{LANES, Lanes, Mask, Portable, transpose};
use crate::scratch::Words;

/// Words of an affine point: 3 · 5 limbs and one of padding.
pub(super) const AFFINE_WORDS: usize = 16;
/// Words of a projective point: 4 · 5 limbs and four of padding.
const PROJECTIVE_WORDS: usize = 24;

/// Bits of a digit of a point's scalar.
pub(super) const DIGIT_BITS: u32 = 5;
/// Multiples from 0 to 2⁴.
const MULTIPLES: usize = (1 << (DIGIT_BITS - 1)) + 1;

/// An affine point, 128 bytes: y + x, y − x, 2dxy.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct AffineRow(pub(super) [u64; AFFINE_WORDS]);

/// The row of the identity.
pub(super) const IDENTITY_ROW: AffineRow = AffineRow([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/// A projective point, 192 bytes: Y + X, Y − X, 2dT, Z.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct ProjectiveRow([u64; PROJECTIVE_WORDS]);

// SAFETY: an array of words, as long as its alignment asks.
unsafe impl Words for AffineRow {}
// SAFETY: an array of words, as long as its alignment asks.
unsafe impl Words for ProjectiveRow {}

impl ProjectiveRow {
    /// No point: to be filled.
    const ZERO: Self = Self([0; PROJECTIVE_WORDS]);
}

/// Eight words of each row, by column.
#[inline(always)]
fn parts<L: Lanes, const WORDS: usize>(rows: &[&[u64; WORDS]; LANES], number: usize) -> [L; LANES] {
    let mut parts = [&[0; LANES]; LANES];
    for lane in 0..LANES {
        parts[lane] = &rows[lane].as_chunks().0[number];
    }
    L::load_columns(parts)
}

/// A row a lane.
#[inline(always)]
pub(super) fn load_affine<L: Lanes>(rows: [&AffineRow; LANES]) -> Affine<L> {
    let rows = rows.map(|row| &row.0);
    let [a0, a1, a2, a3, a4, b0, b1, b2] = parts(&rows, 0);
    let [b3, b4, c0, c1, c2, c3, c4, _] = parts(&rows, 1);
    Affine {
        sum: Element([a0, a1, a2, a3, a4]),
        difference: Element([b0, b1, b2, b3, b4]),
        product: Element([c0, c1, c2, c3, c4]),
    }
}

/// The rows of eight points.
#[inline(always)]
pub(super) fn store_affine<L: Lanes>(point: &Affine<L>) -> [AffineRow; LANES] {
    let Affine { sum: Element(a), difference: Element(b), product: Element(c) } = *point;
    let first = transpose([a[0], a[1], a[2], a[3], a[4], b[0], b[1], b[2]]);
    let second = transpose([b[3], b[4], c[0], c[1], c[2], c[3], c[4], L::zero()]);
    let mut rows = [AffineRow([0; AFFINE_WORDS]); LANES];
    for lane in 0..LANES {
        let (parts, _) = rows[lane].0.as_chunks_mut::<LANES>();
        first[lane].store(&mut parts[0]);
        second[lane].store(&mut parts[1]);
    }
    rows
}

/// The rows of eight points.
#[inline(always)]
pub(super) fn store_projective<L: Lanes>(point: &Projective<L>) -> [ProjectiveRow; LANES] {
    let (a, b, c, d) = (point.sum.0, point.difference.0, point.product.0, point.z.0);
    let columns = [
        [a[0], a[1], a[2], a[3], a[4], b[0], b[1], b[2]],
        [b[3], b[4], c[0], c[1], c[2], c[3], c[4], d[0]],
        [d[1], d[2], d[3], d[4], L::zero(), L::zero(), L::zero(), L::zero()],
    ];
    let mut rows = [ProjectiveRow::ZERO; LANES];
    for number in 0..columns.len() {
        let transposed = transpose(columns[number]);
        for lane in 0..LANES {
            let (parts, _) = rows[lane].0.as_chunks_mut::<LANES>();
            transposed[lane].store(&mut parts[number]);
        }
    }
    rows
}

/// A row a lane.
#[inline(always)]
pub(super) fn load_projective<L: Lanes>(rows: [&ProjectiveRow; LANES]) -> Projective<L> {
    let rows = rows.map(|row| &row.0);
    let [a0, a1, a2, a3, a4, b0, b1, b2] = parts(&rows, 0);
    let [b3, b4, c0, c1, c2, c3, c4, d0] = parts(&rows, 1);
    let [d1, d2, d3, d4, ..] = parts(&rows, 2);
    Projective {
        sum: Element([a0, a1, a2, a3, a4]),
        difference: Element([b0, b1, b2, b3, b4]),
        product: Element([c0, c1, c2, c3, c4]),
        z: Element([d0, d1, d2, d3, d4]),
    }
}

/// Multiples 0 to 16 of a point a lane: 25.5 KiB.
pub(super) struct Multiples([[ProjectiveRow; MULTIPLES]; LANES]);

impl Multiples {
    pub(super) fn boxed() -> Box<Self> {
        Box::new(Self([[ProjectiveRow([0; PROJECTIVE_WORDS]); MULTIPLES]; LANES]))
    }

    #[inline(always)]
    fn put<L: Lanes>(&mut self, multiple: usize, point: &Projective<L>) {
        let rows = store_projective(point);
        for lane in 0..LANES {
            self.0[lane][multiple] = rows[lane];
        }
    }

    /// Fills the table with the multiples of a point.
    #[inline(never)]
    pub(super) fn fill<L: Lanes>(&mut self, point: &Point<L>) {
        L::enter(
            #[inline(always)]
            || {
                self.put(0, &Point::<L>::identity().to_projective());
                let one = point.to_projective();
                self.put(1, &one);
                let mut sum = point.double();
                for multiple in 2..MULTIPLES {
                    self.put(multiple, &sum.to_projective());
                    sum = sum.add(&one, 0);
                }
            },
        )
    }

    /// The multiple of each lane.
    #[inline(always)]
    pub(super) fn load<L: Lanes>(&self, multiples: L) -> Projective<L> {
        let multiples = multiples.to_array();
        let mut rows = [&self.0[0][0]; LANES];
        for lane in 0..LANES {
            rows[lane] = &self.0[lane][(multiples[lane] as usize).min(MULTIPLES - 1)];
        }
        load_projective(rows)
    }
}

/// Bits of a digit of the base point's scalar.
pub(super) const BASE_DIGIT_BITS: u32 = 10;
const BASE_MULTIPLES: usize = (1 << (BASE_DIGIT_BITS - 1)) + 1;

/// Multiples 0 to 512 of the base point: 64 KiB.
pub(super) struct BaseMultiples(Vec<AffineRow>);

impl BaseMultiples {
    /// The table, made on first use in about a millisecond.
    pub(super) fn get() -> &'static Self {
        static TABLE: OnceLock<BaseMultiples> = OnceLock::new();
        TABLE.get_or_init(|| Self(base_multiples::<Portable>()))
    }

    /// The multiple of each lane.
    #[inline(always)]
    pub(super) fn load<L: Lanes>(&self, multiples: L) -> Affine<L> {
        let rows: &[AffineRow; BASE_MULTIPLES] = self.0[..].try_into().expect("all multiples");
        let multiples = multiples.to_array();
        load_affine(multiples.map(|multiple| &rows[(multiple as usize).min(BASE_MULTIPLES - 1)]))
    }
}

/// The base point: y = 4/5, x even.
pub(super) fn base<L: Lanes>() -> (Element<L>, Element<L>) {
    const X: [u64; 5] =
        limbs_of([0xc956_2d60_8f25_d51a, 0x692c_c760_9525_a7b2, 0xc0a4_e231_fdd6_dc5c, 0x2169_36d3_cd6e_53fe]);
    const Y: [u64; 5] =
        limbs_of([0x6666_6666_6666_6658, 0x6666_6666_6666_6666, 0x6666_6666_6666_6666, 0x6666_6666_6666_6666]);
    (Element::splat(X), Element::splat(Y))
}

fn base_multiples<L: Lanes>() -> Vec<AffineRow> {
    let (x, y) = base::<L>();
    let one = Affine::of(&x, &y);
    // Lane i starts at i + 1 times the base point, and each step adds eight times.
    let mut eight = Point::of_affine(x, y);
    for _ in 0..3 {
        eight = eight.double();
    }
    let eight = eight.to_projective();
    let mut start = Point::of_affine(x, y);
    for lane in 1..LANES {
        let lanes_from_here = Mask::MAX << lane;
        start = start.blend(lanes_from_here, &start.add_affine(&one, 0));
    }
    let mut rows = vec![IDENTITY_ROW];
    while rows.len() < BASE_MULTIPLES {
        let (x, y, z) = (start.e.mul(&start.f), start.g.mul(&start.h), start.f.mul(&start.g));
        let inverse = inverse(&z);
        rows.extend(store_affine(&Affine::of(&x.mul(&inverse), &y.mul(&inverse))));
        start = start.add(&eight, 0);
    }
    rows
}
