use std::sync::Arc;
use std::time::Duration;

use outrigger_types::{Priority, Quota, Rejection, SchedulerOptions, TenantPolicy};
use proptest::prelude::*;

use super::*;

fn quota(requests: u64, items: u64) -> Quota {
    Quota { requests_max: requests, items_max: items, bytes_max: 1_000_000, compute_max: Duration::from_secs(1) }
}

fn limits(global: Quota, tenant: Quota, reserve: u8) -> Arc<Limits> {
    let options = SchedulerOptions {
        quota: global,
        tenants: vec![TenantPolicy { quota: tenant, weight: 7, ..TenantPolicy::unrestricted("node") }],
        consensus_reserve_percent: reserve,
        ..SchedulerOptions::default()
    };
    Arc::new(Limits::new(&options, 2))
}

fn items(items: u64) -> Load {
    Load { requests: 1, items, bytes: items * 10, compute: Duration::from_micros(items * 50) }
}

#[test]
fn the_tenant_is_refused_before_the_whole() {
    let limits = limits(quota(100, 1_000), quota(100, 100), 0);
    let node: Arc<str> = "node".into();
    let held = limits.admit(&node, Priority::Block, items(80)).expect("room");
    assert_eq!(held.weight(), 7);
    assert!(matches!(limits.admit(&node, Priority::Block, items(30)), Err(Rejection::TenantQuota { .. })));
    let other: Arc<str> = "someone".into();
    assert!(limits.admit(&other, Priority::Block, items(30)).is_ok());
    assert_eq!((&*limits.label("node"), &*limits.label("someone")), ("node", "other"));
    drop(held);
    assert!(limits.admit(&node, Priority::Block, items(100)).is_ok());
}

#[test]
fn the_reserve_is_for_consensus_alone() {
    let whole = limits(quota(100, 100), quota(100, 1_000), 20);
    let node: Arc<str> = "node".into();
    let _held = whole.admit(&node, Priority::Block, items(75)).expect("room");
    assert!(matches!(whole.admit(&node, Priority::Block, items(10)), Err(Rejection::Overloaded { .. })));
    assert!(whole.admit(&node, Priority::Consensus, items(25)).is_ok());

    // The same holds within a tenant: its own backlog does not shut out its votes.
    let own = limits(quota(100, 1_000), quota(100, 100), 20);
    let _held = own.admit(&node, Priority::Block, items(75)).expect("room");
    assert!(matches!(own.admit(&node, Priority::Block, items(10)), Err(Rejection::TenantQuota { .. })));
    assert!(own.admit(&node, Priority::Consensus, items(25)).is_ok());

    let one = limits(quota(1, 100), quota(1, 100), 20);
    assert!(one.admit(&node, Priority::Bulk, items(1)).is_ok(), "a reserve never takes the whole of a quota");
}

#[test]
fn what_could_never_fit_is_too_large_and_not_invited_back() {
    let limits = limits(quota(100, 100), quota(100, 1_000), 20);
    let node: Arc<str> = "node".into();
    assert!(matches!(limits.admit(&node, Priority::Bulk, items(81)), Err(Rejection::TooLarge { .. })));
    assert!(limits.admit(&node, Priority::Consensus, items(81)).is_ok());
}

#[test]
fn a_prediction_alone_shuts_nothing_out() {
    let limits = limits(quota(100, 1_000), quota(100, 1_000), 0);
    let node: Arc<str> = "node".into();
    let huge = Load { compute: Duration::from_secs(60), ..items(1) };
    let held = limits.admit(&node, Priority::Bulk, huge).expect("alone");
    let refused = limits.admit(&node, Priority::Bulk, items(1)).err().expect("no room");
    let Rejection::TenantQuota { retry_after, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(retry_after, Duration::from_secs(5));
    drop(held);
    assert!(limits.admit(&node, Priority::Bulk, items(1)).is_ok());
}

fn named(standings: &[Standing]) -> Vec<(&str, u64, u64, Option<u64>)> {
    let items_max = |it: &Standing| it.quota.map(|quota| quota.items_max);
    standings.iter().map(|it| (&*it.label, it.held.requests, it.held.items, items_max(it))).collect()
}

#[test]
fn each_label_stands_with_what_is_held_and_allowed() {
    let limits = limits(quota(100, 1_000), quota(10, 100), 0);
    assert_eq!(named(&limits.standings()), [("node", 0, 0, Some(100))], "a tenant that holds nothing holds 0");
    let node: Arc<str> = "node".into();
    let first = limits.admit(&node, Priority::Block, items(30)).expect("room");
    let _second = limits.admit(&node, Priority::Block, items(5)).expect("room");
    let stranger = limits.admit(&"someone".into(), Priority::Block, items(7)).expect("room");
    let _another = limits.admit(&"else".into(), Priority::Block, items(2)).expect("room");
    // Strangers share a label and no quota.
    assert_eq!(named(&limits.standings()), [("node", 2, 35, Some(100)), ("other", 2, 9, None)]);
    drop((first, stranger));
    assert_eq!(named(&limits.standings()), [("node", 1, 5, Some(100)), ("other", 1, 2, None)]);
}

/// What was shown once must not stand still at its last figure, and a sum over labels is all that is held.
#[test]
fn a_tenant_that_a_reload_takes_away_stands_at_nothing() {
    let limits = limits(quota(100, 1_000), quota(10, 100), 0);
    let held = limits.admit(&"node".into(), Priority::Block, items(30)).expect("room");
    let tenants = vec![TenantPolicy { quota: quota(5, 50), ..TenantPolicy::unrestricted("peer") }];
    limits.reload(&SchedulerOptions { tenants, ..SchedulerOptions::default() });
    let gone = ("node", 0, 0, Some(0));
    assert_eq!(named(&limits.standings()), [gone, ("other", 1, 30, None), ("peer", 0, 0, Some(50))]);
    drop(held);
    assert_eq!(named(&limits.standings()), [gone, ("other", 0, 0, None), ("peer", 0, 0, Some(50))]);
    let tenants = vec![TenantPolicy { quota: quota(5, 60), ..TenantPolicy::unrestricted("node") }];
    limits.reload(&SchedulerOptions { tenants, ..SchedulerOptions::default() });
    let back = [("node", 0, 0, Some(60)), ("other", 0, 0, None), ("peer", 0, 0, Some(0))];
    assert_eq!(named(&limits.standings()), back);
}

#[tokio::test]
async fn idle_waits_for_the_last_permit() {
    let limits = limits(quota(10, 10), quota(10, 10), 0);
    limits.idle().await;
    let permit = limits.admit(&"node".into(), Priority::Bulk, items(1)).expect("room");
    let waiting = tokio::spawn({
        let limits = limits.clone();
        async move { limits.idle().await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(permit);
    waiting.await.expect("idle");
}

proptest! {
    #[test]
    fn accounts_close_at_zero(steps in prop::collection::vec((0_u8..3, 0_u64..60, any::<bool>()), 0..400)) {
        let limits = limits(quota(20, 300), quota(10, 200), 20);
        let names: [Arc<str>; 3] = ["node".into(), "a".into(), "b".into()];
        let mut held: Vec<Permit> = Vec::new();
        for (who, count, consensus) in steps {
            if count % 3 == 0 && !held.is_empty() {
                held.swap_remove(count as usize % held.len());
                continue;
            }
            let priority = if consensus { Priority::Consensus } else { Priority::Bulk };
            if let Ok(permit) = limits.admit(&names[who as usize], priority, items(count)) {
                held.push(permit);
            }
            let total: u64 = held.iter().map(|permit| permit.load.items).sum();
            prop_assert_eq!(limits.held().items, total);
            prop_assert!(total <= 300);
        }
        drop(held);
        prop_assert_eq!(limits.held(), Load::default());
        prop_assert!(limits.held_by_tenant().is_empty());
    }
}
