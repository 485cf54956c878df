//! Which keys of a batch are equal.
//!
//! Keys are chosen by whoever sends them, so their hash has a secret of the batch's own: multilinear hashing, whose
//! upper 32 bits of Σ mᵢ·wᵢ + m are the same for two given keys with probability 2⁻³² (Lemire and Kaser, "Strongly
//! universal string hashing is fast", 2014). Whatever the keys are, a chain has less than two of them on average.

use super::parse::KEY_BYTES;

/// Words of a key that are multiplied.
const WORDS: usize = KEY_BYTES / 4;
/// Ends a chain.
const NONE: u32 = u32::MAX;

/// What the hash must know and those who choose keys must not.
pub(super) type Secret = [[u8; 8]; WORDS + 1];

/// Different keys, numbered from 0 on as they come.
pub(super) struct Distinct<'a> {
    secret: [u64; WORDS + 1],
    keys: Vec<&'a [u8; KEY_BYTES]>,
    /// The last key of each hash.
    heads: Vec<u32>,
    /// Of each key, the one before it of the same hash.
    before: Vec<u32>,
}

impl<'a> Distinct<'a> {
    /// Room for so many keys.
    pub(super) fn with_capacity(keys: usize, secret: &Secret) -> Self {
        let hashes = (2 * keys).next_power_of_two().clamp(2, 1 << 16);
        Self {
            secret: secret.map(u64::from_le_bytes),
            keys: Vec::with_capacity(keys),
            heads: vec![NONE; hashes],
            before: Vec::with_capacity(keys),
        }
    }

    /// The number of a key.
    pub(super) fn number(&mut self, key: &'a [u8; KEY_BYTES]) -> usize {
        let head = self.hash(key);
        let mut number = self.heads[head];
        while number != NONE {
            if self.keys[number as usize] == key {
                return number as usize;
            }
            number = self.before[number as usize];
        }
        let number = self.keys.len();
        self.keys.push(key);
        self.before.push(self.heads[head]);
        self.heads[head] = number as u32;
        number
    }

    /// All keys, by their numbers.
    pub(super) fn into_keys(self) -> Vec<&'a [u8; KEY_BYTES]> {
        self.keys
    }

    fn hash(&self, key: &[u8; KEY_BYTES]) -> usize {
        let words = key.as_chunks::<4>().0.iter().map(|word| u64::from(u32::from_le_bytes(*word)));
        let terms = words.zip(&self.secret[1..]).map(|(word, multiplier)| word.wrapping_mul(*multiplier));
        let sum = terms.fold(self.secret[0], u64::wrapping_add);
        (sum >> (u64::BITS - self.heads.len().ilog2())) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that differ in one bit, each twice, under a good secret and under one by which all hashes are equal.
    #[test]
    fn equal_keys_have_equal_numbers() {
        let good = std::array::from_fn(|i| (0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * i as u64 + 1)).to_le_bytes());
        for secret in [good, [[0; 8]; WORDS + 1], [[0xff; 8]; WORDS + 1]] {
            let mut keys = vec![[0; KEY_BYTES]];
            keys.extend((0..256).map(|bit| {
                let mut key = [0; KEY_BYTES];
                key[bit / 8] = 1 << (bit % 8);
                key
            }));
            for capacity in [0, 1, keys.len()] {
                let mut distinct = Distinct::with_capacity(capacity, &secret);
                for _ in 0..2 {
                    assert!(keys.iter().enumerate().all(|(number, key)| distinct.number(key) == number));
                }
                assert!(distinct.into_keys().into_iter().eq(&keys));
            }
        }
    }
}
