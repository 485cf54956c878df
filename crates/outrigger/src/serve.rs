//! `outrigger serve` and `outrigger check-config`: configuration to a running sidecar, and signals to its end.

mod health;
mod logging;
mod nvml;
mod proving;
mod supervisor;
mod traces;

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use outrigger_algorithms::known_keys;
use outrigger_config::{Config, ConfigErrors, EngineRule, OpenclRule, Overrides, Sources};
use outrigger_proving::ProofService;
use outrigger_scheduler::cost::{Cost, Guesses};
use outrigger_scheduler::{CoreEngine, CoreOptions, Scheduler};
use outrigger_service::{
    LOCAL_TENANT, Listeners, Reload, Running, Server, ServiceLimits, ServiceOptions, TcpOptions, TenantRule, TlsFiles,
    UnixOptions,
};
use outrigger_types::{Backend, Engine, SchedulerOptions, TenantPolicy};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::{ConfigArgs, Failure};
use crate::{devices, print};
use traces::Traces;

/// How often the recorder folds its histograms together, so that they do not grow between scrapes, or without any.
const UPKEEP: Duration = Duration::from_secs(5);
/// Boundaries for times, in seconds: from a hand-over between threads to a stuck request.
const SECONDS_BUCKETS: [f64; 14] =
    [5e-6, 2e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 1e-1, 0.5, 2.0];
/// Boundaries for what proofs take and wait, in seconds: from a stage of a small circuit to an hour.
const PROOF_SECONDS_BUCKETS: [f64; 14] =
    [1e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0, 3_600.0];
/// Boundaries for batches, in items.
const ITEMS_BUCKETS: [f64; 9] = [1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0];

/// The histograms that these are for.
const PROOF_SECONDS: [&str; 3] = [
    outrigger_proving::metrics::PROOF_SECONDS,
    outrigger_proving::metrics::QUEUE_SECONDS,
    outrigger_proving::metrics::STAGE_SECONDS,
];

/// Runs the sidecar until a signal ends it.
pub(crate) fn run(args: ConfigArgs) -> Result<ExitCode, Failure> {
    let config = load(&args).map_err(Failure::input)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.threads.io.max(1))
        .thread_name("outrigger-io")
        .enable_all()
        .build()
        .map_err(Failure::work)?;
    let (log, traces) = {
        let _within = runtime.enter();
        let traces = Traces::start(&config.tracing).map_err(Failure::input)?;
        (logging::start(&config.log, traces.as_ref()).map_err(Failure::input)?, traces)
    };
    let metrics = recorder()?;
    outrigger_scheduler::metrics::describe();
    outrigger_proving::metrics::describe();
    health::describe();
    nvml::describe();
    traces::describe();
    let served = runtime.block_on(serve(&args, config, log, metrics));
    if let Some(traces) = traces {
        traces.stop(runtime);
    }
    served
}

/// Says what a configuration means, or all that is wrong with it.
pub(crate) fn check_config(args: &ConfigArgs) -> Result<ExitCode, Failure> {
    match load(args) {
        Ok(config) => {
            logging::check(&config.log).map_err(Failure::input)?;
            if args.json {
                print::json(&json!({"ok": true, "config": config.describe()}));
            } else {
                println!("{}", config.describe());
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(errors) if args.json => {
            let list: Vec<_> = errors
                .0
                .iter()
                .map(|error| json!({"origin": error.origin.to_string(), "key": error.key, "message": error.message}))
                .collect();
            print::json(&json!({"ok": false, "errors": list}));
            Ok(ExitCode::from(2))
        }
        Err(errors) => Err(Failure::input(errors)),
    }
}

fn load(args: &ConfigArgs) -> Result<Config, ConfigErrors> {
    let overrides = Overrides {
        unix: args.unix.clone(),
        tcp: args.tcp,
        admin: args.admin.clone(),
        insecure_loopback: args.insecure_loopback.then_some(true),
        log_filter: args.log.clone(),
        profile: args.profile.clone(),
        verify_threads: args.threads,
        vector: args.vector.clone(),
        cuda: args.cuda.clone(),
        opencl: args.opencl.clone(),
        ..Overrides::default()
    };
    Config::load_with_devices(Sources::of_process(args.config.clone(), overrides), devices::seen)
}

fn recorder() -> Result<PrometheusHandle, Failure> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS_BUCKETS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_items".into()), &ITEMS_BUCKETS))
        .and_then(|builder| {
            PROOF_SECONDS.iter().try_fold(builder, |builder, name| {
                builder.set_buckets_for_metric(Matcher::Full((*name).into()), &PROOF_SECONDS_BUCKETS)
            })
        })
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(Failure::work)
}

async fn serve(
    args: &ConfigArgs,
    config: Config,
    log: logging::Handle,
    metrics: PrometheusHandle,
) -> Result<ExitCode, Failure> {
    // Handlers are in place before anyone is told that the sidecar serves.
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::work)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::work)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(Failure::work)?;
    let threads = NonZeroUsize::new(config.threads.verify);
    let cores = CoreEngine::new(CoreOptions { threads, pin: config.threads.pin, ..CoreOptions::default() });
    cores.guess(guesses(&config, Backend::Cpu));
    let with_vector = config.engines.vector == EngineRule::Auto;
    let vector = cores.vector().filter(|_| with_vector);
    if let Some(vector) = &vector {
        vector.guess(guesses(&config, Backend::Vector));
        vector.warm_up();
        known_keys::enable(config.engines.known_keys_bytes_max);
    }
    let driven = devices::start(&config).driven;
    let mut engines = cores.with(vector);
    for device in &driven {
        device.engine.guess(guesses(&config, device.engine.backend()));
    }
    engines.extend(devices::engines(&driven));
    // Of engines that are expected to be done at the same time, the first is taken.
    let place = |backend| config.engines.order.iter().position(|other| *other == backend);
    engines.sort_by_key(|engine| place(engine.backend()));
    let scheduler = Scheduler::new(scheduler_options(&config), engines);
    let provers = proving::start(&config, devices::provers(&driven)).await?;
    // The server drains what proves, too: it knows which callers still listen.
    let proving = provers.as_ref().map(|provers| provers.service.clone());
    let refresh = Some(health::refresh(&scheduler, &driven));
    let options = ServiceOptions { refresh, ..service_options(&config, metrics.clone(), proving) };
    let running = Server::start(options, scheduler.clone()).await.map_err(Failure::work)?;
    if config.engines.cuda == EngineRule::Auto || config.engines.opencl != OpenclRule::Off {
        nvml::start();
    }
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            metrics.run_upkeep();
        }
    });
    tracing::info!(profile = config.profile.name, why = %config.profile.choice, "profile");
    announce(args, &config, &running, provers.as_ref());
    let places = places(&running);
    supervisor::ready(&places);
    supervisor::watch(scheduler.clone());
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => {
                supervisor::reloading();
                let outcome = reload(args, &running, &scheduler, &log);
                if let Err(error) = &outcome {
                    tracing::error!(error, "reload refused: the old configuration stays in force");
                }
                supervisor::reloaded(&places, &outcome);
            }
        }
    }
    supervisor::stopping(config.drain_grace);
    drain(&config, &running, &mut terminate, &mut interrupt).await;
    Ok(ExitCode::SUCCESS)
}

/// What the configuration guesses that operations cost on a backend.
fn guesses(config: &Config, backend: Backend) -> Guesses {
    let tuning = config.scheduler.clone();
    Guesses::new(move |operation| {
        let guess = tuning.guess(backend, operation)?;
        let fixed_ns = guess.fixed_us * 1e3;
        Some(Cost { fixed_ns, item_ns: guess.item_ns, byte_ns: guess.byte_ns, grain: 1 })
    })
}

/// One line on standard output, for people or for a program that waits for it.
fn announce(args: &ConfigArgs, config: &Config, running: &Running, provers: Option<&proving::Provers>) {
    let unix = running.unix().map(|path| path.display().to_string());
    let tcp = running.tcp().map(|address| address.to_string());
    let admin = running.admin().map(|address| address.to_string());
    if args.json {
        let pid = std::process::id();
        let circuits = provers.map(|provers| provers.circuits.display().to_string());
        print::json(&json!({
            "unix": unix,
            "tcp": tcp,
            "admin": admin,
            "pid": pid,
            "profile": config.profile.name,
            "proving": provers.is_some(),
            "circuits": circuits,
        }));
        return;
    }
    let admin = admin.map_or_else(String::new, |address| format!(", admin http://{address}"));
    println!("outrigger serves on {}{admin}, profile {}", places(running), config.profile.name);
}

/// Where callers find the sidecar.
fn places(running: &Running) -> String {
    let unix = running.unix().map(|path| format!("unix:{}", path.display()));
    let tcp = running.tcp().map(|address| address.to_string());
    [unix, tcp].into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

/// Reads the configuration again and obeys what may change; on any error everything stays as it was.
fn reload(args: &ConfigArgs, running: &Running, scheduler: &Scheduler, log: &logging::Handle) -> Result<(), String> {
    let config = load(args).map_err(|errors| errors.to_string())?;
    logging::check(&config.log)?;
    let tls = config.listen.tls.as_ref().map(tls_files);
    let change = Reload { limits: service_limits(&config), tenants: tenant_rules(&config), tls };
    running.reload(&change).map_err(|error| error.to_string())?;
    scheduler.reload(scheduler_options(&config));
    log.set(&config.log);
    tracing::info!("configuration reloaded");
    Ok(())
}

/// Finishes what is in flight within the grace; a second signal ends it at once.
async fn drain(config: &Config, running: &Running, terminate: &mut Signal, interrupt: &mut Signal) {
    tracing::info!(grace_ms = config.drain_grace.as_millis() as u64, "draining");
    tokio::select! {
        report = running.drain(config.drain_grace) => {
            tracing::info!(connections_cut = report.connections_cut, took_ms = report.took.as_millis() as u64, "drained");
        }
        _ = terminate.recv() => tracing::warn!("second signal: ending at once"),
        _ = interrupt.recv() => tracing::warn!("second signal: ending at once"),
    }
}

/// What the scheduler obeys. Where no tenant is configured, its books name the one that local callers are.
fn scheduler_options(config: &Config) -> SchedulerOptions {
    let mut options = config.scheduler_options();
    if options.tenants.is_empty() {
        options.tenants.push(TenantPolicy::unrestricted(LOCAL_TENANT));
    }
    options
}

fn service_options(config: &Config, metrics: PrometheusHandle, proving: Option<ProofService>) -> ServiceOptions {
    let listen = &config.listen;
    let unix = listen.unix.clone().map(|path| UnixOptions { path, mode: listen.unix_mode });
    let tcp = listen.tcp.map(|address| TcpOptions {
        address,
        tls: listen.tls.as_ref().map(tls_files),
        insecure_loopback: listen.insecure_loopback,
    });
    ServiceOptions {
        listeners: Listeners { unix, tcp, admin: listen.admin, connections_max: listen.connections_max },
        limits: service_limits(config),
        tenants: tenant_rules(config),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        metrics: Some(metrics),
        refresh: None,
        proving,
    }
}

fn tls_files(tls: &outrigger_config::Tls) -> TlsFiles {
    TlsFiles { certificate: tls.certificate.clone(), key: tls.key.clone(), client_ca: tls.client_ca.clone() }
}

fn service_limits(config: &Config) -> ServiceLimits {
    ServiceLimits {
        message_bytes_max: config.limits.message_bytes_max,
        items_max: config.limits.items_max,
        stream_window: config.limits.stream_window,
        key_set_bytes_max: config.limits.key_set_bytes_max,
        merkle_bytes_max: config.limits.merkle_bytes_max,
        secret_bytes_max: config.limits.secret_bytes_max,
        operation_bytes_max: config.limits.operation_bytes_max,
        ..ServiceLimits::default()
    }
    .with_room_for_bodies()
}

fn tenant_rules(config: &Config) -> Vec<TenantRule> {
    let rule = |tenant: &outrigger_config::Tenant| TenantRule {
        policy: tenant.policy.clone(),
        uids: tenant.uids.clone(),
        certificate_names: tenant.certificate_names.clone(),
        unauthenticated: tenant.unauthenticated,
    };
    config.tenants.iter().map(rule).collect()
}
