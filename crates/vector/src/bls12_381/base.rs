//! The base field: p has 381 bits, in eight limbs of 52. R = 2^416 leaves 35 bits, so operands of products may have
//! 2¹⁷p each, and nothing is reduced but by multiplying.

use super::field::Field;
use crate::lanes::{LANES, Lanes, Mask, transpose};
use crate::montgomery::{Element, Joined, Modulus, below, constants, equal, invert_all, splat};
use crate::radix52::LIMB_MASK;

/// p in little-endian words.
pub(super) const P_WORDS: [u64; 6] = [
    0xb9feffffffffaaab,
    0x1eabfffeb153ffff,
    0x6730d2a0f6b0f624,
    0x64774b84f38512bf,
    0x4b1ba7b6434bacd7,
    0x1a0111ea397fe69a,
];

/// p = 0x1a0111ea…ffffaaab.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base;

impl Modulus<8> for Base {
    const LIMBS: Limbs = constants::limbs(&P_WORDS);
}

/// Limbs of a number.
pub(super) type Limbs = [u64; 8];

/// Eight elements of the base field.
pub(super) type Fp<L> = Element<L, Base, 8>;

/// A number in Montgomery's form.
const fn number(words: &[u64; 6]) -> Limbs {
    constants::shifted(&constants::limbs(words), &Base::LIMBS, 416)
}

/// A number in Montgomery's form, from its digits in hexadecimal.
pub(super) const fn number_of_hex(digits: &[u8; 96]) -> Limbs {
    let mut words = [0; 6];
    let mut i = 0;
    while i < 96 {
        let digit = match digits[i] {
            digit @ b'0'..=b'9' => digit - b'0',
            letter => letter - b'a' + 10,
        };
        words[5 - i / 16] = words[5 - i / 16] << 4 | digit as u64;
        i += 1;
    }
    number(&words)
}

/// A small number in Montgomery's form.
pub(super) const fn small(number: u64) -> Limbs {
    constants::shifted(&[number, 0, 0, 0, 0, 0, 0, 0], &Base::LIMBS, 416)
}

/// (p + 1)/2, the least number whose negative is smaller.
const LARGER: Limbs = constants::limbs(&[
    0xdcff7fffffffd556,
    0x0f55ffff58a9ffff,
    0xb39869507b587b12,
    0xb23ba5c279c2895f,
    0x258dd3db21a5d66b,
    0x0d0088f51cbff34d,
]);

/// (p − 3)/4.
const ROOT_EXPONENT: [u64; 6] = [
    0xee7fbfffffffeaaa,
    0x07aaffffac54ffff,
    0xd9cc34a83dac3d89,
    0xd91dd2e13ce144af,
    0x92c6e9ed90d2eb35,
    0x0680447a8e5ff9a6,
];

/// 2^256·R² mod p: takes the upper half of 64 bytes into Montgomery's form.
const UPPER_HALF: Limbs = constants::power_of_two(&Base::LIMBS, 2 * 416 + 256);

/// 2^384 in Montgomery's form: takes elements to the form that has 2^384 for R.
const TO_R384: Limbs = constants::power_of_two(&Base::LIMBS, 384 + 416);

/// A cube root of one: (x, y) ↦ (β·x, y) multiplies points of G1 by −z², z being the curve's parameter.
pub(super) const BETA: Limbs = number(&[
    0x2e01fffffffefffe,
    0xde17d813620a0002,
    0xddb3a93be6f89688,
    0xba69c6076a0f77ea,
    0x5f19672fdf76ce51,
    0x0000000000000000,
]);
/// √−5, for the other candidate of the map to the curve.
pub(super) const ROOT_OF_MINUS_5: Limbs = number(&[
    0x4d39c9db7b263cd4,
    0x6c12a6d436befcf9,
    0xa014c40bceb7d230,
    0x4614aa5e2eebdeb1,
    0x7a88b0f999ab2b50,
    0x186417302d5a6534,
]);
/// 1/(1 + i)^((p − 1)/3) is this times i.
pub(super) const PSI_X: Limbs = number(&[
    0x8bfd00000000aaad,
    0x409427eb4f49fffd,
    0x897d29650fb85f9b,
    0xaa0d857d89759ad4,
    0xec02408663d4de85,
    0x1a0111ea397fe699,
]);
/// The square of [`PSI_X`]'s: what two times ψ multiplies x by.
pub(super) const PSI_SQUARED_X: Limbs = number(&[
    0x8bfd00000000aaac,
    0x409427eb4f49fffd,
    0x897d29650fb85f9b,
    0xaa0d857d89759ad4,
    0xec02408663d4de85,
    0x1a0111ea397fe699,
]);
/// 1/(1 + i)^((p − 1)/2), its real part,
pub(super) const PSI_Y_0: Limbs = number(&[
    0xf1ee7b04121bdea2,
    0x304466cf3e67fa0a,
    0xef396489f61eb45e,
    0x1c3dedd930b1cf60,
    0xe2e9c448d77a2cd9,
    0x135203e60180a68e,
]);
/// and its imaginary one.
pub(super) const PSI_Y_1: Limbs = number(&[
    0xc81084fbede3cc09,
    0xee67992f72ec05f4,
    0x77f76e17009241c5,
    0x48395dabc2d3435e,
    0x6831e36d6bd17ffe,
    0x06af0e0437ff400b,
]);
/// The standard generator of G1: x and y.
pub(super) const GENERATOR_1: [Limbs; 2] = [
    number_of_hex(b"17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"),
    number_of_hex(b"08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1"),
];
/// The standard generator of G2: real and imaginary part of x, then of y.
pub(super) const GENERATOR_2: [Limbs; 4] = [
    number(&[
        0xd48056c8c121bdb8,
        0x0bac0326a805bbef,
        0xb4510b647ae3d177,
        0xc6e47ad4fa403b02,
        0x260805272dc51051,
        0x024aa2b2f08f0a91,
    ]),
    number(&[
        0xe5ac7d055d042b7e,
        0x334cf11213945d57,
        0xb5da61bbdc7f5049,
        0x596bd0d09920b61a,
        0x7dacd3a088274f65,
        0x13e02b6052719f60,
    ]),
    number(&[
        0xe193548608b82801,
        0x923ac9cc3baca289,
        0x6d429a695160d12c,
        0xadfd9baa8cbdd3a7,
        0x8cc9cdc6da2e351a,
        0x0ce5d527727d6e11,
    ]),
    number(&[
        0xaaa9075ff05f79be,
        0x3f370d275cec1da1,
        0x267492ab572e99ab,
        0xcb3e287e85a763af,
        0x32acd2b02bc28b99,
        0x0606c4a02ea734cc,
    ]),
];

impl<L: Lanes> Field<L> for Fp<L> {
    type Row = Limbs;

    #[inline(always)]
    fn zero() -> Self {
        Element::zero()
    }

    #[inline(always)]
    fn one() -> Self {
        Element::one()
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        product(self, other)
    }

    #[inline(always)]
    fn square(&self) -> Self {
        square(self)
    }

    #[inline(always)]
    fn products(a: &Self, b: &Self, c: &Self, d: &Self) -> [Self; 2] {
        products(a, b, c, d)
    }

    #[inline(always)]
    fn squares(a: &Self, b: &Self) -> [Self; 2] {
        squares(a, b)
    }

    #[inline(always)]
    fn square_and_product(a: &Self, b: &Self, c: &Self) -> [Self; 2] {
        square_and_product(a, b, c)
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Element::add(self, other)
    }

    #[inline(always)]
    fn sub<const K: u64>(&self, other: &Self) -> Self {
        Element::sub::<K>(self, other)
    }

    #[inline(always)]
    fn triple(&self) -> Self {
        Element::triple(self)
    }

    #[inline(always)]
    fn difference<const A: u32, const B: u32, const K: u64>(&self, other: &Self) -> Self {
        Element::difference::<A, B, K>(self, other)
    }

    #[inline(always)]
    fn select(&self, mask: Mask, other: &Self) -> Self {
        Element::select(self, mask, other)
    }

    #[inline(always)]
    fn is_zero(&self) -> Mask {
        Element::is_zero(self)
    }

    #[inline(always)]
    fn rows(&self) -> [Limbs; LANES] {
        let columns = transpose(self.limbs);
        let mut rows = [[0; 8]; LANES];
        for lane in 0..LANES {
            columns[lane].store(&mut rows[lane]);
        }
        rows
    }

    #[inline(always)]
    fn from_rows(rows: &[&Limbs; LANES]) -> Self {
        let mut columns = [L::zero(); LANES];
        for lane in 0..LANES {
            columns[lane] = L::load(rows[lane]);
        }
        Element::from_limbs(transpose(columns))
    }

    #[inline(always)]
    fn invert_all(elements: &mut [Self]) {
        invert_all(elements);
    }
}

/// A product, as a function of its own: inlined everywhere, products would not fit the instruction cache.
#[inline(never)]
pub(super) fn product<L: Lanes>(a: &Fp<L>, b: &Fp<L>) -> Fp<L> {
    L::enter(
        #[inline(always)]
        || a.mul(b),
    )
}

#[inline(never)]
fn square<L: Lanes>(a: &Fp<L>) -> Fp<L> {
    L::enter(
        #[inline(always)]
        || a.square(),
    )
}

/// a·b and c·d, in less time than one after the other.
#[inline(never)]
pub(super) fn products<L: Lanes>(a: &Fp<L>, b: &Fp<L>, c: &Fp<L>, d: &Fp<L>) -> [Fp<L>; 2] {
    L::enter(
        #[inline(always)]
        || Joined::product(a, b).reduce_two(Joined::product(c, d)),
    )
}

/// a² and b².
#[inline(never)]
pub(super) fn squares<L: Lanes>(a: &Fp<L>, b: &Fp<L>) -> [Fp<L>; 2] {
    L::enter(
        #[inline(always)]
        || Joined::square(a).reduce_two(Joined::square(b)),
    )
}

/// a² and b·c.
#[inline(never)]
fn square_and_product<L: Lanes>(a: &Fp<L>, b: &Fp<L>, c: &Fp<L>) -> [Fp<L>; 2] {
    L::enter(
        #[inline(always)]
        || Joined::square(a).reduce_two(Joined::product(b, c)),
    )
}

/// Each element a to the power of (p − 3)/4. Times a it is a square root, of a or of −a; times that again 1 or −1, by
/// whether a is a square: so it inverts the root too.
pub(super) fn root_powers<L: Lanes>(elements: &mut [Fp<L>]) {
    let (pairs, rest) = elements.as_chunks_mut::<2>();
    for pair in pairs {
        *pair = root_powers_of_two(pair);
    }
    for element in rest {
        *element = root_power(element);
    }
}

#[inline(never)]
fn root_power<L: Lanes>(a: &Fp<L>) -> Fp<L> {
    L::enter(
        #[inline(always)]
        || a.pow(&ROOT_EXPONENT),
    )
}

/// In windows of four bits, as [`Element::pow`].
#[inline(never)]
fn root_powers_of_two<L: Lanes>([a, b]: &[Fp<L>; 2]) -> [Fp<L>; 2] {
    L::enter(
        #[inline(always)]
        || {
            let one = Element::one();
            let mut powers = [[one; 2]; 16];
            powers[1] = [*a, *b];
            for i in 2..16 {
                powers[i] = products(&powers[i - 1][0], a, &powers[i - 1][1], b);
            }
            let [mut x, mut y] = [one; 2];
            // The highest of all bits are 0.
            for place in (0..95).rev() {
                for _ in 0..4 {
                    [x, y] = squares(&x, &y);
                }
                let digit = ROOT_EXPONENT[place / 16] >> (4 * (place % 16)) & 15;
                if digit != 0 {
                    let [of_a, of_b] = &powers[digit as usize];
                    [x, y] = products(&x, of_a, &y, of_b);
                }
            }
            [x, y]
        },
    )
}

/// From 48 bytes each, big-endian, without the three highest bits. Also the lanes in which the number is below p.
#[inline(always)]
pub(super) fn from_bytes<L: Lanes>(bytes: [&[u8; 48]; 8]) -> (Fp<L>, Mask) {
    let limbs = Fp::<L>::limbs_of_words(&bytes.map(|bytes| {
        let mut words: [u64; 6] = words_of(bytes);
        words[5] &= u64::MAX >> 3;
        words
    }));
    let is_below = below(&limbs, &splat(&Base::LIMBS));
    (Fp::from_number(limbs), is_below)
}

/// 64 bytes, big-endian, mod p.
#[inline(always)]
pub(super) fn from_wide_bytes<L: Lanes>(bytes: [&[u8; 64]; 8]) -> Fp<L> {
    let words: [[u64; 8]; 8] = bytes.map(words_of);
    let lower = Fp::<L>::limbs_of_words(&words.map(|[a, b, c, d, ..]| [a, b, c, d]));
    let upper = Fp::<L>::limbs_of_words(&words.map(|[.., a, b, c, d]| [a, b, c, d]));
    Fp::from_limbs(upper).mul(&Fp::constant(&UPPER_HALF)).add(&Fp::from_number(lower))
}

/// Little-endian words of big-endian bytes.
#[inline(always)]
fn words_of<const BYTES: usize, const WORDS: usize>(bytes: &[u8; BYTES]) -> [u64; WORDS] {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|i| u64::from_be_bytes(words[WORDS - 1 - i]))
}

/// Words of x·2^384 mod p, as libraries of 64-bit words keep x.
#[inline(never)]
pub(super) fn to_words<L: Lanes>(element: &Fp<L>) -> [[u64; 6]; 8] {
    L::enter(
        #[inline(always)]
        || Fp::<L>::words_of_limbs(&element.mul(&Fp::constant(&TO_R384)).canonical()),
    )
}

/// Lanes in which a canonical number is larger than its negative.
#[inline(always)]
pub(super) fn is_larger<L: Lanes>(canonical: &[L; 8]) -> Mask {
    !below(canonical, &splat(&LARGER))
}

/// Lanes in which a canonical number is 0.
#[inline(always)]
pub(super) fn is_nought<L: Lanes>(canonical: &[L; 8]) -> Mask {
    equal(canonical, &[L::zero(); 8])
}

/// Lanes in which a canonical number is odd.
#[inline(always)]
pub(super) fn is_odd<L: Lanes>(canonical: &[L; 8]) -> Mask {
    assert!(!crate::BOUNDS_ARE_CHECKED || canonical[0].to_array().iter().all(|&limb| limb <= LIMB_MASK));
    canonical[0].test(L::splat(1))
}
