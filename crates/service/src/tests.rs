//! Tests of the whole service, from a client's connection to an answer, over both transports. The scheduler is
//! replaced by an echo whose speed the test chooses; what is judged here is everything around it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use outrigger_algorithms::{HashRules, RulesetRules};
use outrigger_proto::v1;
use outrigger_proto::v1::signature_service_client::SignatureServiceClient;
use outrigger_scheduler::Request;
use outrigger_types::{
    HashAlgorithm, MerkleTree, MessageForm, Output, Rejection, Ruleset, SignatureWork, Verdict, Work,
};
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};

use crate::options::ServiceOptions;
use crate::server::{Running, Server};
use crate::state::{Executor, Vocabulary};

mod calls;
mod life;
mod limits;
mod proofs;
mod streams;
mod tls;

const fn signature_rules(
    ruleset: Ruleset,
    message_forms: &'static [MessageForm],
    key_lengths: &'static [usize],
    signature_lengths: &'static [usize],
) -> RulesetRules {
    RulesetRules {
        ruleset,
        version: 3,
        summary: "A stand-in with the lengths of the real one.",
        message_forms,
        key_lengths,
        signature_lengths,
        piece_items: 32,
        verify: |_: &SignatureWork, _, _: &mut Output| {},
        recover: None,
        verify_sets: None,
        gpu: None,
        lanes: None,
    }
}

static ETHEREUM: RulesetRules = RulesetRules {
    recover: Some(|_, _, _| {}),
    ..signature_rules(Ruleset::EthereumTransaction, &[MessageForm::Digest], &[20, 64, 65], &[65])
};
static FABRIC: RulesetRules =
    signature_rules(Ruleset::Fabric, &[MessageForm::Message, MessageForm::Digest], &[65], &[]);
static SM2: RulesetRules = signature_rules(Ruleset::Sm2Message, &[MessageForm::Message], &[64, 65], &[64]);
static BLS: RulesetRules = RulesetRules {
    verify_sets: Some(|_, _, _| {}),
    gpu: None,
    lanes: None,
    ..signature_rules(Ruleset::EthereumConsensus, &[MessageForm::Message], &[48], &[96])
};
static SHA256: HashRules = HashRules {
    algorithm: HashAlgorithm::Sha256,
    summary: "A stand-in.",
    piece_items: 32,
    digest: |_| None,
    hash: |_, _, _| {},
    gpu: None,
    lanes: None,
};

/// Rulesets with the lengths of the real ones, and no cryptography behind them.
pub(crate) fn vocabulary() -> Vocabulary {
    let rules = |ruleset| match ruleset {
        Ruleset::EthereumTransaction => Some(&ETHEREUM),
        Ruleset::Fabric => Some(&FABRIC),
        Ruleset::Sm2Message => Some(&SM2),
        Ruleset::EthereumConsensus => Some(&BLS),
        _ => None,
    };
    let hash_rules = |algorithm| (algorithm == HashAlgorithm::Sha256).then_some(&SHA256);
    let takes = |tree, algorithm| match tree {
        MerkleTree::EthereumTrie => algorithm == HashAlgorithm::Keccak256,
        MerkleTree::Binary => algorithm != HashAlgorithm::PoseidonBn254,
        _ => false,
    };
    Vocabulary::new(rules, hash_rules, takes)
}

/// The answer that the echo gives: the first byte of each signature is its verdict; digests repeat the first byte
/// of their message.
fn echo(work: &Work) -> Output {
    let count = if work.operation().is_divisible() { work.items() } else { 1 };
    let mut output = Output::unprocessed(work.operation(), count);
    let verdict = |item: &[u8]| item.first().map_or(Verdict::Malformed, |byte| Verdict::from_byte(*byte));
    match work {
        Work::Verify(work) | Work::Recover(work) => {
            output.verdicts = work.signatures.view().iter().map(verdict).collect();
        }
        Work::VerifySets(work) => output.verdicts = work.signatures.view().iter().map(verdict).collect(),
        Work::VerifyProofs(work) => output.verdicts = work.proofs.view().iter().map(verdict).collect(),
        Work::Hash(work) => {
            output.verdicts.fill(Verdict::Valid);
            output.fixed =
                work.messages.view().iter().flat_map(|item| [item.first().copied().unwrap_or(0); 32]).collect();
        }
        Work::Merkle(work) => {
            output.verdicts.fill(Verdict::Valid);
            output.fixed = vec![work.leaves.len() as u8; 32];
            if let Some(prove) = work.prove {
                output.variable = [[7; 32].as_slice(), &[1], &[prove as u8; 32]].concat();
                output.variable_ends = vec![output.variable.len() as u32];
            }
        }
        Work::EthereumTransactions(work) => {
            // The first byte is the reason; the second how many authorizations there are.
            for (i, transaction) in work.transactions.view().iter().enumerate() {
                output.verdicts[i] = Verdict::from_equation(transaction[0] == 0);
                output.reasons[i] = transaction[0];
                output.fixed[i * 53..][..32].fill(0xaa);
                output.fixed[i * 53 + 32..][..20].fill(0xbb);
                for j in 0..transaction[1] {
                    output.variable.push(j % 2);
                    output.variable.extend([j; 20]);
                }
                output.variable_ends[i] = output.variable.len() as u32;
            }
        }
    }
    output
}

/// What the echo has seen, and how long it holds work back.
pub(crate) struct Echo {
    /// Jobs that were begun.
    begun: AtomicUsize,
    /// Jobs that are in flight.
    in_flight: AtomicUsize,
    /// A job takes one and gives it back; closed to let no job through.
    gate: Semaphore,
    /// How long each job takes.
    delay: Duration,
}

struct InFlight(Arc<Echo>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Echo {
    pub(crate) fn open() -> Arc<Self> {
        Self::with(Semaphore::MAX_PERMITS, Duration::ZERO)
    }

    pub(crate) fn with(permits: usize, delay: Duration) -> Arc<Self> {
        Arc::new(Self {
            begun: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            gate: Semaphore::new(permits),
            delay,
        })
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    async fn carry_out(self: Arc<Self>, request: Request) -> Result<Output, Rejection> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let _in_flight = InFlight(self.clone());
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let _permit = self.gate.acquire().await;
        Ok(echo(&request.work))
    }

    pub(crate) fn executor(self: &Arc<Self>) -> Executor {
        let echo = self.clone();
        Executor::stand_in(move |request| Box::pin(echo.clone().carry_out(request)), vocabulary())
    }
}

/// What a generated client needs of a transport.
pub(crate) trait Untimed:
    tonic::client::GrpcService<Body, ResponseBody = hyper::body::Incoming, Error = hyper::Error>
{
}

impl<T> Untimed for T where
    T: tonic::client::GrpcService<Body, ResponseBody = hyper::body::Incoming, Error = hyper::Error>
{
}

/// A server on a socket of its own.
pub(crate) struct Fixture {
    pub(crate) running: Running,
    pub(crate) path: PathBuf,
    pub(crate) directory: TempDir,
}

pub(crate) async fn start(echo: &Arc<Echo>, adapt: impl FnOnce(&mut ServiceOptions)) -> Fixture {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("run/outrigger.sock");
    let mut options = ServiceOptions::on_unix(&path, "1.2.3");
    adapt(&mut options);
    let running = Server::start_with(options, echo.executor()).await.expect("a server");
    Fixture { running, path, directory }
}

impl Fixture {
    pub(crate) async fn channel(&self) -> Channel {
        let path = self.path.clone();
        let connect = tower::service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        });
        Endpoint::from_static("http://localhost").connect_with_connector(connect).await.expect("a connection")
    }

    /// A client that sends a timeout and does not keep it: the usual one would give up by itself.
    pub(crate) async fn untimed_signatures(&self) -> SignatureServiceClient<impl Untimed> {
        let stream = UnixStream::connect(&self.path).await.expect("a connection");
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
        tokio::spawn(connection);
        let send = tower::service_fn(move |request: http::Request<Body>| {
            let mut sender = sender.clone();
            async move { sender.send_request(request).await }
        });
        SignatureServiceClient::with_origin(send, http::Uri::from_static("http://localhost"))
    }

    pub(crate) async fn signatures(&self) -> SignatureServiceClient<Channel> {
        SignatureServiceClient::new(self.channel().await)
    }
}

/// `count` signatures of Ethereum, all with this verdict in the echo.
pub(crate) fn batch(count: u32, verdict: u8) -> v1::VerifyBatchRequest {
    let column = |length: usize, byte: u8| {
        Some(v1::Column { data: vec![byte; length * count as usize].into(), lengths: Vec::new() })
    };
    v1::VerifyBatchRequest {
        ruleset: Ruleset::EthereumTransaction.number(),
        count,
        keys: column(64, 5).map(v1::verify_batch_request::Keys::PublicKeys),
        signatures: column(65, verdict),
        messages: column(32, 6),
        ..Default::default()
    }
}

/// Waits until something holds that another task makes true.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within five seconds: {what}");
}
