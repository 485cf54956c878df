//! The two arrangements of BLS12-381: which group holds keys and which signatures.

use blst::{BLST_ERROR, MultiPoint, Pairing, blst_fp12, blst_p1_affine, blst_p2_affine};
use outrigger_types::Verdict;

/// What differs between keys in G1 and keys in G2.
pub(super) trait Arrangement {
    /// The domain separation tag of its ciphersuite.
    const DST: &'static [u8];
    /// Whether the scheme asks that the messages of an aggregate differ.
    const MESSAGES_DIFFER: bool;
    /// A key that was validated: in the subgroup and not infinity.
    type Key: Clone;
    /// A signature in the subgroup.
    type Signature: Clone;

    /// Decodes and validates a key.
    fn key(bytes: &[u8]) -> Result<Self::Key, Verdict>;

    /// Decodes a signature and checks its subgroup.
    fn signature(bytes: &[u8]) -> Result<Self::Signature, Verdict>;

    /// The sum of keys; `None` where it is infinity or there are none.
    fn sum(keys: &[Self::Key]) -> Option<Self::Key>;

    /// The sum of keys, each times its coefficient; at least one, and none of them infinity.
    fn combine_keys(keys: &[Self::Key], coefficients: &[Coefficient]) -> Self::Key;

    /// The sum of signatures, each times its coefficient. Those at infinity add nothing.
    fn combine_signatures(signatures: &[Self::Signature], coefficients: &[Coefficient]) -> Self::Signature;

    /// Multiplies the pairing of key and hashed message into a product, to the power of the coefficient where there is
    /// one. False where the key is infinity.
    fn multiply(product: &mut Pairing<'_>, key: &Self::Key, message: &[u8], coefficient: Option<&Coefficient>) -> bool;

    /// The pairing of the signature with the generator, to compare a product with.
    fn signature_side(signature: &Self::Signature) -> blst_fp12;
}

/// A number below 2¹²⁸, little-endian.
pub(super) type Coefficient = [u8; 16];

/// The bits of a [`Coefficient`].
const COEFFICIENT_BITS: usize = 128;

/// Keys in G1, signatures in G2, proof of possession.
pub(super) struct MinKey;

/// Keys in G2, signatures in G1, basic scheme.
pub(super) struct MinSignature;

/// The verdict on bytes that did not become a point of the subgroup. The decoder reports a point with x = 0, which is
/// on the curve but never in the subgroup, like one that failed the subgroup check.
fn refusal(error: BLST_ERROR) -> Verdict {
    match error {
        BLST_ERROR::BLST_POINT_NOT_IN_GROUP | BLST_ERROR::BLST_PK_IS_INFINITY => Verdict::Invalid,
        _ => Verdict::Malformed,
    }
}

/// blst has the same names for both arrangements, on types of their own.
macro_rules! arrangement {
    ($name:ident, $module:ident, $key_point:ident, $signature_point:ident, $dst:literal, $messages_differ:literal) => {
        impl Arrangement for $name {
            const DST: &'static [u8] = $dst;
            const MESSAGES_DIFFER: bool = $messages_differ;
            type Key = blst::$module::PublicKey;
            type Signature = blst::$module::Signature;

            // `uncompress`, not `from_bytes`: that would take uncompressed points too.
            fn key(bytes: &[u8]) -> Result<Self::Key, Verdict> {
                let key = Self::Key::uncompress(bytes).map_err(refusal)?;
                key.validate().map_err(refusal)?;
                Ok(key)
            }

            fn signature(bytes: &[u8]) -> Result<Self::Signature, Verdict> {
                let signature = Self::Signature::uncompress(bytes).map_err(refusal)?;
                signature.validate(false).map_err(refusal)?;
                Ok(signature)
            }

            fn sum(keys: &[Self::Key]) -> Option<Self::Key> {
                let keys: Vec<_> = keys.iter().collect();
                let sum = blst::$module::AggregatePublicKey::aggregate(&keys, false).ok()?.to_public_key();
                // The default of blst's affine points is infinity.
                (sum != Self::Key::default()).then_some(sum)
            }

            fn combine_keys(keys: &[Self::Key], coefficients: &[Coefficient]) -> Self::Key {
                keys.mult(coefficients.as_flattened(), COEFFICIENT_BITS).to_public_key()
            }

            fn combine_signatures(signatures: &[Self::Signature], coefficients: &[Coefficient]) -> Self::Signature {
                let infinity = $signature_point::default();
                let (finite, coefficients): (Vec<_>, Vec<_>) = signatures
                    .iter()
                    .zip(coefficients)
                    .filter(|(signature, _)| <&$signature_point>::from(*signature) != &infinity)
                    .map(|(signature, coefficient)| (*signature, *coefficient))
                    .unzip();
                if finite.is_empty() {
                    return infinity.into();
                }
                finite.mult(coefficients.as_flattened(), COEFFICIENT_BITS).to_signature()
            }

            fn multiply(
                product: &mut Pairing<'_>,
                key: &Self::Key,
                message: &[u8],
                coefficient: Option<&Coefficient>,
            ) -> bool {
                let key = <&$key_point>::from(key);
                // A signature of a type that is no point means none to `Pairing`; ours comes in at the end.
                let error = match coefficient {
                    Some(c) => product.mul_n_aggregate(key, false, &(), false, c, COEFFICIENT_BITS, message, &[]),
                    None => product.aggregate(key, false, &(), false, message, &[]),
                };
                error == BLST_ERROR::BLST_SUCCESS
            }

            fn signature_side(signature: &Self::Signature) -> blst_fp12 {
                let mut side = blst_fp12::default();
                Pairing::aggregated(&mut side, <&$signature_point>::from(signature));
                side
            }
        }
    };
}

arrangement!(MinKey, min_pk, blst_p1_affine, blst_p2_affine, b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_", false);
arrangement!(
    MinSignature,
    min_sig,
    blst_p2_affine,
    blst_p1_affine,
    b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_",
    true
);
