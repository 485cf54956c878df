//! The configuration itself: what the binary hands to service and scheduler.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use outrigger_types::{Backend, BatchOptions, Quota, SchedulerOptions, TenantPolicy};

use crate::Profile;

pub(crate) mod costs;
mod describe;
mod tracing;

pub use costs::CostGuess;
pub use tracing::{OtlpEndpoint, Tracing};

/// The mode of the socket: owner and group may connect.
pub const SOCKET_MODE_DEFAULT: u32 = 0o660;
/// The order of backends where nothing else decides.
pub const ENGINE_ORDER_DEFAULT: [Backend; 4] = [Backend::Cuda, Backend::Opencl, Backend::Vector, Backend::Cpu];

/// Everything that an operator decides, validated.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where the sidecar listens.
    pub listen: Listen,
    /// How much a request, a tenant or the sidecar may hold.
    pub limits: Limits,
    /// How work is gathered.
    pub scheduler: SchedulerTuning,
    /// Who may do what; without any, callers on the Unix socket that share its user or group may do everything.
    pub tenants: Vec<Tenant>,
    /// What is logged and how.
    pub log: Log,
    /// Where traces go.
    pub tracing: Tracing,
    /// How long work in flight may take to finish after the order to stop.
    pub drain_grace: Duration,
    /// How many threads there are.
    pub threads: Threads,
    /// Which engines run beside plain cores.
    pub engines: Engines,
    /// How devices are driven.
    pub devices: Devices,
    /// How proofs are made, and how many.
    pub proving: Proving,
    /// The hardware profile whose values lie beneath all others.
    pub profile: Profile,
}

/// Where the sidecar listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The Unix socket; `unix = ""` turns it off. Default: `outrigger/outrigger.sock` in `$XDG_RUNTIME_DIR`, or in
    /// `/run` for root.
    pub unix: Option<PathBuf>,
    /// The permissions of the socket, as `"0660"`.
    pub unix_mode: u32,
    /// The TCP address, such as `"0.0.0.0:7443"`; off by default.
    pub tcp: Option<SocketAddr>,
    /// The certificates of the TCP listener.
    pub tls: Option<Tls>,
    /// Allow TCP without TLS, on a loopback address.
    pub insecure_loopback: bool,
    /// The HTTP port for `/livez /readyz /metrics /version`; loopback, port 9464 by default, off by `admin = ""`.
    pub admin: Option<SocketAddr>,
    /// Connections open at once, over all listeners.
    pub connections_max: usize,
}

/// PEM files of the TCP listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain, the leaf first.
    pub certificate: PathBuf,
    /// The private key. Never logged, never copied.
    pub key: PathBuf,
    /// The authorities that sign callers' certificates. Without it callers are not authenticated.
    pub client_ca: Option<PathBuf>,
}

/// How much may be held at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Over all tenants: `limits.requests_max`, `limits.items_in_flight_max`, `limits.bytes_in_flight_max`,
    /// `limits.compute_max`.
    pub quota: Quota,
    /// Bytes of one gRPC message.
    pub message_bytes_max: usize,
    /// Items of one request.
    pub items_max: usize,
    /// Messages of one stream that are not answered yet.
    pub stream_window: usize,
    /// Bytes of the registered key sets of one tenant.
    pub key_set_bytes_max: usize,
    /// Bytes of the leaves of one Merkle tree, over all its chunks.
    pub merkle_bytes_max: usize,
    /// Bytes of the witness or the inputs of one proof, over all its chunks.
    pub secret_bytes_max: usize,
    /// Bytes of the input of one `Msm` or `Ntt`, over all its chunks.
    pub operation_bytes_max: usize,
}

/// How work is gathered, placed and kept.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulerTuning {
    /// When a batch closes.
    pub batch: BatchOptions,
    /// After this wait, a request counts as one class more urgent.
    pub aging: Duration,
    /// Verdicts kept for equal items to come; 0 turns the cache off.
    pub cache_entries: usize,
    /// Share of the quotas that only consensus-class requests may use, in percent.
    pub consensus_reserve_percent: u8,
    /// What work is guessed to cost until it was measured: `[[scheduler.costs]]`; `costs = []` takes those of the
    /// profile away.
    pub costs: Vec<CostGuess>,
}

/// A tenant, and the callers that it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// What it may do.
    pub policy: TenantPolicy,
    /// User ids of its callers on the Unix socket.
    pub uids: Vec<u32>,
    /// DNS names or common names in the certificates of its callers over TCP.
    pub certificate_names: Vec<String>,
    /// Whether callers over TCP without a certificate are of this tenant.
    pub unauthenticated: bool,
}

/// What is logged and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Levels, overall and by module, such as `"info,outrigger_service=debug"`.
    pub filter: String,
    /// For machines or for people.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text.
    Text,
}

/// How many threads there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threads {
    /// For verification; 0 takes every core.
    pub verify: usize,
    /// For the network.
    pub io: usize,
    /// Whether each thread that verifies stays on a core of its own.
    pub pin: bool,
}

/// Which engines run beside plain cores, which always do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engines {
    /// AVX-512 IFMA lanes.
    pub vector: EngineRule,
    /// GPUs through CUDA: where the CUDA worker is installed, with a driver and a device.
    pub cuda: EngineRule,
    /// Devices through OpenCL.
    pub opencl: OpenclRule,
    /// Which backend is preferred where their predictions are equal or there are none, the most preferred first. A list
    /// that does not name all goes on in the order of [`ENGINE_ORDER_DEFAULT`].
    pub order: [Backend; 4],
    /// Bytes of the tables that lanes keep of public keys which come often, over all tenants; 0 keeps none. Read at the
    /// start alone.
    pub known_keys_bytes_max: usize,
}

/// Whether an engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineRule {
    /// Where the machine has what it needs.
    Auto,
    /// Never.
    Off,
}

/// Which OpenCL devices are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenclRule {
    /// GPUs and accelerators, without those whose model CUDA drives here.
    Auto,
    /// Also processors, which plain cores and lanes use better: for tests.
    All,
    /// None.
    Off,
}

/// How devices are driven. Read at the start alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices {
    /// Of a million items that a device accepts, how many the CPU judges again.
    pub audit_per_million: u32,
    /// Bytes of its memory that a device's worker may hold; 0: four fifths of what it has.
    pub memory_bytes_max: u64,
    /// Bytes of shared memory for the batches of one device: a batch and its answer take an eighth each at most.
    pub arena_bytes: usize,
    /// Work-items of a group at most, a power of two from 8 to 1024; 0: as many as the device takes. A bound from above:
    /// a device that takes fewer, or whose kernels were compiled for fewer, has fewer.
    pub group_max: u32,
    /// Bits of a window of a multi-scalar multiplication on a device, 4 to 24; 0: computed from the number of points.
    pub msm_window_bits: u32,
    /// Entries of a multi-scalar multiplication that a work-item adds up.
    pub msm_entries_per_item: u32,
    /// Copies of each point of a key that a device keeps, itself included, multiplied by powers of two, where they gain.
    pub msm_copies_max: u32,
    /// A worker that says nothing for so long while it works is killed.
    pub hang_max: Duration,
    /// The same while it comes up or tests itself, which compiles kernels where none are kept.
    pub ready_max: Duration,
    /// The program that drives CUDA devices. Default: `outrigger-cuda` beside the program that runs.
    pub cuda_worker: Option<PathBuf>,
    /// Where compiled kernels are kept; `kernel_cache = ""` keeps none. Default: `kernels` in `$CACHE_DIRECTORY`
    /// (systemd's `CacheDirectory=`), else `outrigger/kernels` in `$XDG_CACHE_HOME`, else in `$HOME/.cache`.
    pub kernel_cache: Option<PathBuf>,
}

/// How proofs are made, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proving {
    /// Where circuits and jobs are kept; `directory = ""` turns proving off. Default: `$STATE_DIRECTORY` (systemd's
    /// `StateDirectory=`), else `outrigger` in `$XDG_STATE_HOME`, else in `$HOME/.local/state`.
    pub directory: Option<PathBuf>,
    /// Threads of the provers' pool; 0 takes every core.
    pub threads: usize,
    /// Proofs that run at once.
    pub concurrency: usize,
    /// Proofs of a small circuit that wait one after the other and are made together; 1 makes each by itself.
    pub together_max: usize,
    /// The domain up to which a circuit is small.
    pub together_domain_max: usize,
    /// The domain from which on engine vector spares memory before time.
    pub large_domain_min: usize,
    /// Multiples of each point that engine vector keeps of a key, the point itself included, where they gain.
    pub multiples_max: usize,
    /// Bytes of multiples of one key.
    pub multiples_bytes_max: usize,
    /// Digits of scalars that engine vector sums at once in a multi-scalar multiplication.
    pub msm_digits_at_once: usize,
    /// Bits of a window of engine vector's multi-scalar multiplications at most, 4 to 18.
    pub msm_window_bits_max: usize,
    /// The operating system's niceness of the pool's threads, 10 to 19.
    pub nice: u8,
    /// Jobs that wait or run, over all tenants.
    pub jobs_max: usize,
    /// Jobs of one tenant that wait or run.
    pub tenant_jobs_max: usize,
    /// Bytes of witnesses and inputs that are held, over all jobs.
    pub secret_bytes_max: u64,
    /// After this wait a job counts as one class more urgent.
    pub aging: Duration,
    /// How long results of submitted jobs are kept.
    pub result_lifetime: Duration,
    /// The file of mode 0600 with the 32 bytes that seal what is kept of submitted jobs, such as a systemd credential.
    /// Without it nothing can be submitted. Never read here.
    pub journal_key: Option<PathBuf>,
    /// Bytes of memory that ready keys may hold.
    pub ready_bytes_max: usize,
    /// Bytes of one proving key.
    pub key_bytes_max: u64,
    /// Bytes of one `.r1cs`.
    pub r1cs_bytes_max: u64,
    /// Bytes of one `.wasm`.
    pub wasm_bytes_max: u64,
    /// What witness programs may use up.
    pub witness: WitnessBounds,
}

/// What a witness program may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WitnessBounds {
    /// WebAssembly fuel: about one unit an instruction.
    pub fuel_max: u64,
    /// Bytes of linear memory.
    pub memory_bytes_max: usize,
    /// Wall-clock time.
    pub time_max: Duration,
}

impl Config {
    /// What the scheduler obeys.
    pub fn scheduler_options(&self) -> SchedulerOptions {
        SchedulerOptions {
            quota: self.limits.quota,
            tenants: self.tenants.iter().map(|tenant| tenant.policy.clone()).collect(),
            batch: self.scheduler.batch,
            aging: self.scheduler.aging,
            consensus_reserve_percent: self.scheduler.consensus_reserve_percent,
            cache_entries: self.scheduler.cache_entries,
        }
    }
}
