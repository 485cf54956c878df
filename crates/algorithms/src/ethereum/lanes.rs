//! Raw transactions on the vector engine: decoded and hashed one by one, all their signers recovered together.

use std::ops::Range;

use outrigger_types::{EthereumWork, Output};
use outrigger_vector::Unit;

use super::transaction::{self, Decoded, Rules};
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
        let decoded: Vec<Decoded> = (begin..end).map(|i| transaction::decode(transactions.item(i), rules)).collect();
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

/// The sender's signature, then those of the authorizations, as [`Decoded::judge`] asks for them.
fn signatures(decoded: &Decoded) -> impl Iterator<Item = &Recovery> {
    decoded
        .signatures
        .iter()
        .flat_map(|(sender, authorizations)| std::iter::once(sender).chain(authorizations.iter().flatten()))
}
