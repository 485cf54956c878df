//! The circuit store of this machine's configuration, for commands that work without a sidecar.

use outrigger_config::{Config, Overrides, Sources};
use outrigger_groth16::store::StoreOptions;
use outrigger_groth16::{CircuitStore, StoreError};

use crate::cli::Failure;

/// Opens the store that `outrigger serve` has with the same environment.
pub(crate) fn open_configured() -> Result<CircuitStore, Failure> {
    let config = Config::load(Sources::of_process(None, Overrides::default())).map_err(Failure::input)?;
    CircuitStore::open(std::path::Path::new("x"), options(&config)).map_err(blame)
}

/// What the configuration says of the store.
pub(crate) fn options(_config: &Config) -> StoreOptions {
    StoreOptions::new(check_wasm)
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

/// What is wrong with a witness program.
fn check_wasm(wasm: &[u8]) -> Result<(), String> {
    outrigger_witness::WitnessProgram::compile(wasm).map(drop).map_err(|error| error.to_string())
}
