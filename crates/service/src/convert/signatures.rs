//! Verification and recovery of signatures.

use bytes::Bytes;
use outrigger_algorithms::RulesetRules;
use outrigger_proto::v1;
use outrigger_proto::v1::verify_batch_request::Keys as WireKeys;
use outrigger_types::{
    Call, ColumnBuf, EthereumWork, FieldViolation, Keys, MessageForm, Rejection, Ruleset, SignatureOptions,
    SignatureWork, Work, limits,
};

use super::{Ask, Context, Violations, column, violation};
use crate::tenants;

/// A digest has 32 bytes in every ruleset.
const DIGEST_LENGTHS: &[usize] = &[32];

impl Context<'_> {
    /// `VerifyBatch`, and each message of `VerifyStream`.
    pub(crate) fn verify(&self, request: v1::VerifyBatchRequest) -> Result<Ask, Rejection> {
        let (priority, backend) = self.terms(Call::Verify, request.priority, request.backend)?;
        let rules = self.rules(request.ruleset, request.ruleset_version)?;
        let count = self.count(request.count)?;
        let mut violations = Violations::default();
        let form = violations.take(message_form(rules, request.message_form));
        let message_lengths = if form == Some(MessageForm::Digest) { DIGEST_LENGTHS } else { &[] };
        let signatures = violations.take(column("signatures", request.signatures, count, rules.signature_lengths));
        let messages = violations.take(column("messages", request.messages, count, message_lengths));
        violations.take(check_high_s(rules.ruleset, request.allow_high_s));
        violations.take(check_identity(rules.ruleset, &request.identity));
        let keys = match request.keys {
            Some(WireKeys::KeyIndices(indices)) => {
                Some(self.indexed(rules.ruleset, indices, count, &mut violations)?)
            }
            Some(WireKeys::PublicKeys(keys)) => self.inline(rules, Some(keys), count, &mut violations),
            None => self.inline(rules, None, count, &mut violations),
        };
        let (Some(form), Some(signatures), Some(messages), Some(keys)) = (form, signatures, messages, keys) else {
            return Err(violations.reject());
        };
        violations.check()?;
        let options =
            SignatureOptions { message_form: form, allow_high_s: request.allow_high_s, identity: request.identity };
        let work = SignatureWork { ruleset: rules.ruleset, options, keys, signatures, messages };
        Ok(Ask { work: Work::Verify(work), priority, backend })
    }

    /// `RecoverBatch`.
    pub(crate) fn recover(&self, request: v1::RecoverBatchRequest) -> Result<Ask, Rejection> {
        let (priority, backend) = self.terms(Call::Recover, request.priority, request.backend)?;
        let rules = self.rules(request.ruleset, request.ruleset_version)?;
        if rules.recover.is_none() {
            let description = format!("signatures of {} carry no key to recover; see GetCapabilities", rules.ruleset);
            return Err(Rejection::field("ruleset", description));
        }
        let count = self.count(request.count)?;
        let mut violations = Violations::default();
        let signatures = violations.take(column("signatures", request.signatures, count, rules.signature_lengths));
        let messages = violations.take(column("digests", request.digests, count, DIGEST_LENGTHS));
        violations.take(check_high_s(rules.ruleset, request.allow_high_s));
        let (Some(signatures), Some(messages)) = (signatures, messages) else { return Err(violations.reject()) };
        violations.check()?;
        let options =
            SignatureOptions { allow_high_s: request.allow_high_s, ..SignatureOptions::new(MessageForm::Digest) };
        let keys = Keys::Inline(ColumnBuf::empty());
        let work = SignatureWork { ruleset: rules.ruleset, options, keys, signatures, messages };
        Ok(Ask { work: Work::Recover(work), priority, backend })
    }

    /// `VerifyEthereumTransactions`.
    pub(crate) fn transactions(&self, request: v1::VerifyEthereumTransactionsRequest) -> Result<Ask, Rejection> {
        let (priority, backend) = self.terms(Call::Recover, request.priority, request.backend)?;
        tenants::check_ruleset(self.tenant, Ruleset::EthereumTransaction)?;
        let count = self.count(request.count)?;
        let mut violations = Violations::default();
        let Some(transactions) = violations.take(column("transactions", request.transactions, count, &[])) else {
            return Err(violations.reject());
        };
        let chain_id = Some(request.chain_id).filter(|id| *id != 0);
        let work = EthereumWork { transactions, chain_id, allow_high_s: request.allow_high_s };
        Ok(Ask { work: Work::EthereumTransactions(work), priority, backend })
    }

    /// The keys of `PutKeySet`, and the ruleset that they are for.
    pub(crate) fn key_set(&self, request: v1::PutKeySetRequest) -> Result<(Ruleset, ColumnBuf), Rejection> {
        tenants::check_call(self.tenant, Call::Verify)?;
        let rules = self.rules(request.ruleset, 0)?;
        let count = super::within(request.count, limits::SET_KEYS_MAX)?;
        let mut violations = Violations::default();
        match violations.take(column("public_keys", request.public_keys, count, rules.key_lengths)) {
            Some(keys) => Ok((rules.ruleset, keys)),
            None => Err(violations.reject()),
        }
    }

    fn inline(
        &self,
        rules: &RulesetRules,
        keys: Option<v1::Column>,
        count: usize,
        violations: &mut Violations,
    ) -> Option<Keys> {
        violations.take(column("public_keys", keys, count, rules.key_lengths)).map(Keys::Inline)
    }

    /// Keys by their number in a registered set.
    pub(super) fn indexed(
        &self,
        ruleset: Ruleset,
        keys: v1::KeyIndices,
        count: usize,
        violations: &mut Violations,
    ) -> Result<Keys, Rejection> {
        let set = self.key_sets.find(&self.tenant.name, &keys.key_set, ruleset)?;
        let indices = keys.indices;
        if indices.len() != count {
            let description = format!("{} indices for {count} keys", indices.len());
            violations.take::<()>(Err(violation("key_indices.indices", description)));
        }
        if let Some(highest) = indices.iter().copied().max().filter(|highest| *highest as usize >= set.len()) {
            let description = format!("the index {highest} is past the end of a set of {} keys", set.len());
            violations.take::<()>(Err(violation("key_indices.indices", description)));
        }
        Ok(Keys::Indexed { set, indices })
    }
}

fn message_form(rules: &RulesetRules, number: i32) -> Result<MessageForm, FieldViolation> {
    let form = match (number, rules.message_forms) {
        (0, [only]) => return Ok(*only),
        (0, _) => {
            let description = format!("{} takes messages and digests; say which these are", rules.ruleset);
            return Err(violation("message_form", description));
        }
        (1, _) => MessageForm::Message,
        (2, _) => MessageForm::Digest,
        (other, _) => return Err(violation("message_form", format!("{other} is no form of message; 0 to 2 are"))),
    };
    if rules.message_forms.contains(&form) {
        return Ok(form);
    }
    let wanted = if form == MessageForm::Digest { "messages, not digests" } else { "digests, not messages" };
    Err(violation("message_form", format!("{} takes {wanted}", rules.ruleset)))
}

fn check_high_s(ruleset: Ruleset, allow_high_s: bool) -> Result<(), FieldViolation> {
    if allow_high_s && ruleset != Ruleset::EthereumTransaction {
        return Err(violation(
            "allow_high_s",
            format!("{ruleset} fixes this; only ethereum-transaction leaves it open"),
        ));
    }
    Ok(())
}

fn check_identity(ruleset: Ruleset, identity: &Bytes) -> Result<(), FieldViolation> {
    if !identity.is_empty() && ruleset != Ruleset::Sm2Message {
        return Err(violation("identity", format!("{ruleset} takes no identity; only sm2-message does")));
    }
    if identity.len() > limits::IDENTITY_BYTES_MAX {
        let description = format!("{} bytes; the limit is {}", identity.len(), limits::IDENTITY_BYTES_MAX);
        return Err(violation("identity", description));
    }
    Ok(())
}
