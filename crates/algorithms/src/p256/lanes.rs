//! The vector engine's way through this room: what can be decoded cheaply goes into lanes, eight signatures at a
//! time; whatever is out of the ordinary is judged by the CPU's function, so that there is one place for its rules.

use std::ops::Range;

use outrigger_types::{MessageForm, Output, SignatureOptions, SignatureWork, Verdict};
use outrigger_vector::p256::{self, Outcome, Signature};

use super::{Judge, der, ethereum_p256verify, fabric};
use crate::Unit;
use crate::room::SignatureLanes;

/// The lanes of ruleset `fabric`.
pub(super) const FABRIC: SignatureLanes = SignatureLanes {
    piece_items: PIECE_ITEMS,
    verify: |unit, work, range, output| each(unit, work, range, output, fabric_signature, fabric::verify),
    recover: None,
    verify_sets: None,
};

/// The lanes of ruleset `ethereum-p256verify`.
pub(super) const ETHEREUM_P256VERIFY: SignatureLanes = SignatureLanes {
    piece_items: PIECE_ITEMS,
    verify: |unit, work, range, output| {
        each(unit, work, range, output, precompile_signature, ethereum_p256verify::verify)
    },
    recover: None,
    verify_sets: None,
};

/// About a millisecond and a half; two inversions, some 2 % of the time of a batch, are shared by it.
const PIECE_ITEMS: usize = 256;

/// The numbers of an item that is decoded and in range but for the curve, else `None`.
type Decode = fn(options: &SignatureOptions, key: &[u8], signature: &[u8], message: &[u8]) -> Option<Signature>;

fn each(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output, decode: Decode, judge: Judge) {
    let parts = |i| (&work.options, work.keys.item(i), work.signature(i), work.message(i));
    let alone = |i| {
        let (options, key, signature, message) = parts(i);
        judge(options, key, signature, message)
    };
    let (mut places, mut signatures) = (Vec::with_capacity(range.len()), Vec::with_capacity(range.len()));
    for (place, i) in range.clone().enumerate() {
        let (options, key, signature, message) = parts(i);
        match decode(options, key, signature, message) {
            Some(signature) => {
                places.push(place);
                signatures.push(signature);
            }
            None => output.verdicts[place] = alone(i),
        }
    }
    for (place, outcome) in places.into_iter().zip(p256::verify(unit, &signatures)) {
        output.verdicts[place] = match outcome {
            Outcome::Valid => Verdict::Valid,
            Outcome::Invalid => Verdict::Invalid,
            Outcome::OffCurve => Verdict::Malformed,
            Outcome::Undecided => alone(range.start + place),
        };
    }
}

fn fabric_signature(options: &SignatureOptions, key: &[u8], signature: &[u8], message: &[u8]) -> Option<Signature> {
    let integers = der::parse(signature)?;
    let (r, s) = (integers.r?, integers.s?);
    let [0x04, key @ ..] = key else { return None };
    let digest = match options.message_form {
        MessageForm::Message => crate::sha256::sha256(message),
        MessageForm::Digest => message.try_into().ok()?,
    };
    (s <= fabric::HALF_ORDER).then_some(())?;
    in_range(key, &digest, &r, &s)
}

fn precompile_signature(options: &SignatureOptions, key: &[u8], signature: &[u8], digest: &[u8]) -> Option<Signature> {
    (options.message_form == MessageForm::Digest).then_some(())?;
    let (r, s) = ethereum_p256verify::halves(signature)?;
    in_range(key, digest.try_into().ok()?, r, s)
}

fn in_range(key: &[u8], digest: &[u8; 32], r: &[u8; 32], s: &[u8; 32]) -> Option<Signature> {
    let (x, y) = key.split_first_chunk()?;
    let key = [words(x), words(y.try_into().ok()?)];
    let signature = Signature { key, digest: words(digest), r: words(r), s: words(s) };
    signature.is_in_range().then_some(signature)
}

/// A big-endian number as little-endian words.
fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|i| u64::from_be_bytes(words[3 - i]))
}
