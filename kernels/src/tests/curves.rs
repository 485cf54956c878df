//! Constants of fields and curves, made again from the modulus, the coefficients and the base point that the standards
//! give.

use std::cmp::Ordering;

use crate::INCLUDED;

/// 256 bits, words of 64 from the least.
type Number = [u64; 4];

/// A file with the lines joined that end in a backslash.
fn text(file: &str) -> String {
    let text = INCLUDED.iter().find(|included| included.name == file).expect("the file").text;
    let lines: Vec<&str> = text.split("\\\n").map(str::trim_end).collect();
    lines.join(" ")
}

/// Numbers of the dialect, words of 32 bits, as words of 64.
fn numbers(list: &str) -> Vec<u64> {
    let word = |word: &str| {
        let word = word.trim().trim_end_matches('u');
        match word.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => word.parse(),
        }
    };
    let words: Vec<u64> = list.split(',').map(|text| word(text).expect("a word")).collect();
    words.chunks(2).map(|pair| pair[0] | pair.get(1).copied().unwrap_or(0) << 32).collect()
}

/// What a macro of words stands for.
pub(super) fn defined(file: &str, name: &str) -> Vec<u64> {
    let text = text(file);
    let start = format!("#define {name} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&start)).expect("the macro");
    numbers(line)
}

fn number(file: &str, name: &str) -> Number {
    defined(file, name).try_into().expect("eight words")
}

/// The words in the braces that follow a name.
fn braced(file: &str, name: &str) -> Vec<u64> {
    let text = text(file);
    let (_, rest) = text.split_once(name).expect("the name");
    let (_, rest) = rest.split_once('{').expect("its words");
    let (words, _) = rest.split_once('}').expect("their end");
    numbers(words.trim_start_matches(['{', ' ', '\n']))
}

/// A number as the standards print it.
fn printed(hex: &str) -> Number {
    std::array::from_fn(|i| u64::from_str_radix(&hex[48 - 16 * i..64 - 16 * i], 16).expect("64 digits"))
}

fn compare(a: &Number, b: &Number) -> Ordering {
    a.iter().rev().cmp(b.iter().rev())
}

/// a - b modulo 2^256.
fn minus(a: Number, b: Number) -> Number {
    let mut borrow = false;
    std::array::from_fn(|i| {
        let (digit, first) = a[i].overflowing_sub(b[i]);
        let (digit, second) = digit.overflowing_sub(u64::from(borrow));
        borrow = first | second;
        digit
    })
}

/// a + b modulo m, both below it.
fn sum(a: Number, b: Number, m: Number) -> Number {
    let room = minus(m, b);
    if compare(&a, &room) == Ordering::Less { minus(a, minus([0; 4], b)) } else { minus(a, room) }
}

/// a·b modulo m, both below it.
fn product(a: Number, b: Number, m: Number) -> Number {
    (0..256).rev().fold([0; 4], |found, bit| {
        let twice = sum(found, found, m);
        if a[bit / 64] >> (bit % 64) & 1 == 1 { sum(twice, b, m) } else { twice }
    })
}

const FIELDS: [(&str, &str); 6] = [
    ("secp256k1_p", "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"),
    ("secp256k1_n", "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"),
    ("p256_p", "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"),
    ("p256_n", "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    ("sm2_p", "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff"),
    ("sm2_n", "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123"),
];

/// The constants of each field follow from its modulus.
#[test]
fn fields_follow_from_their_moduli() {
    for (name, modulus) in FIELDS {
        let (file, m) = (format!("fields/{name}.inc"), printed(modulus));
        assert_eq!(number(&file, "FIELD_MODULUS"), m, "{name}");
        let r = minus([0; 4], m);
        assert_eq!(number(&file, "FIELD_COMPLEMENT"), r, "{name}");
        let is_plain = name == "secp256k1_p";
        assert_eq!(number(&file, "FIELD_ONE"), if is_plain { [1, 0, 0, 0] } else { r }, "{name}");
        if is_plain {
            continue;
        }
        assert_eq!(number(&file, "FIELD_R_SQUARED"), product(r, r, m), "{name}");
        assert_eq!(number(&file, "FIELD_FERMAT"), minus(m, [2, 0, 0, 0]), "{name}");
        if name.ends_with("_n") {
            let [inverse] = defined(&file, "FIELD_NEGATED_INVERSE")[..] else { panic!("{name}: one word") };
            assert_eq!((inverse as u32).wrapping_mul(m[0] as u32), u32::MAX, "{name}");
        }
    }
}

/// b and G of the curves in Montgomery's form: y^2 = x^3 - 3x + b, and x is the printed one.
#[test]
fn curves_in_montgomerys_form() {
    let curves = [
        ("p256", FIELDS[2].1, "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
        ("sm2", FIELDS[4].1, "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"),
    ];
    for (name, modulus, base_x) in curves {
        let (file, m) = (format!("curves/{name}.inc"), printed(modulus));
        let form = |a: Number| product(a, minus([0; 4], m), m);
        let [x, y, b] = ["CURVE_BASE_X", "CURVE_BASE_Y", "CURVE_B"].map(|macro_name| number(&file, macro_name));
        assert_eq!(x, form(printed(base_x)), "{name}");
        // R^2·(y^2 + 3x) and R^2·(x^3 + b), with x^3 = (R·x)·(R·x)·x.
        let three_x = sum(x, sum(x, x, m), m);
        let left = sum(product(y, y, m), form(three_x), m);
        let right = sum(product(product(x, x, m), printed(base_x), m), form(b), m);
        assert_eq!(left, right, "{name}");
    }
}

/// G of secp256k1, whose coordinates are plain: y^2 = x^3 + 7, and x is the printed one.
#[test]
fn base_point_of_secp256k1() {
    let (file, p) = ("curves/secp256k1.inc", printed(FIELDS[0].1));
    let [x, y, b] = ["CURVE_BASE_X", "CURVE_BASE_Y", "CURVE_B"].map(|macro_name| number(file, macro_name));
    assert_eq!(x, printed("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"));
    assert_eq!(b, [7, 0, 0, 0]);
    assert_eq!(product(y, y, p), sum(product(product(x, x, p), x, p), b, p));
}

/// The endomorphism and the lattice of secp256k1.
#[test]
fn constants_of_the_endomorphism() {
    let (p, n) = (printed(FIELDS[0].1), printed(FIELDS[1].1));
    let file = "curves/secp256k1.inc";
    let wide = |name: &str| -> Number {
        let mut words = braced(file, name);
        words.resize(4, 0);
        words.try_into().expect("four words")
    };
    let beta = wide("u256 beta =");
    assert_ne!(beta, [1, 0, 0, 0]);
    assert_eq!(product(product(beta, beta, p), beta, p), [1, 0, 0, 0]);
    // lambda is that root of 1 for which (a1, -b1) and (a2, a1) are in the lattice.
    let lambda = printed("5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72");
    assert_eq!(product(product(lambda, lambda, n), lambda, n), [1, 0, 0, 0]);
    let (a1, b1, a2) = (wide("a1[5] ="), wide("b1[5] ="), wide("a2[5] ="));
    assert_eq!(a1, product(b1, lambda, n));
    assert_eq!(sum(a2, product(a1, lambda, n), n), [0; 4]);
    // g1 = 2^384·a1/n, rounded: n·g1 is 2^384·a1 but for half of n at most.
    for (g, of) in [("u256 g1 =", a1), ("u256 g2 =", b1)] {
        let multiple = product_in_full(wide(g), n);
        let mut wanted = [0; 8];
        wanted[6..].copy_from_slice(&of[..2]);
        assert_eq!(of[2..], [0, 0]);
        let difference = |a: &[u64; 8], b: &[u64; 8]| -> Option<Number> {
            let mut borrow = false;
            let digits: [u64; 8] = std::array::from_fn(|i| {
                let (digit, first) = a[i].overflowing_sub(b[i]);
                let (digit, second) = digit.overflowing_sub(u64::from(borrow));
                borrow = first | second;
                digit
            });
            (!borrow && digits[4..] == [0; 4]).then(|| digits[..4].try_into().expect("four of eight"))
        };
        let off = difference(&multiple, &wanted).or_else(|| difference(&wanted, &multiple)).expect("close to it");
        assert_ne!(compare(&sum_below(off), &n), Ordering::Greater, "{g}");
    }
    // p - n, below which r + n is a coordinate.
    let of_program = crate::Program::find("secp256k1").expect("the program").text;
    let (_, rest) = of_program.split_once("u256 limit = {{").expect("the limit");
    assert_eq!(numbers(rest.split_once('}').expect("its end").0), minus(p, n));
}

/// Twice a number below 2^255.
fn sum_below(a: Number) -> Number {
    assert_eq!(a[3] >> 63, 0);
    std::array::from_fn(|i| a[i] << 1 | if i > 0 { a[i - 1] >> 63 } else { 0 })
}

fn product_in_full(a: Number, b: Number) -> [u64; 8] {
    let mut digits = [0_u64; 8];
    for i in 0..4 {
        let mut carry = 0;
        for j in 0..4 {
            carry += u128::from(a[i]) * u128::from(b[j]) + u128::from(digits[i + j]);
            digits[i + j] = carry as u64;
            carry >>= 64;
        }
        digits[i + 4] = carry as u64;
    }
    digits
}
