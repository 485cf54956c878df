//! What the formats and the prover must know of a curve beyond its arithmetic.

mod bn254;

use std::marker::PhantomData;

use ark_bls12_381::Bls12_381;
use ark_ec::AffineRepr;
use ark_ec::pairing::Pairing;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{AdditiveGroup, BigInt, Field, Fp, FpConfig, PrimeField, QuadExtConfig, QuadExtField};
use outrigger_vector::{msm, ntt};

use crate::engine::vector::Transforms;
use crate::engine::{Arithmetic, ProofEngine};

/// Limbs of a scalar: both scalar fields fit into 256 bits.
pub const SCALAR_LIMBS: usize = 4;
/// Bytes of a scalar.
pub const SCALAR_BYTES: usize = 8 * SCALAR_LIMBS;

/// A pairing-friendly curve as circom and snarkjs use it.
pub trait Curve:
    Pairing<
        ScalarField: RawScalar,
        BaseField: RawField,
        G1Affine: RawPoint<BaseField = <Self as Pairing>::BaseField>,
        G2Affine: RawPoint<BaseField: RawField>,
    >
{
    /// Which curve it is.
    const ID: outrigger_types::Curve;

    /// G1 in the lanes of the vector engine.
    type G1Lanes: msm::Curve<Number = <<Self as Pairing>::BaseField as RawField>::Number>;
    /// G2 likewise.
    type G2Lanes: msm::Curve<Number = <<Self::G2Affine as AffineRepr>::BaseField as RawField>::Number>;
    /// The scalars likewise.
    type ScalarLanes: ntt::ScalarField;

    /// The tables of the vector engine's transforms over this curve's scalars.
    fn transforms() -> &'static Transforms<Self::ScalarLanes>;

    /// What an engine does on this curve.
    fn arithmetic(engine: &dyn ProofEngine) -> &dyn Arithmetic<Self>;

    /// A 2^s-th root of unity, s being the two-adicity of the scalar field, as snarkjs takes it: 5, the smallest
    /// quadratic non-residue of both fields, to the power (r − 1) / 2^s. arkworks takes another one on BLS12-381, so
    /// its domains cannot prove with a key of snarkjs there.
    fn root_of_unity() -> Self::ScalarField {
        Self::ScalarField::from(5u64).pow(Self::ScalarField::TRACE)
    }

    /// Whether a point that is on its curve is in the subgroup of order r.
    fn is_in_g2(point: &Self::G2Affine) -> bool {
        point.is_valid()
    }
}

impl Curve for Bls12_381 {
    const ID: outrigger_types::Curve = outrigger_types::Curve::Bls12_381;

    type G1Lanes = outrigger_vector::bls12_381::G1;
    type G2Lanes = outrigger_vector::bls12_381::G2;
    type ScalarLanes = ntt::Bls12381Scalars;

    fn arithmetic(engine: &dyn ProofEngine) -> &dyn Arithmetic<Self> {
        engine.bls12_381()
    }

    fn transforms() -> &'static Transforms<Self::ScalarLanes> {
        static TRANSFORMS: Transforms<ntt::Bls12381Scalars> = Transforms::new();
        &TRANSFORMS
    }
}

/// A field element as circom's files hold it: little-endian, in Montgomery form with R = 2^(64 × limbs). arkworks
/// holds it the same way, so reading and writing cost no multiplication.
pub trait RawField: Field {
    /// Bytes of an element; for an extension, of all its coefficients.
    const BYTES: usize;

    /// Its Montgomery form as words, the least significant first; for an extension, that of each coefficient.
    type Number: Copy + Send + Sync;

    /// The Montgomery form.
    fn number(&self) -> Self::Number;

    /// The element whose Montgomery form this is, without a look at whether it is below the modulus: see
    /// [`RawField::from_montgomery_unchecked`].
    fn of_number(number: Self::Number) -> Self;

    /// The element that these bytes hold, without a look at whether they are below the modulus. Bytes that are not
    /// give an element that breaks its type's invariants: results are then wrong, not unsafe.
    ///
    /// # Panics
    /// Where there are not [`RawField::BYTES`] bytes.
    fn from_montgomery_unchecked(bytes: &[u8]) -> Self;

    /// Whether bytes hold an element that is below the modulus.
    fn is_canonical(bytes: &[u8]) -> bool;

    /// Writes the element.
    ///
    /// # Panics
    /// Where there are not [`RawField::BYTES`] bytes.
    fn write_montgomery(&self, bytes: &mut [u8]);

    /// The sum, computed without a branch. arkworks' addition branches on whether to subtract the modulus, which a
    /// processor mispredicts every other time: 5 ns, where the addition itself takes one.
    fn plus(&self, other: &Self) -> Self;

    /// The difference, computed without a branch: see [`RawField::plus`].
    fn minus(&self, other: &Self) -> Self;

    /// Itself, or with `negative` its negation, computed without a branch.
    fn negated_if(&self, negative: bool) -> Self;

    /// The element, where the bytes hold one.
    fn from_montgomery(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == Self::BYTES && Self::is_canonical(bytes)).then(|| Self::from_montgomery_unchecked(bytes))
    }
}

impl<P: FpConfig<N>, const N: usize> RawField for Fp<P, N> {
    const BYTES: usize = 8 * N;

    type Number = [u64; N];

    #[inline]
    fn number(&self) -> [u64; N] {
        self.0.0
    }

    #[inline]
    fn of_number(number: [u64; N]) -> Self {
        Self(BigInt(number), PhantomData)
    }

    #[inline]
    fn from_montgomery_unchecked(bytes: &[u8]) -> Self {
        Self(read_limbs(bytes), PhantomData)
    }

    fn is_canonical(bytes: &[u8]) -> bool {
        read_limbs::<N>(bytes) < P::MODULUS
    }

    fn write_montgomery(&self, bytes: &mut [u8]) {
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(self.0.0) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
    }

    #[inline]
    fn plus(&self, other: &Self) -> Self {
        let (sum, carry) = add_limbs(&self.0.0, &other.0.0);
        let (reduced, borrow) = subtract_limbs(&sum, &P::MODULUS.0);
        let keep = u64::from(borrow & !carry).wrapping_neg();
        let limbs = std::array::from_fn(|i| (sum[i] & keep) | (reduced[i] & !keep));
        Self(BigInt(limbs), PhantomData)
    }

    #[inline]
    fn minus(&self, other: &Self) -> Self {
        let (difference, borrow) = subtract_limbs(&self.0.0, &other.0.0);
        let mask = u64::from(borrow).wrapping_neg();
        let (limbs, _) = add_limbs(&difference, &P::MODULUS.0.map(|limb| limb & mask));
        Self(BigInt(limbs), PhantomData)
    }

    #[inline]
    fn negated_if(&self, negative: bool) -> Self {
        let negated = Self::ZERO.minus(self);
        let mask = u64::from(negative).wrapping_neg();
        let limbs = std::array::from_fn(|i| (negated.0.0[i] & mask) | (self.0.0[i] & !mask));
        Self(BigInt(limbs), PhantomData)
    }
}

impl<P: QuadExtConfig<BaseField: RawField>> RawField for QuadExtField<P> {
    const BYTES: usize = 2 * P::BaseField::BYTES;

    type Number = [<P::BaseField as RawField>::Number; 2];

    #[inline]
    fn number(&self) -> Self::Number {
        [self.c0.number(), self.c1.number()]
    }

    #[inline]
    fn of_number([c0, c1]: Self::Number) -> Self {
        Self::new(P::BaseField::of_number(c0), P::BaseField::of_number(c1))
    }

    #[inline]
    fn from_montgomery_unchecked(bytes: &[u8]) -> Self {
        let (c0, c1) = bytes.split_at(P::BaseField::BYTES);
        Self::new(P::BaseField::from_montgomery_unchecked(c0), P::BaseField::from_montgomery_unchecked(c1))
    }

    fn is_canonical(bytes: &[u8]) -> bool {
        let (c0, c1) = bytes.split_at(P::BaseField::BYTES);
        P::BaseField::is_canonical(c0) && P::BaseField::is_canonical(c1)
    }

    fn write_montgomery(&self, bytes: &mut [u8]) {
        let (c0, c1) = bytes.split_at_mut(P::BaseField::BYTES);
        self.c0.write_montgomery(c0);
        self.c1.write_montgomery(c1);
    }

    #[inline]
    fn plus(&self, other: &Self) -> Self {
        Self::new(self.c0.plus(&other.c0), self.c1.plus(&other.c1))
    }

    #[inline]
    fn minus(&self, other: &Self) -> Self {
        Self::new(self.c0.minus(&other.c0), self.c1.minus(&other.c1))
    }

    #[inline]
    fn negated_if(&self, negative: bool) -> Self {
        Self::new(self.c0.negated_if(negative), self.c1.negated_if(negative))
    }
}

/// The sum and its carry.
#[inline]
fn add_limbs<const N: usize>(one: &[u64; N], other: &[u64; N]) -> ([u64; N], bool) {
    let mut carry = false;
    let sum = std::array::from_fn(|i| {
        let (sum, first) = one[i].overflowing_add(other[i]);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        carry = first | second;
        sum
    });
    (sum, carry)
}

/// The difference and its borrow.
#[inline]
fn subtract_limbs<const N: usize>(one: &[u64; N], other: &[u64; N]) -> ([u64; N], bool) {
    let mut borrow = false;
    let difference = std::array::from_fn(|i| {
        let (difference, first) = one[i].overflowing_sub(other[i]);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        borrow = first | second;
        difference
    });
    (difference, borrow)
}

#[inline]
fn read_limbs<const N: usize>(bytes: &[u8]) -> BigInt<N> {
    assert_eq!(bytes.len(), 8 * N, "bytes of a field element");
    let mut limbs = [0; N];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
    }
    BigInt(limbs)
}

/// A scalar whose limbs can be taken and given as they lie in memory.
pub trait RawScalar: RawField + PrimeField {
    /// The element whose Montgomery form these limbs are. With a *plain* value v they make the element v / R; times
    /// a coefficient that is stored as c·R² (as section 4 of a `.zkey` has it) one multiplication gives c·v.
    fn from_raw_limbs(limbs: [u64; SCALAR_LIMBS]) -> Self;

    /// The limbs of the Montgomery form.
    fn raw_limbs(&self) -> [u64; SCALAR_LIMBS];

    /// The element of a plain value, where it is below r.
    fn from_plain_limbs(limbs: [u64; SCALAR_LIMBS]) -> Option<Self>;

    /// The plain value.
    fn plain_limbs(&self) -> [u64; SCALAR_LIMBS];
}

impl<P: FpConfig<SCALAR_LIMBS>> RawScalar for Fp<P, SCALAR_LIMBS> {
    #[inline]
    fn from_raw_limbs(limbs: [u64; SCALAR_LIMBS]) -> Self {
        Self(BigInt(limbs), PhantomData)
    }

    #[inline]
    fn raw_limbs(&self) -> [u64; SCALAR_LIMBS] {
        self.0.0
    }

    fn from_plain_limbs(limbs: [u64; SCALAR_LIMBS]) -> Option<Self> {
        Self::from_bigint(BigInt(limbs))
    }

    #[inline]
    fn plain_limbs(&self) -> [u64; SCALAR_LIMBS] {
        self.into_bigint().0
    }
}

/// An affine point of y² = x³ + b that is made of its coordinates without a look at them.
pub trait RawPoint: AffineRepr {
    /// The coefficient b.
    const B: Self::BaseField;

    /// The point (x, y), which must be on the curve, or a result computed from it is wrong.
    fn from_xy_unchecked(x: Self::BaseField, y: Self::BaseField) -> Self;

    /// Whether it lies on the curve and in the subgroup of order r; infinity does.
    fn is_valid(&self) -> bool;
}

impl<P: SWCurveConfig> RawPoint for Affine<P> {
    const B: P::BaseField = P::COEFF_B;

    #[inline]
    fn from_xy_unchecked(x: P::BaseField, y: P::BaseField) -> Self {
        Self::new_unchecked(x, y)
    }

    fn is_valid(&self) -> bool {
        self.is_on_curve() && self.is_in_correct_subgroup_assuming_on_curve()
    }
}

/// Bytes of a point in a `.zkey`: both coordinates.
pub const fn point_bytes<A: RawPoint<BaseField: RawField>>() -> usize {
    2 * A::BaseField::BYTES
}

/// Reads a point of a `.zkey`; (0, 0) means infinity. See [`RawField::from_montgomery_unchecked`] for what is not
/// checked.
#[inline]
pub fn read_point_unchecked<A: RawPoint<BaseField: RawField>>(bytes: &[u8]) -> A {
    let (x, y) = bytes.split_at(A::BaseField::BYTES);
    let (x, y) = (A::BaseField::from_montgomery_unchecked(x), A::BaseField::from_montgomery_unchecked(y));
    if x == A::BaseField::ZERO && y == A::BaseField::ZERO { A::zero() } else { A::from_xy_unchecked(x, y) }
}

/// Reads a point as a `.zkey` has it, where both coordinates are below the modulus. It need not lie on its curve.
pub fn read_point<A: RawPoint<BaseField: RawField>>(bytes: &[u8]) -> Option<A> {
    let (x, y) = bytes.split_at_checked(A::BaseField::BYTES)?;
    let (x, y) = (A::BaseField::from_montgomery(x)?, A::BaseField::from_montgomery(y)?);
    let is_infinity = x == A::BaseField::ZERO && y == A::BaseField::ZERO;
    Some(if is_infinity { A::zero() } else { A::from_xy_unchecked(x, y) })
}

/// Writes a point as a `.zkey` has it.
pub fn write_point<A: RawPoint<BaseField: RawField>>(point: &A, bytes: &mut [u8]) {
    let (first, second) = bytes.split_at_mut(A::BaseField::BYTES);
    let (x, y) = point.xy().unwrap_or_default();
    x.write_montgomery(first);
    y.write_montgomery(second);
}

/// Where an engine takes points from: a slice, or a section of a mapped key.
pub trait Points<A>: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// Point number `i`.
    ///
    /// # Panics
    /// Where there are not so many.
    fn point(&self, i: usize) -> A;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<A: Copy + Sync> Points<A> for &[A] {
    fn len(&self) -> usize {
        <[A]>::len(self)
    }

    #[inline]
    fn point(&self, i: usize) -> A {
        self[i]
    }
}

/// Points as a `.zkey` holds them.
#[derive(Clone, Copy, Debug)]
pub struct RawPoints<'a, A> {
    bytes: &'a [u8],
    point: PhantomData<fn() -> A>,
}

impl<'a, A: RawPoint<BaseField: RawField>> RawPoints<'a, A> {
    /// The points in `bytes`, of which there must be a whole number.
    pub fn new(bytes: &'a [u8]) -> Self {
        debug_assert_eq!(bytes.len() % point_bytes::<A>(), 0, "whole points");
        Self { bytes, point: PhantomData }
    }
}

impl<A: RawPoint<BaseField: RawField>> Points<A> for RawPoints<'_, A> {
    fn len(&self) -> usize {
        self.bytes.len() / point_bytes::<A>()
    }

    #[inline]
    fn point(&self, i: usize) -> A {
        let size = point_bytes::<A>();
        read_point_unchecked(&self.bytes[i * size..(i + 1) * size])
    }
}

#[cfg(test)]
mod tests;
