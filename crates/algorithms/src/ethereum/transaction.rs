//! One raw transaction: decoded, hashed, its signers' signatures taken out.

use alloy_consensus::transaction::RlpEcdsaDecodableTx;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Signature, keccak256};
use alloy_rlp::Header;
use outrigger_types::Verdict;

use super::Reason;
use super::canonical::{Canonical, Signed};
use crate::secp256k1::Recovery;

/// What the request leaves open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// The chain that transactions must be for, where given.
    pub(super) chain_id: Option<u64>,
    /// Accept high S in legacy transactions without a chain.
    pub(super) allow_high_s: bool,
}

/// What is known of one transaction; zeros where nothing is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    pub(super) reason: Reason,
    pub(super) hash: [u8; 32],
    pub(super) sender: [u8; 20],
    pub(super) transaction_type: u8,
    /// One an authorization; `None` where there is no key to recover.
    pub(super) authorities: Vec<Option<[u8; 20]>>,
}

impl Judgement {
    fn malformed(reason: Reason) -> Self {
        Self { verdict: Verdict::Malformed, reason, ..Self::default() }
    }
}

/// A transaction that was decoded and hashed, before any key is recovered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Decoded {
    judgement: Judgement,
    /// The sender's signature, and one for each authorization (`None` where it has none in form); `None` where the
    /// judgement stands without them.
    pub(super) signatures: Option<(Recovery, Vec<Option<Recovery>>)>,
}

impl Decoded {
    fn malformed(reason: Reason) -> Self {
        Self { judgement: Judgement::malformed(reason), signatures: None }
    }

    /// A transaction that was read in place, with its hash and the digests of its payloads, as
    /// [`Canonical::payloads`] has them.
    pub(super) fn of_canonical(
        transaction: &Canonical<'_>,
        rules: Rules,
        hash: [u8; 32],
        digests: &[[u8; 32]],
    ) -> Self {
        let &Canonical { transaction_type, chain_id, ref sender, ref authorizations, .. } = transaction;
        Self::with_chain(transaction_type, hash, chain_id, rules, |allow_high_s| {
            let mut digests = digests.iter();
            let mut recovery = |signed: &Signed<'_>, allow_high_s| {
                let &Signed { r, s, y_is_odd, .. } = signed;
                Recovery { digest: *digests.next().expect("a digest a payload"), r, s, y_is_odd, allow_high_s }
            };
            let sender = recovery(sender, allow_high_s);
            (sender, authorizations.iter().map(|signed| Some(recovery(signed.as_ref()?, false))).collect())
        })
    }

    /// A transaction that decodes, by the rules on its chain; `signatures` is called where they let it pass.
    fn with_chain(
        transaction_type: u8,
        hash: [u8; 32],
        chain_id: Option<u64>,
        rules: Rules,
        signatures: impl FnOnce(bool) -> (Recovery, Vec<Option<Recovery>>),
    ) -> Self {
        let mut judgement = Judgement { verdict: Verdict::Invalid, hash, transaction_type, ..Judgement::default() };
        if rules.chain_id.is_some() && chain_id.is_some() && chain_id != rules.chain_id {
            judgement.reason = Reason::ChainId;
            return Self { judgement, signatures: None };
        }
        // Only a legacy transaction can be without a chain.
        let allow_high_s = rules.allow_high_s && chain_id.is_none();
        Self { judgement, signatures: Some(signatures(allow_high_s)) }
    }

    /// The judgement; `recover` is called for the sender first, then for the authorizations.
    pub(super) fn judge(self, mut recover: impl FnMut(&Recovery) -> Option<[u8; 20]>) -> Judgement {
        let Self { mut judgement, signatures } = self;
        let Some((sender, authorizations)) = signatures else { return judgement };
        let Some(sender) = recover(&sender) else {
            judgement.reason = Reason::Signature;
            return judgement;
        };
        judgement.verdict = Verdict::Valid;
        judgement.sender = sender;
        judgement.authorities = authorizations.iter().map(|signature| recover(signature.as_ref()?)).collect();
        judgement
    }
}

/// Judges one transaction on the CPU.
pub(super) fn judge(raw: &[u8], rules: Rules) -> Judgement {
    decode(raw, rules).judge(Recovery::address)
}

/// Decodes one transaction by its first byte: a list is a legacy transaction, a byte up to 0x7f the type of an
/// envelope. A string (0x80 to 0xbf) is neither; so travels an envelope between nodes, wrapped once more.
pub(super) fn decode(raw: &[u8], rules: Rules) -> Decoded {
    match raw {
        [0xc0..=0xff, ..] => decode_fields::<TxLegacy>(raw, raw, rules),
        [1, fields @ ..] => decode_fields::<TxEip2930>(raw, fields, rules),
        [2, fields @ ..] => decode_fields::<TxEip1559>(raw, fields, rules),
        [3, fields @ ..] if is_pooled_form(fields) => Decoded::malformed(Reason::PooledForm),
        [3, fields @ ..] => decode_fields::<TxEip4844>(raw, fields, rules),
        [4, fields @ ..] => decode_fields::<TxEip7702>(raw, fields, rules),
        [0..=0x7f, ..] => {
            let judgement = Judgement { reason: Reason::UnknownType, ..Judgement::default() };
            Decoded { judgement, signatures: None }
        }
        _ => Decoded::malformed(Reason::Decoding),
    }
}

/// Decodes a transaction of a known type. `fields` is the list inside `raw`, without the type's byte.
fn decode_fields<T>(raw: &[u8], fields: &[u8], rules: Rules) -> Decoded
where
    T: RlpEcdsaDecodableTx + SignableTransaction<Signature>,
{
    let Some((transaction, signature)) = decode_canonical::<T>(raw, fields) else {
        return Decoded::malformed(Reason::Decoding);
    };
    let (hash, chain_id) = (keccak256(raw).0, transaction.chain_id());
    Decoded::with_chain(T::DEFAULT_TX_TYPE, hash, chain_id, rules, |allow_high_s| {
        let sender = recovery(transaction.signature_hash().0, &signature, allow_high_s);
        (sender, transaction.authorization_list().unwrap_or_default().iter().map(authority).collect())
    })
}

/// The transaction and its signature, where `raw` is their only encoding.
fn decode_canonical<T: RlpEcdsaDecodableTx>(raw: &[u8], mut fields: &[u8]) -> Option<(T, Signature)> {
    let (transaction, signature) = T::rlp_decode_with_signature(&mut fields).ok()?;
    // Encoding it again is little beside the recovery, and settles at once what decoders are lenient about:
    // leading zeros, long forms of short lengths, bytes left over.
    let mut canonical = Vec::with_capacity(raw.len());
    transaction.eip2718_encode(&signature, &mut canonical);
    (canonical == raw).then_some((transaction, signature))
}

fn authority(authorization: &SignedAuthorization) -> Option<Recovery> {
    let signature = authorization.signature().ok()?;
    Some(recovery(authorization.inner().signature_hash().0, &signature, false))
}

fn recovery(digest: [u8; 32], signature: &Signature, allow_high_s: bool) -> Recovery {
    let (r, s) = (signature.r().to_be_bytes(), signature.s().to_be_bytes());
    Recovery { digest, r, s, y_is_odd: signature.v(), allow_high_s }
}

/// Whether this is a list of a signed transaction, blobs, commitments and proofs, with the version of the wrapper
/// (EIP-7594) between the first two or without (EIP-4844). The transaction must decode; of blobs, commitments
/// and proofs only the outermost lists are looked at.
fn is_pooled_form(mut fields: &[u8]) -> bool {
    let Ok(mut items) = Header::decode_bytes(&mut fields, true) else { return false };
    if !fields.is_empty() {
        return false;
    }
    let Some(transaction) = take_item(&mut items).filter(|item| item[0] >= 0xc0) else { return false };
    let mut rest = transaction;
    if TxEip4844::rlp_decode_with_signature(&mut rest).is_err() {
        return false;
    }
    let has_version = items.first().is_some_and(|&byte| byte < 0x80);
    if has_version {
        items = &items[1..];
    }
    let is_list = |item: Option<&[u8]>| item.is_some_and(|item| item[0] >= 0xc0);
    (0..3).all(|_| is_list(take_item(&mut items))) && items.is_empty()
}

/// The next RLP item with its header, at least one byte.
fn take_item<'a>(items: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut rest = *items;
    let header = Header::decode(&mut rest).ok()?;
    let length = items.len() - rest.len() + header.payload_length;
    let (item, rest) = items.split_at_checked(length)?;
    *items = rest;
    Some(item)
}
