//! `.zkey`: a proving key of snarkjs.
