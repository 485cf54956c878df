//! BLAKE2b with a digest of 32 bytes.
//!
//! **Source.** RFC 7693, with the parameters nn = 32 (digest bytes), kk = 0 (no key), no salt and no
//! personalisation, sequential mode.
//!
//! The length of the digest is part of the parameter block that starts the state (first word 0x01010020), so this
//! is *not* the first half of the usual 64-byte BLAKE2b: chains that say "blake2b-256" (Polkadot, Filecoin,
//! Sia) mean this one.
//!
//! **Takes** any bytes, none included: an empty message is one block of zeros, counted as 0 bytes. **Gives** 32
//! bytes: four words of the state, little-endian. Blocks have 128 bytes, and a message of exactly 128 or 256 must
//! not be followed by an empty block: the last full block is the final one.
//!
//! **Reference.** The crate `blake2b_simd`. A batch runs four messages at a time in the lanes of AVX2 where the
//! processor has it; a message that ends early gives its lane to the next one, so lengths may vary. Tests hold it
//! to CPython's `hashlib`, and batches to single messages.
//!
//! **Lanes.** Eight messages at a time, see [`outrigger_vector::blake2b`]; messages much longer than the others of
//! their turn go to the reference.

use std::ops::Range;

use blake2b_simd::Params;
use blake2b_simd::many::{HashManyJob, hash_many};
use outrigger_types::{Backend, HashAlgorithm, HashWork, Output, Verdict};

use crate::hashing::DIGEST_BYTES;
use crate::room::{Algorithm, HashRules};

/// Messages that are handed to the library at once: enough to keep four lanes busy when lengths differ, few enough
/// for their state (about 120 bytes each) to lie on the stack.
const GROUP: usize = 32;

mod gpu;
mod lanes;

/// The room.
pub static ROOM: Algorithm = Algorithm {
    name: "blake2b-256",
    rulesets: &[],
    hashes: &[HashRules {
        algorithm: HashAlgorithm::Blake2b256,
        summary: "BLAKE2b of RFC 7693 with a digest of 32 bytes and no key.",
        // A block takes about 0.15 µs alone, a third of that in a batch.
        piece_items: 768,
        digest: |message| Some(blake2b_256(message)),
        hash,
        gpu: Some(gpu::BLAKE2B_256),
        lanes: Some(lanes::BLAKE2B_256),
    }],
    backends: &[Backend::Cpu, Backend::Cuda, Backend::Opencl, Backend::Vector],
};

/// BLAKE2b of a message, 32 bytes, no key.
#[inline]
pub fn blake2b_256(message: &[u8]) -> [u8; 32] {
    parameters().hash(message).as_bytes().try_into().expect("a digest of the length that the parameters say")
}

fn parameters() -> Params {
    let mut parameters = Params::new();
    parameters.hash_length(DIGEST_BYTES);
    parameters
}

fn hash(work: &HashWork, range: Range<usize>, output: &mut Output) {
    let messages = work.messages.view().slice(range);
    let parameters = parameters();
    let (places, _) = output.fixed.as_chunks_mut::<DIGEST_BYTES>();
    for (group, places) in places.chunks_mut(GROUP).enumerate() {
        let mut jobs: [HashManyJob<'_>; GROUP] = std::array::from_fn(|j| {
            let message = if j < places.len() { messages.item(group * GROUP + j) } else { &[] };
            HashManyJob::new(&parameters, message)
        });
        let jobs = &mut jobs[..places.len()];
        hash_many(jobs.iter_mut());
        for (job, place) in jobs.iter().zip(places) {
            place.copy_from_slice(job.to_hash().as_bytes());
        }
    }
    output.verdicts.fill(Verdict::Valid);
}

#[cfg(test)]
mod tests;
