//! Keys of this room that come often, and how lanes verify by their tables.

use std::sync::Arc;

use outrigger_vector::Unit;
use outrigger_vector::secp256k1::{
    self as vector, Item, KnownSchnorr, KnownSignature, Number, Schnorr, Table, Verdict, number,
};

use super::parse;
use crate::known_keys::{ByTable, KeyKind, KeyTable};

/// The tables of this room's keys, for all rulesets.
pub(super) static KEYS: KeyKind = KeyKind { name: "secp256k1", sightings: SIGHTINGS, name_of, build };

/// A table takes about 150 µs to make and then saves some 2.4 µs of 3.7 a signature, as measured by `bench verify` with
/// and without `--known-keys`.
const SIGHTINGS: u32 = 64;

const BY_TABLE: ByTable<Verdict> = ByTable { kind: &KEYS, valid: Verdict::Valid, invalid: Verdict::Invalid };

impl KeyTable for Table {
    fn bytes(&self) -> usize {
        Self::bytes(self)
    }

    fn is_intact(&self) -> bool {
        Self::is_intact(self)
    }
}

/// x‖y of a key with both. A compressed key, and x alone, stand for themselves: to take the root for each look-up would
/// cost more than a second table does. An address has none.
pub(super) fn name_of(key: &[u8]) -> Option<&[u8]> {
    match (key.len(), key.first()?) {
        (64, _) | (32, _) | (33, 2 | 3) => Some(key),
        (65, 4) => Some(&key[1..]),
        (65, prefix @ (6 | 7)) if key[64] & 1 == prefix & 1 => Some(&key[1..]),
        _ => None,
    }
}

fn build(name: &[u8]) -> Option<Arc<dyn KeyTable>> {
    let (x, y) = match name.len() {
        64 => {
            let (x, y) = parse::halves(name.try_into().ok()?);
            (number(x), number(y))
        }
        32 => lifted(name, false)?,
        _ => lifted(&name[1..], name[0] == 3)?,
    };
    Some(Arc::new(Table::new(x, y)?))
}

fn lifted(x: &[u8], y_is_odd: bool) -> Option<(Number, Number)> {
    let x = number(x.try_into().ok()?);
    let unit = Unit::detect().unwrap_or(Unit::PORTABLE);
    Some((x, vector::lift(unit, &[(x, y_is_odd)]).first().copied()??))
}

/// A signature whose key is perhaps still to be lifted from its x.
pub(super) struct Signature<'a> {
    /// [`name_of`] the key.
    pub(super) name: &'a [u8],
    /// Where the key is to be lifted its y is not there yet, and here is whether it is odd.
    pub(super) lift: Option<bool>,
    pub(super) item: Item,
}

/// The verdicts of signatures.
pub(super) fn verify(unit: Unit, signatures: &[Signature<'_>]) -> Vec<Verdict> {
    let names: Vec<&[u8]> = signatures.iter().map(|signature| signature.name).collect();
    let by_table = |known: &[(usize, &Table)]| {
        let signature = |&(i, table): &(usize, _)| {
            let Item { digest, r, s, nonce, .. } = signatures[i].item;
            KnownSignature { table, digest, r, s, nonce }
        };
        vector::verify_known(unit, &known.iter().map(signature).collect::<Vec<_>>())
    };
    let plainly = |rest: &[usize]| {
        let rest: Vec<&Signature<'_>> = rest.iter().map(|&i| &signatures[i]).collect();
        verify_plainly(unit, &rest)
    };
    BY_TABLE.verify(&names, by_table, plainly)
}

fn verify_plainly(unit: Unit, signatures: &[&Signature<'_>]) -> Vec<Verdict> {
    let compressed: Vec<(Number, bool)> =
        signatures.iter().filter_map(|signature| Some((signature.item.x, signature.lift?))).collect();
    let mut lifted = vector::lift(unit, &compressed).into_iter();
    let mut verdicts = vec![Verdict::NoPoint; signatures.len()];
    let (mut items, mut places) = (Vec::with_capacity(signatures.len()), Vec::with_capacity(signatures.len()));
    for (place, signature) in signatures.iter().enumerate() {
        let y = match signature.lift {
            None => Some(signature.item.y),
            Some(_) => lifted.next().flatten(),
        };
        if let Some(y) = y {
            items.push(Item { y, ..signature.item });
            places.push(place);
        }
    }
    for (place, verdict) in places.into_iter().zip(vector::verify(unit, &items)) {
        verdicts[place] = verdict;
    }
    verdicts
}

/// The verdicts of Schnorr signatures, signature i of the key with x `keys[i]`.
pub(super) fn verify_schnorr(unit: Unit, keys: &[&[u8]], signatures: &[Schnorr]) -> Vec<Verdict> {
    let by_table = |known: &[(usize, &Table)]| {
        let signature = |&(i, table): &(usize, _)| {
            let Schnorr { r, s, challenge, .. } = signatures[i];
            KnownSchnorr { table, r, s, challenge }
        };
        vector::verify_schnorr_known(unit, &known.iter().map(signature).collect::<Vec<_>>())
    };
    let plainly = |rest: &[usize]| {
        let signatures: Vec<_> = rest.iter().map(|&i| signatures[i]).collect();
        vector::verify_schnorr(unit, &signatures)
    };
    BY_TABLE.verify(keys, by_table, plainly)
}
