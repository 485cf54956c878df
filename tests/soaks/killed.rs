//! Proofs on an OpenCL device whose worker is killed in the midst of each stage.

use rand::RngExt;

use crate::support::device::has_opencl;
use crate::support::killed::{STAGES, while_proving};

/// Panics where a proof is lost or wrong; gives back 1 where there is no device to kill.
pub(crate) fn run(rounds: u64, seed: Option<u64>) -> u64 {
    let seed = seed.unwrap_or_else(|| rand::rng().random());
    println!("killed: {rounds} rounds of {} stages, seed {seed}", STAGES.len());
    if !has_opencl() {
        return 1;
    }
    for round in 0..rounds {
        while_proving(&STAGES, seed.wrapping_add(round));
    }
    0
}
