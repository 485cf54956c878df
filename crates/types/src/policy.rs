//! What operators decide: quotas, what tenants may do, how work is gathered. Read from configuration, obeyed by
//! scheduler and service.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::{CircuitId, Priority, Ruleset, limits};

/// How much may be held at once. Counted from admission to the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests in flight.
    pub requests_max: u64,
    /// Items in flight.
    pub items_max: u64,
    /// Bytes in flight.
    pub bytes_max: u64,
    /// Predicted compute time in flight, summed over items.
    pub compute_max: Duration,
}

impl Quota {
    /// The default of the whole sidecar: about ten seconds of work of one core, and memory of a few requests of
    /// the largest size.
    pub const GLOBAL: Self = Self {
        requests_max: 10_000,
        items_max: 4 * limits::ITEMS_MAX as u64,
        bytes_max: 256 * 1024 * 1024,
        compute_max: Duration::from_secs(10),
    };
    /// The default of one tenant: half of the whole, so that one alone cannot shut the others out.
    pub const TENANT: Self = Self {
        requests_max: 5_000,
        items_max: 2 * limits::ITEMS_MAX as u64,
        bytes_max: 128 * 1024 * 1024,
        compute_max: Duration::from_secs(5),
    };
}

/// A family of calls that a tenant may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    /// `HashService`.
    Hash,
    /// `ProofService` but for circuits.
    Prove,
    /// Adding and removing circuits.
    Circuits,
    /// Recovery of keys, addresses and Ethereum senders.
    Recover,
    /// Verification of signatures and sets, key sets.
    Verify,
}

impl Call {
    /// All families, alphabetically.
    pub const ALL: [Self; 5] = [Self::Circuits, Self::Hash, Self::Prove, Self::Recover, Self::Verify];

    /// The name used in configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Circuits => "circuits",
            Self::Hash => "hash",
            Self::Prove => "prove",
            Self::Recover => "recover",
            Self::Verify => "verify",
        }
    }
}

/// Which circuits a tenant may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CircuitRule {
    /// Every circuit of the store.
    All,
    /// These, by the hash of their keys.
    Only(BTreeSet<CircuitId>),
}

impl CircuitRule {
    /// Whether it allows a circuit.
    pub fn allows(&self, circuit: CircuitId) -> bool {
        match self {
            Self::All => true,
            Self::Only(circuits) => circuits.contains(&circuit),
        }
    }
}

/// What one tenant may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantPolicy {
    /// The name: a metrics label.
    pub name: Arc<str>,
    /// Families of calls that are allowed.
    pub calls: BTreeSet<Call>,
    /// Rulesets that are allowed.
    pub rulesets: BTreeSet<Ruleset>,
    /// Circuits that it may see, prove and verify with.
    pub circuits: CircuitRule,
    /// The highest priority that is allowed; asking for more is refused.
    pub priority_max: Priority,
    /// How much may be in flight.
    pub quota: Quota,
    /// The share inside a priority class against other tenants, 1 to 1,000.
    pub weight: u32,
}

impl TenantPolicy {
    /// A tenant that may do everything within the default quota.
    pub fn unrestricted(name: &str) -> Self {
        Self {
            name: name.into(),
            calls: Call::ALL.into_iter().collect(),
            rulesets: Ruleset::ALL.iter().copied().collect(),
            circuits: CircuitRule::All,
            priority_max: Priority::Consensus,
            quota: Quota::TENANT,
            weight: 100,
        }
    }
}

/// When a batch closes while its engine is busy. An idle engine takes what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    /// Items of one batch.
    pub items_max: usize,
    /// Bytes of one batch.
    pub bytes_max: usize,
    /// How long the oldest item of a batch may wait for company while the engine could begin it.
    pub delay_max: Duration,
}

/// What the scheduler obeys. Everything here may change while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchedulerOptions {
    /// How much the sidecar may hold, over all tenants.
    pub quota: Quota,
    /// Tenants with their own quota and weight; others get [`Quota::TENANT`] and a weight of 100.
    pub tenants: Vec<TenantPolicy>,
    /// When batches close.
    pub batch: BatchOptions,
    /// After this wait, a request counts as one class more urgent; after twice this, two.
    pub aging: Duration,
    /// Share of the quotas that only consensus-class requests may use, in percent.
    pub consensus_reserve_percent: u8,
    /// Verdicts kept for equal items to come; 0 turns the cache off, and with it the sharing of equal work in
    /// flight.
    pub cache_entries: usize,
}

impl Default for SchedulerOptions {
    fn default() -> Self {
        Self {
            quota: Quota::GLOBAL,
            tenants: Vec::new(),
            batch: BatchOptions { items_max: 4_096, bytes_max: 4 * 1024 * 1024, delay_max: Duration::ZERO },
            aging: Duration::from_millis(250),
            consensus_reserve_percent: 20,
            cache_entries: 1 << 18,
        }
    }
}
