use ark_bn254::{Fq2, G2Affine};
use ark_ec::CurveGroup;
use ark_ff::UniformRand;

use super::*;
use crate::curve::{point_bytes, write_point};

#[test]
fn each_group_is_checked_as_its_cofactor_allows() {
    assert_eq!(SubgroupCheck::of::<ark_bn254::G1Affine>(), SubgroupCheck::None);
    assert_eq!(SubgroupCheck::of::<ark_bn254::G2Affine>(), SubgroupCheck::Together);
    assert_eq!(SubgroupCheck::of::<ark_bls12_381::G1Affine>(), SubgroupCheck::Alone);
    assert_eq!(SubgroupCheck::of::<ark_bls12_381::G2Affine>(), SubgroupCheck::Alone);
}

#[test]
fn the_smallest_factor_of_the_cofactor_is_10069() {
    let cofactor = <ark_bn254::g2::Config as CurveConfig>::COFACTOR;
    assert_eq!((2..20_000).find(|divisor| is_divisible(cofactor, *divisor)), Some(10_069));
}

/// The argument is about E/G, whose order must be the cofactor that was looked at: that cofactor takes a point of E
/// into G.
#[test]
fn the_cofactor_takes_a_point_into_the_group() {
    let outside = outside();
    let cleared = outside.mul_by_cofactor_to_group().into_affine();
    assert!(!cleared.is_zero() && cleared.is_valid());
}

fn outside() -> G2Affine {
    (1u64..)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::from(x), false))
        .find(|point| !point.is_valid())
        .expect("most points of the twist")
}

/// Enough points for sums, then a last set that is too small for them.
fn points(count: usize) -> Vec<G2Affine> {
    let mut rng = ark_std::test_rng();
    let step = ark_bn254::G2Projective::rand(&mut rng);
    let projective: Vec<_> = std::iter::successors(Some(step), |point| Some(*point + step)).take(count).collect();
    ark_bn254::G2Projective::normalize_batch(&projective)
}

fn bytes_of(points: &[G2Affine]) -> Vec<u8> {
    let size = point_bytes::<G2Affine>();
    let mut bytes = vec![0; points.len() * size];
    for (point, bytes) in points.iter().zip(bytes.chunks_exact_mut(size)) {
        write_point(point, bytes);
    }
    bytes
}

#[test]
fn one_point_outside_is_found_by_its_number() {
    let mut points = points(POINTS_TOGETHER_MIN + 5);
    let find = |points: &[G2Affine]| first_outside(RawPoints::<G2Affine>::new(&bytes_of(points)), &Control::default());
    points[3] = G2Affine::zero();
    assert_eq!(find(&points), Ok(None));
    assert_eq!(find(&points[..9]), Ok(None));
    for at in [0, 8, POINTS_TOGETHER_MIN + 4] {
        let mut points = points.clone();
        points[at] = outside();
        assert_eq!(find(&points), Ok(Some(at)));
    }
    // Two that cancel each other out in a plain sum.
    points[7] = outside();
    points[9] = -outside();
    assert_eq!(find(&points), Ok(Some(7)));
}

/// A point of the smallest order outside, 10069, alone among good ones: one sum misses it with a probability of
/// 1/10069 or so, ten do not.
#[test]
fn a_point_of_order_10069_is_found() {
    let cofactor = <ark_bn254::g2::Config as CurveConfig>::COFACTOR;
    let quotient = divided(cofactor, 10_069);
    let order = <ark_bn254::Fr as ark_ff::PrimeField>::MODULUS.0;
    let small = outside().into_group();
    let small = ark_ec::PrimeGroup::mul_bigint(&ark_ec::PrimeGroup::mul_bigint(&small, quotient), order);
    assert!(!small.is_zero());
    assert!(ark_ec::PrimeGroup::mul_bigint(&small, [10_069u64]).is_zero());
    let mut points = points(POINTS_TOGETHER_MIN);
    points[5] = small.into_affine();
    let bytes = bytes_of(&points);
    assert_eq!(are_inside(RawPoints::<G2Affine>::new(&bytes), 0..points.len(), &Control::default()), Ok(false));
}

fn divided(number: &[u64], divisor: u64) -> Vec<u64> {
    let mut remainder = 0u64;
    let mut quotient = number.to_vec();
    for limb in quotient.iter_mut().rev() {
        let dividend = (u128::from(remainder) << 64) | u128::from(*limb);
        *limb = (dividend / u128::from(divisor)) as u64;
        remainder = (dividend % u128::from(divisor)) as u64;
    }
    quotient
}

#[test]
fn the_check_can_be_given_up() {
    let bytes = bytes_of(&points(POINTS_TOGETHER_MIN));
    let control = Control::default();
    control.cancel();
    assert_eq!(first_outside(RawPoints::<G2Affine>::new(&bytes), &control), Err(Stop::Cancelled));
}
