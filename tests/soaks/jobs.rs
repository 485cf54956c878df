//! Submitted jobs and a sidecar that is killed in the middle of them, round after round.

use std::time::Duration;

use outrigger_client::{CallOptions, ProofSecret};
use outrigger_groth16::PreparedKey;
use outrigger_types::Verdict;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use zeroize::Zeroizing;

use crate::support::circuits::{Circuit, add, proved};
use crate::support::load::runtime;
use crate::support::sidecar::Sidecar;

/// Jobs of a round.
const JOBS: usize = 6;
/// The longest time from the last job's submission to the kill: a few proofs are done by then, and some are not.
const LIVE_MS_MAX: u64 = 600;

/// Gives back how many jobs were lost or came to a wrong proof.
pub(crate) fn run(rounds: u64, seed: Option<u64>) -> u64 {
    let seed = seed.unwrap_or_else(|| rand::rng().random());
    println!("jobs: {rounds} rounds of {JOBS}, seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut sidecar = Sidecar::start_with_journal();
    let (chain, witness) = Circuit::chain(sidecar.home(), 12);
    let secret = ProofSecret::Witness(Zeroizing::new(std::fs::read(witness).expect("the witness")));
    let runtime = runtime();
    let (id, key) = runtime.block_on(async { add(&sidecar.client().await, &chain).await });
    let key = PreparedKey::new(&key).expect("a good key");
    let (mut wrong, mut done_before) = (0, 0);
    for round in 0..rounds {
        let jobs: Vec<String> = runtime.block_on(async {
            let client = sidecar.client().await;
            let mut jobs = Vec::new();
            for _ in 0..JOBS {
                jobs.push(client.submit_proof(id, &secret, CallOptions::default()).await.expect("it is taken"));
            }
            tokio::time::sleep(Duration::from_millis(random.random_range(0..LIVE_MS_MAX))).await;
            for job in &jobs {
                done_before += u64::from(client.proof(job).await.is_ok_and(|event| event.is_final()));
            }
            jobs
        });
        sidecar.kill();
        sidecar.start_again();
        runtime.block_on(async {
            let client = sidecar.client().await;
            for job in &jobs {
                let end = match client.watch_proof(job).await {
                    Ok(stream) => proved(stream).await,
                    Err(error) => Err(error.to_string()),
                };
                let verdict = end.map(|proof| key.verify(&proof.bytes, &proof.public_signals));
                if verdict != Ok(Verdict::Valid) {
                    println!("  round {round}, job {job}: {verdict:?}");
                    wrong += 1;
                }
            }
        });
    }
    println!("  {done_before} of {} jobs were done before the kill; {wrong} lost or wrong", rounds * JOBS as u64);
    wrong
}
