//! How much may be held at once, over all and by each tenant. A request gets a [`Permit`] or a refusal, at once;
//! nobody waits here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outrigger_types::{Priority, Quota, Rejection, SchedulerOptions};
use tokio::sync::Notify;

use crate::metrics::InFlight;

/// What a request asks for, and what is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Requests.
    pub requests: u64,
    /// Items.
    pub items: u64,
    /// Bytes.
    pub bytes: u64,
    /// Predicted compute time.
    pub compute: Duration,
}

impl Load {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.items += other.items;
        self.bytes += other.bytes;
        self.compute += other.compute;
    }

    fn subtract(&mut self, other: Self) {
        self.requests -= other.requests;
        self.items -= other.items;
        self.bytes -= other.bytes;
        self.compute -= other.compute;
    }

    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// The share of a tenant that no configuration names.
const WEIGHT_DEFAULT: u32 = 100;
/// The metrics label of tenants that no configuration names: labels stay bounded.
const TENANT_OTHER: &str = "other";
/// Bounds of what a refused caller is told to wait: less is a busy loop, more outlives any backlog.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(5));

/// What the tenants of one metrics label hold, and what each of them may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The label: the name of a tenant that the configuration names, or one for all others.
    pub label: Arc<str>,
    /// What they hold.
    pub held: Load,
    /// The quota; `None` for the label that tenants share, since each of them has its own.
    pub quota: Option<Quota>,
}

/// The quota of a tenant that a reload has taken away: it gets nothing any more.
const QUOTA_GONE: Quota = Quota { requests_max: 0, items_max: 0, bytes_max: 0, compute_max: Duration::ZERO };

struct Tenant {
    label: Arc<str>,
    quota: Quota,
    weight: u32,
}

struct Ledger {
    quota: Quota,
    reserve_percent: u64,
    known: HashMap<Arc<str>, Arc<Tenant>>,
    other: Arc<Tenant>,
    /// Labels of tenants that were known before: their metrics must not stand still at what they held last.
    gone: BTreeSet<Arc<str>>,
    /// Whether metrics have told of a tenant without a label of its own.
    told_of_other: bool,
    held: Load,
    by_tenant: HashMap<Arc<str>, Load>,
}

/// The ledger of all that is held.
pub struct Limits {
    ledger: Mutex<Ledger>,
    /// Cores and devices that work the backlog off.
    parallelism: u32,
    gauges: InFlight,
    idle: Notify,
}

impl Limits {
    /// An empty ledger. `parallelism` is how many cores work the backlog off: what "try again" rests on.
    pub fn new(options: &SchedulerOptions, parallelism: u32) -> Self {
        let other = Tenant { label: TENANT_OTHER.into(), quota: Quota::TENANT, weight: WEIGHT_DEFAULT };
        let ledger = Ledger {
            quota: options.quota,
            reserve_percent: 0,
            known: HashMap::new(),
            other: Arc::new(other),
            gone: BTreeSet::new(),
            told_of_other: false,
            held: Load::default(),
            by_tenant: HashMap::new(),
        };
        let limits = Self {
            ledger: Mutex::new(ledger),
            parallelism: parallelism.max(1),
            gauges: InFlight::default(),
            idle: Notify::new(),
        };
        limits.reload(options);
        limits
    }

    /// Obeys new quotas from now on. What is held stays held.
    pub fn reload(&self, options: &SchedulerOptions) {
        let mut ledger = self.lock();
        ledger.quota = options.quota;
        ledger.reserve_percent = u64::from(options.consensus_reserve_percent.min(100));
        let before = std::mem::take(&mut ledger.known);
        ledger.gone.extend(before.into_keys());
        ledger.known = options
            .tenants
            .iter()
            .map(|tenant| {
                let kept = Tenant { label: tenant.name.clone(), quota: tenant.quota, weight: tenant.weight.max(1) };
                (tenant.name.clone(), Arc::new(kept))
            })
            .collect();
        let Ledger { gone, known, .. } = &mut *ledger;
        gone.retain(|label| !known.contains_key(label));
    }

    /// Gives a permit for `ask`, or refuses.
    ///
    /// # Errors
    /// [`Rejection::TooLarge`] where the request could never fit, [`Rejection::TenantQuota`] or
    /// [`Rejection::Overloaded`] where it does not fit now.
    pub fn admit(self: &Arc<Self>, tenant: &Arc<str>, priority: Priority, ask: Load) -> Result<Permit, Rejection> {
        let mut ledger = self.lock();
        let policy = ledger.known.get(tenant).unwrap_or(&ledger.other).clone();
        let usable = ledger.usable(&ledger.quota, priority);
        let own = ledger.usable(&policy.quota, priority);
        let held = ledger.by_tenant.get(tenant).copied().unwrap_or_default();
        could_ever_fit(ask, &own)?;
        could_ever_fit(ask, &usable)?;
        if let Some(quota) = lacking(held, ask, &own) {
            return Err(Rejection::TenantQuota { quota, retry_after: self.retry_after(held) });
        }
        if lacking(ledger.held, ask, &usable).is_some() {
            return Err(Rejection::Overloaded { retry_after: self.retry_after(ledger.held) });
        }
        ledger.held.add(ask);
        ledger.by_tenant.entry(tenant.clone()).or_default().add(ask);
        drop(ledger);
        self.gauges.add(ask);
        Ok(Permit { limits: self.clone(), tenant: tenant.clone(), load: ask, weight: policy.weight })
    }

    /// What is held now.
    pub fn held(&self) -> Load {
        self.lock().held
    }

    /// What each tenant holds now; tenants that hold nothing are not named.
    pub fn held_by_tenant(&self) -> Vec<(Arc<str>, Load)> {
        self.lock().by_tenant.iter().map(|(tenant, load)| (tenant.clone(), *load)).collect()
    }

    /// What the tenants of each metrics label hold and may, in the order of labels: all that the configuration names,
    /// and those of before; what is shared by the others from the first time on that one of them holds something.
    pub fn standings(&self) -> Vec<Standing> {
        let mut ledger = self.lock();
        let standing = |label: &Arc<str>, quota| {
            (label.clone(), Standing { label: label.clone(), held: Load::default(), quota: Some(quota) })
        };
        let gone = ledger.gone.iter().map(|label| standing(label, QUOTA_GONE));
        let known = ledger.known.values().map(|tenant| standing(&tenant.label, tenant.quota));
        let mut standings: BTreeMap<_, _> = gone.chain(known).collect();
        let mut others = Load::default();
        for (tenant, held) in &ledger.by_tenant {
            match ledger.known.get(tenant).and_then(|tenant| standings.get_mut(&tenant.label)) {
                Some(standing) => standing.held.add(*held),
                None => others.add(*held),
            }
        }
        ledger.told_of_other |= !others.is_nothing();
        if ledger.told_of_other {
            // A tenant may have this name, too.
            let other = || Standing { label: TENANT_OTHER.into(), held: Load::default(), quota: None };
            standings.entry(TENANT_OTHER.into()).or_insert_with(other).held.add(others);
        }
        standings.into_values().collect()
    }

    /// The metrics label of a tenant.
    pub fn label(&self, tenant: &str) -> Arc<str> {
        let ledger = self.lock();
        ledger.known.get(tenant).unwrap_or(&ledger.other).label.clone()
    }

    /// Waits until nothing is held.
    pub async fn idle(&self) {
        loop {
            let mut released = std::pin::pin!(self.idle.notified());
            released.as_mut().enable();
            if self.lock().held.is_nothing() {
                return;
            }
            released.await;
        }
    }

    /// About how long the backlog takes to work off: its predicted compute time over all cores.
    fn retry_after(&self, held: Load) -> Duration {
        (held.compute / self.parallelism).clamp(RETRY_AFTER.0, RETRY_AFTER.1)
    }

    fn release(&self, tenant: &Arc<str>, load: Load) {
        let mut ledger = self.lock();
        ledger.held.subtract(load);
        if let Some(held) = ledger.by_tenant.get_mut(tenant) {
            held.subtract(load);
            if held.is_nothing() {
                ledger.by_tenant.remove(tenant);
            }
        }
        let idle = ledger.held.is_nothing();
        drop(ledger);
        self.gauges.subtract(load);
        if idle {
            self.idle.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// A quota, global or a tenant's, as a class sees it: all but the consensus class leave the reserve alone, or a
    /// node's own backlog would shut out its votes. Rounded up: a quota of one request lets one in.
    fn usable(&self, quota: &Quota, priority: Priority) -> Quota {
        if priority == Priority::Consensus {
            return *quota;
        }
        let percent = 100 - self.reserve_percent;
        let share = |value: u64| (u128::from(value) * u128::from(percent)).div_ceil(100) as u64;
        Quota {
            requests_max: share(quota.requests_max),
            items_max: share(quota.items_max),
            bytes_max: share(quota.bytes_max),
            compute_max: quota.compute_max.mul_f64(percent as f64 / 100.0),
        }
    }
}

/// Compute time is a prediction, so no request is called too large for it; see [`lacking`].
fn could_ever_fit(ask: Load, quota: &Quota) -> Result<(), Rejection> {
    let limit = if ask.requests > quota.requests_max {
        format!("{} requests in flight", quota.requests_max)
    } else if ask.items > quota.items_max {
        format!("{} items in flight; this request has {}", quota.items_max, ask.items)
    } else if ask.bytes > quota.bytes_max {
        format!("{} bytes in flight; this request has {}", quota.bytes_max, ask.bytes)
    } else {
        return Ok(());
    };
    Err(Rejection::TooLarge { limit })
}

/// The part of a quota that has no room for `ask`, in words. Where no compute time is held, any request has
/// room: else a prediction that is wrong could shut an operation out for good.
fn lacking(held: Load, ask: Load, quota: &Quota) -> Option<String> {
    if held.requests + ask.requests > quota.requests_max {
        Some(format!("{} requests in flight", quota.requests_max))
    } else if held.items + ask.items > quota.items_max {
        Some(format!("{} items in flight", quota.items_max))
    } else if held.bytes + ask.bytes > quota.bytes_max {
        Some(format!("{} bytes in flight", quota.bytes_max))
    } else if held.compute + ask.compute > quota.compute_max && !held.compute.is_zero() {
        Some(format!("{} ms of predicted compute time in flight", quota.compute_max.as_millis()))
    } else {
        None
    }
}

/// Room in the ledger, given back when dropped.
pub struct Permit {
    limits: Arc<Limits>,
    tenant: Arc<str>,
    load: Load,
    weight: u32,
}

impl Permit {
    /// The tenant's share inside a priority class.
    pub const fn weight(&self) -> u32 {
        self.weight
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limits.release(&self.tenant, self.load);
    }
}

#[cfg(test)]
mod tests;
