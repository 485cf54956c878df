//! A GPU that fails in every way that a driver or a kernel can, by the double of CUDA's driver: what it answers is right
//! or nothing, whoever leaves the choice open notices nothing, metrics tell what happened, and the device comes back by
//! itself when the fault is gone.

use std::sync::Arc;
use std::time::Duration;

use outrigger_algorithms::{planted, registry};
use outrigger_client::{CallOptions, Client};
use outrigger_types::{Backend, HashAlgorithm, Operation, Output, Ruleset, Work};

use crate::support::cuda::{Faults, doubles};
use crate::support::device::{alone, answer_by, on, until_metric};
use crate::support::load::runtime;
use crate::support::sidecar::Sidecar;

/// Everything is judged again, nothing remembered; a worker that stands still for two seconds is killed, or for ten while
/// it tests itself: the double has nothing to compile.
const CONFIG: &str = "[engines]\nopencl = \"off\"\n[scheduler]\ncache_entries = 0\n[devices]\n\
                      audit_per_million = 1000000\nhang_max = \"2s\"\nready_max = \"10s\"\n[log]\nfilter = \"warn\"\n";
/// What is asked for: verdicts, addresses, digests.
const OPERATIONS: [Operation; 3] = [
    Operation::Verify(Ruleset::EthereumTransaction),
    Operation::Recover(Ruleset::EthereumTransaction),
    Operation::Hash(HashAlgorithm::Sha256),
];
/// Good and bad items of a batch.
const ITEMS: usize = 40;
/// Long enough for a worker that hangs to be killed.
const DEADLINE: Duration = Duration::from_secs(20);

/// A fault of the double, and where it shows: a metric and its label.
struct Fault {
    lines: &'static str,
    seen: (&'static str, &'static str),
}

const EVENTS: &str = "outrigger_device_events_total";
const WORKERS: &str = "outrigger_device_workers_total";

/// Results are columns: verdicts, tags, then the words of the output. 42 digests (two are planted) take 420 words, of which
/// the last 336 are digests. Of the signatures every fourth is malformed and stays with the host: of the others some 32
/// get 23 words each where keys are recovered, of which the last 160 in all are those of addresses.
const FAULTS: [Fault; 9] = [
    Fault { lines: "flip 5 0", seen: (EVENTS, "event=\"fault\"") },
    Fault { lines: "flip 6 1", seen: (EVENTS, "event=\"fault\"") },
    Fault { lines: "flip 60 31", seen: (EVENTS, "event=\"fault\"") },
    Fault { lines: "flip 90 7", seen: (EVENTS, "event=\"fault\"") },
    Fault { lines: "flip 400 13", seen: (EVENTS, "event=\"fault\"") },
    Fault { lines: "flip 700 30", seen: (EVENTS, "event=\"fault\"") },
    Fault { lines: "out-of-memory", seen: (EVENTS, "event=\"out_of_memory\"") },
    Fault { lines: "lost", seen: (WORKERS, "event=\"died\"") },
    Fault { lines: "hang", seen: (WORKERS, "event=\"hung\"") },
];

struct Asked {
    work: Arc<Work>,
    right: Output,
}

/// A sidecar with one double of a GPU, and the faults of that.
fn sidecar() -> (Sidecar, Faults) {
    let faults = Faults::none();
    let mut environment = doubles(1);
    environment.push(faults.variable());
    (Sidecar::start_with_environment(CONFIG, environment), faults)
}

fn asked() -> [Asked; 3] {
    OPERATIONS.map(|operation| {
        let work = Arc::new(planted::work(operation, &planted::mixed(ITEMS)).expect("planted items"));
        let right = registry::run(&work, 0..ITEMS);
        Asked { work, right }
    })
}

/// Whether the device answered; what it says is right.
async fn is_answered(client: &Client, asked: &Asked) -> bool {
    let options = CallOptions { deadline: Some(DEADLINE), ..on(Backend::Cuda) };
    match client.run(asked.work.clone(), options).await {
        Ok(answer) => {
            assert_eq!(answer.output, asked.right, "{:?}", asked.work.operation());
            true
        }
        Err(_) => false,
    }
}

async fn all_is_well(client: &Client, asked: &[Asked]) {
    for one in asked {
        assert_eq!(answer_by(client, Backend::Cuda, &one.work).await, one.right, "{:?}", one.work.operation());
    }
}

#[test]
fn no_fault_of_a_driver_becomes_an_answer() {
    let _alone = alone();
    let (sidecar, faults) = sidecar();
    let asked = asked();
    runtime().block_on(async {
        let client = sidecar.client().await;
        all_is_well(&client, &asked).await;
        for Fault { lines, seen } in FAULTS {
            let before = sidecar.metric(seen.0, &["backend=\"cuda\"", seen.1]);
            faults.begin(lines);
            let mut refused = 0;
            for one in &asked {
                refused += u32::from(!is_answered(&client, one).await);
                let answer = client.run(one.work.clone(), CallOptions::default()).await.expect("the cores are there");
                assert_eq!(answer.output, one.right, "{lines}");
            }
            assert!(refused > 0, "{lines}: nobody noticed");
            until_metric(&sidecar, seen.0, &["backend=\"cuda\"", seen.1], before + 1.0).await;
            faults.end();
            all_is_well(&client, &asked).await;
            println!("{lines}: {refused} of {} forced calls refused, none answered wrongly; it is back", asked.len());
        }
        for event in ["planted", "audit"] {
            assert_eq!(sidecar.metric(EVENTS, &[&format!("event=\"{event}\"")]), 0.0, "no kernel computed wrong");
        }
    });
}

/// Tags are right then: planted items and the audit see it, and the device is left alone until it passes its trials.
#[test]
fn a_kernel_that_computes_wrong_is_found_out_and_comes_back() {
    let _alone = alone();
    let (sidecar, faults) = sidecar();
    let asked = asked();
    let computed_wrong = |sidecar: &Sidecar| {
        sidecar.metric(EVENTS, &["event=\"audit\""]) + sidecar.metric(EVENTS, &["event=\"planted\""])
    };
    runtime().block_on(async {
        let client = sidecar.client().await;
        all_is_well(&client, &asked).await;
        faults.begin("wrong 40 3");
        // Whichever items the bit falls on: an answer that is given is right.
        while computed_wrong(&sidecar) == 0.0 {
            for one in &asked {
                is_answered(&client, one).await;
                let answer = client.run(one.work.clone(), CallOptions::default()).await.expect("the cores are there");
                assert_eq!(answer.output, one.right);
            }
        }
        assert!(!is_answered(&client, &asked[0]).await, "it is in quarantine");
        faults.end();
        all_is_well(&client, &asked).await;
    });
    let log = sidecar.log();
    assert!(log.contains("a device computed wrong"), "{log}");
}
