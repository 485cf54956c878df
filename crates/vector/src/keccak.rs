//! Keccak-256 and SHA3-256, eight messages at a time.
//!
//! FIPS 202: the permutation Keccak-f\[1600\] on 25 words of 64 bits, rate 136 bytes, digest 32. The two functions
//! differ in the byte that follows the message, see [`Domain`].
//!
//! **Cost.** A round is 10 ternary operations for the parities of the columns, 10 operations to spread them, 25
//! exclusive-ors and 24 rotations, 25 ternary operations for χ and one for ι: 95 instructions, 2,280 a permutation
//! of eight. The state and the five words that are spread leave two registers of the 32 free.

use crate::Unit;
use crate::lanes::{LANES, Lanes, Mask, ROW_BYTES, transpose};
use crate::messages::{Alone, Marker, Message, Turn, prefetch, schedule};
use crate::unit::on_lanes;

/// Bytes of a block.
const RATE: usize = 136;

/// Which function: the byte that follows the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Domain {
    /// Keccak-256 as submitted, and as Ethereum has it.
    Keccak256 = 0x01,
    /// SHA3-256 of FIPS 202.
    Sha3_256 = 0x06,
}

impl Domain {
    const fn marker(self) -> &'static Marker {
        static KECCAK256: Marker = Marker::new(Domain::Keccak256 as u8);
        static SHA3_256: Marker = Marker::new(Domain::Sha3_256 as u8);
        match self {
            Self::Keccak256 => &KECCAK256,
            Self::Sha3_256 => &SHA3_256,
        }
    }
}

/// Hashes `digests.len()` messages: number i into place i. Messages that would have the lanes to themselves are
/// hashed as `alone` says, or in lanes all the same.
pub fn many<M: Message>(
    unit: Unit,
    domain: Domain,
    alone: Option<Alone<M, 32>>,
    message: impl Fn(usize) -> M,
    digests: &mut [[u8; 32]],
) {
    let blocks = |i| message(i).length() / RATE + 1;
    schedule::<LANES>(digests.len(), blocks, alone.map(|alone| alone.worth), |turn| match turn {
        Turn::Alone(i) => {
            let alone = alone.expect("without a way to hash them alone, messages go together");
            digests[i] = (alone.digest)(message(i));
        }
        Turn::Soon(indices) => prefetch(unit, indices.iter().map(|i| message(*i))),
        Turn::Together(indices) => {
            let messages: [M; LANES] = std::array::from_fn(|lane| message(*indices.get(lane).unwrap_or(&indices[0])));
            let found = on_lanes!(unit, L => together::<L, M>(domain, &messages));
            for (i, digest) in indices.iter().zip(found) {
                digests[*i] = digest;
            }
        }
    });
}

/// Hashes a message a lane.
#[inline(never)]
fn together<L: Lanes, M: Message>(domain: Domain, messages: &[M; LANES]) -> [[u8; 32]; LANES] {
    L::enter(
        #[inline(always)]
        || {
            let lengths = messages.map(|message| message.length());
            let last = lengths.map(|length| length / RATE);
            let mut state = [L::zero(); 25];
            let mut found = [L::zero(); 4];
            for block in 0..=last.into_iter().max().unwrap_or(0) {
                let ends = (0..LANES).fold(0, |ends, lane| ends | (Mask::from(last[lane] == block) << lane));
                absorb(&mut state, domain, messages, &lengths, block, ends);
                permute(&mut state);
                for (found, word) in found.iter_mut().zip(state) {
                    *found = found.blend(ends, word);
                }
            }
            digests(found)
        },
    )
}

/// Adds a block of each message to the state, and the padding in lanes where it is the last.
#[inline(always)]
fn absorb<L: Lanes, M: Message>(
    state: &mut [L; 25],
    domain: Domain,
    messages: &[M; LANES],
    lengths: &[usize; LANES],
    block: usize,
    ends: Mask,
) {
    let start = block * RATE;
    // The place in the block that follows the message.
    let places = lengths.map(|length| length.saturating_sub(start));
    let filled = places.into_iter().max().unwrap_or(0).min(RATE);
    // Where messages are short, nothing is left to read.
    for at in [0, ROW_BYTES] {
        if at < filled {
            let mut rows = [L::zero(); LANES];
            for lane in 0..LANES {
                rows[lane] = padded(&messages[lane], domain, start + at, ends >> lane & 1 == 1);
            }
            for (word, column) in state[at / 8..].iter_mut().zip(transpose(rows)) {
                *word = word.xor(column);
            }
        } else if at == filled {
            let full = (0..LANES).fold(0, |full: Mask, lane| full | (Mask::from(places[lane] == at) << lane));
            state[at / 8] = state[at / 8].xor(L::splat(domain as u64).keep(full & ends));
        }
    }
    if 2 * ROW_BYTES <= filled {
        let mut words = [0; LANES];
        for lane in 0..LANES {
            let row: L = padded(&messages[lane], domain, start + 2 * ROW_BYTES, ends >> lane & 1 == 1);
            words[lane] = row.to_array()[0];
        }
        state[16] = state[16].xor(L::load(&words));
    }
    state[16] = state[16].xor(L::splat(1 << 63).keep(ends));
}

/// 64 bytes of a message, with the byte that follows it if this is its last block.
#[inline(always)]
fn padded<L: Lanes, M: Message>(message: &M, domain: Domain, start: usize, ends: bool) -> L {
    let row = message.row::<L>(start);
    match message.length().checked_sub(start) {
        Some(place) if ends && place < ROW_BYTES => row.or(domain.marker().at(place)),
        _ => row,
    }
}

#[inline(always)]
fn digests<L: Lanes>(words: [L; 4]) -> [[u8; 32]; LANES] {
    let [a, b, c, d] = words;
    let rows = transpose([a, b, c, d, a, b, c, d]);
    let mut digests = [[0; 32]; LANES];
    for (digest, row) in digests.iter_mut().zip(rows) {
        for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(row.to_array()) {
            *bytes = word.to_le_bytes();
        }
    }
    digests
}

/// FIPS 202, section 3.2.5.
const ROUND_CONSTANTS: [u64; 24] = round_constants();

/// The constants from their definition: bits of a shift register of eight, x⁸ + x⁶ + x⁵ + x⁴ + 1.
const fn round_constants() -> [u64; 24] {
    let mut constants = [0; 24];
    let mut register = 1_u16;
    let mut round = 0;
    while round < 24 {
        let mut bit = 0;
        while bit < 7 {
            constants[round] |= ((register & 1) as u64) << ((1_u64 << bit) - 1);
            register <<= 1;
            if register & 0x100 != 0 {
                register ^= 0x171;
            }
            bit += 1;
        }
        round += 1;
    }
    constants
}

/// Keccak-f\[1600\]. Word 5y + x is the lane (x, y) of the standard.
#[inline(always)]
fn permute<L: Lanes>(state: &mut [L; 25]) {
    let mut a = *state;
    for constant in ROUND_CONSTANTS {
        a = round(a, L::splat(constant));
    }
    *state = a;
}

/// θ, then row by row ρ and π (which words make up a row, and by how much each is rotated) and χ, and ι.
#[inline(always)]
fn round<L: Lanes>(a: [L; 25], constant: L) -> [L; 25] {
    let [c0, c1, c2, c3, c4] = [parity(&a, 0), parity(&a, 1), parity(&a, 2), parity(&a, 3), parity(&a, 4)];
    let d0 = c4.xor(c1.rol::<1>());
    let d1 = c0.xor(c2.rol::<1>());
    let d2 = c1.xor(c3.rol::<1>());
    let d3 = c2.xor(c4.rol::<1>());
    let d4 = c3.xor(c0.rol::<1>());
    let [e0, e1, e2, e3, e4] = chi([
        a[0].xor(d0),
        a[6].xor(d1).rol::<44>(),
        a[12].xor(d2).rol::<43>(),
        a[18].xor(d3).rol::<21>(),
        a[24].xor(d4).rol::<14>(),
    ]);
    let [e5, e6, e7, e8, e9] = chi([
        a[3].xor(d3).rol::<28>(),
        a[9].xor(d4).rol::<20>(),
        a[10].xor(d0).rol::<3>(),
        a[16].xor(d1).rol::<45>(),
        a[22].xor(d2).rol::<61>(),
    ]);
    let [e10, e11, e12, e13, e14] = chi([
        a[1].xor(d1).rol::<1>(),
        a[7].xor(d2).rol::<6>(),
        a[13].xor(d3).rol::<25>(),
        a[19].xor(d4).rol::<8>(),
        a[20].xor(d0).rol::<18>(),
    ]);
    let [e15, e16, e17, e18, e19] = chi([
        a[4].xor(d4).rol::<27>(),
        a[5].xor(d0).rol::<36>(),
        a[11].xor(d1).rol::<10>(),
        a[17].xor(d2).rol::<15>(),
        a[23].xor(d3).rol::<56>(),
    ]);
    let [e20, e21, e22, e23, e24] = chi([
        a[2].xor(d2).rol::<62>(),
        a[8].xor(d3).rol::<55>(),
        a[14].xor(d4).rol::<39>(),
        a[15].xor(d0).rol::<41>(),
        a[21].xor(d1).rol::<2>(),
    ]);
    let e0 = e0.xor(constant);
    [e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11, e12, e13, e14, e15, e16, e17, e18, e19, e20, e21, e22, e23, e24]
}

/// The exclusive-or of three.
const XOR3: i32 = 0x96;

/// a ⊕ (¬b ∧ c).
const CHI: i32 = 0xd2;

#[inline(always)]
fn parity<L: Lanes>(a: &[L; 25], x: usize) -> L {
    a[x].ternary::<XOR3>(a[x + 5], a[x + 10]).ternary::<XOR3>(a[x + 15], a[x + 20])
}

#[inline(always)]
fn chi<L: Lanes>(b: [L; 5]) -> [L; 5] {
    let [b0, b1, b2, b3, b4] = b;
    [
        b0.ternary::<CHI>(b1, b2),
        b1.ternary::<CHI>(b2, b3),
        b2.ternary::<CHI>(b3, b4),
        b3.ternary::<CHI>(b4, b0),
        b4.ternary::<CHI>(b0, b1),
    ]
}

#[cfg(test)]
mod tests;
