use ark_bn254::Bn254;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{FftField, Field, One, UniformRand, Zero};
use ark_std::test_rng;

use super::*;

fn a_root_has_its_order<E: Curve>() {
    let root = E::root_of_unity();
    let half = root.pow([1u64 << (E::ScalarField::TWO_ADICITY - 1)]);
    assert_eq!(half, -E::ScalarField::one(), "primitive");
    assert!(E::ScalarField::from(5u64).legendre().is_qnr(), "5 is a non-residue");
    assert!((2..5).all(|small| E::ScalarField::from(small as u64).legendre().is_qr()), "and the smallest");
}

#[test]
fn roots_have_their_order() {
    a_root_has_its_order::<Bn254>();
    a_root_has_its_order::<Bls12_381>();
}

#[test]
fn roots_differ_from_those_of_arkworks_on_bls12_381_only() {
    assert_eq!(Bn254::root_of_unity(), ark_bn254::Fr::TWO_ADIC_ROOT_OF_UNITY);
    assert_ne!(Bls12_381::root_of_unity(), ark_bls12_381::Fr::TWO_ADIC_ROOT_OF_UNITY);
}

fn points_are_read_back<A: RawPoint<BaseField: RawField>>() {
    let mut rng = test_rng();
    let mut bytes = vec![0; 4 * point_bytes::<A>()];
    let mut points: Vec<A> = (0..3).map(|_| A::Group::rand(&mut rng).into_affine()).collect();
    points.push(A::zero());
    for (point, chunk) in points.iter().zip(bytes.chunks_exact_mut(point_bytes::<A>())) {
        write_point(point, chunk);
        assert!(<A::BaseField as RawField>::from_montgomery(&chunk[..A::BaseField::BYTES]).is_some());
    }
    let read = RawPoints::<A>::new(&bytes);
    assert_eq!(read.len(), 4);
    assert!((0..4).all(|i| read.point(i) == points[i]));
    assert!(points.iter().all(RawPoint::is_valid));
}

#[test]
fn points_are_read_as_written() {
    points_are_read_back::<ark_bn254::G1Affine>();
    points_are_read_back::<ark_bn254::G2Affine>();
    points_are_read_back::<ark_bls12_381::G1Affine>();
    points_are_read_back::<ark_bls12_381::G2Affine>();
}

#[test]
fn the_modulus_is_not_canonical() {
    let mut bytes = [0xff; 32];
    assert!(ark_bn254::Fq::from_montgomery(&bytes).is_none());
    for (chunk, limb) in bytes.chunks_exact_mut(8).zip(ark_bn254::Fq::MODULUS.0) {
        chunk.copy_from_slice(&limb.to_le_bytes());
    }
    assert!(ark_bn254::Fq::from_montgomery(&bytes).is_none(), "q itself");
    bytes[0] -= 1;
    assert!(ark_bn254::Fq::from_montgomery(&bytes).is_some(), "q - 1");
    assert!(ark_bn254::Fq2::from_montgomery(&[bytes, [0xff; 32]].concat()).is_none());
}

fn sums_and_differences_are_arkworks<F: RawField>() {
    let mut rng = test_rng();
    let mut elements: Vec<F> = (0..20).map(|_| F::rand(&mut rng)).collect();
    elements.extend([F::ZERO, F::ONE, -F::ONE, F::ONE.double(), -F::ONE.double()]);
    for one in &elements {
        assert_eq!((one.negated_if(true), one.negated_if(false)), (-*one, *one));
        for other in elements.iter().chain([&-*one]) {
            assert_eq!(one.plus(other), *one + other);
            assert_eq!(one.minus(other), *one - other);
        }
    }
}

#[test]
fn sums_and_differences_without_branches_are_the_same() {
    sums_and_differences_are_arkworks::<ark_bn254::Fr>();
    sums_and_differences_are_arkworks::<ark_bn254::Fq>();
    sums_and_differences_are_arkworks::<ark_bn254::Fq2>();
    sums_and_differences_are_arkworks::<ark_bls12_381::Fr>();
    sums_and_differences_are_arkworks::<ark_bls12_381::Fq>();
    sums_and_differences_are_arkworks::<ark_bls12_381::Fq2>();
}

#[test]
fn a_point_off_the_curve_or_the_subgroup_is_not_valid() {
    let one = ark_bn254::Fq::one();
    assert!(!ark_bn254::G1Affine::from_xy_unchecked(one, one).is_valid());
    // The cofactor of BLS12-381's G1 is not 1: a point of the curve at random is outside the subgroup.
    let mut x = ark_bls12_381::Fq::one();
    let outside = loop {
        match ark_bls12_381::G1Affine::get_point_from_x_unchecked(x, false) {
            Some(point) if !point.is_in_correct_subgroup_assuming_on_curve() => break point,
            _ => x += ark_bls12_381::Fq::one(),
        }
    };
    assert!(!outside.is_valid());
    assert!(ark_bls12_381::G1Projective::generator().into_affine().is_valid());
}

#[test]
fn a_stored_coefficient_times_a_plain_value_is_the_product() {
    let mut rng = test_rng();
    type Fr = ark_bn254::Fr;
    let (coefficient, value) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
    // As snarkjs stores it: c·R², which is the Montgomery form of c·R.
    let r = Fr::from(2u64).pow([256u64]);
    let stored = Fr::from_raw_limbs((coefficient * r).0.0);
    assert_eq!(stored * Fr::from_raw_limbs(value.into_bigint().0), coefficient * value);
}

/// A point of the twist of BN254, as a rule outside G2.
fn on_the_twist(rng: &mut impl ark_std::rand::Rng) -> ark_bn254::G2Affine {
    loop {
        let x = ark_bn254::Fq2::rand(rng);
        if let Some(point) = ark_bn254::G2Affine::get_point_from_x_unchecked(x, rng.r#gen()) {
            return point;
        }
    }
}

#[test]
fn the_fast_test_of_g2_is_that_of_the_order() {
    let mut rng = test_rng();
    let order = ark_bn254::Fr::MODULUS;
    for _ in 0..16 {
        let good = ark_bn254::G2Projective::rand(&mut rng);
        let outside = on_the_twist(&mut rng);
        // Of an order that divides the cofactor.
        let of_cofactor = outside.mul_bigint(order);
        assert!(!of_cofactor.is_zero());
        assert!(Bn254::is_in_g2(&good.into_affine()));
        assert!(Bn254::is_in_g2(&outside.mul_by_cofactor()));
        for bad in [outside.into(), of_cofactor, of_cofactor + good] {
            assert!(!Bn254::is_in_g2(&bad.into_affine()));
            assert!(!bad.mul_bigint(order).is_zero(), "as the definition has it");
        }
    }
    assert!(Bn254::is_in_g2(&ark_bn254::G2Affine::zero()));
}
