//! Adding, listing, showing and removing circuits.

use bytes::Bytes;
use outrigger_groth16::formats::json;
use outrigger_proto::v1;
use outrigger_proto::v1::add_circuit_request::Part;
use outrigger_types::{Call, CircuitId, CircuitRule};
use tonic::Code;

use super::{add, add_parts, code, fields, header, proof_header, start, tenant, vector};

#[tokio::test]
async fn a_circuit_is_added_listed_shown_and_removed() {
    let sidecar = start(|_| {}).await;
    let mut client = sidecar.client().await;
    let added = add(&mut client, &header("product", ""), &[("r1cs", vector("product.r1cs"))]).await.expect("added");
    assert_eq!((added.name.as_str(), added.curve, added.wires, added.public_signals), ("product", 1, 6, 3));
    assert_eq!((added.has_r1cs, added.has_wasm), (true, false));
    assert_eq!(added.proving_key_bytes, vector("product.zkey").len() as u64);
    let listed = client.list_circuits(v1::ListCircuitsRequest {}).await.expect("a list").into_inner().circuits;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].sha256, added.sha256);

    let ask = v1::GetCircuitRequest { sha256: added.sha256.clone() };
    let shown = client.get_circuit(ask.clone()).await.expect("a circuit").into_inner();
    let key = shown.verifying_key.expect("a key");
    let judge = json::read_verifying_key(&vector("verification_key.json")).expect("snarkjs's key");
    assert_eq!((key.curve, key.points), (1, judge.bytes));

    let remove = v1::RemoveCircuitRequest { sha256: added.sha256 };
    client.remove_circuit(remove.clone()).await.expect("removed");
    assert_eq!(code(client.get_circuit(ask).await), Code::NotFound);
    assert_eq!(code(client.remove_circuit(remove).await), Code::NotFound);
}

#[tokio::test]
async fn a_circuit_larger_than_the_memory_for_requests_passes_through() {
    let sidecar = start(|setup| setup.service.limits.body_bytes_max = 200_000).await;
    let mut client = sidecar.client().await;
    let mut parts = vec![Part::Header(header("large", "")), Part::ProvingKey(vector("product.zkey").into())];
    parts.extend((0..20).map(|_| Part::Wasm(Bytes::from(vec![0; 50_000]))));
    let added = add_parts(&mut client, parts).await.expect("a megabyte, piece by piece");
    assert!(added.has_wasm);
}

#[tokio::test]
async fn files_that_are_not_what_they_should_be_are_refused_by_field() {
    let sidecar = start(|_| {}).await;
    let mut client = sidecar.client().await;
    let zkey = || Part::ProvingKey(vector("product.zkey").into());
    let cases: [(&str, Vec<Part>); 7] = [
        ("header", vec![zkey()]),
        ("header", vec![Part::Header(header("a", "")), zkey(), Part::Header(header("a", ""))]),
        ("header.name", vec![Part::Header(header("a\nb", "")), zkey()]),
        ("header.sha256", vec![Part::Header(header("a", "xyz")), zkey()]),
        ("header.sha256", vec![Part::Header(header("a", &"00".repeat(32))), zkey()]),
        ("proving_key", vec![Part::Header(header("a", "")), Part::ProvingKey(vector("product.wtns").into())]),
        ("proving_key", vec![Part::Header(header("a", "")), Part::ProvingKey(vector("fresh.zkey").into())]),
    ];
    for (field, parts) in cases {
        let status = add_parts(&mut client, parts).await.expect_err(field);
        assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec![field.to_owned()]), "{status:?}");
    }
    let empty = vec![v1::AddCircuitRequest { part: Some(Part::Header(header("a", ""))) }, Default::default()];
    let status = client.add_circuit(tokio_stream::iter(empty)).await.expect_err("a message of nothing");
    assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["part".to_owned()]));
    assert!(client.list_circuits(v1::ListCircuitsRequest {}).await.expect("a list").into_inner().circuits.is_empty());
}

#[tokio::test]
async fn a_tenant_sees_its_circuits_and_no_others() {
    let own = CircuitId([1; 32]);
    let rule = tenant(|policy| policy.circuits = CircuitRule::Only([own].into()));
    let sidecar = start(|setup| setup.service.tenants = vec![rule]).await;
    let mut client = sidecar.client().await;
    let control = outrigger_groth16::Control::default();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../groth16/vectors/product/bn128/product.zkey");
    let other = sidecar.proving.store().add_files("other", folder.as_ref(), None, None, &control).expect("added").id;

    assert!(client.list_circuits(v1::ListCircuitsRequest {}).await.expect("a list").into_inner().circuits.is_empty());
    let get = |id: CircuitId| v1::GetCircuitRequest { sha256: id.to_string() };
    let there = client.get_circuit(get(other)).await.expect_err("not its own");
    let absent = client.get_circuit(get(CircuitId([2; 32]))).await.expect_err("not its own");
    assert_eq!((there.code(), absent.code()), (Code::PermissionDenied, Code::PermissionDenied));
    assert_eq!(there.message().replace(&other.to_string(), ""), absent.message().replace(&"02".repeat(32), ""));
    assert_eq!(code(client.get_circuit(get(own)).await), Code::NotFound);
    let remove = v1::RemoveCircuitRequest { sha256: other.to_string() };
    assert_eq!(code(client.remove_circuit(remove).await), Code::PermissionDenied);
    assert_eq!(code(add(&mut client, &header("x", &other.to_string()), &[]).await), Code::PermissionDenied);
    let status = add(&mut client, &header("x", ""), &[]).await.expect_err("not announced");
    assert_eq!(fields(&status), ["header.sha256"]);
}

#[tokio::test]
async fn each_family_of_calls_needs_its_permission() {
    let rule = tenant(|policy| policy.calls = [Call::Circuits].into());
    let sidecar = start(|setup| setup.service.tenants = vec![rule]).await;
    let mut client = sidecar.client().await;
    let circuit = add(&mut client, &header("product", ""), &[]).await.expect("added").sha256;
    client.get_circuit(v1::GetCircuitRequest { sha256: circuit.clone() }).await.expect("may look");
    let messages = super::asked(proof_header(&circuit), Vec::new());
    assert_eq!(code(super::prove(&mut client, messages).await), Code::PermissionDenied);
    let job = "x".to_owned();
    assert_eq!(code(client.get_proof(v1::GetProofRequest { job }).await), Code::PermissionDenied);
    let batch = v1::VerifyProofBatchRequest { circuit, ..Default::default() };
    assert_eq!(code(client.verify_proof_batch(batch).await), Code::PermissionDenied);
    assert_eq!(code(client.msm(tokio_stream::empty()).await), Code::PermissionDenied);

    let rule = tenant(|policy| policy.calls = [Call::Prove].into());
    let sidecar = start(|setup| setup.service.tenants = vec![rule]).await;
    let mut client = sidecar.client().await;
    assert_eq!(code(add(&mut client, &header("product", ""), &[]).await), Code::PermissionDenied);
    client.list_circuits(v1::ListCircuitsRequest {}).await.expect("may look");

    let rule = tenant(|policy| policy.calls = [Call::Hash].into());
    let sidecar = start(|setup| setup.service.tenants = vec![rule]).await;
    let mut client = sidecar.client().await;
    assert_eq!(code(client.list_circuits(v1::ListCircuitsRequest {}).await), Code::PermissionDenied);
}
