//! More work than the sidecar may hold.

use std::time::Duration;

use crate::support::load::runtime;
use crate::support::overload::{self, Overloaded};
use crate::support::sidecar::Sidecar;

/// One thread that verifies without lanes (a client on the same cores cannot overload those), no memory of verdicts (the
/// load repeats itself), a backlog of a second and a half.
const BASE: &str =
    "[threads]\nverify = 1\n[engines]\nvector = \"off\"\n[scheduler]\ncache_entries = 0\n[log]\nfilter = \"warn\"\n";
/// What the sidecar may grow by: its quota of bytes, what arrives meanwhile, and what allocators keep.
const GROWTH_KIB: u64 = 96 * 1024;

fn overloaded(sidecar: &Sidecar) -> Overloaded {
    let done = overload::run(&runtime(), sidecar, Duration::from_secs(4), overload::deadline_of_votes);
    let (before, highest) = done.memory_kib;
    println!(
        "carries {:.0} items/s, offered {:.0}: {} calls, {} refused {:?}; {} votes, longest {:?}; memory {before} KiB \
         before, {highest} KiB at its highest",
        done.capacity,
        done.offered,
        done.load.calls,
        done.load.refusals(),
        done.load.refused,
        done.votes.calls,
        done.votes.longest,
    );
    assert_eq!(done.load.wrong + done.votes.wrong, 0, "overload never changes a verdict");
    assert!(done.load.refusals() > 0, "twice the load cannot all be carried");
    assert!(done.load.calls > done.load.refusals(), "what can be carried is carried");
    assert_eq!(done.load.without_retry, 0, "every refusal says when to try again: {:?}", done.load.refused);
    // On a machine of our own all of them would miss it behind the load. A few may where others make the machine stand still
    // for a second; none may in the soak.
    assert!(done.votes.calls > 5 && done.votes.refusals() * 4 <= done.votes.calls, "votes: {:?}", done.votes.refused);
    assert!(highest < before + GROWTH_KIB, "{highest} KiB after {before}");
    sidecar.wait_until_idle();
    done
}

#[test]
fn a_sidecar_under_twice_its_load_refuses_and_still_serves_consensus() {
    let config = format!("{BASE}[limits]\ncompute_max = \"1500ms\"\nbytes_in_flight_max = \"32MiB\"\n");
    let sidecar = Sidecar::start_with(&config);
    let done = overloaded(&sidecar);
    assert_eq!(done.load.refused.keys().collect::<Vec<_>>(), ["Unavailable"]);
    assert!(sidecar.metric("outrigger_rejections_total", &["reason=\"overloaded\""]) > 0.0);
}

#[test]
fn a_tenant_over_its_quota_is_told_so() {
    let uid = rustix::process::geteuid().as_raw();
    let config = format!(
        "{BASE}[[tenants]]\nname = \"node\"\nuids = [{uid}]\ncalls = [\"verify\"]\nrulesets = [\"*\"]\n\
         priority_max = \"consensus\"\n[tenants.quota]\nrequests_max = 24\n"
    );
    let sidecar = Sidecar::start_with(&config);
    let done = overloaded(&sidecar);
    assert_eq!(done.load.refused.keys().collect::<Vec<_>>(), ["ResourceExhausted"]);
    let labels = ["reason=\"tenant_quota\"", "tenant=\"node\""];
    assert!(sidecar.metric("outrigger_rejections_total", &labels) > 0.0);
}
