//! Keys that come often: their tables are built while the sidecar serves, are used, and change no verdict.

use std::collections::BTreeSet;
use std::sync::Arc;

use outrigger_client::CallOptions;
use outrigger_types::{Backend, ColumnBuf, Keys, Ruleset, Work};

use crate::support::sidecar::{Sidecar, until};
use crate::support::workload::{as_work, expected, items};

/// Of each room whose keys have tables.
const RULESETS: [Ruleset; 5] =
    [Ruleset::EthereumTransaction, Ruleset::Bitcoin, Ruleset::Bip340, Ruleset::Fabric, Ruleset::FiscoSm2];
const TABLES: &str = "outrigger_known_key_tables";
const LOOKED_UP: &str = "outrigger_known_keys_total";
/// In lanes, where tables are.
const IN_LANES: fn() -> CallOptions = || CallOptions { backend: Some(Backend::Vector), ..CallOptions::default() };

/// Whether there are lanes here; says so where not.
fn has_lanes() -> bool {
    let is_here = outrigger_algorithms::Unit::detect().is_some();
    if !is_here {
        println!("NOT RUN: this processor has no AVX-512 with IFMA");
    }
    is_here
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn keys_that_come_often_get_tables_and_verdicts_stay() {
    if !has_lanes() {
        return;
    }
    let sidecar = Sidecar::start();
    let runtime = runtime();
    let client = runtime.block_on(sidecar.client());
    let mut tables = 0.0;
    for ruleset in RULESETS {
        // 8 signers, and bad items of every kind among them.
        let items = items(ruleset, 1_024, 7, 5);
        let work = as_work(ruleset, &items);
        let verify = || {
            let answer = runtime.block_on(client.run(work.clone(), IN_LANES())).expect("verdicts");
            assert_eq!(answer.output.verdicts, expected(&items), "{ruleset}");
        };
        until("8 keys have tables", || {
            verify();
            (sidecar.metric(TABLES, &[]) >= tables + 8.0).then_some(())
        });
        tables = sidecar.metric(TABLES, &[]);
        let hits = || sidecar.metric(LOOKED_UP, &["result=\"hit\""]);
        let before = hits();
        verify();
        assert!(hits() - before > 700.0, "{ruleset}: the good ones go by table");
    }
    assert_eq!(sidecar.metric("outrigger_known_key_tables_total", &["event=\"damaged\""]), 0.0);
    assert_eq!(sidecar.metric("outrigger_fallback_items_total", &[]), 0.0);
}

#[test]
fn registered_keys_have_tables_before_they_sign() {
    if !has_lanes() {
        return;
    }
    let sidecar = Sidecar::start();
    let runtime = runtime();
    let client = runtime.block_on(sidecar.client());
    let items = items(Ruleset::Fabric, 64, 5, 6);
    let signers: BTreeSet<&[u8]> = items.iter().map(|item| &item.key[..]).collect();
    let signers = Vec::from_iter(signers);
    let set = Arc::new(ColumnBuf::from_items(&signers));
    runtime.block_on(client.put_key_set(Ruleset::Fabric, &set)).expect("registered");
    assert_eq!(signers.len(), 8);
    until("all have tables", || (sidecar.metric(TABLES, &[]) == 8.0).then_some(()));
    assert_eq!(sidecar.metric("outrigger_items_total", &[]), 0.0, "nothing was verified yet");
    let Work::Verify(mut work) = (*as_work(Ruleset::Fabric, &items)).clone() else { panic!("verification") };
    let place = |key: &Vec<u8>| signers.iter().position(|signer| signer == key).expect("one of the set") as u32;
    work.keys = Keys::Indexed { set: set.clone(), indices: items.iter().map(|item| place(&item.key)).collect() };
    let answer = runtime.block_on(client.run(Work::Verify(work), IN_LANES())).expect("verdicts");
    assert_eq!(answer.output.verdicts, expected(&items));
    assert!(sidecar.metric(LOOKED_UP, &["result=\"hit\""]) >= 40.0);
}

#[test]
fn tables_can_be_turned_off() {
    let sidecar = Sidecar::start_with("[engines]\nknown_keys_bytes_max = 0\n");
    let runtime = runtime();
    let client = runtime.block_on(sidecar.client());
    let items = items(Ruleset::Fabric, 1_024, 7, 7);
    for _ in 0..3 {
        let answer = runtime.block_on(client.run(as_work(Ruleset::Fabric, &items), CallOptions::default()));
        assert_eq!(answer.expect("verdicts").output.verdicts, expected(&items));
    }
    assert!(!sidecar.page("/metrics").1.contains("known_key"), "nothing is counted");
}
