//! Points as snarkjs's JSON has them.

use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use crate::curve::{Curve, RawPoint};
use crate::formats::encoding::point_from_coordinates;

/// A point in G1: x, y, z.
#[derive(Deserialize, Serialize)]
pub(super) struct G1Json([Decimal; 3]);

/// A point in G2: x, y, z, each as (c0, c1).
#[derive(Deserialize, Serialize)]
pub(super) struct G2Json([[Decimal; 2]; 3]);

impl G1Json {
    /// The point of x ‖ y, coordinates of `size` bytes big-endian; all zeros are infinity.
    pub(super) fn of_bytes(bytes: &[u8], size: usize) -> Self {
        if bytes.iter().all(|byte| *byte == 0) {
            return Self([0, 1, 0].map(Decimal::small));
        }
        let [x, y] = std::array::from_fn(|i| coordinate(bytes, size, i));
        Self([x, y, Decimal::small(1)])
    }

    /// The point, where it is on the curve.
    pub(super) fn point<A: RawPoint>(&self) -> Option<A> {
        let [x, y, z] = self.0.each_ref().map(|number| element(std::slice::from_ref(number)));
        projective(x?, y?, z?)
    }
}

impl G2Json {
    /// The point of x.c1 ‖ x.c0 ‖ y.c1 ‖ y.c0, as [`G1Json::of_bytes`].
    pub(super) fn of_bytes(bytes: &[u8], size: usize) -> Self {
        if bytes.iter().all(|byte| *byte == 0) {
            return Self([[0, 0], [1, 0], [0, 0]].map(|pair| pair.map(Decimal::small)));
        }
        let [x1, x0, y1, y0] = std::array::from_fn(|i| coordinate(bytes, size, i));
        Self([[x0, x1], [y0, y1], [1, 0].map(Decimal::small)])
    }

    /// The point, where it is on the curve.
    pub(super) fn point<A: RawPoint>(&self) -> Option<A> {
        let [x, y, z] = self.0.each_ref().map(|pair| element(pair));
        projective(x?, y?, z?)
    }
}

/// Coordinate number `i`; 0 where the bytes end before it.
fn coordinate(bytes: &[u8], size: usize, i: usize) -> Decimal {
    Decimal::of_bytes(bytes.get(i * size..(i + 1) * size).unwrap_or_default())
}

/// An element of its coefficients, each below the modulus.
fn element<F: Field>(coefficients: &[Decimal]) -> Option<F> {
    let coefficients: Option<Vec<F::BasePrimeField>> = coefficients.iter().map(Decimal::element).collect();
    F::from_base_prime_field_elems(coefficients?)
}

/// snarkjs writes z = 1, or (0, 1, 0) for infinity; other forms are refused.
fn projective<A: RawPoint>(x: A::BaseField, y: A::BaseField, z: A::BaseField) -> Option<A> {
    let (zero, one) = (A::BaseField::ZERO, A::BaseField::ONE);
    if z == zero {
        return (x == zero && y == one).then(A::zero);
    }
    // (0, 0, 1) is on no curve, so it must not become the infinity that (0, 0) stands for.
    (z == one && !(x == zero && y == zero)).then(|| point_from_coordinates(x, y)).flatten()
}

/// An element of the target field as snarkjs nests it: two of three of two coefficients.
pub(super) fn pairing_json<E: Curve>(element: E::TargetField) -> Vec<Vec<Vec<String>>> {
    let text = |coefficient: <E::TargetField as Field>::BasePrimeField| {
        Decimal::of_bytes(&coefficient.into_bigint().to_bytes_be()).into_text()
    };
    let coefficients: Vec<String> = element.to_base_prime_field_elements().map(text).collect();
    let pairs: Vec<Vec<String>> = coefficients.chunks(2).map(<[_]>::to_vec).collect();
    pairs.chunks(3).map(<[_]>::to_vec).collect()
}
