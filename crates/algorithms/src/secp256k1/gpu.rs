//! The room's rulesets on a device: columns parsed as the CPU does, the mathematics by the program `secp256k1`.
//!
//! What the curve is not needed for is judged by the CPU's function for that item, so that there is one place for its
//! rules.

use std::sync::Arc;

use outrigger_device::{Argument, Buffer, DeviceError};
use outrigger_types::{MessageForm, Operation, Output, SignatureWork, Verdict};
use outrigger_vector::secp256k1::Schnorr;

use super::items::Item;
use super::lanes::{bitcoin_item, challenge_hash, schnorr};
use super::recoverable::{Signed, Signer, Variant};
use super::{bip340, bitcoin, parse};
use crate::gpu::{
    ByComb, COMB_BYTES, COMB_WINDOWS, CombKind, Given, Judges, Kernels, Results, Rows, Session, Way, halves, number,
    row,
};

/// What all rulesets of this room need.
pub(super) const PROGRAMS: &[&str] = &[PROGRAM];
const PROGRAM: &str = "secp256k1";

/// Words of an item as the kernels read them, the last of those that are verified being which comb, for the kernels
/// that take one; and bits of the word before it.
const VERIFY_WORDS: usize = 42;
const RECOVER_WORDS: usize = 25;
const SCHNORR_WORDS: usize = 33;
const NONCE_Y_IS_ODD: u32 = 1;
const NONCE_IS_ABOVE_ORDER: u32 = 2;
const KEY_IS_COMPRESSED: u32 = 4;
const KEY_Y_IS_ODD: u32 = 8;

/// Words of a key: x, y, what is said of it, and which comb.
const KEY_WORDS: usize = 18;

const COMBS: CombKind = CombKind { name: "secp256k1", kernel: "secp256k1_signer_tables" };

/// ECDSA with any R at the right x.
const ANY_NONCE: ByComb<VERIFY_WORDS, KEY_WORDS> = ByComb {
    kind: COMBS,
    program: PROGRAM,
    plain: Kernels { alone: "secp256k1_verify", in_parts: "secp256k1_verify_in_parts" },
    known: Kernels { alone: "secp256k1_verify_known", in_parts: "secp256k1_verify_known_in_parts" },
    slot_word: 41,
    key_of: key_of_ecdsa,
};

/// ECDSA with a certain R.
const ONE_NONCE: ByComb<VERIFY_WORDS, KEY_WORDS> = ByComb {
    plain: Kernels { alone: "secp256k1_verify_point", in_parts: "secp256k1_verify_point_in_parts" },
    known: Kernels { alone: "secp256k1_verify_point_known", in_parts: "secp256k1_verify_point_known_in_parts" },
    ..ANY_NONCE
};

const SCHNORR: ByComb<SCHNORR_WORDS, KEY_WORDS> = ByComb {
    kind: COMBS,
    program: PROGRAM,
    plain: Kernels { alone: "secp256k1_verify_schnorr", in_parts: "secp256k1_verify_schnorr_in_parts" },
    known: Kernels { alone: "secp256k1_verify_schnorr_known", in_parts: "secp256k1_verify_schnorr_known_in_parts" },
    slot_word: 32,
    // The even one of the two keys at x, as if it had come compressed.
    key_of: |item| {
        std::array::from_fn(|word| match word {
            0..8 => item[24 + word],
            16 => KEY_IS_COMPRESSED,
            _ => 0,
        })
    },
};

fn key_of_ecdsa(item: &[u32; VERIFY_WORDS]) -> [u32; KEY_WORDS] {
    std::array::from_fn(|word| match word {
        0..16 => item[24 + word],
        16 => item[40] & (KEY_IS_COMPRESSED | KEY_Y_IS_ODD),
        _ => 0,
    })
}

/// The odd multiples of G and of its image, as `secp256k1_tables` writes them, a work-item one of each.
const STATIC_MULTIPLES: usize = 4096;
const TABLES_BYTES: usize = 2 * STATIC_MULTIPLES * 64;

const RECOVER: Kernels = Kernels { alone: "secp256k1_recover", in_parts: "secp256k1_recover_in_parts" };

/// Words that the kernels of recovery give: the bytes of the key, then those of the address.
const PUBLIC_KEY_WORDS: usize = 16;
const SIGNER_WORDS: usize = 21;

/// Verifies a ruleset with recoverable signatures.
pub(super) fn verify_recoverable(
    session: &mut Session<'_>,
    work: &SignatureWork,
    output: &mut Output,
    variant: &Variant,
) -> Result<(), DeviceError> {
    if work.options.message_form != MessageForm::Digest {
        return Ok(());
    }
    let mut by_key = Rows::<VERIFY_WORDS>::with_capacity(output.verdicts.len());
    let mut by_address = Rows::<RECOVER_WORDS>::with_capacity(output.verdicts.len());
    for (place, item) in items(work).enumerate() {
        match (Signer::parse(item.key), variant.parse(&item)) {
            (Some(signer), Some(signed)) if signed.is_in_range(variant.allow_high_s) => match signer {
                Signer::Key(key) => by_key.push(place, keyed(&signed, key)),
                Signer::Address(_) => by_address.push(place, recoverable(&signed)),
            },
            _ => output.verdicts[place] = variant.verify(&item),
        }
    }
    let room = Batch { work, judge: |item: &Item<'_>| variant.verify(item) };
    ONE_NONCE.verify(session, &by_key, &mut output.verdicts, &room)?;
    let Some((kernel, results)) = recovered(session, &by_address)? else { return Ok(()) };
    by_address.settle(kernel, &results, &mut output.verdicts)?;
    for (item, place) in by_address.places().enumerate() {
        let is_signer = || {
            let words = work.keys.item(place).as_chunks::<4>().0.iter().zip(PUBLIC_KEY_WORDS..);
            words.into_iter().all(|(bytes, word)| results.word(item, word).to_le_bytes() == *bytes)
        };
        if output.verdicts[place] == Verdict::Valid {
            output.verdicts[place] = Verdict::from_equation(is_signer());
        }
    }
    Ok(())
}

/// Recovers the keys and addresses of a ruleset with recoverable signatures.
pub(super) fn recover(
    session: &mut Session<'_>,
    work: &SignatureWork,
    output: &mut Output,
    variant: &Variant,
) -> Result<(), DeviceError> {
    if work.options.message_form != MessageForm::Digest {
        return Ok(());
    }
    let mut rows = Rows::with_capacity(output.verdicts.len());
    let (signatures, messages) = (work.signatures.view(), work.messages.view());
    for (place, verdict) in output.verdicts.iter_mut().enumerate() {
        let item = Item { key: &[], signature: signatures.item(place), message: messages.item(place) };
        match variant.parse(&item) {
            Some(signed) if signed.is_in_range(variant.allow_high_s) => rows.push(place, recoverable(&signed)),
            Some(_) => *verdict = Verdict::Invalid,
            None => *verdict = Verdict::Malformed,
        }
    }
    let Some((kernel, results)) = recovered(session, &rows)? else { return Ok(()) };
    rows.settle(kernel, &results, &mut output.verdicts)?;
    let stride = Operation::Recover(work.ruleset).output_shape().stride;
    for (item, place) in rows.places().enumerate() {
        if output.verdicts[place] == Verdict::Valid {
            let (words, _) = output.fixed[place * stride..][..stride].as_chunks_mut::<4>();
            for (word, bytes) in words.iter_mut().enumerate() {
                *bytes = results.word(item, word).to_le_bytes();
            }
        }
    }
    Ok(())
}

/// Verifies `bitcoin`.
pub(super) fn verify_bitcoin(
    session: &mut Session<'_>,
    work: &SignatureWork,
    output: &mut Output,
) -> Result<(), DeviceError> {
    if work.options.message_form != MessageForm::Digest {
        return Ok(());
    }
    let mut rows = Rows::<VERIFY_WORDS>::with_capacity(output.verdicts.len());
    for (place, item) in items(work).enumerate() {
        let Some(signature) = bitcoin_item(&item) else {
            output.verdicts[place] = Verdict::Malformed;
            continue;
        };
        let of_key = match signature.lift {
            None => 0,
            Some(y_is_odd) => KEY_IS_COMPRESSED | if y_is_odd { KEY_Y_IS_ODD } else { 0 },
        };
        let of = &signature.item;
        rows.push(place, row([of.digest, of.r, of.s, of.x, of.y].map(|number| halves(&number)), &[of_key, 0]));
    }
    ANY_NONCE.verify(session, &rows, &mut output.verdicts, &Batch { work, judge: bitcoin::judge })
}

/// Verifies `bip340`.
pub(super) fn verify_bip340(
    session: &mut Session<'_>,
    work: &SignatureWork,
    output: &mut Output,
) -> Result<(), DeviceError> {
    let tagged = challenge_hash();
    let mut rows = Rows::<SCHNORR_WORDS>::with_capacity(output.verdicts.len());
    for (place, item) in items(work).enumerate() {
        match schnorr(&item, work.options.message_form, &tagged) {
            Some(Schnorr { r, s, challenge, x }) => {
                rows.push(place, row([challenge, r, s, x].map(|number| halves(&number)), &[0]));
            }
            None => output.verdicts[place] = Verdict::Malformed,
        }
    }
    let form = work.options.message_form;
    let room = Batch { work, judge: |item: &Item<'_>| bip340::judge(item, form) };
    SCHNORR.verify(session, &rows, &mut output.verdicts, &room)
}

fn items(work: &SignatureWork) -> impl Iterator<Item = Item<'_>> {
    let (signatures, messages) = (work.signatures.view(), work.messages.view());
    (0..signatures.len()).map(move |i| Item {
        key: work.keys.item(i),
        signature: signatures.item(i),
        message: messages.item(i),
    })
}

/// What is said of R.
fn nonce(signed: &Signed<'_>) -> u32 {
    u32::from(signed.recovery_id) & (NONCE_Y_IS_ODD | NONCE_IS_ABOVE_ORDER)
}

fn keyed(signed: &Signed<'_>, key: &[u8; 64]) -> [u32; VERIFY_WORDS] {
    let ((r, s), (x, y)) = (parse::halves(signed.compact), parse::halves(key));
    row([signed.digest, r, s, x, y].map(number), &[nonce(signed), 0])
}

fn recoverable(signed: &Signed<'_>) -> [u32; RECOVER_WORDS] {
    let (r, s) = parse::halves(signed.compact);
    row([signed.digest, r, s].map(number), &[nonce(signed)])
}

/// A request, and the CPU's function for its items.
struct Batch<'a, J> {
    work: &'a SignatureWork,
    judge: J,
}

impl<const W: usize, J: Fn(&Item<'_>) -> Verdict> Judges<W> for Batch<'_, J> {
    fn ask(&self, session: &mut Session<'_>, way: Way<'_>, rows: &Rows<W>) -> Result<Results, DeviceError> {
        asked(session, way, rows, 0)
    }

    fn alone(&self, place: usize) -> Verdict {
        let work = self.work;
        let (key, signature, message) = (work.keys.item(place), work.signature(place), work.message(place));
        (self.judge)(&Item { key, signature, message })
    }
}

/// The keys and addresses of items, where there are any, and the kernel that found them.
fn recovered(
    session: &mut Session<'_>,
    rows: &Rows<RECOVER_WORDS>,
) -> Result<Option<(&'static str, Results)>, DeviceError> {
    if rows.is_empty() {
        return Ok(None);
    }
    session.load(PROGRAM)?;
    let (kernel, parts) = RECOVER.of(session, rows.len());
    let results = asked(session, Way { kernel, parts, combs: None }, rows, SIGNER_WORDS)?;
    Ok(Some((kernel, results)))
}

/// What a kernel says of items. Those that take any key, and an item a work-item, have other multiples of G.
fn asked<const W: usize>(
    session: &mut Session<'_>,
    way: Way<'_>,
    rows: &Rows<W>,
    output_words: usize,
) -> Result<Results, DeviceError> {
    let is_by_comb = way.combs.is_some() || way.parts > 1;
    let of_base = if is_by_comb { base_comb(session)? } else { tables(session)? };
    let items = rows.upload(session)?;
    let combs = way.combs.map(Given::Buffer);
    let given = [Given::Buffer(&items), Given::Results, Given::Count, Given::NonceLow, Given::NonceHigh];
    let arguments: Vec<_> = [Given::Buffer(&of_base)].into_iter().chain(combs).chain(given).collect();
    session.judge_with(way.kernel, rows.len() * way.parts, rows.len(), output_words, &arguments)
}

fn tables(session: &mut Session<'_>) -> Result<Arc<Buffer>, DeviceError> {
    session.resident("secp256k1: odd multiples of G", |session| {
        let (groups, size) = session.groups(STATIC_MULTIPLES)?;
        let buffer = session.queue().allocate(TABLES_BYTES)?;
        session.queue().launch("secp256k1_tables", groups, size, &[Argument::Buffer(&buffer, 0)])?;
        Ok(buffer)
    })
}

/// The comb of G, as `secp256k1_base_comb` writes it, a work-item one of its windows.
fn base_comb(session: &mut Session<'_>) -> Result<Arc<Buffer>, DeviceError> {
    session.resident("secp256k1: comb of G", |session| {
        let (groups, size) = session.groups(COMB_WINDOWS)?;
        let buffer = session.queue().allocate(COMB_BYTES)?;
        session.queue().launch("secp256k1_base_comb", groups, size, &[Argument::Buffer(&buffer, 0)])?;
        Ok(buffer)
    })
}
