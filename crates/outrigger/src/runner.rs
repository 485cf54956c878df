//! Where a command's work is done: a sidecar, or this process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_client::{CallOptions, Client, ClientError, ClientOptions, Endpoint, Fallback, TlsOptions};
use outrigger_config::{Config, Overrides, Sources};
use outrigger_scheduler::{CoreEngine, CoreOptions, Request, Scheduler};
use outrigger_types::{Backend, Engine, Output, Quota, SchedulerOptions, TenantPolicy, Work};
use tokio::runtime::Runtime;

use crate::cli::{Failure, TargetArgs};
use crate::devices::{self, Driven, Started};

/// Does work at the place that the flags name.
pub(crate) struct Runner {
    place: Place,
    args: TargetArgs,
}

enum Place {
    Sidecar(Caller),
    Here(Runtime, Scheduler),
}

impl Runner {
    /// A runner for these flags.
    pub(crate) fn new(args: &TargetArgs) -> Result<Self, Failure> {
        let place = if args.local {
            // The scheduler starts its tasks on the runtime.
            let runtime = runtime()?;
            let mut engines = here();
            if let Some(backend @ (Backend::Opencl | Backend::Cuda)) = args.backend {
                engines.extend(devices::engines(&tried(backend)?));
            }
            let scheduler = Scheduler::new(alone(), engines);
            Place::Here(runtime, scheduler)
        } else {
            Place::Sidecar(Caller::connect(args)?)
        };
        Ok(Self { place, args: args.clone() })
    }

    /// Does a piece of work.
    pub(crate) fn run(&self, work: Work) -> Result<Output, Failure> {
        let work = Arc::new(work);
        match &self.place {
            Place::Here(runtime, scheduler) => {
                let request = Request {
                    work,
                    tenant: LOCAL.into(),
                    priority: self.args.priority,
                    deadline: self.args.timeout().map(|timeout| Instant::now() + timeout),
                    backend: self.args.backend,
                };
                runtime.block_on(scheduler.submit(request)).map_err(Failure::work)
            }
            Place::Sidecar(caller) => {
                let run = caller.client.run(work, call_options(&self.args));
                Ok(caller.runtime.block_on(run).map_err(Failure::work)?.output)
            }
        }
    }
}

/// A sidecar, called by a thread that may wait.
pub(crate) struct Caller {
    runtime: Runtime,
    /// The client; its calls must be waited for by [`Caller::wait`].
    pub(crate) client: Client,
}

impl Caller {
    /// Connects to the sidecar that the flags name.
    pub(crate) fn connect(args: &TargetArgs) -> Result<Self, Failure> {
        let runtime = runtime()?;
        let client = runtime.block_on(connect(args))?;
        Ok(Self { runtime, client })
    }

    /// Waits for a call. What the sidecar says about the input is the input's fault, the rest is work not done.
    pub(crate) fn wait<T>(&self, call: impl Future<Output = Result<T, ClientError>>) -> Result<T, Failure> {
        self.runtime.block_on(call).map_err(blame)
    }
}

/// Whose fault it is that a call of the proof service gave no answer.
pub(crate) fn blame(error: ClientError) -> Failure {
    match error {
        ClientError::InvalidArgument { message, violations } if violations.is_empty() => Failure::Input(message),
        ClientError::InvalidArgument { .. } => Failure::input(error),
        ClientError::NotFound(what) => Failure::Input(what),
        _ => Failure::work(error),
    }
}

/// What the flags say beside the work.
pub(crate) fn call_options(args: &TargetArgs) -> CallOptions {
    CallOptions { priority: args.priority, deadline: args.timeout(), backend: args.backend }
}

/// The devices of this machine behind a backend, after their trials; processors with OpenCL included.
fn tried(backend: Backend) -> Result<Vec<Driven>, Failure> {
    let rule = |of: Backend, wanted: &str| Some(if of == backend { wanted } else { "off" }.to_owned());
    let (cuda, opencl) = (rule(Backend::Cuda, "auto"), rule(Backend::Opencl, "all"));
    let config = devices::config(Overrides { cuda, opencl, ..Overrides::default() })?;
    let Started { driven, absent } = devices::start(&config);
    if let Some((_, why)) = absent.iter().find(|(of, _)| *of == backend) {
        return Err(Failure::work(format_args!("no devices of backend {backend}: {why}")));
    }
    for device in &driven {
        if !device.wait() {
            let why = device.worker.last_failure().map_or_else(String::new, |why| format!(": {why}"));
            return Err(Failure::work(format_args!("a device was not ready in time{why}")));
        }
    }
    Ok(driven)
}

/// The engines of this machine's cores.
pub(crate) fn here() -> Vec<Arc<dyn Engine>> {
    let cores = CoreEngine::new(CoreOptions::default());
    let vector = cores.vector();
    cores.with(vector)
}

fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::work(format_args!("cannot start the runtime: {error}")))
}

/// The only tenant of a process that works for itself.
const LOCAL: &str = "local";

/// Options of a scheduler that nobody else uses: quotas share a sidecar, and here there is nobody to share with.
fn alone() -> SchedulerOptions {
    let quota = Quota {
        requests_max: u64::from(u32::MAX),
        items_max: u64::from(u32::MAX),
        bytes_max: u64::from(u32::MAX) << 10,
        compute_max: Duration::from_secs(u64::from(u32::MAX)),
    };
    let tenant = TenantPolicy { quota, ..TenantPolicy::unrestricted(LOCAL) };
    SchedulerOptions {
        quota,
        tenants: vec![tenant],
        consensus_reserve_percent: 0,
        cache_entries: 0,
        ..SchedulerOptions::default()
    }
}

async fn connect(args: &TargetArgs) -> Result<Client, Failure> {
    let endpoint = match &args.endpoint {
        Some(endpoint) => endpoint.parse::<Endpoint>().map_err(Failure::input)?,
        None => {
            let path = default_socket()?;
            if !path.exists() {
                return Err(Failure::input(format_args!(
                    "no sidecar at {}: start one with `outrigger serve`, name one with --endpoint, or use --local",
                    path.display()
                )));
            }
            format!("unix:{}", path.display()).parse().map_err(Failure::input)?
        }
    };
    let tls = TlsOptions {
        ca: args.tls_ca.clone(),
        client_certificate: args.tls_cert.clone(),
        client_key: args.tls_key.clone(),
        ..TlsOptions::default()
    };
    let options = ClientOptions { tls, fallback: Fallback::None, ..ClientOptions::new(endpoint) };
    Client::connect(options).await.map_err(Failure::work)
}

/// The socket that `outrigger serve` listens on with the same environment.
fn default_socket() -> Result<PathBuf, Failure> {
    let config = Config::load(Sources::of_process(None, Overrides::default())).map_err(Failure::input)?;
    config.listen.unix.ok_or_else(|| {
        Failure::input("the configuration has no Unix socket: name a sidecar with --endpoint, or use --local")
    })
}
