//! Against definitions, by arithmetic bit by bit.

use super::*;
use crate::Unit;

mod arithmetic;
mod model;
mod schedules;

use model::{Model, Random};

fn units() -> Vec<Unit> {
    let detected = Unit::detect();
    if detected.is_none() {
        eprintln!("NOT RUN on AVX-512: this machine has none");
    }
    [Some(Unit::PORTABLE), detected].into_iter().flatten().collect()
}

/// Any numbers of four words: random ones among the greatest, zeros, and those around p.
fn numbers(model: &Model, count: usize, random: &mut Random) -> Vec<Number> {
    let p = model.modulus;
    let near = |words: Number, by: u64| [words[0].wrapping_add(by), words[1], words[2], words[3]];
    let special = [[0; 4], [1, 0, 0, 0], near(p, u64::MAX), p, near(p, 1), [u64::MAX; 4], [0, 0, 0, u64::MAX]];
    (0..count)
        .map(|_| match random.next() % 4 {
            0 => special[random.next() as usize % special.len()],
            _ => std::array::from_fn(|_| random.next()),
        })
        .collect()
}

/// The value of a polynomial.
fn value(model: &Model, coefficients: &[Number], at: &Number) -> Number {
    coefficients
        .iter()
        .rev()
        .fold([0; 4], |sum, coefficient| model.add(&model.mul(&sum, at), &model.reduce(coefficient)))
}

fn transform<M: ScalarField>(unit: Unit, values: &mut [Number], inverse: bool, coset: bool) {
    let transform = Transform::<M>::new(unit, values.len().ilog2(), inverse, coset).unwrap();
    transform.run(values, &mut Workspace::new(), &InOrder).unwrap();
}

/// Values at `points` places, on the domain and on its coset, and back again.
fn transforms_are_right<M: ScalarField>(unit: Unit, log_size: u32, points: usize, random: &mut Random) {
    let model = Model::new::<M>();
    let coefficients = numbers(&model, 1 << log_size, random);
    let generator = model.root(log_size);
    for coset in [false, true] {
        let shift = if coset { model.root(log_size + 1) } else { [1, 0, 0, 0] };
        let mut values = coefficients.clone();
        transform::<M>(unit, &mut values, false, coset);
        for point in 0..points.min(1 << log_size) {
            let i = if points >> log_size > 0 { point } else { random.next() as usize % (1 << log_size) };
            let at = model.mul(&model.pow(&generator, i as u64), &shift);
            assert_eq!(values[i], value(&model, &coefficients, &at), "2^{log_size}, value {i}, coset {coset}");
        }
        transform::<M>(unit, &mut values, true, coset);
        let reduced: Vec<Number> = coefficients.iter().map(|number| model.reduce(number)).collect();
        assert!(values == reduced, "2^{log_size}, coset {coset}, and back, {}", unit.name());
    }
}

#[test]
fn values_are_those_of_the_polynomial() {
    let mut random = Random(1);
    for unit in units() {
        for log_size in 0..=7 {
            transforms_are_right::<Bn254Scalars>(unit, log_size, 16, &mut random);
            transforms_are_right::<Bls12381Scalars>(unit, log_size, 16, &mut random);
        }
    }
}

/// Sizes with levels of every kind: columns and groups of both parities, and longer than what goes through at once.
#[test]
fn values_are_those_of_longer_polynomials() {
    let mut random = Random(2);
    if let Some(unit) = Unit::detect() {
        for log_size in 8..=15 {
            transforms_are_right::<Bn254Scalars>(unit, log_size, 1, &mut random);
        }
        transforms_are_right::<Bls12381Scalars>(unit, 13, 2, &mut random);
    } else {
        eprintln!("NOT RUN on AVX-512: this machine has none");
    }
    transforms_are_right::<Bn254Scalars>(Unit::PORTABLE, 9, 4, &mut random);
}

/// One number everywhere, the greatest and the least: the longest sums that there are.
#[test]
fn extreme_values_stay_within_their_bounds() {
    let model = Model::new::<Bls12381Scalars>();
    for unit in units() {
        for (number, log_size) in [([u64::MAX; 4], 9), ([0; 4], 6), (model.modulus, 7)] {
            let mut values = vec![number; 1 << log_size];
            transform::<Bls12381Scalars>(unit, &mut values, true, false);
            assert_eq!(values[0], model.reduce(&number));
            assert!(values[1..].iter().all(|value| *value == [0; 4]));
        }
    }
}

/// By single transforms and the model's products.
fn quotient_is_right<M: ScalarField>(unit: Unit, log_size: u32, forms: [Form; 2], random: &mut Random) {
    let model = Model::new::<M>();
    let [a, b] = [0, 1].map(|_| numbers(&model, 1 << log_size, random));
    let form = |form: Form| model.pow(&[2, 0, 0, 0], form.exponent() as u64);
    let (from, to) = (model.invert(&form(forms[0])), form(forms[1]));
    let mut polynomials = [a.clone(), b.clone(), Vec::new()].map(|mut values| {
        values.iter_mut().for_each(|value| *value = model.mul(&model.reduce(value), &from));
        values
    });
    polynomials[2] = polynomials[0].iter().zip(&polynomials[1]).map(|(a, b)| model.mul(a, b)).collect();
    for values in &mut polynomials {
        transform::<M>(unit, values, true, false);
        transform::<M>(unit, values, false, true);
    }
    let [va, vb, vc] = &polynomials;
    let expected: Vec<Number> =
        (0..1 << log_size).map(|i| model.mul(&model.sub(&model.mul(&va[i], &vb[i]), &vc[i]), &to)).collect();
    let step = Quotient::<M>::new(unit, log_size, forms[0], forms[1]).unwrap();
    let mut found = vec![[0; 4]; 1 << log_size];
    step.run(&a, &b, &mut found, &mut Workspace::new(), &InOrder).unwrap();
    assert!(found == expected, "2^{log_size}, {}", unit.name());
}

#[test]
fn quotients_are_those_of_single_transforms() {
    let mut random = Random(3);
    for unit in units() {
        for log_size in 0..=7 {
            quotient_is_right::<Bn254Scalars>(unit, log_size, [Form::Montgomery, Form::Plain], &mut random);
            quotient_is_right::<Bls12381Scalars>(unit, log_size, [Form::Plain, Form::Montgomery], &mut random);
        }
    }
    if let Some(unit) = Unit::detect() {
        for log_size in 8..=13 {
            quotient_is_right::<Bn254Scalars>(unit, log_size, [Form::Montgomery, Form::Plain], &mut random);
        }
        quotient_is_right::<Bls12381Scalars>(unit, 10, [Form::Montgomery, Form::Plain], &mut random);
    }
}

#[test]
fn sizes_beyond_the_roots_of_unity_are_refused() {
    let unit = Unit::PORTABLE;
    let error = Transform::<Bn254Scalars>::new(unit, 29, false, false).unwrap_err();
    assert_eq!(error, SizeError { log_size: 29, most: 28 });
    assert_eq!(Transform::<Bn254Scalars>::new(unit, 28, false, true).unwrap_err().most, 27);
    assert_eq!(Quotient::<Bls12381Scalars>::new(unit, 64, Form::Plain, Form::Plain).unwrap_err().most, 31);
}
