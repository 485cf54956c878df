//! The field of p² elements, a + b·i with i² = −1.

use super::base::{Fp, Limbs, products, root_powers};
use super::field::Field;
use crate::lanes::{LANES, Lanes, Mask};
use crate::montgomery::{Columns, Element, Joined, invert_all};

/// Eight elements a + b·i.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Fp2<L> {
    /// a
    pub(super) c0: Fp<L>,
    /// b
    pub(super) c1: Fp<L>,
}

/// More than any operand has of p.
const MOST: u64 = 1 << 12;

impl<L: Lanes> Field<L> for Fp2<L> {
    type Row = [Limbs; 2];

    #[inline(always)]
    fn zero() -> Self {
        Self { c0: Element::zero(), c1: Element::zero() }
    }

    #[inline(always)]
    fn one() -> Self {
        Self { c0: Element::one(), c1: Element::zero() }
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        multiply(self, other)
    }

    #[inline(always)]
    fn square(&self) -> Self {
        square(self)
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Self { c0: self.c0.add(&other.c0), c1: self.c1.add(&other.c1) }
    }

    #[inline(always)]
    fn sub<const K: u64>(&self, other: &Self) -> Self {
        Self { c0: self.c0.sub::<K>(&other.c0), c1: self.c1.sub::<K>(&other.c1) }
    }

    #[inline(always)]
    fn triple(&self) -> Self {
        Self { c0: self.c0.triple(), c1: self.c1.triple() }
    }

    #[inline(always)]
    fn difference<const A: u32, const B: u32, const K: u64>(&self, other: &Self) -> Self {
        Self { c0: self.c0.difference::<A, B, K>(&other.c0), c1: self.c1.difference::<A, B, K>(&other.c1) }
    }

    #[inline(always)]
    fn select(&self, mask: Mask, other: &Self) -> Self {
        Self { c0: self.c0.select(mask, &other.c0), c1: self.c1.select(mask, &other.c1) }
    }

    #[inline(always)]
    fn is_zero(&self) -> Mask {
        self.c0.is_zero() & self.c1.is_zero()
    }

    #[inline(always)]
    fn rows(&self) -> [[Limbs; 2]; LANES] {
        let (c0, c1) = (self.c0.rows(), self.c1.rows());
        std::array::from_fn(|lane| [c0[lane], c1[lane]])
    }

    #[inline(always)]
    fn from_rows(rows: &[&[Limbs; 2]; LANES]) -> Self {
        Self { c0: Fp::from_rows(&rows.map(|row| &row[0])), c1: Fp::from_rows(&rows.map(|row| &row[1])) }
    }

    #[inline(always)]
    fn invert_all(elements: &mut [Self]) {
        let mut norms = Vec::with_capacity(elements.len());
        for element in elements.iter() {
            norms.push(element.norm());
        }
        invert_all(&mut norms);
        for (element, inverse) in elements.iter_mut().zip(&norms) {
            *element = element.inverse_by_norm(inverse);
        }
    }
}

impl<L: Lanes> Fp2<L> {
    /// a − b·i + K·p·i. Takes b ≤ K·p.
    #[inline(always)]
    pub(super) fn conjugate<const K: u64>(&self) -> Self {
        Self { c0: self.c0, c1: self.c1.neg::<K>() }
    }

    /// Times an element of the base field.
    #[inline(always)]
    pub(super) fn scale(&self, factor: &Fp<L>) -> Self {
        let [c0, c1] = products(&self.c0, factor, &self.c1, factor);
        Self { c0, c1 }
    }

    /// Times i. Takes b ≤ K·p.
    #[inline(always)]
    pub(super) fn times_i<const K: u64>(&self) -> Self {
        Self { c0: self.c1.neg::<K>(), c1: self.c0 }
    }

    /// Times 1 + i: a − b + (a + b)·i. Takes b ≤ K·p.
    #[inline(always)]
    pub(super) fn times_residue<const K: u64>(&self) -> Self {
        Self { c0: self.c0.sub::<K>(&self.c1), c1: self.c0.add(&self.c1) }
    }

    /// a² + b².
    #[inline(always)]
    pub(super) fn norm(&self) -> Fp<L> {
        L::apart(
            #[inline(always)]
            || Columns::square(&self.c0).plus_all(&Columns::square(&self.c1)).reduce(),
        )
    }

    /// The inverse, from that of the norm.
    #[inline(always)]
    pub(super) fn inverse_by_norm(&self, inverse: &Fp<L>) -> Self {
        self.conjugate::<MOST>().scale(inverse)
    }
}

/// Square roots, given those of the norms; arbitrary where there is none, so that the caller squares it to see.
///
/// With s² = a² + b² and t = (a + s)/2, the root is √t + b/(2√t)·i where t is a square. Where it is none, −t is, and
/// the root is b/(2√−t) + √−t·i, by (a + s)/2·(a − s)/2 = −b²/4. The power of t that gives its root gives the root's
/// inverse too.
pub(super) fn roots_by_norms<L: Lanes>(elements: &[Fp2<L>], roots_of_norms: &[Fp<L>]) -> Vec<Fp2<L>> {
    L::enter(
        #[inline(always)]
        || {
            let mut halves = Vec::with_capacity(elements.len());
            for (element, root_of_norm) in elements.iter().zip(roots_of_norms) {
                halves.push(element.c0.add(root_of_norm).halve());
            }
            let mut powers = halves.clone();
            root_powers(&mut powers);
            let mut roots = Vec::with_capacity(elements.len());
            for ((element, t), power) in elements.iter().zip(&halves).zip(&powers) {
                let [root, other] = products(power, t, power, &element.c1.halve());
                let is_square = Field::square(&root).equals::<MOST>(t);
                // Where −t is the square, root·power is −1.
                roots.push(Fp2 { c0: other.neg::<4>().select(is_square, &root), c1: root.select(is_square, &other) });
            }
            roots
        },
    )
}

/// Karatsuba's three products and two reductions.
#[inline(never)]
fn multiply<L: Lanes>(a: &Fp2<L>, b: &Fp2<L>) -> Fp2<L> {
    L::enter(
        #[inline(always)]
        || {
            L::apart(
                #[inline(always)]
                || {
                    let (first, second) = (Joined::product(&a.c0, &b.c0), Joined::product(&a.c1, &b.c1));
                    let both = first.plus_all(&second);
                    let real = first.plus_modulus().minus_all(&second);
                    let all = Joined::product(&a.c0.add(&a.c1), &b.c0.add(&b.c1));
                    let [c0, c1] = real.reduce_two(all.minus_all(&both));
                    Fp2 { c0, c1 }
                },
            )
        },
    )
}

/// (a + b)(a − b) + 2ab·i.
#[inline(never)]
fn square<L: Lanes>(a: &Fp2<L>) -> Fp2<L> {
    L::enter(
        #[inline(always)]
        || {
            let (sum, difference) = (a.c0.add(&a.c1), a.c0.sub::<MOST>(&a.c1));
            let [c0, c1] = Joined::product(&sum, &difference).reduce_two(Joined::product(&a.c0.double(), &a.c1));
            Fp2 { c0, c1 }
        },
    )
}
