//! The part of a sidecar that proves, where there is a place for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use outrigger_config::{Config, EngineRule, Overrides, Sources};
use outrigger_groth16::CircuitStore;
use outrigger_groth16::engine::{self, ProofEngine};
use outrigger_proving::{ProofService, ProvingOptions, read_credential, read_key};
use outrigger_types::Backend;
use zeroize::Zeroizing;

use crate::cli::Failure;
use crate::store;

/// What proves, and where its circuits are.
pub(super) struct Provers {
    pub(super) service: ProofService,
    pub(super) circuits: PathBuf,
}

/// Starts what proves. A directory that nobody has named is not worth refusing signatures for: where it cannot be
/// used, the sidecar serves without proofs and says so. One that was named must be usable.
pub(super) async fn start(
    config: &Config,
    devices: Vec<(Backend, Arc<dyn ProofEngine>)>,
) -> Result<Option<Provers>, Failure> {
    let Some(directory) = config.proving.directory.clone() else {
        tracing::info!("no proofs: proving.directory is not set");
        return Ok(None);
    };
    let options = options(config, &directory)?;
    let store_options = store::options(&config.proving);
    let is_default = is_default(&directory);
    let circuits = store::circuits(&directory);
    let started = tokio::task::spawn_blocking(move || {
        let store = CircuitStore::open(&circuits, store_options).map_err(|error| error.to_string())?;
        let service = ProofService::start(options, Arc::new(store), devices)?;
        Ok::<_, String>(Provers { service, circuits })
    });
    match started.await.map_err(Failure::work)? {
        Ok(provers) => Ok(Some(provers)),
        Err(error) if is_default => {
            let directory = directory.display();
            tracing::warn!(%directory, error, "no proofs: name a usable directory by proving.directory, or \"\"");
            Ok(None)
        }
        Err(error) => Err(Failure::work(format_args!("proving.directory {}: {error}", directory.display()))),
    }
}

fn options(config: &Config, directory: &Path) -> Result<ProvingOptions, Failure> {
    let proving = &config.proving;
    engine::tune(engine::Tuning {
        large_domain_min: proving.large_domain_min,
        multiples_max: proving.multiples_max,
        multiples_bytes_max: proving.multiples_bytes_max,
        cut: engine::Cut { digits_at_once: proving.msm_digits_at_once, window_bits_max: proving.msm_window_bits_max },
    });
    let journal_key = journal_key(proving.journal_key.as_deref())?;
    Ok(ProvingOptions {
        directory: directory.to_owned(),
        threads: proving.threads,
        concurrency: proving.concurrency,
        together_max: proving.together_max,
        together_domain_max: proving.together_domain_max,
        vector: config.engines.vector == EngineRule::Auto,
        nice: proving.nice,
        jobs_max: proving.jobs_max,
        tenant_jobs_max: proving.tenant_jobs_max,
        secret_bytes_max: proving.secret_bytes_max,
        aging: proving.aging,
        result_lifetime: proving.result_lifetime,
        journal_key: journal_key.map(Arc::new),
        witness_limits: store::witness_limits(proving),
    })
}

/// The key of the configuration, else the one that systemd passed. A key that was named and cannot be read is an error,
/// wherever the directory came from.
fn journal_key(path: Option<&Path>) -> Result<Option<Zeroizing<[u8; 32]>>, Failure> {
    match path {
        Some(path) => read_key(path).map(Some),
        None => read_credential(),
    }
    .map_err(Failure::input)
}

/// Whether nobody has named the directory: it is the one that a session has anyway.
fn is_default(directory: &Path) -> bool {
    let of_session = Sources::of_process(None, Overrides::default()).state_directory;
    std::env::var_os("STATE_DIRECTORY").is_none() && of_session.as_deref() == Some(directory)
}
