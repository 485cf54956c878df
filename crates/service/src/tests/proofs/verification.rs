//! `VerifyProofBatch`, and what `GetCapabilities` tells of proofs.

use outrigger_groth16::formats::json;
use outrigger_proto::v1;
use outrigger_types::{Output, Rejection, Verdict};
use tonic::Code;

use super::{code, fields, proved, start, vector};
use crate::state::Executor;
use crate::tests::vocabulary;

const VALID: u8 = Verdict::Valid as u8;
const INVALID: u8 = Verdict::Invalid as u8;
const MALFORMED: u8 = Verdict::Malformed as u8;

/// snarkjs's proof of the circuit, and the key that verifies it.
fn snarkjs() -> (v1::Proof, v1::VerifyingKey) {
    let proof = json::read_proof(&vector("proof.json"), &vector("public.json")).expect("a proof");
    let key = json::read_verifying_key(&vector("verification_key.json")).expect("a key");
    let proof = v1::Proof { curve: 1, proof: proof.bytes.into(), public_signals: proof.public_signals.into() };
    (proof, v1::VerifyingKey { curve: 1, points: key.bytes })
}

/// Proofs as columns that say the length of each item.
fn batch(proofs: &[v1::Proof]) -> v1::VerifyProofBatchRequest {
    let column = |of: fn(&v1::Proof) -> &[u8]| {
        let lengths = proofs.iter().map(|proof| of(proof).len() as u32).collect();
        Some(v1::Column { data: proofs.iter().flat_map(of).copied().collect::<Vec<_>>().into(), lengths })
    };
    v1::VerifyProofBatchRequest {
        count: proofs.len() as u32,
        proofs: column(|proof| &proof.proof),
        public_signals: column(|proof| &proof.public_signals),
        ..Default::default()
    }
}

/// The same without lengths: all items are as long as the first.
fn packed(proofs: &[v1::Proof]) -> v1::VerifyProofBatchRequest {
    let without = |column: Option<v1::Column>| column.map(|column| v1::Column { lengths: Vec::new(), ..column });
    let batch = batch(proofs);
    let (proofs, public_signals) = (without(batch.proofs), without(batch.public_signals));
    v1::VerifyProofBatchRequest { count: batch.count, proofs, public_signals, ..Default::default() }
}

#[tokio::test]
async fn proofs_get_a_verdict_each_by_circuit_or_by_key() {
    let sidecar = start(|_| {}).await;
    let circuit = sidecar.add().await;
    let mut client = sidecar.client().await;
    let own = proved(&mut client, &circuit).await;
    let (foreign, key) = snarkjs();
    let mut signals = own.public_signals.to_vec();
    signals[31] ^= 1;
    let whole = [
        own.clone(),
        foreign.clone(),
        v1::Proof { public_signals: signals.into(), ..own.clone() },
        v1::Proof { proof: vec![0xff; 256].into(), ..own.clone() },
    ];
    let cut = [
        v1::Proof { proof: own.proof.slice(1..), ..own.clone() },
        v1::Proof { proof: bytes::Bytes::new(), ..own.clone() },
        v1::Proof { public_signals: own.public_signals.slice(32..), ..own },
        foreign,
    ];
    let with_cut = [whole.as_slice(), &cut].concat();
    let expected = [VALID, VALID, INVALID, MALFORMED, MALFORMED, MALFORMED, MALFORMED, VALID];
    for request in [packed(&whole), batch(&whole), batch(&with_cut)] {
        let by_circuit = v1::VerifyProofBatchRequest { circuit: circuit.clone(), ..request.clone() };
        let by_key = v1::VerifyProofBatchRequest { verifying_key: Some(key.clone()), ..request };
        // Twice by the key: the second time it is known.
        for request in [by_circuit, by_key.clone(), by_key] {
            let count = request.count as usize;
            let answer = client.verify_proof_batch(request).await.expect("verdicts").into_inner();
            assert_eq!(answer.verdicts.as_ref(), &expected[..count]);
        }
    }
}

#[tokio::test]
async fn requests_without_a_usable_key_are_refused() {
    let sidecar = start(|setup| setup.service.limits.items_max = 3).await;
    let mut client = sidecar.client().await;
    let (proof, key) = snarkjs();
    let base = batch(std::slice::from_ref(&proof));
    let with = |key: v1::VerifyingKey| v1::VerifyProofBatchRequest { verifying_key: Some(key), ..base.clone() };
    let mut off_curve = key.points.to_vec();
    off_curve[63] ^= 1;
    let cases = [
        ("circuit", base.clone()),
        ("verifying_key", v1::VerifyProofBatchRequest { circuit: "00".repeat(32), ..with(key.clone()) }),
        ("verifying_key.curve", with(v1::VerifyingKey { curve: 0, ..key.clone() })),
        ("verifying_key.points", with(v1::VerifyingKey { points: key.points.slice(1..), ..key.clone() })),
        ("verifying_key.points", with(v1::VerifyingKey { points: off_curve.into(), ..key.clone() })),
        ("circuit", v1::VerifyProofBatchRequest { circuit: "product".to_owned(), ..base.clone() }),
    ];
    for (field, request) in cases {
        let status = client.verify_proof_batch(request).await.expect_err(field);
        assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec![field.to_owned()]), "{status:?}");
    }
    let unknown = v1::VerifyProofBatchRequest { circuit: "00".repeat(32), ..base.clone() };
    assert_eq!(code(client.verify_proof_batch(unknown).await), Code::NotFound);
    let many = v1::VerifyProofBatchRequest { verifying_key: Some(key.clone()), ..packed(&vec![proof; 4]) };
    assert_eq!(code(client.verify_proof_batch(many).await), Code::ResourceExhausted);
    let signals = v1::VerifyingKey { points: vec![0; 14 * 32 + 64 * 4_098].into(), ..key.clone() };
    assert_eq!(code(client.verify_proof_batch(with(signals)).await), Code::ResourceExhausted);
    let none = v1::VerifyProofBatchRequest { verifying_key: Some(key), ..Default::default() };
    assert!(client.verify_proof_batch(none).await.expect("no verdicts").into_inner().verdicts.is_empty());
}

#[tokio::test]
async fn columns_that_are_no_proofs_are_refused() {
    let sidecar = start(|_| {}).await;
    let mut client = sidecar.client().await;
    let (proof, key) = snarkjs();
    let good = v1::VerifyProofBatchRequest { verifying_key: Some(key), ..packed(&[proof.clone(), proof]) };
    let proofs = |column: v1::Column| v1::VerifyProofBatchRequest { proofs: Some(column), ..good.clone() };
    let data = |bytes: usize| v1::Column { data: vec![1; bytes].into(), lengths: Vec::new() };
    let both = ["proofs".to_owned(), "public_signals".to_owned()];
    let cases = [
        (&both[..1], v1::VerifyProofBatchRequest { proofs: None, ..good.clone() }),
        (&both[1..], v1::VerifyProofBatchRequest { public_signals: None, ..good.clone() }),
        (&both[..], v1::VerifyProofBatchRequest { count: 3, ..good.clone() }),
        (&both[..], v1::VerifyProofBatchRequest { count: 0, ..good.clone() }),
        (&both[..1], proofs(data(2 * 384))),
        (&both[..1], proofs(data(511))),
        (&both[..1], proofs(v1::Column { lengths: vec![256], ..data(512) })),
        (&both[..1], proofs(v1::Column { lengths: vec![256, 255], ..data(512) })),
        (&both[..1], proofs(v1::Column { lengths: vec![u32::MAX, 513], ..data(512) })),
    ];
    for (named, request) in cases {
        let status = client.verify_proof_batch(request).await.expect_err("refused");
        assert_eq!((status.code(), fields(&status).as_slice()), (Code::InvalidArgument, named), "{status:?}");
    }
}

#[tokio::test]
async fn proofs_without_a_verdict_are_an_error_and_no_answer() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = crate::options::ServiceOptions::on_unix(directory.path().join("o.sock"), "1");
    let path = options.listeners.unix.as_ref().expect("a socket").path.clone();
    let undecided = |request: outrigger_scheduler::Request| -> crate::state::Submitted {
        Box::pin(async move { Ok::<_, Rejection>(Output::unprocessed(request.work.operation(), request.work.items())) })
    };
    let executor = Executor::stand_in(undecided, vocabulary());
    let running = crate::server::Server::start_with(options, executor).await.expect("a server");
    let connect = tower::service_fn(move |_| {
        let path = path.clone();
        async move { tokio::net::UnixStream::connect(path).await.map(hyper_util::rt::TokioIo::new) }
    });
    let channel = tonic::transport::Endpoint::from_static("http://localhost").connect_with_connector(connect).await;
    let mut client = v1::proof_service_client::ProofServiceClient::new(channel.expect("a connection"));
    let (proof, key) = snarkjs();
    let request = v1::VerifyProofBatchRequest { verifying_key: Some(key), ..packed(&[proof]) };
    assert_eq!(code(client.verify_proof_batch(request).await), Code::Internal);
    drop(running);
}

#[tokio::test]
async fn capabilities_tell_of_proofs() {
    let sidecar = start(|_| {}).await;
    let path = sidecar.path.clone();
    let connect = tower::service_fn(move |_| {
        let path = path.clone();
        async move { tokio::net::UnixStream::connect(path).await.map(hyper_util::rt::TokioIo::new) }
    });
    let channel = tonic::transport::Endpoint::from_static("http://localhost").connect_with_connector(connect).await;
    let mut client = v1::admin_service_client::AdminServiceClient::new(channel.expect("a connection"));
    let told = client.get_capabilities(v1::GetCapabilitiesRequest {}).await.expect("capabilities").into_inner();
    assert_eq!(told.proof_curves, [1, 2]);
    let proving = told.proving.expect("it proves");
    assert_eq!((proving.curves, proving.backends, proving.secret_bytes_max), (vec![1, 2], vec![1], 256 << 20));
}
