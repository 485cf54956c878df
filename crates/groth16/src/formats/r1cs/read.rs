//! Reading an `.r1cs`.

use outrigger_types::Curve;

use super::{FORMAT, R1cs};
use crate::FormatError;
use crate::curve::{SCALAR_BYTES, SCALAR_LIMBS};
use crate::engine::PlainScalar;
use crate::formats::primes::curve_of_scalar_prime;
use crate::formats::sections::{Reader, SectionFile};

pub(super) const MAGIC: [u8; 4] = *b"r1cs";
pub(super) const VERSION: u32 = 1;
pub(super) const HEADER: u32 = 1;
pub(super) const CONSTRAINTS: u32 = 2;
pub(super) const WIRE_LABELS: u32 = 3;
const CUSTOM_GATES: [u32; 2] = [4, 5];
/// The least bytes of a constraint: three linear combinations, each with its number of terms.
const CONSTRAINT_BYTES_MIN: usize = 12;
const TERM_BYTES: usize = 4 + SCALAR_BYTES;

impl R1cs {
    /// Reads an `.r1cs`. What it allocates is at most a small multiple of the file.
    ///
    /// # Errors
    /// Where a length, an index or a coefficient is not what it should be, the field is of no known curve, or the
    /// circuit has custom gates, which Groth16 has not.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let file = SectionFile::parse(bytes, FORMAT, MAGIC, VERSION)?;
        if CUSTOM_GATES.into_iter().any(|id| file.optional(id).is_some()) {
            let message = "the circuit has custom gates, which Groth16 has not: compile it without them";
            return Err(FormatError::new(FORMAT, message));
        }
        let (mut r1cs, constraints) = read_header(file.reader(HEADER, "the header")?)?;
        if file.optional(WIRE_LABELS).is_some_and(|labels| labels.len() != 8 * r1cs.wires) {
            let message = format!("the labels are not one for each of {} wires", r1cs.wires);
            return Err(FormatError::new(FORMAT, message));
        }
        read_constraints(file.reader(CONSTRAINTS, "the constraints")?, constraints, &mut r1cs)?;
        Ok(r1cs)
    }
}

fn read_header(mut reader: Reader<'_>) -> Result<(R1cs, usize), FormatError> {
    let field_bytes = reader.u32()? as usize;
    if field_bytes != SCALAR_BYTES {
        let curves = Curve::ALL.map(Curve::name).join(" and ");
        let message = format!("a field of {field_bytes} bytes, but those of {curves} have {SCALAR_BYTES}");
        return Err(FormatError::new(FORMAT, message));
    }
    let curve = curve_of_scalar_prime(reader.take(SCALAR_BYTES)?, FORMAT)?;
    let mut next = || reader.u32().map(|number| number as usize);
    let (wires, public_outputs, public_inputs, private_inputs) = (next()?, next()?, next()?, next()?);
    let _labels = reader.u64()?;
    let constraints = reader.u32()? as usize;
    reader.end()?;
    Ok((R1cs::new(curve, wires, public_outputs, public_inputs, private_inputs)?, constraints))
}

fn read_constraints(mut reader: Reader<'_>, constraints: usize, r1cs: &mut R1cs) -> Result<(), FormatError> {
    if reader.remaining() / CONSTRAINT_BYTES_MIN < constraints {
        let bytes = reader.remaining();
        let message = format!("{constraints} constraints do not fit into {bytes} bytes: the file is cut short");
        return Err(FormatError::new(FORMAT, message));
    }
    for _ in 0..constraints {
        for matrix in 0..3 {
            let terms = reader.u32()? as usize;
            if reader.remaining() / TERM_BYTES < terms {
                let message = format!("a combination of {terms} terms reaches past the end of the constraints");
                return Err(FormatError::new(FORMAT, message));
            }
            for _ in 0..terms {
                let wire = reader.u32()?;
                r1cs.push_term(matrix, (wire, limbs(reader.take(SCALAR_BYTES)?)))?;
            }
            r1cs.end_row(matrix)?;
        }
    }
    reader.end()
}

fn limbs(bytes: &[u8]) -> PlainScalar {
    let mut limbs = [0; SCALAR_LIMBS];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
    }
    limbs
}
