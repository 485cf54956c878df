//! BLS sets.

use outrigger_algorithms::RulesetRules;
use outrigger_proto::v1;
use outrigger_proto::v1::verify_sets_request::Keys as WireKeys;
use outrigger_types::{Call, FieldViolation, Keys, Rejection, SetMode, SetWork, Work, limits};

use super::{Ask, Context, Violations, column, violation};

impl Context<'_> {
    /// `VerifySets`.
    pub(crate) fn sets(&self, request: v1::VerifySetsRequest) -> Result<Ask, Rejection> {
        let (priority, backend) = self.terms(Call::Verify, request.priority, request.backend)?;
        let rules = self.rules(request.ruleset, request.ruleset_version)?;
        if rules.verify_sets.is_none() {
            let description = format!("{} has no sets; send its signatures to VerifyBatch", rules.ruleset);
            return Err(Rejection::field("ruleset", description));
        }
        let count = self.count(request.count)?;
        let mut violations = Violations::default();
        let mode = violations.take(mode_of(request.mode));
        let signatures = violations.take(column("signatures", request.signatures, count, rules.signature_lengths));
        let (Some(mode), Some(signatures)) = (mode, signatures) else { return Err(violations.reject()) };
        let key_ends = violations.take(key_ends(mode, &request.keys_per_set, count));
        let message_ends = violations.take(message_ends(mode, &request.messages_per_set, &request.keys_per_set, count));
        let (Some(key_ends), Some(message_ends)) = (key_ends, message_ends) else { return Err(violations.reject()) };
        let keys = self.set_keys(rules, request.keys, total(&key_ends), &mut violations)?;
        let messages = violations.take(column("messages", request.messages, total(&message_ends), &[]));
        let (Some(keys), Some(messages)) = (keys, messages) else { return Err(violations.reject()) };
        violations.check()?;
        let work = SetWork { ruleset: rules.ruleset, mode, signatures, keys, key_ends, messages, message_ends };
        Ok(Ask { work: Work::VerifySets(work), priority, backend })
    }

    fn set_keys(
        &self,
        rules: &RulesetRules,
        keys: Option<WireKeys>,
        count: usize,
        violations: &mut Violations,
    ) -> Result<Option<Keys>, Rejection> {
        let inline = match keys {
            Some(WireKeys::KeyIndices(indices)) => {
                return self.indexed(rules.ruleset, indices, count, violations).map(Some);
            }
            Some(WireKeys::PublicKeys(keys)) => Some(keys),
            None => None,
        };
        Ok(violations.take(column("public_keys", inline, count, rules.key_lengths)).map(Keys::Inline))
    }
}

fn mode_of(number: i32) -> Result<SetMode, FieldViolation> {
    match number {
        1 => Ok(SetMode::Single),
        2 => Ok(SetMode::Aggregate),
        3 => Ok(SetMode::FastAggregate),
        4 => Ok(SetMode::EthereumFastAggregate),
        other => Err(violation("mode", format!("{other} is no mode; 1 to 4 are"))),
    }
}

/// Where the keys of each set end.
fn key_ends(mode: SetMode, per_set: &[u32], count: usize) -> Result<Vec<u32>, FieldViolation> {
    let field = "keys_per_set";
    if mode == SetMode::Single && per_set.is_empty() {
        return Ok(one_each(count));
    }
    if per_set.len() != count {
        return Err(violation(field, format!("{} numbers for {count} sets", per_set.len())));
    }
    if mode == SetMode::Single && per_set.iter().any(|keys| *keys != 1) {
        return Err(violation(field, "each set has one key in this mode"));
    }
    if let Some(most) = per_set.iter().max().filter(|most| **most as usize > limits::SET_KEYS_MAX) {
        return Err(violation(field, format!("a set of {most} keys; the limit is {}", limits::SET_KEYS_MAX)));
    }
    ends(per_set).ok_or_else(|| violation(field, "the numbers add up to more than 2^32"))
}

/// Where the messages of each set end.
fn message_ends(
    mode: SetMode,
    per_set: &[u32],
    keys_per_set: &[u32],
    count: usize,
) -> Result<Vec<u32>, FieldViolation> {
    let field = "messages_per_set";
    if mode == SetMode::Aggregate {
        // The number of messages follows from that of keys, but a client that says it is held to it.
        if per_set != keys_per_set {
            return Err(violation(field, "this mode has a message for each key: send the same as keys_per_set"));
        }
        return ends(per_set).ok_or_else(|| violation(field, "the numbers add up to more than 2^32"));
    }
    if !per_set.is_empty() && (per_set.len() != count || per_set.iter().any(|messages| *messages != 1)) {
        return Err(violation(field, "each set has one message in this mode; leave the field out"));
    }
    Ok(one_each(count))
}

fn one_each(count: usize) -> Vec<u32> {
    (1..=count as u32).collect()
}

fn ends(per_set: &[u32]) -> Option<Vec<u32>> {
    let mut end = 0_u32;
    per_set
        .iter()
        .map(|number| {
            end = end.checked_add(*number)?;
            Some(end)
        })
        .collect()
}

fn total(ends: &[u32]) -> usize {
    ends.last().map_or(0, |end| *end as usize)
}
