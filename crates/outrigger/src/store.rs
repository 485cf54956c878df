//! The circuit store of this machine's configuration, for commands that work without a sidecar.

use std::path::{Path, PathBuf};

use outrigger_config::{Config, Overrides, Proving, Sources};
use outrigger_groth16::store::StoreOptions;
use outrigger_groth16::{CircuitStore, StoreError};
use outrigger_witness::WitnessLimits;

use crate::cli::Failure;

/// Opens the store that `outrigger serve` has with the same environment.
pub(crate) fn open_configured() -> Result<CircuitStore, Failure> {
    let config = Config::load(Sources::of_process(None, Overrides::default())).map_err(Failure::input)?;
    let Some(directory) = &config.proving.directory else {
        return Err(Failure::input("the configuration has no place for circuits: name one by proving.directory"));
    };
    CircuitStore::open(&circuits(directory), options(&config.proving)).map_err(blame)
}

/// Where the circuits lie in the directory of proving, beside the journal.
pub(crate) fn circuits(directory: &Path) -> PathBuf {
    directory.join("circuits")
}

/// What the configuration says of the store.
pub(crate) fn options(proving: &Proving) -> StoreOptions {
    StoreOptions {
        ready_bytes_max: proving.ready_bytes_max,
        key_bytes_max: proving.key_bytes_max,
        r1cs_bytes_max: proving.r1cs_bytes_max,
        wasm_bytes_max: proving.wasm_bytes_max,
        ..StoreOptions::new(outrigger_witness::check)
    }
}

/// What the configuration says of witness programs.
pub(crate) fn witness_limits(proving: &Proving) -> WitnessLimits {
    let bounds = proving.witness;
    WitnessLimits { fuel_max: bounds.fuel_max, memory_bytes_max: bounds.memory_bytes_max, time_max: bounds.time_max }
}

/// Whose fault it is that the store did not do what was asked.
pub(crate) fn blame(error: StoreError) -> Failure {
    match error {
        StoreError::Io(_) | StoreError::Damaged(_) | StoreError::Stopped(_) => Failure::work(error),
        StoreError::Unknown(_)
        | StoreError::TooLarge(_)
        | StoreError::Key(_)
        | StoreError::Part(_)
        | StoreError::Hash { .. } => Failure::input(error),
    }
}
