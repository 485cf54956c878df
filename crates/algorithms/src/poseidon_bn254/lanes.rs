//! Poseidon in lanes: from columns to [`outrigger_vector::poseidon`] and back.

use std::ops::Range;
use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{BigInt, PrimeField};
use outrigger_types::limits::POSEIDON_INPUTS_MAX;
use outrigger_types::{HashWork, Output, Verdict};
use outrigger_vector::poseidon::{self, Constants, Number, Schedule};

use super::{ELEMENT_BYTES, optimised};
use crate::Unit;
use crate::hashing::DIGEST_BYTES;
use crate::room::HashLanes;

pub(super) const LANES: HashLanes = HashLanes {
    // Four groups of sixteen, each about 15 µs, two to one.
    piece_items: 64,
    hash,
};

fn hash(unit: Unit, work: &HashWork, range: Range<usize>, output: &mut Output) {
    let messages: Vec<&[u8]> = work.messages.view().slice(range).iter().collect();
    let (places, _) = output.fixed.as_chunks_mut::<DIGEST_BYTES>();
    // Messages of other lengths are in no group.
    output.verdicts.fill(Verdict::Malformed);
    for arity in 1..=POSEIDON_INPUTS_MAX {
        let of_arity = |i: &usize| messages[*i].len() == arity * ELEMENT_BYTES;
        let group: Vec<usize> = (0..messages.len()).filter(of_arity).collect();
        if group.is_empty() {
            continue;
        }
        let bytes: Vec<u8> = group.iter().flat_map(|&i| messages[i]).copied().collect();
        let mut digests = vec![[0; DIGEST_BYTES]; group.len()];
        let mut accepted = vec![false; group.len()];
        poseidon::hash_many(unit, schedule(arity), bytes.as_chunks().0, &mut digests, &mut accepted);
        for (&i, (digest, accepted)) in group.iter().zip(digests.into_iter().zip(accepted)) {
            if accepted {
                places[i] = digest;
                output.verdicts[i] = Verdict::Valid;
            }
        }
    }
}

/// The schedule of an arity, made at its first use like the one of the reference, and from it.
fn schedule(arity: usize) -> &'static Schedule {
    static SCHEDULES: [OnceLock<Schedule>; POSEIDON_INPUTS_MAX] = [const { OnceLock::new() }; POSEIDON_INPUTS_MAX];
    SCHEDULES[arity - 1].get_or_init(|| {
        let schedule = optimised::Schedule::of_width(arity + 1);
        let rows = |matrix: &[Vec<Fr>]| matrix.iter().map(|row| numbers(row)).collect::<Vec<_>>();
        Schedule::new(&Constants {
            first: rows(&schedule.first_constants),
            matrix: rows(&schedule.matrix),
            matrix_before_partial: rows(&schedule.matrix_before_partial),
            partial: schedule
                .partial
                .iter()
                .map(|round| (number(&round.constant), numbers(&round.row), numbers(&round.column)))
                .collect(),
            last: rows(&schedule.last_constants),
        })
    })
}

fn numbers(elements: &[Fr]) -> Vec<Number> {
    elements.iter().map(number).collect()
}

fn number(element: &Fr) -> Number {
    let BigInt(words) = element.into_bigint();
    words
}
