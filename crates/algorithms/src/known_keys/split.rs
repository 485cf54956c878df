//! The items of a piece that are verified by table, and those that are not.

use std::sync::Arc;

use super::{KeyKind, KeyTable, KnownKeys, apart, shared};
use crate::lanes::LANES;

/// How a room verifies by table.
pub(crate) struct ByTable<O> {
    /// The tables.
    pub(crate) kind: &'static KeyKind,
    /// What its lanes call a signature that holds, by table or plainly.
    pub(crate) valid: O,
    /// What they call one that does not.
    pub(crate) invalid: O,
}

impl<O: Copy + PartialEq> ByTable<O> {
    /// Verifies the items of a piece, item i being of the key named `names[i]`: by table where the process keeps the
    /// key's, plainly where not. What is not found valid by table is verified plainly, and counts as that says.
    ///
    /// `by_table` gets items with their tables, `plainly` gets items; both give an outcome for each. Without tables,
    /// or where they would not spare a group of lanes, `plainly` gets all.
    pub(crate) fn verify<T: KeyTable>(
        &self,
        names: &[&[u8]],
        by_table: impl FnOnce(&[(usize, &T)]) -> Vec<O>,
        plainly: impl FnOnce(&[usize]) -> Vec<O>,
    ) -> Vec<O> {
        if let Some(keys) = apart::here() {
            return self.verify_with(&keys, names, by_table, plainly);
        }
        match shared() {
            Some(keys) => self.verify_with(keys, names, by_table, plainly),
            None => plainly(&Vec::from_iter(0..names.len())),
        }
    }

    /// As [`Self::verify`], with these tables.
    pub(super) fn verify_with<T: KeyTable>(
        &self,
        keys: &KnownKeys,
        names: &[&[u8]],
        by_table: impl FnOnce(&[(usize, &T)]) -> Vec<O>,
        plainly: impl FnOnce(&[usize]) -> Vec<O>,
    ) -> Vec<O> {
        let tables: Vec<Option<Arc<T>>> = keys.find_all(self.kind, names.iter().copied());
        let with_table = tables.iter().enumerate();
        let known: Vec<(usize, &T)> = with_table.filter_map(|(item, table)| Some((item, table.as_deref()?))).collect();
        if known.is_empty() || known.len() < LANES.min(names.len()) {
            return plainly(&Vec::from_iter(0..names.len()));
        }
        let mut outcomes: Vec<Option<O>> = vec![None; names.len()];
        for ((item, _), outcome) in known.iter().zip(by_table(&known)) {
            outcomes[*item] = Some(outcome);
        }
        let rest: Vec<usize> = (0..names.len()).filter(|item| outcomes[*item] != Some(self.valid)).collect();
        if !rest.is_empty() {
            for (&item, outcome) in rest.iter().zip(plainly(&rest)) {
                let by_table = outcomes[item].replace(outcome);
                // An exceptional case is no fault of the table's.
                let is_wrong = by_table == Some(self.invalid) && outcome == self.valid;
                if let Some(table) = tables[item].as_ref().filter(|_| is_wrong) {
                    keys.drop_damaged(self.kind, names[item], table);
                }
            }
        }
        outcomes.into_iter().map(|outcome| outcome.expect("every item by table or plainly")).collect()
    }
}
