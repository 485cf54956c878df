//! The vector engine's way through this room: what can be decoded cheaply goes into lanes, eight signatures at a
//! time, by table where the key has one; identities, keys and messages are hashed sixteen at a time. Whatever is out of
//! the ordinary is judged by the CPU's function, so that there is one place for its rules.

use std::ops::Range;
use std::sync::Arc;

use outrigger_types::{MessageForm, Operation, Output, Ruleset, SignatureWork, Verdict};
use outrigger_vector::sm2::{self, KnownSignature, Outcome, Signature, Table};

use super::identity::{self, Identity};
use super::{fisco_sm2, sm2_digest, sm2_message};
use crate::known_keys::{ByTable, KeyKind, KeyTable};
use crate::room::{SignatureFn, SignatureLanes};
use crate::{Unit, sm3};

/// The lanes of a ruleset of this room.
pub(super) const fn lanes(ruleset: Ruleset) -> Option<SignatureLanes> {
    match ruleset {
        Ruleset::FiscoSm2 | Ruleset::Sm2Digest | Ruleset::Sm2Message => {}
        _ => return None,
    }
    Some(SignatureLanes { piece_items: PIECE_ITEMS, verify, recover: None, verify_sets: None, known: Some(&KEYS) })
}

/// About a millisecond and a half; an inversion, some 1 % of the time of a batch, is shared by it.
const PIECE_ITEMS: usize = 256;

/// The tables of this room's keys, for all rulesets.
pub(super) static KEYS: KeyKind = KeyKind {
    name: "sm2",
    sightings: SIGHTINGS,
    name_of: |key| coordinates(key).map(|key| &key[..]),
    build: |name| Some(Arc::new(Signer::new(name.try_into().ok()?)?)),
};

/// A table takes about 150 µs to make and then saves some 4.7 µs of 6 a signature, as measured by `bench verify` with
/// and without `--known-keys`.
const SIGHTINGS: u32 = 32;

const BY_TABLE: ByTable<Outcome> = ByTable { kind: &KEYS, valid: Outcome::Valid, invalid: Outcome::Invalid };

/// What is kept of a known key.
pub(super) struct Signer {
    table: Table,
    /// With the default identity.
    z: [u8; 32],
}

impl Signer {
    fn new(key: &[u8; 64]) -> Option<Self> {
        let [x, y] = numbers(key);
        Some(Self { table: Table::new(x, y)?, z: Identity::new(identity::DEFAULT)?.z(key) })
    }
}

impl KeyTable for Signer {
    fn bytes(&self) -> usize {
        self.table.bytes() + self.z.len()
    }

    fn is_intact(&self) -> bool {
        self.table.is_intact()
    }
}

/// The lanes, where the options agree with the ruleset.
fn verify(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    match Way::of(work) {
        Ok(way) => each(unit, work, range, output, &way),
        Err(judge) => judge(work, range, output),
    }
}

/// How the items of a request are verified.
pub(super) struct Way {
    /// The CPU's function, for whatever is out of the ordinary.
    judge: SignatureFn,
    /// What messages are hashed with; `None` where they are e.
    pub(super) identity: Option<Identity>,
    halves: Halves,
}

impl Way {
    /// The CPU's function is to judge all, where the options contradict the ruleset.
    pub(super) fn of(work: &SignatureWork) -> Result<Self, SignatureFn> {
        match work.ruleset {
            Ruleset::FiscoSm2 => Self::fisco(work).ok_or(fisco_sm2::verify),
            Ruleset::Sm2Digest => Self::digest(work).ok_or(sm2_digest::verify),
            _ => Self::message(work).ok_or(sm2_message::verify),
        }
    }

    fn fisco(work: &SignatureWork) -> Option<Self> {
        let named: &[u8] = &work.options.identity;
        let agrees =
            work.options.message_form == MessageForm::Digest && (named.is_empty() || named == identity::DEFAULT);
        let halves: Halves = |key, signature, digest| {
            let (halves, inner_key) = signature.split_first_chunk()?;
            (digest.len() == 32 && (inner_key.is_empty() || inner_key == key)).then_some(halves)
        };
        let identity = Some(Identity::new(identity::DEFAULT)?);
        agrees.then_some(Self { judge: fisco_sm2::verify, identity, halves })
    }

    fn digest(work: &SignatureWork) -> Option<Self> {
        let agrees = work.options.message_form == MessageForm::Digest && work.options.identity.is_empty();
        let halves: Halves = |_, signature, digest| signature.try_into().ok().filter(|_| digest.len() == 32);
        agrees.then_some(Self { judge: sm2_digest::verify, identity: None, halves })
    }

    fn message(work: &SignatureWork) -> Option<Self> {
        let identity = Some(Identity::new(&work.options.identity)?);
        let halves: Halves = |_, signature, _| signature.try_into().ok();
        let agrees = work.options.message_form == MessageForm::Message;
        agrees.then_some(Self { judge: sm2_message::verify, identity, halves })
    }

    /// Item i, where it can be decoded and is in range.
    pub(super) fn decode<'a>(&self, work: &'a SignatureWork, i: usize) -> Option<Decoded<'a>> {
        let (key, message) = (coordinates(work.keys.item(i))?, work.message(i));
        let signature = in_range(key, (self.halves)(key, work.signature(i), message)?)?;
        Some(Decoded { key, message, signature })
    }

    /// The CPU's verdict of item i.
    pub(super) fn judge_alone(&self, work: &SignatureWork, i: usize) -> Verdict {
        let mut one = Output::unprocessed(Operation::Verify(work.ruleset), 1);
        (self.judge)(work, i..i + 1, &mut one);
        one.verdicts[0]
    }
}

/// r‖s of a key, a signature and a message, where they have the lengths for it.
type Halves = for<'a> fn(&[u8; 64], &'a [u8], &[u8]) -> Option<&'a [u8; 64]>;

/// An item that is decoded and in range but for the curve.
pub(super) struct Decoded<'a> {
    /// x‖y.
    key: &'a [u8; 64],
    /// Is hashed to e, or is e.
    pub(super) message: &'a [u8],
    /// But for e.
    pub(super) signature: Signature,
}

/// Verifies items whose messages are hashed with an identity, or are e.
fn each(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output, way: &Way) {
    let (mut places, mut items) = (Vec::with_capacity(range.len()), Vec::with_capacity(range.len()));
    for (place, i) in range.clone().enumerate() {
        match way.decode(work, i) {
            Some(item) => {
                places.push(place);
                items.push(item);
            }
            None => output.verdicts[place] = way.judge_alone(work, i),
        }
    }
    let identity = way.identity.as_ref();
    for (place, outcome) in places.into_iter().zip(outcomes(unit, identity, &items)) {
        match outcome {
            Outcome::Valid => output.verdicts[place] = Verdict::Valid,
            Outcome::Invalid => output.verdicts[place] = Verdict::Invalid,
            Outcome::OffCurve => output.verdicts[place] = Verdict::Malformed,
            Outcome::Undecided => output.verdicts[place] = way.judge_alone(work, range.start + place),
        }
    }
}

fn outcomes(unit: Unit, identity: Option<&Identity>, items: &[Decoded<'_>]) -> Vec<Outcome> {
    let names: Vec<&[u8]> = items.iter().map(|item| &item.key[..]).collect();
    let by_table = |known: &[(usize, &Signer)]| {
        let of_signer = |&(item, signer): &(usize, &Signer)| (&items[item], Some(signer.z));
        let digests = digests(unit, identity, known.iter().map(of_signer));
        let signatures = known.iter().zip(digests).map(|(&(item, signer), digest)| {
            let Signature { r, s, .. } = items[item].signature;
            KnownSignature { table: &signer.table, digest, r, s }
        });
        sm2::verify_known(unit, &signatures.collect::<Vec<_>>())
    };
    let plainly = |rest: &[usize]| {
        let digests = digests(unit, identity, rest.iter().map(|&item| (&items[item], None)));
        let whole = |(&item, digest): (&usize, _)| Signature { digest, ..items[item].signature };
        let signatures: Vec<_> = rest.iter().zip(digests).map(whole).collect();
        sm2::verify(unit, &signatures)
    };
    BY_TABLE.verify(&names, by_table, plainly)
}

/// e of items, each with its Z where that is known for the default identity.
fn digests<'a>(
    unit: Unit,
    identity: Option<&Identity>,
    items: impl Iterator<Item = (&'a Decoded<'a>, Option<[u8; 32]>)>,
) -> Vec<[u64; 4]> {
    let (items, known): (Vec<&Decoded<'_>>, Vec<Option<[u8; 32]>>) = items.unzip();
    let Some(identity) = identity else {
        return items.iter().map(|item| number(item.message.try_into().expect("looked at while decoding"))).collect();
    };
    let z: Vec<[u8; 32]> = match known.iter().copied().collect() {
        Some(known) if identity.is_default() => known,
        _ => sm3::many(unit, &items.iter().map(|item| [identity.prefix(), &item.key[..]]).collect::<Vec<_>>()),
    };
    let messages: Vec<[&[u8]; 2]> = z.iter().zip(&items).map(|(z, item)| [&z[..], item.message]).collect();
    sm3::many(unit, &messages).iter().map(number).collect()
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

fn in_range(key: &[u8; 64], signature: &[u8; 64]) -> Option<Signature> {
    let [x, y] = numbers(key);
    let [r, s] = numbers(signature);
    let signature = Signature { key: [x, y], digest: [0; 4], r, s };
    signature.is_in_range().then_some(signature)
}

/// A big-endian number as little-endian words.
fn number(bytes: &[u8; 32]) -> [u64; 4] {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|i| u64::from_be_bytes(words[3 - i]))
}

/// Two big-endian numbers as little-endian words.
fn numbers(bytes: &[u8; 64]) -> [[u64; 4]; 2] {
    let (words, _) = bytes.as_chunks::<8>();
    [3, 7].map(|last| std::array::from_fn(|i| u64::from_be_bytes(words[last - i])))
}
