//! Every call with good input.

use outrigger_proto::v1;
use outrigger_proto::v1::admin_service_client::AdminServiceClient;
use outrigger_proto::v1::hash_service_client::HashServiceClient;
use outrigger_types::Ruleset;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::{Echo, batch, start};

fn column(items: &[&[u8]]) -> Option<v1::Column> {
    let lengths = items.iter().map(|item| item.len() as u32).collect();
    Some(v1::Column { data: items.concat().into(), lengths })
}

#[tokio::test]
async fn verdicts_come_back_in_order() {
    let fixture = start(&Echo::open(), |_| {}).await;
    let mut request = batch(4, 1);
    // Items that say their lengths may have any: the verdict is the engine's.
    request.signatures = column(&[&[2; 65], &[1; 64], &[3], &[]]);
    let answer = fixture.signatures().await.verify_batch(request).await.expect("verdicts").into_inner();
    assert_eq!(answer.verdicts.as_ref(), [2, 1, 3, 3]);
}

#[tokio::test]
async fn a_batch_of_nothing_is_answered_with_nothing() {
    let echo = Echo::open();
    let fixture = start(&echo, |_| {}).await;
    let answer = fixture.signatures().await.verify_batch(batch(0, 1)).await.expect("no verdicts").into_inner();
    assert!(answer.verdicts.is_empty());
    assert_eq!(echo.begun(), 0);
}

#[tokio::test]
async fn recovery_gives_what_was_asked_for() {
    let fixture = start(&Echo::open(), |_| {}).await;
    let request = v1::RecoverBatchRequest {
        ruleset: Ruleset::EthereumTransaction.number(),
        count: 3,
        signatures: batch(3, 1).signatures,
        digests: batch(3, 1).messages,
        want_addresses: true,
        ..Default::default()
    };
    let mut client = fixture.signatures().await;
    let answer = client.recover_batch(request.clone()).await.expect("an answer").into_inner();
    assert_eq!((answer.verdicts.len(), answer.addresses.len(), answer.public_keys.len()), (3, 60, 0));
    let request = v1::RecoverBatchRequest { want_addresses: false, want_public_keys: true, ..request };
    let answer = client.recover_batch(request).await.expect("an answer").into_inner();
    assert_eq!((answer.addresses.len(), answer.public_keys.len()), (0, 192));
}

#[tokio::test]
async fn key_sets_are_registered_used_and_dropped() {
    let fixture = start(&Echo::open(), |_| {}).await;
    let mut client = fixture.signatures().await;
    let v1::VerifyBatchRequest { ruleset, keys, .. } = batch(2, 1);
    let Some(v1::verify_batch_request::Keys::PublicKeys(public_keys)) = keys else { panic!("inline keys") };
    let put = v1::PutKeySetRequest { ruleset, count: 2, public_keys: Some(public_keys) };
    let key_set = client.put_key_set(put).await.expect("a name").into_inner().key_set;
    assert_eq!(key_set.len(), 64);
    let with_indices = |indices: Vec<u32>| {
        let keys = v1::KeyIndices { key_set: key_set.clone(), indices };
        v1::VerifyBatchRequest { keys: Some(v1::verify_batch_request::Keys::KeyIndices(keys)), ..batch(3, 1) }
    };
    let answer = client.verify_batch(with_indices(vec![1, 0, 1])).await.expect("verdicts").into_inner();
    assert_eq!(answer.verdicts.as_ref(), [1, 1, 1]);
    let error = client.verify_batch(with_indices(vec![1, 2, 1])).await.expect_err("an index past the end");
    assert_eq!(error.code(), Code::InvalidArgument);
    client.drop_key_set(v1::DropKeySetRequest { key_set: key_set.clone() }).await.expect("dropped");
    let error = client.verify_batch(with_indices(vec![1, 0, 1])).await.expect_err("a set that was dropped");
    assert_eq!(error.code(), Code::NotFound);
    assert!(error.message().contains("PutKeySet"), "{}", error.message());
}

#[tokio::test]
async fn transactions_come_with_hashes_senders_authorities_and_root() {
    let fixture = start(&Echo::open(), |_| {}).await;
    let mut client = fixture.signatures().await;
    let request = |first: &[u8], second: &[u8]| v1::VerifyEthereumTransactionsRequest {
        count: 2,
        transactions: column(&[first, second]),
        want_transactions_root: true,
        ..Default::default()
    };
    let answer =
        client.verify_ethereum_transactions(request(&[0, 2, 9], &[5, 0])).await.expect("an answer").into_inner();
    assert_eq!(answer.verdicts.as_ref(), [1, 2]);
    assert_eq!(answer.reasons.as_ref(), [0, 5]);
    assert_eq!((answer.hashes.as_ref(), answer.senders.as_ref()), ([0xaa; 64].as_slice(), [0xbb; 40].as_slice()));
    assert_eq!(answer.transactions_root.as_ref(), [2; 32]);
    assert_eq!(answer.authorities.len(), 1);
    assert_eq!(answer.authorities[0].verdicts.as_ref(), [2, 1]);
    assert_eq!(answer.authorities[0].addresses.len(), 40);
    for reason in 1..=3 {
        let answer = client.verify_ethereum_transactions(request(&[0, 0], &[reason, 0])).await.expect("an answer");
        assert!(answer.get_ref().transactions_root.is_empty(), "a trie with a transaction of reason {reason}");
    }
}

#[tokio::test]
async fn hashes_and_trees() {
    let fixture = start(&Echo::open(), |_| {}).await;
    let mut client = HashServiceClient::new(fixture.channel().await);
    let request =
        v1::HashBatchRequest { algorithm: 1, count: 2, messages: column(&[&[4, 1], &[5]]), ..Default::default() };
    let answer = client.hash_batch(request).await.expect("digests").into_inner();
    assert_eq!(answer.digests.as_ref(), [[4; 32], [5; 32]].concat());
    assert_eq!(answer.verdicts.as_ref(), [1, 1]);

    let tree = v1::MerkleTreeHeader { tree: 1, algorithm: 1, ..Default::default() };
    let chunk = |count: u32| v1::LeafChunk { count, leaves: column(&vec![[1; 32].as_slice(); count as usize]) };
    let root = |part| v1::MerkleRootRequest { part: Some(part) };
    use v1::merkle_root_request::Part;
    let parts = vec![root(Part::Header(tree)), root(Part::Chunk(chunk(3))), root(Part::Chunk(chunk(4)))];
    let answer = client.merkle_root(tokio_stream::iter(parts)).await.expect("a root").into_inner();
    assert_eq!((answer.leaves, answer.root.as_ref()), (7, [7; 32].as_slice()));

    let proof = |index, count| {
        use v1::merkle_proof_request::Part;
        let header = v1::MerkleProofHeader { tree: Some(tree), index };
        let parts = [Part::Header(header), Part::Chunk(chunk(count))];
        tokio_stream::iter(parts.map(|part| v1::MerkleProofRequest { part: Some(part) }))
    };
    let answer = client.merkle_proof(proof(2, 3)).await.expect("a proof").into_inner();
    assert_eq!((answer.leaf_hash.as_ref(), answer.siblings.as_ref()), ([7; 32].as_slice(), [2; 32].as_slice()));
    assert_eq!(answer.sides.as_ref(), [1]);
    let error = client.merkle_proof(proof(3, 3)).await.expect_err("no such leaf");
    assert_eq!(error.code(), Code::InvalidArgument);
    let headless = vec![root(Part::Chunk(chunk(1)))];
    let error = client.merkle_root(tokio_stream::iter(headless)).await.expect_err("no header");
    assert_eq!(error.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn capabilities_health_and_reflection_answer() {
    let fixture = start(&Echo::open(), |_| {}).await;
    let channel = fixture.channel().await;
    let answer = AdminServiceClient::new(channel.clone())
        .get_capabilities(v1::GetCapabilitiesRequest {})
        .await
        .expect("capabilities")
        .into_inner();
    assert_eq!((answer.version.as_str(), answer.tenant.as_str()), ("1.2.3", "local"));
    assert_eq!(answer.rulesets.len(), 4);
    assert_eq!(answer.merkle_trees, [1, 6]);
    let ethereum = &answer.rulesets[0];
    assert_eq!((ethereum.version, ethereum.can_recover, ethereum.can_verify_sets), (3, true, false));
    let request = HealthCheckRequest { service: "outrigger.v1.SignatureService".to_owned() };
    let health = HealthClient::new(channel.clone()).check(request).await.expect("health").into_inner();
    assert_eq!(health.status, 1);

    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    use tonic_reflection::pb::v1::{ServerReflectionRequest, ServiceResponse};
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = ServerReflectionRequest { host: String::new(), message_request };
    let mut answers = ServerReflectionClient::new(channel)
        .server_reflection_info(tokio_stream::once(request))
        .await
        .expect("reflection")
        .into_inner();
    let answer = answers.message().await.expect("an answer").expect("one answer").message_response;
    let Some(MessageResponse::ListServicesResponse(services)) = answer else { panic!("a list of services") };
    let name = "outrigger.v1.HashService".to_owned();
    assert!(services.service.contains(&ServiceResponse { name }), "{services:?}");
}

#[tokio::test]
async fn proving_is_not_implemented() {
    let fixture = start(&Echo::open(), |_| {}).await;
    let mut client = v1::proof_service_client::ProofServiceClient::new(fixture.channel().await);
    let error = client.list_circuits(v1::ListCircuitsRequest {}).await.expect_err("no proving");
    assert_eq!(error.code(), Code::Unimplemented);
}
