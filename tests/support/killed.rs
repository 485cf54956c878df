//! A device whose worker is killed in the midst of a proof, stage by stage.

use std::time::Duration;

use ark_bn254::Fr;
use ark_ff::PrimeField;
use outrigger_client::ProofSecret;
use outrigger_groth16::PreparedKey;
use outrigger_types::{Backend, Verdict};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rustix::process::{Signal, kill_process};
use zeroize::Zeroizing;

use super::circuits::{Circuit, add, membership_inputs, proved_in_stages};
use super::device::{on, sidecar, until_proved, worker_of};
use super::load::runtime;

/// The stages that a device does, in order.
pub(crate) const STAGES: [&str; 4] = ["sparse_product", "ntt", "msm_g1", "msm_g2"];

/// Proofs that another engine made.
const REPEATED: &str = "outrigger_proofs_repeated_total";

/// Since the begin of the first stage of a device, the midst of these.
fn midst_of(wanted: &[&str], stages: &[(String, Duration)]) -> Vec<Option<Duration>> {
    let took = |name: &str| stages.iter().filter(|(stage, _)| stage == name).map(|(_, time)| *time).sum::<Duration>();
    let mut begin = Duration::ZERO;
    let mut midst = Vec::new();
    for name in STAGES {
        if wanted.contains(&name) {
            midst.push(Some(begin + took(name) / 2));
        }
        begin += took(name);
    }
    assert!(begin > Duration::ZERO, "the sidecar tells what stages take: {stages:?}");
    midst
}

/// Kills the worker in the midst of each of these stages of a proof. Every answer must be a proof that verifies, and the
/// device must come back. Panics where that is not so.
pub(crate) fn while_proving(stages: &[&str], seed: u64) {
    let sidecar = sidecar();
    let folder = tempfile::tempdir().expect("a folder");
    let (cube, membership) = (Circuit::cube(folder.path()), Circuit::membership(folder.path()));
    runtime().block_on(async {
        let client = sidecar.client().await;
        let (cube, _) = add(&client, &cube).await;
        let (membership, key) = add(&client, &membership).await;
        until_proved(&client, Backend::Opencl, cube).await;
        assert_eq!(sidecar.metric(REPEATED, &[]), 0.0);
        let verifier = PreparedKey::new(&key).expect("a good key");
        let mut random = StdRng::seed_from_u64(seed);
        // A device does all of its stages in one go: what each of them takes is told with the proof, and by that the worker
        // is killed. The first proof is left alone, and shows the times.
        let mut kills = vec![None];
        while let Some(kill_after) = kills.pop() {
            let (inputs, root) = membership_inputs(&mut random);
            let secret = ProofSecret::Inputs(Zeroizing::new(inputs.to_string().into_bytes()));
            let stream = client.prove(membership, &secret, on(Backend::Opencl)).await.expect("it is taken");
            let mut killer = None;
            let begins = |stage: &str| {
                if let Some(after) = kill_after
                    && stage == STAGES[0]
                    && killer.is_none()
                {
                    let worker = worker_of(&sidecar).expect("a worker");
                    killer = Some(std::thread::spawn(move || {
                        std::thread::sleep(after);
                        kill_process(worker, Signal::KILL).expect("it is killed");
                        worker
                    }));
                }
            };
            let (proof, took) = proved_in_stages(stream, begins).await.expect("a proof, by the device or by the cores");
            assert_eq!(verifier.verify(&proof.bytes, &proof.public_signals), Verdict::Valid);
            let signal = Fr::from_be_bytes_mod_order(&proof.public_signals[..32]);
            assert_eq!(signal.to_string(), root, "the root that the secret leads to");
            if let Some(killer) = killer {
                let killed = killer.join().expect("the worker was there");
                // The device comes back, with another worker: until its end is noticed, a proof that insists on it is taken.
                while worker_of(&sidecar).is_none_or(|worker| worker == killed) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                until_proved(&client, Backend::Opencl, cube).await;
            } else {
                assert_eq!(sidecar.metric(REPEATED, &[]), 0.0, "the device made it");
                kills = midst_of(stages, &took);
            }
        }
        assert!(sidecar.metric(REPEATED, &[]) >= 1.0, "no kill met a proof");
        let made = sidecar.metric("outrigger_proofs_by_engine_total", &["engine=\"opencl\""]);
        let least = 2.0 * (1 + stages.len()) as f64;
        assert!(made >= least, "{made} proofs were begun on the device, not {least}");
    });
}
