//! The room's rulesets on a device: columns parsed as the lanes do, the mathematics by the program `p256`.
//!
//! What the curve is not needed for is judged by the CPU's function for that item, so that there is one place for its
//! rules.

use std::sync::Arc;

use outrigger_device::{Argument, Buffer, DeviceError};
use outrigger_types::{MessageForm, Output, SignatureWork, Verdict};

use super::lanes::{Decode, Decoded, fabric_signature, precompile_signature};
use super::{Judge, ethereum_p256verify, fabric};
use crate::gpu::{
    ByComb, COMB_BYTES, COMB_WINDOWS, CombKind, Given, Judges, Kernels, LENGTHS_VARY, Results, Rows, Session, Way,
    halves, row,
};
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

/// Words of an item as the kernels read them: r, s, the key's x and y, the digest (not looked at where it is made
/// there), and which comb, for the kernel that takes one.
const ITEM_WORDS: usize = 41;

const BY_COMB: ByComb<ITEM_WORDS, 17> = ByComb {
    kind: CombKind { name: "p256", kernel: "p256_signer_tables" },
    program: PROGRAM,
    plain: Kernels { alone: "p256_verify", in_parts: "p256_verify_in_parts" },
    known: Kernels { alone: "p256_verify_known", in_parts: "p256_verify_known_in_parts" },
    slot_word: 40,
    key_of: |item| std::array::from_fn(|word| if word < 16 { item[16 + word] } else { 0 }),
};

fn verify(
    session: &mut Session<'_>,
    work: &SignatureWork,
    output: &mut Output,
    decode: Decode,
    judge: Judge,
) -> Result<(), DeviceError> {
    let mut rows = Rows::with_capacity(output.verdicts.len());
    let room = Batch { work, judge };
    for place in 0..output.verdicts.len() {
        match decode(&work.options, work.keys.item(place), work.signature(place), work.message(place)) {
            Some(Decoded { signature: of, .. }) => {
                let numbers = [of.r, of.s, of.key[0], of.key[1], of.digest].map(|number| halves(&number));
                rows.push(place, row(numbers, &[0]));
            }
            None => output.verdicts[place] = room.alone(place),
        }
    }
    BY_COMB.verify(session, &rows, &mut output.verdicts, &room)
}

/// A request, and the CPU's function for its items.
struct Batch<'a> {
    work: &'a SignatureWork,
    judge: Judge,
}

impl Judges<ITEM_WORDS> for Batch<'_> {
    fn ask(&self, session: &mut Session<'_>, way: Way<'_>, rows: &Rows<ITEM_WORDS>) -> Result<Results, DeviceError> {
        let (base_comb, items) = (base_comb(session)?, rows.upload(session)?);
        if self.work.options.message_form == MessageForm::Message {
            self.hash(session, rows, &items)?;
        }
        let combs = way.combs.map(Given::Buffer);
        let given = [Given::Buffer(&items), Given::Results, Given::Count, Given::NonceLow, Given::NonceHigh];
        let arguments: Vec<_> = [Given::Buffer(&base_comb)].into_iter().chain(combs).chain(given).collect();
        session.judge_with(way.kernel, rows.len() * way.parts, rows.len(), 0, &arguments)
    }

    fn alone(&self, place: usize) -> Verdict {
        let work = self.work;
        (self.judge)(&work.options, work.keys.item(place), work.signature(place), work.message(place))
    }
}

impl Batch<'_> {
    /// Makes the digests of items on the device.
    fn hash(&self, session: &mut Session<'_>, rows: &Rows<ITEM_WORDS>, items: &Buffer) -> Result<(), DeviceError> {
        let (groups, size) = session.groups(rows.len())?;
        let [bytes, offsets] = session.strings(rows.places().map(|place| self.work.message(place)))?;
        let arguments = [
            Argument::Buffer(&bytes, 0),
            Argument::Buffer(&offsets, 0),
            Argument::Number(LENGTHS_VARY),
            Argument::Buffer(items, 0),
            Argument::Number(rows.len() as u32),
        ];
        session.queue().launch("p256_hash_messages", groups, size, &arguments)
    }
}

/// The comb of G, as `p256_tables` writes it, a work-item one of its windows.
fn base_comb(session: &mut Session<'_>) -> Result<Arc<Buffer>, DeviceError> {
    session.resident("p256: comb of G", |session| {
        let (groups, size) = session.groups(COMB_WINDOWS)?;
        let buffer = session.queue().allocate(COMB_BYTES)?;
        session.queue().launch("p256_tables", groups, size, &[Argument::Buffer(&buffer, 0)])?;
        Ok(buffer)
    })
}
