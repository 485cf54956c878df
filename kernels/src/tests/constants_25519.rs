//! Constants of Ed25519 and of SHA-512, made again by the rule that each comes from, or held to it.

use std::cmp::Ordering;

use super::constants::{double, primes, root_fraction, table, text, times_plus};

fn compare(a: &[u64], b: &[u64]) -> Ordering {
    let word = |number: &[u64], i: usize| number.get(i).copied().unwrap_or(0);
    let orders = (0..a.len().max(b.len())).rev().map(|i| word(a, i).cmp(&word(b, i)));
    orders.fold(Ordering::Equal, Ordering::then)
}

/// a · b, in words of 32 bits.
fn product(a: &[u64], b: &[u64]) -> Vec<u64> {
    let mut sum = vec![0; a.len() + b.len()];
    for (i, &factor) in b.iter().enumerate() {
        let mut carry = 0;
        for (j, place) in sum[i..].iter_mut().enumerate() {
            let step = *place + a.get(j).map_or(0, |word| word * factor) + carry;
            (*place, carry) = (step & 0xFFFF_FFFF, step >> 32);
        }
    }
    sum
}

/// What is left of a number by a modulus, bit by bit.
fn remainder(number: &[u64], modulus: &[u64]) -> Vec<u64> {
    let mut rest = vec![0; modulus.len() + 1];
    for bit in (0..32 * number.len()).rev() {
        double(&mut rest);
        rest[0] |= number[bit / 32] >> (bit % 32) & 1;
        if compare(&rest, modulus).is_ge() {
            let mut borrow = 0;
            for (i, word) in rest.iter_mut().enumerate() {
                let step = *word as i64 - modulus.get(i).map_or(0, |word| *word as i64) - borrow;
                (*word, borrow) = ((step & 0xFFFF_FFFF) as u64, i64::from(step < 0));
            }
        }
    }
    rest.truncate(modulus.len());
    rest
}

/// 2^`exponent` + `addend`, in nine words.
fn power_plus(exponent: usize, addend: i128) -> Vec<u64> {
    let mut words = [0; 9];
    words[exponent / 32] = 1 << (exponent % 32);
    let mut carry = addend;
    for word in &mut words {
        carry += i128::from(*word);
        *word = (carry & 0xFFFF_FFFF) as u64;
        carry >>= 32;
    }
    words.to_vec()
}

fn p() -> Vec<u64> {
    power_plus(255, -19)
}

/// value · factor + addend mod p.
fn times_plus_mod_p(value: &[u64], factor: u128, addend: u128) -> Vec<u64> {
    remainder(&times_plus(&[value, &[0; 8]].concat(), factor, addend), &p())
}

fn product_mod_p(a: &[u64], b: &[u64]) -> Vec<u64> {
    remainder(&product(a, b), &p())
}

fn is_zero(number: &[u64]) -> bool {
    number.iter().all(|&word| word == 0)
}

#[test]
fn the_curve() {
    let of = |name: &str| table("ed25519.cl", name);
    let d = of("ED25519_D");
    assert!(is_zero(&times_plus_mod_p(&d, 121_666, 121_665)), "d = -121665/121666");
    assert!(is_zero(&times_plus_mod_p(&of("ED25519_2D"), 60_833, 121_665)), "2d · 60833 = d · 121666");
    let root = of("ED25519_ROOT_OF_MINUS_ONE");
    assert!(is_zero(&times_plus_mod_p(&product_mod_p(&root, &root), 1, 1)), "a root of -1");
    // RFC 8032, section 5.1: y is 4/5 and x is even; -x^2 + y^2 = 1 + d x^2 y^2.
    let (x, y) = (of("ED25519_BASE_X"), of("ED25519_BASE_Y"));
    assert_eq!(compare(&times_plus_mod_p(&y, 5, 0), &[4]), Ordering::Equal);
    assert_eq!(x[0] & 1, 0);
    let (xx, yy) = (product_mod_p(&x, &x), product_mod_p(&y, &y));
    let mut right = product_mod_p(&d, &product_mod_p(&xx, &yy));
    right = times_plus_mod_p(&right, 1, 1);
    let sum: Vec<u64> = right.iter().zip(&xx).map(|(a, b)| a + b).collect();
    assert_eq!(compare(&remainder(&times_plus(&sum, 1, 0), &p()), &yy), Ordering::Equal);
    // 2P has y = 0 where x^2 + y^2 = 0, and then the equation of the curve is d y^4 + 2 y^2 = 1.
    let y = of("ED25519_Y_OF_ORDER_8");
    let yy = product_mod_p(&y, &y);
    let left = product_mod_p(&times_plus(&product_mod_p(&d, &yy), 1, 2), &yy);
    assert_eq!(compare(&left, &[1]), Ordering::Equal);
}

#[test]
fn the_order_and_its_reciprocal() {
    let file = "fields/scalar25519.inc";
    let order = power_plus(252, 27_742_317_777_372_353_535_851_937_790_883_648_493);
    assert_eq!(table(file, "SCALAR25519_ORDER"), order);
    let reciprocal = table(file, "SCALAR25519_RECIPROCAL");
    // 2^512 less its remainder is the product.
    let mut power = vec![0; 17];
    power[16] = 1;
    let rest = remainder(&power, &order);
    let whole = product(&order, &reciprocal);
    let sum: Vec<u64> = (0..18).map(|i| whole[i] + rest.get(i).unwrap_or(&0)).collect();
    assert_eq!(compare(&times_plus(&sum, 1, 0), &power), Ordering::Equal);
}

/// 64 bits behind the point of a cube root.
fn cube_root_fraction(n: u64) -> u64 {
    let bound = [0, 0, 0, 0, 0, 0, n];
    let fits = |root: u128| {
        let root: Vec<u64> = (0..3).map(|i| (root >> (32 * i) & 0xFFFF_FFFF) as u64).collect();
        compare(&product(&product(&root, &root), &root), &bound).is_le()
    };
    let root =
        (0..68).rev().map(|bit| 1_u128 << bit).fold(0, |root, bit| if fits(root | bit) { root | bit } else { root });
    root as u64
}

#[test]
fn roots_of_primes_for_sha_512() {
    let file = "hashes/sha512.inc";
    let expected: Vec<u64> = primes().take(80).map(cube_root_fraction).collect();
    assert_eq!(table(file, "SHA512_ROUND"), expected);
    let start: Vec<String> = primes().take(8).map(|n| format!("0x{:016X}u,", root_fraction(n))).collect();
    let words: Vec<&str> = text(file).split_whitespace().collect();
    assert!(words.windows(8).any(|window| window == start), "the first state");
}
