//! Signature libraries, from bytes to verdict, one item after the other (or a batch where the library has one).

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use outrigger_types::Ruleset;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey, XOnlyPublicKey};
use sm2::dsa::signature::Verifier as _;
use sm2::dsa::signature::hazmat::PrehashVerifier as _;

use crate::workload::Signed;

/// A library that verifies.
pub(in crate::bench) struct Verifier {
    pub(in crate::bench) name: &'static str,
    pub(in crate::bench) version: &'static str,
    /// Whether all of the items are valid.
    pub(in crate::bench) verify: fn(&[Signed]) -> bool,
}

const SECP256K1: (&str, &str) = ("secp256k1", "0.33");
const AWS_LC: (&str, &str) = ("aws-lc-rs", "1.19");
const SM2: (&str, &str) = ("sm2", "0.14");
const DALEK: (&str, &str) = ("ed25519-dalek", "3.0");
const ZEBRA: (&str, &str) = ("ed25519-zebra", "5.0");
const BLST: (&str, &str) = ("blst", "0.3.17");

/// The library for a ruleset.
pub(in crate::bench) fn verifier(ruleset: Ruleset) -> Verifier {
    let ((name, version), verify): (_, fn(&[Signed]) -> bool) = match ruleset {
        Ruleset::EthereumTransaction | Ruleset::EthereumPrecompile | Ruleset::FiscoSecp256k1 => {
            (SECP256K1, |items| items.iter().all(|item| recover(item).is_some()))
        }
        Ruleset::Bitcoin => (SECP256K1, |items| items.iter().all(|item| bitcoin(item).is_some())),
        Ruleset::Bip340 => (SECP256K1, |items| items.iter().all(|item| bip340(item).is_some())),
        Ruleset::Fabric => (AWS_LC, |items| items.iter().all(fabric)),
        Ruleset::EthereumP256Verify => (AWS_LC, |items| items.iter().all(p256verify)),
        Ruleset::FiscoSm2 | Ruleset::Sm2Message => (SM2, |items| items.iter().all(|item| sm2(item, false).is_some())),
        Ruleset::Sm2Digest => (SM2, |items| items.iter().all(|item| sm2(item, true).is_some())),
        Ruleset::LibraEd25519 | Ruleset::SolanaEd25519 => {
            (DALEK, |items| items.iter().all(|item| strict(item).is_some()))
        }
        Ruleset::Ed25519Zip215 => (ZEBRA, |items| zip215(items).is_some()),
        Ruleset::EthereumConsensus => (BLST, |items| min_pk(items).is_some()),
        Ruleset::BlsMinSig => (BLST, |items| min_sig(items).is_some()),
    };
    Verifier { name, version, verify }
}

/// The library for recovery with the signer's address, where a ruleset has it.
pub(in crate::bench) fn recoverer(ruleset: Ruleset) -> Option<Verifier> {
    // FISCO's addresses are of the key's Keccak-256 too.
    let is_recoverable =
        matches!(ruleset, Ruleset::EthereumTransaction | Ruleset::EthereumPrecompile | Ruleset::FiscoSecp256k1);
    is_recoverable.then_some(Verifier {
        name: "secp256k1 + keccak-asm",
        version: "0.33 + 0.1.9",
        verify: |items| items.iter().all(|item| address(item).is_some()),
    })
}

fn address(item: &Signed) -> Option<()> {
    let digest = <keccak_asm::Keccak256 as keccak_asm::Digest>::digest(&recovered(item)?[1..]);
    std::hint::black_box(&digest[12..]);
    Some(())
}

fn recover(item: &Signed) -> Option<()> {
    (recovered(item)?[1..] == item.key[..]).then_some(())
}

fn recovered(item: &Signed) -> Option<[u8; 65]> {
    let recovery = RecoveryId::try_from(i32::from(*item.signature.get(64)?)).ok()?;
    let signature = RecoverableSignature::from_compact(&item.signature[..64], recovery).ok()?;
    let digest = Message::from_digest(item.message[..].try_into().ok()?);
    Some(signature.recover(digest).ok()?.serialize_uncompressed())
}

fn bitcoin(item: &Signed) -> Option<()> {
    let mut signature = secp256k1::ecdsa::Signature::from_der(&item.signature).ok()?;
    signature.normalize_s();
    let digest = Message::from_digest(item.message[..].try_into().ok()?);
    signature.verify(digest, &PublicKey::from_slice(&item.key).ok()?).ok()
}

fn bip340(item: &Signed) -> Option<()> {
    let signature = secp256k1::schnorr::Signature::from_byte_array(item.signature[..].try_into().ok()?);
    signature.verify(&item.message, &XOnlyPublicKey::from_byte_array(item.key[..].try_into().ok()?).ok()?).ok()
}

fn fabric(item: &Signed) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &item.key).verify(&item.message, &item.signature).is_ok()
}

fn p256verify(item: &Signed) -> bool {
    let mut key = vec![4];
    key.extend_from_slice(&item.key);
    let Ok(digest) = Digest::import_less_safe(&item.message, &digest::SHA256) else { return false };
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key).verify_digest(&digest, &item.signature).is_ok()
}

fn sm2(item: &Signed, is_digest: bool) -> Option<()> {
    let mut key = vec![4];
    key.extend_from_slice(&item.key);
    let key = sm2::dsa::VerifyingKey::from_sec1_bytes("1234567812345678", &key).ok()?;
    let signature = sm2::dsa::Signature::from_slice(&item.signature).ok()?;
    if is_digest { key.verify_prehash(&item.message, &signature) } else { key.verify(&item.message, &signature) }.ok()
}

fn strict(item: &Signed) -> Option<()> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(item.key[..].try_into().ok()?).ok()?;
    let signature = ed25519_dalek::Signature::from_slice(&item.signature).ok()?;
    key.verify_strict(&item.message, &signature).ok()
}

fn zip215(items: &[Signed]) -> Option<()> {
    let mut batch = ed25519_zebra::batch::Verifier::new();
    for item in items {
        let key = ed25519_zebra::VerificationKeyBytes::try_from(&item.key[..]).ok()?;
        let signature = ed25519_zebra::Signature::from_slice(&item.signature).ok()?;
        batch.queue((key, signature, &item.message));
    }
    batch.verify(rand::rng()).ok()
}

/// Fresh non-zero coefficients of 128 bits.
fn coefficients(count: usize) -> Option<Vec<blst::blst_scalar>> {
    let mut bytes = vec![0; count * 16];
    getrandom::fill(&mut bytes).ok()?;
    let scalars = bytes.chunks(16).map(|chunk| {
        let mut scalar = blst::blst_scalar::default();
        scalar.b[..16].copy_from_slice(chunk);
        scalar.b[0] |= 1;
        scalar
    });
    Some(scalars.collect())
}

macro_rules! bls_batch {
    ($name:ident, $module:ident, $dst:literal) => {
        fn $name(items: &[Signed]) -> Option<()> {
            use blst::$module::{PublicKey, Signature};
            let keys =
                items.iter().map(|item| PublicKey::key_validate(&item.key)).collect::<Result<Vec<_>, _>>().ok()?;
            let signatures: Vec<_> = items
                .iter()
                .map(|item| Signature::sig_validate(&item.signature, true))
                .collect::<Result<_, _>>()
                .ok()?;
            let messages: Vec<_> = items.iter().map(|item| &item.message[..]).collect();
            let result = Signature::verify_multiple_aggregate_signatures(
                &messages,
                $dst,
                &keys.iter().collect::<Vec<_>>(),
                false,
                &signatures.iter().collect::<Vec<_>>(),
                false,
                &coefficients(items.len())?,
                128,
            );
            (result == blst::BLST_ERROR::BLST_SUCCESS).then_some(())
        }
    };
}

bls_batch!(min_pk, min_pk, b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_");
bls_batch!(min_sig, min_sig, b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_");
