//! The kernels as the host's compiler made them, for the tests of rooms; or on the first OpenCL device where the
//! environment has `OUTRIGGER_TEST_OPENCL`.

use std::collections::BTreeSet;
use std::env;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use outrigger_device::{Api, Device, DeviceError, NarrowQueue};
use outrigger_device_host::HostDevice;
use outrigger_device_opencl::{OpenClDevice, OpenClOptions};
use outrigger_types::packed::{self, Marks};
use outrigger_types::{Output, Work};

use super::by_comb::PARTS;
use super::{Resident, Session};
use crate::known_keys;

/// Devices for all tests of a process, so that tables are made once on each: two, since a device of the host does one thing
/// at a time.
static HERE: LazyLock<[Here; 2]> = LazyLock::new(|| [(); 2].map(|()| Here::new(Resident::default())));

/// That of the calling thread: tests are given them by turns. OpenCL has one, which compiles kernels once.
fn here() -> &'static Here {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: usize = TURN.fetch_add(1, Ordering::Relaxed);
    }
    let mine = if is_opencl() { 0 } else { MINE.with(|mine| mine % HERE.len()) };
    &HERE[mine]
}

fn is_opencl() -> bool {
    env::var_os("OUTRIGGER_TEST_OPENCL").is_some()
}

/// Of batches with fewer items than this, one in so many is asked for by combs too, and in parts: to build a comb takes as
/// long as dozens of items, and suites have hundreds of keys.
const SMALL: usize = 64;
const SMALL_BY_COMB: usize = 8;
/// Keys of a batch that get combs.
const KEYS_BY_COMB: usize = 8;
/// Items of a batch that are verified in parts at most: each takes a group that meets at every barrier.
pub(crate) const IN_PARTS_MAX: usize = 24;
/// Of a batch without combs, on the host: a group meets some hundred times for each.
const PLAIN_IN_PARTS_MAX: usize = 2;

/// A device, and what stays on it.
pub(crate) struct Here {
    device: Box<dyn Device>,
    pub(crate) resident: Resident,
}

impl Here {
    pub(crate) fn new(resident: Resident) -> Self {
        let device: Box<dyn Device> = if is_opencl() {
            Box::new(OpenClDevice::open(0, &OpenClOptions::default()).expect("an OpenCL device"))
        } else {
            Box::new(HostDevice::new())
        };
        Self { device, resident }
    }

    /// The host with so many bytes of memory, whatever the environment says.
    pub(crate) fn with_memory(bytes: u64, resident: Resident) -> Self {
        Self { device: Box::new(HostDevice::with_memory(bytes)), resident }
    }

    /// Hands over a session on a queue of its own, for so many items, under a nonce of its own.
    pub(crate) fn with_session<T>(
        &self,
        items: usize,
        act: impl FnOnce(&mut Session<'_>) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        static SESSIONS: AtomicU64 = AtomicU64::new(1);
        let nonce = SESSIONS.fetch_add(1, Ordering::Relaxed) << 32 | 0x00c0_ffee;
        let mut queue = self.device.queue()?;
        let size = match self.device.info().api {
            Api::Host => u32::try_from(items).unwrap_or(u32::MAX),
            // It compiles a kernel anew for every size of group.
            Api::OpenCl | Api::Cuda => u32::MAX,
        };
        act(&mut Session::new(&mut NarrowQueue::new(queue.as_mut(), size), &self.resident, nonce))
    }

    /// The kernels' answer to work with marks on its items.
    pub(crate) fn run(&self, work: &Work, marks: &Marks) -> Output {
        let run = |session: &mut Session<'_>| super::run_marked(session, work, marks);
        self.with_session(work.items(), run).expect("the device runs kernels")
    }

    /// Which of so many items are also verified in parts: others from batch to batch, and on a device that has no threads
    /// that meet, all of them where they are few.
    fn in_parts(&self, items: usize) -> Range<usize> {
        static TURN: AtomicUsize = AtomicUsize::new(0);
        let count = items.min(if self.device.info().api == Api::Host { PLAIN_IN_PARTS_MAX } else { IN_PARTS_MAX });
        let start = TURN.fetch_add(count, Ordering::Relaxed) % (items - count + 1);
        start..start + count
    }

    /// The same as if the device had lanes for [`IN_PARTS_MAX`] items in parts.
    pub(crate) fn run_in_parts(&self, work: &Work, marks: &Marks) -> Output {
        let run = |session: &mut Session<'_>| {
            session.take_lanes(Some(PARTS * IN_PARTS_MAX));
            super::run_marked(session, work, marks)
        };
        self.with_session(usize::MAX, run).expect("the device runs kernels")
    }
}

/// The kernels' answer to [`IN_PARTS_MAX`] items at most, in parts.
pub(crate) fn run_in_parts(work: &Work) -> Output {
    here().run_in_parts(work, &Marks::none())
}

/// The kernels' answer, which is the same in parts, as where there are few items, and by combs of known signers: of some
/// keys, and of some of their items in parts.
pub(crate) fn run(work: &Work) -> Output {
    static SMALL_ONES: AtomicUsize = AtomicUsize::new(0);
    let here = here();
    let output = here.run(work, &Marks::none());
    let is_asked = || work.items() >= SMALL || SMALL_ONES.fetch_add(1, Ordering::Relaxed).is_multiple_of(SMALL_BY_COMB);
    if !matches!(work, Work::Verify(_) | Work::Recover(_)) || work.items() == 0 || !is_asked() {
        return output;
    }
    let range = here.in_parts(work.items());
    let expected = output.slice(work.operation(), range.clone());
    assert_eq!(here.run_in_parts(&some_items(work, range), &Marks::none()), expected, "in parts");
    if known_keys::is_of_kind(work) {
        let known = known_items(work);
        assert_eq!(here.run(work, &known.iter().copied().collect()), output, "by combs");
        let step = work.items().div_ceil(IN_PARTS_MAX);
        let some = known.iter().enumerate().map(|(item, is_known)| *is_known && item % step == 0).collect();
        assert_eq!(here.run_in_parts(work, &some), output, "some by combs, in parts");
        assert_eq!(damaged(), 0, "a comb refuses nothing that is valid");
    }
    output
}

/// Some items of a piece of work.
fn some_items(work: &Work, range: Range<usize>) -> Work {
    let parts = [(Arc::new(work.clone()), range)];
    let mut bytes = vec![0; packed::packed_len(&parts, &Marks::none())];
    packed::pack(&parts, &Marks::none(), &mut bytes);
    let (some, _) = packed::unpack(&bytes).expect("packed work").remove(0);
    some
}

/// Which items are of the first few keys: of each a comb is built.
fn known_items(work: &Work) -> Vec<bool> {
    let Work::Verify(work) = work else { return Vec::new() };
    let mut keys = BTreeSet::new();
    let is_known = |item| {
        let key = work.keys.item(item);
        keys.contains(key) || (keys.len() < KEYS_BY_COMB && keys.insert(key))
    };
    (0..work.signatures.len()).map(is_known).collect()
}

/// The kernels' answer, in groups as large as the device takes, however few items there are: what trees are cut by.
pub(crate) fn run_in_whole_groups(work: &Work) -> Output {
    with_session(usize::MAX, |session| super::run(session, work)).expect("the device runs kernels")
}

fn damaged() -> u64 {
    ["p256", "secp256k1", "sm2"].iter().map(|room| here().resident.comb_stats(room).damaged).sum()
}

/// Hands over a session of the device of all tests.
pub(crate) fn with_session<T>(
    items: usize,
    act: impl FnOnce(&mut Session<'_>) -> Result<T, DeviceError>,
) -> Result<T, DeviceError> {
    here().with_session(items, act)
}
