//! Writing an `.r1cs`.

use std::io::{self, Write};

use super::read::{CONSTRAINTS, HEADER, MAGIC, VERSION, WIRE_LABELS};
use super::{Matrix, R1cs};
use crate::curve::SCALAR_BYTES;
use crate::formats::primes::scalar_prime;
use crate::formats::sections::{write_file_header, write_section_header};

impl R1cs {
    /// Writes an `.r1cs` as circom does. Each wire is its own label: labels lead to names of signals, which are not
    /// known here.
    ///
    /// # Errors
    /// Those of `into`.
    pub fn write(&self, into: &mut dyn Write) -> io::Result<()> {
        let mut head = Vec::new();
        write_file_header(MAGIC, VERSION, 3, &mut head);
        let header = self.header();
        write_section_header(HEADER, header.len() as u64, &mut head);
        head.extend_from_slice(&header);
        let combinations = 3 * self.constraints();
        let constraint_bytes = 4 * combinations + (4 + SCALAR_BYTES) * self.terms();
        write_section_header(CONSTRAINTS, constraint_bytes as u64, &mut head);
        into.write_all(&head)?;
        for row in 0..self.constraints() {
            for matrix in &self.matrices {
                self.write_combination(matrix, row, into)?;
            }
        }
        let mut labels_head = Vec::new();
        write_section_header(WIRE_LABELS, 8 * self.wires as u64, &mut labels_head);
        into.write_all(&labels_head)?;
        (0..self.wires as u64).try_for_each(|wire| into.write_all(&wire.to_le_bytes()))
    }

    fn header(&self) -> Vec<u8> {
        let mut header = Vec::new();
        header.extend_from_slice(&(SCALAR_BYTES as u32).to_le_bytes());
        header.extend_from_slice(&scalar_prime(self.curve));
        for number in [self.wires, self.public_outputs, self.public_inputs, self.private_inputs] {
            header.extend_from_slice(&(number as u32).to_le_bytes());
        }
        header.extend_from_slice(&(self.wires as u64).to_le_bytes());
        header.extend_from_slice(&(self.constraints() as u32).to_le_bytes());
        header
    }

    fn write_combination(&self, matrix: &Matrix, row: usize, into: &mut dyn Write) -> io::Result<()> {
        let terms = matrix.row(row);
        into.write_all(&(terms.len() as u32).to_le_bytes())?;
        for (wire, number) in terms {
            into.write_all(&wire.to_le_bytes())?;
            for limb in self.coefficients[*number as usize] {
                into.write_all(&limb.to_le_bytes())?;
            }
        }
        Ok(())
    }
}
