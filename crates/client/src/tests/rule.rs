//! Answers by simple rules that depend on every part of an item, so that a part that is lost or swapped on the way
//! shows. The fake sidecar and the runner in this process share them.

use std::ops::Range;

use outrigger_types::{Output, Verdict, Work};

use crate::LocalRunner;

pub(crate) fn runner() -> LocalRunner {
    LocalRunner::with_functions(2, rule, |_| true)
}

/// Has the form of `outrigger_algorithms::run`.
pub(crate) fn rule(work: &Work, range: Range<usize>) -> Output {
    let operation = work.operation();
    let count = if operation.is_divisible() { range.len() } else { 1 };
    let mut output = Output::unprocessed(operation, count);
    match work {
        Work::Verify(work) => {
            for (j, i) in range.enumerate() {
                output.verdicts[j] = verdict(&[work.keys.item(i), work.signature(i), work.message(i)]);
            }
        }
        Work::Recover(work) => {
            for (j, i) in range.enumerate() {
                output.verdicts[j] = verdict(&[work.signature(i), work.message(i)]);
                let item = &mut output.fixed[84 * j..84 * (j + 1)];
                item[..32].copy_from_slice(&padded(work.message(i)));
                item[64..84].copy_from_slice(&padded(work.signature(i))[..20]);
            }
        }
        Work::VerifySets(work) => {
            for (j, i) in range.enumerate() {
                let mut parts = vec![work.signatures.view().item(i)];
                parts.extend(work.key_range(i).map(|key| work.keys.item(key)));
                parts.extend(work.messages_of(i).iter());
                output.verdicts[j] = verdict(&parts);
            }
        }
        Work::VerifyProofs(work) => {
            for (j, i) in range.enumerate() {
                output.verdicts[j] = verdict(&[work.proofs.view().item(i), work.public_signals.view().item(i)]);
            }
        }
        Work::Hash(work) => {
            for (j, i) in range.enumerate() {
                output.verdicts[j] = Verdict::Valid;
                output.fixed[32 * j..32 * (j + 1)].copy_from_slice(&padded(work.messages.view().item(i)));
            }
        }
        Work::Merkle(work) => {
            output.verdicts[0] = Verdict::Valid;
            for (i, leaf) in work.leaves.view().iter().enumerate() {
                for (byte, folded) in padded(leaf).iter().zip(&mut output.fixed) {
                    *folded = folded.wrapping_mul(31).wrapping_add(*byte).wrapping_add(i as u8);
                }
            }
            if let Some(index) = work.prove {
                output.variable.extend_from_slice(&padded(work.leaves.view().item(index)));
                output.variable.push(1);
                output.variable.extend_from_slice(&[7; 32]);
            }
            output.variable_ends[0] = output.variable.len() as u32;
        }
        Work::EthereumTransactions(work) => {
            for (j, i) in range.enumerate() {
                let transaction = work.transactions.view().item(i);
                output.verdicts[j] = verdict(&[transaction]);
                output.reasons[j] = u8::from(output.verdicts[j] != Verdict::Valid);
                let item = &mut output.fixed[53 * j..53 * (j + 1)];
                item[..32].copy_from_slice(&padded(transaction));
                item[32..52].copy_from_slice(&padded(transaction)[..20]);
                item[52] = if transaction[0] < 0x80 { transaction[0] } else { 0 };
                if transaction[0] == 4 {
                    output.variable.push(1);
                    output.variable.extend_from_slice(&padded(transaction)[..20]);
                    output.variable.push(0);
                    output.variable.extend_from_slice(&[0; 20]);
                }
                output.variable_ends[j] = output.variable.len() as u32;
            }
        }
    }
    output
}

/// A verdict that depends on the number, order and bytes of the parts.
pub(crate) fn verdict(parts: &[&[u8]]) -> Verdict {
    let mut state = parts.len() as u32;
    for part in parts {
        state = state.wrapping_mul(31).wrapping_add(part.len() as u32);
        for byte in *part {
            state = state.wrapping_mul(31).wrapping_add(u32::from(*byte));
        }
    }
    Verdict::from_byte(1 + (state % 3) as u8)
}

fn padded(bytes: &[u8]) -> [u8; 32] {
    let mut whole = [bytes.len() as u8; 32];
    let used = bytes.len().min(32);
    whole[..used].copy_from_slice(&bytes[..used]);
    whole
}
