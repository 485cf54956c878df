//! From columns to equations: what decodes, and what the rule of each mode says before any pairing.

use std::collections::HashSet;
use std::ops::Range;

use outrigger_types::{MessageForm, Output, SetMode, SetWork, SignatureWork, Verdict};

use super::arrangement::Arrangement;
use super::batch::{Equation, judge};

/// The length of a message that was sent as a digest.
pub(super) const DIGEST_BYTES: usize = 32;

/// What is known of a set before its equation is asked: its verdict, or its signature with its keys and messages.
type Reading<'a, A> = Result<(<A as Arrangement>::Signature, Vec<(<A as Arrangement>::Key, &'a [u8])>), Verdict>;

/// The [`SignatureFn`](crate::SignatureFn) of an arrangement: each item is a set of one key and one message.
pub(super) fn verify<A: Arrangement>(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    run::<A>(range, output, |i| read_item::<A>(work, i));
}

/// The [`SetFn`](crate::SetFn) of an arrangement.
pub(super) fn verify_sets<A: Arrangement>(work: &SetWork, range: Range<usize>, output: &mut Output) {
    run::<A>(range, output, |i| read_set::<A>(work, i));
}

fn run<'a, A: Arrangement>(range: Range<usize>, output: &mut Output, read: impl Fn(usize) -> Reading<'a, A>) {
    let mut equations = Vec::with_capacity(range.len());
    for (place, i) in range.enumerate() {
        match read(i) {
            Ok((signature, factors)) => equations.push(Equation::<A> { place, signature, factors }),
            Err(verdict) => output.verdicts[place] = verdict,
        }
    }
    judge(&equations, output);
}

fn read_item<A: Arrangement>(work: &SignatureWork, i: usize) -> Reading<'_, A> {
    let message = work.message(i);
    if work.options.message_form == MessageForm::Digest && message.len() != DIGEST_BYTES {
        return Err(Verdict::Malformed);
    }
    let key = A::key(work.keys.item(i));
    let signature = A::signature(work.signature(i));
    match (key, signature) {
        (Ok(key), Ok(signature)) => Ok((signature, vec![(key, message)])),
        (key, signature) => Err(worse(key.err(), signature.err())),
    }
}

fn read_set<A: Arrangement>(work: &SetWork, i: usize) -> Reading<'_, A> {
    let (keys, messages) = (work.key_range(i), work.messages_of(i));
    let fits = match work.mode {
        SetMode::Single => (keys.len(), messages.len()) == (1, 1),
        SetMode::Aggregate => keys.len() == messages.len(),
        SetMode::FastAggregate | SetMode::EthereumFastAggregate => messages.len() == 1,
    };
    if !fits {
        return Err(Verdict::Malformed);
    }
    let signature_bytes = work.signatures.view().item(i);
    let signature = A::signature(signature_bytes);
    if keys.is_empty() {
        let is_allowed = work.mode == SetMode::EthereumFastAggregate && is_infinity(signature_bytes);
        return Err(signature.err().unwrap_or(Verdict::from_equation(is_allowed)));
    }
    let keys = read_keys::<A>(work, keys);
    let (keys, signature) = match (keys, signature) {
        (Ok(keys), Ok(signature)) => (keys, signature),
        (keys, signature) => return Err(worse(keys.err(), signature.err())),
    };
    let factors = match work.mode {
        SetMode::Single | SetMode::Aggregate => {
            if A::MESSAGES_DIFFER && !all_differ(messages.iter()) {
                return Err(Verdict::Invalid);
            }
            keys.into_iter().zip(messages.iter()).collect()
        }
        SetMode::FastAggregate | SetMode::EthereumFastAggregate => {
            let key = A::sum(&keys).ok_or(Verdict::Invalid)?;
            vec![(key, messages.item(0))]
        }
    };
    Ok((signature, factors))
}

/// The keys of a set. One that is malformed ends the search, one that is invalid does not: the set could still turn
/// out to be malformed.
fn read_keys<A: Arrangement>(work: &SetWork, range: Range<usize>) -> Result<Vec<A::Key>, Verdict> {
    let mut keys = Vec::with_capacity(range.len());
    let mut is_invalid = false;
    for i in range {
        match A::key(work.keys.item(i)) {
            Ok(key) => keys.push(key),
            Err(Verdict::Malformed) => return Err(Verdict::Malformed),
            Err(_) => is_invalid = true,
        }
    }
    if is_invalid { Err(Verdict::Invalid) } else { Ok(keys) }
}

/// The verdict of a set of which two parts were refused, or one of them.
fn worse(a: Option<Verdict>, b: Option<Verdict>) -> Verdict {
    if [a, b].contains(&Some(Verdict::Malformed)) { Verdict::Malformed } else { Verdict::Invalid }
}

/// The encoding of the point at infinity; it has only one.
fn is_infinity(bytes: &[u8]) -> bool {
    matches!(bytes, [0xc0, rest @ ..] if rest.iter().all(|&byte| byte == 0))
}

fn all_differ<'a>(messages: impl ExactSizeIterator<Item = &'a [u8]>) -> bool {
    let count = messages.len();
    messages.collect::<HashSet<_>>().len() == count
}
