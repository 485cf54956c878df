//! Signing keys of every ruleset, from libraries that are not the references of the rooms where there is a choice:
//! k256 and p256 for ECDSA and BIP 340, RustCrypto's sm2, ed25519-dalek, and blst (BLS has no second).

use blst::{min_pk, min_sig};
use ed25519_dalek::Signer as _;
use k256::ecdsa::signature::hazmat::PrehashSigner;
use outrigger_types::{MessageForm, Ruleset, Verdict};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};

/// The identity that SM2 signs with unless a request says otherwise (GB/T 32918).
const SM2_IDENTITY: &str = "1234567812345678";
const DST_MIN_PK: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
const DST_MIN_SIG: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

/// One signature with all that its verification needs, and the verdict that it must get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) key: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    /// The message, or the digest where [`form`] says so.
    pub(crate) message: Vec<u8>,
    pub(crate) expected: Verdict,
}

/// Ways to spoil a signature whose verdict does not depend on chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    OtherMessage,
    OtherKey,
    Truncated,
}

impl Fault {
    pub(crate) const ALL: [Self; 3] = [Self::OtherMessage, Self::OtherKey, Self::Truncated];

    /// Spoils `signed`; `other` is the key of a signer of the same ruleset that did not sign.
    pub(crate) fn apply(self, signed: &mut Signed, other: &[u8]) {
        match self {
            Self::OtherMessage => signed.message[0] ^= 1,
            Self::OtherKey => signed.key = other.to_vec(),
            Self::Truncated => drop(signed.signature.pop()),
        }
        signed.expected = if self == Self::Truncated { Verdict::Malformed } else { Verdict::Invalid };
    }
}

/// The form in which the items of a ruleset are made here.
pub(crate) const fn form(ruleset: Ruleset) -> MessageForm {
    match ruleset {
        Ruleset::Fabric
        | Ruleset::Sm2Message
        | Ruleset::Bip340
        | Ruleset::LibraEd25519
        | Ruleset::SolanaEd25519
        | Ruleset::Ed25519Zip215
        | Ruleset::EthereumConsensus
        | Ruleset::BlsMinSig => MessageForm::Message,
        _ => MessageForm::Digest,
    }
}

/// A key that signs under one ruleset.
pub(crate) struct Signer {
    ruleset: Ruleset,
    key: Vec<u8>,
    secret: Secret,
}

enum Secret {
    Secp256k1(k256::ecdsa::SigningKey),
    Schnorr(k256::schnorr::SigningKey),
    P256(p256::ecdsa::SigningKey),
    Sm2(Box<sm2::dsa::SigningKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    BlsMinPk(min_pk::SecretKey),
    BlsMinSig(min_sig::SecretKey),
}

impl Signer {
    /// The signer of this number: the same number gives the same key.
    pub(crate) fn new(ruleset: Ruleset, number: u64) -> Self {
        let mut seed: [u8; 32] = StdRng::seed_from_u64(number).random();
        // Below the order of every curve here, and not zero.
        seed[0] = 0x10;
        let (secret, key) = match ruleset {
            Ruleset::Bip340 => {
                let secret = k256::schnorr::SigningKey::from_slice(&seed).expect("a key");
                let key = secret.verifying_key().to_bytes().to_vec();
                (Secret::Schnorr(secret), key)
            }
            Ruleset::EthereumTransaction | Ruleset::EthereumPrecompile | Ruleset::FiscoSecp256k1 | Ruleset::Bitcoin => {
                let secret = k256::ecdsa::SigningKey::from_slice(&seed).expect("a key");
                let point = secret.verifying_key().to_sec1_point(ruleset == Ruleset::Bitcoin);
                let skipped = if ruleset == Ruleset::Bitcoin { 0 } else { 1 };
                let key = point.as_bytes()[skipped..].to_vec();
                (Secret::Secp256k1(secret), key)
            }
            Ruleset::Fabric | Ruleset::EthereumP256Verify => {
                let secret = p256::ecdsa::SigningKey::from_slice(&seed).expect("a key");
                let skipped = if ruleset == Ruleset::Fabric { 0 } else { 1 };
                let key = secret.verifying_key().to_sec1_point(false).as_bytes()[skipped..].to_vec();
                (Secret::P256(secret), key)
            }
            Ruleset::FiscoSm2 | Ruleset::Sm2Message | Ruleset::Sm2Digest => {
                let secret = sm2::dsa::SigningKey::from_slice(SM2_IDENTITY, &seed).expect("a key");
                let key = secret.verifying_key().to_sec1_bytes()[1..].to_vec();
                (Secret::Sm2(Box::new(secret)), key)
            }
            Ruleset::LibraEd25519 | Ruleset::SolanaEd25519 | Ruleset::Ed25519Zip215 => {
                let secret = ed25519_dalek::SigningKey::from_bytes(&seed);
                let key = secret.verifying_key().to_bytes().to_vec();
                (Secret::Ed25519(Box::new(secret)), key)
            }
            Ruleset::EthereumConsensus => {
                let secret = min_pk::SecretKey::key_gen(&seed, &[]).expect("a key");
                let key = secret.sk_to_pk().compress().to_vec();
                (Secret::BlsMinPk(secret), key)
            }
            Ruleset::BlsMinSig => {
                let secret = min_sig::SecretKey::key_gen(&seed, &[]).expect("a key");
                let key = secret.sk_to_pk().compress().to_vec();
                (Secret::BlsMinSig(secret), key)
            }
        };
        Self { ruleset, key, secret }
    }

    /// The key as the ruleset takes it.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Signs `message`, which is a digest of 32 bytes where [`form`] says so.
    pub(crate) fn sign(&self, message: &[u8]) -> Signed {
        let signature = match &self.secret {
            Secret::Secp256k1(secret) => self.recoverable_or_der(secret, message),
            Secret::Schnorr(secret) => secret.sign_raw(message, &[0; 32]).expect("a signature").to_bytes().to_vec(),
            Secret::P256(secret) => self.p256(secret, message),
            Secret::Sm2(secret) => {
                let signature: sm2::dsa::Signature = if self.ruleset == Ruleset::Sm2Digest {
                    secret.sign_prehash(message).expect("e of 32 bytes")
                } else {
                    sm2::dsa::signature::Signer::sign(secret.as_ref(), message)
                };
                signature.to_bytes().to_vec()
            }
            Secret::Ed25519(secret) => secret.sign(message).to_bytes().to_vec(),
            Secret::BlsMinPk(secret) => secret.sign(message, DST_MIN_PK, &[]).compress().to_vec(),
            Secret::BlsMinSig(secret) => secret.sign(message, DST_MIN_SIG, &[]).compress().to_vec(),
        };
        Signed { key: self.key.clone(), signature, message: message.to_vec(), expected: Verdict::Valid }
    }

    /// As [`Self::sign`], with n − s in the place of s; for the rulesets over ECDSA alone.
    pub(crate) fn sign_high(&self, digest: &[u8]) -> Signed {
        let low = self.sign(digest);
        let signature = match (&self.secret, self.ruleset) {
            (Secret::Secp256k1(_), Ruleset::Bitcoin) => {
                let (r, s) = k256::ecdsa::Signature::from_der(&low.signature).expect("DER").split_scalars();
                k256::ecdsa::Signature::from_scalars(r, -s).expect("in range").to_der().as_bytes().to_vec()
            }
            (Secret::Secp256k1(_), _) => {
                let (r, s) = k256::ecdsa::Signature::from_slice(&low.signature[..64]).expect("r, s").split_scalars();
                let high = k256::ecdsa::Signature::from_scalars(r, -s).expect("in range");
                [&high.to_bytes()[..], &[low.signature[64] ^ 1]].concat()
            }
            (Secret::P256(_), Ruleset::Fabric) => {
                let (r, s) = p256::ecdsa::Signature::from_der(&low.signature).expect("DER").split_scalars();
                p256::ecdsa::Signature::from_scalars(r, -s).expect("in range").to_der().as_bytes().to_vec()
            }
            (Secret::P256(_), _) => {
                let (r, s) = p256::ecdsa::Signature::from_slice(&low.signature).expect("r, s").split_scalars();
                p256::ecdsa::Signature::from_scalars(r, -s).expect("in range").to_bytes().to_vec()
            }
            _ => panic!("{} knows no high S", self.ruleset),
        };
        Signed { signature, ..low }
    }

    fn recoverable_or_der(&self, secret: &k256::ecdsa::SigningKey, digest: &[u8]) -> Vec<u8> {
        let (signature, id) = secret.sign_prehash_recoverable(digest);
        if self.ruleset == Ruleset::Bitcoin {
            return signature.to_der().as_bytes().to_vec();
        }
        [&signature.to_bytes()[..], &[id.to_byte()]].concat()
    }

    fn p256(&self, secret: &p256::ecdsa::SigningKey, message: &[u8]) -> Vec<u8> {
        let is_fabric = self.ruleset == Ruleset::Fabric;
        let digest = if is_fabric { Sha256::digest(message).to_vec() } else { message.to_vec() };
        let signature: p256::ecdsa::Signature = secret.sign_prehash(&digest).expect("a digest of 32 bytes");
        let signature = signature.normalize_s();
        if is_fabric { signature.to_der().as_bytes().to_vec() } else { signature.to_bytes().to_vec() }
    }
}
