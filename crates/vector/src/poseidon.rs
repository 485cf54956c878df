//! Poseidon over the scalar field of BN254, sixteen hashes at a time.
//!
//! **Source.** *Poseidon: A New Hash Function for Zero-Knowledge Proof Systems* (Grassi, Khovratovich, Rechberger,
//! Roy, Schofnegger, 2021), with partial rounds by sparse matrices (appendix B). The constants come from the caller,
//! as numbers, in the order of [`Constants`].
//!
//! **How.** Two groups of eight hashes go through the rounds side by side: the fifth power of a partial round is a
//! chain of three multiplications, and the second group fills its gaps. A row of a matrix times the state is one sum
//! of products with one reduction, and the constant that the next round adds is put into that sum, where it costs
//! nothing.
//!
//! **Bounds**, in multiples of the modulus r; R is 84 r. Elements past the first grow by at most r in each of up to
//! 70 partial rounds, since their sum (element + product)/R is reduced to below itself and r: they stay below 74 r.
//! A sum of 16 of them times constants is below (16·74 + 2)/84 + 1 < 16 r, its square below 5 r, and the fifth power
//! below 2 r again.

use crate::lanes::{LANES, Lanes};
use crate::montgomery::{Columns, Element, Modulus, below, constants, splat};
use crate::unit::{Unit, on_lanes};

/// The scalar field of BN254: r = 21888242871839275222246405745257275088548364400416034343698204186575808495617.
#[derive(Clone, Copy, Debug)]
pub struct Bn254Scalars;

impl Modulus<5> for Bn254Scalars {
    const LIMBS: [u64; 5] =
        constants::limbs(&[0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029]);
}

/// Eight scalars of BN254.
pub type Scalar<L> = Element<L, Bn254Scalars, 5>;

/// A number below r: four little-endian words.
pub type Number = [u64; 4];

/// The greatest width of a state.
pub const WIDTH_MAX: usize = 17;

/// Groups of lanes that go side by side.
const GROUPS: usize = 2;

/// The constants of one width t, as numbers below r.
#[derive(Clone, Debug)]
pub struct Constants {
    /// Added to each element in each of the first full rounds.
    pub first: Vec<Vec<Number>>,
    /// The matrix of full rounds, by rows.
    pub matrix: Vec<Vec<Number>>,
    /// The matrix of the last full round before the partial ones.
    pub matrix_before_partial: Vec<Vec<Number>>,
    /// Of each partial round: what it adds to the first element, the first row of its sparse matrix, and the first
    /// column below that row.
    pub partial: Vec<(Number, Vec<Number>, Vec<Number>)>,
    /// Added to each element in each of the last full rounds.
    pub last: Vec<Vec<Number>>,
}

/// Limbs in Montgomery's form.
type Limbs = [u64; 5];

/// The constants of one width in the order of their use, in Montgomery's form: 25 KB for three elements.
#[derive(Debug)]
pub struct Schedule {
    width: usize,
    /// Added to the elements as they come.
    start: Vec<Limbs>,
    /// Full rounds before the partial ones: a matrix by rows, and what the next round adds to each element.
    first: Vec<(Vec<Limbs>, Vec<Limbs>)>,
    /// Partial rounds: the row, the column, and what the next round adds to the first element.
    partial: Vec<(Vec<Limbs>, Vec<Limbs>, Limbs)>,
    /// What the first round after the partial ones adds to all elements but the first.
    after_partial: Vec<Limbs>,
    /// Full rounds after them, without the last.
    last: Vec<(Vec<Limbs>, Vec<Limbs>)>,
    /// The first row of the matrix, for the last round.
    last_row: Vec<Limbs>,
}

impl Schedule {
    /// Arranges the constants of a width.
    ///
    /// # Panics
    /// Where lengths do not fit each other.
    pub fn new(constants: &Constants) -> Self {
        let Constants { first, matrix, matrix_before_partial, partial, last } = constants;
        let width = matrix.len();
        assert!((2..=WIDTH_MAX).contains(&width), "a state has 2 to {WIDTH_MAX} elements");
        let flat = |matrix: &[Vec<Number>]| matrix.iter().flatten().map(limbs_of).collect::<Vec<_>>();
        let vector = |numbers: &[Number]| numbers.iter().map(limbs_of).collect::<Vec<_>>();
        let (matrix, before_partial) = (flat(matrix), flat(matrix_before_partial));
        assert_eq!([matrix.len(), before_partial.len()], [width * width; 2]);
        let mut first_rounds: Vec<_> = first[1..].iter().map(|next| (matrix.clone(), vector(next))).collect();
        let mut first_partial = vec![[0; 5]; width];
        first_partial[0] = limbs_of(&partial[0].0);
        first_rounds.push((before_partial, first_partial));
        let next = partial[1..].iter().map(|round| &round.0).chain([&last[0][0]]);
        let partial = partial.iter().zip(next);
        Self {
            width,
            start: vector(&first[0]),
            first: first_rounds,
            partial: partial.map(|((_, row, column), next)| (vector(row), vector(column), limbs_of(next))).collect(),
            after_partial: vector(&last[0][1..]),
            last: last[1..].iter().map(|next| (matrix.clone(), vector(next))).collect(),
            last_row: matrix[..width].to_vec(),
        }
    }

    /// How many elements a message has.
    pub fn arity(&self) -> usize {
        self.width - 1
    }
}

/// Montgomery's form of a number, by the lanes that every machine has.
fn limbs_of(number: &Number) -> Limbs {
    type Plain = Scalar<crate::lanes::Portable>;
    let element = Plain::from_number(Plain::limbs_of_words(&[*number; LANES]));
    // Times one is a number below 2r; `canonical` takes R away, so one R more goes in first.
    let with_r = element.mul(&Plain::constant(&Bn254Scalars::R2));
    with_r.canonical().map(|limb| limb.to_array()[0])
}

/// Hashes messages of [`Schedule::arity`] big-endian elements each into as many digests. Where an element is not below
/// r the digest is zeros and the entry of `accepted` false.
///
/// # Panics
/// Where the numbers of elements, digests and entries do not fit each other.
pub fn hash_many(
    unit: Unit,
    schedule: &Schedule,
    elements: &[[u8; 32]],
    digests: &mut [[u8; 32]],
    accepted: &mut [bool],
) {
    assert_eq!(elements.len(), digests.len() * schedule.arity());
    assert_eq!(digests.len(), accepted.len());
    on_lanes!(unit, L => hash_all::<L>(schedule, elements, digests, accepted));
}

#[inline(always)]
fn hash_all<L: Lanes>(schedule: &Schedule, elements: &[[u8; 32]], digests: &mut [[u8; 32]], accepted: &mut [bool]) {
    let arity = schedule.arity();
    let (mut at, count) = (0, digests.len());
    while at < count {
        let groups = if count - at > LANES { GROUPS } else { 1 };
        let end = count.min(at + groups * LANES);
        let (elements, digests) = (&elements[at * arity..end * arity], &mut digests[at..end]);
        if groups == GROUPS {
            hash_groups::<L, GROUPS>(schedule, elements, digests, &mut accepted[at..end]);
        } else {
            hash_groups::<L, 1>(schedule, elements, digests, &mut accepted[at..end]);
        }
        at = end;
    }
}

/// Up to `G`·8 messages.
#[inline(never)]
fn hash_groups<L: Lanes, const G: usize>(
    schedule: &Schedule,
    elements: &[[u8; 32]],
    digests: &mut [[u8; 32]],
    accepted: &mut [bool],
) {
    L::enter(
        #[inline(always)]
        || {
            let mut states = [[Scalar::<L>::zero(); WIDTH_MAX]; G];
            for (group, state) in states.iter_mut().enumerate() {
                let first = group * LANES;
                let fine = absorb(schedule, elements, first, state);
                for (lane, accepted) in accepted[first..].iter_mut().take(LANES).enumerate() {
                    *accepted = fine >> lane & 1 == 1;
                }
            }
            let hashes = permute::<L, G>(schedule, &mut states);
            for (group, hash) in hashes.iter().enumerate() {
                let numbers = Scalar::<L>::words_of_limbs::<4>(&hash.canonical());
                let places = digests.iter_mut().zip(accepted.iter()).skip(group * LANES);
                for ((digest, accepted), number) in places.zip(numbers) {
                    *digest = if *accepted { big_endian(number) } else { [0; 32] };
                }
            }
        },
    );
}

/// Loads the messages from number `first` on into a state, with the constants of the first round. Returns the lanes
/// whose elements are all below r; where there is no message, elements are 0.
#[inline(always)]
fn absorb<L: Lanes>(
    schedule: &Schedule,
    elements: &[[u8; 32]],
    first: usize,
    state: &mut [Scalar<L>; WIDTH_MAX],
) -> crate::lanes::Mask {
    let arity = schedule.arity();
    let to_montgomery = Scalar::<L>::constant(&Bn254Scalars::R2);
    let mut fine = 0xff;
    state[0] = Scalar::constant(&schedule.start[0]);
    for input in 0..arity {
        let mut numbers = [[0; 4]; LANES];
        for (lane, number) in numbers.iter_mut().enumerate() {
            if let Some(element) = elements.get((first + lane) * arity + input) {
                *number = words_of(element);
            }
        }
        let limbs = Scalar::<L>::limbs_of_words(&numbers);
        fine &= below(&limbs, &splat(&Bn254Scalars::LIMBS));
        let constant = Scalar::constant(&schedule.start[input + 1]);
        state[input + 1] = Columns::shifted(&constant).plus(&Scalar::from_limbs(limbs), &to_montgomery).reduce();
    }
    fine
}

/// The permutation; gives the first element of each state.
#[inline(always)]
fn permute<L: Lanes, const G: usize>(schedule: &Schedule, states: &mut [[Scalar<L>; WIDTH_MAX]; G]) -> [Scalar<L>; G] {
    let width = schedule.width;
    for (matrix, next) in &schedule.first {
        full_round(width, matrix, next, states);
    }
    for (row, column, next) in &schedule.partial {
        partial_round(width, row, column, next, states);
    }
    let one = Scalar::one();
    for state in states.iter_mut() {
        for (element, constant) in state[1..width].iter_mut().zip(&schedule.after_partial) {
            *element = Columns::shifted(&Scalar::constant(constant)).plus(element, &one).reduce();
        }
    }
    for (matrix, next) in &schedule.last {
        full_round(width, matrix, next, states);
    }
    let mut hashes = [Scalar::zero(); G];
    for (hash, state) in hashes.iter_mut().zip(states) {
        raise_all(&mut state[..width]);
        *hash = row_times_state(&[0; 5], &schedule.last_row, &state[..width]);
    }
    hashes
}

#[inline(always)]
fn full_round<L: Lanes, const G: usize>(
    width: usize,
    matrix: &[Limbs],
    next: &[Limbs],
    states: &mut [[Scalar<L>; WIDTH_MAX]; G],
) {
    for state in states.iter_mut() {
        raise_all(&mut state[..width]);
        let before = *state;
        for (i, element) in state[..width].iter_mut().enumerate() {
            *element = row_times_state(&next[i], &matrix[i * width..(i + 1) * width], &before[..width]);
        }
    }
}

#[inline(always)]
fn partial_round<L: Lanes, const G: usize>(
    width: usize,
    row: &[Limbs],
    column: &[Limbs],
    next: &Limbs,
    states: &mut [[Scalar<L>; WIDTH_MAX]; G],
) {
    // The groups in turn at each step: none waits for itself.
    let mut squares = [Scalar::zero(); G];
    for (square, state) in squares.iter_mut().zip(states.iter()) {
        *square = Columns::square(&state[0]).reduce();
    }
    for square in &mut squares {
        *square = Columns::square(square).reduce();
    }
    for (fourth, state) in squares.iter().zip(states.iter_mut()) {
        state[0] = Columns::product(fourth, &state[0]).reduce();
    }
    for state in states.iter_mut() {
        let raised = state[0];
        state[0] = row_times_state(next, row, &state[..width]);
        for (element, entry) in state[1..width].iter_mut().zip(column) {
            *element = Columns::shifted(element).plus(&raised, &Scalar::constant(entry)).reduce();
        }
    }
}

/// `constant` + row·state.
#[inline(always)]
fn row_times_state<L: Lanes>(constant: &Limbs, row: &[Limbs], state: &[Scalar<L>]) -> Scalar<L> {
    let mut sum = Columns::shifted(&Scalar::constant(constant));
    for (entry, element) in row.iter().zip(state) {
        sum = sum.plus(element, &Scalar::constant(entry));
    }
    sum.reduce()
}

/// Fifth powers.
#[inline(always)]
fn raise_all<L: Lanes>(state: &mut [Scalar<L>]) {
    for element in state {
        let square = Columns::square(element).reduce();
        let fourth = Columns::square(&square).reduce();
        *element = Columns::product(&fourth, element).reduce();
    }
}

/// The number of 32 bytes, big-endian.
#[inline(always)]
fn words_of(bytes: &[u8; 32]) -> Number {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|i| u64::from_be_bytes(words[3 - i]))
}

/// The 32 bytes of a number, big-endian.
#[inline(always)]
fn big_endian(number: Number) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(number.iter().rev()) {
        *place = word.to_be_bytes();
    }
    bytes
}
