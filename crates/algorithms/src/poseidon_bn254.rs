//! Poseidon over the scalar field of BN254, as circomlib has it.
//!
//! **Source.** *Poseidon: A New Hash Function for Zero-Knowledge Proof Systems* (Grassi, Khovratovich, Rechberger,
//! Roy, Schofnegger, USENIX Security 2021); the parameters are those of `poseidon.circom` in circomlib, which
//! Semaphore, Tornado Cash Nova, Polygon ID and most circom circuits use: α = 5, 128-bit security, width
//! t = 2 … 17, 8 full rounds, and 56 to 70 partial ones by width ([`parameters::PARTIAL_ROUNDS`]). Round constants
//! and matrix are not listed here: [`parameters`] generates them by the paper's own procedure.
//!
//! **Takes** 1 to 16 field elements, each 32 bytes big-endian and below
//! r = 21888242871839275222246405745257275088548364400416034343698204186575808495617, one after the other. Anything
//! else is *malformed* and its digest is zeros: no bytes, a length that is no multiple of 32, more than 512 bytes,
//! an element ≥ r. Nothing is reduced silently, or two messages would share a digest.
//!
//! **Gives** one element, 32 bytes big-endian.
//!
//! **How.** The state of t elements starts as (0, inputs…). Each round adds its constants, raises elements to the
//! fifth power (all of them in the first and last four rounds, only the first in the partial rounds between), and
//! multiplies by the matrix. The digest is element 0. There is no padding and no length: the number of inputs
//! selects the width, so a hash of n elements never meets one of m through the same permutation.
//!
//! The same sponge constructions with another capacity position, output element or constants are other functions:
//! the original Poseidon reference (Hades), Poseidon2, Filecoin's and Starknet's agree with this one nowhere.
//!
//! **Reference.** `reference::hash` is the paragraph above in ten lines, and judges `optimised`, which serves;
//! both are held to circomlibjs (1 to 16 elements) and `light-poseidon` (1 to 12).

use std::ops::Range;

use ark_bn254::Fr;
use ark_ff::{BigInt, PrimeField};
use outrigger_types::{Backend, HashAlgorithm, HashWork, Output, Verdict, limits::POSEIDON_INPUTS_MAX};

use crate::hashing::DIGEST_BYTES;
use crate::room::{Algorithm, HashRules};

mod gpu;
mod lanes;
mod optimised;
pub mod parameters;
#[cfg(test)]
mod reference;

/// Bytes of an element.
pub const ELEMENT_BYTES: usize = 32;

/// The room.
pub static ROOM: Algorithm = Algorithm {
    name: "poseidon-bn254",
    rulesets: &[],
    hashes: &[HashRules {
        algorithm: HashAlgorithm::PoseidonBn254,
        summary: "Poseidon over BN254 with circomlib's parameters: 1 to 16 big-endian elements below r.",
        // Two to one takes about 7 µs.
        piece_items: 10,
        digest,
        hash,
        gpu: Some(gpu::KERNELS),
        lanes: Some(lanes::LANES),
    }],
    backends: &[Backend::Cpu, Backend::Cuda, Backend::Opencl, Backend::Vector],
};

/// The hash of 1 to 16 elements.
///
/// # Panics
/// Where there are none or more than 16.
pub fn hash_elements(inputs: &[Fr]) -> Fr {
    optimised::hash(inputs)
}

/// An element from its 32 bytes, big-endian; `None` where they are not below r.
pub fn element(bytes: &[u8; ELEMENT_BYTES]) -> Option<Fr> {
    let (limbs, _) = bytes.as_chunks::<8>();
    // Big-endian: the last eight bytes are the lowest limb.
    let limbs = std::array::from_fn(|i| u64::from_be_bytes(limbs[3 - i]));
    Fr::from_bigint(BigInt::new(limbs))
}

/// The 32 bytes of an element, big-endian.
pub fn element_bytes(element: Fr) -> [u8; ELEMENT_BYTES] {
    let BigInt(limbs) = element.into_bigint();
    let mut bytes = [0; ELEMENT_BYTES];
    for (place, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(limbs.iter().rev()) {
        *place = limb.to_be_bytes();
    }
    bytes
}

/// The digest of a message of elements; `None` where it is malformed.
fn digest(message: &[u8]) -> Option<[u8; DIGEST_BYTES]> {
    let (chunks, rest) = message.as_chunks::<ELEMENT_BYTES>();
    if chunks.is_empty() || chunks.len() > POSEIDON_INPUTS_MAX || !rest.is_empty() {
        return None;
    }
    let mut inputs = [Fr::from(0_u64); POSEIDON_INPUTS_MAX];
    for (input, chunk) in inputs.iter_mut().zip(chunks) {
        *input = element(chunk)?;
    }
    Some(element_bytes(hash_elements(&inputs[..chunks.len()])))
}

fn hash(work: &HashWork, range: Range<usize>, output: &mut Output) {
    let messages = work.messages.view().slice(range);
    let (places, _) = output.fixed.as_chunks_mut::<DIGEST_BYTES>();
    for ((message, place), verdict) in messages.iter().zip(places).zip(&mut output.verdicts) {
        let digest = digest(message);
        *place = digest.unwrap_or_default();
        *verdict = if digest.is_some() { Verdict::Valid } else { Verdict::Malformed };
    }
}

#[cfg(test)]
mod tests;
