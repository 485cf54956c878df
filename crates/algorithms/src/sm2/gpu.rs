//! The room's rulesets on a device: columns parsed as the lanes do, hashes and mathematics by the program `sm2`.
//!
//! What the curve is not needed for is judged by the CPU's function for that item, so that there is one place for its
//! rules.

use std::sync::Arc;

use outrigger_device::{Argument, Buffer, DeviceError};
use outrigger_types::{Output, SignatureWork, Verdict};

use super::identity::Identity;
use super::lanes::{self, Decoded};
use crate::gpu::{
    ByComb, COMB_BYTES, COMB_WINDOWS, CombKind, Given, Judges, Kernels, LENGTHS_VARY, Results, Rows, Session, Way,
    halves, number, row,
};
use crate::room::SignatureKernels;

/// The kernels of all rulesets of this room.
pub(super) const KERNELS: SignatureKernels = SignatureKernels { programs: &[PROGRAM], verify, recover: None };

const PROGRAM: &str = "sm2";

/// Words of an item as the kernels read them: r, s, the key's x and y, the digest (not looked at where it is made
/// there), and which comb, for the kernel that takes one.
const ITEM_WORDS: usize = 41;

const BY_COMB: ByComb<ITEM_WORDS, 17> = ByComb {
    kind: CombKind { name: "sm2", kernel: "sm2_signer_tables" },
    program: PROGRAM,
    plain: Kernels { alone: "sm2_verify", in_parts: "sm2_verify_in_parts" },
    known: Kernels { alone: "sm2_verify_known", in_parts: "sm2_verify_known_in_parts" },
    slot_word: 40,
    key_of: |item| std::array::from_fn(|word| if word < 16 { item[16 + word] } else { 0 }),
};

fn verify(session: &mut Session<'_>, work: &SignatureWork, output: &mut Output) -> Result<(), DeviceError> {
    let way = match lanes::Way::of(work) {
        Ok(way) => way,
        Err(judge) => {
            judge(work, 0..output.verdicts.len(), output);
            return Ok(());
        }
    };
    let mut rows = Rows::with_capacity(output.verdicts.len());
    for place in 0..output.verdicts.len() {
        match way.decode(work, place) {
            Some(Decoded { message, signature: of, .. }) => {
                let digest = if way.identity.is_some() { [0; 8] } else { message.try_into().map_or([0; 8], number) };
                let [r, s, x, y] = [of.r, of.s, of.key[0], of.key[1]].map(|number| halves(&number));
                rows.push(place, row([r, s, x, y, digest], &[0]));
            }
            None => output.verdicts[place] = way.judge_alone(work, place),
        }
    }
    BY_COMB.verify(session, &rows, &mut output.verdicts, &Batch { work, way: &way })
}

/// A request, and how its items are verified.
struct Batch<'a> {
    work: &'a SignatureWork,
    way: &'a lanes::Way,
}

impl Judges<ITEM_WORDS> for Batch<'_> {
    fn ask(&self, session: &mut Session<'_>, way: Way<'_>, rows: &Rows<ITEM_WORDS>) -> Result<Results, DeviceError> {
        let (base_comb, items) = (base_comb(session)?, rows.upload(session)?);
        if let Some(identity) = &self.way.identity {
            self.hash(session, identity, rows, &items)?;
        }
        let combs = way.combs.map(Given::Buffer);
        let given = [Given::Buffer(&items), Given::Results, Given::Count, Given::NonceLow, Given::NonceHigh];
        let arguments: Vec<_> = [Given::Buffer(&base_comb)].into_iter().chain(combs).chain(given).collect();
        session.judge_with(way.kernel, rows.len() * way.parts, rows.len(), 0, &arguments)
    }

    fn alone(&self, place: usize) -> Verdict {
        self.way.judge_alone(self.work, place)
    }
}

impl Batch<'_> {
    /// Makes the digests of items on the device.
    fn hash(
        &self,
        session: &mut Session<'_>,
        identity: &Identity,
        rows: &Rows<ITEM_WORDS>,
        items: &Buffer,
    ) -> Result<(), DeviceError> {
        let (groups, size) = session.groups(rows.len())?;
        let prefix = identity.prefix();
        let before_key = session.bytes(prefix)?;
        let [bytes, offsets] = session.strings(rows.places().map(|place| self.work.message(place)))?;
        let arguments = [
            Argument::Buffer(&before_key, 0),
            Argument::Number(prefix.len() as u32),
            Argument::Buffer(&bytes, 0),
            Argument::Buffer(&offsets, 0),
            Argument::Number(LENGTHS_VARY),
            Argument::Buffer(items, 0),
            Argument::Number(rows.len() as u32),
        ];
        session.queue().launch("sm2_hash_messages", groups, size, &arguments)
    }
}

/// The comb of G, as `sm2_tables` writes it, a work-item one of its windows.
fn base_comb(session: &mut Session<'_>) -> Result<Arc<Buffer>, DeviceError> {
    session.resident("sm2: comb of G", |session| {
        let (groups, size) = session.groups(COMB_WINDOWS)?;
        let buffer = session.queue().allocate(COMB_BYTES)?;
        session.queue().launch("sm2_tables", groups, size, &[Argument::Buffer(&buffer, 0)])?;
        Ok(buffer)
    })
}
