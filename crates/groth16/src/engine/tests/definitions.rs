//! Every engine against the definitions, at sizes where these can be computed as they are written.

use super::*;

for_each_engine!(
    transforms_evaluate_and_interpolate,
    the_quotient_is_that_of_the_polynomials,
    products_are_those_of_the_rows,
    sums_are_those_of_the_products,
    wrong_lengths_are_faults,
    the_largest_domain_has_no_coset,
    a_cancelled_control_stops,
);

/// The points that a transform evaluates at.
fn places<E: Curve>(size: usize, coset: bool) -> Vec<Scalar<E>> {
    let domain = Domain::new::<E>(size).unwrap();
    let first = if coset { domain.shift().unwrap() } else { Scalar::<E>::ONE };
    let places: Vec<_> = (0..size as u64).map(|i| first * domain.generator.pow([i])).collect();
    assert!((1..size).all(|i| places[i] != first), "the generator is primitive");
    let at_shift = if coset { -Scalar::<E>::ONE } else { Scalar::<E>::ONE };
    assert!(places.iter().all(|place| place.pow([size as u64]) == at_shift), "X^n is 1 on H and -1 on w·H");
    places
}

fn evaluate<F: Field>(coefficients: &[F], at: F) -> F {
    coefficients.iter().rev().fold(F::ZERO, |value, coefficient| value * at + coefficient)
}

fn transforms_evaluate_and_interpolate<E: Curve>(engine: &dyn Arithmetic<E>) {
    let mut rng = test_rng();
    for log_size in 0..9 {
        for coset in [false, true] {
            let coefficients = random_values::<Scalar<E>>(1 << log_size, &mut rng);
            let expected: Vec<_> =
                places::<E>(1 << log_size, coset).into_iter().map(|place| evaluate(&coefficients, place)).collect();
            let mut values = coefficients.clone();
            engine.ntt(&mut values, false, coset, &Control::default()).unwrap();
            assert_eq!(values, expected, "2^{log_size}, coset: {coset}");
            engine.ntt(&mut values, true, coset, &Control::default()).unwrap();
            assert_eq!(values, coefficients, "2^{log_size}, coset: {coset}, back");
        }
    }
}

/// The polynomial through these values on the domain, by Lagrange's formula.
fn interpolate<F: Field>(places: &[F], values: &[F]) -> Vec<F> {
    let mut sum = vec![F::ZERO; places.len()];
    for (i, value) in values.iter().enumerate() {
        let mut basis = vec![F::ONE];
        for (_, place) in places.iter().enumerate().filter(|(j, _)| *j != i) {
            let scale = (places[i] - place).inverse().unwrap();
            let mut product = vec![F::ZERO; basis.len() + 1];
            for (power, coefficient) in basis.iter().enumerate() {
                product[power + 1] += *coefficient * scale;
                product[power] -= *coefficient * scale * place;
            }
            basis = product;
        }
        sum.iter_mut().zip(&basis).for_each(|(sum, coefficient)| *sum += *coefficient * value);
    }
    sum
}

fn the_quotient_is_that_of_the_polynomials<E: Curve>(engine: &dyn Arithmetic<E>) {
    let mut rng = test_rng();
    for log_size in 0..5 {
        let size = 1 << log_size;
        let (a, b) = (random_values::<Scalar<E>>(size, &mut rng), random_values::<Scalar<E>>(size, &mut rng));
        let on_domain = places::<E>(size, false);
        let c: Vec<_> = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
        let polynomials = [&a, &b, &c].map(|values| interpolate(&on_domain, values));
        let expected: Vec<_> = places::<E>(size, true)
            .into_iter()
            .map(|place| {
                let [a, b, c] = polynomials.each_ref().map(|polynomial| evaluate(polynomial, place));
                (a * b - c).plain_limbs()
            })
            .collect();
        let quotient = engine.quotient(a, b, &Control::default()).unwrap();
        assert_eq!(*quotient, expected, "2^{log_size}");
    }
}

fn products_are_those_of_the_rows<E: Curve>(engine: &dyn Arithmetic<E>) {
    let mut rng = test_rng();
    let one = Scalar::<E>::ONE;
    let values = [random_values(40, &mut rng), vec![Scalar::<E>::ZERO, one, -one]].concat();
    let witness: Vec<_> = values.iter().map(RawScalar::plain_limbs).collect();
    let matrix: Vec<Vec<(u32, Scalar<E>)>> = (0..100)
        .map(|row| {
            (0..row % 7)
                .map(|term| {
                    let coefficient = match term % 4 {
                        0 => one,
                        1 => -one,
                        2 => Scalar::<E>::from(rng.gen_range(2..5u64)),
                        _ => Scalar::<E>::rand(&mut rng),
                    };
                    (rng.gen_range(0..values.len() as u32), coefficient)
                })
                .collect()
        })
        .collect();
    let product = |row: &Vec<(u32, Scalar<E>)>| row.iter().map(|(wire, c)| *c * values[*wire as usize]).sum();
    let mut expected: Vec<Scalar<E>> = matrix.iter().map(product).collect();
    expected.resize(128, Scalar::<E>::ZERO);
    assert_eq!(engine.sparse_product(&rows(&matrix), &witness, 128, &Control::default()).unwrap(), expected);
    let none = engine.sparse_product(&rows(&[]), &witness, 4, &Control::default()).unwrap();
    assert_eq!(none, [Scalar::<E>::ZERO; 4]);
}

/// Scalars of every kind that an engine may treat apart, of which `kind` says one or a mixture.
fn scalar<F: RawScalar>(kind: usize, rng: &mut impl Rng) -> F {
    match kind {
        0 => F::ZERO,
        1 => F::ONE,
        2 => -F::ONE,
        3 => F::rand(rng),
        4 => F::from(rng.r#gen::<u64>()),
        5 => F::from(rng.gen_range(2..70_000u64)),
        6 => -F::from(rng.gen_range(2..70_000u64)),
        // Digits of ones only, and a one alone: what carries through all windows, and what has none.
        7 => F::from(2u64).pow([rng.gen_range(1..250u64)]) - F::ONE,
        8 => F::from(2u64).pow([rng.gen_range(1..250u64)]),
        _ => scalar(rng.gen_range(0..9), rng),
    }
}

fn sums_in_a_group_are_those_of_the_products<A: RawPoint<ScalarField: RawScalar>>(
    msm: impl Fn(&[A], &[PlainScalar]) -> A::Group,
) {
    let mut rng = test_rng();
    let mut points = random_points::<A>(40, &mut rng);
    // What breaks additions: equal points, opposite points, infinity.
    let (first, second) = (points[0], points[1]);
    points.extend([first, first, first, -first, -second, A::zero(), A::zero(), -second]);
    for length in [0, 1, 2, 3, 31, 33, points.len()] {
        for kind in 0..10 {
            let scalars: Vec<A::ScalarField> = (0..length).map(|_| scalar(kind, &mut rng)).collect();
            // From the end, where the troublesome ones are.
            let points = &points[points.len() - length..];
            let expected: A::Group = points.iter().zip(&scalars).map(|(point, scalar)| *point * *scalar).sum();
            let scalars: Vec<_> = scalars.iter().map(RawScalar::plain_limbs).collect();
            assert_eq!(msm(points, &scalars), expected, "{length} scalars of kind {kind}");
        }
    }
    for same in [first, A::zero()] {
        let (points, ones) = ([same; 37], [A::ScalarField::ONE.plain_limbs(); 37]);
        assert_eq!(msm(&points, &ones), same * A::ScalarField::from(37u64), "one point again and again");
    }
}

fn sums_are_those_of_the_products<E: Curve>(engine: &dyn Arithmetic<E>) {
    let control = Control::default();
    sums_in_a_group_are_those_of_the_products(|points: &[E::G1Affine], scalars| {
        engine.msm_g1(&points, scalars, &control).unwrap()
    });
    sums_in_a_group_are_those_of_the_products(|points: &[E::G2Affine], scalars| {
        engine.msm_g2(&points, scalars, &control).unwrap()
    });
}

fn wrong_lengths_are_faults<E: Curve>(engine: &dyn Arithmetic<E>) {
    fn is_fault<T>(result: Result<T, Failure>) -> bool {
        matches!(result, Err(Failure::Fault(_)))
    }
    let control = Control::default();
    let values = |length| vec![Scalar::<E>::ONE; length];
    assert!(is_fault(engine.ntt(&mut values(0), false, false, &control)));
    assert!(is_fault(engine.ntt(&mut values(3), false, false, &control)));
    assert!(is_fault(engine.quotient(values(4), values(8), &control)));
    assert!(is_fault(engine.quotient(values(6), values(6), &control)));
    assert!(is_fault(engine.msm_g1(&&[E::G1Affine::zero()][..], &[], &control)));
    assert!(is_fault(engine.msm_g2(&&[][..], &[[1, 0, 0, 0]], &control)));
    let two_rows = rows(&[vec![(0, Scalar::<E>::ONE)], vec![]]);
    assert!(is_fault(engine.sparse_product(&two_rows, &[[1, 0, 0, 0]], 1, &control)));
}

fn the_largest_domain_has_no_coset<E: Curve>(_: &dyn Arithmetic<E>) {
    let largest = 1usize << <Scalar<E> as ark_ff::FftField>::TWO_ADICITY;
    let domain = Domain::new::<E>(largest).unwrap();
    assert_eq!(domain.generator, E::root_of_unity());
    assert!(matches!(domain.shift(), Err(Failure::Fault(_))));
    assert!(Domain::new::<E>(2 * largest).is_err());
    assert_eq!(Domain::new::<E>(largest / 2).unwrap().shift().unwrap(), E::root_of_unity());
}

fn a_cancelled_control_stops<E: Curve>(engine: &dyn Arithmetic<E>) {
    fn is_stopped<T>(result: Result<T, Failure>) -> bool {
        matches!(result, Err(Failure::Stopped(Stop::Cancelled)))
    }
    let control = Control::default();
    control.cancel();
    let values = |length| vec![Scalar::<E>::ONE; length];
    assert!(is_stopped(engine.ntt(&mut values(4), false, false, &control)));
    assert!(is_stopped(engine.quotient(values(4), values(4), &control)));
    assert!(is_stopped(engine.msm_g1(&&[E::G1Affine::zero()][..], &[[1, 0, 0, 0]], &control)));
    assert!(is_stopped(engine.msm_g2(&&[E::G2Affine::zero()][..], &[[1, 0, 0, 0]], &control)));
    let one_row = rows(&[vec![(0, Scalar::<E>::ONE)]]);
    assert!(is_stopped(engine.sparse_product(&one_row, &[[1, 0, 0, 0]], 1, &control)));
}
