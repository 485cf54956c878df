//! The keys below `tenants`.

use std::collections::BTreeSet;
use std::time::Duration;

use outrigger_types::{Call, CircuitId, CircuitRule, Priority, Quota, Ruleset, TenantPolicy};

use super::{BYTES_LIMIT, DAY};
use crate::Tenant;
use crate::reader::Reader;

const WEIGHT_DEFAULT: u64 = 100;

pub(super) fn read(reader: &mut Reader) -> Vec<Tenant> {
    let count = reader.table_count("tenants");
    let tenants: Vec<_> = (0..count).filter_map(|i| tenant(reader, &format!("tenants[{i}]"))).collect();
    let mut names = BTreeSet::new();
    let mut callers = BTreeSet::new();
    for (i, tenant) in tenants.iter().enumerate() {
        if !names.insert(tenant.policy.name.clone()) {
            reader.fail(&format!("tenants[{i}].name"), format!("{:?} is the name of two tenants", tenant.policy.name));
        }
        let uids = tenant.uids.iter().map(|uid| ("uids", format!("user id {uid}")));
        let certificates = tenant.certificate_names.iter().map(|name| ("certificate_names", name.to_ascii_lowercase()));
        let unauthenticated = tenant.unauthenticated.then(|| ("unauthenticated", "callers without one".to_owned()));
        for (key, caller) in uids.chain(certificates).chain(unauthenticated) {
            if !callers.insert((key, caller.clone())) {
                reader.fail(&format!("tenants[{i}].{key}"), format!("{caller} already belongs to another tenant"));
            }
        }
    }
    tenants
}

fn tenant(reader: &mut Reader, path: &str) -> Option<Tenant> {
    let at = |key: &str| format!("{path}.{key}");
    let name = reader.text(&at("name"));
    if name.as_ref().is_none_or(|name| name.is_empty() || name.len() > 64) {
        reader.fail(&at("name"), "a tenant needs a name of 1 to 64 bytes");
    }
    let calls = named(reader, &at("calls"), |name| {
        let known = Call::ALL.into_iter().find(|call| call.name() == name);
        known.ok_or_else(|| format!("unknown call {name:?}; one of {}", Call::ALL.map(Call::name).join(", ")))
    });
    let rulesets = named(reader, &at("rulesets"), |name| match name {
        "*" => Ok(None),
        name => name.parse::<Ruleset>().map(Some),
    });
    let circuits = circuits(reader, &at("circuits"));
    let priority_max = reader.parsed::<Priority>(&at("priority_max")).flatten().unwrap_or(Priority::Block);
    let quota = tenant_quota(reader, path);
    let weight = reader.number(&at("weight"), 1..=1_000).unwrap_or(WEIGHT_DEFAULT) as u32;
    let uids = reader.number_list(&at("uids")).unwrap_or_default();
    let certificate_names = reader.list(&at("certificate_names")).unwrap_or_default();
    let unauthenticated = reader.flag(&at("unauthenticated")).unwrap_or(false);
    if uids.is_empty() && certificate_names.is_empty() && !unauthenticated {
        reader.fail(&at("name"), "no caller is of this tenant: set uids, certificate_names or unauthenticated");
    }
    let rulesets = if rulesets.contains(&None) {
        Ruleset::ALL.iter().copied().collect()
    } else {
        rulesets.into_iter().flatten().collect()
    };
    let calls = calls.into_iter().collect();
    let policy = TenantPolicy { name: name?.into(), calls, rulesets, circuits, priority_max, quota, weight };
    Some(Tenant { policy, uids, certificate_names, unauthenticated })
}

/// The circuits of a list; `"*"` takes all.
fn circuits(reader: &mut Reader, path: &str) -> CircuitRule {
    let circuits = named(reader, path, |name| match name {
        "*" => Ok(None),
        name => name.parse::<CircuitId>().map(Some),
    });
    if circuits.contains(&None) {
        CircuitRule::All
    } else {
        CircuitRule::Only(circuits.into_iter().flatten().collect())
    }
}

/// A list of names, each looked up; every one that is unknown is an error of its own.
fn named<T>(reader: &mut Reader, path: &str, find: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
    let names = reader.list(path).unwrap_or_default();
    let found = names.iter().map(|name| find(name));
    found.filter_map(|found| found.map_err(|message| reader.fail(path, message)).ok()).collect()
}

fn tenant_quota(reader: &mut Reader, path: &str) -> Quota {
    let at = |key: &str| format!("{path}.quota.{key}");
    let default = Quota::TENANT;
    Quota {
        requests_max: reader.number(&at("requests_max"), 1..=1 << 32).unwrap_or(default.requests_max),
        items_max: reader.number(&at("items_max"), 1..=1 << 40).unwrap_or(default.items_max),
        bytes_max: reader.bytes(&at("bytes_max"), 1..=BYTES_LIMIT).unwrap_or(default.bytes_max),
        compute_max: reader.duration(&at("compute_max"), Duration::from_micros(1)..=DAY).unwrap_or(default.compute_max),
    }
}
