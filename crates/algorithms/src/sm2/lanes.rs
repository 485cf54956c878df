//! The vector engine's way through this room: what can be decoded cheaply goes into lanes, eight signatures at a
//! time; whatever is out of the ordinary is judged by the CPU's function, so that there is one place for its rules.

use std::ops::Range;

use outrigger_types::{MessageForm, Output, Ruleset, SignatureWork, Verdict};
use outrigger_vector::sm2::{self, Outcome, Signature};

use super::identity::{self, Identity};
use super::{fisco_sm2, sm2_digest, sm2_message};
use crate::Unit;
use crate::room::{SignatureFn, SignatureLanes};

/// The lanes of a ruleset of this room.
pub(super) const fn lanes(ruleset: Ruleset) -> Option<SignatureLanes> {
    let verify = match ruleset {
        Ruleset::FiscoSm2 => fisco,
        Ruleset::Sm2Digest => digest,
        Ruleset::Sm2Message => message,
        _ => return None,
    };
    Some(SignatureLanes { piece_items: PIECE_ITEMS, verify, recover: None, verify_sets: None })
}

/// About a millisecond and a half; an inversion, some 1 % of the time of a batch, is shared by it.
const PIECE_ITEMS: usize = 256;

fn fisco(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let named: &[u8] = &work.options.identity;
    if work.options.message_form != MessageForm::Digest || !(named.is_empty() || named == identity::DEFAULT) {
        return fisco_sm2::verify(work, range, output);
    }
    let Some(identity) = Identity::new(identity::DEFAULT) else { return fisco_sm2::verify(work, range, output) };
    each(unit, work, range, output, fisco_sm2::verify, |key, signature, digest| {
        let (halves, inner_key) = signature.split_first_chunk()?;
        let digest: &[u8; 32] = digest.try_into().ok()?;
        (inner_key.is_empty() || inner_key == key).then_some((*halves, identity.digest(key, digest)))
    });
}

fn digest(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    if work.options.message_form != MessageForm::Digest || !work.options.identity.is_empty() {
        return sm2_digest::verify(work, range, output);
    }
    each(unit, work, range, output, sm2_digest::verify, |_, signature, digest| {
        Some((signature.try_into().ok()?, digest.try_into().ok()?))
    });
}

fn message(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let (MessageForm::Message, Some(identity)) = (work.options.message_form, Identity::new(&work.options.identity))
    else {
        return sm2_message::verify(work, range, output);
    };
    each(unit, work, range, output, sm2_message::verify, |key, signature, message| {
        Some((signature.try_into().ok()?, identity.digest(key, message)))
    });
}

/// `decode` gives r‖s and e of a key of 64 bytes, a signature and a message, where they have the lengths for it.
fn each(
    unit: Unit,
    work: &SignatureWork,
    range: Range<usize>,
    output: &mut Output,
    judge: SignatureFn,
    decode: impl Fn(&[u8; 64], &[u8], &[u8]) -> Option<([u8; 64], [u8; 32])>,
) {
    let alone = |output: &mut Output, place: usize| {
        let i = range.start + place;
        let mut one = Output::unprocessed(outrigger_types::Operation::Verify(work.ruleset), 1);
        judge(work, i..i + 1, &mut one);
        output.verdicts[place] = one.verdicts[0];
    };
    let (mut places, mut signatures) = (Vec::with_capacity(range.len()), Vec::with_capacity(range.len()));
    for (place, i) in range.clone().enumerate() {
        let signature = coordinates(work.keys.item(i)).and_then(|key| {
            let (signature, e) = decode(key, work.signature(i), work.message(i))?;
            in_range(key, &signature, &e)
        });
        match signature {
            Some(signature) => {
                places.push(place);
                signatures.push(signature);
            }
            None => alone(output, place),
        }
    }
    for (place, outcome) in places.into_iter().zip(sm2::verify(unit, &signatures)) {
        match outcome {
            Outcome::Valid => output.verdicts[place] = Verdict::Valid,
            Outcome::Invalid => output.verdicts[place] = Verdict::Invalid,
            Outcome::OffCurve => output.verdicts[place] = Verdict::Malformed,
            Outcome::Undecided => alone(output, place),
        }
    }
}

/// x‖y of a key of 64 bytes, or of 65 with 0x04 before them.
fn coordinates(key: &[u8]) -> Option<&[u8; 64]> {
    match key {
        [0x04, key @ ..] if key.len() == 64 => key,
        key => key,
    }
    .try_into()
    .ok()
}

fn in_range(key: &[u8; 64], signature: &[u8; 64], e: &[u8; 32]) -> Option<Signature> {
    let [x, y] = numbers(key);
    let [r, s] = numbers(signature);
    let (digest, _) = e.as_chunks::<8>();
    let digest = std::array::from_fn(|i| u64::from_be_bytes(digest[3 - i]));
    let signature = Signature { key: [x, y], digest, r, s };
    signature.is_in_range().then_some(signature)
}

/// Two big-endian numbers as little-endian words.
fn numbers(bytes: &[u8; 64]) -> [[u64; 4]; 2] {
    let (words, _) = bytes.as_chunks::<8>();
    [3, 7].map(|last| std::array::from_fn(|i| u64::from_be_bytes(words[last - i])))
}
