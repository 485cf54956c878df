//! What a device's worker process can do: every operation of the rooms that has kernels, and proofs.

use outrigger_device::{DeviceError, Operations, Queue};
use outrigger_groth16::engine::device::calls::Call;
use outrigger_groth16::engine::device::provers::Provers;
use outrigger_groth16::engine::device::sums::SumTuning;
use outrigger_types::packed::{Marks, is_packable};
use outrigger_types::{HashAlgorithm, MerkleTree, Operation, Ruleset, Work};

use super::{Resident, Session, answer, programs, run_marked, supports};
use crate::{known_keys, planted, registry};

/// Items of a self-test: more than a group of most sizes, of no round number.
const TESTED: usize = 11;

/// The operations of the rooms and the calls of provers, and what stays on the device for them.
#[derive(Default)]
pub struct Rooms {
    resident: Resident,
    provers: Provers,
}

impl Rooms {
    /// With sums of proofs that are cut as these values of a hardware profile say.
    pub fn with_sums(tuning: SumTuning) -> Self {
        Self { resident: Resident::default(), provers: Provers::new(tuning) }
    }
}

/// All operations that can be packed and have kernels, in the order in which a worker tests them: hashes and trees, which
/// take milliseconds anywhere, need not wait for signatures.
pub fn operations() -> impl Iterator<Item = Operation> {
    let signatures = Ruleset::ALL.iter().flat_map(|&ruleset| [Operation::Verify(ruleset), Operation::Recover(ruleset)]);
    let hashes = HashAlgorithm::ALL.iter().map(|&algorithm| Operation::Hash(algorithm));
    let trees = MerkleTree::ALL
        .iter()
        .flat_map(|&tree| HashAlgorithm::ALL.iter().map(move |&algorithm| Operation::Merkle(tree, algorithm)));
    let all = hashes.chain(trees).chain(signatures);
    all.filter(|&operation| is_packable(operation) && supports(operation))
}

/// The number of an operation between a parent and its worker, which are of the same build.
pub fn code(operation: Operation) -> Option<u32> {
    operations().position(|other| other == operation).map(|place| place as u32 + 1)
}

fn operation_of(code: u32) -> Result<Operation, DeviceError> {
    operations().nth((code as usize).wrapping_sub(1)).ok_or(DeviceError::Unsupported)
}

/// The build of a parent or of a worker, which must be the same: its version, and a fingerprint of the operations, which
/// both number alike, and of the kernels.
pub fn build() -> String {
    let names = operations().map(|operation| format!("{operation:?}\n"));
    let texts = names.chain(outrigger_kernels::programs().iter().map(|program| program.source()));
    format!("{} {:016x}", env!("CARGO_PKG_VERSION"), fingerprint(texts))
}

/// FNV-1a: it tells builds apart, not enemies.
fn fingerprint(texts: impl Iterator<Item = String>) -> u64 {
    let step = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    texts.fold(0xcbf2_9ce4_8422_2325, |state, text| text.bytes().fold(state, step))
}

/// The header of a batch: its nonce.
pub fn header(nonce: u64) -> Vec<u8> {
    nonce.to_le_bytes().to_vec()
}

impl Operations for Rooms {
    fn operations(&self) -> Vec<u32> {
        operations().filter_map(code).chain(Call::all().map(Call::code)).collect()
    }

    /// Planted good and bad items, judged by the CPU: as where there are many of them, and of signatures as where there
    /// are few, and both with all of their keys known.
    fn self_test(&self, queue: &mut dyn Queue, operation: u32) -> Result<(), DeviceError> {
        if let Some(call) = Call::of_code(operation) {
            return self.provers.self_test(queue, call);
        }
        let operation = operation_of(operation)?;
        let mut session = Session::new(queue, &self.resident, rand_nonce()?);
        for program in programs(operation) {
            session.load(program)?;
        }
        let work = planted::work(operation, &planted::mixed(TESTED)).ok_or(DeviceError::Unsupported)?;
        let expected = registry::run(&work, 0..work.items());
        let mut ways = vec![(Marks::none(), 0)];
        if matches!(work, Work::Verify(_) | Work::Recover(_)) {
            ways.push((Marks::none(), usize::MAX));
        }
        if known_keys::is_of_kind(&work) {
            let all: Marks = [true; TESTED].into_iter().collect();
            ways.extend([(all.clone(), usize::MAX), (all, 0)]);
        }
        for (marks, lanes) in ways {
            session.take_lanes(Some(lanes));
            if run_marked(&mut session, &work, &marks)? != expected {
                let (kind, label) = (operation.kind(), operation.label());
                return Err(DeviceError::Failed(format!("the self-test of {kind} of {label} failed")));
            }
        }
        Ok(())
    }

    fn run(
        &self,
        queue: &mut dyn Queue,
        operation: u32,
        header: &[u8],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), DeviceError> {
        if let Some(call) = Call::of_code(operation) {
            return self.provers.run(queue, call, header, input, output);
        }
        let nonce = header.try_into().map_err(|_| DeviceError::Misuse("a header without a nonce".to_owned()))?;
        let nonce = u64::from_le_bytes(nonce);
        let mut session = Session::new(queue, &self.resident, nonce);
        answer(&mut session, nonce, input, output).map(|_| ())
    }
}

/// A nonce of the operating system's.
fn rand_nonce() -> Result<u64, DeviceError> {
    getrandom::u64().map_err(|error| DeviceError::Failed(format!("no random numbers: {error}")))
}
