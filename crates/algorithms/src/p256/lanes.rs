//! The vector engine's way through this room: what can be decoded cheaply goes into lanes, eight signatures at a
//! time, by table where the key has one; messages are hashed sixteen at a time. Whatever is out of the ordinary is
//! judged by the CPU's function, so that there is one place for its rules.

use std::ops::Range;
use std::sync::Arc;

use outrigger_types::{MessageForm, Output, SignatureOptions, SignatureWork, Verdict};
use outrigger_vector::p256::{self, KnownSignature, Outcome, Signature, Table};

use super::{Judge, der, ethereum_p256verify, fabric};
use crate::Unit;
use crate::known_keys::{ByTable, KeyKind, KeyTable};
use crate::room::SignatureLanes;
use crate::sha256;

/// The lanes of ruleset `fabric`.
pub(super) const FABRIC: SignatureLanes = SignatureLanes {
    piece_items: PIECE_ITEMS,
    verify: |unit, work, range, output| each(unit, work, range, output, fabric_signature, fabric::verify),
    recover: None,
    verify_sets: None,
    known: Some(&KEYS),
};

/// The lanes of ruleset `ethereum-p256verify`.
pub(super) const ETHEREUM_P256VERIFY: SignatureLanes = SignatureLanes {
    piece_items: PIECE_ITEMS,
    verify: |unit, work, range, output| {
        each(unit, work, range, output, precompile_signature, ethereum_p256verify::verify)
    },
    recover: None,
    verify_sets: None,
    known: Some(&KEYS),
};

/// About a millisecond and a half; two inversions, some 2 % of the time of a batch, are shared by it.
const PIECE_ITEMS: usize = 256;

/// The tables of this room's keys, for both rulesets.
pub(super) static KEYS: KeyKind = KeyKind { name: "p256", sightings: SIGHTINGS, name_of: coordinates, build };

/// A table takes about 150 µs to make and then saves some 4.7 µs of 6 a signature, as measured by `bench verify` with
/// and without `--known-keys`.
const SIGHTINGS: u32 = 32;

const BY_TABLE: ByTable<Outcome> = ByTable { kind: &KEYS, valid: Outcome::Valid, invalid: Outcome::Invalid };

impl KeyTable for Table {
    fn bytes(&self) -> usize {
        Self::bytes(self)
    }

    fn is_intact(&self) -> bool {
        Self::is_intact(self)
    }
}

/// x‖y of a key of 64 bytes, or of 65 with 0x04 before them.
fn coordinates(key: &[u8]) -> Option<&[u8]> {
    match key {
        [0x04, key @ ..] if key.len() == 64 => Some(key),
        key => (key.len() == 64).then_some(key),
    }
}

fn build(name: &[u8]) -> Option<Arc<dyn KeyTable>> {
    let (x, y) = name.split_first_chunk()?;
    Some(Arc::new(Table::new(words(x), words(y.try_into().ok()?))?))
}

/// An item that is decoded and in range but for the curve; its digest is still to come where `message` is there.
pub(super) struct Decoded<'a> {
    /// x‖y.
    key: &'a [u8],
    pub(super) message: Option<&'a [u8]>,
    pub(super) signature: Signature,
}

/// The numbers of an item, else `None`.
pub(super) type Decode = for<'a> fn(&SignatureOptions, &'a [u8], &'a [u8], &'a [u8]) -> Option<Decoded<'a>>;

fn each(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output, decode: Decode, judge: Judge) {
    let parts = |i| (&work.options, work.keys.item(i), work.signature(i), work.message(i));
    let alone = |i| {
        let (options, key, signature, message) = parts(i);
        judge(options, key, signature, message)
    };
    let (mut places, mut items) = (Vec::with_capacity(range.len()), Vec::with_capacity(range.len()));
    for (place, i) in range.clone().enumerate() {
        let (options, key, signature, message) = parts(i);
        match decode(options, key, signature, message) {
            Some(item) => {
                places.push(place);
                items.push(item);
            }
            None => output.verdicts[place] = alone(i),
        }
    }
    hash(unit, &mut items);
    for (place, outcome) in places.into_iter().zip(outcomes(unit, &items)) {
        output.verdicts[place] = match outcome {
            Outcome::Valid => Verdict::Valid,
            Outcome::Invalid => Verdict::Invalid,
            Outcome::OffCurve => Verdict::Malformed,
            Outcome::Undecided => alone(range.start + place),
        };
    }
}

/// Makes the digests that are still to come.
fn hash(unit: Unit, items: &mut [Decoded<'_>]) {
    let messages: Vec<&[u8]> = items.iter().filter_map(|item| item.message).collect();
    let digests = sha256::many(unit, &messages);
    for (item, digest) in items.iter_mut().filter(|item| item.message.is_some()).zip(&digests) {
        item.signature.digest = words(digest);
    }
}

fn outcomes(unit: Unit, items: &[Decoded<'_>]) -> Vec<Outcome> {
    let names: Vec<&[u8]> = items.iter().map(|item| item.key).collect();
    let by_table = |known: &[(usize, &Table)]| {
        let signature = |&(item, table): &(usize, _)| {
            let Signature { digest, r, s, .. } = items[item].signature;
            KnownSignature { table, digest, r, s }
        };
        p256::verify_known(unit, &known.iter().map(signature).collect::<Vec<_>>())
    };
    let plainly = |rest: &[usize]| {
        let signatures: Vec<_> = rest.iter().map(|&item| items[item].signature).collect();
        p256::verify(unit, &signatures)
    };
    BY_TABLE.verify(&names, by_table, plainly)
}

pub(super) fn fabric_signature<'a>(
    options: &SignatureOptions,
    key: &'a [u8],
    signature: &'a [u8],
    message: &'a [u8],
) -> Option<Decoded<'a>> {
    let integers = der::parse(signature)?;
    let (r, s) = (integers.r?, integers.s?);
    let [0x04, key @ ..] = key else { return None };
    (s <= fabric::HALF_ORDER).then_some(())?;
    match options.message_form {
        MessageForm::Message => Some(Decoded { message: Some(message), ..in_range(key, &[0; 32], &r, &s)? }),
        MessageForm::Digest => in_range(key, message.try_into().ok()?, &r, &s),
    }
}

pub(super) fn precompile_signature<'a>(
    options: &SignatureOptions,
    key: &'a [u8],
    signature: &'a [u8],
    digest: &'a [u8],
) -> Option<Decoded<'a>> {
    (options.message_form == MessageForm::Digest).then_some(())?;
    let (r, s) = ethereum_p256verify::halves(signature)?;
    in_range(key, digest.try_into().ok()?, r, s)
}

fn in_range<'a>(key: &'a [u8], digest: &[u8; 32], r: &[u8; 32], s: &[u8; 32]) -> Option<Decoded<'a>> {
    let (x, y) = key.split_first_chunk()?;
    let coordinates = [words(x), words(y.try_into().ok()?)];
    let signature = Signature { key: coordinates, digest: words(digest), r: words(r), s: words(s) };
    signature.is_in_range().then_some(Decoded { key, message: None, signature })
}

/// A big-endian number as little-endian words.
fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|i| u64::from_be_bytes(words[3 - i]))
}
