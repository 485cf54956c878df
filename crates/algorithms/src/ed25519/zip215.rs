//! `ed25519-zip215`, version 1: Ed25519 by [ZIP 215](https://zips.z.cash/zip-0215), the rule of Zcash, of CometBFT
//! and of other chains that check batches.
//!
//! **Accepted**: S < L, A and R any encodings of points of the curve (y ≥ p and points of small order included),
//! and \[8\]\[S\]B = \[8\]R + \[8\]\[k\]A. Because the cofactor is in the equation, a batch accepts exactly what
//! single checks accept.
//!
//! **Layout**: key: A, 32 bytes. Signature: R (32) ‖ S (32, little-endian). Message: any length.
//!
//! **Versions**: 1, this.
//!
//! **Source**: ZIP 215; the judge in the tests is ed25519-zebra, and beside it the equation written out over a
//! field library that shares no code with it.
//!
//! **How a batch is checked**: items that do not decode, or whose S ≥ L, get their verdicts first and cost the
//! others nothing. The rest is one equation, the sum of all with coefficients of 128 bits, fresh from the operating
//! system: a bad item passes with probability at most 2⁻¹²⁷. Where the sum fails, each item is checked alone.

use std::collections::HashMap;
use std::ops::Range;

use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use outrigger_types::{Output, Ruleset, SignatureWork, Verdict};
use sha2::{Digest, Sha512};

use super::parse::{KEY_BYTES, Parts, decode_point};
use crate::room::RulesetRules;

pub(super) const RULES: RulesetRules = super::rules(
    Ruleset::Ed25519Zip215,
    "Ed25519 by ZIP 215: with the cofactor, any encoding of any point; batches agree with single checks.",
    PIECE_ITEMS,
    verify,
    super::gpu::ZIP215,
    super::lanes::ZIP215,
);

/// An item of a sum costs the less, the longer the sum. On one core of a server: alone 31 µs, in 32 17.5 µs, in 256
/// 13.8 µs, in 1024 13.0 µs. The engine halves a piece where there are more threads than pieces.
const PIECE_ITEMS: usize = 1_024;
/// Where one equation over all is faster than one for each: two take 27 µs an item.
const SUM_ITEMS_MIN: usize = 2;

/// The [`SignatureFn`](crate::SignatureFn) of this ruleset.
fn verify(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let mut batch = Batch::with_capacity(range.len());
    for (place, i) in range.enumerate() {
        if let Err(verdict) = batch.push(work, i, place) {
            output.verdicts[place] = verdict;
        }
    }
    let all_hold = batch.items.len() >= SUM_ITEMS_MIN && batch.sum_holds();
    for item in &batch.items {
        output.verdicts[item.place] = Verdict::from_equation(all_hold || batch.holds(item));
    }
}

/// An item that decodes and whose S is below L.
struct Item {
    /// Where its verdict goes.
    place: usize,
    /// The number of its key in the batch.
    key: usize,
    r: EdwardsPoint,
    s: Scalar,
    k: Scalar,
}

/// Items for one equation. Equal keys are decoded once and share a term.
struct Batch<'a> {
    items: Vec<Item>,
    keys: Vec<EdwardsPoint>,
    key_numbers: HashMap<&'a [u8; KEY_BYTES], usize>,
}

impl<'a> Batch<'a> {
    fn with_capacity(items: usize) -> Self {
        Self {
            items: Vec::with_capacity(items),
            keys: Vec::with_capacity(items),
            key_numbers: HashMap::with_capacity(items),
        }
    }

    /// Takes item `i` in; what is wrong with it, where the equation need not be asked.
    fn push(&mut self, work: &'a SignatureWork, i: usize, place: usize) -> Result<(), Verdict> {
        let parts = Parts::of(work, i).ok_or(Verdict::Malformed)?;
        let key = self.key_number(parts.key).ok_or(Verdict::Malformed)?;
        let r = decode_point(parts.r()).ok_or(Verdict::Malformed)?;
        let s = parts.s().ok_or(Verdict::Invalid)?;
        let hash = Sha512::new().chain_update(parts.r()).chain_update(parts.key).chain_update(parts.message);
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        self.items.push(Item { place, key, r, s, k });
        Ok(())
    }

    /// The number of a key, which is decoded where it is new; `None` where it does not decode.
    fn key_number(&mut self, bytes: &'a [u8; KEY_BYTES]) -> Option<usize> {
        if let Some(&number) = self.key_numbers.get(bytes) {
            return Some(number);
        }
        let number = self.keys.len();
        self.keys.push(decode_point(bytes)?);
        self.key_numbers.insert(bytes, number);
        Some(number)
    }

    /// Whether \[8\](Σ zᵢRᵢ + Σ zᵢkᵢAᵢ − (Σ zᵢSᵢ)B) is the identity for fresh zᵢ. False also where the operating
    /// system gives no randomness: then each item is checked alone, which needs none.
    fn sum_holds(&self) -> bool {
        let Some(coefficients) = fresh_coefficients(self.items.len()) else {
            return false;
        };
        let mut base_scalar = Scalar::ZERO;
        let mut key_scalars = vec![Scalar::ZERO; self.keys.len()];
        for (item, z) in self.items.iter().zip(&coefficients) {
            base_scalar -= z * item.s;
            key_scalars[item.key] += z * item.k;
        }
        let sum = EdwardsPoint::vartime_multiscalar_mul(
            coefficients.iter().chain(&key_scalars).chain([&base_scalar]),
            self.items.iter().map(|item| &item.r).chain(&self.keys).chain([&ED25519_BASEPOINT_POINT]),
        );
        sum.mul_by_cofactor().is_identity()
    }

    /// Whether \[8\](\[S\]B − \[k\]A − R) is the identity.
    fn holds(&self, item: &Item) -> bool {
        let minus_key = -self.keys[item.key];
        let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&item.k, &minus_key, &item.s);
        (expected - item.r).mul_by_cofactor().is_identity()
    }
}

/// `count` scalars between 1 and 2¹²⁸ − 1 from the operating system's generator; `None` where it fails.
fn fresh_coefficients(count: usize) -> Option<Vec<Scalar>> {
    let mut bytes = vec![0; count * 16];
    getrandom::fill(&mut bytes).ok()?;
    let (chunks, _) = bytes.as_chunks::<16>();
    Some(chunks.iter().map(|chunk| Scalar::from(u128::from_le_bytes(*chunk).max(1))).collect())
}
