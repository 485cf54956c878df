//! SHA-512, eight messages at a time.
//!
//! FIPS 180-4, sections 4.1.3, 4.2.3, 5.1.2 and 6.4. Messages may come in parts, as Ed25519 has them: R ‖ A ‖ M.
//!
//! **Cost.** A step is 6 rotations, 4 ternary operations and 7 additions, and a word of the schedule 6 shifts and
//! rotations, 2 ternary operations and 3 additions: 80 · 17 + 64 · 11 = 2,064 instructions a block of eight. Steps
//! depend on each other, so two groups of eight run interleaved where there are more than eight messages.

use std::array::from_fn;

use crate::Unit;
use crate::lanes::{LANES, Lanes, Mask, ROW_BYTES, array, transpose};
use crate::messages::{Alone, Marker, Message, Turn, prefetch, schedule};
use crate::unit::on_lanes;

/// Bytes of a block.
const BLOCK_BYTES: usize = 128;

/// Bytes of padding at least: the first byte and the length in bits.
const PADDING_BYTES: usize = 17;

/// The byte that follows a message: one bit and zeros.
static MARKER: Marker = Marker::new(0x80);

/// Groups of lanes that run interleaved.
const GROUPS: usize = 2;

/// Hashes `digests.len()` messages: number i into place i. Messages that would have the lanes to themselves are
/// hashed as `alone` says, or in lanes all the same.
pub fn many<M: Message>(
    unit: Unit,
    alone: Option<Alone<M, 64>>,
    message: impl Fn(usize) -> M,
    digests: &mut [[u8; 64]],
) {
    let blocks = |i| blocks(message(i).length());
    schedule::<{ GROUPS * LANES }>(digests.len(), blocks, alone.map(|alone| alone.worth), |turn| match turn {
        Turn::Alone(i) => {
            let alone = alone.expect("without a way to hash them alone, messages go together");
            digests[i] = (alone.digest)(message(i));
        }
        Turn::Soon(indices) => prefetch(unit, indices.iter().map(|i| message(*i))),
        Turn::Together(indices) => {
            let messages: [[M; LANES]; GROUPS] =
                from_fn(|g| from_fn(|lane| message(*indices.get(g * LANES + lane).unwrap_or(&indices[0]))));
            let mut found = [[[0; 64]; LANES]; GROUPS];
            if indices.len() <= LANES {
                let (messages, found) = (messages.first_chunk::<1>(), found.first_chunk_mut::<1>());
                if let (Some(messages), Some(found)) = (messages, found) {
                    on_lanes!(unit, L => together::<L, M, 1>(messages, found));
                }
            } else {
                on_lanes!(unit, L => together::<L, M, GROUPS>(&messages, &mut found));
            }
            for (i, digest) in indices.iter().zip(found.as_flattened()) {
                digests[*i] = *digest;
            }
        }
    });
}

/// The blocks of a message of so many bytes.
const fn blocks(length: usize) -> usize {
    (length + PADDING_BYTES).div_ceil(BLOCK_BYTES)
}

/// Hashes a message a lane.
#[inline(never)]
fn together<L: Lanes, M: Message, const G: usize>(messages: &[[M; LANES]; G], found: &mut [[[u8; 64]; LANES]; G]) {
    L::enter(
        #[inline(always)]
        || {
            let last: [[usize; LANES]; G] = from_fn(|g| messages[g].map(|message| blocks(message.length()) - 1));
            let initial: [L; 8] = array(L::zero(), |i| L::splat(INITIAL[i]));
            let mut state = [initial; G];
            let mut results = state;
            for block in 0..=last.as_flattened().iter().copied().max().unwrap_or(0) {
                let mut words = [[L::zero(); 16]; G];
                let mut ends = [0; G];
                for g in 0..G {
                    ends[g] =
                        (0..LANES).fold(0, |ends: Mask, lane| ends | (Mask::from(last[g][lane] == block) << lane));
                    words[g] = read(&messages[g], block, ends[g]);
                }
                compress(&mut state, words);
                for g in 0..G {
                    results[g] = array(L::zero(), |i| results[g][i].blend(ends[g], state[g][i]));
                }
            }
            for g in 0..G {
                found[g] = digests(results[g]);
            }
        },
    );
}

/// A block of each message, padded.
#[inline(always)]
fn read<L: Lanes, M: Message>(messages: &[M; LANES], block: usize, ends: Mask) -> [L; 16] {
    let mut words = [L::zero(); 16];
    for half in 0..2 {
        let start = block * BLOCK_BYTES + half * ROW_BYTES;
        let mut rows = [L::zero(); LANES];
        for (row, message) in rows.iter_mut().zip(messages) {
            *row = padded(message, start);
        }
        for (word, column) in words[8 * half..].iter_mut().zip(transpose(rows)) {
            *word = column.swap_bytes();
        }
    }
    if ends != 0 {
        let bits = from_fn(|lane| 8 * messages[lane].length() as u64);
        words[15] = words[15].or(L::load(&bits).keep(ends));
    }
    words
}

/// 64 bytes of a message, with the byte that follows it.
#[inline(always)]
fn padded<L: Lanes, M: Message>(message: &M, start: usize) -> L {
    let row = message.row::<L>(start);
    match message.length().checked_sub(start) {
        Some(place) if place < ROW_BYTES => row.or(MARKER.at(place)),
        _ => row,
    }
}

#[inline(always)]
fn digests<L: Lanes>(state: [L; 8]) -> [[u8; 64]; LANES] {
    let rows = transpose(array(L::zero(), |i| state[i].swap_bytes()));
    let mut digests = [[0; 64]; LANES];
    for (digest, row) in digests.iter_mut().zip(rows) {
        for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(row.to_array()) {
            *bytes = word.to_le_bytes();
        }
    }
    digests
}

/// The exclusive-or of three.
const XOR3: i32 = 0x96;
/// Ch: b where a, else c.
const CHOOSE: i32 = 0xca;
/// Maj: what two of three have.
const MAJORITY: i32 = 0xe8;

/// 80 steps on each group. Words of the schedule are made sixteen steps before they are needed.
#[inline(always)]
fn compress<L: Lanes, const G: usize>(state: &mut [[L; 8]; G], mut words: [[L; 16]; G]) {
    let mut s = *state;
    for (turn, constants) in ROUND_CONSTANTS.as_chunks::<16>().0.iter().enumerate() {
        for j in 0..16 {
            for g in 0..G {
                step(&mut s[g], words[g][j].add(L::splat(constants[j])));
                if turn < 4 {
                    words[g][j] = scheduled(&words[g], j);
                }
            }
        }
    }
    for g in 0..G {
        state[g] = array(L::zero(), |i| state[g][i].add(s[g][i]));
    }
}

/// One step; `word` has its constant in it.
#[inline(always)]
fn step<L: Lanes>(s: &mut [L; 8], word: L) {
    let [a, b, c, d, e, f, g, h] = *s;
    let upper1 = e.rol::<50>().ternary::<XOR3>(e.rol::<46>(), e.rol::<23>());
    let upper0 = a.rol::<36>().ternary::<XOR3>(a.rol::<30>(), a.rol::<25>());
    let t1 = h.add(word).add(e.ternary::<CHOOSE>(f, g)).add(upper1);
    let t2 = upper0.add(a.ternary::<MAJORITY>(b, c));
    *s = [t1.add(t2), a, b, c, d.add(t1), e, f, g];
}

/// Word j + 16 of the schedule, from the sixteen before it.
#[inline(always)]
fn scheduled<L: Lanes>(words: &[L; 16], j: usize) -> L {
    let (w1, w14) = (words[(j + 1) % 16], words[(j + 14) % 16]);
    let lower0 = w1.rol::<63>().ternary::<XOR3>(w1.rol::<56>(), w1.shr::<7>());
    let lower1 = w14.rol::<45>().ternary::<XOR3>(w14.rol::<3>(), w14.shr::<6>());
    words[j].add(lower0).add(words[(j + 9) % 16]).add(lower1)
}

/// The first 64 bits of the fractional parts of the square roots of the first eight primes.
pub(crate) const INITIAL: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The first 64 bits of the fractional parts of the cube roots of the first eighty primes.
const ROUND_CONSTANTS: [u64; 80] = [
    0x428a_2f98_d728_ae22,
    0x7137_4491_23ef_65cd,
    0xb5c0_fbcf_ec4d_3b2f,
    0xe9b5_dba5_8189_dbbc,
    0x3956_c25b_f348_b538,
    0x59f1_11f1_b605_d019,
    0x923f_82a4_af19_4f9b,
    0xab1c_5ed5_da6d_8118,
    0xd807_aa98_a303_0242,
    0x1283_5b01_4570_6fbe,
    0x2431_85be_4ee4_b28c,
    0x550c_7dc3_d5ff_b4e2,
    0x72be_5d74_f27b_896f,
    0x80de_b1fe_3b16_96b1,
    0x9bdc_06a7_25c7_1235,
    0xc19b_f174_cf69_2694,
    0xe49b_69c1_9ef1_4ad2,
    0xefbe_4786_384f_25e3,
    0x0fc1_9dc6_8b8c_d5b5,
    0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275,
    0x4a74_84aa_6ea6_e483,
    0x5cb0_a9dc_bd41_fbd4,
    0x76f9_88da_8311_53b5,
    0x983e_5152_ee66_dfab,
    0xa831_c66d_2db4_3210,
    0xb003_27c8_98fb_213f,
    0xbf59_7fc7_beef_0ee4,
    0xc6e0_0bf3_3da8_8fc2,
    0xd5a7_9147_930a_a725,
    0x06ca_6351_e003_826f,
    0x1429_2967_0a0e_6e70,
    0x27b7_0a85_46d2_2ffc,
    0x2e1b_2138_5c26_c926,
    0x4d2c_6dfc_5ac4_2aed,
    0x5338_0d13_9d95_b3df,
    0x650a_7354_8baf_63de,
    0x766a_0abb_3c77_b2a8,
    0x81c2_c92e_47ed_aee6,
    0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364,
    0xa81a_664b_bc42_3001,
    0xc24b_8b70_d0f8_9791,
    0xc76c_51a3_0654_be30,
    0xd192_e819_d6ef_5218,
    0xd699_0624_5565_a910,
    0xf40e_3585_5771_202a,
    0x106a_a070_32bb_d1b8,
    0x19a4_c116_b8d2_d0c8,
    0x1e37_6c08_5141_ab53,
    0x2748_774c_df8e_eb99,
    0x34b0_bcb5_e19b_48a8,
    0x391c_0cb3_c5c9_5a63,
    0x4ed8_aa4a_e341_8acb,
    0x5b9c_ca4f_7763_e373,
    0x682e_6ff3_d6b2_b8a3,
    0x748f_82ee_5def_b2fc,
    0x78a5_636f_4317_2f60,
    0x84c8_7814_a1f0_ab72,
    0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28,
    0xa450_6ceb_de82_bde9,
    0xbef9_a3f7_b2c6_7915,
    0xc671_78f2_e372_532b,
    0xca27_3ece_ea26_619c,
    0xd186_b8c7_21c0_c207,
    0xeada_7dd6_cde0_eb1e,
    0xf57d_4f7f_ee6e_d178,
    0x06f0_67aa_7217_6fba,
    0x0a63_7dc5_a2c8_98a6,
    0x113f_9804_bef9_0dae,
    0x1b71_0b35_131c_471b,
    0x28db_77f5_2304_7d84,
    0x32ca_ab7b_40c7_2493,
    0x3c9e_be0a_15c9_bebc,
    0x431d_67c4_9c10_0d4c,
    0x4cc5_d4be_cb3e_42b6,
    0x597f_299c_fc65_7e2a,
    0x5fcb_6fab_3ad6_faec,
    0x6c44_198c_4a47_5817,
];

#[cfg(test)]
mod tests;
