//! A third judge, as plain as can be: affine points with an inversion for each addition, one scalar after the
//! other, over arkworks' fields. It shares nothing with this room's engine but the constants of the standard.

use ark_ff::{AdditiveGroup, BigInteger, Field, Fp256, MontBackend, MontConfig, PrimeField, Zero};

use super::Verdict;

/// p.
#[derive(MontConfig)]
#[modulus = "115792089210356248756420345214020892766250353991924191454421193933289684991999"]
#[generator = "13"]
pub(super) struct FqConfig;
pub(super) type Fq = Fp256<MontBackend<FqConfig, 4>>;

/// n.
#[derive(MontConfig)]
#[modulus = "115792089210356248756420345214020892766061623724957744567843809356293439045923"]
#[generator = "3"]
pub(super) struct FrConfig;
pub(super) type Fr = Fp256<MontBackend<FrConfig, 4>>;

/// A point, `None` for infinity.
type Point = Option<(Fq, Fq)>;

const A: &str = "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc";
const B: &str = "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93";
const BASE: [&str; 2] = [
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7",
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0",
];

fn constant(hex: &str) -> Fq {
    Fq::from_be_bytes_mod_order(&hex::decode(hex).expect("hex"))
}

fn add(p: Point, q: Point) -> Point {
    let (Some((x1, y1)), Some((x2, y2))) = (p, q) else { return p.or(q) };
    let slope = if x1 != x2 {
        (y2 - y1) / (x2 - x1)
    } else if y1 == y2 && !y1.is_zero() {
        (x1.square() * Fq::from(3) + constant(A)) / y1.double()
    } else {
        return None;
    };
    let x = slope.square() - x1 - x2;
    Some((x, slope * (x1 - x) - y1))
}

fn multiply(scalar: Fr, point: Point) -> Point {
    scalar.into_bigint().to_bits_be().into_iter().fold(None, |sum, bit| {
        let doubled = add(sum, sum);
        if bit { add(doubled, point) } else { doubled }
    })
}

/// A number below the modulus, or nothing.
fn strict<F: PrimeField>(bytes: &[u8]) -> Option<F> {
    let value = F::from_be_bytes_mod_order(bytes);
    (value.into_bigint().to_bytes_be() == bytes).then_some(value)
}

pub(super) fn verify(key: &[u8; 64], e: &[u8; 32], signature: &[u8; 64]) -> Verdict {
    let (Some(x), Some(y)) = (strict::<Fq>(&key[..32]), strict::<Fq>(&key[32..])) else {
        return Verdict::Malformed;
    };
    if y.square() != x * x * x + constant(A) * x + constant(B) {
        return Verdict::Malformed;
    }
    let (Some(r), Some(s)) = (strict::<Fr>(&signature[..32]), strict::<Fr>(&signature[32..])) else {
        return Verdict::Invalid;
    };
    if r.is_zero() || s.is_zero() || (r + s).is_zero() {
        return Verdict::Invalid;
    }
    let base = Some((constant(BASE[0]), constant(BASE[1])));
    match add(multiply(s, base), multiply(r + s, Some((x, y)))) {
        None => Verdict::Invalid,
        Some((x1, _)) => {
            let x1 = Fr::from_be_bytes_mod_order(&x1.into_bigint().to_bytes_be());
            Verdict::from_equation(Fr::from_be_bytes_mod_order(e) + x1 == r)
        }
    }
}
