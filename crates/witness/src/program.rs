//! A circuit's witness generator.

use std::fmt;
use std::time::Duration;

use outrigger_groth16::{Control, Stage, Witness};
use outrigger_types::Curve;

use crate::inputs::Inputs;
use crate::modulus::Modulus;
use crate::sandbox::Sandbox;
use crate::screening::screen;
use crate::{WitnessError, WitnessLimits, calculator};

/// What a program may use up to say what field it computes in: it returns a constant.
const QUESTION_LIMITS: WitnessLimits =
    WitnessLimits { fuel_max: 1_000_000, memory_bytes_max: 4 << 30, time_max: Duration::from_secs(5) };

/// Looks whether a `.wasm` is a witness program of circom 2 as far as that shows without compiling it: valid
/// WebAssembly 1.0, the right imports and exports, no start function. It takes a few milliseconds a MiB.
///
/// # Errors
/// What is wrong with it.
pub fn check(wasm: &[u8]) -> Result<(), String> {
    screen(wasm).map(drop)
}

/// A circuit's witness generator (circom's `.wasm`), compiled. Calls are independent, each has an instance of its own,
/// and may run at the same time.
pub struct WitnessProgram {
    sandbox: Sandbox,
    modulus: Modulus,
}

impl WitnessProgram {
    /// Compiles a `.wasm` of circom 2, on this thread.
    ///
    /// # Errors
    /// [`WitnessError::Program`] where it is none, or not one for the scalar field of a known curve.
    pub fn compile(wasm: &[u8]) -> Result<Self, WitnessError> {
        let screened = screen(wasm).map_err(WitnessError::Program)?;
        let sandbox = Sandbox::compile(wasm, screened).map_err(WitnessError::Program)?;
        let modulus = sandbox.run(&QUESTION_LIMITS, &Control::default(), calculator::field)?;
        Ok(Self { sandbox, modulus })
    }

    /// The curve in whose scalar field it computes.
    pub fn curve(&self) -> Curve {
        self.modulus.curve
    }

    /// Makes the witness of inputs in JSON: an object of signal names to numbers, decimal or 0x strings, or nested
    /// arrays of them. Numbers are taken modulo the order of the field, as snarkjs takes them; unlike there, large ones
    /// need no quotes.
    ///
    /// # Errors
    /// [`WitnessError`]. What it says holds no value of a signal.
    pub fn calculate(
        &self,
        inputs_json: &[u8],
        limits: &WitnessLimits,
        control: &Control,
    ) -> Result<Witness, WitnessError> {
        control.tell(Stage::Witness, 0);
        let inputs = Inputs::parse(inputs_json)?;
        self.sandbox.run(limits, control, |running| calculator::calculate(running, &self.modulus, &inputs))
    }
}

impl fmt::Debug for WitnessProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WitnessProgram").field("curve", &self.modulus.curve).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
