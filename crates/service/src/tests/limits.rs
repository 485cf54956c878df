//! Requests that are refused, and how they are told so.

use std::time::Duration;

use outrigger_proto::v1;
use outrigger_types::Ruleset;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::{Echo, batch, start};

async fn refused(adapt: impl FnOnce(&mut v1::VerifyBatchRequest)) -> Status {
    let echo = Echo::open();
    let fixture = start(&echo, |_| {}).await;
    let mut request = batch(2, 1);
    adapt(&mut request);
    let error = fixture.signatures().await.verify_batch(request).await.expect_err("a refusal");
    assert_eq!(echo.begun(), 0, "refused before any work");
    error
}

fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let Some(bad) = details.bad_request() else { return Vec::new() };
    bad.field_violations.iter().map(|violation| violation.field.clone()).collect()
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let status = refused(|request| {
        request.signatures.as_mut().expect("a column").data = vec![1; 2 * 64].into();
        request.messages.as_mut().expect("a column").lengths = vec![32];
        request.identity = vec![1].into();
        request.keys = None;
    })
    .await;
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(fields(&status), ["signatures", "messages", "identity", "public_keys"]);
    assert!(status.message().contains("65"), "says which lengths fit: {}", status.message());
}

#[tokio::test]
async fn numbers_that_mean_nothing_are_refused() {
    type Adapt = fn(&mut v1::VerifyBatchRequest);
    let cases: [(Adapt, &str); 7] = [
        (|request| request.ruleset = 0, "ruleset"),
        (|request| request.ruleset = 99, "ruleset"),
        (|request| request.ruleset_version = 2, "ruleset_version"),
        (|request| request.priority = 9, "priority"),
        (|request| request.backend = 9, "backend"),
        (|request| request.message_form = 1, "message_form"),
        (|request| request.count = 3, "signatures"),
    ];
    for (adapt, field) in cases {
        let status = refused(adapt).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        assert_eq!(fields(&status).first().map(String::as_str), Some(field));
    }
}

#[tokio::test]
async fn a_ruleset_of_two_forms_wants_to_know_which() {
    let status = refused(|request| {
        request.ruleset = Ruleset::Fabric.number();
        request.keys = Some(v1::verify_batch_request::Keys::PublicKeys(v1::Column {
            data: vec![1; 2 * 65].into(),
            lengths: Vec::new(),
        }));
    })
    .await;
    assert_eq!(fields(&status), ["message_form"]);
}

#[tokio::test]
async fn too_many_items_are_too_large_however_few_their_bytes() {
    let status = refused(|request| {
        *request = v1::VerifyBatchRequest { count: u32::MAX, ruleset: request.ruleset, ..Default::default() };
    })
    .await;
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("65536"), "{}", status.message());
    assert!(status.get_details_retry_info().is_none(), "trying again would not help");
}

#[tokio::test]
async fn an_oversized_message_names_the_limit() {
    let fixture = start(&Echo::open(), |options| options.limits.message_bytes_max = 10_000).await;
    let mut client = fixture.signatures().await;
    let status = client.verify_batch(batch(1_000, 1)).await.expect_err("too large");
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("10000 bytes"), "{}", status.message());
    assert_eq!(status.get_details_error_info().map(|info| info.reason), Some("too_large".to_owned()));
    client.verify_batch(batch(10, 1)).await.expect("the connection goes on");
}

#[tokio::test]
async fn bodies_over_the_common_budget_are_told_to_come_back() {
    let fixture = start(&Echo::open(), |options| options.limits.body_bytes_max = 10_000).await;
    let mut client = fixture.signatures().await;
    let status = client.verify_batch(batch(1_000, 1)).await.expect_err("over the budget");
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.get_details_retry_info().is_some());
    assert!(status.metadata().contains_key("grpc-retry-pushback-ms"));
    client.verify_batch(batch(10, 1)).await.expect("the budget is free again");
}

#[tokio::test]
async fn streams_count_against_the_common_budget_until_their_messages_are_read() {
    let fixture = start(&Echo::open(), |options| options.limits.body_bytes_max = 150_000).await;
    let mut client = fixture.signatures().await;
    let message = |id, count| v1::VerifyStreamRequest { id, batch: Some(batch(count, 1)) };
    let small = tokio_stream::iter((0..200).map(move |id| message(id, 10)).collect::<Vec<_>>());
    let mut answers = client.verify_stream(small).await.expect("a stream").into_inner();
    for _ in 0..200 {
        let answer = answers.message().await.expect("the stream goes on").expect("an answer");
        assert_eq!(answer.error, None);
    }
    let large = tokio_stream::once(message(0, 1_000));
    let mut answers = client.verify_stream(large).await.expect("a stream").into_inner();
    let status = answers.message().await.expect_err("over the budget");
    // By the budget of all or by the tenant's half of it, as the bytes come.
    assert!(matches!(status.code(), Code::Unavailable | Code::ResourceExhausted), "{status:?}");
    assert!(status.get_details_retry_info().is_some());
    client.verify_batch(batch(10, 1)).await.expect("the budget is free again");
}

#[tokio::test]
async fn one_tenant_holds_half_of_the_common_budget_at_most() {
    let fixture = start(&Echo::open(), |options| options.limits.body_bytes_max = 100_000).await;
    let mut client = v1::hash_service_client::HashServiceClient::new(fixture.channel().await);
    use v1::merkle_root_request::Part;
    let header = Part::Header(v1::MerkleTreeHeader { tree: 1, algorithm: 1, ..Default::default() });
    let leaves = Some(v1::Column { data: vec![1; 64_000].into(), lengths: Vec::new() });
    let parts = [header, Part::Chunk(v1::LeafChunk { count: 2_000, leaves })];
    let parts = parts.map(|part| v1::MerkleRootRequest { part: Some(part) });
    let status = client.merkle_root(tokio_stream::iter(parts)).await.expect_err("more than half");
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.get_details_retry_info().is_some());
    assert_eq!(status.get_details_error_info().map(|info| info.reason), Some("tenant_quota".to_owned()));
}

#[tokio::test]
async fn a_deadline_ends_as_such_and_frees_the_work() {
    let echo = Echo::with(0, Duration::ZERO);
    let fixture = start(&echo, |_| {}).await;
    let mut request = Request::new(batch(1, 1));
    request.metadata_mut().insert("grpc-timeout", "50m".parse().expect("a value"));
    let status = fixture.untimed_signatures().await.verify_batch(request).await.expect_err("too late");
    assert_eq!(status.code(), Code::DeadlineExceeded);
    super::eventually("the work is dropped", || echo.in_flight.load(std::sync::atomic::Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_timeout_that_is_none_is_refused() {
    let fixture = start(&Echo::open(), |_| {}).await;
    let mut request = Request::new(batch(1, 1));
    request.metadata_mut().insert("grpc-timeout", "soon".parse().expect("a value"));
    let status = fixture.signatures().await.verify_batch(request).await.expect_err("no timeout");
    assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["grpc-timeout".to_owned()]));
}

#[tokio::test]
async fn merkle_streams_are_bounded_over_all_chunks() {
    let fixture = start(&Echo::open(), |options| options.limits.merkle_bytes_max = 1_024).await;
    let mut client = v1::hash_service_client::HashServiceClient::new(fixture.channel().await);
    use v1::merkle_root_request::Part;
    let chunk = |count: u32, bytes: usize| {
        let leaves = Some(v1::Column { data: vec![1; bytes].into(), lengths: Vec::new() });
        Part::Chunk(v1::LeafChunk { count, leaves })
    };
    let header = Part::Header(v1::MerkleTreeHeader { tree: 1, algorithm: 1, ..Default::default() });
    for chunks in [vec![chunk(16, 512), chunk(17, 544)], vec![chunk(1_000_000, 0)]] {
        let parts: Vec<_> = std::iter::once(header.clone())
            .chain(chunks)
            .map(|part| v1::MerkleRootRequest { part: Some(part) })
            .collect();
        let status = client.merkle_root(tokio_stream::iter(parts)).await.expect_err("too many leaves");
        assert_eq!(status.code(), Code::ResourceExhausted);
    }
}

#[test]
fn a_tenant_may_hold_the_largest_request_that_the_limits_allow() {
    let default = crate::options::ServiceLimits::default();
    let large = crate::options::ServiceLimits { secret_bytes_max: 4 << 30, ..default }.with_room_for_bodies();
    for limits in [default, large] {
        for largest in [limits.secret_bytes_max, limits.operation_bytes_max, limits.merkle_bytes_max] {
            assert!(limits.body_bytes_max / 2 > largest + largest / 128, "{limits:?}");
        }
    }
}
