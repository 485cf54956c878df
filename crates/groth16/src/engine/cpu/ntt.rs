//! Number-theoretic transforms.
//!
//! Values stand in natural order, coefficients in bit-reversed order, so that on the way from values on the domain to
//! values on its coset nothing is reordered: [`Transform::inverse`] leads from natural to bit-reversed order, and
//! [`Transform::forward`] is the same network backwards. Twiddle factors stand in bit-reversed order too; a block of
//! butterflies then has one factor, and the first factors of the table serve all levels.

use ark_ff::Field;
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::super::domain::Domain;
use super::super::{Failure, PlainScalar, same_length};
use crate::Control;
use crate::curve::{Curve, RawScalar};

/// Values that one thread transforms without a split and without a look at the control: a fraction of a millisecond,
/// in a level-1 cache.
const VALUES_AT_ONCE: usize = 1 << 10;

/// See [`super::super::Arithmetic::quotient`].
pub(super) fn quotient<E: Curve>(
    a: Vec<E::ScalarField>,
    b: Vec<E::ScalarField>,
    control: &Control,
) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
    let (a, b) = (Zeroizing::new(a), Zeroizing::new(b));
    same_length(a.len(), b.len())?;
    let transform = Transform::new::<E>(a.len(), true)?;
    let mut c = Zeroizing::new(Vec::with_capacity(a.len()));
    a.par_iter().zip(&*b).map(|(a, b)| *a * b).collect_into_vec(&mut c);
    let mut polynomials = [a, b, c];
    polynomials.par_iter_mut().try_for_each(|values| {
        transform.inverse(values, 0, control)?;
        transform.shift(values);
        transform.forward(values, 0, control)
    })?;
    // Each of the three is n times what it should be. The last multiplication divides by n and leaves Montgomery form,
    // because the raw limbs that it multiplies with are the plain value of 1/n.
    let [a, b, c] = &polynomials;
    let per_n = transform.per_length();
    let plain_per_n = E::ScalarField::from_raw_limbs(per_n.plain_limbs());
    let mut quotient = Zeroizing::new(Vec::with_capacity(a.len()));
    let values = (&**a, &**b, &**c).into_par_iter();
    values
        .map(|(a, b, c)| ((*a * b * per_n - c) * plain_per_n).raw_limbs())
        .with_min_len(VALUES_AT_ONCE)
        .collect_into_vec(&mut quotient);
    Ok(quotient)
}

/// See [`super::super::Arithmetic::ntt`].
pub(super) fn ntt<E: Curve>(
    values: &mut [E::ScalarField],
    inverse: bool,
    coset: bool,
    control: &Control,
) -> Result<(), Failure> {
    control.check()?;
    let transform = Transform::new::<E>(values.len(), coset)?;
    if !inverse {
        reverse_bits(values);
        if coset {
            transform.shift(values);
        }
        return transform.forward(values, 0, control);
    }
    transform.inverse(values, 0, control)?;
    let per_n = transform.per_length();
    values.par_iter_mut().with_min_len(VALUES_AT_ONCE).for_each(|value| *value *= per_n);
    if coset {
        transform.shift_back(values);
    }
    reverse_bits(values);
    Ok(())
}

/// The transforms of one length n.
struct Transform<F> {
    length: usize,
    /// The factors, w being the domain's generator, or for a coset its square root, by which the coset is shifted:
    /// w to the power of i with its bits reversed, i below n/2, or for a coset below n. Then the first half are the
    /// powers of the generator all the same, because reversing one bit more doubles an i of that half.
    powers: Vec<F>,
}

impl<F: RawScalar> Transform<F> {
    fn new<E: Curve<ScalarField = F>>(length: usize, coset: bool) -> Result<Self, Failure> {
        let domain = Domain::new::<E>(length)?;
        let (base, count) = if coset { (domain.shift()?, length) } else { (domain.generator, length.div_ceil(2)) };
        Ok(Self { length, powers: bit_reversed_powers(base, count) })
    }

    fn per_length(&self) -> F {
        F::from(self.length as u64).inverse().expect("a power of two is not 0")
    }

    /// From values in natural order to coefficients in bit-reversed order, each times n. At the top `block` is 0; it
    /// counts the blocks of a level.
    ///
    /// A block of 2m coefficients is a polynomial mod X^2m − z²; a level splits it into those mod X^m − z and X^m + z.
    fn inverse(&self, values: &mut [F], block: usize, control: &Control) -> Result<(), Failure> {
        if values.len() > VALUES_AT_ONCE {
            self.split(values, block);
            let (low, high) = values.split_at_mut(values.len() / 2);
            let (low, high) =
                rayon::join(|| self.inverse(low, 2 * block, control), || self.inverse(high, 2 * block + 1, control));
            return low.and(high);
        }
        control.check()?;
        let (mut length, mut first) = (values.len(), block);
        while length > 1 {
            for (block, values) in (first..).zip(values.chunks_exact_mut(length)) {
                self.split(values, block);
            }
            (length, first) = (length / 2, 2 * first);
        }
        Ok(())
    }

    /// From coefficients in bit-reversed order to values in natural order: the inverse network backwards.
    fn forward(&self, values: &mut [F], block: usize, control: &Control) -> Result<(), Failure> {
        if values.len() > VALUES_AT_ONCE {
            let (low, high) = values.split_at_mut(values.len() / 2);
            let (low, high) =
                rayon::join(|| self.forward(low, 2 * block, control), || self.forward(high, 2 * block + 1, control));
            low.and(high)?;
            self.merge(values, block);
            return Ok(());
        }
        control.check()?;
        let mut length = 2;
        while length <= values.len() {
            let first = block * (values.len() / length);
            for (block, values) in (first..).zip(values.chunks_exact_mut(length)) {
                self.merge(values, block);
            }
            length *= 2;
        }
        Ok(())
    }

    fn split(&self, values: &mut [F], block: usize) {
        let (low, high) = values.split_at_mut(values.len() / 2);
        if block == 0 {
            butterflies(low, high, |x, y| (*x, *y) = (x.plus(y), x.minus(y)));
        } else {
            // This network's z is the inverse of the other's, which is minus the power at the mirrored place.
            let minus_z = self.powers[mirrored(block)];
            butterflies(low, high, |x, y| {
                let product = *y * minus_z;
                (*x, *y) = (x.minus(&product), x.plus(&product));
            });
        }
    }

    fn merge(&self, values: &mut [F], block: usize) {
        let (low, high) = values.split_at_mut(values.len() / 2);
        if block == 0 {
            butterflies(low, high, |x, y| (*x, *y) = (x.plus(y), x.minus(y)));
        } else {
            let z = self.powers[block];
            butterflies(low, high, |x, y| {
                (*x, *y) = (x.plus(y), x.minus(y));
                *y *= &z;
            });
        }
    }

    /// From the coefficients of p(X) to those of p(w·X), in bit-reversed order.
    fn shift(&self, coefficients: &mut [F]) {
        let terms = coefficients.par_iter_mut().zip(&self.powers).with_min_len(VALUES_AT_ONCE);
        terms.for_each(|(coefficient, power)| *coefficient *= power);
    }

    /// From the coefficients of p(w·X) to those of p(X), in bit-reversed order.
    fn shift_back(&self, coefficients: &mut [F]) {
        for (i, coefficient) in coefficients.iter_mut().enumerate().skip(1) {
            *coefficient *= -self.powers[mirrored(i)];
        }
    }
}

/// Butterflies between two halves, on all threads where they are long.
fn butterflies<F: Field>(low: &mut [F], high: &mut [F], butterfly: impl Fn(&mut F, &mut F) + Sync) {
    if low.len() < VALUES_AT_ONCE {
        low.iter_mut().zip(high).for_each(|(x, y)| butterfly(x, y));
    } else {
        low.par_iter_mut().zip(high).with_min_len(VALUES_AT_ONCE).for_each(|(x, y)| butterfly(x, y));
    }
}

/// Where −1 / w^rev(i) stands among the powers w^rev(i), i > 0, of a w of twice their number's order. With the top bit
/// of i at l, rev(i) is an odd multiple of count/2^(l + 1); count − rev(i) is one as well, and reversing its bits
/// reverses the order within [2^l, 2^(l + 1)).
fn mirrored(i: usize) -> usize {
    (3 << i.ilog2()) - 1 - i
}

/// base^rev(i) for i below `count`, rev(i) being i with its log `count` bits reversed.
fn bit_reversed_powers<F: Field>(base: F, count: usize) -> Vec<F> {
    let mut powers = vec![F::ONE; count];
    let mut known = 1;
    while known < count {
        let factor = base.pow([(count / (2 * known)) as u64]);
        let (old, new) = powers[..2 * known].split_at_mut(known);
        new.par_iter_mut().zip(old).with_min_len(VALUES_AT_ONCE).for_each(|(new, old)| *new = *old * factor);
        known *= 2;
    }
    powers
}

/// Swaps each value with the one at the reversed index.
fn reverse_bits<F>(values: &mut [F]) {
    let shift = values.len().leading_zeros() + 1;
    for i in 0..values.len() {
        let reversed = i.reverse_bits().checked_shr(shift).unwrap_or(0);
        if i < reversed {
            values.swap(i, reversed);
        }
    }
}
