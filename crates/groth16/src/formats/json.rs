//! snarkjs's JSON: `verification_key.json`, `proof.json`, `public.json`.
//!
//! Numbers are decimal, in strings. Points are projective with z = 1, or (0, 1, 0) for infinity; a coordinate in G2 is
//! `[c0, c1]`, the other way round than in EIP-197. Texts are written as `snarkjs` writes its files, byte for byte.

mod decimal;
mod points;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::pairing::Pairing;
use ark_ff::PrimeField;
use outrigger_types::{Curve as CurveId, ProofKey};
use serde::{Deserialize, Serialize};

use self::decimal::Decimal;
use self::points::{G1Json, G2Json};
use super::encoding::{point_from_bytes, point_to_bytes};
use crate::curve::{Curve, RawField, RawPoint, SCALAR_BYTES, point_bytes};
use crate::{FormatError, Proof};

const VERIFYING_KEY: &str = "verification_key.json";
const PROOF: &str = "proof.json";
const PUBLIC: &str = "public.json";
const PROTOCOL: &str = "groth16";

/// Bytes of a `verification_key.json` or a `public.json`: room for 40,000 public signals. Read, a hostile text takes
/// about thirteen times its length in memory.
const TEXT_BYTES_MAX: usize = 8 << 20;
/// Bytes of a `proof.json`: real ones have less than 2,000.
const PROOF_BYTES_MAX: usize = 64 << 10;

#[derive(Deserialize, Serialize)]
struct KeyJson {
    protocol: String,
    curve: String,
    #[serde(rename = "nPublic")]
    public_signals: usize,
    vk_alpha_1: G1Json,
    vk_beta_2: G2Json,
    vk_gamma_2: G2Json,
    vk_delta_2: G2Json,
    /// e(alpha, beta), which follows from the others: written for snarkjs's equality, never read.
    #[serde(skip_deserializing)]
    vk_alphabeta_12: Vec<Vec<Vec<String>>>,
    #[serde(rename = "IC")]
    ic: Vec<G1Json>,
}

#[derive(Deserialize, Serialize)]
struct ProofJson {
    pi_a: G1Json,
    pi_b: G2Json,
    pi_c: G1Json,
    protocol: String,
    /// rapidsnark leaves it out: it knows BN254 only.
    #[serde(default = "curve_of_rapidsnark")]
    curve: String,
}

fn curve_of_rapidsnark() -> String {
    "bn128".to_owned()
}

/// Reads a `verification_key.json`; every point must be on its curve and in its subgroup.
///
/// # Errors
/// Where it is no such text: another protocol or curve, a number that is not decimal or not below q, a bad point.
pub fn read_verifying_key(text: &[u8]) -> Result<ProofKey, FormatError> {
    let json: KeyJson = read(text, TEXT_BYTES_MAX, VERIFYING_KEY)?;
    check_protocol(&json.protocol, VERIFYING_KEY)?;
    match curve_of_name(&json.curve, VERIFYING_KEY)? {
        CurveId::Bn254 => key_from_json::<Bn254>(&json),
        CurveId::Bls12_381 => key_from_json::<Bls12_381>(&json),
    }
}

/// Writes a `verification_key.json` equal to that of `snarkjs zkey export verificationkey`.
///
/// # Errors
/// Where the key's bytes are no points of its curve, or not so many.
pub fn write_verifying_key(key: &ProofKey) -> Result<String, FormatError> {
    let json = match key.curve {
        CurveId::Bn254 => key_to_json::<Bn254>(key),
        CurveId::Bls12_381 => key_to_json::<Bls12_381>(key),
    };
    Ok(write(&json?))
}

/// Reads a `proof.json` and a `public.json`. Points must be on their curve (verification looks at the subgroup), and
/// public signals below r.
///
/// # Errors
/// Where one of them is no such text: another protocol or curve, a number that is not decimal or too large, a point
/// off its curve.
pub fn read_proof(proof: &[u8], public: &[u8]) -> Result<Proof, FormatError> {
    let json: ProofJson = read(proof, PROOF_BYTES_MAX, PROOF)?;
    check_protocol(&json.protocol, PROOF)?;
    let signals: Vec<Decimal> = read(public, TEXT_BYTES_MAX, PUBLIC)?;
    let curve = curve_of_name(&json.curve, PROOF)?;
    let (bytes, public_signals) = match curve {
        CurveId::Bn254 => (proof_bytes::<Bn254>(&json)?, signal_bytes::<Bn254>(&signals)?),
        CurveId::Bls12_381 => (proof_bytes::<Bls12_381>(&json)?, signal_bytes::<Bls12_381>(&signals)?),
    };
    Ok(Proof { curve, bytes, public_signals })
}

/// Writes a `proof.json`.
pub fn write_proof(proof: &Proof) -> String {
    let size = proof.curve.base_bytes();
    let (a, rest) = proof.bytes.split_at(proof.bytes.len().min(2 * size));
    let (b, c) = rest.split_at(rest.len().min(4 * size));
    write(&ProofJson {
        pi_a: G1Json::of_bytes(a, size),
        pi_b: G2Json::of_bytes(b, size),
        pi_c: G1Json::of_bytes(c, size),
        protocol: PROTOCOL.to_owned(),
        curve: name_of_curve(proof.curve).to_owned(),
    })
}

/// Writes a `public.json`.
pub fn write_public(proof: &Proof) -> String {
    let signals: Vec<Decimal> = proof.public_signals.chunks(SCALAR_BYTES).map(Decimal::of_bytes).collect();
    write(&signals)
}

fn read<T: for<'a> Deserialize<'a>>(text: &[u8], bytes_max: usize, format: &'static str) -> Result<T, FormatError> {
    if text.len() > bytes_max {
        return Err(FormatError::new(format, format!("{} bytes, but at most {bytes_max} are read", text.len())));
    }
    // serde_json stops at a nesting of 128, which also bounds its stack in parts that are skipped.
    serde_json::from_slice(text).map_err(|error| FormatError::new(format, shortened(&error.to_string(), 200)))
}

/// `JSON.stringify(value, null, 1)`, which is what snarkjs writes its files with.
fn write(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    value.serialize(&mut serializer).expect("strings and lists, into memory");
    String::from_utf8(text).expect("JSON is UTF-8")
}

fn check_protocol(protocol: &str, format: &'static str) -> Result<(), FormatError> {
    if protocol == PROTOCOL {
        return Ok(());
    }
    let message = format!("protocol {:?}, but only \"{PROTOCOL}\" is known", shortened(protocol, 32));
    Err(FormatError::new(format, message))
}

/// The curve that snarkjs means by a name (`getCurveFromName`): case and punctuation do not count.
fn curve_of_name(name: &str, format: &'static str) -> Result<CurveId, FormatError> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    match plain.to_ascii_uppercase().as_str() {
        "BN128" | "BN254" | "ALTBN128" => Ok(CurveId::Bn254),
        "BLS12381" => Ok(CurveId::Bls12_381),
        _ => {
            let message = format!("curve {:?}, but \"bn128\" and \"bls12381\" are known", shortened(name, 32));
            Err(FormatError::new(format, message))
        }
    }
}

const fn name_of_curve(curve: CurveId) -> &'static str {
    match curve {
        CurveId::Bn254 => "bn128",
        CurveId::Bls12_381 => "bls12381",
    }
}

/// The beginning of what somebody wrote, for an error: a text of megabytes must not come back in one.
fn shortened(text: &str, characters_max: usize) -> String {
    text.chars().take(characters_max).collect()
}

fn key_from_json<E: Curve>(json: &KeyJson) -> Result<ProofKey, FormatError> {
    if json.ic.len().checked_sub(1) != Some(json.public_signals) {
        let (points, signals) = (json.ic.len(), json.public_signals);
        let message = format!("IC has {points} points, but nPublic is {signals}: one more than that is needed");
        return Err(FormatError::new(VERIFYING_KEY, message));
    }
    let mut bytes = checked::<E::G1Affine>(json.vk_alpha_1.point(), "vk_alpha_1")?;
    bytes.extend(checked::<E::G2Affine>(json.vk_beta_2.point(), "vk_beta_2")?);
    bytes.extend(checked::<E::G2Affine>(json.vk_gamma_2.point(), "vk_gamma_2")?);
    bytes.extend(checked::<E::G2Affine>(json.vk_delta_2.point(), "vk_delta_2")?);
    for (i, point) in json.ic.iter().enumerate() {
        bytes.extend(checked::<E::G1Affine>(point.point(), &format!("IC[{i}]"))?);
    }
    Ok(ProofKey::new(E::ID, bytes.into()))
}

/// The bytes of a point that is in its subgroup.
fn checked<A: RawPoint<BaseField: RawField>>(point: Option<A>, name: &str) -> Result<Vec<u8>, FormatError> {
    let point = point.filter(RawPoint::is_valid).ok_or_else(|| {
        let message = format!("{name} is no point of the curve's group (or a number is not below q)");
        FormatError::new(VERIFYING_KEY, message)
    })?;
    Ok(point_to_bytes(&point))
}

fn key_to_json<E: Curve>(key: &ProofKey) -> Result<KeyJson, FormatError> {
    let public_signals = key.public_signals().ok_or_else(|| {
        FormatError::new(VERIFYING_KEY, format!("no verifying key on {} has {} bytes", E::ID, key.bytes.len()))
    })?;
    let (g1, g2) = (point_bytes::<E::G1Affine>(), point_bytes::<E::G2Affine>());
    let bad = || FormatError::new(VERIFYING_KEY, "a point of the verifying key is not on its curve");
    let (alpha, rest) = key.bytes.split_at(g1);
    let (g2s, ic) = rest.split_at(3 * g2);
    let [beta, gamma, delta] = std::array::from_fn(|i| &g2s[i * g2..(i + 1) * g2]);
    let alpha_point: E::G1Affine = point_from_bytes(alpha).ok_or_else(bad)?;
    let beta_point: E::G2Affine = point_from_bytes(beta).ok_or_else(bad)?;
    let size = E::ID.base_bytes();
    Ok(KeyJson {
        protocol: PROTOCOL.to_owned(),
        curve: name_of_curve(E::ID).to_owned(),
        public_signals,
        vk_alpha_1: G1Json::of_bytes(alpha, size),
        vk_beta_2: G2Json::of_bytes(beta, size),
        vk_gamma_2: G2Json::of_bytes(gamma, size),
        vk_delta_2: G2Json::of_bytes(delta, size),
        vk_alphabeta_12: points::pairing_json::<E>(E::pairing(alpha_point, beta_point).0),
        ic: ic.chunks_exact(g1).map(|point| G1Json::of_bytes(point, size)).collect(),
    })
}

fn proof_bytes<E: Curve>(json: &ProofJson) -> Result<Vec<u8>, FormatError> {
    let bad = |name: &str| {
        let message = format!("{name} is no point of {} (or a number is not below q)", E::ID);
        FormatError::new(PROOF, message)
    };
    let a: E::G1Affine = json.pi_a.point().ok_or_else(|| bad("pi_a"))?;
    let b: E::G2Affine = json.pi_b.point().ok_or_else(|| bad("pi_b"))?;
    let c: E::G1Affine = json.pi_c.point().ok_or_else(|| bad("pi_c"))?;
    Ok([point_to_bytes(&a), point_to_bytes(&b), point_to_bytes(&c)].concat())
}

fn signal_bytes<E: Pairing>(signals: &[Decimal]) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::with_capacity(signals.len() * SCALAR_BYTES);
    for (i, signal) in signals.iter().enumerate() {
        let signal: E::ScalarField = signal.element().ok_or_else(|| {
            FormatError::new(PUBLIC, format!("signal {i} is no decimal number below the order of the curve"))
        })?;
        bytes.extend(ark_ff::BigInteger::to_bytes_be(&signal.into_bigint()));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
