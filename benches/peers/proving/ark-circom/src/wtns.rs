//! Witnesses as snarkjs writes them, since ark-circom reads none. Made for files that the bench itself made: a broken
//! file ends the adapter.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use prove_adapter::Result;
use std::path::Path;

/// Bytes of an element of BN254's scalar field.
const FIELD_BYTES: usize = 32;
/// The section that holds the values.
const VALUES: u32 = 2;

/// The values of a witness, the leading one included.
pub fn read(path: &Path) -> Result<Vec<Fr>> {
    let file = std::fs::read(path)?;
    let mut rest = file.strip_prefix(b"wtns").ok_or("not a .wtns file")?;
    // The version and the number of sections.
    take(&mut rest, 8)?;
    while !rest.is_empty() {
        let section = u32::from_le_bytes(take(&mut rest, 4)?.try_into()?);
        let length = u64::from_le_bytes(take(&mut rest, 8)?.try_into()?);
        let content = take(&mut rest, usize::try_from(length)?)?;
        if section == VALUES {
            return Ok(content.chunks_exact(FIELD_BYTES).map(Fr::from_le_bytes_mod_order).collect());
        }
    }
    Err("a .wtns file without values".into())
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    rest.split_off(..length).ok_or_else(|| "a .wtns file that ends too early".into())
}
