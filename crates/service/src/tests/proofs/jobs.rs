//! `SubmitProof`, `GetProof`, `WatchProof`, `CancelProof`.

use std::time::Duration;

use outrigger_proto::v1;
use outrigger_proto::v1::proof_service_client::ProofServiceClient;
use tonic::Code;
use tonic::transport::Channel;

use super::{code, inputs, proof_header, start, submitted, vector, witness};
use crate::tests::eventually;

async fn submit(client: &mut ProofServiceClient<Channel>, circuit: &str, wtns: &[u8]) -> Result<String, tonic::Status> {
    let messages = submitted(proof_header(circuit), vec![witness(wtns)]);
    Ok(client.submit_proof(tokio_stream::iter(messages)).await?.into_inner().job)
}

fn get(job: &str) -> v1::GetProofRequest {
    v1::GetProofRequest { job: job.to_owned() }
}

/// The last answer of a watch.
async fn watched(client: &mut ProofServiceClient<Channel>, job: &str) -> v1::WatchProofResponse {
    let request = v1::WatchProofRequest { job: job.to_owned() };
    let mut stream = client.watch_proof(request).await.expect("a watch").into_inner();
    let mut last = None;
    while let Some(answer) = stream.message().await.expect("watched") {
        last = Some(answer);
    }
    last.expect("an answer")
}

fn state(progress: Option<v1::ProofProgress>) -> v1::ProofState {
    progress.expect("a state").state()
}

#[tokio::test]
async fn a_submitted_proof_is_watched_to_its_end_and_fetched() {
    let sidecar = start(|_| {}).await;
    let circuit = sidecar.add().await;
    let mut client = sidecar.client().await;
    let release = sidecar.occupy().await;
    let job = submit(&mut client, &circuit, &vector("product.wtns")).await.expect("submitted");
    let waiting = client.get_proof(get(&job)).await.expect("known").into_inner();
    assert_eq!((state(waiting.progress), waiting.proof), (v1::ProofState::Queued, None));
    drop(release);
    let end = watched(&mut client, &job).await;
    assert_eq!(state(end.progress), v1::ProofState::Done);
    assert_eq!(end.proof.as_ref().map(|proof| proof.proof.len()), Some(256));
    let fetched = client.get_proof(get(&job)).await.expect("known").into_inner();
    assert_eq!((state(fetched.progress), fetched.proof), (v1::ProofState::Done, end.proof));
}

#[tokio::test]
async fn a_submitted_proof_that_cannot_be_made_says_why() {
    let sidecar = start(|_| {}).await;
    let circuit = sidecar.add().await;
    let mut client = sidecar.client().await;
    let mut wtns = vector("product.wtns");
    let last = wtns.len() - 32;
    wtns[last] ^= 1;
    let job = submit(&mut client, &circuit, &wtns).await.expect("submitted");
    let end = watched(&mut client, &job).await;
    assert_eq!((state(end.progress), end.proof), (v1::ProofState::Failed, None));
    let error = end.error.expect("a reason");
    assert_eq!(Code::from_i32(error.code), Code::InvalidArgument);
    assert!(error.message.contains("constraint"), "{}", error.message);
}

#[tokio::test]
async fn a_submitted_proof_is_given_up_on_demand() {
    let sidecar = start(|_| {}).await;
    let circuit = sidecar.add().await;
    let mut client = sidecar.client().await;
    let _release = sidecar.occupy().await;
    let job = submit(&mut client, &circuit, &vector("product.wtns")).await.expect("submitted");
    client.cancel_proof(v1::CancelProofRequest { job: job.clone() }).await.expect("cancelled");
    assert_eq!(state(watched(&mut client, &job).await.progress), v1::ProofState::Cancelled);
    let none = "none".to_owned();
    assert_eq!(code(client.get_proof(get("none")).await), Code::NotFound);
    assert_eq!(code(client.cancel_proof(v1::CancelProofRequest { job: none.clone() }).await), Code::NotFound);
    assert_eq!(code(client.watch_proof(v1::WatchProofRequest { job: none }).await), Code::NotFound);
}

#[tokio::test]
async fn without_a_key_for_the_journal_nothing_is_submitted() {
    let sidecar = start(|setup| setup.proving.journal_key = None).await;
    let circuit = sidecar.add().await;
    let mut client = sidecar.client().await;
    assert_eq!(code(submit(&mut client, &circuit, &vector("product.wtns")).await), Code::FailedPrecondition);
    let messages = submitted(proof_header(&circuit), vec![inputs("{}")]);
    assert_eq!(code(client.submit_proof(tokio_stream::iter(messages)).await), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_drain_does_not_wait_for_those_who_watch() {
    let sidecar = start(|_| {}).await;
    let circuit = sidecar.add().await;
    let mut client = sidecar.client().await;
    let release = sidecar.occupy().await;
    let job = submit(&mut client, &circuit, &vector("product.wtns")).await.expect("submitted");
    let mut watch = client.watch_proof(v1::WatchProofRequest { job }).await.expect("a watch").into_inner();
    watch.message().await.expect("an answer").expect("an answer");
    let (report, end) = tokio::join!(sidecar.running.drain(Duration::from_secs(20)), async {
        eventually("not ready", || !sidecar.running.is_ready()).await;
        let end = loop {
            match watch.message().await {
                Ok(Some(answer)) if answer.error.is_none() => {}
                other => break other,
            }
        };
        drop(release);
        end
    });
    // By a status of the stream, or by the job's own last word, as the two come.
    let code = match end {
        Ok(answer) => Code::from_i32(answer.and_then(|answer| answer.error).expect("an error").code),
        Err(status) => status.code(),
    };
    assert_eq!((code, report.connections_cut), (Code::Unavailable, 0));
    assert!(report.took < Duration::from_secs(10), "{:?}", report.took);
}
