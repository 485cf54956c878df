//! With circuits, keys and proofs as they are.

use std::time::Duration;

use outrigger_groth16::formats::wtns;
use outrigger_groth16::setup::insecure_setup;
use outrigger_groth16::store::StoreOptions;
use outrigger_groth16::{PreparedKey, R1cs};
use outrigger_types::{Curve, Priority, Verdict};
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::*;
use crate::{JobState, ProofRequest, ProofService, ProvingOptions};

/// A product of two secret numbers, public: wires are 1, product, first, second.
fn product() -> R1cs {
    let mut r1cs = R1cs::new(Curve::Bn254, 4, 1, 0, 2).expect("the wires go round");
    let one = [1, 0, 0, 0];
    r1cs.push(&[(2, one)], &[(3, one)], &[(1, one)]).expect("a constraint");
    r1cs
}

fn witness(values: [u64; 4]) -> Zeroizing<Vec<u8>> {
    let values = values.map(|value| [value, 0, 0, 0]).to_vec();
    wtns::write(&Witness::new(Curve::Bn254, Zeroizing::new(values)))
}

struct Bench {
    service: ProofService,
    circuit: CircuitId,
    _directory: TempDir,
}

/// A service with the circuit in its store, with its constraints or without.
fn bench(with_r1cs: bool) -> Bench {
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path();
    let check = |wasm: &[u8]| if wasm.is_empty() { Err("empty".to_owned()) } else { Ok(()) };
    let store = CircuitStore::open(&place.join("circuits"), StoreOptions::new(check)).expect("a store");
    let mut upload = store.upload().expect("it begins");
    let (mut zkey, mut r1cs) = (Vec::new(), Vec::new());
    insecure_setup(&product(), &mut zkey, &Control::default()).expect("a key");
    upload.write(Part::Zkey, &zkey).expect("it is written");
    if with_r1cs {
        product().write(&mut r1cs).expect("memory takes it");
        upload.write(Part::R1cs, &r1cs).expect("it is written");
    }
    let circuit = upload.finish("product", None, &Control::default()).expect("it is good").id;
    let options = ProvingOptions {
        directory: place.to_owned(),
        vector: true,
        together_max: 4,
        together_domain_max: 1 << 14,
        threads: 1,
        concurrency: 2,
        nice: 0,
        jobs_max: 100,
        tenant_jobs_max: 100,
        secret_bytes_max: 1 << 20,
        aging: Duration::from_secs(60),
        result_lifetime: Duration::from_secs(60),
        journal_key: Some(Arc::new(Zeroizing::new([7; 32]))),
        witness_limits: WitnessLimits::default(),
    };
    let service = ProofService::start(options, Arc::new(store), Vec::new()).expect("the service starts");
    Bench { service, circuit, _directory: directory }
}

impl Bench {
    fn request(&self, secret: Secret) -> ProofRequest {
        let (circuit, priority) = (self.circuit, Priority::Block);
        ProofRequest { circuit, tenant: "t".into(), priority, deadline: None, backend: None, secret }
    }

    async fn prove(&self, wtns: Zeroizing<Vec<u8>>) -> JobState {
        let watch = self.service.prove(self.request(Secret::Witness(wtns))).await.expect("it is taken");
        tokio::time::timeout(Duration::from_secs(60), watch.end()).await.expect("it ends")
    }

    /// The description of what is wrong with the witness.
    async fn complaint(&self, wtns: Zeroizing<Vec<u8>>) -> String {
        match self.prove(wtns).await {
            JobState::Failed(Rejection::InvalidArgument(violations)) => {
                assert_eq!(violations[0].field, "chunk.witness");
                violations[0].description.clone()
            }
            state => panic!("{state:?}"),
        }
    }

    fn verdict(&self, state: &JobState) -> Verdict {
        let JobState::Done(finished) = state else { panic!("{state:?}") };
        let circuit = self.service.store().ready(self.circuit).expect("it is there");
        let key = PreparedKey::new(circuit.key.verifying_key()).expect("it is good");
        key.verify(&finished.proof.bytes, &finished.proof.public_signals)
    }
}

#[tokio::test]
async fn proofs_of_many_callers_hold() {
    let bench = bench(true);
    let mut watches = Vec::new();
    for i in 1..9 {
        let secret = Secret::Witness(witness([1, i * 7, i, 7]));
        watches.push(bench.service.prove(bench.request(secret)).await.expect("it is taken"));
    }
    for (i, watch) in watches.into_iter().enumerate() {
        let state = watch.end().await;
        assert_eq!(bench.verdict(&state), Verdict::Valid);
        let JobState::Done(finished) = state else { unreachable!("it is valid") };
        assert_eq!(finished.proof.public_signals[31], 7 * (i as u8 + 1));
        assert!(!finished.repeated && finished.timings.iter().any(|(stage, _)| stage == Stage::MsmG2));
    }
}

#[tokio::test]
async fn a_submitted_proof_holds() {
    let bench = bench(true);
    let job = bench.service.submit(bench.request(Secret::Witness(witness([1, 35, 5, 7])))).await.expect("it is taken");
    let state = bench.service.watch("t", &job).await.expect("it is known").end().await;
    assert_eq!(bench.verdict(&state), Verdict::Valid);
    assert_eq!(bench.service.state("t", &job).await.map(|state| bench.verdict(&state)), Ok(Verdict::Valid));
}

#[tokio::test]
async fn a_bad_witness_is_the_callers_fault() {
    let bench = bench(true);
    let unsatisfied = bench.complaint(witness([1, 36, 5, 7])).await;
    assert!(unsatisfied.contains("constraint 0"), "{unsatisfied}");
    bench.complaint(Zeroizing::new(b"wtns".to_vec())).await;
    let short = wtns::write(&Witness::new(Curve::Bn254, Zeroizing::new(vec![[1, 0, 0, 0]; 3])));
    bench.complaint(short).await;
    assert_eq!(bench.verdict(&bench.prove(witness([1, 35, 5, 7])).await), Verdict::Valid);
}

#[tokio::test]
async fn without_constraints_a_bad_witness_is_still_the_callers_fault() {
    let bench = bench(false);
    let unsatisfied = bench.complaint(witness([1, 36, 5, 7])).await;
    assert!(unsatisfied.contains(".r1cs"), "{unsatisfied}");
}

#[tokio::test]
async fn what_the_circuit_lacks_is_said() {
    let bench = bench(true);
    let inputs = || Secret::Inputs(Zeroizing::new(b"{}".to_vec()));
    let refused = bench.service.prove(bench.request(inputs())).await.err().expect("there is no program");
    assert!(matches!(&refused, Rejection::NotReady(what) if what.contains(".wasm")), "{refused}");

    // The store's check let it pass, so it was damaged since.
    let mut upload = bench.service.store().upload().expect("it begins");
    upload.write(Part::Wasm, b"no program").expect("it is written");
    upload.finish("", Some(bench.circuit), &Control::default()).expect("it is put in place");
    let watch = bench.service.prove(bench.request(inputs())).await.expect("it is taken");
    let state = watch.end().await;
    assert!(matches!(&state, JobState::Failed(Rejection::DataLoss(_))), "{state:?}");

    bench.service.store().remove(bench.circuit).expect("it is there");
    let refused = bench.service.prove(bench.request(inputs())).await.err().expect("it is gone");
    assert_eq!(refused.reason(), "not_found");
}

#[tokio::test]
async fn a_key_that_was_changed_on_disk_is_data_loss() {
    let bench = bench(true);
    let path = bench.service.store().path(bench.circuit, Part::Zkey);
    let mut bytes = std::fs::read(&path).expect("it is there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(path.with_extension("copy"), bytes).expect("it is written");
    std::fs::rename(path.with_extension("copy"), &path).expect("it is put in place");
    let state = bench.prove(witness([1, 35, 5, 7])).await;
    assert!(matches!(&state, JobState::Failed(Rejection::DataLoss(_))), "{state:?}");
}
