//! Poseidon's constants, generated as its authors do.
//!
//! The procedure is that of appendix E of the paper and of the authors' script `generate_parameters_grain.sage`: a
//! Grain-like shift register, started from the parameters themselves, yields first the round constants and then
//! the points of a Cauchy matrix. Nobody had a free choice, and anybody can repeat it.

use ark_bn254::Fr;
use ark_ff::{BigInt, Field, PrimeField, Zero};

/// Full rounds, half of them before the partial ones and half after.
pub const FULL_ROUNDS: usize = 8;

/// Partial rounds for t = 2, 3, … 17: those of the paper for 128-bit security with its margin, as circomlib lists
/// them.
pub const PARTIAL_ROUNDS: [usize; 16] = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];

/// Bits of the field's order.
const FIELD_BITS: usize = Fr::MODULUS_BIT_SIZE as usize;

/// A square matrix, by rows.
pub type Matrix = Vec<Vec<Fr>>;

/// The constants of one width.
pub struct Parameters {
    /// Elements of the state: inputs and one of capacity.
    pub width: usize,
    /// Partial rounds.
    pub partial_rounds: usize,
    /// What each round adds to each element.
    pub round_constants: Vec<Vec<Fr>>,
    /// What each round multiplies the state by (state as a column).
    pub matrix: Matrix,
}

impl Parameters {
    /// Generates the constants of a width from 2 to 17.
    pub fn generate(width: usize) -> Self {
        let partial_rounds = PARTIAL_ROUNDS[width - 2];
        let mut register = Grain::new(width, partial_rounds);
        let round_constants = (0..FULL_ROUNDS + partial_rounds)
            .map(|_| (0..width).map(|_| register.element_by_rejection()).collect())
            .collect();
        let matrix = cauchy_matrix(&mut register, width);
        Self { width, partial_rounds, round_constants, matrix }
    }
}

/// Entry (i, j) is 1 / (xᵢ + yⱼ). Drawn again where two points agree or a sum is 0.
///
/// The authors' script then tests the matrix for invariant subspaces. For these sixteen widths the first matrix
/// passes: the tests show it by comparing with circomlib's.
fn cauchy_matrix(register: &mut Grain, width: usize) -> Matrix {
    loop {
        let points: Vec<Fr> = (0..2 * width).map(|_| register.element_by_reduction()).collect();
        let distinct = points.iter().enumerate().all(|(i, point)| !points[..i].contains(point));
        let (xs, ys) = points.split_at(width);
        let row = |x: &Fr| ys.iter().map(|y| (*x + y).inverse()).collect::<Option<Vec<Fr>>>();
        let matrix: Option<Matrix> = xs.iter().map(row).collect();
        if let (true, Some(matrix)) = (distinct, matrix) {
            return matrix;
        }
    }
}

/// A linear feedback shift register of 80 bits whose output is thinned: of two bits, the second counts only where
/// the first is 1.
struct Grain {
    /// Bit i is bᵢ of the paper, the oldest at 0.
    state: u128,
}

impl Grain {
    const BITS: u32 = 80;

    fn new(width: usize, partial_rounds: usize) -> Self {
        // Field: prime, S-box: x^α, then the numbers, each with the highest bit first, then ones.
        let fields = [(1, 2), (0, 4), (FIELD_BITS, 12), (width, 12), (FULL_ROUNDS, 10), (partial_rounds, 10)];
        let mut state = 0;
        let mut place = 0;
        for (value, bits) in fields {
            for bit in (0..bits).rev() {
                state |= ((value as u128 >> bit) & 1) << place;
                place += 1;
            }
        }
        while place < Self::BITS {
            state |= 1 << place;
            place += 1;
        }
        let mut register = Self { state };
        for _ in 0..160 {
            register.step();
        }
        register
    }

    fn step(&mut self) -> bool {
        let tap = |i: u32| (self.state >> i) & 1;
        let bit = tap(62) ^ tap(51) ^ tap(38) ^ tap(23) ^ tap(13) ^ tap(0);
        self.state = (self.state >> 1) | (bit << (Self::BITS - 1));
        bit == 1
    }

    fn bit(&mut self) -> bool {
        while !self.step() {
            self.step();
        }
        self.step()
    }

    /// As many bits as the field's order has, the highest first, in limbs.
    fn integer(&mut self) -> BigInt<4> {
        let mut limbs = [0; 4];
        for place in (0..FIELD_BITS).rev() {
            limbs[place / 64] |= u64::from(self.bit()) << (place % 64);
        }
        BigInt::new(limbs)
    }

    /// For round constants: integers that are not below r are passed over.
    fn element_by_rejection(&mut self) -> Fr {
        loop {
            if let Some(element) = Fr::from_bigint(self.integer()) {
                return element;
            }
        }
    }

    /// For the matrix: integers that are not below r are reduced.
    fn element_by_reduction(&mut self) -> Fr {
        let BigInt(limbs) = self.integer();
        let two_to_64 = Fr::from(u64::MAX) + Fr::from(1_u64);
        limbs.iter().rev().fold(Fr::zero(), |high, limb| high * two_to_64 + Fr::from(*limb))
    }
}
