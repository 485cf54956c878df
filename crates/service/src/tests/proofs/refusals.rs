//! Proof requests that are refused, and how they are told so.

use outrigger_proto::v1;
use outrigger_types::{CircuitId, CircuitRule, Priority};
use tonic::{Code, Status};

use super::{asked, code, fields, inputs, proof_header, prove, start, tenant, vector, witness};
use crate::tests::Echo;

#[tokio::test]
async fn messages_out_of_order_are_refused_by_field() {
    use v1::prove_request::Part;
    let sidecar = start(|setup| setup.service.limits.secret_bytes_max = 1_000).await;
    let circuit = sidecar.add().await;
    let mut client = sidecar.client().await;
    let wtns = vector("product.wtns");
    let header = || Part::Header(proof_header(&circuit));
    let chunk = || Part::Chunk(witness(&wtns));
    let cases: [(&str, Vec<Option<Part>>); 9] = [
        ("header", vec![]),
        ("header", vec![Some(chunk()), Some(header())]),
        ("header", vec![Some(header()), Some(chunk()), Some(header())]),
        ("chunk", vec![Some(header())]),
        ("chunk", vec![Some(header()), Some(Part::Chunk(witness(&[])))]),
        ("chunk", vec![Some(header()), Some(Part::Chunk(v1::SecretChunk::default()))]),
        ("chunk", vec![Some(header()), Some(chunk()), Some(Part::Chunk(inputs("{}")))]),
        ("part", vec![Some(header()), Some(chunk()), None]),
        ("header.circuit", vec![Some(Part::Header(proof_header("merkle"))), Some(chunk())]),
    ];
    for (field, parts) in cases {
        let messages = parts.into_iter().map(|part| v1::ProveRequest { part }).collect();
        let status = prove(&mut client, messages).await.expect_err(field);
        assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec![field.to_owned()]), "{status:?}");
    }
    let messages = asked(proof_header(&circuit), vec![witness(&[0; 600]), witness(&[0; 600])]);
    let status = prove(&mut client, messages).await.expect_err("too large");
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("1000 bytes"), "{}", status.message());
}

async fn refused(
    client: &mut v1::proof_service_client::ProofServiceClient<tonic::transport::Channel>,
    header: v1::ProofHeader,
    chunk: v1::SecretChunk,
) -> Status {
    prove(client, asked(header, vec![chunk])).await.expect_err("refused")
}

#[tokio::test]
async fn what_cannot_be_proved_is_refused_with_its_reason() {
    let sidecar = start(|_| {}).await;
    let circuit = sidecar.add().await;
    let mut client = sidecar.client().await;
    let wtns = vector("product.wtns");
    let unknown = refused(&mut client, proof_header(&"00".repeat(32)), witness(&wtns)).await;
    assert_eq!(unknown.code(), Code::NotFound);
    let short = refused(&mut client, proof_header(&circuit), witness(&wtns[..wtns.len() - 32])).await;
    assert_eq!(short.code(), Code::InvalidArgument, "{short:?}");
    let mut wrong = wtns.clone();
    let last = wrong.len() - 32;
    wrong[last] ^= 1;
    let unsatisfied = refused(&mut client, proof_header(&circuit), witness(&wrong)).await;
    assert_eq!(unsatisfied.code(), Code::InvalidArgument);
    assert!(unsatisfied.message().contains("constraint"), "{}", unsatisfied.message());
    let no_program = refused(&mut client, proof_header(&circuit), inputs("{}")).await;
    assert_eq!(no_program.code(), Code::FailedPrecondition, "{no_program:?}");
    for (header, expected) in [
        (v1::ProofHeader { backend: 4, ..proof_header(&circuit) }, Code::FailedPrecondition),
        (v1::ProofHeader { backend: 9, ..proof_header(&circuit) }, Code::InvalidArgument),
        (v1::ProofHeader { priority: 9, ..proof_header(&circuit) }, Code::InvalidArgument),
    ] {
        assert_eq!(refused(&mut client, header, witness(&wtns)).await.code(), expected);
    }
}

#[tokio::test]
async fn a_tenant_may_use_its_circuits_and_its_priorities_alone() {
    let rule = tenant(|policy| {
        policy.circuits = CircuitRule::Only([CircuitId([1; 32])].into());
        policy.priority_max = Priority::Mempool;
    });
    let sidecar = start(|setup| setup.service.tenants = vec![rule]).await;
    let mut client = sidecar.client().await;
    let chunk = || witness(&vector("product.wtns"));
    let denied = refused(&mut client, proof_header(&"02".repeat(32)), chunk()).await;
    assert_eq!(denied.code(), Code::PermissionDenied);
    let batch = v1::VerifyProofBatchRequest { circuit: "02".repeat(32), ..Default::default() };
    assert_eq!(code(client.verify_proof_batch(batch).await), Code::PermissionDenied);
    let absent = refused(&mut client, proof_header(&"01".repeat(32)), chunk()).await;
    assert_eq!(absent.code(), Code::NotFound);
    let urgent = v1::ProofHeader { priority: 3, ..proof_header(&"01".repeat(32)) };
    assert_eq!(refused(&mut client, urgent, chunk()).await.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn without_proving_only_verification_is_there() {
    let fixture = crate::tests::start(&Echo::open(), |_| {}).await;
    let mut client = v1::proof_service_client::ProofServiceClient::new(fixture.channel().await);
    assert_eq!(code(client.list_circuits(v1::ListCircuitsRequest {}).await), Code::Unimplemented);
    assert_eq!(code(prove(&mut client, Vec::new()).await), Code::Unimplemented);
    assert_eq!(code(client.get_proof(v1::GetProofRequest::default()).await), Code::Unimplemented);
    assert_eq!(code(client.add_circuit(tokio_stream::empty()).await), Code::Unimplemented);
    let batch = v1::VerifyProofBatchRequest { circuit: "00".repeat(32), ..Default::default() };
    assert_eq!(code(client.verify_proof_batch(batch).await), Code::Unimplemented);
}
