//! The metrics of proving: names, and what they mean.
//!
//! Labels are bounded: outcomes, stages, engines and curves are closed lists. Circuits and tenants are none of them.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use outrigger_types::{Curve, Rejection};

use crate::Finished;

/// Proofs asked for, by `outcome`: `ok`, or the reason of the rejection.
pub const PROOFS: &str = "outrigger_proofs_total";
/// Proofs that were repeated on the reference, because the engine's own try did not count.
pub const REPEATED: &str = "outrigger_proofs_repeated_total";
/// Time of a proof from its start to its end, its waiting not counted.
pub const PROOF_SECONDS: &str = "outrigger_proof_seconds";
/// Time that a proof waited for its start.
pub const QUEUE_SECONDS: &str = "outrigger_proof_queue_seconds";
/// Time of each stage of a proof, by `stage`.
pub const STAGE_SECONDS: &str = "outrigger_proof_stage_seconds";
/// Jobs that wait.
pub const QUEUED: &str = "outrigger_proofs_queued";
/// Jobs that run.
pub const RUNNING: &str = "outrigger_proofs_running";
/// Proofs begun, by `engine`.
pub const BY_ENGINE: &str = "outrigger_proofs_by_engine_total";
/// What a unit of a proof's work (about an addition of points) takes, by `engine` and `curve`, as placement reckons:
/// that of the last proof's size.
pub const UNIT_SECONDS: &str = "outrigger_proof_unit_seconds";
/// Bytes of witnesses and inputs that are held.
pub const SECRET_BYTES: &str = "outrigger_proof_secret_bytes";

/// Tells the recorder what each metric means.
pub fn describe() {
    describe_counter!(PROOFS, "Proofs asked for, by outcome");
    describe_counter!(REPEATED, "Proofs repeated on the reference after the engine's own try");
    describe_histogram!(PROOF_SECONDS, Unit::Seconds, "Time of one proof from start to end");
    describe_histogram!(QUEUE_SECONDS, Unit::Seconds, "Time that one proof waited for its start");
    describe_histogram!(STAGE_SECONDS, Unit::Seconds, "Time of one stage of a proof");
    describe_gauge!(QUEUED, "Proof jobs and heavy calls that wait");
    describe_gauge!(RUNNING, "Proof jobs and heavy calls that run");
    describe_counter!(BY_ENGINE, "Proofs begun, by engine");
    describe_gauge!(UNIT_SECONDS, Unit::Seconds, "Time of a unit of a proof's work, by engine and curve");
    describe_gauge!(SECRET_BYTES, Unit::Bytes, "Bytes of witnesses and inputs held, sealed ones included");
}

pub(crate) fn ended(outcome: Result<&Finished, &Rejection>) {
    let label = match outcome {
        Ok(_) => "ok",
        Err(rejection) => rejection.reason(),
    };
    counter!(PROOFS, "outcome" => label).increment(1);
    let Ok(finished) = outcome else { return };
    if finished.repeated {
        counter!(REPEATED).increment(1);
    }
    for (stage, time) in finished.timings.iter() {
        histogram!(STAGE_SECONDS, "stage" => stage.name()).record(time.as_secs_f64());
    }
}

pub(crate) fn begun_by(engine: &'static str) {
    counter!(BY_ENGINE, "engine" => engine).increment(1);
}

pub(crate) fn engine_cost(engine: &'static str, curve: Curve, seconds: f64) {
    gauge!(UNIT_SECONDS, "engine" => engine, "curve" => curve.name()).set(seconds);
}

pub(crate) fn proved_in(time: Duration) {
    histogram!(PROOF_SECONDS).record(time.as_secs_f64());
}

pub(crate) fn waited(time: Duration) {
    histogram!(QUEUE_SECONDS).record(time.as_secs_f64());
}

pub(crate) fn jobs(queued: usize, running: usize) {
    gauge!(QUEUED).set(queued as f64);
    gauge!(RUNNING).set(running as f64);
}

pub(crate) fn secret_bytes(bytes: u64) {
    gauge!(SECRET_BYTES).set(bytes as f64);
}
