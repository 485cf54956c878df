//! Signed work of every ruleset, made before a clock starts: what the demo plays and the benches measure.

mod signer;

use bytes::Bytes;
use outrigger_types::{ColumnBuf, Keys, MessageForm, Ruleset, SignatureOptions, SignatureWork, Verdict};
use rand::{Rng, RngExt};

pub(crate) use signer::Signer;

/// One signature with all that its verification needs, and the verdict that it must get.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) key: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) message: Vec<u8>,
    pub(crate) expected: Verdict,
}

/// Ways to spoil a signature whose verdict does not depend on chance.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Another message: the equation fails.
    OtherMessage,
    /// Another signer's key.
    OtherKey,
    /// The last byte of the signature is missing.
    Truncated,
}

impl Fault {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::OtherMessage, Self::OtherKey, Self::Truncated];

    /// Spoils `signed`. `other` is a key of the same ruleset that did not sign.
    pub(crate) fn apply(self, signed: &mut Signed, other: &[u8]) {
        match self {
            Self::OtherMessage => signed.message[0] ^= 1,
            Self::OtherKey => signed.key = other.to_vec(),
            Self::Truncated => {
                signed.signature.pop();
            }
        }
        signed.expected = if matches!(self, Self::Truncated) { Verdict::Malformed } else { Verdict::Invalid };
    }
}

/// The form of message that work of a ruleset is made with here: the message where it takes one.
pub(crate) fn message_form(ruleset: Ruleset) -> MessageForm {
    let forms = outrigger_algorithms::rules(ruleset).map_or(&[][..], |rules| rules.message_forms);
    if forms.contains(&MessageForm::Message) { MessageForm::Message } else { MessageForm::Digest }
}

/// `count` signatures under `ruleset`, each by a key of its own, of messages of `message_bytes` (32 where the
/// ruleset takes a digest).
pub(crate) fn fresh_keys(ruleset: Ruleset, count: usize, message_bytes: usize, rng: &mut impl Rng) -> Vec<Signed> {
    (0..count)
        .map(|_| {
            let signer = Signer::new(ruleset, rng);
            signer.sign(message(ruleset, message_bytes, rng))
        })
        .collect()
}

/// As [`fresh_keys`], by `keys` keys, one drawn at random for each signature.
pub(crate) fn few_keys(
    ruleset: Ruleset,
    count: usize,
    keys: usize,
    message_bytes: usize,
    rng: &mut impl Rng,
) -> Vec<Signed> {
    let signers: Vec<_> = (0..keys).map(|_| Signer::new(ruleset, rng)).collect();
    (0..count).map(|_| signers[rng.random_range(0..keys)].sign(message(ruleset, message_bytes, rng))).collect()
}

/// A message to sign.
pub(crate) fn message(ruleset: Ruleset, bytes: usize, rng: &mut impl Rng) -> Vec<u8> {
    let length = if message_form(ruleset) == MessageForm::Digest { 32 } else { bytes.max(1) };
    let mut message = vec![0; length];
    rng.fill(&mut message[..]);
    // A peer that signs a namespace, here none, before each message can take these: its length is the first byte.
    message[0] = 0;
    message
}

/// Packs signatures into work.
pub(crate) fn pack(ruleset: Ruleset, items: &[Signed]) -> SignatureWork {
    let column = |of: fn(&Signed) -> &Vec<u8>| ColumnBuf::from_items(&items.iter().map(of).collect::<Vec<_>>());
    SignatureWork {
        ruleset,
        options: SignatureOptions { message_form: message_form(ruleset), allow_high_s: false, identity: Bytes::new() },
        keys: Keys::Inline(column(|item| &item.key)),
        signatures: column(|item| &item.signature),
        messages: column(|item| &item.message),
    }
}
