//! Proofs, circuits and operations against the fake.

use std::io::Write;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use outrigger_groth16::engine::operations::Group;
use outrigger_types::{CircuitId, Curve};
use tonic::Code;
use zeroize::Zeroizing;

use super::fake::{Fake, Fault};
use super::{client, options};
use crate::{CallOptions, CircuitFiles, Client, ClientError, ProofEvent, ProofSecret, ProofStream};

const CIRCUIT: CircuitId = CircuitId([0xab; 32]);

fn secret(bytes: usize) -> ProofSecret {
    ProofSecret::Witness(Zeroizing::new((0..bytes).map(|i| (i / 7) as u8).collect()))
}

async fn started() -> (Fake, Client) {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    fake.state.calls.store(0, SeqCst);
    (fake, client)
}

async fn all(mut stream: ProofStream) -> Result<Vec<ProofEvent>, ClientError> {
    let mut events = Vec::new();
    while let Some(event) = stream.next().await? {
        events.push(event);
    }
    Ok(events)
}

#[tokio::test]
async fn a_proof_comes_with_its_steps_and_the_secret_arrives_whole() {
    let (fake, client) = started().await;
    // More than two chunks, and not a multiple of one.
    let secret = secret((5 << 19) + 3);
    let stream = client.prove(CIRCUIT, &secret, CallOptions::default()).await.expect("taken");
    let events = all(stream).await.expect("proved");
    let [queued, running, done] = &events[..] else { panic!("{events:?}") };
    assert_eq!(*queued, ProofEvent::Queued { position: 2 });
    assert_eq!(*running, ProofEvent::Running { stage: "msm_g1".to_owned(), percent: 60 });
    let ProofEvent::Done { proof, stages } = done else { panic!("{done:?}") };
    assert_eq!((proof.curve, proof.bytes.len(), &proof.public_signals[..]), (Curve::Bn254, 256, &[5; 32][..]));
    assert_eq!(*stages, [("ntt".to_owned(), Duration::from_micros(1_500))]);
    let ProofSecret::Witness(sent) = &secret else { panic!("a witness") };
    assert_eq!(*fake.state.brought.lock().unwrap(), **sent);
    assert_eq!(fake.state.chunks.load(SeqCst), 3);
    assert_eq!(fake.state.timeouts.lock().unwrap().last(), Some(&None), "a proof takes what it takes");
}

#[tokio::test]
async fn a_proof_can_be_made_in_another_task() {
    let (_fake, client) = started().await;
    let task = tokio::spawn(async move {
        let secret = ProofSecret::Inputs(Zeroizing::new(b"{}".to_vec()));
        all(client.prove(CIRCUIT, &secret, CallOptions::default()).await?).await
    });
    assert_eq!(task.await.expect("no panic").expect("proved").len(), 3);
}

#[tokio::test]
async fn a_sidecar_that_takes_nothing_now_is_asked_again() {
    let (fake, client) = started().await;
    fake.state.set(Fault::Refuse(Code::Unavailable, Some(Duration::from_millis(5))), 1);
    let job = client.submit_proof(CIRCUIT, &secret(10), CallOptions::default()).await.expect("taken");
    assert_eq!((job.as_str(), fake.state.calls.load(SeqCst)), ("done", 2));
    fake.state.set(Fault::Refuse(Code::PermissionDenied, None), 1);
    let error = client.submit_proof(CIRCUIT, &secret(10), CallOptions::default()).await.expect_err("refused");
    assert!(matches!(error, ClientError::PermissionDenied(_)), "{error}");
}

#[tokio::test]
async fn a_proof_that_fails_says_why_and_one_that_breaks_off_too() {
    let (fake, client) = started().await;
    for (fault, expected) in [
        (Fault::Lie, Code::InvalidArgument),
        (Fault::DieMidStream(0), Code::DataLoss),
        (Fault::WrongShape, Code::DataLoss),
    ] {
        fake.state.set(fault, 1);
        let stream = client.prove(CIRCUIT, &secret(10), CallOptions::default()).await.expect("taken");
        let error = all(stream).await.expect_err("no proof");
        assert_eq!(error.code(), expected, "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_deadline() {
    let (fake, client) = started().await;
    fake.state.set(Fault::Unprocessed, 1);
    let call = CallOptions { deadline: Some(Duration::from_millis(200)), ..CallOptions::default() };
    let mut stream = client.prove(CIRCUIT, &secret(10), call).await.expect("taken");
    let error = stream.next().await.expect_err("nothing comes");
    assert!(matches!(error, ClientError::DeadlineExceeded(_)), "{error}");
    assert_eq!(stream.next().await, Ok(None));
}

#[tokio::test]
async fn jobs_are_asked_after_watched_and_cancelled() {
    let (_fake, client) = started().await;
    assert_eq!(client.proof("queued").await, Ok(ProofEvent::Queued { position: 3 }));
    let running = ProofEvent::Running { stage: "ntt".to_owned(), percent: 40 };
    assert_eq!(client.proof("running").await, Ok(running));
    assert_eq!(client.proof("cancelled").await, Ok(ProofEvent::Cancelled));
    let failed = client.proof("failed").await.expect("an answer");
    assert!(matches!(&failed, ProofEvent::Failed(ClientError::InvalidArgument { .. })), "{failed:?}");
    assert!(matches!(client.proof("done").await, Ok(ProofEvent::Done { .. })));
    assert!(matches!(client.proof("none").await, Err(ClientError::NotFound(_))));
    assert!(matches!(client.proof("stateless").await, Err(ClientError::Protocol(_))));

    let events = all(client.watch_proof("failed").await.expect("a watch")).await.expect("watched");
    assert_eq!((events.len(), &events[2]), (3, &failed));
    assert!(matches!(client.watch_proof("none").await, Err(ClientError::NotFound(_))));
    client.cancel_proof("running").await.expect("cancelled");
    assert!(matches!(client.cancel_proof("none").await, Err(ClientError::NotFound(_))));
}

#[tokio::test]
async fn circuits_are_streamed_from_their_files() {
    let (fake, client) = started().await;
    let folder = tempfile::tempdir().expect("a directory");
    let file = |name: &str, byte: u8, bytes: usize| {
        let path = folder.path().join(name);
        std::fs::File::create(&path).and_then(|mut file| file.write_all(&vec![byte; bytes])).expect("written");
        path
    };
    let (zkey, r1cs) = (file("a.zkey", 1, (3 << 20) + 5), file("a.r1cs", 2, 100));
    let files = CircuitFiles { name: "merkle", zkey: &zkey, r1cs: Some(&r1cs), wasm: None };
    let added = client.add_circuit(files).await.expect("added");
    assert_eq!((added.id, added.name.as_str(), added.curve), (CIRCUIT, "merkle", Curve::Bn254));
    assert_eq!((added.proving_key_bytes, added.has_r1cs, added.has_wasm), ((3 << 20) + 5, true, false));
    let brought = fake.state.brought.lock().unwrap().clone();
    assert_eq!((brought.len(), brought[3 << 20], brought[brought.len() - 1]), ((3 << 20) + 105, 1, 2));

    assert_eq!(fake.state.announced.lock().unwrap().len(), 64);

    let missing = folder.path().join("none.wasm");
    let error = client.add_circuit(CircuitFiles { wasm: Some(&missing), ..files }).await.expect_err("no such file");
    assert!(matches!(error, ClientError::InvalidArgument { .. }) && error.to_string().contains("none.wasm"), "{error}");
}

#[tokio::test]
async fn circuits_are_listed_shown_and_removed() {
    let (fake, client) = started().await;
    let circuits = client.circuits().await.expect("a list");
    assert_eq!(circuits.iter().map(|circuit| circuit.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let (circuit, key) = client.circuit(CIRCUIT).await.expect("a circuit");
    assert_eq!((circuit, key.public_signals()), (circuits[0].clone(), Some(1)));
    assert!(matches!(client.circuit(CircuitId([1; 32])).await, Err(ClientError::NotFound(_))));
    client.remove_circuit(CIRCUIT).await.expect("removed");
    fake.state.set(Fault::WrongShape, 2);
    assert!(matches!(client.circuits().await, Err(ClientError::Protocol(_))));
    assert!(matches!(client.circuit(CIRCUIT).await, Err(ClientError::Protocol(_))));
}

#[tokio::test]
async fn operands_go_out_in_chunks_and_results_come_back_whole() {
    let (fake, client) = started().await;
    let (points, scalars) = (vec![3; 64 * 40_000], vec![4; 32 * 200]);
    let (point, took) = client.msm(Curve::Bn254, Group::G1, &points, &scalars, None).await.expect("a point");
    assert_eq!((point, took), (vec![200; 64], Duration::from_micros(12)));
    assert_eq!(*fake.state.brought.lock().unwrap(), points);
    let (point, _) = client.msm(Curve::Bn254, Group::G2, &[], &[], None).await.expect("a point");
    assert_eq!(point.len(), 128);
    let error = client.msm(Curve::Bls12_381, Group::G1, &[], &[], None).await.expect_err("a point of another curve");
    assert!(matches!(error, ClientError::Protocol(_)), "{error}");

    let elements: Vec<u8> = (0..32 * 65_536).map(|i| (i % 251) as u8).collect();
    let (result, took) = client.ntt(Curve::Bn254, &elements, true, false, None).await.expect("elements");
    assert!(result.iter().eq(elements.iter().rev()));
    assert_eq!(took, Duration::from_micros(34));
    for fault in [Fault::WrongShape, Fault::Lie] {
        fake.state.set(fault, 1);
        let error = client.ntt(Curve::Bn254, &elements, false, true, None).await.expect_err("another length");
        assert!(matches!(error, ClientError::Protocol(_)), "{error}");
    }
}

#[test]
fn a_secret_does_not_show_itself() {
    let secret = ProofSecret::Inputs(Zeroizing::new(b"{\"secret\": 7}".to_vec()));
    assert_eq!(format!("{secret:?}"), "Inputs(13 bytes)");
}
