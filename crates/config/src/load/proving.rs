//! The keys below `proving`.

use std::path::PathBuf;
use std::time::Duration;

use super::{BYTES_LIMIT, DAY};
use crate::reader::Reader;
use crate::{Proving, Sources, WitnessBounds};

/// One proof uses every core for as long as it runs; two at once take longer each and hold twice the memory.
const CONCURRENCY_DEFAULT: u64 = 1;
/// A few: the first of them is not done before the last.
const TOGETHER_DEFAULT: u64 = 4;
/// Below it a proof takes some tens of milliseconds, in stages so short that threads wait for each other.
const TOGETHER_DOMAIN_DEFAULT: u64 = 1 << 14;
/// From there on what a proof holds beside its key is some hundred megabytes, and a part of a sum some ten milliseconds.
const LARGE_DOMAIN_DEFAULT: u64 = 1 << 19;
/// A fifth of the time of the sums of a small circuit.
const MULTIPLES_DEFAULT: u64 = 4;
const DIGITS_AT_ONCE_DEFAULT: u64 = 1 << 16;
const WINDOW_BITS_DEFAULT: u64 = 18;
/// Keys of some 2^14 constraints: larger ones gain little.
const MULTIPLES_BYTES_DEFAULT: u64 = 32 << 20;
/// A tenth of the weight of what runs beside it: a verification waits for a time slice at most, and a machine that is
/// busy with other things still proves. At 19, a hundredth, a proof can stand still for as long as a node is busy.
const NICE_DEFAULT: u64 = 10;
/// Hours of proofs; a queue that is longer is a mistake of its sender.
const JOBS_DEFAULT: u64 = 1_024;
/// A quarter of them, so that one tenant alone cannot shut the others out.
const TENANT_JOBS_DEFAULT: u64 = 256;
/// Two requests of the largest size, or some hundreds of ordinary ones.
const SECRET_BYTES_DEFAULT: u64 = 1 << 30;
/// A few proofs of ordinary size.
const AGING_DEFAULT: Duration = Duration::from_secs(30);
/// A caller that was away over night finds its proofs.
const RESULT_LIFETIME_DEFAULT: Duration = DAY;
const RESULT_LIFETIME_MAX: Duration = Duration::from_secs(365 * 86_400);
/// Matrices of a hundred circuits of 2^20 constraints; the points stay in mapped files.
const READY_BYTES_DEFAULT: u64 = 4 << 30;
/// The largest key of a public ceremony, about 2^24 constraints, has 9 GB.
const KEY_BYTES_DEFAULT: u64 = 16 << 30;
const R1CS_BYTES_DEFAULT: u64 = 8 << 30;
/// circom's largest programs have some tens of megabytes.
const WASM_BYTES_DEFAULT: u64 = 256 << 20;
/// A minute or two of an interpreted or compiled program.
const FUEL_DEFAULT: u64 = 100_000_000_000;
const WITNESS_MEMORY_DEFAULT: u64 = 2 << 30;
/// All that 32-bit WebAssembly can address.
const WITNESS_MEMORY_MAX: u64 = 4 << 30;
const WITNESS_TIME_DEFAULT: Duration = Duration::from_secs(120);

/// `request_bytes_max`: bytes of the secret of one request.
pub(super) fn read(reader: &mut Reader, sources: &Sources, request_bytes_max: usize) -> Proving {
    let path = |text: String| Some(PathBuf::from(text)).filter(|path| !path.as_os_str().is_empty());
    let directory = match reader.text("proving.directory") {
        Some(text) => path(text),
        None => sources.state_directory.clone(),
    };
    let journal_key = reader.text("proving.journal_key").and_then(path);
    let mut count = |key: &str, range, default| reader.number(key, range).unwrap_or(default) as usize;
    let threads = count("proving.threads", 0..=4_096, 0);
    let concurrency = count("proving.concurrency", 1..=64, CONCURRENCY_DEFAULT);
    let together_max = count("proving.together_max", 1..=64, TOGETHER_DEFAULT);
    let together_domain_max = count("proving.together_domain_max", 2..=1 << 31, TOGETHER_DOMAIN_DEFAULT);
    let large_domain_min = count("proving.large_domain_min", 2..=1 << 32, LARGE_DOMAIN_DEFAULT);
    let multiples_max = count("proving.multiples_max", 1..=16, MULTIPLES_DEFAULT);
    let msm_digits_at_once = count("proving.msm_digits_at_once", 1 << 10..=1 << 24, DIGITS_AT_ONCE_DEFAULT);
    let msm_window_bits_max = count("proving.msm_window_bits_max", 4..=18, WINDOW_BITS_DEFAULT);
    // Verification must win against proofs, so they are never as urgent to the operating system.
    let nice = count("proving.nice", 10..=19, NICE_DEFAULT) as u8;
    let jobs_max = count("proving.jobs_max", 1..=1 << 20, JOBS_DEFAULT);
    let tenant_jobs_max = count("proving.tenant_jobs_max", 1..=1 << 20, TENANT_JOBS_DEFAULT.min(jobs_max as u64));
    let mut bytes = |key: &str, default| reader.bytes(key, 1 << 10..=BYTES_LIMIT).unwrap_or(default);
    let secret_default = SECRET_BYTES_DEFAULT.max(request_bytes_max as u64);
    let secret_bytes_max = bytes("proving.secret_bytes_max", secret_default);
    let multiples_bytes_max = bytes("proving.multiples_bytes_max", MULTIPLES_BYTES_DEFAULT) as usize;
    let ready_bytes_max = bytes("proving.ready_bytes_max", READY_BYTES_DEFAULT) as usize;
    let key_bytes_max = bytes("proving.key_bytes_max", KEY_BYTES_DEFAULT);
    let r1cs_bytes_max = bytes("proving.r1cs_bytes_max", R1CS_BYTES_DEFAULT);
    let wasm_bytes_max = bytes("proving.wasm_bytes_max", WASM_BYTES_DEFAULT);
    if secret_bytes_max < request_bytes_max as u64 {
        reader.fail("proving.secret_bytes_max", "is below limits.secret_bytes_max: the largest request never fits");
    }
    if tenant_jobs_max > jobs_max {
        reader.fail("proving.tenant_jobs_max", "is above proving.jobs_max: one tenant could shut the others out");
    }
    Proving {
        directory,
        threads,
        concurrency,
        together_max,
        together_domain_max,
        large_domain_min,
        multiples_max,
        multiples_bytes_max,
        msm_digits_at_once,
        msm_window_bits_max,
        nice,
        jobs_max,
        tenant_jobs_max,
        secret_bytes_max,
        aging: reader.duration("proving.aging", Duration::from_millis(1)..=DAY).unwrap_or(AGING_DEFAULT),
        result_lifetime: reader
            .duration("proving.result_lifetime", Duration::from_secs(1)..=RESULT_LIFETIME_MAX)
            .unwrap_or(RESULT_LIFETIME_DEFAULT),
        journal_key,
        ready_bytes_max,
        key_bytes_max,
        r1cs_bytes_max,
        wasm_bytes_max,
        witness: witness(reader),
    }
}

fn witness(reader: &mut Reader) -> WitnessBounds {
    let fuel = reader.number("proving.witness.fuel_max", 1..=i64::MAX as u64);
    let memory = reader.bytes("proving.witness.memory_bytes_max", 1 << 20..=WITNESS_MEMORY_MAX);
    let time = reader.duration("proving.witness.time_max", Duration::from_millis(1)..=DAY);
    WitnessBounds {
        fuel_max: fuel.unwrap_or(FUEL_DEFAULT),
        memory_bytes_max: memory.unwrap_or(WITNESS_MEMORY_DEFAULT) as usize,
        time_max: time.unwrap_or(WITNESS_TIME_DEFAULT),
    }
}
