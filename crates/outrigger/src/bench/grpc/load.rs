//! The client's side of `bench grpc`.

use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use outrigger_client::{Client, ClientOptions, Fallback};
use outrigger_proto::v1::signature_service_client::SignatureServiceClient;
use outrigger_proto::v1::verify_batch_request::Keys;
use outrigger_proto::v1::{Column, Ruleset, VerifyBatchRequest, VerifyStreamRequest};
use outrigger_types::{MessageForm, SignatureOptions};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

use super::echo::EchoServer;
use crate::cli::Failure;

/// How long one run of a load lasts.
const RUN: Duration = Duration::from_secs(1);
/// Bytes of a key, a signature and a digest.
const ITEM: [usize; 3] = [64, 65, 32];
/// Unanswered messages of the stream.
const WINDOW: usize = 512;
/// Callers at once for calls that the client gathers.
const CALLERS: usize = 512;

/// What a run carried.
pub(super) struct Carried {
    pub(super) items: usize,
    pub(super) requests: usize,
    pub(super) seconds: f64,
    pub(super) latencies_us: Vec<f64>,
}

async fn connect(server: &EchoServer) -> Result<Channel, Failure> {
    let path = server.socket();
    Endpoint::from_static("http://outrigger")
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(16 << 20)
        .connect_with_connector(tower::service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        }))
        .await
        .map_err(Failure::work)
}

fn request(count: usize) -> VerifyBatchRequest {
    let column = |stride: usize| Column { data: vec![7; stride * count].into(), lengths: Vec::new() };
    VerifyBatchRequest {
        ruleset: Ruleset::EthereumTransaction.into(),
        count: count as u32,
        keys: Some(Keys::PublicKeys(column(ITEM[0]))),
        signatures: Some(column(ITEM[1])),
        messages: Some(column(ITEM[2])),
        ..VerifyBatchRequest::default()
    }
}

/// Packed batches, so many calls at a time.
pub(super) async fn packed(server: &EchoServer, batch: usize, calls: usize) -> Result<Carried, Failure> {
    let channel = connect(server).await?;
    let request = request(batch);
    let start = Instant::now();
    let callers: Vec<_> = (0..calls)
        .map(|_| {
            let (mut client, request) = (SignatureServiceClient::new(channel.clone()), request.clone());
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while start.elapsed() < RUN {
                    let begun = Instant::now();
                    let answer = client.verify_batch(request.clone()).await?.into_inner();
                    assert_eq!(answer.verdicts.len(), request.count as usize, "one verdict an item");
                    latencies.push(begun.elapsed().as_secs_f64() * 1e6);
                }
                Ok::<_, tonic::Status>(latencies)
            })
        })
        .collect();
    let mut latencies_us = Vec::new();
    for caller in callers {
        latencies_us.extend(caller.await.map_err(Failure::work)?.map_err(Failure::work)?);
    }
    let requests = latencies_us.len();
    Ok(Carried { items: requests * batch, requests, seconds: start.elapsed().as_secs_f64(), latencies_us })
}

/// Messages of one item on a bidirectional stream, [`WINDOW`] unanswered at most.
pub(super) async fn stream(server: &EchoServer) -> Result<Carried, Failure> {
    let mut client = SignatureServiceClient::new(connect(server).await?);
    let (sender, receiver) = mpsc::channel(WINDOW);
    let one = request(1);
    let mut answers = client.verify_stream(ReceiverStream::new(receiver)).await.map_err(Failure::work)?.into_inner();
    let start = Instant::now();
    let (mut sent, mut answered) = (0_usize, 0_usize);
    while start.elapsed() < RUN || answered < sent {
        while sent - answered < WINDOW && start.elapsed() < RUN {
            let message = VerifyStreamRequest { id: sent as u64, batch: Some(one.clone()) };
            sender.send(message).await.map_err(Failure::work)?;
            sent += 1;
        }
        // One answer is waited for; the rest of what has arrived is taken at the next turns.
        let Some(answer) = answers.message().await.map_err(Failure::work)? else { break };
        assert_eq!(answer.verdicts.len(), 1, "one verdict an item");
        answered += 1;
    }
    drop(sender);
    Ok(Carried {
        items: answered,
        requests: answered,
        seconds: start.elapsed().as_secs_f64(),
        latencies_us: Vec::new(),
    })
}

/// Single calls of many callers, which the client gathers into batches on its stream.
pub(super) async fn gathered(server: &EchoServer) -> Result<Carried, Failure> {
    let endpoint = format!("unix:{}", server.socket().display()).parse().map_err(Failure::work)?;
    let options = ClientOptions { fallback: Fallback::None, connections: 1, ..ClientOptions::new(endpoint) };
    let client = Client::connect(options).await.map_err(Failure::work)?;
    let start = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let options = SignatureOptions::new(MessageForm::Digest);
                let (key, signature, digest) = ([7; ITEM[0]], [7; ITEM[1]], [7; ITEM[2]]);
                let mut done = 0;
                while start.elapsed() < RUN {
                    let ruleset = outrigger_types::Ruleset::EthereumTransaction;
                    client.verify_one(ruleset, &options, &key, &signature, &digest).await?;
                    done += 1;
                }
                Ok::<usize, outrigger_client::ClientError>(done)
            })
        })
        .collect();
    let mut items = 0;
    for caller in callers {
        items += caller.await.map_err(Failure::work)?.map_err(Failure::work)?;
    }
    Ok(Carried { items, requests: items, seconds: start.elapsed().as_secs_f64(), latencies_us: Vec::new() })
}
