//! The operations over bytes.

use ark_bls12_381::{Bls12_381, Fr, G1Affine};
use ark_ec::pairing::Pairing;
use outrigger_types::Curve as CurveId;

use super::*;
use crate::engine::operations::{Group, OperationError, msm, ntt};
use crate::formats::encoding::{g1_to_bytes, g2_to_bytes};

const ENGINES: [EngineChoice; 2] = [EngineChoice::Cpu, EngineChoice::Reference];

fn bytes_of<F: RawScalar>(scalar: &F) -> Vec<u8> {
    scalar.plain_limbs().iter().rev().flat_map(|limb| limb.to_be_bytes()).collect()
}

fn sums_over_bytes<E: Curve>() {
    let mut rng = test_rng();
    let scalars = random_values::<Scalar<E>>(9, &mut rng);
    let scalar_bytes: Vec<u8> = scalars.iter().flat_map(bytes_of).collect();
    let g1 = random_points::<E::G1Affine>(9, &mut rng);
    let g2 = random_points::<E::G2Affine>(9, &mut rng);
    let in_g1: E::G1 = g1.iter().zip(&scalars).map(|(point, scalar)| *point * *scalar).sum();
    let in_g2: E::G2 = g2.iter().zip(&scalars).map(|(point, scalar)| *point * *scalar).sum();
    let (g1, in_g1): (Vec<u8>, _) =
        (g1.iter().flat_map(g1_to_bytes::<E>).collect(), g1_to_bytes::<E>(&in_g1.into_affine()));
    let (g2, in_g2): (Vec<u8>, _) =
        (g2.iter().flat_map(g2_to_bytes::<E>).collect(), g2_to_bytes::<E>(&in_g2.into_affine()));
    for engine in ENGINES {
        let control = Control::default();
        assert_eq!(msm(E::ID, Group::G1, &g1, &scalar_bytes, &engine, &control).unwrap(), in_g1);
        assert_eq!(msm(E::ID, Group::G2, &g2, &scalar_bytes, &engine, &control).unwrap(), in_g2);
        let none = msm(E::ID, Group::G1, &[], &[], &engine, &control).unwrap();
        assert_eq!(none, vec![0; in_g1.len()], "the empty sum is infinity");
    }
}

#[test]
fn sums_over_bytes_are_those_of_the_products() {
    sums_over_bytes::<ark_bn254::Bn254>();
    sums_over_bytes::<Bls12_381>();
}

#[test]
fn transforms_over_bytes_are_those_of_the_elements() {
    type E = ark_bn254::Bn254;
    let mut values = random_values::<Scalar<E>>(16, &mut test_rng());
    let bytes: Vec<u8> = values.iter().flat_map(bytes_of).collect();
    let control = Control::default();
    Arithmetic::<E>::ntt(&ReferenceArithmetic, &mut values, false, true, &control).unwrap();
    let expected: Vec<u8> = values.iter().flat_map(bytes_of).collect();
    for engine in ENGINES {
        let transformed = ntt(E::ID, &bytes, false, true, &engine, &control).unwrap();
        assert_eq!(transformed, expected);
        assert_eq!(ntt(E::ID, &transformed, true, true, &engine, &control).unwrap(), bytes);
    }
}

#[test]
fn bytes_that_are_no_input_are_refused() {
    type G1 = <Bls12_381 as Pairing>::G1Affine;
    let sum = |points: &[u8], scalars: &[u8]| match msm(
        CurveId::Bls12_381,
        Group::G1,
        points,
        scalars,
        &EngineChoice::Cpu,
        &Control::default(),
    ) {
        Err(OperationError::Format(error)) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    };
    let generator = g1_to_bytes::<Bls12_381>(&G1::generator());
    let one = bytes_of(&Fr::ONE);
    assert!(sum(&generator[1..], &one).contains("each takes 96"));
    assert!(sum(&generator, &one[1..]).contains("each takes 32"));
    assert!(sum(&generator, &[one.clone(), one.clone()].concat()).contains("2 scalars for 1 points"));
    assert!(sum(&generator, &[0xff; 32]).contains("not below the order"));
    let mut off_curve = generator.clone();
    off_curve[95] ^= 1;
    assert!(sum(&[generator.clone(), off_curve].concat(), &[one.clone(), one.clone()].concat()).contains("point 1"));
    let outside = (1u64..).find_map(|x| {
        let point = G1Affine::get_point_from_x_unchecked(x.into(), false)?;
        (!point.is_valid()).then_some(point)
    });
    assert!(sum(&g1_to_bytes::<Bls12_381>(&outside.unwrap()), &one).contains("point 0"), "outside the subgroup");

    let transform = |elements: &[u8]| match ntt(
        CurveId::Bls12_381,
        elements,
        false,
        false,
        &EngineChoice::Cpu,
        &Control::default(),
    ) {
        Err(OperationError::Format(error)) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    };
    assert!(transform(&[]).contains("power of two"));
    assert!(transform(&[0; 96]).contains("power of two"));
    assert!(transform(&[0; 33]).contains("each takes 32"));
    assert!(transform(&[0xff; 64]).contains("number 0"));
}

#[test]
fn operations_stop() {
    let control = Control::default();
    control.cancel();
    let stopped = OperationError::Engine(Failure::Stopped(Stop::Cancelled));
    for engine in ENGINES {
        assert_eq!(ntt(CurveId::Bn254, &[0; 32], false, false, &engine, &control).unwrap_err(), stopped);
        assert_eq!(msm(CurveId::Bn254, Group::G1, &[0; 64], &[0; 32], &engine, &control).unwrap_err(), stopped);
    }
}
