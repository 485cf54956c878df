//! Random, mutated and crafted items of every operation that has kernels, on a device of this process, against the
//! reference item by item. No scheduler, no worker: what the kernels say, and the way into them and out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_algorithms::gpu::{self, Resident, Session};
use outrigger_algorithms::known_keys;
use outrigger_algorithms::{Algorithm, registry};
use outrigger_device::{Api, Device, DeviceError, NarrowQueue, Queue};
use outrigger_device_host::HostDevice;
use outrigger_device_opencl::{OpenClDevice, OpenClOptions};
use outrigger_types::packed::{self, Marks, Part};
use outrigger_types::{
    ColumnBuf, HashAlgorithm, HashWork, Keys, MerkleTree, MerkleWork, MessageForm, Operation, Output, Ruleset,
    SignatureWork, Verdict, Work,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};

use super::simulated::{SimulatedQueue, is_simulator};
use super::verdicts::{POOL, mutated, work};
use super::{crafted, hashes, proving};
use crate::support::device::kernel_cache;
use crate::support::signers::{Signed, Signer, form};
use crate::support::workload::items;

/// The largest batch, and the largest tree.
const BATCH_MAX: usize = 700;
/// Work-items that share a signature where there are few of them.
const PARTS: usize = 8;
/// Items of a batch that are verified so at most where work-items are threads that meet at every barrier.
const IN_PARTS_MAX: usize = 40;
/// Keys that sign messages of many lengths.
const SIGNERS: usize = 4;
/// Differences that are told of one by one.
const TOLD_MAX: u64 = 20;
/// Another identity than the standard's, so that a batch is hashed with one of another length.
const IDENTITY: &[u8] = b"ALICE123@YAHOO.COM";

/// So many items of each algorithm (of the one named, if any) that has kernels, shared by its operations, and of proofs. Gives back how
/// many answers differ; where the backend or the algorithm is not there, that is a failure too.
pub(crate) fn run(count: u64, seed: Option<u64>, backend: Option<&str>, name: Option<&str>) -> u64 {
    let seed = seed.unwrap_or_else(|| rand::rng().random());
    let device = match open(backend.unwrap_or(Api::Host.name())) {
        Ok(device) => device,
        Err(why) => {
            println!("devices: {why}");
            return 1;
        }
    };
    let info = device.info();
    println!("devices: {count} items of each algorithm, seed {seed}");
    println!("  {} {}: {}, groups of {}", info.api.name(), info.name, info.platform, info.group_size_max);
    let rooms: Vec<(&Algorithm, Vec<Operation>)> = registry::ALL
        .iter()
        .filter(|room| name.is_none_or(|name| room.name == name))
        .map(|&room| (room, operations_of(room)))
        .filter(|(_, operations)| !operations.is_empty())
        .collect();
    let has_proofs = name.is_none_or(|name| name == proving::NAME);
    if rooms.is_empty() && !has_proofs {
        println!("  no algorithm with kernels is called {}", name.unwrap_or_default());
        return 1;
    }
    let mut wrong = 0;
    for (room, operations) in rooms {
        let share = count.div_ceil(operations.len() as u64);
        let mut soak = match Soak::new(&*device, seed, room.name) {
            Ok(soak) => soak,
            Err(error) => {
                println!("  {}: no queue: {error}", room.name);
                return wrong + count;
            }
        };
        operations.iter().for_each(|operation| soak.soak(*operation, share));
        wrong += soak.tell(room.name);
    }
    if has_proofs {
        match proving::soak(&*device, seed, count) {
            Ok(found) => wrong += found,
            Err(error) => {
                println!("  {}: no queue: {error}", proving::NAME);
                wrong += count;
            }
        }
    }
    println!("  {wrong} wrong");
    wrong
}

fn open(backend: &str) -> Result<Box<dyn Device>, String> {
    match backend {
        "host" => Ok(Box::new(HostDevice::new())),
        "opencl" => {
            // Programs that were compiled once are found by the next run, and by the tests of the sidecar.
            let cache = Some(kernel_cache());
            match OpenClDevice::open(0, &OpenClOptions { cache, ..OpenClOptions::default() }) {
                Ok(device) => Ok(Box::new(device)),
                Err(error) => Err(format!("NOT RUN on opencl: {error}; install a driver, such as pocl-opencl-icd")),
            }
        }
        _ => Err(format!("there is no backend {backend}: host or opencl")),
    }
}

/// A queue; of a simulator, one that does not have it make large tables.
fn queue_of(device: &dyn Device) -> Result<Box<dyn Queue>, DeviceError> {
    let queue = device.queue()?;
    if !is_simulator(device.info()) {
        return Ok(queue);
    }
    Ok(Box::new(SimulatedQueue::new(queue)?))
}

fn operations_of(room: &Algorithm) -> Vec<Operation> {
    let is_of_room = |operation: &Operation| match *operation {
        Operation::Verify(ruleset) | Operation::Recover(ruleset) => {
            room.rulesets.iter().any(|rules| rules.ruleset == ruleset)
        }
        Operation::Hash(algorithm) | Operation::Merkle(_, algorithm) => {
            room.hashes.iter().any(|rules| rules.algorithm == algorithm)
        }
        _ => false,
    };
    gpu::operations().filter(is_of_room).collect()
}

/// An algorithm on a device, and what came of it so far.
struct Soak<'a> {
    device: &'a dyn Device,
    /// Batches go to both by turns, as a worker's do.
    queues: [Box<dyn Queue>; 2],
    resident: Resident,
    random: StdRng,
    since: Instant,
    reference: Duration,
    operations: u64,
    batches: u64,
    in_parts: u64,
    items: u64,
    verdicts: [u64; 4],
    wrong: u64,
}

impl<'a> Soak<'a> {
    fn new(device: &'a dyn Device, seed: u64, name: &str) -> Result<Self, DeviceError> {
        // Each algorithm has numbers of its own, whichever others run before it.
        let own = name.bytes().fold(seed, |state, byte| state.rotate_left(7) ^ u64::from(byte));
        Ok(Self {
            device,
            queues: [queue_of(device)?, queue_of(device)?],
            resident: Resident::default(),
            random: StdRng::seed_from_u64(own),
            since: Instant::now(),
            reference: Duration::ZERO,
            operations: 0,
            batches: 0,
            in_parts: 0,
            items: 0,
            verdicts: [0; 4],
            wrong: 0,
        })
    }

    /// Judges so many items of an operation; the leaves of a tree count.
    fn soak(&mut self, operation: Operation, count: u64) {
        self.operations += 1;
        let mut left = count as usize;
        let pool = match operation {
            Operation::Verify(ruleset) | Operation::Recover(ruleset) => Pool::new(ruleset, self.random.random()),
            _ => Pool::default(),
        };
        while left > 0 {
            let size = self.size().min(left);
            let work = match operation {
                Operation::Hash(algorithm) => messages(algorithm, size, &mut self.random),
                Operation::Merkle(tree, algorithm) => leaves(tree, algorithm, size, &mut self.random),
                _ => pool.work(operation, size, &mut self.random),
            };
            self.judge(Arc::new(work));
            left -= size;
            self.items += size as u64;
        }
    }

    /// How many items a batch has: one, few, about a whole number of groups, or hundreds.
    fn size(&mut self) -> usize {
        let group = self.device.info().group_size_max as usize;
        match self.random.random_range(0..8) {
            0 => 1,
            1 | 2 => self.random.random_range(2..=19),
            3 => (self.random.random_range(1..=4) * group + self.random.random_range(0..3) - 1).clamp(1, BATCH_MAX),
            _ => self.random.random_range(100..=BATCH_MAX),
        }
    }

    fn judge(&mut self, work: Arc<Work>) {
        let operation = work.operation();
        let since = Instant::now();
        // Each item alone, for what its neighbours do to it is what may go wrong.
        let answers = if operation.is_divisible() { work.items() } else { 1 };
        let reference: Vec<Output> = (0..answers).map(|i| outrigger_algorithms::run(&work, i..i + 1)).collect();
        self.reference += since.elapsed();
        self.batches += 1;
        for answer in &reference {
            self.verdicts[answer.verdicts[0] as usize] += 1;
        }
        match self.on_device(&work) {
            Ok(found) if found.verdicts.len() == reference.len() => {
                for (i, alone) in reference.iter().enumerate() {
                    if found.slice(operation, i..i + 1) != *alone || alone.verdicts[0] == Verdict::Unprocessed {
                        self.differs(&work, i, format!("{:?}, alone {alone:?}", found.slice(operation, i..i + 1)));
                    }
                }
            }
            Ok(found) => self.differs(&work, 0, format!("{} answers", found.verdicts.len())),
            Err(error) => self.differs(&work, 0, format!("no answer: {error}")),
        }
    }

    fn differs(&mut self, work: &Work, i: usize, what: String) {
        self.wrong += 1;
        if self.wrong > TOLD_MAX {
            return;
        }
        let operation = work.operation();
        println!("  {operation:?}, item {i} of {}: {what}", work.items());
        if let Work::Verify(work) | Work::Recover(work) = work {
            println!(
                "    {:?}, key {}, signature {}, message {}",
                work.options,
                hex::encode(work.keys.item(i)),
                hex::encode(work.signature(i)),
                hex::encode(work.message(i))
            );
        }
    }

    /// Of half of the batches of signatures: so many lanes that several share one, of the others none to spare.
    fn lanes(&mut self, work: &Work) -> usize {
        let few = if self.device.info().api == Api::Host { IN_PARTS_MAX } else { BATCH_MAX };
        let has_parts = matches!(work, Work::Verify(_) | Work::Recover(_)) && work.items() <= few;
        if !has_parts || (self.batches + self.operations) % 2 == 1 {
            return 0;
        }
        self.in_parts += 1;
        PARTS * few
    }

    /// The device's answer: half of the time as a worker gives it, packed in parts.
    fn on_device(&mut self, work: &Arc<Work>) -> Result<Output, DeviceError> {
        let nonce = self.random.random();
        let lanes = self.lanes(work);
        let queue = &mut *self.queues[(self.batches % 2) as usize];
        // In the host build and in a simulator, work-items without an item take as long as those with one; a tree is cut
        // by the size of a group. OpenCL compiles a kernel anew for every size.
        let is_compiled = self.device.info().api == Api::OpenCl && !is_simulator(self.device.info());
        let is_whole = is_compiled || matches!(**work, Work::Merkle(_));
        let least = if lanes > 0 { PARTS } else { 1 };
        let size = if is_whole { u32::MAX } else { work.items().max(least) as u32 };
        let mut queue = NarrowQueue::new(queue, size);
        let mut session = Session::new(&mut queue, &self.resident, nonce);
        session.take_lanes(Some(lanes));
        // A proof of a leaf that is not there is refused before anything is packed.
        let is_packable =
            !matches!(&**work, Work::Merkle(tree) if tree.prove.is_some_and(|leaf| leaf >= tree.leaves.len()));
        if !is_packable || self.random.random() {
            return gpu::run(&mut session, work);
        }
        let parts = parts(work, &mut self.random);
        // Half of the packed batches come by combs of known signers, of all keys or of some.
        let share = if known_keys::is_of_kind(work) { self.random.random_range(0..4) } else { 0 };
        let marks: Marks = (0..work.items()).map(|_| share > 1 && self.random.random_range(1..4) <= share).collect();
        let mut input = vec![0; packed::packed_len(&parts, &marks)];
        packed::pack(&parts, &marks, &mut input);
        let mut output = vec![0xa5; packed::answer_len(&parts)];
        let length = gpu::answer(&mut session, nonce, &input, &mut output)?;
        let answers = if work.operation().is_divisible() { work.items() } else { 1 };
        packed::read_answer(nonce, work.operation(), answers, &output[..length])
            .map_err(|damaged| DeviceError::Failed(damaged.to_string()))
    }

    /// Prints what was done. Gives back how many answers differed.
    fn tell(&mut self, name: &str) -> u64 {
        let [unprocessed, valid, invalid, malformed] = self.verdicts;
        let in_kernels: Duration = self.queues.iter_mut().map(|queue| queue.take_kernel_time()).sum();
        println!(
            "  {name}: {} items of {} operations in {} batches, {} of them by several work-items an item: {valid} answers valid, {invalid} invalid, {malformed} \
             malformed; {} wrong; {:.1} s, {:.1} in kernels, {:.1} in the reference",
            self.items,
            self.operations,
            self.batches,
            self.in_parts,
            self.wrong,
            self.since.elapsed().as_secs_f64(),
            in_kernels.as_secs_f64(),
            self.reference.as_secs_f64()
        );
        self.wrong + unprocessed
    }
}

/// A batch in up to three parts, as of several requests. A tree is one.
fn parts(work: &Arc<Work>, random: &mut StdRng) -> Vec<Part> {
    let count = work.items();
    if !work.operation().is_divisible() {
        return vec![(work.clone(), 0..count)];
    }
    let mut cuts = [0, random.random_range(0..=count), random.random_range(0..=count), count];
    cuts.sort_unstable();
    let ranges = cuts.windows(2).map(|cut| cut[0]..cut[1]).filter(|range| !range.is_empty());
    ranges.map(|range| (work.clone(), range)).collect()
}

/// Good items of a ruleset, and keys that sign more.
#[derive(Default)]
struct Pool {
    items: Vec<Signed>,
    signers: Vec<Signer>,
}

impl Pool {
    fn new(ruleset: Ruleset, seed: u64) -> Self {
        let signers = (0..SIGNERS as u64).map(|i| Signer::new(ruleset, seed ^ i)).collect();
        Self { items: items(ruleset, POOL, 0, seed), signers }
    }

    /// A batch: all items of it good but one now and then, else of every kind; with the options that the ruleset has.
    fn work(&self, operation: Operation, size: usize, random: &mut StdRng) -> Work {
        let (Operation::Verify(ruleset) | Operation::Recover(ruleset)) = operation else {
            unreachable!("an operation of signatures")
        };
        let forms = outrigger_algorithms::rules(ruleset).expect("a room").message_forms;
        let message_form = forms[random.random_range(0..forms.len())];
        let mut batch: Vec<Signed> = if random.random_range(0..8) == 0 {
            let mut batch: Vec<Signed> = (0..size).map(|_| self.fresh(ruleset, message_form, random)).collect();
            batch[random.random_range(0..size)] = self.any(ruleset, message_form, random);
            batch
        } else {
            (0..size).map(|_| self.any(ruleset, message_form, random)).collect()
        };
        let is_alike = random.random_range(0..4) == 0;
        if is_alike {
            // All messages of one length, which columns say once.
            let length = batch[0].message.len();
            batch.iter_mut().for_each(|item| item.message.resize(length, 0));
        }
        let work = work(operation, &batch);
        let (Work::Verify(signed) | Work::Recover(signed)) = &*work else { unreachable!("work of signatures") };
        let mut signed = signed.clone();
        signed.options.message_form = message_form;
        signed.options.allow_high_s = random.random_range(0..4) == 0;
        if matches!(ruleset, Ruleset::Sm2Message | Ruleset::FiscoSm2) && random.random_range(0..8) == 0 {
            signed.options.identity = IDENTITY.into();
        }
        if let (Operation::Verify(_), 0) = (operation, random.random_range(0..4)) {
            signed = by_index(signed);
        }
        if matches!(operation, Operation::Recover(_)) { Work::Recover(signed) } else { Work::Verify(signed) }
    }

    fn any(&self, ruleset: Ruleset, message_form: MessageForm, random: &mut StdRng) -> Signed {
        match random.random_range(0..8) {
            0..3 => crafted::item(ruleset, message_form, random),
            3 => self.fresh(ruleset, message_form, random),
            _ => in_form(ruleset, message_form, mutated(&self.items, random)),
        }
    }

    /// A good signature over a message of any length.
    fn fresh(&self, ruleset: Ruleset, message_form: MessageForm, random: &mut StdRng) -> Signed {
        let signer = &self.signers[random.random_range(0..self.signers.len())];
        let message = match (form(ruleset), message_form) {
            (MessageForm::Message, MessageForm::Message) => crafted::message(random),
            _ => random.random::<[u8; 32]>().to_vec(),
        };
        in_form(ruleset, message_form, signer.sign(&message))
    }
}

/// An item with the digest in the place of its message where the batch asks for digests.
fn in_form(ruleset: Ruleset, message_form: MessageForm, mut item: Signed) -> Signed {
    if (ruleset, message_form) == (Ruleset::Fabric, MessageForm::Digest) {
        item.message = Sha256::digest(&item.message).to_vec();
    }
    item
}

/// The same keys, by index into a set in another order.
fn by_index(work: SignatureWork) -> SignatureWork {
    let count = work.signatures.len();
    let set: Vec<&[u8]> = (0..count).rev().map(|i| work.keys.item(i)).collect();
    let keys = Keys::Indexed { set: Arc::new(ColumnBuf::from_items(&set)), indices: (0..count as u32).rev().collect() };
    SignatureWork { keys, ..work }
}

/// Messages of any lengths, or all of one.
fn messages(algorithm: HashAlgorithm, size: usize, random: &mut StdRng) -> Work {
    let length = (random.random_range(0..4) == 0).then(|| hashes::length(algorithm, random));
    let messages: Vec<Vec<u8>> = (0..size).map(|_| hashes::message(algorithm, length, random)).collect();
    Work::Hash(HashWork { algorithm, messages: ColumnBuf::from_items(&messages) })
}

/// A tree of so many leaves, most often well formed; half of the time with a proof.
fn leaves(tree: MerkleTree, algorithm: HashAlgorithm, size: usize, random: &mut StdRng) -> Work {
    const NODE: usize = 32;
    let is_hashed = matches!(tree, MerkleTree::Binary | MerkleTree::Rfc6962);
    // Powers of two and their neighbours are where trees differ.
    let count = match random.random_range(0..4) {
        0 => (size.next_power_of_two() + random.random_range(0..3) - 1).min(size),
        _ => size,
    };
    let length_of_all = random.random_range(0..3).eq(&0).then(|| random.random_range(0..200));
    let mut leaves: Vec<Vec<u8>> = (0..count)
        .map(|_| {
            let length = if is_hashed { length_of_all.unwrap_or_else(|| random.random_range(0..200)) } else { NODE };
            let mut leaf: Vec<u8> = (0..length).map(|_| random.random()).collect();
            if algorithm == HashAlgorithm::PoseidonBn254 {
                leaf[0] %= 0x30;
            }
            leaf
        })
        .collect();
    let at = random.random_range(0..count.max(1));
    match random.random_range(0..12) {
        // Two that are alike side by side: what CVE-2012-2459 is about.
        0 if count > 1 => leaves[at] = leaves[at ^ usize::from(at ^ 1 < count)].clone(),
        1 if !is_hashed && count > 0 => leaves[at] = vec![0xff; NODE],
        2 if !is_hashed && count > 0 => leaves[at].truncate(NODE - 1),
        3 if random.random_range(0..4) == 0 => leaves.clear(),
        _ => {}
    }
    let prove = match random.random_range(0..16) {
        0 => Some(leaves.len()),
        1..8 => Some(at),
        _ => None,
    };
    Work::Merkle(MerkleWork { tree, algorithm, leaves: ColumnBuf::from_items(&leaves), prove })
}
