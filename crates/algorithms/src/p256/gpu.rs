//! The room's rulesets on a device: columns parsed as the lanes do, the mathematics by the program `p256`.
//!
//! What the curve is not needed for is judged by the CPU's function for that item, so that there is one place for its
//! rules.

use std::sync::Arc;

use outrigger_device::{Argument, Buffer, DeviceError};
use outrigger_types::{Output, SignatureWork};

use super::lanes::{Decode, Decoded, fabric_signature, precompile_signature};
use super::{Judge, ethereum_p256verify, fabric};
use crate::gpu::{Given, LENGTHS_VARY, Rows, Session, halves, row};
use crate::room::SignatureKernels;

/// The kernels of ruleset `fabric`.
pub(super) const FABRIC: SignatureKernels = SignatureKernels {
    programs: &[PROGRAM],
    verify: |session, work, output| verify(session, work, output, fabric_signature, fabric::verify),
    recover: None,
};

/// The kernels of ruleset `ethereum-p256verify`.
pub(super) const ETHEREUM_P256VERIFY: SignatureKernels = SignatureKernels {
    programs: &[PROGRAM],
    verify: |session, work, output| verify(session, work, output, precompile_signature, ethereum_p256verify::verify),
    recover: None,
};

const PROGRAM: &str = "p256";
const KERNEL: &str = "p256_verify";

/// Words of an item as the kernels read them. Its digest is not looked at where it is made there.
const ITEM_WORDS: usize = 40;

/// The comb of G, as `p256_tables` writes it, a work-item one of its windows.
const COMB_WINDOWS: usize = 32;
const COMB_BYTES: usize = COMB_WINDOWS * 128 * 64;

fn verify(
    session: &mut Session<'_>,
    work: &SignatureWork,
    output: &mut Output,
    decode: Decode,
    judge: Judge,
) -> Result<(), DeviceError> {
    let mut rows = Rows::<ITEM_WORDS>::with_capacity(output.verdicts.len());
    // All of a request have the same form, so either all are hashed on the device or none is.
    let mut messages = Vec::new();
    for place in 0..output.verdicts.len() {
        let (options, key) = (&work.options, work.keys.item(place));
        let (signature, message) = (work.signature(place), work.message(place));
        match decode(options, key, signature, message) {
            Some(Decoded { message, signature: of, .. }) => {
                let numbers = [of.r, of.s, of.key[0], of.key[1], of.digest].map(|number| halves(&number));
                rows.push(place, row(numbers, &[]));
                messages.extend(message);
            }
            None => output.verdicts[place] = judge(options, key, signature, message),
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    session.load(PROGRAM)?;
    let (comb, items) = (comb(session)?, rows.upload(session)?);
    if !messages.is_empty() {
        let (groups, size) = session.groups(rows.len())?;
        let [bytes, offsets] = session.strings(messages.into_iter())?;
        let arguments = [
            Argument::Buffer(&bytes, 0),
            Argument::Buffer(&offsets, 0),
            Argument::Number(LENGTHS_VARY),
            Argument::Buffer(&items, 0),
            Argument::Number(rows.len() as u32),
        ];
        session.queue().launch("p256_hash_messages", groups, size, &arguments)?;
    }
    let given = [Given::Buffer(&comb), Given::Buffer(&items), Given::Results, Given::Count];
    let nonce = [Given::NonceLow, Given::NonceHigh];
    let results = session.judge(KERNEL, rows.len(), 0, &[&given[..], &nonce[..]].concat())?;
    rows.settle(KERNEL, &results, &mut output.verdicts)
}

fn comb(session: &mut Session<'_>) -> Result<Arc<Buffer>, DeviceError> {
    session.resident("p256: comb of G", |session| {
        let (groups, size) = session.groups(COMB_WINDOWS)?;
        let buffer = session.queue().allocate(COMB_BYTES)?;
        session.queue().launch("p256_tables", groups, size, &[Argument::Buffer(&buffer, 0)])?;
        Ok(buffer)
    })
}
