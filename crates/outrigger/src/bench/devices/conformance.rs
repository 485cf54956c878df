//! Whether a device answers as the CPU does: every operation, at small, odd and large sizes.

use std::time::Instant;

use outrigger_algorithms::known_keys;
use outrigger_scheduler::CoreEngine;
use outrigger_types::packed::Marks;
use outrigger_types::{Operation, Output};
use serde::Serialize;

use super::asked::Asked;
use super::items::{Batch, Kind, Source};
use crate::cli::Failure;

/// Around the sizes of groups, so that one missing or done twice shows, and up to what a machine with a GPU is for.
const SIZES: [usize; 10] = [1, 2, 7, 33, 255, 257, 1_023, 4_097, 65_536, 1 << 20];

/// What came of an operation.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Checked {
    pub(super) operation: String,
    /// Items that were compared, over all sizes.
    pub(super) items: usize,
    /// Items that were answered otherwise than by the CPU.
    pub(super) wrong: usize,
    /// The sizes of the batches that were compared.
    pub(super) sizes: Vec<usize>,
    /// The first difference, or why it could not be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<String>,
    pub(super) seconds: f64,
}

impl Checked {
    pub(super) const fn is_right(&self) -> bool {
        self.wrong == 0 && self.failure.is_none()
    }
}

/// Compares an operation at every size up to `items_max`.
pub(super) fn check(device: &Asked, operation: Operation, items_max: usize, fastest: &CoreEngine) -> Checked {
    let started = Instant::now();
    let mut checked = Checked {
        operation: super::name(operation),
        items: 0,
        wrong: 0,
        sizes: Vec::new(),
        failure: device.refusal(operation).map(|why| format!("it is not served: {why}")),
        seconds: 0.0,
    };
    if checked.failure.is_none()
        && let Err(failure) = compare(device, operation, items_max, fastest, &mut checked)
    {
        checked.failure = Some(failure.to_string());
    }
    checked.seconds = started.elapsed().as_secs_f64();
    checked
}

fn compare(
    device: &Asked,
    operation: Operation,
    items_max: usize,
    fastest: &CoreEngine,
    checked: &mut Checked,
) -> Result<(), Failure> {
    let source = Source::new(operation, Kind::Mixed, items_max)?;
    for items in SIZES.into_iter().filter(|items| *items <= items_max) {
        let batch = source.batch(operation, items);
        let expected = source.expected(&batch, fastest)?;
        let mut ways = vec![Marks::none()];
        // The same by combs of known signers.
        if batch.parts.first().is_some_and(|(work, _)| known_keys::is_of_kind(work)) {
            ways.push((0..items).map(|_| true).collect());
        }
        checked.sizes.push(items);
        for marks in ways {
            let found = device.ask(device.pack_marked(operation, &batch.parts, &marks)?)?.output()?;
            checked.items += items;
            note_differences(&batch, &found, &expected, checked);
        }
    }
    Ok(())
}

fn note_differences(batch: &Batch, found: &Output, expected: &Output, checked: &mut Checked) {
    let wrong: Vec<usize> = (0..batch.answers()).filter(|&item| !is_same(batch, found, expected, item)).collect();
    checked.wrong += wrong.len();
    if let (Some(item), None) = (wrong.first(), &checked.failure) {
        let (ours, theirs) = (found.verdicts[*item], expected.verdicts[*item]);
        let what = if ours == theirs { format!("{} with another output", ours.name()) } else { ours.name().to_owned() };
        let (items, count) = (batch.items, wrong.len());
        checked.failure = Some(format!("item {item} of {items}: {what}, by the CPU {}; {count} in all", theirs.name()));
    }
}

fn is_same(batch: &Batch, found: &Output, expected: &Output, item: usize) -> bool {
    let stride = batch.operation.output_shape().stride;
    let fixed = item * stride..(item + 1) * stride;
    found.verdicts[item] == expected.verdicts[item]
        && found.fixed[fixed.clone()] == expected.fixed[fixed]
        && found.variable_ends.len() == expected.variable_ends.len()
        && (found.variable_ends.is_empty() || found.variable_item(item) == expected.variable_item(item))
}
