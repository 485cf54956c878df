//! Sparse matrices on a device.

use std::marker::PhantomData;

use outrigger_device::{Buffer, DeviceError, Queue};

use super::super::memory::{group_size, groups_for, program};
use super::elements::{ELEMENT_BYTES, not_empty, write_elements};
use super::network::{kernel_name, program_name};
use crate::curve::{Curve, RawScalar};
use crate::engine::cpu::sparse::one;
use crate::key::Rows;

/// Terms of a row that one work-item sums up; longer rows are cut into pieces of at most so many. Rows of circuits have one
/// to four on average; neighbours wait for the longest among them, which fetches its wires one after the other.
pub(super) const TERMS_MAX: usize = 32;

/// Wires of a matrix at most: bit 31 of a wire's number holds a sign.
const WIRES_MAX: usize = 1 << 31;

/// Bytes of a buffer that are written at once.
const BYTES_AT_ONCE: usize = 1 << 20;

/// A matrix as kernels take it: see `kernels/proving/rows.inc`.
pub struct CutRows<F> {
    /// Wires of a witness.
    wire_count: usize,
    /// For each row, where its wires end and where its terms end.
    ends: Vec<u32>,
    /// Terms whose coefficient is 1 or, with bit 31, −1.
    wires: Vec<u32>,
    /// The other terms: wire, number of the coefficient.
    terms: Vec<u32>,
    /// As the key stores them: times R².
    coefficients: Vec<F>,
    /// Of each piece of a long row, where its wires start and end, and its terms.
    pieces: Vec<u32>,
    /// Each row of more than [`TERMS_MAX`] terms: its number, its first piece, the one after its last.
    long_rows: Vec<u32>,
}

impl<F: RawScalar> CutRows<F> {
    /// Brings the rows of a key into that form, for witnesses of so many wires.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where a term's wire or coefficient does not exist, or wires are 2^31 or more.
    pub fn new(rows: &Rows<F>, wire_count: usize) -> Result<Self, DeviceError> {
        if wire_count >= WIRES_MAX {
            return Err(DeviceError::Misuse(format!("a matrix over {wire_count} wires")));
        }
        let (plus, minus) = (one::<F>(), -one::<F>());
        let mut cut = Self {
            wire_count,
            ends: Vec::with_capacity(2 * rows.ends.len()),
            wires: Vec::new(),
            terms: Vec::new(),
            coefficients: rows.coefficients.clone(),
            pieces: Vec::new(),
            long_rows: Vec::new(),
        };
        let signs: Vec<Option<u32>> = (rows.coefficients.iter())
            .map(|stored| if *stored == plus { Some(0) } else { (*stored == minus).then_some(1 << 31) })
            .collect();
        let mut start = 0;
        for end in &rows.ends {
            let row = rows.terms.get(start..*end as usize);
            for (wire, number) in row.ok_or_else(|| DeviceError::Misuse("rows that end nowhere".into()))? {
                let sign = signs.get(*number as usize).filter(|_| (*wire as usize) < wire_count);
                let missing = || DeviceError::Misuse(format!("a term of wire {wire} and coefficient {number}"));
                match sign.ok_or_else(missing)? {
                    Some(sign) => cut.wires.push(wire | sign),
                    None => cut.terms.extend([*wire, *number]),
                }
            }
            cut.end_row();
            start = *end as usize;
        }
        Ok(cut)
    }

    /// Ends a row, and cuts it where it is long. There are as many terms as a `u32` counts, since that is what the key's
    /// rows are made of.
    fn end_row(&mut self) {
        let (wires_end, terms_end) = (self.wires.len(), self.terms.len() / 2);
        let [wires_start, terms_start] =
            self.ends.last_chunk().map_or([0, 0], |ends: &[u32; 2]| ends.map(|end| end as usize));
        self.ends.extend([wires_end as u32, terms_end as u32]);
        let (wires, terms) = (wires_end - wires_start, terms_end - terms_start);
        if wires + terms <= TERMS_MAX {
            return;
        }
        let (count, first) = ((wires + terms).div_ceil(TERMS_MAX), self.pieces.len() / 4);
        for piece in 0..count {
            let share = |start: usize, length: usize, piece: usize| (start + length * piece / count) as u32;
            let ends = |start, length| [share(start, length, piece), share(start, length, piece + 1)];
            self.pieces.extend(ends(wires_start, wires));
            self.pieces.extend(ends(terms_start, terms));
        }
        let row = self.ends.len() / 2 - 1;
        self.long_rows.extend([row, first, first + count].map(|number| number as u32));
    }
}

impl<F> CutRows<F> {
    /// Pieces that long rows are cut into.
    pub const fn pieces(&self) -> usize {
        self.pieces.len() / 4
    }

    /// Bytes of device memory that the matrix takes.
    pub fn bytes(&self) -> usize {
        let words = self.words().map(|words| not_empty(size_of_val(words)));
        words.iter().sum::<usize>() + not_empty(self.coefficients.len() * ELEMENT_BYTES)
    }

    fn words(&self) -> [&[u32]; 5] {
        [&self.ends, &self.wires, &self.terms, &self.pieces, &self.long_rows]
    }
}

/// A matrix on a device.
pub struct DeviceRows<E: Curve> {
    wire_count: u32,
    rows: u32,
    piece_count: u32,
    long_count: u32,
    ends: Buffer,
    wires: Buffer,
    terms: Buffer,
    pieces: Buffer,
    long_rows: Buffer,
    coefficients: Buffer,
    curve: PhantomData<fn() -> E>,
}

/// Where products go.
#[derive(Clone, Copy)]
pub(super) struct Into<'a> {
    /// The polynomials of a batch, of 2^`log_size` elements each.
    pub(super) values: &'a Buffer,
    /// Room for the sums of the pieces of long rows.
    pub(super) sums: &'a Buffer,
    pub(super) log_size: u32,
    /// The polynomial of the first proof.
    pub(super) first: u32,
}

impl<E: Curve> DeviceRows<E> {
    /// Copies a matrix to a device.
    ///
    /// # Errors
    /// What the device reports.
    pub fn new(queue: &mut dyn Queue, cut: &CutRows<E::ScalarField>) -> Result<Self, DeviceError> {
        queue.load(program(program_name::<E>())?)?;
        let coefficients = queue.allocate(not_empty(cut.coefficients.len() * ELEMENT_BYTES))?;
        write_elements(queue, &coefficients, 0, &cut.coefficients)?;
        let mut upload = |words| uploaded(queue, words);
        Ok(Self {
            // All of them are counted by a `u32` in the rows of a key.
            wire_count: cut.wire_count as u32,
            rows: (cut.ends.len() / 2) as u32,
            piece_count: cut.pieces() as u32,
            long_count: (cut.long_rows.len() / 3) as u32,
            ends: upload(&cut.ends)?,
            wires: upload(&cut.wires)?,
            terms: upload(&cut.terms)?,
            pieces: upload(&cut.pieces)?,
            long_rows: upload(&cut.long_rows)?,
            coefficients,
            curve: PhantomData,
        })
    }

    /// Starts the products with the witnesses of so many proofs, zeros up to the domain.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where a buffer is too short or there are more rows than elements in the domain; what the
    /// device reports.
    pub(super) fn multiply(
        &self,
        queue: &mut dyn Queue,
        witnesses: &Buffer,
        proofs: u32,
        into: Into<'_>,
    ) -> Result<(), DeviceError> {
        let holds = |buffer: &Buffer, each: u32| buffer.bytes() >= proofs as usize * each as usize * ELEMENT_BYTES;
        if !holds(witnesses, self.wire_count) || !holds(into.sums, self.piece_count) || self.rows > 1 << into.log_size {
            let what = format!("{} rows over {} wires, for {proofs} proofs", self.rows, self.wire_count);
            return Err(DeviceError::Misuse(what));
        }
        let (groups, size) = groups_for(queue, proofs << into.log_size);
        let arguments = [
            witnesses.into(),
            (&self.ends).into(),
            (&self.wires).into(),
            (&self.terms).into(),
            (&self.coefficients).into(),
            into.values.into(),
            self.wire_count.into(),
            self.rows.into(),
            (TERMS_MAX as u32).into(),
            into.log_size.into(),
            into.first.into(),
            proofs.into(),
        ];
        queue.launch(&kernel_name::<E>("rows"), groups, size, &arguments)?;
        if self.long_count == 0 { Ok(()) } else { self.multiply_long(queue, witnesses, proofs, into) }
    }

    /// All that it holds.
    #[cfg(test)]
    pub(super) const fn buffers(&self) -> [&Buffer; 6] {
        [&self.ends, &self.wires, &self.terms, &self.pieces, &self.long_rows, &self.coefficients]
    }

    /// The rows that were left out: their pieces, and the pieces together.
    fn multiply_long(
        &self,
        queue: &mut dyn Queue,
        witnesses: &Buffer,
        proofs: u32,
        into: Into<'_>,
    ) -> Result<(), DeviceError> {
        let (groups, size) = groups_for(queue, proofs * self.piece_count);
        let arguments = [
            witnesses.into(),
            (&self.pieces).into(),
            (&self.wires).into(),
            (&self.terms).into(),
            (&self.coefficients).into(),
            into.sums.into(),
            self.wire_count.into(),
            self.piece_count.into(),
            proofs.into(),
        ];
        queue.launch(&kernel_name::<E>("rows_pieces"), groups, size, &arguments)?;
        let arguments = [
            into.sums.into(),
            (&self.long_rows).into(),
            into.values.into(),
            self.long_count.into(),
            self.piece_count.into(),
            into.log_size.into(),
            into.first.into(),
        ];
        let size = group_size(queue, self.piece_count.div_ceil(self.long_count));
        queue.launch(&kernel_name::<E>("rows_join"), proofs * self.long_count, size, &arguments)
    }
}

/// A buffer of these words.
fn uploaded(queue: &mut dyn Queue, words: &[u32]) -> Result<Buffer, DeviceError> {
    let buffer = queue.allocate(not_empty(size_of_val(words)))?;
    let mut bytes = Vec::with_capacity(BYTES_AT_ONCE.min(size_of_val(words)));
    for (start, words) in (0..).step_by(BYTES_AT_ONCE).zip(words.chunks(BYTES_AT_ONCE / size_of::<u32>())) {
        bytes.clear();
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        queue.write(&buffer, start, &bytes)?;
    }
    Ok(buffer)
}
