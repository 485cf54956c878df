//! A loop that does nothing but multiply in registers: how fast the processor could be, and how well it scales.
//!
//! Cores of one machine share power, caches and often execution units; a program on two of them cannot be held to
//! more than this loop reaches there at the same time.

use crate::Unit;
use crate::lanes::{LANES, Lanes};
use crate::unit::on_lanes;

/// Accumulators: more than latency times throughput of the multiplier (4 cycles, two a cycle), fewer than registers.
const CHAINS: usize = 16;

/// Instructions of one round of [`register_loop`].
pub const ROUND_INSTRUCTIONS: u64 = 2 * CHAINS as u64;

/// Runs so many rounds of independent 52-bit multiply-adds, [`ROUND_INSTRUCTIONS`] each, without touching memory.
/// What comes back depends on all of them and means nothing.
pub fn register_loop(unit: Unit, rounds: u64) -> u64 {
    on_lanes!(unit, L => multiply::<L>(rounds))
}

#[inline(always)]
fn multiply<L: Lanes>(rounds: u64) -> u64 {
    let mut chains: [L; CHAINS] = std::array::from_fn(|i| L::splat(0x000f_1234_5678_9abc + i as u64));
    let factor = L::splat(0x000b_adc0_ffee_0ddb);
    for _ in 0..rounds {
        for chain in &mut chains {
            *chain = chain.madd_lo(*chain, factor);
        }
        for chain in &mut chains {
            *chain = chain.madd_hi(*chain, factor);
        }
    }
    let sum = chains.into_iter().fold(L::zero(), Lanes::xor);
    let words: [u64; LANES] = sum.to_array();
    words.into_iter().fold(0, u64::wrapping_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_agree_and_every_round_counts() {
        assert_ne!(register_loop(Unit::PORTABLE, 1), register_loop(Unit::PORTABLE, 2));
        match Unit::detect() {
            Some(unit) => assert_eq!(register_loop(unit, 1_000), register_loop(Unit::PORTABLE, 1_000)),
            None => println!("NOT RUN on AVX-512: this processor has none"),
        }
    }
}
