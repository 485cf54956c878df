//! `Prove`.

use std::time::Duration;

use outrigger_proto::v1;
use outrigger_proto::v1::prove_response::Part;
use tokio_stream::StreamExt;
use tonic::{Code, Request};

use super::{asked, code, proof_header, prove, proved, start, tenant, vector, witness};
use crate::options::TcpOptions;
use crate::tests::eventually;

#[tokio::test]
async fn progress_comes_first_and_then_the_proof_with_its_stages() {
    let sidecar = start(|_| {}).await;
    let circuit = sidecar.add().await;
    let mut client = sidecar.client().await;
    // Chunk boundaries are nobody's business.
    let chunks = vector("product.wtns").chunks(100).map(witness).collect();
    let answers = prove(&mut client, asked(proof_header(&circuit), chunks)).await.expect("proved");
    let (last, before) = answers.split_last().expect("answers");
    assert!(!before.is_empty());
    for answer in before {
        let Some(Part::Progress(progress)) = &answer.part else { panic!("{answer:?}") };
        assert!(progress.state == 1 || progress.state == 2 && progress.percent <= 100, "{progress:?}");
        assert!(answer.stages.is_empty());
    }
    let Some(Part::Proof(proof)) = &last.part else { panic!("{last:?}") };
    assert_eq!((proof.curve, proof.proof.len(), proof.public_signals.len()), (1, 256, 96));
    let stages: Vec<_> = last.stages.iter().map(|stage| stage.stage.as_str()).collect();
    assert!(stages.contains(&"msm_g1") && stages.contains(&"check") && stages.contains(&"verify"), "{stages:?}");
}

#[tokio::test]
async fn a_proof_is_made_over_tcp_too() {
    let mut rule = tenant(|_| {});
    rule.unauthenticated = true;
    let sidecar = start(|setup| {
        let address = "127.0.0.1:0".parse().expect("an address");
        setup.service.listeners.tcp = Some(TcpOptions { address, tls: None, insecure_loopback: true });
        setup.service.tenants = vec![rule];
    })
    .await;
    let circuit = sidecar.add().await;
    let address = format!("http://{}", sidecar.running.tcp().expect("a port"));
    let mut client = v1::proof_service_client::ProofServiceClient::connect(address).await.expect("a connection");
    assert_eq!(proved(&mut client, &circuit).await.proof.len(), 256);
}

#[tokio::test]
async fn a_proof_that_waits_says_its_place_and_ends_with_its_caller() {
    let sidecar = start(|setup| setup.proving.jobs_max = 2).await;
    let circuit = sidecar.add().await;
    let mut client = sidecar.client().await;
    let release = sidecar.occupy().await;
    let messages = || asked(proof_header(&circuit), vec![witness(&vector("product.wtns"))]);
    let mut stream = client.prove(tokio_stream::iter(messages())).await.expect("taken").into_inner();
    let first = stream.message().await.expect("an answer").expect("an answer");
    let Some(Part::Progress(progress)) = first.part else { panic!("{first:?}") };
    assert_eq!(progress.state, v1::ProofState::Queued as i32);

    assert!(matches!(code(prove(&mut client, messages()).await), Code::Unavailable | Code::ResourceExhausted));
    drop(stream);
    // The place is free again once the job has gone.
    let mut stream = None;
    for _ in 0..200 {
        match client.prove(tokio_stream::iter(messages())).await {
            Ok(taken) => {
                stream = Some(taken.into_inner());
                break;
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    drop(release);
    let last = stream.expect("a free place").filter_map(Result::ok).last_of().await;
    assert!(matches!(last.and_then(|answer| answer.part), Some(Part::Proof(_))));
}

/// The last item of a stream.
trait LastOf: tokio_stream::Stream + Sized + Unpin {
    async fn last_of(mut self) -> Option<Self::Item> {
        let mut last = None;
        while let Some(item) = self.next().await {
            last = Some(item);
        }
        last
    }
}

impl<S: tokio_stream::Stream + Unpin> LastOf for S {}

#[tokio::test]
async fn a_deadline_ends_a_proof_that_waits() {
    let sidecar = start(|_| {}).await;
    let circuit = sidecar.add().await;
    let _release = sidecar.occupy().await;
    let messages = asked(proof_header(&circuit), vec![witness(&vector("product.wtns"))]);
    let mut request = Request::new(tokio_stream::iter(messages));
    request.metadata_mut().insert("grpc-timeout", "300m".parse().expect("a value"));
    // The stream's end is the server's doing: a client looks at its own clock for the beginning alone.
    let mut stream = sidecar.client().await.prove(request).await.expect("taken").into_inner();
    let end = loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            other => break other,
        }
    };
    assert_eq!(code(end), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_drain_lets_a_proof_end_that_somebody_waits_for() {
    let sidecar = start(|_| {}).await;
    let circuit = sidecar.add().await;
    let mut client = sidecar.client().await;
    let release = sidecar.occupy().await;
    let messages = asked(proof_header(&circuit), vec![witness(&vector("product.wtns"))]);
    let mut stream = client.prove(tokio_stream::iter(messages)).await.expect("taken").into_inner();
    let (report, last) = tokio::join!(sidecar.running.drain(Duration::from_secs(20)), async {
        eventually("not ready", || !sidecar.running.is_ready()).await;
        drop(release);
        let mut last = None;
        while let Some(answer) = stream.message().await.expect("the proof is made") {
            last = answer.part;
        }
        last
    });
    assert_eq!(report.connections_cut, 0);
    assert!(matches!(last, Some(Part::Proof(_))), "{last:?}");
}
