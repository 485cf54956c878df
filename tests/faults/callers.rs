//! Callers that vanish, dawdle, or will not wait.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use outrigger_client::{CallOptions, ClientError};
use outrigger_proto::v1;
use outrigger_proto::v1::signature_service_client::SignatureServiceClient;
use outrigger_types::Ruleset;
use tokio_stream::wrappers::ReceiverStream;

use crate::support::command::{outrigger, program};
use crate::support::load::{Known, runtime};
use crate::support::sidecar::{PATIENCE, Sidecar, until};
use crate::support::workload::{as_file, as_work, items};

/// Some seconds of work for one thread: one signature of BLS again and again, with no memory of verdicts.
const MANY: usize = 3_000;
const CONFIG: &str = "[threads]\nverify = 1\n[scheduler]\ncache_entries = 0\n";

fn many() -> Vec<crate::support::signers::Signed> {
    let one = items(Ruleset::EthereumConsensus, 1, 0, 1).remove(0);
    vec![one; MANY]
}

fn wait_until_admitted(sidecar: &Sidecar) {
    until("the work is admitted", || (sidecar.metric("outrigger_inflight_items", &[]) > 0.0).then_some(()));
}

fn assert_given_up(sidecar: &Sidecar) {
    sidecar.wait_until_idle();
    let judged = sidecar.metric("outrigger_items_total", &["operation=\"verify\"", "ethereum-consensus"]);
    assert!(judged < MANY as f64, "work that nobody waits for is given up, but all {judged} items were judged");
}

#[test]
fn a_caller_that_is_killed_holds_nothing() {
    let sidecar = Sidecar::start_with(CONFIG);
    let endpoint = sidecar.endpoint();
    let mut child = program()
        .args(["verify", "--ruleset", "ethereum-consensus", "--items", "-", "--endpoint", &endpoint])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the caller starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(as_file(Ruleset::EthereumConsensus, &many()).as_bytes()).expect("the items");
    drop(stdin);
    wait_until_admitted(&sidecar);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert_given_up(&sidecar);
}

#[test]
fn a_call_that_is_dropped_holds_nothing() {
    let sidecar = Sidecar::start_with(CONFIG);
    let runtime = runtime();
    let client = runtime.block_on(sidecar.client());
    let work = as_work(Ruleset::EthereumConsensus, &many());
    let call = runtime.spawn({
        let client = client.clone();
        async move { client.run(work, CallOptions::default()).await }
    });
    wait_until_admitted(&sidecar);
    call.abort();
    assert_given_up(&sidecar);
}

#[test]
fn a_deadline_too_short_ends_the_call_and_the_work() {
    let sidecar = Sidecar::start_with(CONFIG);
    let runtime = runtime();
    let client = runtime.block_on(sidecar.client());
    let work = as_work(Ruleset::EthereumConsensus, &many());
    for deadline in [1, 100] {
        let deadline = Duration::from_millis(deadline);
        let since = Instant::now();
        let call = CallOptions { deadline: Some(deadline), ..CallOptions::default() };
        let result = runtime.block_on(client.run(work.clone(), call));
        let took = since.elapsed();
        println!("a deadline of {deadline:?} ended after {took:?}");
        assert!(matches!(result, Err(ClientError::DeadlineExceeded(_))), "{result:?}");
        assert!(took < deadline + Duration::from_millis(500), "{took:?}");
    }
    assert_given_up(&sidecar);
    let endpoint = sidecar.endpoint();
    let command = ["verify", "--ruleset", "ethereum-consensus", "--items", "-", "--timeout-ms", "1"];
    let ran =
        outrigger(&[&command[..], &["--endpoint", &endpoint]].concat(), &as_file(Ruleset::EthereumConsensus, &many()));
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("deadline"), "{}", ran.stderr);
}

/// A message of ten thousand items that cost next to nothing: keys and signatures of zeros.
fn zeros(id: u64) -> v1::VerifyStreamRequest {
    const COUNT: usize = 10_000;
    let column = |bytes: usize| Some(v1::Column { data: vec![0; COUNT * bytes].into(), lengths: Vec::new() });
    let batch = v1::VerifyBatchRequest {
        ruleset: Ruleset::SolanaEd25519.number(),
        count: COUNT as u32,
        keys: column(32).map(v1::verify_batch_request::Keys::PublicKeys),
        signatures: column(64),
        messages: column(1),
        ..Default::default()
    };
    v1::VerifyStreamRequest { id, batch: Some(batch) }
}

#[test]
fn a_caller_that_does_not_read_is_held_back_and_holds_nothing() {
    let sidecar = Sidecar::start_with(&format!("{CONFIG}[limits]\nstream_window = 4\n"));
    let runtime = runtime();
    let before = sidecar.memory_kib().0;
    let _within = runtime.enter();
    // A window of a few answers: what the transport holds for it is soon full.
    let endpoint = tonic::transport::Endpoint::from_shared(sidecar.endpoint()).expect("an endpoint");
    let channel = endpoint.initial_stream_window_size(65_535).initial_connection_window_size(65_535).connect_lazy();
    let mut slow = SignatureServiceClient::new(channel);
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let sending = runtime.spawn(async move {
        for id in 0..10_000 {
            // Fails when the stream is over.
            if sender.send(zeros(id)).await.is_err() {
                break;
            }
        }
    });
    let mut answers =
        runtime.block_on(slow.verify_stream(ReceiverStream::new(receiver))).expect("a stream").into_inner();
    // It reads nothing now. What it has sent is worked off, and what it would send stays with it.
    let mut last = -1.0;
    until("the stream stands still", || {
        let judged = sidecar.metric("outrigger_items_total", &["solana-ed25519"]);
        std::thread::sleep(Duration::from_millis(300));
        (std::mem::replace(&mut last, judged) == judged && judged > 0.0).then_some(())
    });
    sidecar.wait_until_idle();
    let highest = sidecar.memory_kib().1;
    println!("a stream that is not read stands after {last} items; {highest} KiB at the highest, {before} before");
    assert!(last < 100_000_000.0, "the sidecar took everything");
    assert!(highest < before + 128 * 1024, "{highest} KiB after {before}");
    // Others are served meanwhile, and it gets all answers once it reads.
    let client = runtime.block_on(sidecar.client());
    let known = Known::new(Ruleset::Fabric, &items(Ruleset::Fabric, 20, 3, 5));
    let answer = runtime.block_on(client.run(known.work.clone(), CallOptions::default())).expect("an answer");
    assert_eq!(answer.output.verdicts[..], known.expected[..]);
    for _ in 0..50 {
        let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, answers.message()).await });
        let answer = answer.expect("answers come").expect("the stream lives").expect("it has not ended");
        assert_eq!((answer.verdicts.len(), answer.error), (10_000, None));
    }
    // And it may leave in the midst of it.
    drop((answers, slow));
    sending.abort();
    sidecar.wait_until_idle();
}
