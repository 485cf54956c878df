//! `Msm` and `Ntt`.

use outrigger_proto::v1;
use outrigger_proto::v1::proof_service_client::ProofServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::{fields, start};

/// A number as a scalar or coordinate of BN254.
fn number(value: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[31] = value;
    bytes
}

/// The generator of G1, (1, 2).
fn generator() -> Vec<u8> {
    [number(1), number(2)].concat()
}

async fn msm(
    client: &mut ProofServiceClient<Channel>,
    header: v1::MsmHeader,
    chunks: &[(Vec<u8>, Vec<u8>)],
) -> Result<v1::MsmResponse, Status> {
    use v1::msm_request::Part;
    let chunk = |(points, scalars): &(Vec<u8>, Vec<u8>)| {
        Part::Chunk(v1::MsmChunk { points: points.clone().into(), scalars: scalars.clone().into() })
    };
    let parts = std::iter::once(Part::Header(header)).chain(chunks.iter().map(chunk));
    let messages: Vec<_> = parts.map(|part| v1::MsmRequest { part: Some(part) }).collect();
    Ok(client.msm(tokio_stream::iter(messages)).await?.into_inner())
}

const G1: v1::MsmHeader = v1::MsmHeader { curve: 1, group: 1, backend: 0 };

#[tokio::test]
async fn points_and_scalars_may_come_in_any_chunks() {
    let sidecar = start(|_| {}).await;
    let mut client = sidecar.client().await;
    let one = msm(&mut client, G1, &[(generator(), number(1).to_vec())]).await.expect("a point");
    assert_eq!(one.point.as_ref(), generator());
    let five = msm(&mut client, G1, &[(generator(), number(5).to_vec())]).await.expect("a point");
    // 2 + 3 of the same, points and scalars cut elsewhere.
    let points = [generator(), generator()].concat();
    let scalars = [number(2), number(3)].concat();
    let chunks = [
        (points[..100].to_vec(), Vec::new()),
        (points[100..].to_vec(), scalars[..10].to_vec()),
        (Vec::new(), scalars[10..].to_vec()),
    ];
    let sum = msm(&mut client, G1, &chunks).await.expect("a point");
    assert_eq!(sum.point, five.point);
}

#[tokio::test]
async fn operands_that_are_none_are_refused() {
    let sidecar = start(|setup| setup.service.limits.operation_bytes_max = 1_000).await;
    let mut client = sidecar.client().await;
    let good = || vec![(generator(), number(1).to_vec())];
    let cases = [
        ("header.curve", v1::MsmHeader { curve: 0, ..G1 }, good()),
        ("header.group", v1::MsmHeader { group: 3, ..G1 }, good()),
        ("backend", v1::MsmHeader { backend: 9, ..G1 }, good()),
        ("chunk", G1, vec![([number(1), number(1)].concat(), number(1).to_vec())]),
        ("chunk", G1, vec![(generator(), [0xff; 32].to_vec())]),
        ("chunk", G1, vec![(generator(), Vec::new())]),
    ];
    for (field, header, chunks) in cases {
        let status = msm(&mut client, header, &chunks).await.expect_err(field);
        assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec![field.to_owned()]), "{status:?}");
    }
    let status = msm(&mut client, v1::MsmHeader { backend: 3, ..G1 }, &good()).await.expect_err("not there");
    assert_eq!(status.code(), Code::FailedPrecondition);
    let status = msm(&mut client, G1, &[(vec![0; 600], vec![0; 600])]).await.expect_err("too large");
    assert_eq!(status.code(), Code::ResourceExhausted);
}

async fn ntt(
    client: &mut ProofServiceClient<Channel>,
    inverse: bool,
    coset: bool,
    elements: &[u8],
) -> Result<Vec<u8>, Status> {
    use v1::ntt_request::Part;
    let header = Part::Header(v1::NttHeader { curve: 1, inverse, coset, backend: 0 });
    let chunks = elements.chunks(1 << 20).map(|chunk| Part::Elements(chunk.to_vec().into()));
    let messages: Vec<_> =
        std::iter::once(header).chain(chunks).map(|part| v1::NttRequest { part: Some(part) }).collect();
    let mut answers = client.ntt(tokio_stream::iter(messages)).await?.into_inner();
    let mut result = Vec::new();
    let mut took_us = Vec::new();
    while let Some(answer) = answers.message().await? {
        result.extend_from_slice(&answer.elements);
        took_us.push(answer.compute_us);
    }
    assert!(took_us.iter().rev().skip(1).all(|us| *us == 0), "the time comes with the last: {took_us:?}");
    Ok(result)
}

#[tokio::test]
async fn a_transform_and_its_inverse_are_nothing() {
    let sidecar = start(|_| {}).await;
    let mut client = sidecar.client().await;
    // More than one answer.
    let elements: Vec<u8> = (0..1_u32 << 16).flat_map(|i| number((i % 251) as u8)).collect();
    for coset in [false, true] {
        let there = ntt(&mut client, false, coset, &elements).await.expect("elements");
        assert_ne!(there, elements);
        assert!(ntt(&mut client, true, coset, &there).await.expect("elements") == elements);
    }
    let status = ntt(&mut client, false, false, &elements[..96]).await.expect_err("three elements");
    assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["chunk".to_owned()]), "{status:?}");
}
