//! The room's rulesets on a device: columns parsed as the lanes do, hashes and mathematics by the program `sm2`.
//!
//! What the curve is not needed for is judged by the CPU's function for that item, so that there is one place for its
//! rules.

use std::sync::Arc;

use outrigger_device::{Argument, Buffer, DeviceError};
use outrigger_types::{Output, SignatureWork};

use super::lanes::{Decoded, Way};
use crate::gpu::{Given, LENGTHS_VARY, Rows, Session, halves, number, row};
use crate::room::SignatureKernels;

/// The kernels of all rulesets of this room.
pub(super) const KERNELS: SignatureKernels = SignatureKernels { programs: &[PROGRAM], verify, recover: None };

const PROGRAM: &str = "sm2";
const KERNEL: &str = "sm2_verify";

/// Words of an item as the kernels read them. Its digest is not looked at where it is made there.
const ITEM_WORDS: usize = 40;

/// The comb of G, as `sm2_tables` writes it, a work-item one of its windows.
const COMB_WINDOWS: usize = 32;
const COMB_BYTES: usize = COMB_WINDOWS * 128 * 64;

fn verify(session: &mut Session<'_>, work: &SignatureWork, output: &mut Output) -> Result<(), DeviceError> {
    let way = match Way::of(work) {
        Ok(way) => way,
        Err(judge) => {
            judge(work, 0..output.verdicts.len(), output);
            return Ok(());
        }
    };
    let mut rows = Rows::<ITEM_WORDS>::with_capacity(output.verdicts.len());
    for place in 0..output.verdicts.len() {
        match way.decode(work, place) {
            Some(Decoded { message, signature: of, .. }) => {
                let digest = if way.identity.is_some() { [0; 8] } else { message.try_into().map_or([0; 8], number) };
                let [r, s, x, y] = [of.r, of.s, of.key[0], of.key[1]].map(|number| halves(&number));
                rows.push(place, row([r, s, x, y, digest], &[]));
            }
            None => output.verdicts[place] = way.judge_alone(work, place),
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    session.load(PROGRAM)?;
    let (comb, items) = (comb(session)?, rows.upload(session)?);
    if let Some(identity) = &way.identity {
        let (groups, size) = session.groups(rows.len())?;
        let prefix = identity.prefix();
        let before_key = session.bytes(prefix)?;
        let [bytes, offsets] = session.strings(rows.places().map(|place| work.message(place)))?;
        let arguments = [
            Argument::Buffer(&before_key, 0),
            Argument::Number(prefix.len() as u32),
            Argument::Buffer(&bytes, 0),
            Argument::Buffer(&offsets, 0),
            Argument::Number(LENGTHS_VARY),
            Argument::Buffer(&items, 0),
            Argument::Number(rows.len() as u32),
        ];
        session.queue().launch("sm2_hash_messages", groups, size, &arguments)?;
    }
    let given = [Given::Buffer(&comb), Given::Buffer(&items), Given::Results, Given::Count];
    let nonce = [Given::NonceLow, Given::NonceHigh];
    let results = session.judge(KERNEL, rows.len(), 0, &[&given[..], &nonce[..]].concat())?;
    rows.settle(KERNEL, &results, &mut output.verdicts)
}

fn comb(session: &mut Session<'_>) -> Result<Arc<Buffer>, DeviceError> {
    session.resident("sm2: comb of G", |session| {
        let (groups, size) = session.groups(COMB_WINDOWS)?;
        let buffer = session.queue().allocate(COMB_BYTES)?;
        session.queue().launch("sm2_tables", groups, size, &[Argument::Buffer(&buffer, 0)])?;
        Ok(buffer)
    })
}
