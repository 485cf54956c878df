//! `.wtns`: the values of a circuit's wires.

use zeroize::Zeroizing;

use crate::{FormatError, Witness};

/// Reads a `.wtns`. Every value must be below the order of the scalar field, which also says the curve.
pub fn parse(_bytes: &[u8]) -> Result<Witness, FormatError> {
    todo!()
}

/// Writes a `.wtns`, byte for byte as snarkjs does.
pub fn write(_witness: &Witness) -> Zeroizing<Vec<u8>> {
    todo!()
}
