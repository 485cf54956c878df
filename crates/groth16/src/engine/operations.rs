//! The operations over bytes, for researchers: `Msm` and `Ntt`.

use outrigger_types::Curve;

use super::{EngineChoice, Failure};
use crate::{Control, FormatError};

/// A group of a pairing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The first, over the base field.
    G1,
    /// The second, over its extension.
    G2,
}

/// Why an operation gave no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationError {
    /// The bytes are not what they should be.
    Format(FormatError),
    /// The engine did not finish.
    Engine(Failure),
}

/// A multi-scalar multiplication: points uncompressed as in [`crate::formats::encoding`], scalars 32 bytes big-endian
/// and below r. The result is a point in the same form.
pub fn msm(
    _curve: Curve,
    _group: Group,
    _points: &[u8],
    _scalars: &[u8],
    _engine: EngineChoice,
    _control: &Control,
) -> Result<Vec<u8>, OperationError> {
    todo!()
}

/// A number-theoretic transform of elements of 32 bytes big-endian, a power of two of them; see
/// [`super::Arithmetic::ntt`].
pub fn ntt(
    _curve: Curve,
    _elements: &[u8],
    _inverse: bool,
    _coset: bool,
    _engine: EngineChoice,
    _control: &Control,
) -> Result<Vec<u8>, OperationError> {
    todo!()
}
