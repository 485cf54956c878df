//! The room's rulesets on the vector engine: columns parsed as the CPU does, the mathematics eight lanes at a time.
//!
//! What the lanes cannot say, and what needs no curve at all, is left to the CPU's function for that item.

use std::ops::Range;

use outrigger_types::{MessageForm, Operation, Output, SignatureWork, Verdict};
use outrigger_vector::Unit;
use outrigger_vector::secp256k1::{self as vector, Nonce, Number, Recoverable, Recovered, Schnorr, number};
use sha2::{Digest, Sha256};

use super::items::Item;
use super::recoverable::{Signed, Signer, Variant};
use super::{Recovery, bip340, bitcoin, known, parse};
use crate::keccak::keccak256_of_many;

/// How many items a thread takes at once, and how many go through the lanes together. Their tables take 1 KiB of cache
/// for each row and lane, 2 KiB an item; the inversions that they share cost 1 % of the time at this number.
pub(super) const PIECE_ITEMS: usize = 256;

/// Verifies items of a ruleset with recoverable signatures.
pub(super) fn verify_recoverable(
    unit: Unit,
    work: &SignatureWork,
    range: Range<usize>,
    output: &mut Output,
    variant: &Variant,
) {
    if work.options.message_form != MessageForm::Digest {
        return;
    }
    for (items, verdicts) in pieces(work, range, &mut output.verdicts) {
        let mut piece = RecoverablePiece::default();
        for (place, item) in items.iter().enumerate() {
            if !piece.take(place, item, variant) {
                verdicts[place] = variant.verify(item);
            }
        }
        piece.judge(unit, verdicts, |place| variant.verify(&items[place]));
    }
}

/// The items of a piece with recoverable signatures, by what they give of their signer.
#[derive(Default)]
struct RecoverablePiece<'a> {
    by_key: Vec<known::Signature<'a>>,
    key_places: Vec<usize>,
    by_address: Vec<Recoverable>,
    address_places: Vec<(usize, &'a [u8; 20])>,
}

impl<'a> RecoverablePiece<'a> {
    /// Takes an item; `false` where it is decided without the curve's help.
    fn take(&mut self, place: usize, item: &Item<'a>, variant: &Variant) -> bool {
        let (Some(signer), Some(signed)) = (Signer::parse(item.key), variant.parse(item)) else { return false };
        if !signed.is_in_range(variant.allow_high_s) {
            return false;
        }
        match signer {
            Signer::Address(address) => {
                self.by_address.push(recoverable(&signed));
                self.address_places.push((place, address));
            }
            Signer::Key(key) => {
                let Recoverable { digest, r, s, x_is_above_order, y_is_odd } = recoverable(&signed);
                let (x, y) = parse::halves(key);
                let nonce = Nonce::Point { x_is_above_order, y_is_odd };
                let item = vector::Item { digest, r, s, x: number(x), y: number(y), nonce };
                self.by_key.push(known::Signature { name: key, lift: None, item });
                self.key_places.push(place);
            }
        }
        true
    }

    fn judge(&self, unit: Unit, verdicts: &mut [Verdict], by_cpu: impl Fn(usize) -> Verdict) {
        let by_key = known::verify(unit, &self.by_key);
        for (&place, verdict) in self.key_places.iter().zip(by_key) {
            verdicts[place] = translated(verdict).unwrap_or_else(|| by_cpu(place));
        }
        let recovered = vector::recover(unit, &self.by_address);
        let mut addresses = addresses(unit, &public_keys(&recovered)).into_iter();
        for (&(place, address), recovered) in self.address_places.iter().zip(recovered) {
            verdicts[place] = match recovered {
                Recovered::Key(..) => Verdict::from_equation(addresses.next() == Some(*address)),
                Recovered::None => Verdict::Invalid,
                Recovered::Exceptional => by_cpu(place),
            };
        }
    }
}

/// Recovers the keys and addresses of items of a ruleset with recoverable signatures.
pub(super) fn recover(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output, variant: &Variant) {
    if work.options.message_form != MessageForm::Digest {
        return;
    }
    let stride = Operation::Recover(work.ruleset).output_shape().stride;
    let (signatures, messages) = (work.signatures.view(), work.messages.view());
    for begin in range.clone().step_by(PIECE_ITEMS) {
        let end = range.end.min(begin + PIECE_ITEMS);
        let items: Vec<Item<'_>> =
            (begin..end).map(|i| Item { key: &[], signature: signatures.item(i), message: messages.item(i) }).collect();
        let first = begin - range.start;
        let answers = recover_piece(unit, &items, variant);
        let verdicts = &mut output.verdicts[first..first + items.len()];
        let fixed = output.fixed[first * stride..].chunks_exact_mut(stride);
        for ((answer, verdict), fixed) in answers.into_iter().zip(verdicts).zip(fixed) {
            match answer {
                Ok(Signatory { public_key, address }) => {
                    fixed[..64].copy_from_slice(&public_key);
                    fixed[64..].copy_from_slice(&address);
                    *verdict = Verdict::Valid;
                }
                Err(refused) => *verdict = refused,
            }
        }
    }
}

/// A recovered key x‖y and its address.
struct Signatory {
    public_key: [u8; 64],
    address: [u8; 20],
}

/// Who signed each item, or the verdict that says why nobody did.
fn recover_piece(unit: Unit, items: &[Item<'_>], variant: &Variant) -> Vec<Result<Signatory, Verdict>> {
    let parsed: Vec<Option<Signed<'_>>> = items.iter().map(|item| variant.parse(item)).collect();
    let is_for_lanes = |signed: &&Signed<'_>| signed.is_in_range(variant.allow_high_s);
    let signatures: Vec<Recoverable> = parsed.iter().flatten().filter(is_for_lanes).map(recoverable).collect();
    let recovered = vector::recover(unit, &signatures);
    let public_keys = public_keys(&recovered);
    let mut signatories = public_keys.iter().zip(addresses(unit, &public_keys));
    let mut recovered = recovered.into_iter();
    let answer = |(item, signed): (&Item<'_>, &Option<Signed<'_>>)| {
        let signed = signed.as_ref().ok_or(Verdict::Malformed)?;
        if !is_for_lanes(&signed) {
            return Err(Verdict::Invalid);
        }
        match recovered.next().expect("one answer a signature") {
            Recovered::Key(..) => {
                let (public_key, address) = signatories.next().expect("an address a key");
                Ok(Signatory { public_key: *public_key, address })
            }
            Recovered::None => Err(Verdict::Invalid),
            Recovered::Exceptional => {
                variant.recover(item).map(|(public_key, address)| Signatory { public_key, address })
            }
        }
    };
    items.iter().zip(&parsed).map(answer).collect()
}

/// As [`Recovery::address`] of each.
pub(crate) fn recover_addresses(unit: Unit, recoveries: &[Recovery]) -> Vec<Option<[u8; 20]>> {
    let mut found = Vec::with_capacity(recoveries.len());
    for piece in recoveries.chunks(PIECE_ITEMS) {
        let is_for_lanes = |recovery: &&Recovery| {
            parse::is_scalar(&recovery.r)
                && parse::is_scalar(&recovery.s)
                && (recovery.allow_high_s || !parse::is_high(&recovery.s))
        };
        let signature = |recovery: &Recovery| Recoverable {
            digest: number(&recovery.digest),
            r: number(&recovery.r),
            s: number(&recovery.s),
            x_is_above_order: false,
            y_is_odd: recovery.y_is_odd,
        };
        let signatures: Vec<Recoverable> = piece.iter().filter(is_for_lanes).map(signature).collect();
        let recovered = vector::recover(unit, &signatures);
        let mut of_keys = addresses(unit, &public_keys(&recovered)).into_iter();
        let mut recovered = recovered.into_iter();
        found.extend(piece.iter().map(|recovery| {
            if !is_for_lanes(&recovery) {
                return None;
            }
            match recovered.next().expect("one answer a signature") {
                Recovered::Key(..) => of_keys.next(),
                Recovered::None => None,
                Recovered::Exceptional => recovery.address(),
            }
        }));
    }
    found
}

/// The keys x‖y among what was recovered.
fn public_keys(recovered: &[Recovered]) -> Vec<[u8; 64]> {
    let key = |recovered: &Recovered| match recovered {
        Recovered::Key(x, y) => Some(joined(x, y)),
        Recovered::None | Recovered::Exceptional => None,
    };
    recovered.iter().filter_map(key).collect()
}

/// The addresses of keys x‖y, as [`reference::address`] of each.
///
/// [`reference::address`]: super::reference::address
fn addresses(unit: Unit, public_keys: &[[u8; 64]]) -> Vec<[u8; 20]> {
    let digests = keccak256_of_many(unit, public_keys.len(), |i| public_keys[i].as_slice());
    digests.iter().map(|digest| *digest.last_chunk().expect("20 of 32 bytes")).collect()
}

/// Verifies items of `bitcoin`.
pub(super) fn verify_bitcoin(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    if work.options.message_form != MessageForm::Digest {
        return;
    }
    for (items, verdicts) in pieces(work, range, &mut output.verdicts) {
        let (mut signatures, mut places) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
        for (place, item) in items.iter().enumerate() {
            match bitcoin_item(item) {
                Some(signature) => {
                    signatures.push(signature);
                    places.push(place);
                }
                None => verdicts[place] = Verdict::Malformed,
            }
        }
        for (&place, verdict) in places.iter().zip(known::verify(unit, &signatures)) {
            verdicts[place] = translated(verdict).unwrap_or_else(|| bitcoin::judge(&items[place]));
        }
    }
}

/// The coordinates of a key, whether they are a point's or not. Of a compressed key there is no y, but whether it is
/// odd.
fn coordinates(key: &[u8]) -> Option<(Number, Number, Option<bool>)> {
    match known::name_of(key)? {
        name if name.len() == 64 && key.len() == 65 => {
            let (x, y) = parse::halves(name.try_into().ok()?);
            Some((number(x), number(y), None))
        }
        [prefix, x @ ..] if x.len() == 32 => Some((number(x.try_into().ok()?), Number::default(), Some(*prefix == 3))),
        _ => None,
    }
}

/// `None` where the item is malformed, but for a key that is no point. An r or s out of range is 0 here, and so are
/// invalid.
pub(super) fn bitcoin_item<'a>(item: &Item<'a>) -> Option<known::Signature<'a>> {
    let digest = number(item.message.try_into().ok()?);
    let (r, s) = parse::strict_der(item.signature)?;
    let [r, s] = [r, s].map(|content| number(&parse::scalar(content).unwrap_or_default()));
    let (x, y, lift) = coordinates(item.key)?;
    let name = known::name_of(item.key)?;
    Some(known::Signature { name, lift, item: vector::Item { digest, r, s, x, y, nonce: Nonce::Any } })
}

/// Verifies items of `bip340`.
pub(super) fn verify_bip340(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let form = work.options.message_form;
    let tagged = challenge_hash();
    for (items, verdicts) in pieces(work, range, &mut output.verdicts) {
        let (mut signatures, mut places) = (Vec::new(), Vec::new());
        for (place, item) in items.iter().enumerate() {
            match schnorr(item, form, &tagged) {
                Some(signature) => {
                    signatures.push(signature);
                    places.push(place);
                }
                None => verdicts[place] = Verdict::Malformed,
            }
        }
        let keys: Vec<&[u8]> = places.iter().map(|&place| items[place].key).collect();
        for (&place, verdict) in places.iter().zip(known::verify_schnorr(unit, &keys, &signatures)) {
            verdicts[place] = translated(verdict).unwrap_or_else(|| bip340::judge(&items[place], form));
        }
    }
}

/// SHA-256 that has taken in BIP 340's tag, twice hashed.
pub(super) fn challenge_hash() -> Sha256 {
    let tag = Sha256::digest(b"BIP0340/challenge");
    Sha256::new().chain_update(tag).chain_update(tag)
}

/// `None` where the item is malformed, but for a key that is no point's x.
pub(super) fn schnorr(item: &Item<'_>, form: MessageForm, tagged: &Sha256) -> Option<Schnorr> {
    if form == MessageForm::Digest && item.message.len() != 32 {
        return None;
    }
    let signature: &[u8; 64] = item.signature.try_into().ok()?;
    let key: &[u8; 32] = item.key.try_into().ok()?;
    let (r, s) = parse::halves(signature);
    if !parse::is_field_element(r) {
        return None;
    }
    let challenge = tagged.clone().chain_update(r).chain_update(key).chain_update(item.message).finalize();
    Some(Schnorr { r: number(r), s: number(s), challenge: number(&challenge.into()), x: number(key) })
}

/// The pieces of a range, each with the places of its verdicts.
fn pieces<'a>(
    work: &'a SignatureWork,
    range: Range<usize>,
    verdicts: &'a mut [Verdict],
) -> impl Iterator<Item = (Vec<Item<'a>>, &'a mut [Verdict])> {
    let (signatures, messages) = (work.signatures.view(), work.messages.view());
    let begins = range.clone().step_by(PIECE_ITEMS);
    begins.zip(verdicts.chunks_mut(PIECE_ITEMS)).map(move |(begin, verdicts)| {
        let item = |i| Item { key: work.keys.item(i), signature: signatures.item(i), message: messages.item(i) };
        ((begin..begin + verdicts.len()).map(item).collect(), verdicts)
    })
}

fn recoverable(signed: &Signed<'_>) -> Recoverable {
    let (r, s) = parse::halves(signed.compact);
    Recoverable {
        digest: number(signed.digest),
        r: number(r),
        s: number(s),
        x_is_above_order: signed.recovery_id & 2 != 0,
        y_is_odd: signed.recovery_id & 1 != 0,
    }
}

/// x‖y.
fn joined(x: &Number, y: &Number) -> [u8; 64] {
    let mut joined = [0; 64];
    joined[..32].copy_from_slice(&vector::bytes(x));
    joined[32..].copy_from_slice(&vector::bytes(y));
    joined
}

/// The room's verdict; `None` where the lanes have none.
fn translated(verdict: vector::Verdict) -> Option<Verdict> {
    match verdict {
        vector::Verdict::Valid => Some(Verdict::Valid),
        vector::Verdict::Invalid => Some(Verdict::Invalid),
        vector::Verdict::NoPoint => Some(Verdict::Malformed),
        vector::Verdict::Exceptional => None,
    }
}
