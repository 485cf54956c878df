//! A development-only setup: a `.zkey` from an `.r1cs`, its toxic waste drawn and forgotten by this process alone.
//! Whoever runs it could forge proofs; nobody else can know that they did not. Never for production.

use std::io::{self, Write};

use crate::{Control, R1cs};

/// Makes a proving key for a circuit and writes it as a `.zkey`. In the current rayon pool.
pub fn insecure_setup(_r1cs: &R1cs, _into: &mut dyn Write, _control: &Control) -> io::Result<()> {
    todo!()
}
