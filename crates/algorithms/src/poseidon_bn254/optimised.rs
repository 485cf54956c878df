//! The evaluation that serves: the same function with fewer multiplications.
//!
//! A partial round raises one element only, so most of what it adds and multiplies can be moved to other rounds
//! (appendix B of the paper). Write e₀ for the first coordinate and split the matrix as
//!
//! ```text
//! M = | m  v |    m one element, v a row, w a column, N square of width t − 1.
//!     | w  N |
//! ```
//!
//! **Constants.** What a partial round adds beyond e₀ is not touched by its S-box, so it may be added after the
//! matrix instead: multiplied by M it joins the constants of the next round. From the first partial round to the
//! last this leaves one constant a round, and the remainder goes to the first full round that follows.
//!
//! **Matrices.** With S = (m, v N⁻¹; w, 1) we have M = S · diag(1, N), and diag(1, N) may move before the S-box of
//! its own round, as it leaves e₀ alone. There it meets the matrix of the round before, and so on from the last
//! partial round back to the first. The k-th round from the end (k = 1, 2, …) is left with the sparse matrix
//!
//! ```text
//! S_k = | m          v N⁻ᵏ |    2 t − 1 multiplications instead of t².
//!       | Nᵏ⁻¹ w     1     |
//! ```
//!
//! and the full round before the partial ones gets diag(1, N^R) · M, where R is the number of partial rounds.
//! Two to one (t = 3) this leaves 594 multiplications of 828, in 7 µs where
//! `light-poseidon` takes 12; with twelve inputs it is 36 µs to 165.
//!
//! Tried and dropped: a basis in which all partial rounds share one matrix (the controller form of a linear
//! recurrence). Its tables are smaller and it is 6 % faster for eight inputs, but 1 to 2 % slower for one and two.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, One, Zero};
use outrigger_types::limits::POSEIDON_INPUTS_MAX;

use super::parameters::{FULL_ROUNDS, Matrix, Parameters};

/// The greatest width: all inputs and one element of capacity.
const WIDTH_MAX: usize = POSEIDON_INPUTS_MAX + 1;

/// Full rounds on each side.
const HALF: usize = FULL_ROUNDS / 2;

/// The hash of 1 to 16 elements.
///
/// # Panics
/// Where there are none or more than 16.
pub(super) fn hash(inputs: &[Fr]) -> Fr {
    let schedule = Schedule::of_width(inputs.len() + 1);
    let mut state = [Fr::ZERO; WIDTH_MAX];
    state[1..=inputs.len()].copy_from_slice(inputs);
    schedule.run(&mut state[..=inputs.len()])
}

/// The constants of one width, as the rounds use them.
pub(super) struct Schedule {
    /// Constants of the first full rounds.
    pub(super) first_constants: Vec<Vec<Fr>>,
    /// The matrix of full rounds.
    pub(super) matrix: Matrix,
    /// The matrix of the last full round before the partial ones.
    pub(super) matrix_before_partial: Matrix,
    /// The partial rounds.
    pub(super) partial: Vec<PartialRound>,
    /// Constants of the last full rounds.
    pub(super) last_constants: Vec<Vec<Fr>>,
}

/// A partial round: add, raise the first element, multiply by a sparse matrix.
pub(super) struct PartialRound {
    /// Added to the first element.
    pub(super) constant: Fr,
    /// The first row of the matrix.
    pub(super) row: Vec<Fr>,
    /// The first column below the first row.
    pub(super) column: Vec<Fr>,
}

impl Schedule {
    /// The schedule of a width, made at its first use: 1 ms for two inputs, 15 ms for sixteen.
    pub(super) fn of_width(width: usize) -> &'static Self {
        static SCHEDULES: [OnceLock<Schedule>; POSEIDON_INPUTS_MAX] = [const { OnceLock::new() }; POSEIDON_INPUTS_MAX];
        assert!((2..=WIDTH_MAX).contains(&width), "Poseidon takes 1 to {POSEIDON_INPUTS_MAX} elements");
        SCHEDULES[width - 2].get_or_init(|| Self::new(Parameters::generate(width)))
    }

    fn new(parameters: Parameters) -> Self {
        let Parameters { partial_rounds, mut round_constants, matrix, .. } = parameters;
        let partial_constants = move_constants(&mut round_constants, &matrix, partial_rounds);
        let last_constants = round_constants.split_off(HALF + partial_rounds);
        round_constants.truncate(HALF);
        let (partial, matrix_before_partial) = move_matrices(&matrix, &partial_constants);
        Self { first_constants: round_constants, matrix, matrix_before_partial, partial, last_constants }
    }

    /// The permutation; only element 0 of its result is of use.
    fn run(&self, state: &mut [Fr]) -> Fr {
        for (round, constants) in self.first_constants.iter().enumerate() {
            let is_last = round + 1 == HALF;
            full_round(state, constants, if is_last { &self.matrix_before_partial } else { &self.matrix });
        }
        for round in &self.partial {
            round.run(state);
        }
        for constants in &self.last_constants[..HALF - 1] {
            full_round(state, constants, &self.matrix);
        }
        // Of the last round, only the first row counts.
        add_and_raise(state, &self.last_constants[HALF - 1]);
        dot(&self.matrix[0], state)
    }
}

impl PartialRound {
    #[inline]
    fn run(&self, state: &mut [Fr]) {
        state[0] = fifth_power(state[0] + self.constant);
        let first = dot(&self.row, state);
        let raised = std::mem::replace(&mut state[0], first);
        for (element, entry) in state[1..].iter_mut().zip(&self.column) {
            *element += raised * entry;
        }
    }
}

#[inline]
fn full_round(state: &mut [Fr], constants: &[Fr], matrix: &Matrix) {
    add_and_raise(state, constants);
    let mut before = [Fr::ZERO; WIDTH_MAX];
    let before = &mut before[..state.len()];
    before.copy_from_slice(state);
    for (element, row) in state.iter_mut().zip(matrix) {
        *element = dot(row, before);
    }
}

#[inline]
fn add_and_raise(state: &mut [Fr], constants: &[Fr]) {
    for (element, constant) in state.iter_mut().zip(constants) {
        *element = fifth_power(*element + constant);
    }
}

#[inline]
fn fifth_power(x: Fr) -> Fr {
    x.square().square() * x
}

/// Three products share one reduction: r has 254 bits, so their sum fits the range that it takes.
#[inline]
fn dot(a: &[Fr], b: &[Fr]) -> Fr {
    let (a, a_rest) = a.as_chunks::<3>();
    let (b, b_rest) = b.as_chunks::<3>();
    let threes = a.iter().zip(b).map(|(a, b)| Fr::sum_of_products(a, b));
    let rest = match (a_rest, b_rest) {
        ([a], [b]) => *a * b,
        ([a0, a1], [b0, b1]) => Fr::sum_of_products(&[*a0, *a1], &[*b0, *b1]),
        _ => Fr::zero(),
    };
    threes.fold(rest, |sum, product| sum + product)
}

/// Leaves the constants of partial rounds with their first element, which is returned, and moves the rest to the
/// round after.
fn move_constants(round_constants: &mut [Vec<Fr>], matrix: &Matrix, partial_rounds: usize) -> Vec<Fr> {
    (HALF..HALF + partial_rounds)
        .map(|round| {
            let first = std::mem::replace(&mut round_constants[round][0], Fr::zero());
            let moved = multiply_vector(matrix, &round_constants[round]);
            round_constants[round + 1].iter_mut().zip(moved).for_each(|(constant, more)| *constant += more);
            first
        })
        .collect()
}

/// The partial rounds with their sparse matrices, and the matrix of the full round before them.
fn move_matrices(matrix: &Matrix, constants: &[Fr]) -> (Vec<PartialRound>, Matrix) {
    let corner = matrix[0][0];
    let lower: Matrix = matrix[1..].iter().map(|row| row[1..].to_vec()).collect();
    let lower_inverse = inverse(&lower);
    let mut row = matrix[0][1..].to_vec();
    let mut column: Vec<Fr> = matrix[1..].iter().map(|row| row[0]).collect();
    let mut before_partial = matrix.clone();
    let mut partial = Vec::with_capacity(constants.len());
    for &constant in constants.iter().rev() {
        row = multiply_row(&row, &lower_inverse);
        partial.push(PartialRound { constant, row: [&[corner], &row[..]].concat(), column: column.clone() });
        column = multiply_vector(&lower, &column);
        let moved: Matrix = multiply(&lower, &before_partial[1..]);
        before_partial.truncate(1);
        before_partial.extend(moved);
    }
    partial.reverse();
    (partial, before_partial)
}

fn multiply_vector(matrix: &[Vec<Fr>], vector: &[Fr]) -> Vec<Fr> {
    matrix.iter().map(|row| dot(row, vector)).collect()
}

fn multiply_row(row: &[Fr], matrix: &[Vec<Fr>]) -> Vec<Fr> {
    (0..matrix[0].len()).map(|j| row.iter().zip(matrix).map(|(entry, other)| *entry * other[j]).sum()).collect()
}

fn multiply(left: &[Vec<Fr>], right: &[Vec<Fr>]) -> Matrix {
    left.iter().map(|row| multiply_row(row, right)).collect()
}

/// Gauss and Jordan's elimination. A square part of a Cauchy matrix is one itself, so none of its minors is 0 and
/// every pivot is found in its place.
fn inverse(matrix: &Matrix) -> Matrix {
    let n = matrix.len();
    let mut rows: Matrix = matrix
        .iter()
        .enumerate()
        .map(|(i, row)| {
            row.iter().copied().chain((0..n).map(|j| if i == j { Fr::one() } else { Fr::zero() })).collect()
        })
        .collect();
    for pivot in 0..n {
        let scale = rows[pivot][pivot].inverse().expect("a Cauchy matrix has no vanishing minor");
        rows[pivot].iter_mut().for_each(|entry| *entry *= scale);
        let pivot_row = rows[pivot].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != pivot) {
            let factor = row[pivot];
            row.iter_mut().zip(&pivot_row).for_each(|(entry, other)| *entry -= factor * other);
        }
    }
    rows.into_iter().map(|mut row| row.split_off(n)).collect()
}
