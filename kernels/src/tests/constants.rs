//! Constants of the kernels, made again by the rule that each comes from.

use crate::declarations::code;
use crate::{INCLUDED, Program};

/// The text of a file that programs include, or of a program.
pub(super) fn text(file: &str) -> &'static str {
    let program = file.strip_suffix(".cl").and_then(Program::find).map(|program| program.text);
    program.or_else(|| INCLUDED.iter().find(|included| included.name == file).map(|file| file.text)).expect("the file")
}

/// The numbers of a constant table.
pub(super) fn table(file: &str, name: &str) -> Vec<u64> {
    let code = code(text(file));
    let (_, rest) = code.split_once(&format!(" {name}[")).expect("the table");
    let (_, rest) = rest.split_once('{').expect("its numbers");
    let (numbers, _) = rest.split_once('}').expect("its end");
    numbers.split(',').map(str::trim).filter(|number| !number.is_empty()).map(number).collect()
}

/// A number with the dialect's suffix.
fn number(text: &str) -> u64 {
    let digits = text.strip_suffix('u').expect("an unsigned number");
    match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).expect("hexadecimal digits"),
        None => digits.parse().expect("digits"),
    }
}

/// The number that a macro stands for.
fn defined(file: &str, name: &str) -> u64 {
    let text = INCLUDED.iter().find(|included| included.name == file).expect("the file").text;
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("#define {name} "))).expect("the macro");
    number(line)
}

pub(super) fn primes() -> impl Iterator<Item = u64> {
    (2..).filter(|n| (2..*n).all(|divisor| n % divisor != 0))
}

/// 64 bits behind the point of a square root: the greatest number whose square is not above n · 2^128, modulo 2^64.
pub(super) fn root_fraction(n: u64) -> u64 {
    let whole = (0..=n).take_while(|root| root * root <= n).last().expect("0 at least");
    // With x the fraction times 2^64: (whole · 2^64 + x)^2 <= n · 2^128, that is
    // 2 · whole · x + x^2 / 2^64 <= (n - whole^2) · 2^64, in which the second term is rounded up.
    let room = u128::from(n - whole * whole) << 64;
    let fits = |x: u64| {
        let square = u128::from(x) * u128::from(x);
        2 * u128::from(whole) * u128::from(x) + square.div_ceil(1 << 64) <= room
    };
    greatest(fits)
}

/// 32 bits behind the point of a cube root.
fn cube_root_fraction(n: u64) -> u64 {
    let fits = |root: u64| u128::from(root).pow(3) <= u128::from(n) << 96;
    let root = (0..40).rev().map(|bit| 1 << bit).fold(0, |root, bit| if fits(root + bit) { root + bit } else { root });
    root & 0xFFFF_FFFF
}

/// The greatest number that fits, where all below it do.
fn greatest(fits: impl Fn(u64) -> bool) -> u64 {
    (0..64).rev().map(|bit| 1 << bit).fold(0, |found, bit| if fits(found | bit) { found | bit } else { found })
}

#[test]
fn roots_of_primes() {
    let expected: Vec<u64> = primes().take(64).map(cube_root_fraction).collect();
    assert_eq!(table("hashes/sha256.inc", "SHA256_K"), expected);
    let expected: Vec<u64> = primes().take(8).map(root_fraction).collect();
    assert_eq!(table("hashes/blake2b.inc", "BLAKE2B_START"), expected);
    let text = INCLUDED.iter().find(|file| file.name == "hashes/sha256.inc").expect("the file").text;
    for (i, root) in expected.iter().enumerate() {
        assert!(text.contains(&format!("state[{i}] = 0x{:08X}u;", root >> 32)), "word {i} of the first state");
    }
}

#[test]
fn round_constants_of_sm3() {
    let expected: Vec<u64> = (0..64)
        .map(|round| if round < 16 { 0x79CC_4519_u32 } else { 0x7A87_9D8A }.rotate_left(round % 32).into())
        .collect();
    assert_eq!(table("hashes/sm3.inc", "SM3_T"), expected);
}

/// FIPS 202, section 3.2.5: bit 2^j - 1 of a round's constant is the next bit of a shift register.
#[test]
fn round_constants_of_keccak() {
    let mut register = 1_u32;
    let mut next_bit = || {
        let bit = register & 1;
        register <<= 1;
        register ^= (register >> 8) * 0x171;
        bit
    };
    let expected: Vec<u64> =
        (0..24).map(|_| (0..7).fold(0, |word, j| word | u64::from(next_bit()) << ((1_u32 << j) - 1))).collect();
    assert_eq!(table("hashes/keccak256.inc", "KECCAK_ROUNDS"), expected);
}

/// FIPS 202, sections 3.2.2 and 3.2.3: where each lane goes and by how much it is turned.
#[test]
fn moves_of_keccak() {
    let (mut x, mut y) = (1, 0);
    let mut expected = String::new();
    for t in 0..24 {
        (x, y) = (y, (2 * x + 3 * y) % 5);
        expected += &format!("KECCAK_MOVE({}, {}) ", x + 5 * y, (t + 1) * (t + 2) / 2 % 64);
    }
    let text = INCLUDED.iter().find(|file| file.name == "hashes/keccak256.inc").expect("the file").text;
    let (_, moves) = text.split_once("u64 moved = a[1];").expect("the moves");
    let moves = moves.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(moves.starts_with(expected.trim_end()));
}

/// 2^exponent modulo an odd number whose double has as many words of 32 bits, by doubling.
pub(super) fn power_of_two(exponent: u32, modulus: &[u64]) -> Vec<u64> {
    let mut power = vec![0; modulus.len()];
    power[0] = 1;
    for _ in 0..exponent {
        double(&mut power);
        if power.iter().rev().ge(modulus.iter().rev()) {
            let mut borrow = 0;
            for (word, other) in power.iter_mut().zip(modulus) {
                let difference = *word as i64 - *other as i64 - borrow;
                (*word, borrow) = ((difference & 0xFFFF_FFFF) as u64, i64::from(difference < 0));
            }
        }
    }
    power
}

/// Doubles a number of words of 32 bits; nothing is carried out of it.
pub(super) fn double(number: &mut [u64]) {
    let mut carry = 0;
    for word in number {
        let doubled = 2 * *word + carry;
        (*word, carry) = (doubled & 0xFFFF_FFFF, doubled >> 32);
    }
    assert_eq!(carry, 0);
}

/// r = 36 u^4 + 36 u^3 + 18 u^2 + 6 u + 1 with u = 4965661367192848881, which is how BN254 is made.
#[test]
fn scalars_of_bn254() {
    let file = "hashes/bn254_scalar.inc";
    let u = 4_965_661_367_192_848_881_u128;
    let modulus =
        [36, 36, 18, 6, 1].into_iter().fold(vec![0; 8], |value, coefficient| times_plus(&value, u, coefficient));
    assert_eq!(table(file, "SCALAR_MODULUS"), modulus);
    let mut twice = modulus.clone();
    double(&mut twice);
    assert_eq!(table(file, "SCALAR_MODULUS_TWICE"), twice);
    assert_eq!(table(file, "SCALAR_R2"), power_of_two(512, &modulus));
    let inverse = defined(file, "SCALAR_NEGATIVE_INVERSE") as u32;
    assert_eq!((modulus[0] as u32).wrapping_mul(inverse), u32::MAX);
}

/// value · factor + addend, in words of 32 bits.
pub(super) fn times_plus(value: &[u64], factor: u128, addend: u128) -> Vec<u64> {
    let mut carry = addend;
    value
        .iter()
        .map(|word| {
            carry += u128::from(*word) * factor;
            let word = (carry & 0xFFFF_FFFF) as u64;
            carry >>= 32;
            word
        })
        .collect()
}
