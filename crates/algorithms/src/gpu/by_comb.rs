//! The items of a batch that are verified by combs of their keys, and those that are not: as the vector engine's
//! `ByTable`, on a device.
//!
//! **A comb can only say "valid".** What it does not find valid is verified once more without, so that one with a
//! flipped bit refuses nobody; the first signature that it refuses wrongly has it dropped.

use outrigger_device::{Buffer, DeviceError};
use outrigger_types::Verdict;

use super::combs::CombKind;
use super::{Results, Rows, Session};

/// Work-items that share a signature where there are few of them: COMB_PARTS of `curves/comb.h`.
pub(super) const PARTS: usize = 8;

/// The same thing done by two kernels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernels {
    /// By one work-item an item.
    pub(crate) alone: &'static str,
    /// By several, for few items: it takes less long, and more work.
    pub(crate) in_parts: &'static str,
}

impl Kernels {
    /// The one for so many items, and its work-items an item: several where the device has lanes for them.
    pub(crate) fn of(self, session: &Session<'_>, items: usize) -> (&'static str, usize) {
        let has_lanes = session.lanes() / PARTS >= items && session.group_is_of(PARTS);
        if has_lanes { (self.in_parts, PARTS) } else { (self.alone, 1) }
    }
}

/// So many signatures are left to a core and not to a launch of their own: alone on its work-item, one is some 3,000
/// products one after another, each of hundreds of instructions that wait for each other. In that time a core verifies
/// as many.
const ALONE_MAX: usize = 16;

/// How a room verifies, rows being `W` words an item and keys `K` words.
pub(crate) struct ByComb<const W: usize, const K: usize> {
    /// Its combs.
    pub(crate) kind: CombKind,
    /// The program of all kernels.
    pub(crate) program: &'static str,
    /// The kernels that take any signature.
    pub(crate) plain: Kernels,
    /// The kernels that take those of keys with combs.
    pub(crate) known: Kernels,
    /// The word of an item that says to it which comb.
    pub(crate) slot_word: usize,
    /// The key of an item, as the kernel that builds combs reads it, with 0 for the slot.
    pub(crate) key_of: fn(&[u32; W]) -> [u32; K],
}

/// How a kernel is to be asked.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) kernel: &'static str,
    /// Work-items an item.
    pub(crate) parts: usize,
    /// The room's combs, where it takes them.
    pub(crate) combs: Option<&'a Buffer>,
}

/// What a room does for a batch.
pub(crate) trait Judges<const W: usize> {
    /// What a kernel says of items.
    ///
    /// # Errors
    /// What the device reports.
    fn ask(&self, session: &mut Session<'_>, way: Way<'_>, rows: &Rows<W>) -> Result<Results, DeviceError>;

    /// The CPU's verdict of the item at a place of the batch.
    fn alone(&self, place: usize) -> Verdict;
}

impl<const W: usize, const K: usize> ByComb<W, K> {
    /// Verifies the items: those that are marked by combs, as far as there are any, the others plainly.
    ///
    /// # Errors
    /// What the device reports; then nothing in `verdicts` is to be believed.
    pub(crate) fn verify(
        &self,
        session: &mut Session<'_>,
        rows: &Rows<W>,
        verdicts: &mut [Verdict],
        room: &impl Judges<W>,
    ) -> Result<(), DeviceError> {
        if rows.is_empty() {
            return Ok(());
        }
        session.load(self.program)?;
        let marked: Vec<usize> =
            rows.places().enumerate().filter_map(|(i, place)| session.is_marked(place).then_some(i)).collect();
        if !pays(session, marked.len(), rows.len())? {
            return self.plainly(session, rows, verdicts, room);
        }
        let keys: Vec<[u32; K]> = marked.iter().map(|&i| (self.key_of)(rows.row(i))).collect();
        let Some(combs) = session.combs(self.kind, &keys)? else {
            return self.plainly(session, rows, verdicts, room);
        };
        let mut slots = vec![None; rows.len()];
        for (&i, slot) in marked.iter().zip(combs.slots()) {
            slots[i] = *slot;
        }
        let with_comb = slots.iter().flatten().count();
        if !pays(session, with_comb, rows.len())? {
            return self.plainly(session, rows, verdicts, room);
        }
        let known = rows.pick(|i| slots[i].is_some()).with_word(self.slot_word, slots.iter().flatten().copied());
        let (kernel, parts) = self.known.of(session, known.len());
        let results = room.ask(session, Way { kernel, parts, combs: Some(combs.buffer()) }, &known)?;
        known.settle(kernel, &results, verdicts)?;
        let rest = rows.pick(|i| slots[i].is_none() || verdicts[rows.place(i)] != Verdict::Valid);
        if rest.len() <= ALONE_MAX {
            rest.places().for_each(|place| verdicts[place] = room.alone(place));
        } else {
            self.plainly(session, &rest, verdicts, room)?;
        }
        // What was refused by comb is among the rest: a verdict other than its own convicts the comb.
        for (i, place) in known.places().enumerate() {
            if results.verdict(i) != Verdict::Valid as u32 && verdicts[place] == Verdict::Valid {
                combs.drop_damaged(known.row(i)[self.slot_word]);
            }
        }
        Ok(())
    }

    fn plainly(
        &self,
        session: &mut Session<'_>,
        rows: &Rows<W>,
        verdicts: &mut [Verdict],
        room: &impl Judges<W>,
    ) -> Result<(), DeviceError> {
        let (kernel, parts) = self.plain.of(session, rows.len());
        let results = room.ask(session, Way { kernel, parts, combs: None }, rows)?;
        rows.settle(kernel, &results, verdicts)
    }
}

/// Whether a launch of its own for items with combs pays: where they fill a group, or leave none to the other kernel.
fn pays(session: &Session<'_>, with_comb: usize, items: usize) -> Result<bool, DeviceError> {
    let (_, group) = session.groups(1)?;
    let rest = items - with_comb;
    Ok(with_comb >= group as usize || (rest <= ALONE_MAX && rest < with_comb))
}
