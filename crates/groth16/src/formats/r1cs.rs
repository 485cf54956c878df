//! `.r1cs`: the constraints of a circuit
//! (<https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md>).

mod read;
mod write;

use std::collections::HashMap;
use std::fmt;

use outrigger_types::Curve;
use rayon::prelude::*;

use crate::curve::RawScalar;
use crate::engine::PlainScalar;
use crate::formats::primes::{is_below, scalar_modulus};
use crate::{Control, FormatError, KeySummary, Stop, Witness};

/// The name of the format in errors.
const FORMAT: &str = ".r1cs";
/// Constraints between two looks at the control: well under a millisecond of work.
const CHUNK_CONSTRAINTS: usize = 1 << 10;

/// The constraints of a circuit: for each, a linear combination A, B and C of the wires, and A·B = C is to hold.
pub struct R1cs {
    /// The curve whose scalar field the constraints are over.
    pub curve: Curve,
    /// The number of wires, the constant one included.
    pub wires: usize,
    /// Public outputs; they come after the constant one.
    pub public_outputs: usize,
    /// Public inputs; they come after the outputs.
    pub public_inputs: usize,
    /// Private inputs; they come after the public ones.
    pub private_inputs: usize,
    /// A, B and C.
    matrices: [Matrix; 3],
    /// Each coefficient once, as a plain number: terms hold its number, since most are 1 or −1.
    coefficients: Vec<PlainScalar>,
    numbers: HashMap<PlainScalar, u32>,
}

/// Linear combinations, one behind the other.
#[derive(Default)]
struct Matrix {
    /// Where the terms of each end.
    ends: Vec<u32>,
    /// A wire, and the number of its coefficient.
    terms: Vec<(u32, u32)>,
}

impl Matrix {
    fn row(&self, i: usize) -> &[(u32, u32)] {
        let begin = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.terms[begin..self.ends[i] as usize]
    }
}

/// A term of a linear combination: a wire, and its coefficient as a plain number.
pub type Term = (u32, PlainScalar);

/// The first constraint that a witness does not satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsatisfied {
    /// Its number, from 0, in the order of the `.r1cs`.
    pub constraint: usize,
}

impl fmt::Display for Unsatisfied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the witness does not satisfy constraint {} (counted from 0)", self.constraint)
    }
}

impl std::error::Error for Unsatisfied {}

impl R1cs {
    /// A circuit without constraints; [`R1cs::push`] adds them.
    pub fn new(
        curve: Curve,
        wires: usize,
        public_outputs: usize,
        public_inputs: usize,
        private_inputs: usize,
    ) -> Result<Self, FormatError> {
        let named = [public_outputs, public_inputs, private_inputs].into_iter().try_fold(1usize, usize::checked_add);
        if named.is_none_or(|named| named > wires) || u32::try_from(wires).is_err() {
            let message = format!("{wires} wires cannot hold the constant one, the outputs and the inputs");
            return Err(FormatError::new(FORMAT, message));
        }
        Ok(Self {
            curve,
            wires,
            public_outputs,
            public_inputs,
            private_inputs,
            matrices: Default::default(),
            coefficients: Vec::new(),
            numbers: HashMap::new(),
        })
    }

    /// Adds the constraint A·B = C.
    ///
    /// # Errors
    /// Where a wire is not one of the circuit, a coefficient is not below the order of the scalar field, or there
    /// are 2³² terms.
    pub fn push(&mut self, a: &[Term], b: &[Term], c: &[Term]) -> Result<(), FormatError> {
        for (matrix, terms) in [a, b, c].into_iter().enumerate() {
            for term in terms {
                self.push_term(matrix, *term)?;
            }
            self.end_row(matrix)?;
        }
        Ok(())
    }

    fn push_term(&mut self, matrix: usize, (wire, coefficient): Term) -> Result<(), FormatError> {
        let constraint = self.matrices[matrix].ends.len();
        if wire as usize >= self.wires {
            let message = format!("constraint {constraint} names wire {wire}, but there are {} wires", self.wires);
            return Err(FormatError::new(FORMAT, message));
        }
        let number = match self.numbers.get(&coefficient) {
            Some(number) => *number,
            None => self.add_coefficient(coefficient, constraint)?,
        };
        self.matrices[matrix].terms.push((wire, number));
        Ok(())
    }

    fn add_coefficient(&mut self, coefficient: PlainScalar, constraint: usize) -> Result<u32, FormatError> {
        if !is_below(&coefficient, &scalar_modulus(self.curve)) {
            let message = format!("a coefficient of constraint {constraint} is not below the order of the field");
            return Err(FormatError::new(FORMAT, message));
        }
        let number = u32::try_from(self.coefficients.len()).map_err(|_| too_many_terms())?;
        self.coefficients.push(coefficient);
        self.numbers.insert(coefficient, number);
        Ok(number)
    }

    fn end_row(&mut self, matrix: usize) -> Result<(), FormatError> {
        let matrix = &mut self.matrices[matrix];
        let end = u32::try_from(matrix.terms.len()).map_err(|_| too_many_terms())?;
        matrix.ends.push(end);
        Ok(())
    }

    /// The number of constraints.
    pub fn constraints(&self) -> usize {
        self.matrices[2].ends.len()
    }

    /// The number of public signals: outputs and inputs.
    pub fn public_signals(&self) -> usize {
        self.public_outputs + self.public_inputs
    }

    /// The number of terms in A, B and C together.
    pub fn terms(&self) -> usize {
        self.matrices.iter().map(|matrix| matrix.terms.len()).sum()
    }

    /// Bytes of memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        let matrices: usize = self.matrices.iter().map(|matrix| 4 * matrix.ends.len() + 8 * matrix.terms.len()).sum();
        matrices + self.coefficients.len() * (2 * size_of::<PlainScalar>() + 8)
    }

    /// Whether it can be of the circuit that a key is of: the curve and the numbers of wires and public signals are
    /// the same, and the constraints fit into the key's domain.
    ///
    /// # Errors
    /// What differs.
    pub fn fits(&self, key: &KeySummary) -> Result<(), String> {
        let numbers = (self.curve, self.wires, self.public_signals());
        if numbers != (key.curve, key.wires, key.public_signals) {
            return Err(format!(
                "the .r1cs has {} wires and {} public signals over {}, the key {} and {} over {}: they are of \
                 different circuits",
                self.wires,
                self.public_signals(),
                self.curve,
                key.wires,
                key.public_signals,
                key.curve
            ));
        }
        let rows = self.constraints() + self.public_signals() + 1;
        if rows > key.domain {
            let constraints = self.constraints();
            return Err(format!(
                "the .r1cs has {constraints} constraints: too many for the key's domain {}",
                key.domain
            ));
        }
        Ok(())
    }

    /// The linear combination number `row` of A (0), B (1) or C (2): wires, and numbers of coefficients.
    pub(crate) fn row(&self, matrix: usize, row: usize) -> &[(u32, u32)] {
        self.matrices[matrix].row(row)
    }

    /// The coefficients that [`R1cs::row`] gives the numbers of.
    pub(crate) fn coefficients(&self) -> &[PlainScalar] {
        &self.coefficients
    }

    /// Holds a witness of this curve against every constraint; on the current rayon pool. `Ok(Err(_))` names the
    /// first that fails; one with a wire that the witness lacks does.
    pub fn check(&self, witness: &Witness, control: &Control) -> Result<Result<(), Unsatisfied>, Stop> {
        match self.curve {
            Curve::Bn254 => self.check_over::<ark_bn254::Fr>(witness.values(), control),
            Curve::Bls12_381 => self.check_over::<ark_bls12_381::Fr>(witness.values(), control),
        }
    }

    fn check_over<F: RawScalar>(
        &self,
        witness: &[PlainScalar],
        control: &Control,
    ) -> Result<Result<(), Unsatisfied>, Stop> {
        let coefficients = montgomery_twice::<F>(&self.coefficients);
        let constraints = self.constraints();
        let first = (0..constraints.div_ceil(CHUNK_CONSTRAINTS)).into_par_iter().find_map_first(|chunk| {
            if let Err(stop) = control.check() {
                return Some(Err(stop));
            }
            let begin = chunk * CHUNK_CONSTRAINTS;
            let mut rows = begin..constraints.min(begin + CHUNK_CONSTRAINTS);
            rows.find(|row| !self.holds::<F>(*row, &coefficients, witness)).map(Ok)
        });
        match first {
            None => Ok(Ok(())),
            Some(Ok(constraint)) => Ok(Err(Unsatisfied { constraint })),
            Some(Err(stop)) => Err(stop),
        }
    }

    fn holds<F: RawScalar>(&self, row: usize, coefficients: &[F], witness: &[PlainScalar]) -> bool {
        let value = |matrix: &Matrix| {
            matrix.row(row).iter().try_fold(F::ZERO, |sum, (wire, number)| {
                Some(sum + coefficients[*number as usize] * F::from_raw_limbs(*witness.get(*wire as usize)?))
            })
        };
        let [a, b, c] = &self.matrices;
        matches!((value(a), value(b), value(c)), (Some(a), Some(b), Some(c)) if a * b == c)
    }
}

/// Plain coefficients c as elements whose raw limbs are c·R²: times a plain value as raw limbs, each gives the
/// product.
pub(crate) fn montgomery_twice<F: RawScalar>(plain: &[PlainScalar]) -> Vec<F> {
    let radix = F::from_plain_limbs(F::ONE.raw_limbs()).expect("R mod r is below r");
    plain.iter().map(|limbs| F::from_plain_limbs(*limbs).expect("held against r before") * radix).collect()
}

fn too_many_terms() -> FormatError {
    FormatError::new(FORMAT, "more than 4,294,967,295 terms in a matrix")
}

impl fmt::Debug for R1cs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("R1cs")
            .field("curve", &self.curve)
            .field("wires", &self.wires)
            .field("public_outputs", &self.public_outputs)
            .field("public_inputs", &self.public_inputs)
            .field("private_inputs", &self.private_inputs)
            .field("constraints", &self.constraints())
            .finish()
    }
}

#[cfg(test)]
mod tests;
