use std::sync::Arc;

use outrigger_types::{Priority, TenantPolicy};

use super::{Host, Peer, TenantTable, check_priority};
use crate::options::TenantRule;

const HOST: Host = Host { uid: 1_000, gid: 1_000, socket_mode: 0o660 };

fn unix(uid: u32, gid: u32) -> Peer {
    Peer::Unix { uid, gid }
}

fn rule(name: &str) -> TenantRule {
    let policy = TenantPolicy::unrestricted(name);
    TenantRule { policy, uids: Vec::new(), certificate_names: Vec::new(), unauthenticated: false }
}

#[test]
fn without_tenants_local_callers_may_and_others_may_not() {
    let open = TenantTable::new(&[], Host { socket_mode: 0o666, ..HOST }).expect("no tenants");
    for (peer, may) in [(unix(1_000, 5), true), (unix(0, 0), true), (unix(7, 1_000), true), (unix(7, 7), false)] {
        assert_eq!(open.find(&peer).is_ok(), may, "{peer:?}");
    }
    // Whoever passes a mode that shuts others out is of the group, whatever group the kernel names.
    let shut = TenantTable::new(&[], HOST).expect("no tenants");
    assert!(shut.find(&unix(7, 7)).is_ok());
    assert!(shut.find(&Peer::Unauthenticated).is_err());
    assert!(shut.find(&Peer::Certificate { names: Arc::new(["local".to_owned()]) }).is_err());
}

#[test]
fn with_tenants_nobody_is_let_in_by_default() {
    let rules = [TenantRule { uids: vec![7], ..rule("a") }, TenantRule { unauthenticated: true, ..rule("b") }];
    let table = TenantTable::new(&rules, HOST).expect("two tenants");
    assert_eq!(table.find(&unix(7, 7)).expect("a tenant").name.as_ref(), "a");
    assert_eq!(table.find(&Peer::Unauthenticated).expect("a tenant").name.as_ref(), "b");
    assert!(table.find(&unix(0, 0)).is_err(), "not even root");
}

#[test]
fn callers_and_names_belong_to_one_tenant() {
    let uids = |name: &str| TenantRule { uids: vec![7], ..rule(name) };
    let names = |name: &str, dns: &str| TenantRule { certificate_names: vec![dns.to_owned()], ..rule(name) };
    assert!(TenantTable::new(&[uids("a"), uids("b")], HOST).is_err());
    assert!(TenantTable::new(&[names("a", "X.test"), names("b", "x.test")], HOST).is_err());
    assert!(TenantTable::new(&[rule("a"), rule("a")], HOST).is_err());
    assert!(TenantTable::new(&[names("a", "x.test"), names("b", "y.test")], HOST).is_ok());
}

#[test]
fn priority_that_was_not_asked_for_is_lowered_and_that_which_was_is_refused() {
    let policy = TenantPolicy { priority_max: Priority::Bulk, ..TenantPolicy::unrestricted("a") };
    assert_eq!(check_priority(&policy, None), Ok(Priority::Bulk));
    assert!(check_priority(&policy, Some(Priority::Mempool)).is_err());
    let policy = TenantPolicy::unrestricted("a");
    assert_eq!(check_priority(&policy, None), Ok(Priority::Mempool));
    assert_eq!(check_priority(&policy, Some(Priority::Consensus)), Ok(Priority::Consensus));
}
