//! Witness generation: a circuit's WebAssembly program (circom's `.wasm`), run on inputs in a sandbox.
//!
//! The program is untrusted. It is WebAssembly 1.0 without a start function, imports nothing but the functions that
//! circom's programs import (none of which reads or writes anything outside), and runs in an instance of its own with
//! bounded fuel, memory, stack and time. A [`Control`] stops it within tens of milliseconds. Its memory is wiped before
//! it is given back, whatever happened.
//!
//! Inputs and witness are secret: an error names signals, counts and places in the circuit's source, never values.

mod calculator;
mod inputs;
mod modulus;
mod program;
mod sandbox;
mod screening;

use std::fmt;
use std::time::Duration;

#[cfg(doc)]
use outrigger_groth16::Control;
use outrigger_groth16::Stop;

pub use program::{WitnessProgram, check};

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
