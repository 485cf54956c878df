//! The rules of this room written out for reading, over a field library and a SHA-512 that share no code with
//! the one under test: points as (X : Y : Z) with one addition formula, scalars bit by bit.

#![allow(unexpected_cfgs, reason = "the derive macro of ark-ff asks for a feature of its own crate")]

use ark_ff::{AdditiveGroup, BigInteger, Field, Fp256, MontBackend, MontConfig, PrimeField};
use aws_lc_rs::digest::{Context, SHA512};
use outrigger_types::Verdict;

/// The field of the curve: p = 2²⁵⁵ − 19.
#[derive(MontConfig)]
#[modulus = "57896044618658097711785492504343953926634992332820282019728792003956564819949"]
#[generator = "2"]
struct CoordinateConfig;
type Coordinate = Fp256<MontBackend<CoordinateConfig, 4>>;

/// The field of scalars: L = 2²⁵² + 27742317777372353535851937790883648493.
#[derive(MontConfig)]
#[modulus = "7237005577332262213973186563042994240857116359379907606001950938285454250989"]
#[generator = "2"]
struct ScalarConfig;
type Scalar = Fp256<MontBackend<ScalarConfig, 4>>;

/// Which rule.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Strict,
    Zip215,
}

/// The verdict on one item.
pub(super) fn verdict(rule: Rule, key: &[u8], signature: &[u8], message: &[u8]) -> Verdict {
    let (Ok(key), Ok(signature)) = (<&[u8; 32]>::try_from(key), <&[u8; 64]>::try_from(signature)) else {
        return Verdict::Malformed;
    };
    let (r_bytes, s_bytes) = signature.split_at(32);
    let r_bytes: &[u8; 32] = r_bytes.try_into().expect("32 bytes");
    let (Some(a), Some(r)) = (Point::decode(key), Point::decode(r_bytes)) else {
        return Verdict::Malformed;
    };
    let mut s_big_endian = s_bytes.to_vec();
    s_big_endian.reverse();
    if s_big_endian >= Scalar::MODULUS.to_bytes_be() {
        return Verdict::Invalid;
    }
    let s = Scalar::from_be_bytes_mod_order(&s_big_endian);
    let expected = Point::base().times(s).plus(a.times(challenge(r_bytes, key, message)).negative());
    Verdict::from_equation(match rule {
        Rule::Zip215 => expected.plus(r.negative()).eightfold().is_identity(),
        Rule::Strict => !a.eightfold().is_identity() && !r.eightfold().is_identity() && expected.encode() == *r_bytes,
    })
}

/// k = SHA-512(R‖A‖M) mod L.
fn challenge(r: &[u8], key: &[u8], message: &[u8]) -> Scalar {
    let mut context = Context::new(&SHA512);
    context.update(r);
    context.update(key);
    context.update(message);
    Scalar::from_le_bytes_mod_order(context.finish().as_ref())
}

/// All encodings of points P with \[8\]P = 0 that the decoder takes.
pub(super) fn small_order_encodings() -> Vec<[u8; 32]> {
    let order = Scalar::MODULUS.to_bits_be();
    // [L]P has an order that divides 8, and exactly 8 for about half of all points.
    let generator = (2_u8..)
        .filter_map(|y| {
            let mut bytes = [0; 32];
            bytes[0] = y;
            Point::decode(&bytes)
        })
        .map(|point| point.times_integer(&order))
        .find(|point| !point.plus(*point).plus(point.plus(*point)).is_identity())
        .expect("a point of order 8");
    let mut encodings = Vec::new();
    let mut point = Point::IDENTITY;
    for _ in 0..8 {
        encodings.extend(point.all_encodings());
        point = point.plus(generator);
    }
    encodings
}

/// A point of −x² + y² = 1 + dx²y².
#[derive(Clone, Copy)]
struct Point {
    x: Coordinate,
    y: Coordinate,
    z: Coordinate,
}

fn d() -> Coordinate {
    -Coordinate::from(121_665_u64) / Coordinate::from(121_666_u64)
}

impl Point {
    const IDENTITY: Self = Self { x: Coordinate::ZERO, y: Coordinate::ONE, z: Coordinate::ONE };

    /// y = 4/5 with x even.
    fn base() -> Self {
        let y = Coordinate::from(4_u64) / Coordinate::from(5_u64);
        Self::with_y(y, false).expect("the base point")
    }

    fn with_y(y: Coordinate, x_is_odd: bool) -> Option<Self> {
        let square = y.square();
        let x = ((square - Coordinate::ONE) / (d() * square + Coordinate::ONE)).sqrt()?;
        let x = if x.into_bigint().is_odd() == x_is_odd { x } else { -x };
        Some(Self { x, y, z: Coordinate::ONE })
    }

    /// y is taken mod p; the sign of x = 0 is ignored.
    fn decode(bytes: &[u8; 32]) -> Option<Self> {
        let mut y = *bytes;
        y[31] &= 0x7f;
        Self::with_y(Coordinate::from_le_bytes_mod_order(&y), bytes[31] >> 7 == 1)
    }

    /// The canonical encoding.
    fn encode(self) -> [u8; 32] {
        let (x, y) = (self.x / self.z, self.y / self.z);
        let mut bytes: [u8; 32] = y.into_bigint().to_bytes_le().try_into().expect("32 bytes");
        bytes[31] |= u8::from(x.into_bigint().is_odd()) << 7;
        bytes
    }

    /// The canonical encoding, and those with y + p below 2²⁵⁵ or a sign on x = 0.
    fn all_encodings(self) -> Vec<[u8; 32]> {
        let canonical = self.encode();
        let mut encodings = vec![canonical];
        let y = self.y / self.z;
        if let Some(low) = (0..19_u8).find(|low| y == Coordinate::from(u64::from(*low))) {
            // p ends in 0xed and is 0xff up to its top byte, so y + p is too.
            let mut raised = [0xff; 32];
            raised[0] = 0xed + low;
            raised[31] = 0x7f | (canonical[31] & 0x80);
            encodings.push(raised);
        }
        if self.x == Coordinate::ZERO {
            for mut signed in encodings.clone() {
                signed[31] ^= 0x80;
                encodings.push(signed);
            }
        }
        encodings
    }

    /// The complete addition of twisted Edwards curves (Bernstein, Birkner, Joye, Lange, Peters 2008).
    fn plus(self, other: Self) -> Self {
        let a = self.z * other.z;
        let b = a.square();
        let c = self.x * other.x;
        let e = self.y * other.y;
        let f = d_times(c * e);
        let x = a * (b - f) * ((self.x + self.y) * (other.x + other.y) - c - e);
        let y = a * (b + f) * (e + c);
        Self { x, y, z: (b - f) * (b + f) }
    }

    fn negative(self) -> Self {
        Self { x: -self.x, ..self }
    }

    fn eightfold(self) -> Self {
        (0..3).fold(self, |point, _| point.plus(point))
    }

    fn times(self, scalar: Scalar) -> Self {
        self.times_integer(&scalar.into_bigint().to_bits_be())
    }

    /// Bits from the highest down.
    fn times_integer(self, bits: &[bool]) -> Self {
        bits.iter().fold(Self::IDENTITY, |sum, &bit| {
            let double = sum.plus(sum);
            if bit { double.plus(self) } else { double }
        })
    }

    fn is_identity(self) -> bool {
        self.x == Coordinate::ZERO && self.y == self.z
    }
}

fn d_times(value: Coordinate) -> Coordinate {
    static D: std::sync::LazyLock<Coordinate> = std::sync::LazyLock::new(d);
    *D * value
}
