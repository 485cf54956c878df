//! Witness generation: a circuit's WebAssembly program (circom's `.wasm`), run on inputs in a sandbox.

use std::fmt;
use std::time::Duration;

use outrigger_groth16::{Control, Stop, Witness};

/// What a witness program may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WitnessLimits {
    /// WebAssembly fuel: about one unit an instruction.
    pub fuel_max: u64,
    /// Bytes of linear memory.
    pub memory_bytes_max: usize,
    /// Wall-clock time.
    pub time_max: Duration,
}

impl Default for WitnessLimits {
    fn default() -> Self {
        Self { fuel_max: 100_000_000_000, memory_bytes_max: 2 << 30, time_max: Duration::from_secs(120) }
    }
}

/// Why no witness was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WitnessError {
    /// The program is not a circom witness generator, or not valid WebAssembly.
    Program(String),
    /// The inputs are not what the circuit takes, or the circuit refuses them (an assertion failed).
    Inputs(String),
    /// A limit was passed; the message names it.
    Limit(String),
    /// It was given up.
    Stopped(Stop),
}

impl fmt::Display for WitnessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(what) => write!(f, "the witness program is not usable: {what}"),
            Self::Inputs(what) => write!(f, "the inputs make no witness: {what}"),
            Self::Limit(what) => write!(f, "the witness program was stopped: {what}"),
            Self::Stopped(stop) => stop.fmt(f),
        }
    }
}

impl std::error::Error for WitnessError {}

/// A circuit's witness generator (circom's `.wasm`), compiled. Calls are independent: each has an instance of its own.
pub struct WitnessProgram {}

impl WitnessProgram {
    /// Compiles a `.wasm` of circom 2.
    pub fn compile(_wasm: &[u8]) -> Result<Self, WitnessError> {
        todo!()
    }

    /// Makes the witness of inputs in JSON: an object of signal names to numbers, decimal or 0x strings, or nested
    /// arrays of them.
    pub fn calculate(
        &self,
        _inputs_json: &[u8],
        _limits: &WitnessLimits,
        _control: &Control,
    ) -> Result<Witness, WitnessError> {
        todo!()
    }
}
