//! Signatures that no honest signer makes: keys, nonces and the two scalars of a verification at the edges of what
//! windows, combs and endomorphisms cut, sums that are infinity, x ≥ n, points of small order, encodings that are not
//! canonical. Made from the equations, over libraries that share no code with the kernels.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::scalar::Scalar as Ed25519Scalar;
use k256::elliptic_curve::group::Group;
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use k256::elliptic_curve::{CurveArithmetic, Field, FieldBytes, PrimeField};
use outrigger_types::{MessageForm, Ruleset, Verdict};
use rand::RngExt;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256, Sha512};
use sha3::Keccak256;

use crate::support::signers::Signed;

/// λ of the endomorphism of secp256k1; on other curves a number like any other.
const LAMBDA: [u8; 32] = [
    0x53, 0x63, 0xad, 0x4c, 0xc0, 0x5c, 0x30, 0xe0, 0xa5, 0x26, 0x1c, 0x02, 0x88, 0x12, 0x64, 0x5a, 0x12, 0x2e, 0x22,
    0xea, 0x20, 0x81, 0x66, 0x78, 0xdf, 0x02, 0x96, 0x7c, 0x1b, 0x23, 0xbd, 0x72,
];
/// As all signers here.
const SM2_IDENTITY: &str = "1234567812345678";
/// Messages are at most this long, in bytes.
const MESSAGE_MAX: usize = 300;

/// An item of a ruleset, most often valid; its verdict is left to the reference.
pub(super) fn item(ruleset: Ruleset, form: MessageForm, random: &mut StdRng) -> Signed {
    let (key, signature, message) = match ruleset {
        Ruleset::EthereumTransaction | Ruleset::EthereumPrecompile | Ruleset::FiscoSecp256k1 => recoverable(random),
        Ruleset::Bitcoin => bitcoin(random),
        Ruleset::Bip340 => bip340(form, random),
        Ruleset::Fabric => fabric(form, random),
        Ruleset::EthereumP256Verify => {
            let of = ecdsa::<p256::NistP256>(None, random);
            (of.key(), of.compact(), of.digest.to_vec())
        }
        Ruleset::Sm2Digest => sm2_by_equation(random),
        Ruleset::FiscoSm2 | Ruleset::Sm2Message => sm2_signed(form, random),
        Ruleset::LibraEd25519 | Ruleset::SolanaEd25519 | Ruleset::Ed25519Zip215 => ed25519(random),
        Ruleset::EthereumConsensus | Ruleset::BlsMinSig => unreachable!("kernels do not know BLS"),
    };
    Signed { key, signature, message, expected: Verdict::Unprocessed }
}

/// Key, signature, message.
type Parts = (Vec<u8>, Vec<u8>, Vec<u8>);

pub(super) fn message(random: &mut StdRng) -> Vec<u8> {
    let length = random.random_range(0..MESSAGE_MAX);
    (0..length).map(|_| random.random()).collect()
}

/// A signature over a curve y² = x³ + ax + b.
struct Ecdsa {
    x: [u8; 32],
    y: [u8; 32],
    digest: [u8; 32],
    r: [u8; 32],
    s: [u8; 32],
    /// As Ethereum says which point R is: whether y is odd, and 2 where x is above n.
    recovery_id: u8,
}

impl Ecdsa {
    fn key(&self) -> Vec<u8> {
        [self.x, self.y].concat()
    }

    fn compact(&self) -> Vec<u8> {
        [self.r, self.s].concat()
    }

    fn der(&self) -> Vec<u8> {
        let [r, s] = [self.r, self.s].map(|number| {
            let mut digits = [&[0], &number[..]].concat();
            while digits.len() > 1 && digits[0] == 0 && digits[1] < 0x80 {
                digits.remove(0);
            }
            [&[0x02, digits.len() as u8], &digits[..]].concat()
        });
        [&[0x30, (r.len() + s.len()) as u8], &r[..], &s[..]].concat()
    }
}

/// With the digest chosen freely, (u1, u2) of u1·G + u2·Q = R are too: r is the x of R, s = r/u2, e = u1·s. Else the key
/// and the nonce are.
fn ecdsa<C: CurveArithmetic>(digest: Option<[u8; 32]>, random: &mut StdRng) -> Ecdsa
where
    C::AffinePoint: DecompressPoint<C>,
{
    let mut secret = not_zero::<C>(random);
    let (nonce_point, r, mut s, mut e, is_wrapped);
    match digest {
        None if random.random_range(0..8) == 0 => return wrapped::<C>(random),
        None => {
            let (u1, u2) = (scalar::<C>(random), not_zero::<C>(random));
            if random.random_range(0..16) == 0 {
                // The sum is infinity, and there is no R.
                secret = -u1 * inverse::<C>(u2);
            }
            nonce_point = C::ProjectivePoint::generator() * (u1 + u2 * secret);
            (r, is_wrapped) = x_of::<C>(nonce_point, random);
            s = r * inverse::<C>(u2);
            e = u1 * s;
        }
        Some(digest) => {
            let nonce = not_zero::<C>(random);
            nonce_point = C::ProjectivePoint::generator() * nonce;
            (r, is_wrapped) = x_of::<C>(nonce_point, random);
            e = reduced::<C>(&digest);
            s = inverse::<C>(nonce) * (e + r * secret);
        }
    }
    let mut key = C::ProjectivePoint::generator() * secret;
    let affine: C::AffinePoint = nonce_point.into();
    let mut recovery_id = affine.y_is_odd().unwrap_u8() | is_wrapped << 1;
    // Half of those that some rules refuse for their s are made such that these take them.
    if bytes::<C>(s) > bytes::<C>(-s) && random.random() {
        s = -s;
        recovery_id ^= 1;
    }
    match random.random_range(0..12) {
        0 => key = -key,
        1 => s = -s,
        2 => e += C::Scalar::ONE,
        3 => recovery_id ^= random.random_range(1..4),
        _ => {}
    }
    let (x, y) = coordinates::<C>(key);
    Ecdsa { x, y, digest: digest.unwrap_or(bytes::<C>(e)), r: bytes::<C>(r), s: bytes::<C>(s), recovery_id }
}

/// x(R) = n + r, for a small r: then r is not x.
fn wrapped<C: CurveArithmetic>(random: &mut StdRng) -> Ecdsa
where
    C::AffinePoint: DecompressPoint<C>,
{
    let is_odd: bool = random.random();
    let (r, nonce_point) = loop {
        let small: u32 = random.random_range(1..1 << 16);
        let x = plus(bytes::<C>(-C::Scalar::ONE), small + 1);
        let point: Option<C::AffinePoint> =
            C::AffinePoint::decompress(&field_bytes::<C>(&x), u8::from(is_odd).into()).into();
        if let Some(point) = point {
            break (C::Scalar::from(u64::from(small)), C::ProjectivePoint::from(point));
        }
    };
    let (s, e) = (not_zero::<C>(random), scalar::<C>(random));
    let key = (nonce_point * s - C::ProjectivePoint::generator() * e) * inverse::<C>(r);
    let (x, y) = coordinates::<C>(key);
    let recovery_id = if random.random_range(0..4) == 0 { u8::from(is_odd) } else { 2 | u8::from(is_odd) };
    Ecdsa { x, y, digest: bytes::<C>(e), r: bytes::<C>(r), s: bytes::<C>(s), recovery_id }
}

/// An edge as a scalar: something small, minus something small, by a power of two, by λ, words of all ones and zeros,
/// or nothing special.
fn scalar<C: CurveArithmetic>(random: &mut StdRng) -> C::Scalar {
    let small = C::Scalar::from(random.random_range(0..10_u64));
    let near = |edge: C::Scalar, random: &mut StdRng| if random.random() { edge + small } else { edge - small };
    match random.random_range(0..7) {
        0 => small,
        1 => -small,
        2 => near(C::Scalar::from(2_u64).pow_vartime([random.random_range(0..257)]), random),
        3 => near(-C::Scalar::from(2_u64).pow_vartime([random.random_range(0..257)]), random),
        4 => near(reduced::<C>(&LAMBDA) * small, random),
        5 => {
            let words: [u32; 8] = std::array::from_fn(|_| [0, 1, 0x8000_0000, u32::MAX][random.random_range(0..4)]);
            reduced::<C>(&words.map(u32::to_be_bytes).concat().try_into().expect("32 bytes"))
        }
        _ => reduced::<C>(&random.random()),
    }
}

fn not_zero<C: CurveArithmetic>(random: &mut StdRng) -> C::Scalar {
    loop {
        let scalar = scalar::<C>(random);
        if scalar != C::Scalar::ZERO {
            return scalar;
        }
    }
}

/// x mod n and whether it is another; of infinity any number.
fn x_of<C: CurveArithmetic>(point: C::ProjectivePoint, random: &mut StdRng) -> (C::Scalar, u8) {
    if bool::from(point.is_identity()) {
        return (not_zero::<C>(random), 0);
    }
    let (x, _) = coordinates::<C>(point);
    let r = reduced::<C>(&x);
    (r, u8::from(bytes::<C>(r) != x))
}

fn coordinates<C: CurveArithmetic>(point: C::ProjectivePoint) -> ([u8; 32], [u8; 32]) {
    let affine: C::AffinePoint = point.into();
    (affine.x().as_slice().try_into().expect("32 bytes"), affine.y().as_slice().try_into().expect("32 bytes"))
}

fn inverse<C: CurveArithmetic>(scalar: C::Scalar) -> C::Scalar {
    Option::from(Field::invert(&scalar)).expect("it is not zero")
}

fn reduced<C: CurveArithmetic>(bytes: &[u8; 32]) -> C::Scalar {
    Reduce::<FieldBytes<C>>::reduce(&field_bytes::<C>(bytes))
}

fn field_bytes<C: CurveArithmetic>(bytes: &[u8; 32]) -> FieldBytes<C> {
    FieldBytes::<C>::try_from(&bytes[..]).expect("fields of 32 bytes")
}

fn bytes<C: CurveArithmetic>(scalar: C::Scalar) -> [u8; 32] {
    scalar.to_repr().as_slice().try_into().expect("32 bytes")
}

/// The sum of a big-endian number and a small one, no carry out of its top.
fn plus(mut number: [u8; 32], addend: u32) -> [u8; 32] {
    let mut carry = u64::from(addend);
    for byte in number.iter_mut().rev() {
        carry += u64::from(*byte);
        *byte = carry as u8;
        carry >>= 8;
    }
    number
}

fn recoverable(random: &mut StdRng) -> Parts {
    let of = ecdsa::<k256::Secp256k1>(None, random);
    let key = match random.random_range(0..4) {
        0 => Keccak256::digest(of.key())[12..].to_vec(),
        1 => [&[4], &of.key()[..]].concat(),
        _ => of.key(),
    };
    (key, [&of.compact()[..], &[of.recovery_id]].concat(), of.digest.to_vec())
}

fn bitcoin(random: &mut StdRng) -> Parts {
    let of = ecdsa::<k256::Secp256k1>(None, random);
    let key = match random.random() {
        true => [&[2 | of.y[31] & 1], &of.x[..]].concat(),
        false => [&[4], &of.key()[..]].concat(),
    };
    (key, of.der(), of.digest.to_vec())
}

fn fabric(form: MessageForm, random: &mut StdRng) -> Parts {
    let message = message(random);
    let digest = (form == MessageForm::Message).then(|| Sha256::digest(&message).into());
    let of = ecdsa::<p256::NistP256>(digest, random);
    let message = if digest.is_some() { message } else { of.digest.to_vec() };
    ([&[4], &of.key()[..]].concat(), of.der(), message)
}

/// BIP 340: s·G = R + e·P, both with an even y.
fn bip340(form: MessageForm, random: &mut StdRng) -> Parts {
    type Curve = k256::Secp256k1;
    let even = |random: &mut StdRng| {
        let secret = not_zero::<Curve>(random);
        let (x, y) = coordinates::<Curve>(k256::ProjectivePoint::GENERATOR * secret);
        (if y[31] & 1 == 1 { -secret } else { secret }, x)
    };
    let ((secret, key), (nonce, r)) = (even(random), even(random));
    let message = if form == MessageForm::Message { message(random) } else { random.random::<[u8; 32]>().to_vec() };
    let tag = Sha256::digest(b"BIP0340/challenge");
    let challenge = Sha256::new().chain_update(tag).chain_update(tag).chain_update(r).chain_update(key);
    let challenge = reduced::<Curve>(&challenge.chain_update(&message).finalize().into());
    let mut s = nonce + challenge * secret;
    match random.random_range(0..8) {
        // R with an odd y.
        0 => s = challenge * secret - nonce,
        // The sum is infinity, and there is no R.
        1 => s = challenge * secret,
        _ => {}
    }
    (key.to_vec(), [r, bytes::<Curve>(s)].concat(), message)
}

/// SM2: r = e + x(s·G + t·Q) with t = r + s; with e chosen freely, s and t are too.
fn sm2_by_equation(random: &mut StdRng) -> Parts {
    type Curve = sm2::Sm2;
    let generator = sm2::ProjectivePoint::GENERATOR;
    let (secret, s, t) = (not_zero::<Curve>(random), scalar::<Curve>(random), scalar::<Curve>(random));
    let secret = if random.random_range(0..16) == 0 && t != sm2::Scalar::ZERO && s != sm2::Scalar::ZERO {
        // The sum is infinity.
        -s * inverse::<Curve>(t)
    } else {
        secret
    };
    let (x, _) = x_of::<Curve>(generator * (s + t * secret), random);
    let r = t - s;
    let mut key = generator * secret;
    let mut e = r - x;
    match random.random_range(0..12) {
        0 => key = -key,
        1 => e += sm2::Scalar::ONE,
        _ => {}
    }
    let (x, y) = coordinates::<Curve>(key);
    let [e, r, s] = [e, r, s].map(bytes::<Curve>);
    ([x, y].concat(), [r, s].concat(), e.to_vec())
}

/// A key at the edge, and a message that is hashed with it.
fn sm2_signed(form: MessageForm, random: &mut StdRng) -> Parts {
    use sm2::dsa::signature::Signer as _;

    let message = if form == MessageForm::Message { message(random) } else { random.random::<[u8; 32]>().to_vec() };
    let (signing, signature) = loop {
        let secret = bytes::<sm2::Sm2>(not_zero::<sm2::Sm2>(random));
        // n − 1 is no key, and signs nothing.
        let Ok(signing) = sm2::dsa::SigningKey::from_slice(SM2_IDENTITY, &secret) else { continue };
        if let Ok(signature) = signing.try_sign(&message) {
            break (signing, signature);
        }
    };
    let signature = signature.to_bytes().to_vec();
    (signing.verifying_key().to_sec1_bytes()[1..].to_vec(), signature, message)
}

/// A = aB + T, R = rB + T' with points of small order T and T', S = r + ka: what the rules disagree on. Some of their
/// encodings are not canonical, and some S are not reduced.
fn ed25519(random: &mut StdRng) -> Parts {
    let (secret, nonce) = (ed25519_scalar(random), ed25519_scalar(random));
    let torsion = |random: &mut StdRng| match random.random() {
        true => EIGHT_TORSION[0],
        false => EIGHT_TORSION[random.random_range(0..8)],
    };
    let mut key = (ED25519_BASEPOINT_POINT * secret + torsion(random)).compress().to_bytes();
    let mut r = (ED25519_BASEPOINT_POINT * nonce + torsion(random)).compress().to_bytes();
    let (mut log_key, mut log_r) = (secret, nonce);
    if random.random_range(0..4) == 0 {
        (key, log_key) = (small_order(random), Ed25519Scalar::ZERO);
    }
    if random.random_range(0..4) == 0 {
        (r, log_r) = (small_order(random), Ed25519Scalar::ZERO);
    }
    if random.random_range(0..8) == 0 {
        let which = if random.random() { &mut key } else { &mut r };
        // y about p, of a point or of none.
        *which = [0xff; 32];
        which[0] = random.random_range(0xe8..=0xff);
        which[31] = if random.random() { 0x7f } else { 0xff };
    }
    let message = message(random);
    let challenge = Sha512::new().chain_update(r).chain_update(key).chain_update(&message);
    let challenge = Ed25519Scalar::from_bytes_mod_order_wide(&challenge.finalize().into());
    let mut s = (log_r + challenge * log_key).to_bytes();
    match random.random_range(0..16) {
        0 => add(&mut s, &order()),
        1 => s = order(),
        2 => s = ed25519_scalar(random).to_bytes(),
        3 => s[31] |= 0xe0,
        _ => {}
    }
    (key.to_vec(), [r, s].concat(), message)
}

/// An encoding of a point of small order, canonical or not.
fn small_order(random: &mut StdRng) -> [u8; 32] {
    let mut encoding = EIGHT_TORSION[random.random_range(0..8)].compress().to_bytes();
    if random.random_range(0..3) == 0 {
        // y = p or p + 1: 0 or 1.
        encoding = [0xff; 32];
        encoding[0] = random.random_range(0xed..=0xee);
        encoding[31] = 0x7f;
    }
    encoding[31] ^= if random.random_range(0..3) == 0 { 0x80 } else { 0 };
    encoding
}

fn ed25519_scalar(random: &mut StdRng) -> Ed25519Scalar {
    let small = Ed25519Scalar::from(random.random_range(0..10_u64));
    match random.random_range(0..4) {
        0 => small,
        1 => -small,
        2 => {
            let mut bytes = [0; 32];
            let bit = random.random_range(0..252);
            bytes[bit / 8] = 1 << (bit % 8);
            let power = Ed25519Scalar::from_bytes_mod_order(bytes);
            if random.random() { power + small } else { power - small }
        }
        _ => Ed25519Scalar::from_bytes_mod_order(random.random()),
    }
}

/// L, little-endian.
fn order() -> [u8; 32] {
    let mut bytes = (-Ed25519Scalar::ONE).to_bytes();
    bytes[0] += 1;
    bytes
}

/// The sum of little-endian numbers, below 2^256.
fn add(number: &mut [u8; 32], addend: &[u8; 32]) {
    let mut carry = 0_u16;
    for (byte, add) in number.iter_mut().zip(addend) {
        carry += u16::from(*byte) + u16::from(*add);
        *byte = carry as u8;
        carry >>= 8;
    }
}
