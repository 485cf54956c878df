//! Random coefficients of a form that both groups multiply by quickly.

use super::curve::{Affine, Jacobian, add_affine, double};
use super::field::Field;
use crate::lanes::{LANES, Lanes, Mask};

/// Eight coefficients Σⱼ ±2^(42−j)·z^iⱼ, j = 0 … 42, of which each digit has a power iⱼ from 0 to 3 and a sign.
///
/// On both groups points times z, z² and z³ cost next to nothing (from endomorphisms, and from the membership test),
/// so a coefficient costs 43 doublings and as many additions. And no two of the 2^129 choices are the same
/// coefficient: a sum that is 0 in all powers of z up to z³ has only parts that are 0, as these are below 2^43 and
/// z is above 2^63; the lowest digit's power is then that of the only odd part, and of its two signs only one leaves
/// exactly one part odd again for the next digit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coefficients {
    /// Of each digit, the highest first: lanes with bit 0 and bit 1 of the power, and those with a minus.
    digits: [[Mask; 3]; Self::DIGITS],
}

impl Coefficients {
    /// Digits of a coefficient.
    pub(super) const DIGITS: usize = 43;

    /// From 129 random bits a lane; the others of the 17 bytes are of no use.
    pub(super) fn from_bytes(bytes: &[&[u8; 17]; LANES]) -> Self {
        let digits = std::array::from_fn(|digit| {
            std::array::from_fn(|kind| {
                let bit = 3 * digit + kind;
                let of_lane = |lane: usize| (bytes[lane][bit / 8] >> (bit % 8) & 1) << lane;
                (0..LANES).fold(0, |mask, lane| mask | of_lane(lane))
            })
        });
        Self { digits }
    }

    /// A digit's point, of P, zP, z²P and z³P.
    #[inline(always)]
    pub(super) fn pick<L: Lanes, F: Field<L>>(&self, digit: usize, powers: &[Affine<F>; 4]) -> Affine<F> {
        let [low, high, minus] = self.digits[digit];
        let lower = powers[0].select(low, &powers[1]);
        let upper = powers[2].select(low, &powers[3]);
        let point = lower.select(high, &upper);
        point.select(minus, &point.neg())
    }
}

/// Points times their coefficients, from P, zP, z²P and z³P. z = 0 where a case was exceptional.
#[inline(never)]
pub(super) fn multiply<L: Lanes, F: Field<L>>(powers: &[Affine<F>; 4], coefficients: &Coefficients) -> Jacobian<L, F> {
    L::enter(
        #[inline(always)]
        || {
            let mut multiple = Jacobian::from_affine(&coefficients.pick(0, powers));
            for digit in 1..Coefficients::DIGITS {
                double(&mut multiple);
                add_affine(&mut multiple, &coefficients.pick(digit, powers));
            }
            multiple
        },
    )
}

/// Eight points in a sum of many.
pub(super) struct Summand<F> {
    /// P, zP, z²P, z³P.
    pub(super) powers: [Affine<F>; 4],
    pub(super) coefficients: Coefficients,
    /// Lanes that count.
    pub(super) active: Mask,
}

/// Lane by lane, the sum of all points times their coefficients, and `start`·2^42: a sum that starts with a point that
/// nobody chooses meets no exceptional case where points repeat.
#[inline(never)]
pub(super) fn combine<L: Lanes, F: Field<L>>(start: &Affine<F>, summands: &[Summand<F>]) -> Jacobian<L, F> {
    L::enter(
        #[inline(always)]
        || {
            let mut sum = Jacobian::from_affine(start);
            for digit in 0..Coefficients::DIGITS {
                if digit > 0 {
                    double(&mut sum);
                }
                for summand in summands {
                    let before = sum;
                    add_affine(&mut sum, &summand.coefficients.pick(digit, &summand.powers));
                    sum = before.select(summand.active, &sum);
                }
            }
            sum
        },
    )
}
