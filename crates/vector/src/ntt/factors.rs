//! Roots of unity as factors, made in lanes.

use super::ScalarField;
use super::arithmetic::{Factor, LIMBS, LaneFactor, Limbs, Vector, less_modulus};
use crate::lanes::{LANES, Lanes};
use crate::montgomery::{Element, Modulus, constants};
use crate::radix52::LIMB_MASK;
use crate::unit::{Unit, on_lanes};

/// The powers of the root of unity of order 2n that transforms of n = 2^k elements are made of, each a product of
/// entries of two tables, of some √2n entries of 40 bytes.
///
/// Exponents are those of that root throughout, also where n is all that the field has and the root does not exist;
/// then they are even.
pub(super) struct Roots<M> {
    unit: Unit,
    order_log: u32,
    halvings: u32,
    low_log: u32,
    low: Vec<Limbs>,
    high: Vec<Limbs>,
    field: std::marker::PhantomData<M>,
}

impl<M: ScalarField> Roots<M> {
    /// Those for 2^`log_size` elements, at most 2^[`ScalarField::TWO_ADICITY`].
    pub(super) fn new(unit: Unit, log_size: u32) -> Self {
        let order_log = M::TWO_ADICITY.min(log_size + 1);
        let low_log = order_log.div_ceil(2);
        let (low, high) = on_lanes!(unit, L => power_tables::<L, M>(order_log, low_log));
        Self {
            unit,
            order_log,
            halvings: log_size + 1 - order_log,
            low_log,
            low,
            high,
            field: std::marker::PhantomData,
        }
    }

    /// The root to the powers `exponent(i)` for i < `count`.
    pub(super) fn factors(&self, count: usize, exponent: impl Fn(usize) -> i64) -> Vec<Factor> {
        let mut factors = Vec::with_capacity(count);
        for start in (0..count).step_by(LANES) {
            let eight = self.eight(std::array::from_fn(|lane| exponent((start + lane).min(count - 1))));
            factors.extend_from_slice(&eight[..LANES.min(count - start)]);
        }
        factors
    }

    /// The root to a power for each lane.
    pub(super) fn lane_factor(&self, exponent: impl Fn(usize) -> i64) -> LaneFactor {
        lane_factor(&self.eight(std::array::from_fn(exponent)))
    }

    fn eight(&self, exponents: [i64; LANES]) -> [Factor; LANES] {
        let order = 1_i64 << self.order_log;
        let exponents = exponents.map(|exponent| (exponent >> self.halvings).rem_euclid(order) as usize);
        let low = exponents.map(|exponent| self.low[exponent & ((1 << self.low_log) - 1)]);
        let high = exponents.map(|exponent| self.high[exponent >> self.low_log]);
        on_lanes!(self.unit, L => factors_of_products::<L, M>(&low, &high))
    }
}

/// Factors lane by lane.
pub(super) fn lane_factor(factors: &[Factor; LANES]) -> LaneFactor {
    let rows = |limbs: &dyn Fn(&Factor) -> Limbs| {
        let limbs = factors.each_ref().map(limbs);
        Vector(std::array::from_fn(|i| limbs.map(|limbs| limbs[i])))
    };
    LaneFactor { number: rows(&|factor| factor.number), quotient: rows(&|factor| factor.quotient) }
}

/// 2^`exponent`, of any sign, as a factor.
pub(super) fn power_of_two<M: ScalarField>(unit: Unit, exponent: i64) -> Factor {
    on_lanes!(unit, L => power_of_two_in_lanes::<L, M>(exponent))
}

#[inline(always)]
fn power_of_two_in_lanes<L: Lanes, M: ScalarField>(exponent: i64) -> Factor {
    let one = Element::<L, M, LIMBS>::one();
    let base = if exponent < 0 { one.halve() } else { one.double() };
    let power = limbs_of_lane(&base.pow(&[exponent.unsigned_abs()]));
    factors_of_products::<L, M>(&[power; LANES], &[M::R; LANES])[0]
}

/// r^i for i < 2^`low_log`, and r^(i·2^`low_log`) for i < 2^(`order_log` − `low_log`), in Montgomery's form.
#[inline(always)]
fn power_tables<L: Lanes, M: ScalarField>(order_log: u32, low_log: u32) -> (Vec<Limbs>, Vec<Limbs>) {
    let generator =
        Element::<L, M, LIMBS>::constant(&constants::shifted(&[M::NON_RESIDUE, 0, 0, 0, 0], &M::LIMBS, LIMBS * 52));
    let mut root = generator.pow(&odd_part::<M>());
    for _ in order_log..M::TWO_ADICITY {
        root = root.square();
    }
    let low = powers(&root, 1 << low_log);
    for _ in 0..low_log {
        root = root.square();
    }
    (low, powers(&root, 1 << (order_log - low_log)))
}

#[inline(always)]
fn powers<L: Lanes, M: ScalarField>(base: &Element<L, M, LIMBS>, count: usize) -> Vec<Limbs> {
    let mut powers = Vec::with_capacity(count);
    let mut power = Element::one();
    for _ in 0..count {
        powers.push(limbs_of_lane(&power));
        power = power.mul(base);
    }
    powers
}

#[inline(always)]
fn limbs_of_lane<L: Lanes, M: Modulus<LIMBS>>(element: &Element<L, M, LIMBS>) -> Limbs {
    let mut limbs = [0; LIMBS];
    for i in 0..LIMBS {
        limbs[i] = element.limbs()[i].to_array()[0];
    }
    limbs
}

/// (p − 1)/2^s, s being the two-adicity, in words.
fn odd_part<M: ScalarField>() -> [u64; 5] {
    let mut words = [0_u64; 5];
    // Bit by bit, which is once a table.
    for bit in M::TWO_ADICITY as usize..52 * LIMBS {
        let to = bit - M::TWO_ADICITY as usize;
        words[to / 64] |= (M::LIMBS[bit / 52] >> (bit % 52) & 1) << (to % 64);
    }
    words
}

/// The products of numbers in Montgomery's form, each below 2p, as factors.
#[inline(always)]
fn factors_of_products<L: Lanes, M: Modulus<LIMBS>>(a: &[Limbs; LANES], b: &[Limbs; LANES]) -> [Factor; LANES] {
    let (a, b) = (in_lanes::<L, M>(a), in_lanes::<L, M>(b));
    let plain = a.mul(&b).canonical();
    // plain·R mod p, below p; what makes it a multiple of R is the quotient ⌊plain·R/p⌋ times p.
    let remainder = less_modulus::<L, M>(Element::<L, M, LIMBS>::from_number(plain).limbs());
    let quotient = multiple_to_clear::<L, M>(remainder);
    let (mut numbers, mut quotients) = ([[0; LANES]; LIMBS], [[0; LANES]; LIMBS]);
    for i in 0..LIMBS {
        plain[i].store(&mut numbers[i]);
        quotient[i].store(&mut quotients[i]);
    }
    let mut factors = [Factor { number: [0; LIMBS], quotient: [0; LIMBS] }; LANES];
    for (lane, factor) in factors.iter_mut().enumerate() {
        for i in 0..LIMBS {
            factor.number[i] = numbers[i][lane];
            factor.quotient[i] = quotients[i][lane];
        }
    }
    factors
}

#[inline(always)]
fn in_lanes<L: Lanes, M: Modulus<LIMBS>>(numbers: &[Limbs; LANES]) -> Element<L, M, LIMBS> {
    let mut limbs = [L::zero(); LIMBS];
    for i in 0..LIMBS {
        let mut row = [0; LANES];
        for lane in 0..LANES {
            row[lane] = numbers[lane][i];
        }
        limbs[i] = L::load(&row);
    }
    Element::from_limbs(limbs)
}

/// q < 2²⁶⁰ with number + q·p ≡ 0 mod 2²⁶⁰, limb by limb as in Montgomery's reduction.
#[inline(always)]
fn multiple_to_clear<L: Lanes, M: Modulus<LIMBS>>(number: [L; LIMBS]) -> [L; LIMBS] {
    let mask = L::splat(LIMB_MASK);
    let mut columns = number;
    let mut multiple = [L::zero(); LIMBS];
    for i in 0..LIMBS {
        let q = L::zero().madd_lo(columns[i], L::splat(M::NEGATED_INVERSE)).and(mask);
        multiple[i] = q;
        for j in 0..LIMBS - i {
            let limb = L::splat(M::LIMBS[j]);
            columns[i + j] = columns[i + j].madd_lo(q, limb);
            if i + j + 1 < LIMBS {
                columns[i + j + 1] = columns[i + j + 1].madd_hi(q, limb);
            }
        }
        if i + 1 < LIMBS {
            columns[i + 1] = columns[i + 1].add(columns[i].shr::<52>());
        }
    }
    multiple
}
