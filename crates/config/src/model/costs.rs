//! First guesses of what work costs.

use std::fmt;

use outrigger_types::{Backend, Curve, HashAlgorithm, MerkleTree, Operation, Ruleset};

use super::SchedulerTuning;

/// What a piece of work is guessed to cost until it was measured: `fixed + item · items + byte · bytes`, on one core for
/// the backends `cpu` and `vector` and on the whole of a device for the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostGuess {
    /// Where the work is done.
    pub backend: Backend,
    /// The kind of work, as [`Operation::kind`] names it.
    pub operation: &'static str,
    /// The ruleset, hash algorithm, tree or curve, as [`Operation::label`] names it; `None`: all that have no guess of
    /// their own.
    pub label: Option<&'static str>,
    /// Microseconds to begin a piece, whatever its size.
    pub fixed_us: f64,
    /// Nanoseconds an item.
    pub item_ns: f64,
    /// Nanoseconds a byte.
    pub byte_ns: f64,
}

impl CostGuess {
    /// Whether both guess the same.
    pub(crate) fn is_of_the_same(&self, other: &Self) -> bool {
        (self.backend, self.operation, self.label) == (other.backend, other.operation, other.label)
    }

    /// Writes it as a table of TOML.
    pub(crate) fn write(&self, out: &mut impl fmt::Write) -> fmt::Result {
        writeln!(out, "\n[[scheduler.costs]]\nbackend = \"{}\"\noperation = \"{}\"", self.backend, self.operation)?;
        if let Some(label) = self.label {
            writeln!(out, "label = \"{label}\"")?;
        }
        writeln!(out, "fixed_us = {}\nitem_ns = {}\nbyte_ns = {}", self.fixed_us, self.item_ns, self.byte_ns)
    }
}

impl SchedulerTuning {
    /// The guess for an operation on a backend: the one with its label before the one of all of its kind.
    pub fn guess(&self, backend: Backend, operation: Operation) -> Option<&CostGuess> {
        let of_kind =
            || self.costs.iter().filter(|guess| guess.backend == backend && guess.operation == operation.kind());
        let exact = of_kind().find(|guess| guess.label == Some(operation.label()));
        exact.or_else(|| of_kind().find(|guess| guess.label.is_none()))
    }
}

/// Every pair of kind and label that there is, at least once.
fn operations() -> impl Iterator<Item = Operation> {
    let of_rulesets = Ruleset::ALL
        .iter()
        .flat_map(|&ruleset| [Operation::Verify(ruleset), Operation::Recover(ruleset), Operation::VerifySets(ruleset)]);
    let hashes = HashAlgorithm::ALL.iter().copied().map(Operation::Hash);
    let trees = MerkleTree::ALL.iter().map(|&tree| Operation::Merkle(tree, HashAlgorithm::Sha256));
    let proofs = Curve::ALL.into_iter().map(Operation::VerifyProofs);
    of_rulesets.chain(hashes).chain(trees).chain([Operation::EthereumTransactions]).chain(proofs)
}

/// The kinds of work that there are.
pub(crate) fn kinds() -> Vec<&'static str> {
    let mut kinds: Vec<_> = operations().map(Operation::kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// A kind and a label by their names, or which of the two is unknown and what is known.
pub(crate) fn named(
    kind: &str,
    label: Option<&str>,
) -> Result<(&'static str, Option<&'static str>), (&'static str, String)> {
    let Some(known) = kinds().into_iter().find(|known| *known == kind) else {
        return Err(("operation", format!("unknown operation {kind:?}; one of {}", kinds().join(", "))));
    };
    let Some(label) = label else { return Ok((known, None)) };
    let labels: Vec<_> = operations().filter(|one| one.kind() == known).map(Operation::label).collect();
    let found = labels.iter().find(|one| **one == label);
    let unknown = || ("label", format!("unknown label {label:?} of {known}; one of {}", labels.join(", ")));
    found.map(|label| (known, Some(*label))).ok_or_else(unknown)
}

#[cfg(test)]
mod tests;
