//! BLS12-381 in lanes: from columns to [`outrigger_vector::bls12_381`] and back, in both arrangements.
//!
//! Lanes read each different key and message once, check their points, add up the keys of a set, and multiply all
//! pairings together, with a fresh coefficient of 129 bits for each set; blst does the one final exponentiation.
//! Whatever is not plain (a point that does not decode, is infinity or outside its subgroup, keys that add up to
//! infinity, a message that met an exceptional case) gets its verdict from the CPU. Where the product fails, each half
//! of the sets is tried once more, and what still fails in the end goes to the CPU.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::OnceLock;

use blst::{MultiPoint, blst_fp, blst_fp2, blst_fp12, blst_p1_affine, blst_p2_affine, min_pk, min_sig};
use outrigger_types::{MessageForm, Output, SetMode, SetWork, SignatureWork, Verdict};
use outrigger_vector::bls12_381::{
    Batch, Combined, Factor, MinKeyBatch, MinSignatureBatch, Product, Set, Words, combine_min_key,
    combine_min_signature,
};
use outrigger_vector::lanes::LANES;
use sha2::{Digest, Sha256};

use super::arrangement::{Arrangement, MinKey, MinSignature};
use super::sets::{DIGEST_BYTES, verify as verify_on_cpu, verify_sets as verify_sets_on_cpu};
use crate::Unit;
use crate::room::SignatureLanes;

/// Of keys in G1.
pub(super) const MIN_KEY: SignatureLanes = lanes::<MinKey, 48, 96, 256, 4>();

/// Of keys in G2.
pub(super) const MIN_SIGNATURE: SignatureLanes = lanes::<MinSignature, 96, 48, 128, 2>();

const fn lanes<A, const KEY: usize, const SIGNATURE: usize, const EXPANDED: usize, const W: usize>() -> SignatureLanes
where
    A: InLanes<KEY, SIGNATURE, EXPANDED, W>,
{
    SignatureLanes {
        // Of the shared work (squarings of the Miller loop, final exponentiation), 64 sets leave a few per cent each.
        piece_items: 64,
        verify: verify::<A, KEY, SIGNATURE, EXPANDED, W>,
        recover: None,
        verify_sets: Some(verify_sets::<A, KEY, SIGNATURE, EXPANDED, W>),
        known: None,
    }
}

/// What lanes ask of an arrangement: bytes of keys and signatures, bytes of expanded messages, and how many numbers
/// the points of signatures have.
trait InLanes<const KEY: usize, const SIGNATURE: usize, const EXPANDED: usize, const W: usize>: Arrangement {
    fn combine(unit: Unit, batch: &Batch<'_, KEY, SIGNATURE, EXPANDED>) -> Combined<W>;

    /// The pairing of the sum of all signatures with the generator, up to the final exponentiation.
    fn signature_side(signatures: &[[Words; W]; LANES]) -> blst_fp12;
}

impl InLanes<48, 96, 256, 4> for MinKey {
    fn combine(unit: Unit, batch: &MinKeyBatch<'_>) -> Combined<4> {
        combine_min_key(unit, batch)
    }

    fn signature_side(signatures: &[[Words; 4]; LANES]) -> blst_fp12 {
        // As a point of G2 a signature is, to blst, a key of the other arrangement.
        let mut summands: Vec<min_sig::PublicKey> = signatures
            .iter()
            .map(|[x0, x1, y0, y1]| {
                blst_p2_affine { x: element_of_2(&[*x0, *x1]), y: element_of_2(&[*y0, *y1]) }.into()
            })
            .collect();
        summands.push(start_to_subtract().1);
        let sum = summands.add().to_public_key();
        <Self as Arrangement>::signature_side(&min_pk::Signature::from(*<&blst_p2_affine>::from(&sum)))
    }
}

impl InLanes<96, 48, 128, 2> for MinSignature {
    fn combine(unit: Unit, batch: &MinSignatureBatch<'_>) -> Combined<2> {
        combine_min_signature(unit, batch)
    }

    fn signature_side(signatures: &[[Words; 2]; LANES]) -> blst_fp12 {
        let mut summands: Vec<min_pk::PublicKey> = signatures
            .iter()
            .map(|[x, y]| blst_p1_affine { x: blst_fp { l: *x }, y: blst_fp { l: *y } }.into())
            .collect();
        summands.push(start_to_subtract().0);
        let sum = summands.add().to_public_key();
        <Self as Arrangement>::signature_side(&min_sig::Signature::from(*<&blst_p1_affine>::from(&sum)))
    }
}

/// Bytes of randomness of a set.
const RANDOMNESS_BYTES: usize = 17;

/// A batch whose product fails is tried again in halves down to this many sets.
const LEAST_TRIED_AGAIN: usize = LANES;

/// A set of the right lengths and numbers.
#[derive(Clone)]
struct Plain<'a, const KEY: usize, const SIGNATURE: usize> {
    signature: &'a [u8; SIGNATURE],
    /// Keys that are added up, with what they signed.
    factors: Vec<(Vec<&'a [u8; KEY]>, &'a [u8])>,
}

fn verify<A, const KEY: usize, const SIGNATURE: usize, const EXPANDED: usize, const W: usize>(
    unit: Unit,
    work: &SignatureWork,
    range: Range<usize>,
    output: &mut Output,
) where
    A: InLanes<KEY, SIGNATURE, EXPANDED, W>,
{
    let read = |i: usize| {
        let message = work.message(i);
        if work.options.message_form == MessageForm::Digest && message.len() != DIGEST_BYTES {
            return None;
        }
        let key = work.keys.item(i).try_into().ok()?;
        Some(Plain { signature: work.signature(i).try_into().ok()?, factors: vec![(vec![key], message)] })
    };
    run::<A, KEY, SIGNATURE, EXPANDED, W>(unit, range, output, read, |range, output| {
        verify_on_cpu::<A>(work, range, output);
    });
}

fn verify_sets<A, const KEY: usize, const SIGNATURE: usize, const EXPANDED: usize, const W: usize>(
    unit: Unit,
    work: &SetWork,
    range: Range<usize>,
    output: &mut Output,
) where
    A: InLanes<KEY, SIGNATURE, EXPANDED, W>,
{
    run::<A, KEY, SIGNATURE, EXPANDED, W>(
        unit,
        range,
        output,
        |i| read_set::<A, KEY, SIGNATURE>(work, i),
        |range, output| verify_sets_on_cpu::<A>(work, range, output),
    );
}

/// A set that breaks no rule of its mode and has keys; `None` for others, of which the CPU says what they are.
fn read_set<'a, A: Arrangement, const KEY: usize, const SIGNATURE: usize>(
    work: &'a SetWork,
    i: usize,
) -> Option<Plain<'a, KEY, SIGNATURE>> {
    let signature = work.signatures.view().item(i).try_into().ok()?;
    let messages = work.messages_of(i);
    let keys: Option<Vec<&'a [u8; KEY]>> = work.key_range(i).map(|k| work.keys.item(k).try_into().ok()).collect();
    let keys = keys.filter(|keys| !keys.is_empty())?;
    let factors = match work.mode {
        SetMode::Single if (keys.len(), messages.len()) == (1, 1) => vec![(keys, messages.item(0))],
        SetMode::FastAggregate | SetMode::EthereumFastAggregate if messages.len() == 1 => {
            vec![(keys, messages.item(0))]
        }
        SetMode::Aggregate if keys.len() == messages.len() => {
            if A::MESSAGES_DIFFER && messages.iter().collect::<HashSet<_>>().len() != messages.len() {
                return None;
            }
            keys.into_iter().map(|key| vec![key]).zip(messages.iter()).collect()
        }
        _ => return None,
    };
    Some(Plain { signature, factors })
}

/// Judges the sets of a range in lanes, and by the CPU those that lanes leave open.
fn run<'a, A, const KEY: usize, const SIGNATURE: usize, const EXPANDED: usize, const W: usize>(
    unit: Unit,
    range: Range<usize>,
    output: &mut Output,
    read: impl Fn(usize) -> Option<Plain<'a, KEY, SIGNATURE>>,
    on_cpu: impl Fn(Range<usize>, &mut Output),
) where
    A: InLanes<KEY, SIGNATURE, EXPANDED, W>,
{
    let complete: Vec<_> = range.clone().filter_map(|i| Some((i - range.start, read(i)?))).collect();
    let mut is_valid = vec![false; range.len()];
    find_valid::<A, KEY, SIGNATURE, EXPANDED, W>(unit, &complete, &mut is_valid);
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

/// Marks the places of sets that lanes found valid.
fn find_valid<A, const KEY: usize, const SIGNATURE: usize, const EXPANDED: usize, const W: usize>(
    unit: Unit,
    sets: &[(usize, Plain<'_, KEY, SIGNATURE>)],
    is_valid: &mut [bool],
) where
    A: InLanes<KEY, SIGNATURE, EXPANDED, W>,
{
    let Some(batch) = batch_of::<A, KEY, SIGNATURE, EXPANDED>(sets) else { return };
    let combined = A::combine(unit, &batch);
    let Some(product) = combined.product else { return };
    if holds::<A, KEY, SIGNATURE, EXPANDED, W>(&product) {
        for ((place, _), fine) in sets.iter().zip(combined.fine) {
            is_valid[*place] = fine;
        }
        return;
    }
    let fine: Vec<_> = sets.iter().zip(combined.fine).filter(|(_, fine)| *fine).map(|(set, _)| set.clone()).collect();
    if fine.len() > LEAST_TRIED_AGAIN {
        let (first, second) = fine.split_at((fine.len() / 2).next_multiple_of(LANES));
        find_valid::<A, KEY, SIGNATURE, EXPANDED, W>(unit, first, is_valid);
        find_valid::<A, KEY, SIGNATURE, EXPANDED, W>(unit, second, is_valid);
    }
}

/// Sets as lanes take them: with places of keys and messages that are all different. `None` where there are no sets,
/// or the operating system gives no randomness.
fn batch_of<'a, A: Arrangement, const KEY: usize, const SIGNATURE: usize, const EXPANDED: usize>(
    sets: &[(usize, Plain<'a, KEY, SIGNATURE>)],
) -> Option<Batch<'a, KEY, SIGNATURE, EXPANDED>> {
    let mut randomness = vec![[0; RANDOMNESS_BYTES]; sets.len()];
    getrandom::fill(randomness.as_flattened_mut()).ok()?;
    let (mut keys, mut messages) = (Places::new(), Places::new());
    let sets: Vec<_> = sets
        .iter()
        .zip(randomness)
        .map(|((_, Plain { signature, factors }), randomness)| {
            let factors = factors.iter().map(|(together, message)| Factor {
                keys: together.iter().map(|key| keys.place(*key)).collect(),
                message: messages.place(*message),
            });
            Set { signature, factors: factors.collect(), randomness }
        })
        .collect();
    let messages = messages.things.into_iter().map(expand::<A, EXPANDED>).collect();
    (!sets.is_empty()).then_some(Batch { keys: keys.things, messages, sets })
}

/// Things that are all different, each with its place.
struct Places<'a, T: ?Sized> {
    things: Vec<&'a T>,
    places: HashMap<&'a T, usize>,
}

impl<'a, T: ?Sized + Eq + std::hash::Hash> Places<'a, T> {
    fn new() -> Self {
        Self { things: Vec::new(), places: HashMap::new() }
    }

    fn place(&mut self, thing: &'a T) -> usize {
        *self.places.entry(thing).or_insert_with(|| {
            self.things.push(thing);
            self.things.len() - 1
        })
    }
}

/// Whether both sides of a product agree.
fn holds<A, const KEY: usize, const SIGNATURE: usize, const EXPANDED: usize, const W: usize>(
    product: &Product<W>,
) -> bool
where
    A: InLanes<KEY, SIGNATURE, EXPANDED, W>,
{
    let mut pairings = blst_fp12::default();
    for factor in &product.pairings {
        pairings *= element_of_12(factor);
    }
    blst_fp12::finalverify(&pairings, &<A as InLanes<KEY, SIGNATURE, EXPANDED, W>>::signature_side(&product.signatures))
}

/// −2^45·g of both groups, which takes out what the lanes' sums started with.
fn start_to_subtract() -> &'static (min_pk::PublicKey, min_sig::PublicKey) {
    static POINTS: OnceLock<(min_pk::PublicKey, min_sig::PublicKey)> = OnceLock::new();
    POINTS.get_or_init(|| {
        let mut scalar = [0; 32];
        scalar[31 - 45 / 8] = 1 << (45 % 8);
        let of_1 = min_pk::SecretKey::from_bytes(&scalar).expect("a number below the order").sk_to_pk();
        let of_2 = min_sig::SecretKey::from_bytes(&scalar).expect("a number below the order").sk_to_pk();
        let (mut of_1, mut of_2) = (of_1.compress(), of_2.compress());
        // The other y.
        of_1[0] ^= 0x20;
        of_2[0] ^= 0x20;
        (
            min_pk::PublicKey::uncompress(&of_1).expect("a point of the curve"),
            min_sig::PublicKey::uncompress(&of_2).expect("a point of the curve"),
        )
    })
}

fn element_of_12(words: &[Words; 12]) -> blst_fp12 {
    let mut element = blst_fp12::default();
    for (i, words) in words.as_chunks::<2>().0.iter().enumerate() {
        element.fp6[i / 3].fp2[i % 3] = element_of_2(words);
    }
    element
}

fn element_of_2(words: &[Words; 2]) -> blst_fp2 {
    blst_fp2 { fp: words.map(|l| blst_fp { l }) }
}

/// `expand_message_xmd` of RFC 9380 with SHA-256, to `N` < 2¹⁶ bytes, a multiple of 32.
fn expand<A: Arrangement, const N: usize>(message: &[u8]) -> [u8; N] {
    let tag = A::DST;
    let tag_length = [tag.len() as u8];
    // A block of zeros, the message, how much to make of it, and 0.
    let first: [u8; 32] = Sha256::new()
        .chain_update([0; 64])
        .chain_update(message)
        .chain_update((N as u16).to_be_bytes())
        .chain_update([0])
        .chain_update(tag)
        .chain_update(tag_length)
        .finalize()
        .into();
    let mut expanded = [0; N];
    let mut last = [0; 32];
    for (i, place) in expanded.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let mixed: [u8; 32] = std::array::from_fn(|j| first[j] ^ last[j]);
        let block = Sha256::new().chain_update(mixed).chain_update([i as u8 + 1]).chain_update(tag);
        last = block.chain_update(tag_length).finalize().into();
        *place = last;
    }
    expanded
}
