//! Odd multiples of a point, made affine and packed: 64 bytes a multiple, a cache line.

use super::Curve;
use super::field::Element;
use super::point::{self, Affine, Point};
use crate::lanes::{LANES, Lanes, transpose};
use crate::radix52;
use crate::scratch::Words;

/// Two coordinates of an affine point, below p, as four words each: a cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(64))]
pub struct Packed(pub(crate) [u64; 8]);

/// A multiple on its way: over a Z of its own, of which only the ratio to the Z of the multiple before is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Multiple<C, L> {
    x: Element<C, L>,
    y: Element<C, L>,
    ratio: Element<C, L>,
}

// SAFETY: an array of words.
unsafe impl Words for Packed {}

// SAFETY: three elements, which are arrays of lanes.
unsafe impl<C: Curve, L: Lanes> Words for Multiple<C, L> {}

impl<C: Curve, L: Lanes> Multiple<C, L> {
    /// A place to be filled.
    #[inline(always)]
    pub(crate) fn empty() -> Self {
        Self { x: Element::one(), y: Element::one(), ratio: Element::one() }
    }
}

/// Fills `multiples` with P, 3P, 5P … and returns the Z of the last (below 2p), which is 0 nowhere if P is a point of
/// prime order above twice their number. Co-Z addition (Meloni 2007): 5 multiplications, 2 squarings a multiple.
#[inline(never)]
pub(crate) fn odd_multiples<C: Curve, L: Lanes>(
    point: &Affine<C, L>,
    multiples: &mut [Multiple<C, L>],
) -> Element<C, L> {
    L::enter(
        #[inline(always)]
        || {
            let Affine { x, y } = *point;
            let mut double = [Point { x, y, z: Element::one() }];
            point::double(&mut double);
            let [double] = double;
            let twice_y_squared = y.square().doubled().carry(); // < 2.2p
            // P over the Z of 2P, which is 2y: x·4y² and y·8y³ = 8y⁴.
            let mut last_x = x.mul(&twice_y_squared).doubled().fold();
            let mut last_y = twice_y_squared.square().doubled().fold();
            let (mut step_x, mut step_y) = (double.x, double.y);
            let mut z = double.z; // < 2.6p
            multiples[0] = Multiple { x, y, ratio: Element::one() };
            for (i, multiple) in multiples.iter_mut().enumerate().skip(1) {
                // All four coordinates are below 1.3p.
                let run = step_x.loose().plus_modulus::<2>().minus(&last_x).carry(); // < 3.3p
                let rise = step_y.loose().plus_modulus::<2>().minus(&last_y).carry(); // < 3.3p
                let run_squared = run.square().carry(); // < 1.7p
                let new_step_x = step_x.mul(&run_squared).carry(); // < 1.2p
                let other_x = last_x.mul(&run_squared).carry(); // < 1.2p
                let across = new_step_x.loose().plus_modulus::<2>().minus(&other_x).carry(); // < 3.2p
                let new_step_y = step_y.mul(&across).carry(); // < 1.3p
                last_x = rise.square().plus_modulus::<3>().minus(&new_step_x).minus(&other_x).fold();
                let back = new_step_x.loose().plus_modulus::<2>().minus(&last_x).carry(); // < 3.2p
                last_y = rise.mul(&back).plus_modulus::<2>().minus(&new_step_y).fold();
                (step_x, step_y) = (new_step_x, new_step_y);
                // The first multiple stands over Z = 1, not over 2y.
                let ratio = if i == 1 { z.mul(&run).carry() } else { run };
                z = z.mul(&run).carry();
                *multiple = Multiple { x: last_x, y: last_y, ratio };
            }
            z
        },
    )
}

/// Makes the multiples affine, given 1/Z of the last, and hands each to `keep`, in falling order.
#[inline(always)]
fn normalise<C: Curve, L: Lanes>(
    multiples: &[Multiple<C, L>],
    inverse: &Element<C, L>,
    mut keep: impl FnMut(usize, [Packed; LANES]),
) {
    let mut inverse = *inverse;
    for (i, Multiple { x, y, ratio }) in multiples.iter().enumerate().rev() {
        let squared = inverse.square().carry();
        let cubed = squared.mul(&inverse).carry();
        keep(i, pack(&Affine { x: x.mul(&squared).carry(), y: y.mul(&cubed).carry() }));
        inverse = inverse.mul(ratio).carry();
    }
}

/// Packs the multiples of each lane: multiple i of lane j at 8·i + j.
#[inline(never)]
pub(crate) fn pack_by_lane<C: Curve, L: Lanes>(
    multiples: &[Multiple<C, L>],
    inverse: &Element<C, L>,
    packed: &mut [Packed],
) {
    L::enter(
        #[inline(always)]
        || {
            normalise(multiples, inverse, |i, lanes| packed[i * LANES..(i + 1) * LANES].copy_from_slice(&lanes));
        },
    );
}

/// Points with coordinates below 2p.
#[inline(always)]
fn pack<C: Curve, L: Lanes>(point: &Affine<C, L>) -> [Packed; LANES] {
    let x = word_columns(&point.x.subtract_once().montgomery());
    let y = word_columns(&point.y.subtract_once().montgomery());
    let rows = transpose([x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3]]);
    let mut packed = [Packed::default(); LANES];
    for (packed, row) in packed.iter_mut().zip(rows) {
        row.store(&mut packed.0);
    }
    packed
}

/// Five limbs of a number below 2²⁵⁶ as four words.
#[inline(always)]
fn word_columns<L: Lanes>(limbs: &[L; 5]) -> [L; 4] {
    let [a, b, c, d, e] = *limbs;
    [
        a.or(b.shl::<52>()),
        b.shr::<12>().or(c.shl::<40>()),
        c.shr::<24>().or(d.shl::<28>()),
        d.shr::<36>().or(e.shl::<16>()),
    ]
}

/// The opposite of [`word_columns`].
#[inline(always)]
fn limb_columns<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 5] {
    let mask = L::splat(radix52::LIMB_MASK);
    [
        a.and(mask),
        a.shr::<52>().or(b.shl::<12>()).and(mask),
        b.shr::<40>().or(c.shl::<24>()).and(mask),
        c.shr::<28>().or(d.shl::<36>()).and(mask),
        d.shr::<16>(),
    ]
}

/// The packed point of each lane.
#[inline(always)]
pub(crate) fn unpack<C: Curve, L: Lanes>(packed: [&Packed; LANES]) -> Affine<C, L> {
    // Eight loads of a cache line and a transposition: less than the ten gathers of limbs would take.
    let mut rows = [L::zero(); LANES];
    for (row, packed) in rows.iter_mut().zip(packed) {
        *row = L::load(&packed.0);
    }
    let [a, b, c, d, e, f, g, h] = transpose(rows);
    Affine {
        x: Element::from_montgomery(limb_columns([a, b, c, d])),
        y: Element::from_montgomery(limb_columns([e, f, g, h])),
    }
}
