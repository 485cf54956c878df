use std::path::Path;
use std::sync::mpsc;

use outrigger_groth16::store::StoreOptions;
use outrigger_groth16::{Proof, Stage, Timings};
use outrigger_types::{Backend, CircuitId, Curve};
use outrigger_witness::WitnessLimits;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::*;
use crate::job::{Secret, SecretKind};

mod attached;
mod submitted;

/// The circuit of the tests; others are unknown.
const CIRCUIT: CircuitId = CircuitId([1; 32]);

/// More than anything here takes, however busy the machine is.
const LONG: Duration = Duration::from_secs(20);

/// Proves by obeying the secret, which is one word.
struct Scripted {
    /// What was begun, in order.
    begun: Mutex<mpsc::Sender<String>>,
}

impl Prover for Scripted {
    fn accepts(&self, circuit: CircuitId, kind: SecretKind, backend: Option<Backend>) -> Result<(), Rejection> {
        if backend == Some(Backend::Cuda) {
            return Err(Rejection::BackendUnavailable("no GPU".to_owned()));
        }
        if circuit != CIRCUIT {
            return Err(Rejection::NotFound("no such circuit".to_owned()));
        }
        if kind == SecretKind::Inputs { Err(Rejection::NotReady("no program".to_owned())) } else { Ok(()) }
    }

    fn is_small(&self, _circuit: CircuitId) -> bool {
        false
    }

    fn prove(
        &self,
        _circuit: CircuitId,
        asked: Vec<Asked<'_>>,
        _backend: Option<Backend>,
        threads: &ThreadPool,
    ) -> Vec<Result<Finished, Rejection>> {
        asked.into_iter().map(|asked| self.prove_one(asked, threads)).collect()
    }
}

impl Scripted {
    fn prove_one(&self, asked: Asked<'_>, threads: &ThreadPool) -> Result<Finished, Rejection> {
        let Asked { given: Given::Secret(secret), control } = asked else { panic!("it makes nothing ahead") };
        let script = String::from_utf8(secret.into_bytes().to_vec()).expect("tests write text");
        let _ = self.begun.lock().expect("no test panics with it").send(script.clone());
        control.tell(Stage::MsmG1, 40);
        match script.split(' ').next().unwrap_or_default() {
            "bad" => Err(Rejection::field("chunk.witness", "it does not satisfy the circuit")),
            "panic" => threads.install(|| panic!("on purpose")),
            "slow" => loop {
                control.check().map_err(of_stop)?;
                std::thread::sleep(Duration::from_millis(1));
            },
            _ => Ok(finished(&script)),
        }
    }
}

fn finished(script: &str) -> Finished {
    let mut timings = Timings::default();
    timings.add(Stage::MsmG1, Duration::from_micros(40));
    let proof = Proof { curve: Curve::Bn254, bytes: script.as_bytes().to_vec(), public_signals: vec![0; 32] };
    Finished { proof, timings, repeated: false }
}

/// A service over a directory, with a script for a prover.
struct Bench {
    service: ProofService,
    begun: mpsc::Receiver<String>,
}

fn options(directory: &Path) -> ProvingOptions {
    ProvingOptions {
        directory: directory.to_owned(),
        threads: 2,
        vector: true,
        together_max: 4,
        together_domain_max: 1 << 14,
        concurrency: 1,
        nice: 0,
        jobs_max: 100,
        tenant_jobs_max: 50,
        secret_bytes_max: 1000,
        aging: Duration::from_secs(60),
        result_lifetime: Duration::from_secs(3600),
        journal_key: Some(Arc::new(Zeroizing::new([7; 32]))),
        witness_limits: WitnessLimits::default(),
    }
}

fn try_start(options: &ProvingOptions) -> Result<Bench, String> {
    let store = CircuitStore::open(&options.directory.join("circuits"), StoreOptions::new(|_| Ok(())));
    let (tell, begun) = mpsc::channel();
    let prover = Arc::new(Scripted { begun: Mutex::new(tell) });
    let service = ProofService::start_with(options, Arc::new(store.expect("a store")), prover)?;
    Ok(Bench { service, begun })
}

impl Bench {
    fn new(directory: &TempDir) -> Self {
        Self::with(&options(directory.path()))
    }

    fn with(options: &ProvingOptions) -> Self {
        try_start(options).expect("the service starts")
    }

    /// Waits for the next job to begin.
    fn next_begun(&self) -> String {
        self.begun.recv_timeout(LONG).expect("a job begins")
    }

    /// A job that runs until it is stopped, so that others wait.
    async fn occupy(&self) -> JobWatch {
        let watch = self.service.prove(request("slow")).await.expect("it is taken");
        assert_eq!(self.next_begun(), "slow");
        watch
    }

    async fn end_of(&self, job: &str) -> JobState {
        let watch = self.service.watch("t", job).await.expect("the job is known");
        end(watch).await
    }
}

fn request(script: &str) -> ProofRequest {
    ProofRequest {
        circuit: CIRCUIT,
        tenant: "t".into(),
        priority: Priority::Block,
        deadline: None,
        backend: None,
        secret: Secret::Witness(Zeroizing::new(script.as_bytes().to_vec())),
    }
}

async fn end(watch: JobWatch) -> JobState {
    tokio::time::timeout(LONG, watch.end()).await.expect("the job ends")
}

fn done(script: &str) -> JobState {
    JobState::Done(Arc::new(finished(script)))
}

fn failed_for(state: JobState) -> &'static str {
    match state {
        JobState::Failed(rejection) => rejection.reason(),
        other => panic!("it did not fail: {other:?}"),
    }
}
