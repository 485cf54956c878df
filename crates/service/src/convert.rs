//! From the wire to work. Limits and lengths are checked before anything is allocated for items; columns are
//! shared with the buffer that they arrived in. A request of the wrong shape is a rejection that names its fields;
//! an item that cannot be decoded is not looked at here, and becomes a verdict later. What leaves here is trusted.

use outrigger_algorithms::RulesetRules;
use outrigger_types::{Backend, Call, FieldViolation, Priority, Rejection, Ruleset, TenantPolicy, Work};

use crate::key_sets::KeySets;
use crate::options::ServiceLimits;
use crate::state::Vocabulary;
use crate::tenants;

mod columns;
mod hashes;
pub(crate) mod proofs;
mod sets;
mod signatures;

pub(crate) use columns::{Violations, column, concatenate};
pub(crate) use hashes::TreeHeader;
pub(crate) use proofs::curve_number;

/// What a request is judged by.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) limits: &'a ServiceLimits,
    pub(crate) tenant: &'a TenantPolicy,
    pub(crate) key_sets: &'a KeySets,
}

/// A request that has passed: what to do, how urgent it is, and where alone it may run.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) work: Work,
    pub(crate) priority: Priority,
    pub(crate) backend: Option<Backend>,
}

impl<'a> Context<'a> {
    /// The ruleset of a request, if there is such a one, its version is right, and the tenant may use it.
    fn rules(&self, number: i32, version: u32) -> Result<&'static RulesetRules, Rejection> {
        let rules = Ruleset::from_number(number).and_then(|ruleset| self.vocabulary.rules(ruleset));
        let Some(rules) = rules else {
            return Err(Rejection::field(
                "ruleset",
                format!("{number} is no ruleset of this sidecar; see GetCapabilities"),
            ));
        };
        tenants::check_ruleset(self.tenant, rules.ruleset)?;
        if version != 0 && version != rules.version {
            let description =
                format!("{} has version {} here, not {version}; 0 takes the current one", rules.ruleset, rules.version);
            return Err(Rejection::field("ruleset_version", description));
        }
        Ok(rules)
    }

    /// The call, the priority and the backend of a request, if the tenant may have them.
    fn terms(&self, call: Call, priority: i32, backend: i32) -> Result<(Priority, Option<Backend>), Rejection> {
        tenants::check_call(self.tenant, call)?;
        let priority = tenants::check_priority(self.tenant, priority_of(priority)?)?;
        Ok((priority, backend_of(backend)?))
    }

    /// The number of items, within the limit.
    fn count(&self, count: u32) -> Result<usize, Rejection> {
        within(count, self.limits.items_max)
    }
}

/// A number of items within a limit.
pub(crate) fn within(count: u32, items_max: usize) -> Result<usize, Rejection> {
    if count as usize > items_max {
        return Err(Rejection::TooLarge { limit: format!("{items_max} items a request, not {count}; send several") });
    }
    Ok(count as usize)
}

fn priority_of(number: i32) -> Result<Option<Priority>, Rejection> {
    match number {
        0 => Ok(None),
        1 => Ok(Some(Priority::Bulk)),
        2 => Ok(Some(Priority::Mempool)),
        3 => Ok(Some(Priority::Block)),
        4 => Ok(Some(Priority::Consensus)),
        other => Err(Rejection::field("priority", format!("{other} is no priority; 0 to 4 are"))),
    }
}

fn backend_of(number: i32) -> Result<Option<Backend>, Rejection> {
    match number {
        0 => Ok(None),
        1 => Ok(Some(Backend::Cpu)),
        2 => Ok(Some(Backend::Vector)),
        3 => Ok(Some(Backend::Opencl)),
        4 => Ok(Some(Backend::Cuda)),
        other => Err(Rejection::field("backend", format!("{other} is no backend; 0 to 4 are"))),
    }
}

/// The number of a backend on the wire.
pub(crate) const fn backend_number(backend: Backend) -> i32 {
    match backend {
        Backend::Cpu => 1,
        Backend::Vector => 2,
        Backend::Opencl => 3,
        Backend::Cuda => 4,
    }
}

fn violation(field: &str, description: impl Into<String>) -> FieldViolation {
    FieldViolation { field: field.to_owned(), description: description.into() }
}

#[cfg(test)]
mod tests;
