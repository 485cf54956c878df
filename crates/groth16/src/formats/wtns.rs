//! `.wtns`: the values of a circuit's wires. Section 1: bytes of a value, prime, number of values; section 2: the
//! values, little-endian and plain (not in Montgomery form).

use zeroize::Zeroizing;

use super::primes::{curve_of_scalar_prime, is_below, scalar_modulus, scalar_prime};
use super::sections::{SectionFile, write_file_header, write_section_header};
use crate::curve::{SCALAR_BYTES, SCALAR_LIMBS};
use crate::{FormatError, Witness};

const FORMAT: &str = ".wtns";
const MAGIC: [u8; 4] = *b"wtns";
const VERSION: u32 = 2;
const HEADER: u32 = 1;
const VALUES: u32 = 2;
const HEADER_BYTES: usize = 4 + SCALAR_BYTES + 4;

/// Reads a `.wtns`. Every value must be below the order of the scalar field, which also says the curve.
///
/// # Errors
/// Where it is no good `.wtns`, in words that tell no value.
pub fn parse(bytes: &[u8]) -> Result<Witness, FormatError> {
    let file = SectionFile::parse(bytes, FORMAT, MAGIC, VERSION)?;
    let mut header = file.reader(HEADER, "the header (section 1)")?;
    let value_bytes = header.u32()? as usize;
    let curve = curve_of_scalar_prime(header.take(value_bytes)?, FORMAT)?;
    let count = header.u32()? as usize;
    header.end()?;
    let section = file.section(VALUES)?;
    if Some(section.len()) != count.checked_mul(SCALAR_BYTES) {
        let message = format!("section 2 has {} bytes, but {count} values take {SCALAR_BYTES} each", section.len());
        return Err(FormatError::new(FORMAT, message));
    }
    let order = scalar_modulus(curve);
    let mut values = Zeroizing::new(Vec::with_capacity(count));
    for (wire, value) in section.chunks_exact(SCALAR_BYTES).enumerate() {
        let limbs = read_limbs(value);
        if !is_below(&limbs, &order) {
            let message = format!("the value of wire {wire} is not below the order of {curve}");
            return Err(FormatError::new(FORMAT, message));
        }
        values.push(limbs);
    }
    Ok(Witness::new(curve, values))
}

/// Writes a `.wtns`, byte for byte as snarkjs does.
pub fn write(witness: &Witness) -> Zeroizing<Vec<u8>> {
    let values = witness.values();
    let section_bytes = values.len() * SCALAR_BYTES;
    // The whole size at once: a buffer that grows would leave copies of secret values behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(12 + 12 + HEADER_BYTES + 12 + section_bytes));
    write_file_header(MAGIC, VERSION, 2, &mut bytes);
    write_section_header(HEADER, HEADER_BYTES as u64, &mut bytes);
    bytes.extend_from_slice(&(SCALAR_BYTES as u32).to_le_bytes());
    bytes.extend_from_slice(&scalar_prime(witness.curve()));
    bytes.extend_from_slice(&(values.len() as u32).to_le_bytes());
    write_section_header(VALUES, section_bytes as u64, &mut bytes);
    for limb in values.iter().flatten() {
        bytes.extend_from_slice(&limb.to_le_bytes());
    }
    bytes
}

fn read_limbs(bytes: &[u8]) -> [u64; SCALAR_LIMBS] {
    let mut limbs = [0; SCALAR_LIMBS];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
    }
    limbs
}

#[cfg(test)]
mod tests;
