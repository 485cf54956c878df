//! Sidecars with devices: OpenCL on the processor (PoCL), and what their workers come to.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outrigger_client::{CallOptions, Client, ProofSecret};
use outrigger_types::{Backend, CircuitId, Output, Ruleset, Work};
use rustix::process::Pid;

use super::circuits::{cube_witness, proved};
use super::command::outrigger;
use super::sidecar::Sidecar;
use super::workload::{as_work, expected, items};

/// How long the kernels of a cold cache may take to compile, on a machine that does other things too.
const COMPILED_WITHIN: Duration = Duration::from_secs(900);

/// Whether there is an OpenCL device; says so where not, and fails where there must be one.
pub(crate) fn has_opencl() -> bool {
    let listed = outrigger(&["device-worker", "--list"], "");
    let is_here = !listed.stdout.trim().is_empty();
    if !is_here {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no OpenCL device, which CI must have");
        println!("NOT RUN: no OpenCL device; install pocl-opencl-icd");
    }
    is_here
}

/// Holds back the other tests with devices of this program: each compiles kernels or runs them on all cores.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the tests keep compiled kernels, which outlive a sidecar; the program's own place, as `program` sets it.
pub(crate) fn kernel_cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache/outrigger/kernels")
}

/// A sidecar that uses every OpenCL device and judges everything again.
pub(crate) fn sidecar() -> Sidecar {
    let cache = kernel_cache();
    Sidecar::start_with(&format!(
        "[engines]\nopencl = \"all\"\n[devices]\naudit_per_million = 1000000\nhang_max = \"60s\"\nkernel_cache = {cache:?}\n"
    ))
}

/// Here or nowhere.
pub(crate) fn on(backend: Backend) -> CallOptions {
    CallOptions { backend: Some(backend), ..CallOptions::default() }
}

/// The answer of a backend, as soon as it offers one.
pub(crate) async fn answer_by(client: &Client, backend: Backend, work: &Arc<Work>) -> Output {
    let until = Instant::now() + COMPILED_WITHIN;
    loop {
        match client.run(work.clone(), on(backend)).await {
            Ok(answer) => return answer.output,
            Err(error) => assert!(Instant::now() < until, "{} is not served: {error}", work.operation().label()),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Verifies a few items of a ruleset on a backend as soon as it is offered there.
pub(crate) async fn until_served(client: &Client, backend: Backend, ruleset: Ruleset) {
    let items = items(ruleset, 24, 3, 11);
    let answer = answer_by(client, backend, &as_work(ruleset, &items)).await;
    assert_eq!(answer.verdicts, expected(&items), "{ruleset}");
}

/// The first worker of the sidecar: its child.
pub(crate) fn worker_of(sidecar: &Sidecar) -> Option<Pid> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", sidecar.pid())).ok()?.flatten();
    let children = tasks.map(|task| std::fs::read_to_string(task.path().join("children")).unwrap_or_default());
    let all: String = children.collect::<Vec<_>>().join(" ");
    all.split_whitespace().find_map(|pid| Pid::from_raw(pid.parse().ok()?))
}

/// Waits until a metric, summed over the labels, is at least so large.
pub(crate) async fn until_metric(sidecar: &Sidecar, name: &str, labels: &[&str], least: f64) {
    let until = Instant::now() + Duration::from_secs(120);
    while sidecar.metric(name, labels) < least {
        assert!(Instant::now() < until, "{name} {labels:?} stays below {least}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Proves the cube of a small number on a backend as soon as it proves there.
pub(crate) async fn until_proved(client: &Client, backend: Backend, cube: CircuitId) {
    let until = Instant::now() + COMPILED_WITHIN;
    loop {
        let secret = ProofSecret::Witness(cube_witness(7));
        let proof = match client.prove(cube, &secret, on(backend)).await {
            Ok(stream) => proved(stream).await,
            Err(error) => Err(error.to_string()),
        };
        match proof {
            Ok(_) => return,
            Err(error) => assert!(Instant::now() < until, "{backend} does not prove: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
