//! Proofs as EIP-197 calldata.

use std::fmt::Write;

use crate::Proof;
use crate::curve::SCALAR_BYTES;

/// The parameters of `verifyProof` as snarkjs prints them (`snarkjs zkey export soliditycalldata`).
pub fn solidity(proof: &Proof) -> String {
    let size = proof.curve.base_bytes();
    let coordinate = |i: usize| word(proof.bytes.get(i * size..(i + 1) * size).unwrap_or_default());
    let [a_x, a_y, b_x1, b_x0, b_y1, b_y0, c_x, c_y] = std::array::from_fn(coordinate);
    let signals: Vec<String> = proof.public_signals.chunks(SCALAR_BYTES).map(word).collect();
    let signals = signals.join(",");
    format!("[{a_x}, {a_y}],[[{b_x1}, {b_x0}],[{b_y1}, {b_y0}]],[{c_x}, {c_y}],[{signals}]")
}

/// The arguments of `verifyProof(uint[2], uint[2][2], uint[2], uint[n])` in Ethereum's ABI, without the selector.
/// All of them have a fixed length, so this is the proof in EIP-197's order and then the public signals.
pub fn arguments(proof: &Proof) -> Vec<u8> {
    [proof.bytes.as_slice(), proof.public_signals.as_slice()].concat()
}

/// A number in hexadecimal, at least 64 digits, in quotes.
fn word(bytes: &[u8]) -> String {
    let mut digits = String::new();
    for byte in bytes {
        write!(digits, "{byte:02x}").expect("a String takes everything");
    }
    format!("\"0x{:0>64}\"", digits.trim_start_matches('0'))
}

#[cfg(test)]
mod tests;
