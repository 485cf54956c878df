//! What a room fills: plain data and function pointers, no traits.

use std::ops::Range;

use outrigger_device::DeviceError;
use outrigger_types::{
    Backend, HashAlgorithm, HashWork, MerkleTree, MerkleWork, MessageForm, Output, Ruleset, SetWork, SignatureWork,
};
use outrigger_vector::Unit;

use crate::gpu::Session;
use crate::known_keys::KeyKind;

/// One algorithm: its rulesets or hash functions, and the engines that it has.
pub struct Algorithm {
    /// The name used in benches and records, such as `secp256k1`.
    pub name: &'static str,
    /// Rulesets over this algorithm.
    pub rulesets: &'static [RulesetRules],
    /// Hash functions of this room.
    pub hashes: &'static [HashRules],
    /// Engines that the room declares; a test fails where one is missing.
    pub backends: &'static [Backend],
}

/// Verifies the items of `range`, writing item `range.start + j` to place `j` of an output that was allocated
/// for exactly this range, all *unprocessed*.
pub type SignatureFn = fn(work: &SignatureWork, range: Range<usize>, output: &mut Output);

/// As [`SignatureFn`], for BLS sets.
pub type SetFn = fn(work: &SetWork, range: Range<usize>, output: &mut Output);

/// One ruleset and the reference that judges by it.
pub struct RulesetRules {
    /// Which one.
    pub ruleset: Ruleset,
    /// The version of its semantics; every change of a verdict raises it.
    pub version: u32,
    /// One sentence for people.
    pub summary: &'static str,
    /// Forms of message that it takes. A digest is always 32 bytes.
    pub message_forms: &'static [MessageForm],
    /// Lengths that a well-formed key can have, in bytes; a column of another stride is a malformed request, a
    /// single item of another length a malformed item.
    pub key_lengths: &'static [usize],
    /// Lengths that a well-formed signature can have; empty where they vary (DER).
    pub signature_lengths: &'static [usize],
    /// How many items a thread takes at once: enough to hide the hand-over, few enough to share the work.
    pub piece_items: usize,
    /// The CPU's verification.
    pub verify: SignatureFn,
    /// The CPU's recovery, where signatures are recoverable.
    pub recover: Option<SignatureFn>,
    /// The CPU's verification of sets, for BLS.
    pub verify_sets: Option<SetFn>,
    /// The kernels, where the room has them.
    pub gpu: Option<SignatureKernels>,
    /// The vector engine, where the room has it.
    pub lanes: Option<SignatureLanes>,
}

/// As [`SignatureFn`], on a unit of lanes.
pub type SignatureLanesFn = fn(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output);

/// As [`SetFn`], on a unit of lanes.
pub type SetLanesFn = fn(unit: Unit, work: &SetWork, range: Range<usize>, output: &mut Output);

/// What the vector engine does of a ruleset: as the CPU's functions, on a unit of lanes.
pub struct SignatureLanes {
    /// How many items a thread takes at once: a multiple of the lanes, enough for what is shared by a batch (an
    /// inversion, say) to cost little.
    pub piece_items: usize,
    /// Verification.
    pub verify: SignatureLanesFn,
    /// Recovery, where signatures are recoverable.
    pub recover: Option<SignatureLanesFn>,
    /// Verification of sets, for BLS.
    pub verify_sets: Option<SetLanesFn>,
    /// The tables of keys that come often, where verification takes them.
    pub known: Option<&'static KeyKind>,
}

/// One hash function.
pub struct HashRules {
    /// Which one.
    pub algorithm: HashAlgorithm,
    /// One sentence for people.
    pub summary: &'static str,
    /// How many items a thread takes at once.
    pub piece_items: usize,
    /// One message; `None` where it is malformed (Poseidon alone: other functions take any bytes).
    pub digest: fn(message: &[u8]) -> Option<[u8; 32]>,
    /// Many messages, as [`SignatureFn`]. Valid means hashed.
    pub hash: fn(work: &HashWork, range: Range<usize>, output: &mut Output),
    /// The kernels, where the room has them.
    pub gpu: Option<HashKernels>,
    /// The vector engine, where the room has it.
    pub lanes: Option<HashLanes>,
}

/// What the vector engine does of a hash function.
pub struct HashLanes {
    /// How many items a thread takes at once.
    pub piece_items: usize,
    /// Many messages, as [`SignatureFn`], on a unit of lanes.
    pub hash: fn(unit: Unit, work: &HashWork, range: Range<usize>, output: &mut Output),
}

/// Answers all items of the work on a device: `output` has one for each, all *unprocessed*. What the kernels cannot
/// take, such as a malformed item, is judged as the CPU does it.
///
/// # Errors
/// What the device reports; then nothing in `output` is to be believed.
pub type SignatureKernelsFn =
    fn(session: &mut Session<'_>, work: &SignatureWork, output: &mut Output) -> Result<(), DeviceError>;

/// What the kernels do of a ruleset.
pub struct SignatureKernels {
    /// The programs that it needs.
    pub programs: &'static [&'static str],
    /// Verification.
    pub verify: SignatureKernelsFn,
    /// Recovery, where signatures are recoverable.
    pub recover: Option<SignatureKernelsFn>,
}

/// What the kernels do of a hash function.
pub struct HashKernels {
    /// The programs that it needs.
    pub programs: &'static [&'static str],
    /// Many messages, as [`SignatureKernelsFn`].
    pub hash: fn(session: &mut Session<'_>, work: &HashWork, output: &mut Output) -> Result<(), DeviceError>,
    /// A Merkle tree whose nodes are this function, where there is a kernel for its shape: the root, and the proof
    /// where one is asked for. `false`: not this shape.
    pub takes_tree: fn(tree: MerkleTree) -> bool,
    /// Builds a tree that [`Self::takes_tree`] allows.
    pub tree: fn(session: &mut Session<'_>, work: &MerkleWork, output: &mut Output) -> Result<(), DeviceError>,
}
