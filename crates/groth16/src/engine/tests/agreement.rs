//! The engines against the reference, at sizes where windows, blocks and threads come into play.

use super::*;

/// What witnesses are like.
#[derive(Clone, Copy, Debug)]
enum Mixture {
    Wide,
    Bits,
    Short,
    MinusOne,
    Same,
    Mixed,
}

impl Mixture {
    const ALL: [Self; 6] = [Self::Wide, Self::Bits, Self::Short, Self::MinusOne, Self::Same, Self::Mixed];

    fn scalars<F: RawScalar>(self, count: usize, rng: &mut impl Rng) -> Vec<PlainScalar> {
        let same = F::rand(rng);
        let scalars = (0..count).map(|i| match self {
            Self::Wide => F::rand(rng),
            Self::Bits => F::from(rng.gen_range(0..2u64)),
            Self::Short => F::from(rng.r#gen::<u64>()),
            Self::MinusOne => -F::ONE,
            Self::Same => same,
            Self::Mixed => match i % 5 {
                0 => F::rand(rng),
                1 => F::from(rng.r#gen::<u64>()),
                2 => -F::from(rng.gen_range(0..300u64)),
                _ => F::from(rng.gen_range(0..2u64)),
            },
        });
        scalars.map(|scalar| scalar.plain_limbs()).collect()
    }
}

/// Many points at the price of few: multiples of one, with infinity and repetitions among them.
fn cheap_points<A: RawPoint>(count: usize) -> Vec<A> {
    let step = A::Group::rand(&mut test_rng());
    let mut point = A::Group::ZERO;
    let points: Vec<A::Group> = (0..count)
        .map(|i| {
            if i % 7 != 3 {
                point += step;
            }
            if i % 50 == 49 { A::Group::ZERO } else { point }
        })
        .collect();
    A::Group::normalize_batch(&points)
}

fn sums_agree<E: Curve>(sizes_in_g1: &[usize], sizes_in_g2: &[usize]) {
    let mut rng = test_rng();
    let control = Control::default();
    let (engines, reference): (_, &dyn Arithmetic<E>) = (judged::<E>(), &ReferenceArithmetic);
    for mixture in Mixture::ALL {
        for &size in sizes_in_g1 {
            let (points, scalars) = (cheap_points::<E::G1Affine>(size), mixture.scalars::<Scalar<E>>(size, &mut rng));
            let expected = reference.msm_g1(&&points[..], &scalars, &control).unwrap();
            for engine in &engines {
                let sum = engine.msm_g1(&&points[..], &scalars, &control).unwrap();
                assert_eq!(sum, expected, "{}, G1, {size}, {mixture:?}", engine.name());
            }
        }
        for &size in sizes_in_g2 {
            let (points, scalars) = (cheap_points::<E::G2Affine>(size), mixture.scalars::<Scalar<E>>(size, &mut rng));
            let expected = reference.msm_g2(&&points[..], &scalars, &control).unwrap();
            for engine in &engines {
                let sum = engine.msm_g2(&&points[..], &scalars, &control).unwrap();
                assert_eq!(sum, expected, "{}, G2, {size}, {mixture:?}", engine.name());
            }
        }
    }
}

#[test]
fn sums_agree_on_bn254() {
    // Beyond 4,096 points a block is full, beyond 16,384 in one window it is split between threads.
    sums_agree::<ark_bn254::Bn254>(&[100, 300, 1000, 4095, 4097, 20_000], &[300, 2500]);
}

#[test]
fn sums_agree_on_bls12_381() {
    sums_agree::<ark_bls12_381::Bls12_381>(&[300, 5000], &[300, 1500]);
}

#[test]
fn the_number_of_threads_makes_no_difference() {
    type E = ark_bn254::Bn254;
    let points = cheap_points::<<E as ark_ec::pairing::Pairing>::G1Affine>(9000);
    let scalars = Mixture::Mixed.scalars::<Scalar<E>>(9000, &mut test_rng());
    for engine in judged::<E>() {
        let sums = [1, 2, 5].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| engine.msm_g1(&&points[..], &scalars, &Control::default()).unwrap())
        });
        assert_eq!(sums, [sums[0]; 3], "{}", engine.name());
    }
}

fn transforms_agree<E: Curve>() {
    let mut rng = test_rng();
    let control = Control::default();
    let (engines, reference): (_, &dyn Arithmetic<E>) = (judged::<E>(), &ReferenceArithmetic);
    let transformed = |engine: &dyn Arithmetic<E>, values: &[Scalar<E>], inverse, coset| {
        let mut values = values.to_vec();
        engine.ntt(&mut values, inverse, coset, &control).unwrap();
        values
    };
    for log_size in 9..14 {
        let values = random_values::<Scalar<E>>(1 << log_size, &mut rng);
        for (inverse, coset) in [(false, false), (false, true), (true, false), (true, true)] {
            let expected = transformed(reference, &values, inverse, coset);
            for engine in &engines {
                let found = transformed(&**engine, &values, inverse, coset);
                assert_eq!(found, expected, "{}, 2^{log_size}, inverse: {inverse}, coset: {coset}", engine.name());
            }
        }
        let b = random_values::<Scalar<E>>(1 << log_size, &mut rng);
        let expected = reference.quotient(values.clone(), b.clone(), &control).unwrap();
        for engine in &engines {
            let found = engine.quotient(values.clone(), b.clone(), &control).unwrap();
            assert_eq!(found, expected, "{}, quotient, 2^{log_size}", engine.name());
        }
    }
}

#[test]
fn transforms_agree_on_bn254() {
    transforms_agree::<ark_bn254::Bn254>();
}

#[test]
fn transforms_agree_on_bls12_381() {
    transforms_agree::<ark_bls12_381::Bls12_381>();
}

#[test]
fn products_agree() {
    type F = ark_bn254::Fr;
    let mut rng = test_rng();
    let coefficients: Vec<F> = [F::ONE, -F::ONE, F::from(2u64), F::rand(&mut rng)].into();
    let witness = Mixture::Mixed.scalars::<F>(3000, &mut rng);
    // Beyond 1,024 rows there is more than one task.
    let matrix: Vec<Vec<(u32, F)>> = (0..3000)
        .map(|row| (0..row % 6).map(|_| (rng.gen_range(0..3000), coefficients[rng.gen_range(0..4)])).collect())
        .collect();
    let rows = rows(&matrix);
    let product = |engine: &dyn Arithmetic<ark_bn254::Bn254>| {
        engine.sparse_product(&rows, &witness, 4096, &Control::default()).unwrap()
    };
    let expected = product(&ReferenceArithmetic);
    for engine in judged() {
        assert_eq!(product(&*engine), expected, "{}", engine.name());
    }
}

#[test]
fn a_scalar_that_is_not_below_the_order_is_a_fault() {
    type E = ark_bn254::Bn254;
    let order = <Scalar<E> as ark_ff::PrimeField>::MODULUS.0;
    let points = cheap_points::<<E as ark_ec::pairing::Pairing>::G1Affine>(1);
    let mut engines = judged::<E>();
    engines.push(Box::new(ReferenceArithmetic));
    for (engine, scalar) in engines.iter().flat_map(|engine| [(engine, order), (engine, [u64::MAX; 4])]) {
        let outcome = engine.msm_g1(&&points[..], &[scalar], &Control::default());
        assert!(matches!(outcome, Err(Failure::Fault(_))), "{}", engine.name());
    }
}

#[test]
fn work_that_is_cancelled_midway_ends_soon() {
    type E = ark_bn254::Bn254;
    let points = cheap_points::<<E as ark_ec::pairing::Pairing>::G1Affine>(30_000);
    let scalars = Mixture::Wide.scalars::<Scalar<E>>(30_000, &mut test_rng());
    for engine in judged::<E>() {
        let msm = |control: &Control| engine.msm_g1(&&points[..], &scalars, control);
        let start = std::time::Instant::now();
        let _sum = msm(&Control::default()).unwrap();
        let whole = start.elapsed();
        // Others use this machine too: the soonest of several.
        let stopped = || {
            let start = std::time::Instant::now();
            let control = Control::default().with_deadline(Some(start + whole / 20));
            assert_eq!(msm(&control), Err(Failure::Stopped(Stop::Expired)));
            start.elapsed()
        };
        let taken = (0..5).map(|_| stopped()).min().unwrap_or_default();
        assert!(taken < whole / 2, "{}: {taken:?} of {whole:?}", engine.name());
    }
}
