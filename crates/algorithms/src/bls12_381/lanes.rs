//! BLS12-381 in lanes: from columns to [`outrigger_vector::bls12_381`] and back, with keys in G1.
//!
//! Lanes take sets of one key and one message, check their points, and multiply all pairings together, with a fresh
//! coefficient of 129 bits for each set; blst does the one final exponentiation. Whatever is not plain (a point that
//! does not decode, is infinity or outside its subgroup, a message that met an exceptional case) gets its verdict
//! from the CPU, and where the product fails, every set does.

use std::ops::Range;
use std::sync::OnceLock;

use blst::{MultiPoint, Pairing, blst_fp, blst_fp2, blst_fp12, blst_p2_affine, min_pk, min_sig};
use outrigger_types::{MessageForm, Output, SetMode, SetWork, SignatureWork, Verdict};
use outrigger_vector::bls12_381::{Product, Set, Words, combine};
use sha2::{Digest, Sha256};

use super::arrangement::{Arrangement, MinKey};
use super::sets::{DIGEST_BYTES, verify as verify_on_cpu, verify_sets as verify_sets_on_cpu};
use crate::Unit;
use crate::room::SignatureLanes;

pub(super) const LANES: SignatureLanes = SignatureLanes {
    // Of the shared work (squarings of the Miller loop, final exponentiation), 64 sets leave a few per cent each.
    piece_items: 64,
    verify,
    recover: None,
    verify_sets: Some(verify_sets),
    known: None,
};

/// Bytes of randomness of a set.
const RANDOMNESS_BYTES: usize = 17;

/// A key, a signature and a message of the right lengths.
type Plain<'a> = (&'a [u8; 48], &'a [u8; 96], &'a [u8]);

/// The parts of a set; `None` where lanes do not take it, and the CPU says what follows.
type Parts<'a> = Option<Plain<'a>>;

fn verify(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let parts = |i: usize| {
        let message = work.message(i);
        let fits = work.options.message_form != MessageForm::Digest || message.len() == DIGEST_BYTES;
        parts_of(work.keys.item(i), work.signature(i), message).filter(|_| fits)
    };
    run(unit, range, output, parts, |range, output| verify_on_cpu::<MinKey>(work, range, output));
}

fn verify_sets(unit: Unit, work: &SetWork, range: Range<usize>, output: &mut Output) {
    let parts = |i: usize| {
        let (keys, messages) = (work.key_range(i), work.messages_of(i));
        // The modes differ in what they do with other numbers of keys and messages.
        if (keys.len(), messages.len()) != (1, 1) {
            return None;
        }
        parts_of(work.keys.item(keys.start), work.signatures.view().item(i), messages.item(0))
    };
    // Where sets have many keys, the CPU's one pass is the better one.
    if work.mode != SetMode::Single && !range.clone().any(|i| parts(i).is_some()) {
        return verify_sets_on_cpu::<MinKey>(work, range, output);
    }
    run(unit, range, output, parts, |range, output| verify_sets_on_cpu::<MinKey>(work, range, output));
}

fn parts_of<'a>(key: &'a [u8], signature: &'a [u8], message: &'a [u8]) -> Parts<'a> {
    Some((key.try_into().ok()?, signature.try_into().ok()?, message))
}

/// Judges the sets of a range in lanes, and by the CPU those that lanes leave open.
fn run<'a>(
    unit: Unit,
    range: Range<usize>,
    output: &mut Output,
    parts: impl Fn(usize) -> Parts<'a>,
    on_cpu: impl Fn(Range<usize>, &mut Output),
) {
    let complete: Vec<_> = range.clone().filter_map(|i| Some((i - range.start, parts(i)?))).collect();
    let mut is_valid = vec![false; range.len()];
    if let Some(fine) = fine_if_all_hold(unit, &complete) {
        for ((place, _), fine) in complete.iter().zip(fine) {
            is_valid[*place] = fine;
        }
    }
    // What is open, in runs, since the CPU shares work among neighbours too.
    let mut place = 0;
    while place < is_valid.len() {
        let length = is_valid[place..].iter().take_while(|valid| **valid == is_valid[place]).count();
        if is_valid[place] {
            output.verdicts[place..place + length].fill(Verdict::Valid);
        } else {
            judge_on_cpu(range.start + place..range.start + place + length, place, output, &on_cpu);
        }
        place += length;
    }
}

/// The CPU's verdicts on a range, written from `place` on.
fn judge_on_cpu(range: Range<usize>, place: usize, output: &mut Output, on_cpu: &impl Fn(Range<usize>, &mut Output)) {
    let mut part = Output { verdicts: vec![Verdict::Unprocessed; range.len()], ..Output::default() };
    on_cpu(range, &mut part);
    output.verdicts[place..place + part.verdicts.len()].copy_from_slice(&part.verdicts);
}

/// Which sets are fine, if the fine ones hold together; `None` where they do not, or nothing is known.
fn fine_if_all_hold(unit: Unit, sets: &[(usize, Plain<'_>)]) -> Option<Vec<bool>> {
    let mut randomness = vec![[0; RANDOMNESS_BYTES]; sets.len()];
    getrandom::fill(randomness.as_flattened_mut()).ok()?;
    let expanded: Vec<[u8; 256]> = sets.iter().map(|(_, (_, _, message))| expand(message)).collect();
    let sets: Vec<Set<'_>> = sets
        .iter()
        .zip(&expanded)
        .zip(randomness)
        .map(|(((_, (key, signature, _)), expanded), randomness)| Set { key, signature, expanded, randomness })
        .collect();
    let combined = combine(unit, &sets);
    holds(&combined.product?).then_some(combined.fine)
}

/// Whether both sides of a product agree.
fn holds(product: &Product) -> bool {
    let mut pairings = blst_fp12::default();
    for factor in &product.pairings {
        pairings *= element_of_12(factor);
    }
    let mut summands: Vec<min_sig::PublicKey> = product.signatures.iter().map(|words| point(words).into()).collect();
    summands.push(*start_to_subtract());
    let sum = summands.add().to_public_key();
    let sum = min_pk::Signature::from(*<&blst_p2_affine>::from(&sum));
    let mut side = blst_fp12::default();
    Pairing::aggregated(&mut side, <&blst_p2_affine>::from(&sum));
    blst_fp12::finalverify(&pairings, &side)
}

/// −2^45·g₂, which takes out what the lanes' sums started with. As a point of G2 it is, to blst, a key.
fn start_to_subtract() -> &'static min_sig::PublicKey {
    static POINT: OnceLock<min_sig::PublicKey> = OnceLock::new();
    POINT.get_or_init(|| {
        let mut scalar = [0; 32];
        scalar[31 - 45 / 8] = 1 << (45 % 8);
        let key = min_sig::SecretKey::from_bytes(&scalar).expect("a number below the order").sk_to_pk();
        let mut bytes = key.compress();
        // The other y.
        bytes[0] ^= 0x20;
        min_sig::PublicKey::uncompress(&bytes).expect("a point of the curve")
    })
}

fn element_of_12(words: &[Words; 12]) -> blst_fp12 {
    let mut element = blst_fp12::default();
    for (i, words) in words.as_chunks::<2>().0.iter().enumerate() {
        element.fp6[i / 3].fp2[i % 3] = element_of_2(words);
    }
    element
}

fn point(words: &[Words; 4]) -> blst_p2_affine {
    let [x0, x1, y0, y1] = *words;
    blst_p2_affine { x: element_of_2(&[x0, x1]), y: element_of_2(&[y0, y1]) }
}

fn element_of_2(words: &[Words; 2]) -> blst_fp2 {
    blst_fp2 { fp: words.map(|l| blst_fp { l }) }
}

/// `expand_message_xmd` of RFC 9380 with SHA-256, to 256 bytes.
fn expand(message: &[u8]) -> [u8; 256] {
    let tag = MinKey::DST;
    let tag_length = [tag.len() as u8];
    // A block of zeros, the message, how much to make of it, and 0.
    let first: [u8; 32] = Sha256::new()
        .chain_update([0; 64])
        .chain_update(message)
        .chain_update([1, 0, 0])
        .chain_update(tag)
        .chain_update(tag_length)
        .finalize()
        .into();
    let mut expanded = [0; 256];
    let mut last = [0; 32];
    for (i, place) in expanded.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let mixed: [u8; 32] = std::array::from_fn(|j| first[j] ^ last[j]);
        let block = Sha256::new().chain_update(mixed).chain_update([i as u8 + 1]).chain_update(tag);
        last = block.chain_update(tag_length).finalize().into();
        *place = last;
    }
    expanded
}
