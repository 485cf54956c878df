//! Poseidon in kernels: `kernels/poseidon_bn254.cl`, and `kernels/merkle_poseidon.cl` for trees.

use std::sync::Arc;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use outrigger_device::{Buffer, DeviceError};
use outrigger_types::limits::POSEIDON_INPUTS_MAX;
use outrigger_types::{HashAlgorithm, HashWork, Output};

use super::optimised::Schedule;
use super::{ELEMENT_BYTES, element_bytes, hash_elements};
use crate::gpu::{Given, Session};
use crate::hashing::gpu::{DIGEST_WORDS, Messages, take};
use crate::merkle::{self, gpu::NodeKernels};
use crate::room::HashKernels;

/// Poseidon of each message, and trees of it.
pub(super) const KERNELS: HashKernels = HashKernels {
    programs: &["merkle_poseidon", "poseidon_bn254"],
    hash,
    takes_tree: |tree| merkle::gpu::takes(tree, HashAlgorithm::PoseidonBn254),
    tree: |session, work, output| {
        let (constants, zeros) = (constants_of_pairs(session)?, roots_of_zeros(session)?);
        merkle::gpu::build(session, &NodeKernels::of_elements("poseidon", &constants, &zeros), work, output)
    },
};

/// Elements of a state at most.
const WIDTH_MAX: usize = POSEIDON_INPUTS_MAX + 1;

/// Words of an element.
const ELEMENT_WORDS: usize = ELEMENT_BYTES / 4;

/// Words before the constants: where those of each width are and how many partial rounds it has, then nothing up to a
/// whole number of elements.
const CONTENTS_WORDS: usize = 40;

/// Levels of a tree at most, and one.
const LEVELS: usize = 33;

fn hash(session: &mut Session<'_>, work: &HashWork, output: &mut Output) -> Result<(), DeviceError> {
    session.load("poseidon_bn254")?;
    let messages = Messages::new(session, &work.messages)?;
    let rest = [Given::NonceLow, Given::NonceHigh];
    let count = work.messages.len();
    if work.messages.stride() == Some(2 * ELEMENT_BYTES) {
        let constants = constants_of_pairs(session)?;
        let first = [Given::Buffer(&messages.bytes), Given::Buffer(&constants), Given::Results, Given::Count];
        let kernel = "poseidon_bn254_pairs";
        let results = session.judge(kernel, count, DIGEST_WORDS, &[&first[..], &rest[..]].concat())?;
        return take(&results, kernel, output);
    }
    let constants = session
        .resident("poseidon_bn254: constants of all widths", |session| session.words(&constants(2..=WIDTH_MAX)))?;
    let first = [
        Given::Buffer(&messages.bytes),
        Given::Buffer(&messages.offsets),
        Given::Buffer(&constants),
        Given::Results,
        Given::Count,
        Given::Number(messages.length),
    ];
    let kernel = "poseidon_bn254_messages";
    let results = session.judge(kernel, count, DIGEST_WORDS, &[&first[..], &rest[..]].concat())?;
    take(&results, kernel, output)
}

fn constants_of_pairs(session: &mut Session<'_>) -> Result<Arc<Buffer>, DeviceError> {
    session.resident("poseidon_bn254: constants of two elements", |session| session.words(&constants(3..=3)))
}

/// The root of a tree of zeros of each height, from that of one 0 on.
fn roots_of_zeros(session: &mut Session<'_>) -> Result<Arc<Buffer>, DeviceError> {
    session.resident("poseidon_bn254: roots of trees of zeros", |session| {
        let roots = std::iter::successors(Some(Fr::ZERO), |root| Some(hash_elements(&[*root, *root])));
        let bytes: Vec<u8> = roots.take(LEVELS).flat_map(element_bytes).collect();
        session.bytes(&bytes)
    })
}

/// The constants of some widths as `kernels/poseidon_bn254.cl` has them.
fn constants(widths: std::ops::RangeInclusive<usize>) -> Vec<u32> {
    let mut words = vec![0; CONTENTS_WORDS];
    for width in widths {
        let schedule = Schedule::of_width(width);
        words[2 * width] = u32::try_from(words.len()).expect("less than a million words");
        words[2 * width + 1] = schedule.partial.len() as u32;
        append_schedule(&mut words, schedule);
    }
    words
}

/// One width, in the order of `kernels/hashes/poseidon_bn254.inc`: what a round adds stands behind the matrix of the
/// round before.
fn append_schedule(words: &mut Vec<u32>, schedule: &Schedule) {
    let width = schedule.matrix.len();
    let [first, last] = [&schedule.first_constants, &schedule.last_constants];
    let zeros = vec![Fr::ZERO; width];
    let only_first = |element: Fr| {
        let mut row = zeros.clone();
        row[0] = element;
        row
    };
    schedule.matrix.iter().chain(&schedule.matrix_before_partial).chain(first).for_each(|row| append(words, row));
    append(words, &only_first(schedule.partial[0].constant));
    last[1..].iter().chain([&zeros]).for_each(|row| append(words, row));
    let next = schedule.partial[1..].iter().map(|round| round.constant).chain([last[0][0]]);
    for (round, next) in schedule.partial.iter().zip(next) {
        append(words, &round.row);
        append(words, &round.column);
        append(words, &[next]);
    }
    append(words, &[&[Fr::ZERO], &last[0][1..]].concat());
}

/// Elements as they are in memory here and there: Montgomery's form with R = 2^256, the lowest word first.
fn append(words: &mut Vec<u32>, elements: &[Fr]) {
    words.reserve(ELEMENT_WORDS * elements.len());
    for element in elements {
        words.extend(element.0.0.iter().flat_map(|limb| [*limb as u32, (limb >> 32) as u32]));
    }
}
