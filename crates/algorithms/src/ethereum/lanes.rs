//! Raw transactions on the vector engine: read in place, then hashed together, then all their signers recovered together.

use std::ops::Range;

use outrigger_types::{EthereumWork, Output};
use outrigger_vector::Unit;

use super::canonical::{self, Canonical, Payload};
use super::transaction::{self, Decoded, Rules};
use crate::keccak::keccak256_of_many;
use crate::secp256k1::{Recovery, recover_addresses};

/// How many transactions a thread takes at once: as many signatures as share the lanes' inversions.
pub(crate) const PIECE_ITEMS: usize = 256;

/// As [`super::verify`], on a unit of lanes.
///
/// Authorizations are recovered along with the senders, though those of a transaction without a sender are not asked
/// for then: they fill lanes, and an authorization takes as many bytes of a request as a transaction.
///
/// # Panics
/// As [`super::verify`].
pub(crate) fn verify(unit: Unit, work: &EthereumWork, range: Range<usize>, output: &mut Output) {
    let rules = Rules { chain_id: work.chain_id, allow_high_s: work.allow_high_s };
    let transactions = work.transactions.view();
    for begin in range.clone().step_by(PIECE_ITEMS) {
        let end = range.end.min(begin + PIECE_ITEMS);
        let raw: Vec<&[u8]> = (begin..end).map(|i| transactions.item(i)).collect();
        let decoded = decode(unit, &raw, rules);
        let recoveries: Vec<Recovery> = decoded.iter().flat_map(signatures).cloned().collect();
        let addresses = recover_addresses(unit, &recoveries);
        let mut rest = &addresses[..];
        for (place, decoded) in (begin - range.start..).zip(decoded) {
            let (own, others) = rest.split_at(signatures(&decoded).count());
            let mut own = own.iter();
            super::write(&decoded.judge(|_| *own.next().expect("an address a signature")), place, output);
            rest = others;
        }
    }
}

/// Decodes each, with the hashes of all that are read in place made together. The others, whatever is wrong or
/// strange about them, are for the general decoder.
fn decode(unit: Unit, raw: &[&[u8]], rules: Rules) -> Vec<Decoded> {
    let read: Vec<Option<Canonical<'_>>> = raw.iter().map(|raw| canonical::read(raw)).collect();
    let canonical: Vec<&[u8]> = read.iter().flatten().map(|transaction| transaction.raw).collect();
    let payloads: Vec<&Payload<'_>> = read.iter().flatten().flat_map(Canonical::payloads).collect();
    let hashes = keccak256_of_many(unit, canonical.len(), |i| canonical[i]);
    let digests = keccak256_of_many(unit, payloads.len(), |i| payloads[i].parts());
    let (mut hashes, mut digests) = (hashes.into_iter(), &digests[..]);
    let decoded = |(raw, read): (&&[u8], Option<Canonical<'_>>)| {
        let Some(transaction) = read else { return transaction::decode(raw, rules) };
        let (own, others) = digests.split_at(transaction.payloads().count());
        digests = others;
        Decoded::of_canonical(&transaction, rules, hashes.next().expect("a hash a transaction"), own)
    };
    raw.iter().zip(read).map(decoded).collect()
}

/// The sender's signature, then those of the authorizations, as [`Decoded::judge`] asks for them.
fn signatures(decoded: &Decoded) -> impl Iterator<Item = &Recovery> {
    decoded
        .signatures
        .iter()
        .flat_map(|(sender, authorizations)| std::iter::once(sender).chain(authorizations.iter().flatten()))
}
