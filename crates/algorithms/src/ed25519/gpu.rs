//! The rules of this room on a device: the same verdicts as the CPU's functions, by the program `ed25519`.

use outrigger_device::{Argument, Buffer, DeviceError};
use outrigger_types::{Output, SignatureWork, Verdict};

use super::parse::{KEY_BYTES, Parts, SIGNATURE_BYTES};
use crate::gpu::{Given, Kernels, Rows, Session};
use crate::room::SignatureKernels;

/// The kernels' part in the strict rulesets.
pub(super) const STRICT: SignatureKernels = SignatureKernels {
    programs: &[PROGRAM],
    verify: |session, work, output| {
        verify(Kernels { alone: "ed25519_strict", in_parts: "ed25519_strict_in_parts" }, session, work, output)
    },
    recover: None,
};

/// The kernels' part in ZIP 215.
pub(super) const ZIP215: SignatureKernels = SignatureKernels {
    programs: &[PROGRAM],
    verify: |session, work, output| {
        verify(Kernels { alone: "ed25519_zip215", in_parts: "ed25519_zip215_in_parts" }, session, work, output)
    },
    recover: None,
};

const PROGRAM: &str = "ed25519";

/// The multiples of the base point as `ed25519_tables` writes them: their number, the words of each, and how many a
/// work-item makes. As in the kernel's file.
const BASE_ROWS: usize = 32_769;
const BASE_WORDS: usize = 24;
const BASE_RUN: usize = 32;

/// The comb of the base point as `ed25519_comb` writes it: windows, the rows of each, and the work-items for them.
const COMB_WINDOWS: usize = 32;
const COMB_ROWS: usize = 129;
const COMB_RUNS: usize = 5;

/// Words of an item as the kernels read them: A, R, S.
const ITEM_WORDS: usize = (KEY_BYTES + SIGNATURE_BYTES) / 4;

/// Items of wrong lengths are malformed here; all others are the kernel's.
fn verify(
    kernels: Kernels,
    session: &mut Session<'_>,
    work: &SignatureWork,
    output: &mut Output,
) -> Result<(), DeviceError> {
    let mut rows = Rows::<ITEM_WORDS>::with_capacity(output.verdicts.len());
    for (place, verdict) in output.verdicts.iter_mut().enumerate() {
        match Parts::of(work, place) {
            Some(parts) => rows.push(place, item(&parts)),
            None => *verdict = Verdict::Malformed,
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    session.load(PROGRAM)?;
    let (kernel, parts) = kernels.of(session, rows.len());
    let of_base = if parts > 1 {
        session.resident("ed25519: comb of the base point", make_base_comb)?
    } else {
        session.resident("ed25519: multiples of the base point", make_base_multiples)?
    };
    let items = rows.upload(session)?;
    let [messages, offsets] = session.strings(rows.places().map(|place| work.message(place)))?;
    let buffers = [&items, &messages, &offsets, &*of_base].map(Given::Buffer);
    let rest = [Given::Results, Given::Count, Given::NonceLow, Given::NonceHigh];
    let results = session.judge_with(kernel, rows.len() * parts, rows.len(), 0, &[&buffers[..], &rest[..]].concat())?;
    rows.settle(kernel, &results, &mut output.verdicts)
}

fn item(parts: &Parts<'_>) -> [u32; ITEM_WORDS] {
    let words = parts.key.as_chunks::<4>().0.iter().chain(parts.signature.as_chunks::<4>().0);
    let mut item = [0; ITEM_WORDS];
    for (word, bytes) in item.iter_mut().zip(words) {
        *word = u32::from_le_bytes(*bytes);
    }
    item
}

fn make_base_comb(session: &mut Session<'_>) -> Result<Buffer, DeviceError> {
    let (groups, size) = session.groups(COMB_WINDOWS * COMB_RUNS)?;
    let buffer = session.queue().allocate(4 * COMB_WINDOWS * COMB_ROWS * BASE_WORDS)?;
    session.queue().launch("ed25519_comb", groups, size, &[Argument::Buffer(&buffer, 0)])?;
    Ok(buffer)
}

fn make_base_multiples(session: &mut Session<'_>) -> Result<Buffer, DeviceError> {
    let (groups, size) = session.groups(BASE_ROWS.div_ceil(BASE_RUN))?;
    let buffer = session.queue().allocate(4 * BASE_ROWS * BASE_WORDS)?;
    session.queue().launch("ed25519_tables", groups, size, &[Argument::Buffer(&buffer, 0)])?;
    Ok(buffer)
}
