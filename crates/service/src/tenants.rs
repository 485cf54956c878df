//! Who a caller is, and what it may do.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use outrigger_types::{Call, CircuitId, Priority, Rejection, Ruleset, TenantPolicy};

use crate::options::TenantRule;

/// The tenant of callers on the Unix socket where none is configured: it may do everything within the default quota.
pub const LOCAL_TENANT: &str = "local";

/// How a caller is known to the listener that it came through. Fixed for the life of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// On the Unix socket, by the credentials that the kernel vouches for.
    Unix { uid: u32, gid: u32 },
    /// Over TCP, by the names in a certificate that a trusted authority has signed.
    Certificate { names: Arc<[String]> },
    /// Over TCP, by nothing.
    Unauthenticated,
}

/// The user and group of this process, and whether its socket lets others in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) socket_mode: u32,
}

/// All tenants, ready to be looked up. Replaced as a whole at a reload.
#[derive(Debug)]
pub(crate) struct TenantTable {
    by_uid: HashMap<u32, Arc<TenantPolicy>>,
    by_name: HashMap<String, Arc<TenantPolicy>>,
    unauthenticated: Option<Arc<TenantPolicy>>,
    /// The tenant of local callers where none is configured.
    local: Option<(Arc<TenantPolicy>, Host)>,
}

impl TenantTable {
    /// The table of these rules.
    ///
    /// # Errors
    /// Where two tenants have the same name or claim the same callers.
    pub(crate) fn new(rules: &[TenantRule], host: Host) -> Result<Self, TenantError> {
        let mut table = Self { by_uid: HashMap::new(), by_name: HashMap::new(), unauthenticated: None, local: None };
        let mut names = BTreeMap::new();
        for rule in rules {
            let policy = Arc::new(rule.policy.clone());
            if names.insert(policy.name.clone(), ()).is_some() {
                return Err(TenantError(format!("{:?} is the name of two tenants", policy.name)));
            }
            table.claim(rule, &policy)?;
        }
        if rules.is_empty() {
            table.local = Some((Arc::new(TenantPolicy::unrestricted(LOCAL_TENANT)), host));
        }
        Ok(table)
    }

    fn claim(&mut self, rule: &TenantRule, policy: &Arc<TenantPolicy>) -> Result<(), TenantError> {
        for uid in &rule.uids {
            if let Some(other) = self.by_uid.insert(*uid, policy.clone()) {
                return Err(TenantError(format!("{} and {} both claim user id {uid}", other.name, policy.name)));
            }
        }
        for name in &rule.certificate_names {
            // DNS names compare without regard to case.
            if let Some(other) = self.by_name.insert(name.to_ascii_lowercase(), policy.clone()) {
                return Err(TenantError(format!("{} and {} both claim the name {name}", other.name, policy.name)));
            }
        }
        if rule.unauthenticated
            && let Some(other) = self.unauthenticated.replace(policy.clone())
        {
            return Err(TenantError(format!("{} and {} both claim unauthenticated callers", other.name, policy.name)));
        }
        Ok(())
    }

    /// The tenant of a caller.
    ///
    /// # Errors
    /// [`Rejection::PermissionDenied`] where it is of none.
    pub(crate) fn find(&self, peer: &Peer) -> Result<&Arc<TenantPolicy>, Rejection> {
        match peer {
            Peer::Unix { uid, gid } => self.find_local(*uid, *gid),
            Peer::Certificate { names } => names.iter().find_map(|name| self.by_name.get(name)).ok_or_else(|| {
                denied(format!("no tenant has a certificate for {}; ask the operator for one", names.join(", ")))
            }),
            Peer::Unauthenticated => self
                .unauthenticated
                .as_ref()
                .ok_or_else(|| denied("no tenant takes callers without a certificate; present one".to_owned())),
        }
    }

    fn find_local(&self, uid: u32, gid: u32) -> Result<&Arc<TenantPolicy>, Rejection> {
        if let Some(policy) = self.by_uid.get(&uid) {
            return Ok(policy);
        }
        if let Some((policy, host)) = &self.local {
            // Where the mode shuts others out, whoever got in is root, the owner or of the group; the group may
            // be one of several that the caller has, of which the kernel tells the first only.
            let shuts_others_out = host.socket_mode & 0o007 == 0;
            if shuts_others_out || uid == 0 || uid == host.uid || gid == host.gid {
                return Ok(policy);
            }
        }
        Err(denied(format!("no tenant has user id {uid}; ask the operator to add it")))
    }
}

fn denied(message: String) -> Rejection {
    Rejection::PermissionDenied(message)
}

/// Checks that a tenant may make a call.
///
/// # Errors
/// [`Rejection::PermissionDenied`].
pub(crate) fn check_call(tenant: &TenantPolicy, call: Call) -> Result<(), Rejection> {
    if tenant.calls.contains(&call) {
        return Ok(());
    }
    Err(denied(format!("tenant {} is not allowed {} calls", tenant.name, call.name())))
}

/// Checks that a tenant may use a ruleset.
///
/// # Errors
/// [`Rejection::PermissionDenied`].
pub(crate) fn check_ruleset(tenant: &TenantPolicy, ruleset: Ruleset) -> Result<(), Rejection> {
    if tenant.rulesets.contains(&ruleset) {
        return Ok(());
    }
    Err(denied(format!("tenant {} is not allowed the ruleset {ruleset}", tenant.name)))
}

/// Checks that a tenant may use a circuit.
///
/// # Errors
/// [`Rejection::PermissionDenied`].
pub(crate) fn check_circuit(tenant: &TenantPolicy, circuit: CircuitId) -> Result<(), Rejection> {
    if tenant.circuits.allows(circuit) {
        return Ok(());
    }
    Err(denied(format!("tenant {} is not allowed the circuit {circuit}", tenant.name)))
}

/// The priority that a tenant gets: what it asks for, or *mempool*, or less where its ceiling is lower.
///
/// # Errors
/// [`Rejection::PermissionDenied`] where it asks for more than its ceiling.
pub(crate) fn check_priority(tenant: &TenantPolicy, asked: Option<Priority>) -> Result<Priority, Rejection> {
    match asked {
        None => Ok(Priority::Mempool.min(tenant.priority_max)),
        Some(priority) if priority <= tenant.priority_max => Ok(priority),
        Some(priority) => Err(denied(format!(
            "tenant {} is not allowed the priority {priority}, only up to {}",
            tenant.name, tenant.priority_max
        ))),
    }
}

/// Why tenants cannot be told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantError(pub(crate) String);

impl fmt::Display for TenantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tenants: {}", self.0)
    }
}

impl std::error::Error for TenantError {}

#[cfg(test)]
mod tests;
