//! How much may wait or run: counted when a job is taken, given back when it is done with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outrigger_types::Rejection;
use tokio::sync::watch;

use crate::metrics;

/// When to try again: proofs take seconds.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// When to try again while the sidecar shuts down and, as a rule, starts again.
pub(crate) const RETRY_AFTER_DRAIN: Duration = Duration::from_secs(5);

pub(crate) struct Limits {
    pub(crate) jobs_max: usize,
    pub(crate) tenant_jobs_max: usize,
    pub(crate) secret_bytes_max: u64,
}

/// What is taken, and the limits on it.
pub(crate) struct Admission {
    limits: Limits,
    taken: Mutex<Taken>,
    /// Permits that are out, settled ones included.
    jobs: watch::Sender<usize>,
}

#[derive(Default)]
struct Taken {
    jobs: usize,
    tenants: HashMap<Arc<str>, usize>,
    secret_bytes: u64,
    draining: bool,
}

/// A place for one job; given back when dropped.
pub(crate) struct Permit {
    admission: Arc<Admission>,
    tenant: Arc<str>,
    secret_bytes: u64,
    counts: bool,
}

impl Permit {
    /// Counts no longer against the limits. Draining waits for it on.
    pub(crate) fn settle(&mut self) {
        if std::mem::take(&mut self.counts) {
            self.admission.release(&self.tenant, self.secret_bytes);
        }
    }
}

impl Admission {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default(), jobs: watch::channel(0).0 })
    }

    /// Takes a place, or says why there is none.
    pub(crate) fn take(self: &Arc<Self>, tenant: &Arc<str>, secret_bytes: u64) -> Result<Permit, Rejection> {
        let mut taken = self.lock();
        if taken.draining {
            return Err(Rejection::Draining { retry_after: RETRY_AFTER_DRAIN });
        }
        let limits = &self.limits;
        if secret_bytes > limits.secret_bytes_max {
            let limit = format!("{} bytes of witnesses and inputs at a time", limits.secret_bytes_max);
            return Err(Rejection::TooLarge { limit });
        }
        if taken.tenants.get(tenant).is_some_and(|jobs| *jobs >= limits.tenant_jobs_max) || limits.tenant_jobs_max == 0
        {
            let quota = format!("{} proof jobs at a time", limits.tenant_jobs_max);
            return Err(Rejection::TenantQuota { quota, retry_after: RETRY_AFTER });
        }
        if taken.jobs >= limits.jobs_max || taken.secret_bytes + secret_bytes > limits.secret_bytes_max {
            return Err(Rejection::Overloaded { retry_after: RETRY_AFTER });
        }
        Ok(self.grant(&mut taken, tenant, secret_bytes))
    }

    /// Takes a place for a job that was promised one before a restart, whatever the limits say.
    pub(crate) fn take_again(self: &Arc<Self>, tenant: &Arc<str>, secret_bytes: u64) -> Permit {
        self.grant(&mut self.lock(), tenant, secret_bytes)
    }

    fn grant(self: &Arc<Self>, taken: &mut Taken, tenant: &Arc<str>, secret_bytes: u64) -> Permit {
        taken.jobs += 1;
        taken.secret_bytes += secret_bytes;
        *taken.tenants.entry(tenant.clone()).or_default() += 1;
        metrics::secret_bytes(taken.secret_bytes);
        self.jobs.send_modify(|jobs| *jobs += 1);
        Permit { admission: self.clone(), tenant: tenant.clone(), secret_bytes, counts: true }
    }

    fn release(&self, tenant: &Arc<str>, secret_bytes: u64) {
        let mut taken = self.lock();
        taken.jobs -= 1;
        taken.secret_bytes -= secret_bytes;
        if let Some(jobs) = taken.tenants.get_mut(tenant) {
            *jobs -= 1;
            if *jobs == 0 {
                taken.tenants.remove(tenant);
            }
        }
        metrics::secret_bytes(taken.secret_bytes);
    }

    /// Takes nothing more.
    pub(crate) fn close(&self) {
        self.lock().draining = true;
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.lock().draining
    }

    /// Waits until nothing is taken.
    pub(crate) async fn empty(&self) {
        // The sender is this very value's: it cannot go.
        let _ = self.jobs.subscribe().wait_for(|jobs| *jobs == 0).await;
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.settle();
        self.admission.jobs.send_modify(|jobs| *jobs -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission() -> Arc<Admission> {
        Admission::new(Limits { jobs_max: 3, tenant_jobs_max: 2, secret_bytes_max: 100 })
    }

    #[test]
    fn each_limit_has_its_own_answer() {
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let admission = admission();
        let first = admission.take(&a, 40).expect("there is room");
        let _second = admission.take(&a, 40).expect("there is room");
        assert!(matches!(admission.take(&a, 1), Err(Rejection::TenantQuota { .. })));
        assert!(matches!(admission.take(&b, 101), Err(Rejection::TooLarge { .. })), "it will never fit");
        assert!(matches!(admission.take(&b, 21), Err(Rejection::Overloaded { .. })), "bytes");
        let _third = admission.take(&b, 20).expect("the last byte may be used");
        assert!(matches!(admission.take(&b, 0), Err(Rejection::Overloaded { .. })), "jobs");
        drop(first);
        let _again = admission.take(&a, 40).expect("what was given back can be taken");
    }

    #[tokio::test]
    async fn draining_waits_for_what_is_taken() {
        let tenant: Arc<str> = "a".into();
        let admission = admission();
        let permit = admission.take(&tenant, 1).expect("there is room");
        admission.close();
        assert!(matches!(admission.take(&tenant, 1), Err(Rejection::Draining { .. })));
        let waits = tokio::time::timeout(Duration::from_millis(20), admission.empty()).await;
        assert!(waits.is_err(), "a job is still there");
        drop(permit);
        admission.empty().await;
    }
}
