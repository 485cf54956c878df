//! Inversion: of one number by plain words, of many elements by sharing that one.
//!
//! One number goes by the division steps of Bernstein and Yang (*Fast constant-time gcd computation and modular
//! inversion*, 2019), 62 at a time, in the variable-time form that Wuille describes for libsecp256k1
//! (`doc/safegcd_implementation.md`). It takes some 1.5 µs, a third of Fermat's way in lanes.

use crate::lanes::{LANES, Lanes};

/// An odd modulus of 64·`WORDS` bits; `DIGITS` of 62 bits have room for twice as much, and a sign.
pub(crate) struct Modulus<const WORDS: usize = 4, const DIGITS: usize = 5> {
    /// In digits of 62 bits.
    digits: [i64; DIGITS],
    /// Its inverse modulo 2⁶².
    inverse_62: u64,
}

const BITS: u32 = 62;
const MASK: i64 = (1 << BITS) - 1;

/// A product of 62 division steps, times 2⁶².
struct Steps {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

impl Modulus<4, 5> {
    pub(crate) const fn new(words: [u64; 4]) -> Self {
        Self::of_words(words)
    }
}

impl Modulus<6, 7> {
    /// One of 384 bits.
    pub(crate) const fn long(words: [u64; 6]) -> Self {
        Self::of_words(words)
    }
}

impl<const WORDS: usize, const DIGITS: usize> Modulus<WORDS, DIGITS> {
    const fn of_words(words: [u64; WORDS]) -> Self {
        const { assert!(62 * DIGITS > 64 * WORDS + 1) };
        // Newton: each round doubles the number of right bits; an odd number is its own inverse modulo 8.
        let mut inverse = words[0];
        let mut round = 0;
        while round < 5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(words[0].wrapping_mul(inverse)));
            round += 1;
        }
        Self { digits: digits_of(words), inverse_62: inverse & MASK as u64 }
    }

    /// The inverse of a number below the modulus and prime to it; 0 of 0.
    pub(crate) fn invert(&self, number: [u64; WORDS]) -> [u64; WORDS] {
        let (mut d, mut e) = ([0; DIGITS], [0; DIGITS]);
        e[0] = 1;
        let (mut f, mut g) = (self.digits, digits_of(number));
        let mut eta = -1;
        while g != [0; DIGITS] {
            let steps;
            (eta, steps) = divide(eta, f[0] as u64, g[0] as u64);
            self.update_cofactors(&mut d, &mut e, &steps);
            update(&mut f, &mut g, &steps);
        }
        // f is now 1 or −1 (or the modulus, where the number was 0 and d is 0), and d·number ≡ f.
        self.reduce(d, f[DIGITS - 1] < 0)
    }

    /// (d, e) ← steps · (d, e) / 2⁶² modulo the modulus, both kept between −2 and 1 times the modulus.
    fn update_cofactors(&self, d: &mut [i64; DIGITS], e: &mut [i64; DIGITS], steps: &Steps) {
        let Steps { u, v, q, r } = *steps;
        let (sign_d, sign_e) = (d[DIGITS - 1] >> 63, e[DIGITS - 1] >> 63);
        // Multiples of the modulus that bring both back above its negative, then clear the low 62 bits.
        let mut multiple_d = (u & sign_d) + (v & sign_e);
        let mut multiple_e = (q & sign_d) + (r & sign_e);
        let mut sum_d = wide(u, d[0]) + wide(v, e[0]);
        let mut sum_e = wide(q, d[0]) + wide(r, e[0]);
        let clearing = |sum: i128, multiple: i64| {
            multiple - ((self.inverse_62.wrapping_mul(sum as u64) as i64).wrapping_add(multiple) & MASK)
        };
        multiple_d = clearing(sum_d, multiple_d);
        multiple_e = clearing(sum_e, multiple_e);
        sum_d += wide(self.digits[0], multiple_d);
        sum_e += wide(self.digits[0], multiple_e);
        assert!(!crate::BOUNDS_ARE_CHECKED || (sum_d as i64 & MASK == 0 && sum_e as i64 & MASK == 0));
        for i in 1..DIGITS {
            sum_d = (sum_d >> BITS) + wide(u, d[i]) + wide(v, e[i]) + wide(self.digits[i], multiple_d);
            sum_e = (sum_e >> BITS) + wide(q, d[i]) + wide(r, e[i]) + wide(self.digits[i], multiple_e);
            d[i - 1] = sum_d as i64 & MASK;
            e[i - 1] = sum_e as i64 & MASK;
        }
        d[DIGITS - 1] = (sum_d >> BITS) as i64;
        e[DIGITS - 1] = (sum_e >> BITS) as i64;
    }

    /// From between −2 and 1 times the modulus to below it, negated first where asked.
    fn reduce(&self, mut number: [i64; DIGITS], negate: bool) -> [u64; WORDS] {
        let add_where_negative = |number: &mut [i64; DIGITS]| {
            let sign = number[DIGITS - 1] >> 63;
            for i in 0..DIGITS {
                number[i] += self.digits[i] & sign;
            }
            propagate(number);
        };
        add_where_negative(&mut number);
        if negate {
            number = number.map(|digit| -digit);
            propagate(&mut number);
        }
        add_where_negative(&mut number);
        words_of(&number)
    }
}

const fn digits_of<const WORDS: usize, const DIGITS: usize>(words: [u64; WORDS]) -> [i64; DIGITS] {
    let mut digits = [0; DIGITS];
    let mut i = 0;
    while i < DIGITS {
        let (word, shift) = (i * BITS as usize / 64, i * BITS as usize % 64);
        let mut digit = if word < WORDS { words[word] >> shift } else { 0 };
        if shift > 0 && word + 1 < WORDS {
            digit |= words[word + 1] << (64 - shift);
        }
        digits[i] = digit as i64 & MASK;
        i += 1;
    }
    digits
}

/// The opposite, of digits that are not negative.
fn words_of<const WORDS: usize, const DIGITS: usize>(digits: &[i64; DIGITS]) -> [u64; WORDS] {
    std::array::from_fn(|i| {
        // Digits have less bits than words, so a word has parts of two.
        let (digit, shift) = (i * 64 / BITS as usize, i * 64 % BITS as usize);
        (digits[digit] >> shift) as u64 | (digits[digit + 1] as u64) << (BITS as usize - shift)
    })
}

fn wide(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

fn propagate<const DIGITS: usize>(number: &mut [i64; DIGITS]) {
    for i in 0..DIGITS - 1 {
        number[i + 1] += number[i] >> BITS;
        number[i] &= MASK;
    }
}

/// 62 division steps by the low digits of f and g; also the new eta, which is −delta.
fn divide(mut eta: i64, mut f: u64, mut g: u64) -> (i64, Steps) {
    let (mut u, mut v, mut q, mut r) = (1_u64, 0_u64, 0_u64, 1_u64);
    let mut left = BITS;
    loop {
        // Steps on an even g halve it; a bit at the end of what is left stops the count.
        let zeros = (g | u64::MAX << left).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            return (eta, Steps { u: u as i64, v: v as i64, q: q as i64, r: r as i64 });
        }
        if eta < 0 {
            eta = -eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        // As many low bits of g as may be cleared before the next swap, at most 4: −g/f modulo 16.
        let limit = (eta as u64 + 1).min(u64::from(left)).min(4);
        let inverse = f.wrapping_add((f.wrapping_add(1) & 4) << 1);
        let multiple = inverse.wrapping_neg().wrapping_mul(g) & ((1 << limit) - 1);
        g = g.wrapping_add(f.wrapping_mul(multiple));
        q = q.wrapping_add(u.wrapping_mul(multiple));
        r = r.wrapping_add(v.wrapping_mul(multiple));
    }
}

/// (f, g) ← steps · (f, g) / 2⁶², exactly.
fn update<const DIGITS: usize>(f: &mut [i64; DIGITS], g: &mut [i64; DIGITS], steps: &Steps) {
    let Steps { u, v, q, r } = *steps;
    let mut sum_f = wide(u, f[0]) + wide(v, g[0]);
    let mut sum_g = wide(q, f[0]) + wide(r, g[0]);
    assert!(!crate::BOUNDS_ARE_CHECKED || (sum_f as i64 & MASK == 0 && sum_g as i64 & MASK == 0));
    for i in 1..DIGITS {
        sum_f = (sum_f >> BITS) + wide(u, f[i]) + wide(v, g[i]);
        sum_g = (sum_g >> BITS) + wide(q, f[i]) + wide(r, g[i]);
        f[i - 1] = sum_f as i64 & MASK;
        g[i - 1] = sum_g as i64 & MASK;
    }
    f[DIGITS - 1] = (sum_f >> BITS) as i64;
    g[DIGITS - 1] = (sum_g >> BITS) as i64;
}

/// What is inverted in lanes.
pub(crate) trait Invertible: Copy {
    /// The product.
    fn times(self, other: Self) -> Self;
    /// Lane i of the result is lane i + `by` of `self`, the last followed by the first.
    fn rotated(self, by: usize) -> Self;
    /// The inverse of lane 0 in all lanes; by plain words.
    fn inverse_of_first(self) -> Self;
}

/// Lane i of the result is lane i + `by` of `words`, the last followed by the first.
#[inline(always)]
pub(crate) fn rotated<L: Lanes>(words: L, by: usize) -> L {
    let mut order = [0; LANES];
    for (i, place) in order.iter_mut().enumerate() {
        *place = ((i + by) % LANES) as u64;
    }
    words.pick(words, L::load(&order))
}

/// The inverse of each lane; none may be zero.
#[inline(always)]
fn inverse<T: Invertible>(number: T) -> T {
    // Products of two, four and eight lanes; each lane's inverse is that of all eight times the seven others.
    let two = number.times(number.rotated(4));
    let four = two.times(two.rotated(2));
    let eight = four.times(four.rotated(1));
    let others = number.rotated(4).times(two.rotated(2)).times(four.rotated(1));
    eight.inverse_of_first().times(others)
}

/// Replaces each number by its inverse (Montgomery's trick): three products a number, and one inversion for all. None
/// may be zero. `scratch` is overwritten.
#[inline(always)]
pub(crate) fn invert_all<T: Invertible>(numbers: &mut [T], scratch: &mut Vec<T>) {
    scratch.clear();
    let Some(&first) = numbers.first() else { return };
    let mut product = first;
    for &number in &numbers[1..] {
        scratch.push(product);
        product = product.times(number);
    }
    let mut rest = inverse(product);
    for (number, &before) in numbers[1..].iter_mut().zip(scratch.iter()).rev() {
        let next = rest.times(*number);
        *number = rest.times(before);
        rest = next;
    }
    numbers[0] = rest;
}
