//! Groth16 on a device, over its [`Queue`](outrigger_device::Queue): the same source of kernels for CUDA, OpenCL and the
//! host's C compiler.
//!
//! Elements of fields lie on the device as circom's files and arkworks hold them: little-endian words of 32 bits in
//! Montgomery form with R = 2^(32 × words), one element after the other, so the points of a key are copied as they are.
//! Scalars of a sum, and the witness, are plain numbers of 8 such words.

pub mod calls;
pub mod key;
mod memory;
pub mod provers;
pub mod quotient;
pub mod remote;
pub mod sums;

#[cfg(test)]
mod fields;
#[cfg(test)]
pub(crate) mod here;
#[cfg(test)]
mod tests;
