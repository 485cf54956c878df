//! Many proofs from concurrent clients over a mix of circuits, every one verified, in bounded memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use outrigger_client::{CallOptions, Client, ProofSecret};
use outrigger_groth16::PreparedKey;
use outrigger_types::{Backend, CircuitId, ColumnBuf, ProofKey, ProofWork, Verdict, Work};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use zeroize::Zeroizing;

use crate::support::circuits::{Circuit, add, cube_witness, membership_inputs, proved};
use crate::support::device::{kernel_cache, until_proved};
use crate::support::load::runtime;
use crate::support::sidecar::Sidecar;

/// Callers at once.
const CLIENTS: u64 = 8;
/// How much more memory than after the first quarter of the proofs the rest may need, in KiB.
const GROWTH_KIB_MAX: u64 = 64 << 10;

/// A circuit of the mix.
struct Subject {
    id: CircuitId,
    key: Arc<ProofKey>,
    prepared: PreparedKey,
}

impl Subject {
    async fn add(client: &Client, circuit: &Circuit) -> Self {
        let (id, key) = add(client, circuit).await;
        Self { id, prepared: PreparedKey::new(&key).expect("a good key"), key: Arc::new(key) }
    }
}

/// What the callers share.
struct Shared {
    backend: Option<Backend>,
    client: Client,
    membership: Subject,
    cube: Subject,
    count: u64,
    begun: AtomicU64,
    wrong: AtomicU64,
}

/// Gives back how much was wrong. On a backend that is named all proofs are of the tree's circuit; devices are all that
/// OpenCL has, processors too.
pub(crate) fn run(count: u64, seed: Option<u64>, backend: Option<&str>) -> u64 {
    let seed = seed.unwrap_or_else(|| rand::rng().random());
    let backend = backend.map(|name| name.parse::<Backend>().expect("cpu, cuda, opencl or vector"));
    let on = backend.map_or("", Backend::name);
    println!("proofs {on}: {count} from {CLIENTS} clients, seed {seed}");
    let folder = tempfile::tempdir().expect("a folder");
    let (membership, cube) = (Circuit::membership(folder.path()), Circuit::cube(folder.path()));
    let devices = match backend {
        Some(Backend::Opencl) => {
            format!("[engines]\nopencl = \"all\"\n[devices]\nkernel_cache = {:?}\n", kernel_cache())
        }
        _ => String::new(),
    };
    let sidecar = Sidecar::start_with(&format!("[log]\nfilter = \"warn\"\n{devices}"));
    let runtime = runtime();
    let shared = runtime.block_on(async {
        let client = sidecar.client().await;
        let (membership, cube) = (Subject::add(&client, &membership).await, Subject::add(&client, &cube).await);
        let (begun, wrong) = (AtomicU64::new(0), AtomicU64::new(0));
        if let Some(backend) = backend {
            until_proved(&client, backend, cube.id).await;
        }
        Arc::new(Shared { backend, client, membership, cube, count, begun, wrong })
    });
    let (before, _) = sidecar.memory_kib();
    let callers: Vec<_> =
        (0..CLIENTS).map(|caller| runtime.spawn(call(shared.clone(), StdRng::seed_from_u64(seed ^ caller)))).collect();
    // High water after a quarter: all that a proof needs has been there by then.
    while shared.begun.load(Ordering::Relaxed) < count / 4 && callers.iter().any(|caller| !caller.is_finished()) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let (_, quarter) = sidecar.memory_kib();
    for caller in callers {
        runtime.block_on(caller).expect("no caller panics");
    }
    let (_, highest) = sidecar.memory_kib();
    println!("  memory {before} KiB before, at its highest {quarter} KiB after a quarter, {highest} KiB at the end");
    let grew = u64::from(highest > quarter + GROWTH_KIB_MAX);
    let wrong = shared.wrong.load(Ordering::Relaxed);
    let mut repeated = 0.0;
    if backend.is_some() {
        repeated = sidecar.metric("outrigger_proofs_repeated_total", &[]);
        let made = sidecar.metric("outrigger_proofs_by_engine_total", &[&format!("engine=\"{on}\"")]);
        println!("  {made} begun on {on}, {repeated} repeated elsewhere");
    }
    println!("  {wrong} of {count} proofs wrong{}", if grew == 0 { "" } else { "; memory grew without bound" });
    wrong + grew + repeated as u64
}

/// Proves and has each proof judged, here and by the sidecar, until all are begun.
async fn call(shared: Arc<Shared>, mut random: StdRng) {
    while shared.begun.fetch_add(1, Ordering::Relaxed) < shared.count {
        let is_small = shared.backend.is_none() && random.random_range(0..4) == 0;
        let (subject, secret) = if is_small {
            (&shared.cube, ProofSecret::Witness(cube_witness(random.random_range(1..1 << 20))))
        } else {
            let (inputs, _) = membership_inputs(&mut random);
            (&shared.membership, ProofSecret::Inputs(Zeroizing::new(inputs.to_string().into_bytes())))
        };
        if let Err(error) = one(&shared, subject, &secret).await {
            println!("  {error}");
            shared.wrong.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn one(shared: &Shared, subject: &Subject, secret: &ProofSecret) -> Result<(), String> {
    let (client, options) = (&shared.client, CallOptions { backend: shared.backend, ..CallOptions::default() });
    let stream = client.prove(subject.id, secret, options).await.map_err(|error| error.to_string())?;
    let proof = proved(stream).await?;
    let here = subject.prepared.verify(&proof.bytes, &proof.public_signals);
    let work = Work::VerifyProofs(ProofWork {
        key: subject.key.clone(),
        proofs: ColumnBuf::from_items(&[&proof.bytes]),
        public_signals: ColumnBuf::from_items(&[&proof.public_signals]),
    });
    let answer = client.run(work, CallOptions::default()).await.map_err(|error| error.to_string())?;
    match (here, answer.output.verdicts[0]) {
        (Verdict::Valid, Verdict::Valid) => Ok(()),
        verdicts => Err(format!("a proof is judged {verdicts:?}, here and by the sidecar")),
    }
}
