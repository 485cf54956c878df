//! What all calls share.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use metrics_exporter_prometheus::PrometheusHandle;
use outrigger_algorithms::{HashRules, RulesetRules, merkle};
use outrigger_scheduler::{Request, Scheduler};
use outrigger_types::{Engine, HashAlgorithm, MerkleTree, Output, Rejection, Ruleset};
use tokio::sync::watch;

use crate::connection::Phase;
use crate::key_sets::KeySets;
use crate::meters::Meters;
use crate::options::{Refresh, ServiceLimits, ServiceOptions};
use crate::proof::{InlineKeys, Proving};
use crate::tenants::TenantTable;

/// What all calls share.
pub(crate) struct State {
    pub(crate) executor: Executor,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) limits: ArcSwap<ServiceLimits>,
    pub(crate) tenants: ArcSwap<TenantTable>,
    pub(crate) key_sets: KeySets,
    /// What makes proofs; none where proving is off.
    pub(crate) proving: Option<Proving>,
    /// Verifying keys that came with requests.
    pub(crate) inline_keys: InlineKeys,
    pub(crate) meters: Meters,
    pub(crate) phase: watch::Receiver<Phase>,
    /// Bytes of request bodies that are held now.
    pub(crate) body_bytes: Arc<AtomicU64>,
    /// The same for each tenant.
    tenant_body_bytes: Mutex<HashMap<Arc<str>, Arc<AtomicU64>>>,
    pub(crate) version: String,
    pub(crate) metrics: Option<PrometheusHandle>,
    pub(crate) refresh: Option<Refresh>,
}

impl State {
    pub(crate) fn new(
        options: &ServiceOptions,
        tenants: TenantTable,
        executor: Executor,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            vocabulary: executor.vocabulary,
            executor,
            limits: ArcSwap::from_pointee(options.limits),
            tenants: ArcSwap::from_pointee(tenants),
            key_sets: KeySets::default(),
            proving: options.proving.clone().map(Proving::new),
            inline_keys: InlineKeys::default(),
            meters: Meters::default(),
            phase,
            body_bytes: Arc::default(),
            tenant_body_bytes: Mutex::default(),
            version: options.version.clone(),
            metrics: options.metrics.clone(),
            refresh: options.refresh.clone(),
        }
    }

    /// The count of a tenant's request bodies. Tenants come from the configuration, so there are not many.
    pub(crate) fn body_bytes_of(&self, tenant: &Arc<str>) -> Arc<AtomicU64> {
        let mut counts = self.tenant_body_bytes.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get(tenant) {
            Some(count) => count.clone(),
            None => counts.entry(tenant.clone()).or_default().clone(),
        }
    }

    /// Whether calls are taken.
    pub(crate) fn is_ready(&self) -> bool {
        *self.phase.borrow() == Phase::Serving
    }
}

pub(crate) type Submitted = Pin<Box<dyn Future<Output = Result<Output, Rejection>> + Send>>;
type Drained = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The way to the scheduler. Tests put something slower, or faster, in its place.
#[derive(Clone)]
pub(crate) struct Executor {
    submit: Arc<dyn Fn(Request) -> Submitted + Send + Sync>,
    drain: Arc<dyn Fn() -> Drained + Send + Sync>,
    pub(crate) engines: Arc<[Arc<dyn Engine>]>,
    pub(crate) vocabulary: Vocabulary,
}

impl Executor {
    pub(crate) fn of_scheduler(scheduler: Scheduler) -> Self {
        let engines = scheduler.engines().to_vec().into();
        let draining = scheduler.clone();
        Self {
            submit: Arc::new(move |request| {
                let scheduler = scheduler.clone();
                Box::pin(async move { scheduler.submit(request).await })
            }),
            drain: Arc::new(move || {
                let scheduler = draining.clone();
                Box::pin(async move { scheduler.drain().await })
            }),
            engines,
            vocabulary: Vocabulary::of_registry(),
        }
    }

    /// Something else in the scheduler's place.
    #[cfg(test)]
    pub(crate) fn stand_in(
        submit: impl Fn(Request) -> Submitted + Send + Sync + 'static,
        vocabulary: Vocabulary,
    ) -> Self {
        Self {
            submit: Arc::new(submit),
            drain: Arc::new(|| Box::pin(std::future::ready(()))),
            engines: Vec::new().into(),
            vocabulary,
        }
    }

    /// Has a piece of work carried out.
    pub(crate) async fn submit(&self, request: Request) -> Result<Output, Rejection> {
        (self.submit)(request).await
    }

    /// Waits until the scheduler holds no work.
    pub(crate) async fn drain(&self) {
        (self.drain)().await;
    }
}

/// The rulesets and hash functions that there are, by number: one step for each look-up.
#[derive(Clone, Copy)]
pub(crate) struct Vocabulary {
    rulesets: [Option<&'static RulesetRules>; Ruleset::ALL.len() + 1],
    hashes: [Option<&'static HashRules>; HashAlgorithm::ALL.len() + 1],
    pub(crate) takes: fn(MerkleTree, HashAlgorithm) -> bool,
}

impl Vocabulary {
    /// Everything that the rooms have.
    pub(crate) fn of_registry() -> Self {
        Self::new(outrigger_algorithms::rules, outrigger_algorithms::hash_rules, merkle::takes)
    }

    pub(crate) fn new(
        rules: impl Fn(Ruleset) -> Option<&'static RulesetRules>,
        hash_rules: impl Fn(HashAlgorithm) -> Option<&'static HashRules>,
        takes: fn(MerkleTree, HashAlgorithm) -> bool,
    ) -> Self {
        let rulesets = std::array::from_fn(|number| Ruleset::from_number(number as i32).and_then(&rules));
        let hashes = std::array::from_fn(|number| HashAlgorithm::from_number(number as i32).and_then(&hash_rules));
        Self { rulesets, hashes, takes }
    }

    /// The rules of a ruleset.
    pub(crate) fn rules(&self, ruleset: Ruleset) -> Option<&'static RulesetRules> {
        self.rulesets[ruleset.number() as usize]
    }

    /// The rules of a hash function.
    pub(crate) fn hash_rules(&self, algorithm: HashAlgorithm) -> Option<&'static HashRules> {
        self.hashes[algorithm.number() as usize]
    }
}
