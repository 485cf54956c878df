//! `.r1cs`: the constraints of a circuit.

use std::fmt;

use outrigger_types::Curve;

use crate::{Control, FormatError, Stop, Witness};

/// The constraints of a circuit: for each, a linear combination A, B and C of the wires, and A·B = C is to hold.
#[derive(Debug)]
pub struct R1cs {
    /// The curve whose scalar field the constraints are over.
    pub curve: Curve,
    /// The number of wires, the constant one included.
    pub wires: usize,
    /// Public outputs; they come after the constant one.
    pub public_outputs: usize,
    /// Public inputs; they come after the outputs.
    pub public_inputs: usize,
}

/// The first constraint that a witness does not satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsatisfied {
    /// Its number, from 0, in the order of the `.r1cs`.
    pub constraint: usize,
}

impl fmt::Display for Unsatisfied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the witness does not satisfy constraint {} (counted from 0)", self.constraint)
    }
}

impl std::error::Error for Unsatisfied {}

impl R1cs {
    /// Reads an `.r1cs`.
    pub fn parse(_bytes: &[u8]) -> Result<Self, FormatError> {
        todo!()
    }

    /// The number of constraints.
    pub fn constraints(&self) -> usize {
        todo!()
    }

    /// Holds a witness against every constraint; on the current rayon pool. `Ok(Err(_))` names the first that fails.
    pub fn check(&self, _witness: &Witness, _control: &Control) -> Result<Result<(), Unsatisfied>, Stop> {
        todo!()
    }
}
