//! Trees in kernels: `kernels/merkle.cl` and `kernels/merkle_poseidon.cl`. The leaves go to the device once, and the
//! root comes back; levels between stay there.

use outrigger_device::{Argument, Buffer, DeviceError};
use outrigger_types::{HashAlgorithm, MerkleTree, MerkleWork, Output, Verdict};

use super::{Inclusion, NODE_BYTES, STEP_BYTES, digest, verify_proof};
use crate::gpu::{Given, Session};
use crate::hashing::gpu::{DIGEST_WORDS, Messages, digest_of, verdict_of};
use crate::registry::hash_rules;

/// Leaves at most: kernels count words of a level in 32 bits.
const LEAVES_MAX: usize = 1 << 28;

/// Words that a level has for each node: the node and its mark.
const NODE_COLUMNS: usize = NODE_BYTES / 4 + 1;

/// Levels of a tree at most, each with a sibling, and the leaf.
const PATH_NODES: usize = 33;

/// MERKLE_PROVES_NONE of `hashes/merkle.h`.
const PROVES_NONE: u32 = u32::MAX;

/// Nodes that a group climbs from, for each of its work-items, at most: LOCAL memory has room for half of them.
const NODES_OF_ITEM: u32 = 8;

/// The kernels of a tree's hash function.
pub(crate) struct NodeKernels<'a> {
    program: &'static str,
    function: &'static str,
    kind: Kind<'a>,
}

enum Kind<'a> {
    /// A function of bytes, with what chooses among its variants.
    Bytes { variant: u32 },
    /// Poseidon, with its constants and the roots of trees of zeros.
    Elements { constants: &'a Buffer, zeros: &'a Buffer },
}

impl<'a> NodeKernels<'a> {
    /// A function of bytes by its name in `merkle.cl`.
    pub(crate) const fn of_bytes(function: &'static str, variant: u32) -> Self {
        Self { program: "merkle", function, kind: Kind::Bytes { variant } }
    }

    /// A function of elements by its name in `merkle_poseidon.cl`.
    pub(crate) const fn of_elements(function: &'static str, constants: &'a Buffer, zeros: &'a Buffer) -> Self {
        Self { program: "merkle_poseidon", function, kind: Kind::Elements { constants, zeros } }
    }
}

/// Whether there are kernels for a tree over a hash function that has kernels.
pub(crate) fn takes(tree: MerkleTree, algorithm: HashAlgorithm) -> bool {
    super::takes(tree, algorithm) && tree != MerkleTree::EthereumTrie
}

/// As [`super::build`], on a device.
///
/// # Errors
/// What the device reports; [`DeviceError::Failed`] where a proof does not lead to the root that came with it.
pub(crate) fn build(
    session: &mut Session<'_>,
    kernels: &NodeKernels<'_>,
    work: &MerkleWork,
    output: &mut Output,
) -> Result<(), DeviceError> {
    let count = work.leaves.len();
    if count > LEAVES_MAX {
        return Err(DeviceError::Misuse(format!("a tree of {count} leaves")));
    }
    if work.prove.is_some_and(|index| index >= count) || has_malformed_lengths(work) {
        output.verdicts[0] = Verdict::Malformed;
        return Ok(());
    }
    if count == 0 {
        output.verdicts[0] = Verdict::Malformed;
        if work.tree == MerkleTree::Rfc6962 {
            let rules = hash_rules(work.algorithm).ok_or(DeviceError::Unsupported)?;
            output.verdicts[0] = Verdict::Valid;
            output.fixed.copy_from_slice(&digest(rules, b""));
        }
        return Ok(());
    }
    session.load(kernels.program)?;
    let leaves = enter(session, kernels, work)?;
    let path = session.queue().allocate(PATH_NODES * NODE_BYTES)?;
    let name = format!("merkle_nodes_{}", kernels.function);
    let mut climb = Climb { kernels, name: &name, work, path: &path, count: count as u32, level: 0, below: leaves };
    let height = climb.height(session);
    while climb.groups(height) > 1 {
        climb.ascend(session, height)?;
    }
    let above = session.queue().allocate(0)?;
    let results = session.judge(&name, 1, DIGEST_WORDS, &climb.arguments(height, &above))?;
    output.verdicts[0] = verdict_of(&results, 0, &name)?;
    if output.verdicts[0] != Verdict::Valid {
        return Ok(());
    }
    output.fixed.copy_from_slice(&digest_of(&results, 0));
    if let Some(index) = work.prove {
        let mut nodes = [0; PATH_NODES * NODE_BYTES];
        session.queue().read(&path, 0, &mut nodes)?;
        output.variable = proof(work.tree, index, count, nodes.as_chunks().0);
        output.variable_ends[0] = output.variable.len() as u32;
        check_proof(work, index, output)?;
    }
    Ok(())
}

/// Whether leaves that enter as they are have not the length of a node.
fn has_malformed_lengths(work: &MerkleWork) -> bool {
    let hashed = matches!(work.tree, MerkleTree::Binary | MerkleTree::Rfc6962);
    !hashed && work.leaves.view().iter().any(|leaf| leaf.len() != NODE_BYTES)
}

/// The level of the leaves, as the kernels take it.
fn enter(session: &mut Session<'_>, kernels: &NodeKernels<'_>, work: &MerkleWork) -> Result<Buffer, DeviceError> {
    let count = work.leaves.len();
    let variant = match (&kernels.kind, work.tree) {
        (Kind::Bytes { variant }, MerkleTree::Binary | MerkleTree::Rfc6962) => *variant,
        // These enter as they are.
        _ => return session.bytes(work.leaves.bytes()),
    };
    let leaves = Messages::new(session, &work.leaves)?;
    let nodes = session.queue().allocate(4 * NODE_COLUMNS * count)?;
    let (groups, size) = session.groups(count)?;
    let arguments = [
        Argument::Buffer(&leaves.bytes, 0),
        Argument::Buffer(&leaves.offsets, 0),
        Argument::Buffer(&nodes, 0),
        Argument::Number(count as u32),
        Argument::Number(leaves.length),
        Argument::Number(work.tree.number() as u32),
        Argument::Number(variant),
    ];
    let name = format!("merkle_leaves_{}", kernels.function);
    session.queue().launch(&name, groups, size, &arguments)?;
    Ok(nodes)
}

/// Where the way to the root is.
struct Climb<'a> {
    kernels: &'a NodeKernels<'a>,
    name: &'a str,
    work: &'a MerkleWork,
    path: &'a Buffer,
    /// Nodes of the level that it stands on.
    count: u32,
    /// Levels below that one.
    level: u32,
    below: Buffer,
}

impl<'a> Climb<'a> {
    /// Levels a launch: as few launches as can be, and all of about one height, so that the first ones have many groups.
    fn height(&self, session: &mut Session<'_>) -> u32 {
        let levels = u32::BITS - (self.count - 1).leading_zeros();
        let most = (NODES_OF_ITEM * group_size(session)).ilog2();
        levels.div_ceil(levels.div_ceil(most).max(1)).max(1)
    }

    /// Groups that a launch needs.
    const fn groups(&self, height: u32) -> u32 {
        self.count.div_ceil(1 << height)
    }

    /// One launch that does not reach the root.
    fn ascend(&mut self, session: &mut Session<'_>, height: u32) -> Result<(), DeviceError> {
        let groups = self.groups(height);
        let above = session.queue().allocate(4 * NODE_COLUMNS * groups as usize)?;
        let none = session.queue().allocate(0)?;
        let arguments: Vec<Argument<'_>> = self
            .arguments(height, &above)
            .into_iter()
            .map(|argument| match argument {
                Given::Buffer(buffer) => Argument::Buffer(buffer, 0),
                Given::Number(number) => Argument::Number(number),
                Given::Count => Argument::Number(self.count),
                // There are no results before the root.
                Given::Results => Argument::Buffer(&none, 0),
                Given::NonceLow | Given::NonceHigh => Argument::Number(0),
            })
            .collect();
        let size = group_size(session);
        session.queue().launch(self.name, groups, size, &arguments)?;
        drop(arguments);
        (self.below, self.count, self.level) = (above, groups, self.level + height);
        Ok(())
    }

    /// The arguments of `merkle_nodes_…`.
    fn arguments<'b>(&'b self, height: u32, above: &'b Buffer) -> Vec<Given<'b>> {
        let mut arguments = vec![Given::Buffer(&self.below), Given::Buffer(above), Given::Buffer(self.path)];
        if let Kind::Elements { constants, zeros } = self.kernels.kind {
            arguments.extend([Given::Buffer(constants), Given::Buffer(zeros)]);
        }
        let tree = self.work.tree.number() as u32;
        arguments.push(Given::Results);
        arguments.extend([self.count, self.level, height, tree].map(Given::Number));
        if let Kind::Bytes { variant } = self.kernels.kind {
            arguments.push(Given::Number(variant));
        }
        arguments.push(Given::Number(self.work.prove.map_or(PROVES_NONE, |index| index as u32)));
        arguments.extend([Given::NonceLow, Given::NonceHigh]);
        arguments
    }
}

/// Work-items of a group.
fn group_size(session: &mut Session<'_>) -> u32 {
    session.queue().info().group_size_max
}

/// The proof from what the kernels noted: the leaf, then the node that its ancestor on each level is paired with.
fn proof(tree: MerkleTree, index: usize, count: usize, nodes: &[[u8; NODE_BYTES]]) -> Vec<u8> {
    let mut proof = Vec::with_capacity(NODE_BYTES + nodes.len() * STEP_BYTES);
    proof.extend_from_slice(&nodes[0]);
    let (mut place, mut last) = (index, count - 1);
    for sibling in &nodes[1..] {
        if last == 0 {
            break;
        }
        let is_alone = place == last && place.is_multiple_of(2);
        if !is_alone || matches!(tree, MerkleTree::Bitcoin | MerkleTree::Poseidon) {
            proof.push(u8::from(place.is_multiple_of(2)));
            proof.extend_from_slice(sibling);
        }
        (place, last) = (place / 2, last / 2);
    }
    proof
}

/// The path has no tag: it is right if it leads to the root, which has one.
fn check_proof(work: &MerkleWork, index: usize, output: &Output) -> Result<(), DeviceError> {
    let claim = Inclusion {
        tree: work.tree,
        algorithm: work.algorithm,
        root: output.fixed.as_slice().try_into().expect("a root"),
        leaf: work.leaves.view().item(index),
        index,
        count: work.leaves.len(),
        proof: &output.variable,
    };
    if verify_proof(&claim) {
        return Ok(());
    }
    Err(DeviceError::Failed("a proof that does not lead to the root".to_owned()))
}
