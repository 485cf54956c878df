//! The matrices A and B, from terms in any order to rows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{FORMAT, Layout, TERM_BYTES};
use crate::FormatError;
use crate::curve::{Curve, RawScalar, SCALAR_LIMBS};
use crate::key::Rows;

/// Reads the terms of A and B (section 4, without their number) in three passes over the file: count the terms of
/// each row, find where each row begins, put each term into its place. Memory is bounded by the file: at
/// most 40 bytes a term and 4 a row, a term having 44 there and a row, being an element of the domain, a point of
/// section 9.
pub(crate) fn read_matrices<E: Curve>(
    terms: &[u8],
    layout: &Layout<E>,
) -> Result<[Rows<E::ScalarField>; 2], FormatError> {
    let mut ends = count_rows(terms, layout)?;
    let mut matrices = ends.each_mut().map(|ends| {
        let count = starts_of_rows(ends);
        MatrixBuilder::new(std::mem::take(ends), count)
    });
    for (i, bytes) in terms.chunks_exact(TERM_BYTES).enumerate() {
        let term = RawTerm::read(bytes);
        let builder = &mut matrices[term.matrix as usize];
        if !builder.add(&term) {
            return error(i, "a coefficient that is not below r");
        }
    }
    Ok(matrices.map(MatrixBuilder::finish))
}

/// A term as it is stored.
struct RawTerm<'a> {
    matrix: u32,
    row: u32,
    wire: u32,
    coefficient: &'a [u8],
}

impl<'a> RawTerm<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        Self { matrix: number(0), row: number(4), wire: number(8), coefficient: &bytes[12..] }
    }
}

fn error<T>(term: usize, what: impl std::fmt::Display) -> Result<T, FormatError> {
    Err(FormatError::new(FORMAT, format!("term {term} of section 4 has {what}")))
}

/// How many terms each row of A and B has, up to the last row that has any; checks every number of every term.
fn count_rows<E: Curve>(terms: &[u8], layout: &Layout<E>) -> Result<[Vec<u32>; 2], FormatError> {
    let mut counts = [vec![0u32; layout.domain], vec![0u32; layout.domain]];
    let mut rows = [0usize; 2];
    for (i, bytes) in terms.chunks_exact(TERM_BYTES).enumerate() {
        let term = RawTerm::read(bytes);
        let (matrix, row) = (term.matrix as usize, term.row as usize);
        let Some(counts) = counts.get_mut(matrix) else {
            return error(i, format_args!("matrix {matrix}, but 0 (A) and 1 (B) are known"));
        };
        let Some(count) = counts.get_mut(row) else {
            return error(i, format_args!("row {row}, but the domain has {}", layout.domain));
        };
        if term.wire as usize >= layout.wires {
            return error(i, format_args!("wire {}, but there are {}", term.wire, layout.wires));
        }
        *count += 1;
        rows[matrix] = rows[matrix].max(row + 1);
    }
    for (counts, rows) in counts.iter_mut().zip(rows) {
        counts.truncate(rows);
        counts.shrink_to_fit();
    }
    Ok(counts)
}

/// From the terms of each row to where each begins; gives the number of all.
fn starts_of_rows(counts: &mut [u32]) -> usize {
    let mut next = 0;
    for count in counts {
        // Their sum is the number of terms in the file, which is a u32.
        next += std::mem::replace(count, next);
    }
    next as usize
}

struct MatrixBuilder<F> {
    /// `ends` holds where the next term of each row goes: its beginning at first, its end when all are there.
    rows: Rows<F>,
    coefficients: CoefficientNumbers,
}

impl<F: RawScalar> MatrixBuilder<F> {
    fn new(starts: Vec<u32>, count: usize) -> Self {
        let rows = Rows { ends: starts, terms: vec![(0, 0); count], coefficients: Vec::new() };
        Self { rows, coefficients: CoefficientNumbers::default() }
    }

    fn finish(mut self) -> Rows<F> {
        self.rows.coefficients.shrink_to_fit();
        self.rows
    }

    /// Puts a term into its row; false where its coefficient is not below r.
    fn add(&mut self, term: &RawTerm<'_>) -> bool {
        let next = self.rows.coefficients.len() as u32;
        let number = match self.coefficients.number(term.coefficient, next) {
            Some(number) => number,
            None => {
                if !F::is_canonical(term.coefficient) {
                    return false;
                }
                self.rows.coefficients.push(F::from_montgomery_unchecked(term.coefficient));
                next
            }
        };
        let place = &mut self.rows.ends[term.row as usize];
        self.rows.terms[*place as usize] = (term.wire, number);
        *place += 1;
        true
    }
}

/// A coefficient as it is stored.
type Coefficient = [u64; SCALAR_LIMBS];

/// Slots of the cache in front of the map: enough for the coefficients that repeat in a circuit.
const CACHE_SLOTS: usize = 1024;

/// Coefficients in the map. A circuit has at most some thousands; a key with more gains little from having each once,
/// and must not become slow, or take much memory, while it is read.
const MAP_MAX: usize = 1 << 16;

/// The numbers of the coefficients that were met, or of most of them. The map is the standard one, whose hash is keyed
/// afresh in each process, so that a hostile key cannot make it slow; as most coefficients of a circuit are among a
/// few, a small cache without any protection stands before it.
struct CoefficientNumbers {
    cache: Vec<Option<(Coefficient, u32)>>,
    numbers: HashMap<Coefficient, u32>,
}

impl Default for CoefficientNumbers {
    fn default() -> Self {
        Self { cache: vec![None; CACHE_SLOTS], numbers: HashMap::new() }
    }
}

impl CoefficientNumbers {
    /// The number of a coefficient that was met before; one that was not (or is forgotten) gets the number
    /// `next`.
    #[inline]
    fn number(&mut self, bytes: &[u8], next: u32) -> Option<u32> {
        let mut coefficient = [0; SCALAR_LIMBS];
        for (limb, chunk) in coefficient.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
        }
        let slot = &mut self.cache[slot_of(&coefficient)];
        if let Some((cached, number)) = slot
            && *cached == coefficient
        {
            return Some(*number);
        }
        let known = if self.numbers.len() < MAP_MAX {
            match self.numbers.entry(coefficient) {
                Entry::Occupied(entry) => Some(*entry.get()),
                Entry::Vacant(entry) => {
                    entry.insert(next);
                    None
                }
            }
        } else {
            None
        };
        *slot = Some((coefficient, known.unwrap_or(next)));
        known
    }
}

/// Fibonacci hashing of the limbs' sum: the multiplier is 2^64 over the golden ratio.
#[inline]
fn slot_of(coefficient: &Coefficient) -> usize {
    let sum = coefficient.iter().fold(0u64, |sum, limb| sum.rotate_left(7).wrapping_add(*limb));
    (sum.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - CACHE_SLOTS.ilog2())) as usize
}
