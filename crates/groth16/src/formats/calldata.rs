//! Proofs as EIP-197 calldata.

use crate::Proof;

/// The parameters of `verifyProof` as snarkjs prints them (`snarkjs zkey export soliditycalldata`).
pub fn solidity(_proof: &Proof) -> String {
    todo!()
}
