//! Signing keys for workloads. Outrigger itself never signs: these exist in the demo and the benches alone.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use ed25519_dalek::Signer as _;
use outrigger_types::{Ruleset, Verdict};
use rand::{Rng, RngExt};
use sha2::Digest;
use sm2::dsa::signature::hazmat::PrehashSigner as _;

use super::Signed;

/// The identity that SM2 signatures are made with unless a request says otherwise (GB/T 32918).
const SM2_IDENTITY: &str = "1234567812345678";
/// The order of P-256, big-endian (SP 800-186).
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// A key that signs under one ruleset.
pub(crate) struct Signer {
    ruleset: Ruleset,
    key: Vec<u8>,
    secret: Secret,
}

enum Secret {
    Secp256k1(Box<secp256k1::Keypair>),
    P256(Box<EcdsaKeyPair>),
    Sm2(Box<sm2::dsa::SigningKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    BlsMinPk(Box<blst::min_pk::SecretKey>),
    BlsMinSig(Box<blst::min_sig::SecretKey>),
}

impl Signer {
    /// A fresh key for `ruleset`.
    pub(crate) fn new(ruleset: Ruleset, rng: &mut impl Rng) -> Self {
        let mut seed = [0_u8; 32];
        rng.fill(&mut seed[..]);
        // Below the order of every curve here, and not zero.
        seed[0] = 0x10;
        let (secret, key) = match ruleset {
            Ruleset::EthereumTransaction
            | Ruleset::EthereumPrecompile
            | Ruleset::FiscoSecp256k1
            | Ruleset::Bitcoin
            | Ruleset::Bip340 => secp256k1(ruleset, seed),
            Ruleset::Fabric | Ruleset::EthereumP256Verify => p256(ruleset),
            Ruleset::FiscoSm2 | Ruleset::Sm2Message | Ruleset::Sm2Digest => sm2(&seed),
            Ruleset::LibraEd25519 | Ruleset::SolanaEd25519 | Ruleset::Ed25519Zip215 => {
                let secret = ed25519_dalek::SigningKey::from_bytes(&seed);
                let key = secret.verifying_key().to_bytes().to_vec();
                (Secret::Ed25519(Box::new(secret)), key)
            }
            Ruleset::EthereumConsensus => {
                let secret = blst::min_pk::SecretKey::key_gen(&seed, &[]).expect("a seed of 32 bytes");
                let key = secret.sk_to_pk().compress().to_vec();
                (Secret::BlsMinPk(Box::new(secret)), key)
            }
            Ruleset::BlsMinSig => {
                let secret = blst::min_sig::SecretKey::key_gen(&seed, &[]).expect("a seed of 32 bytes");
                let key = secret.sk_to_pk().compress().to_vec();
                (Secret::BlsMinSig(Box::new(secret)), key)
            }
        };
        Self { ruleset, key, secret }
    }

    /// The key as the ruleset takes it.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Signs `message`, which is the digest where the ruleset takes one.
    pub(crate) fn sign(&self, message: Vec<u8>) -> Signed {
        let signature = match &self.secret {
            Secret::Secp256k1(secret) => self.sign_secp256k1(secret, &message),
            Secret::P256(secret) => self.sign_p256(secret, &message),
            Secret::Sm2(secret) => {
                let signature: sm2::dsa::Signature = match self.ruleset {
                    Ruleset::Sm2Digest => secret.sign_prehash(&message).expect("e of 32 bytes"),
                    _ => sm2::dsa::signature::Signer::sign(secret.as_ref(), &message),
                };
                signature.to_bytes().to_vec()
            }
            Secret::Ed25519(secret) => secret.sign(&message).to_bytes().to_vec(),
            Secret::BlsMinPk(secret) => {
                secret.sign(&message, b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_", &[]).compress().to_vec()
            }
            Secret::BlsMinSig(secret) => {
                secret.sign(&message, b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_", &[]).compress().to_vec()
            }
        };
        // The library signs a message; the ruleset takes what the signature is over.
        let message = if self.ruleset == Ruleset::EthereumP256Verify { sha256(&message) } else { message };
        Signed { key: self.key.clone(), signature, message, expected: Verdict::Valid }
    }

    fn sign_secp256k1(&self, secret: &secp256k1::Keypair, message: &[u8]) -> Vec<u8> {
        if self.ruleset == Ruleset::Bip340 {
            return secret.sign_schnorr_no_aux_rand(message).to_byte_array().to_vec();
        }
        let digest = secp256k1::Message::from_digest(message.try_into().expect("a digest of 32 bytes"));
        if self.ruleset == Ruleset::Bitcoin {
            return secp256k1::ecdsa::sign(digest, &secret.secret_key()).serialize_der().to_vec();
        }
        let signature = secp256k1::ecdsa::RecoverableSignature::sign_ecdsa_recoverable(digest, &secret.secret_key());
        let (recovery, rs) = signature.serialize_compact();
        let mut bytes = rs.to_vec();
        bytes.push(recovery.to_u8());
        bytes
    }

    fn sign_p256(&self, secret: &EcdsaKeyPair, message: &[u8]) -> Vec<u8> {
        let rs = secret.sign(&SystemRandom::new(), message).expect("a P-256 signature");
        let mut s: [u8; 32] = rs.as_ref()[32..].try_into().expect("32 bytes of s");
        if self.ruleset == Ruleset::EthereumP256Verify {
            return rs.as_ref().to_vec();
        }
        let negated = subtract(&P256_ORDER, &s);
        s = s.min(negated);
        der(&rs.as_ref()[..32], &s)
    }
}

fn secp256k1(ruleset: Ruleset, seed: [u8; 32]) -> (Secret, Vec<u8>) {
    let secret = secp256k1::Keypair::from_secret_bytes(seed).expect("a scalar below the order");
    let key = match ruleset {
        Ruleset::Bip340 => secret.x_only_public_key().0.to_byte_array().to_vec(),
        Ruleset::Bitcoin => secret.public_key().serialize().to_vec(),
        _ => secret.public_key().serialize_uncompressed()[1..].to_vec(),
    };
    (Secret::Secp256k1(Box::new(secret)), key)
}

fn p256(ruleset: Ruleset) -> (Secret, Vec<u8>) {
    let secret = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a P-256 key");
    let key = secret.public_key().as_ref();
    let key = if ruleset == Ruleset::Fabric { key } else { &key[1..] };
    let key = key.to_vec();
    (Secret::P256(Box::new(secret)), key)
}

fn sm2(seed: &[u8; 32]) -> (Secret, Vec<u8>) {
    let secret = sm2::dsa::SigningKey::from_slice(SM2_IDENTITY, seed).expect("a scalar below the order");
    let key = secret.verifying_key().to_sec1_bytes()[1..].to_vec();
    (Secret::Sm2(Box::new(secret)), key)
}

/// a − b for big-endian numbers, a ≥ b.
fn subtract(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut difference = [0; 32];
    let mut borrow = 0_i16;
    for i in (0..32).rev() {
        let digit = i16::from(a[i]) - i16::from(b[i]) - borrow;
        borrow = i16::from(digit < 0);
        difference[i] = (digit & 0xff) as u8;
    }
    difference
}

/// SEQUENCE { INTEGER r, INTEGER s } in DER.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(70);
    for number in [r, s] {
        let number = &number[number.iter().take_while(|byte| **byte == 0).count()..];
        let pad = number.first().is_none_or(|byte| *byte >= 0x80);
        body.extend([0x02, number.len() as u8 + u8::from(pad)]);
        body.extend(pad.then_some(0));
        body.extend(number);
    }
    let mut bytes = vec![0x30, body.len() as u8];
    bytes.append(&mut body);
    bytes
}

fn sha256(message: &[u8]) -> Vec<u8> {
    sha2::Sha256::digest(message).to_vec()
}
