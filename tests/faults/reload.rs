//! SIGHUP.

use outrigger_client::{CallOptions, Client, ClientError};
use outrigger_types::{Priority, Ruleset};

use crate::support::load::{Known, runtime};
use crate::support::sidecar::Sidecar;
use crate::support::workload::items;

async fn verify(client: &Client, ruleset: Ruleset, count: usize, priority: Priority) -> Result<(), ClientError> {
    let known = Known::new(ruleset, &items(ruleset, count, 0, 9));
    let answer = client.run(known.work.clone(), CallOptions { priority, ..CallOptions::default() }).await?;
    assert_eq!(answer.output.verdicts[..], known.expected[..]);
    Ok(())
}

#[test]
fn tenants_and_limits_are_obeyed_after_a_reload_and_kept_where_it_is_broken() {
    let sidecar = Sidecar::start();
    let uid = rustix::process::geteuid().as_raw();
    let runtime = runtime();
    let client = runtime.block_on(sidecar.client());
    let ask = |ruleset, count, priority| runtime.block_on(verify(&client, ruleset, count, priority));
    ask(Ruleset::FiscoSm2, 5, Priority::Consensus).expect("everything is allowed without tenants");

    sidecar.configure(&format!(
        "[limits]\nitems_max = 8\n[[tenants]]\nname = \"fabric-node\"\nuids = [{uid}]\ncalls = [\"verify\"]\n\
         rulesets = [\"fabric\"]\npriority_max = \"mempool\"\n"
    ));
    let log = sidecar.reload();
    assert!(log.contains("configuration reloaded"), "{log}");
    // The connection is the old one; the rules are the new ones.
    let judge_by_the_new_rules = || {
        ask(Ruleset::Fabric, 8, Priority::Mempool).expect("allowed");
        let error = ask(Ruleset::FiscoSm2, 5, Priority::Mempool).expect_err("another ruleset");
        assert!(matches!(&error, ClientError::PermissionDenied(what) if what.contains("fisco-sm2")), "{error}");
        let error = ask(Ruleset::Fabric, 1, Priority::Consensus).expect_err("above the ceiling");
        assert!(matches!(&error, ClientError::PermissionDenied(what) if what.contains("consensus")), "{error}");
        ask(Ruleset::Fabric, 9, Priority::Mempool).expect_err("over the limit of a request");
        assert_eq!(runtime.block_on(client.capabilities()).expect("an answer").tenant, "fabric-node");
    };
    judge_by_the_new_rules();

    sidecar.configure("[limits]\nitems_max = \"many\"\nunknown = 1\n[[tenants]]\nname = \"x\"\n");
    let log = sidecar.reload();
    assert!(log.contains("reload refused") && log.contains("items_max") && log.contains("unknown"), "{log}");
    judge_by_the_new_rules();
    sidecar.configure("not TOML at all");
    assert!(sidecar.reload().contains("reload refused"));
    judge_by_the_new_rules();

    sidecar.configure("");
    assert!(sidecar.reload().contains("configuration reloaded"));
    ask(Ruleset::FiscoSm2, 20, Priority::Consensus).expect("as at the beginning");
}
