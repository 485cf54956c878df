//! Answers as bytes, each item with its tag.

use std::ops::Range;

use super::{Damaged, Part};
use crate::{Operation, Output, Verdict, Work, tag};

/// A step of a Merkle proof: the side and the sibling.
const STEP_BYTES: usize = 33;
/// The leaf hash and more steps than a tree of 2⁶⁴ leaves has.
const TREE_PROOF_BYTES: usize = 32 + 64 * STEP_BYTES;

/// How many bytes the answer to these parts takes at most.
pub fn answer_len(parts: &[Part]) -> usize {
    let Some((first, _)) = parts.first() else { return 0 };
    let operation = first.operation();
    let items = answers(operation, parts.iter().map(|(_, range)| range.clone()));
    let variable = parts.iter().map(|(work, range)| variable_len(work, range)).sum::<usize>();
    items * (1 + 4 + operation.output_shape().stride) + variable
}

fn answers(operation: Operation, ranges: impl Iterator<Item = Range<usize>>) -> usize {
    ranges.map(|range| if operation.is_divisible() { range.len() } else { 1 }).sum()
}

/// Room for what varies: where it is used at all.
fn variable_len(work: &Work, range: &Range<usize>) -> usize {
    match work {
        Work::Merkle(work) => 4 + if work.prove.is_some() { TREE_PROOF_BYTES } else { 0 },
        // An authorization takes at least 16 bytes of a transaction, and 21 of the answer; a reason takes one.
        Work::EthereumTransactions(work) => 5 * range.len() + 2 * work.transactions.bytes().len(),
        _ => 0,
    }
}

/// Writes an answer with the tags of its items into the start of `into`. Gives back its length.
///
/// # Errors
/// [`Damaged`] where it does not fit: the answer is of other work.
pub fn write_answer(nonce: u64, output: &Output, stride: usize, into: &mut [u8]) -> Result<usize, Damaged> {
    let count = output.verdicts.len();
    let mut bytes = Vec::with_capacity(count * (5 + stride));
    bytes.extend(output.verdicts.iter().map(|verdict| *verdict as u8));
    for (i, verdict) in output.verdicts.iter().enumerate() {
        bytes.extend(tag_of(nonce, output, stride, i, *verdict).to_le_bytes());
    }
    bytes.extend_from_slice(&output.fixed);
    if !output.variable_ends.is_empty() {
        output.variable_ends.iter().for_each(|end| bytes.extend(end.to_le_bytes()));
        bytes.extend_from_slice(&output.reasons);
        bytes.extend_from_slice(&output.variable);
    }
    into.get_mut(..bytes.len()).ok_or(Damaged("an answer is too long"))?.copy_from_slice(&bytes);
    Ok(bytes.len())
}

/// The tag covers the fixed bytes, the reason and the variable bytes of an item.
fn tag_of(nonce: u64, output: &Output, stride: usize, i: usize, verdict: Verdict) -> u32 {
    let fixed = &output.fixed[i * stride..(i + 1) * stride];
    if output.variable_ends.is_empty() {
        return tag::of_bytes(nonce, i as u32, verdict, fixed);
    }
    let mut bytes = fixed.to_vec();
    bytes.extend(output.reasons.get(i));
    bytes.extend_from_slice(output.variable_item(i));
    tag::of_bytes(nonce, i as u32, verdict, &bytes)
}

/// Reads an answer of `count` items and checks the tag of each.
///
/// # Errors
/// [`Damaged`] where a tag is not that of its item, or the bytes are of another shape: nothing of it is to be believed.
pub fn read_answer(nonce: u64, operation: Operation, count: usize, bytes: &[u8]) -> Result<Output, Damaged> {
    let shape = operation.output_shape();
    let mut reader = super::Reader::of(bytes);
    let mut output = Output::unprocessed(operation, count);
    for (verdict, byte) in output.verdicts.iter_mut().zip(reader.bytes(count)?) {
        *verdict = verdict_of(*byte).ok_or(Damaged("a verdict that there is not"))?;
    }
    let tags = reader.bytes(4 * count)?;
    output.fixed.copy_from_slice(reader.bytes(shape.stride * count)?);
    if shape.has_variable {
        for end in &mut output.variable_ends {
            *end = reader.word()?;
        }
        if shape.has_reasons {
            output.reasons.copy_from_slice(reader.bytes(count)?);
        }
        if !output.variable_ends.is_sorted() {
            return Err(Damaged("an item ends before it begins"));
        }
        let length = output.variable_ends.last().copied().unwrap_or_default();
        output.variable = reader.bytes(length as usize)?.to_vec();
    }
    for (i, tag) in tags.as_chunks::<4>().0.iter().enumerate() {
        if tag_of(nonce, &output, shape.stride, i, output.verdicts[i]) != u32::from_le_bytes(*tag) {
            return Err(Damaged("the tag of an item is not that of its answer"));
        }
    }
    Ok(output)
}

fn verdict_of(byte: u8) -> Option<Verdict> {
    [Verdict::Unprocessed, Verdict::Valid, Verdict::Invalid, Verdict::Malformed].get(usize::from(byte)).copied()
}
