//! Multiplications by known factors, and butterflies, on numbers below 2²⁶⁰ that are right modulo p.
//!
//! **Source.** The product by a factor w with w' = ⌊w·2²⁶⁰/p⌋ known is V. Shoup's (NTL); lazy reduction around it is
//! D. Harvey's, *Faster arithmetic for number-theoretic transforms*, 2014. For q ≈ a·w'/2²⁶⁰ the number a·w − q·p is
//! small, so the low halves of both products give it: 75 multiplications of limbs, where Montgomery's form takes 105.
//!
//! **Bounds.** With the five lowest columns of a·w' left out, q is at most 9 below the quotient that w' gives, which
//! is at most one below the true one: products are below 10p, for any a < 2²⁶⁰. What is stored is below 24p; 2²⁶⁰ is
//! 84p on BN254 and 35p on BLS12-381. Limbs in memory are *proper*, below 2⁵².

use crate::lanes::{LANES, Lanes, Mask};
use crate::montgomery::{Modulus, constants, unrolled};
use crate::radix52::{BITS, LIMB_MASK};

/// Limbs of a number.
pub(super) const LIMBS: usize = 5;

/// A number of limbs.
pub(super) type Limbs = [u64; LIMBS];

/// Products are below this multiple of p.
pub(super) const PRODUCT: u64 = 10;
/// Numbers in memory are below this multiple of p.
pub(super) const STORED: u64 = 24;
/// Weakened numbers are below this multiple of p.
pub(super) const WEAK: u64 = 3;

/// Eight numbers in memory: limb i of all of them in row i. No `Debug`: they may be of a witness.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Vector(pub(super) [[u64; LANES]; LIMBS]);

impl Vector {
    pub(super) const ZERO: Self = Self([[0; LANES]; LIMBS]);

    #[inline(always)]
    pub(super) fn load<L: Lanes>(&self) -> [L; LIMBS] {
        let mut limbs = [L::zero(); LIMBS];
        unrolled!(LIMBS, i => { limbs[i] = L::load(&self.0[i]); });
        limbs
    }

    #[inline(always)]
    pub(super) fn store<L: Lanes>(&mut self, limbs: &[L; LIMBS]) {
        unrolled!(LIMBS, i => { limbs[i].store(&mut self.0[i]); });
    }

    /// Takes what another has, by registers: a copy of 320 bytes would be a call.
    #[inline(always)]
    pub(super) fn copy<L: Lanes>(&mut self, other: &Self) {
        self.store(&other.load::<L>());
    }
}

/// A factor below p, the same in all lanes, and ⌊factor·2²⁶⁰/p⌋.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Factor {
    pub(super) number: Limbs,
    pub(super) quotient: Limbs,
}

/// A factor in each lane.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct LaneFactor {
    pub(super) number: Vector,
    pub(super) quotient: Vector,
}

/// What numbers are multiplied by.
pub(super) trait Multiplier {
    /// Limb i of the factor.
    fn number<L: Lanes>(&self, i: usize) -> L;
    /// Limb i of its quotient.
    fn quotient<L: Lanes>(&self, i: usize) -> L;
}

impl Multiplier for Factor {
    #[inline(always)]
    fn number<L: Lanes>(&self, i: usize) -> L {
        L::splat(self.number[i])
    }

    #[inline(always)]
    fn quotient<L: Lanes>(&self, i: usize) -> L {
        L::splat(self.quotient[i])
    }
}

impl Multiplier for LaneFactor {
    #[inline(always)]
    fn number<L: Lanes>(&self, i: usize) -> L {
        L::load(&self.number.0[i])
    }

    #[inline(always)]
    fn quotient<L: Lanes>(&self, i: usize) -> L {
        L::load(&self.quotient.0[i])
    }
}

/// 2²⁶⁰ − p: adding it is taking p away, modulo 2²⁶⁰.
const fn negated<M: Modulus<LIMBS>>() -> Limbs {
    let mut limbs = [0; LIMBS];
    let mut borrow = 0;
    let mut i = 0;
    while i < LIMBS {
        let difference = (1 << BITS) - M::LIMBS[i] - borrow;
        limbs[i] = difference & LIMB_MASK;
        borrow = 1 - (difference >> BITS);
        i += 1;
    }
    limbs
}

/// `x + a·w mod p`, below x + 10p, in proper limbs. `x`: limbs below 2⁵³, below 2²⁶⁰ − 10p. `a`: proper limbs but for
/// bits from 2⁵² up, which are not read.
#[inline(always)]
pub(super) fn multiply_add<L: Lanes, M: Modulus<LIMBS>>(
    x: &[L; LIMBS],
    a: &[L; LIMBS],
    w: &impl Multiplier,
) -> [L; LIMBS] {
    // Columns 5 to 9 of a·w'. Low and high halves in accumulators of their own: chains half as long.
    let (mut low, mut high) = ([L::zero(); LIMBS], [L::zero(); LIMBS]);
    unrolled!(LIMBS, i => {
        unrolled!(LIMBS, j => {
            if i + j >= LIMBS {
                low[i + j - LIMBS] = low[i + j - LIMBS].madd_lo(a[i], w.quotient(j));
            }
            if i + j + 1 >= LIMBS {
                high[i + j + 1 - LIMBS] = high[i + j + 1 - LIMBS].madd_hi(a[i], w.quotient(j));
            }
        });
    });
    // Not masked: of a factor, only the low 52 bits are read.
    let mut q = high;
    unrolled!(LIMBS, i => {
        if i + 1 < LIMBS {
            q[i] = q[i].add(low[i]);
        }
        if i > 0 {
            q[i] = q[i].add(q[i - 1].shr::<52>());
        }
    });
    let (mut low, mut high) = ([L::zero(); LIMBS], *x);
    unrolled!(LIMBS, i => { add_low_products::<L>(&mut low, &mut high, a[i], i, #[inline(always)] |j| w.number(j)); });
    unrolled!(LIMBS, i => {
        add_low_products::<L>(&mut low, &mut high, q[i], i, #[inline(always)] |j| L::splat(const { negated::<M>() }[j]));
    });
    unrolled!(LIMBS, i => { low[i] = low[i].add(high[i]); });
    carried(low)
}

/// Limb `i` of a number times another number, modulo 2²⁶⁰, in columns of low and of high halves.
#[inline(always)]
fn add_low_products<L: Lanes>(
    low: &mut [L; LIMBS],
    high: &mut [L; LIMBS],
    limb: L,
    i: usize,
    number: impl Fn(usize) -> L,
) {
    unrolled!(LIMBS, j => {
        if i + j < LIMBS {
            low[i + j] = low[i + j].madd_lo(limb, number(j));
        }
        if i + j + 1 < LIMBS {
            high[i + j + 1] = high[i + j + 1].madd_hi(limb, number(j));
        }
    });
}

/// Limbs as signed numbers, carried into proper ones, modulo 2²⁶⁰.
#[inline(always)]
pub(super) fn carried<L: Lanes>(mut limbs: [L; LIMBS]) -> [L; LIMBS] {
    let mask = L::splat(LIMB_MASK);
    unrolled!(LIMBS, i => {
        if i + 1 < LIMBS {
            limbs[i + 1] = limbs[i + 1].add(limbs[i].sar::<52>());
        }
        limbs[i] = limbs[i].and(mask);
    });
    limbs
}

/// `a·w`, below 10p. Takes any proper limbs.
#[inline(always)]
pub(super) fn multiply<L: Lanes, M: Modulus<LIMBS>>(a: &[L; LIMBS], w: &impl Multiplier) -> [L; LIMBS] {
    let product = L::apart(
        #[inline(always)]
        || multiply_add::<L, M>(&[L::zero(); LIMBS], a, w),
    );
    debug_below::<L, M>(&product, PRODUCT);
    product
}

/// `x ± y·w`: the sum below x + 10p, the difference plus 10p, below x + 10p as well. Takes proper limbs, x of them
/// below 2²⁶⁰ − 10p.
#[inline(always)]
pub(super) fn butterfly<L: Lanes, M: Modulus<LIMBS>>(
    x: &[L; LIMBS],
    y: &[L; LIMBS],
    w: &impl Multiplier,
) -> [[L; LIMBS]; 2] {
    L::apart(
        #[inline(always)]
        || {
            let sum = multiply_add::<L, M>(x, y, w);
            let multiple = const { constants::multiple(&M::LIMBS, PRODUCT) };
            let mut difference = *x;
            unrolled!(LIMBS, i => {
                difference[i] = x[i].add(x[i]).add(L::splat(multiple[i])).sub(sum[i]);
            });
            [sum, carried(difference)]
        },
    )
}

/// `x + y` and `x − y + K·p`, for y ≤ K·p.
#[inline(always)]
pub(super) fn plain_butterfly<L: Lanes, M: Modulus<LIMBS>, const K: u64>(
    x: &[L; LIMBS],
    y: &[L; LIMBS],
) -> [[L; LIMBS]; 2] {
    debug_below::<L, M>(y, K);
    L::apart(
        #[inline(always)]
        || {
            let multiple = const { constants::multiple(&M::LIMBS, K) };
            let (mut sum, mut difference) = (*x, *x);
            unrolled!(LIMBS, i => {
                sum[i] = x[i].add(y[i]);
                difference[i] = x[i].add(L::splat(multiple[i])).sub(y[i]);
            });
            [carried(sum), carried(difference)]
        },
    )
}

/// The same modulo p, below 3p. Takes any proper limbs.
///
/// The quotient by p is taken from the highest limb alone: what it lacks is below 2 and some 2⁻⁴⁰.
#[inline(always)]
pub(super) fn weaken<L: Lanes, M: Modulus<LIMBS>>(x: &[L; LIMBS]) -> [L; LIMBS] {
    let weak = L::apart(
        #[inline(always)]
        || {
            let inverse = const { (1 << BITS) / (M::LIMBS[LIMBS - 1] + 1) };
            let q = L::zero().madd_hi(x[LIMBS - 1], L::splat(inverse));
            let mut sum = *x;
            unrolled!(LIMBS, j => {
                let limb = L::splat(const { negated::<M>() }[j]);
                sum[j] = sum[j].madd_lo(q, limb);
                if j + 1 < LIMBS {
                    sum[j + 1] = sum[j + 1].madd_hi(q, limb);
                }
            });
            carried(sum)
        },
    );
    debug_below::<L, M>(&weak, WEAK);
    weak
}

/// The number itself, below p. Takes any proper limbs.
#[inline(always)]
pub(super) fn canonical<L: Lanes, M: Modulus<LIMBS>>(x: &[L; LIMBS]) -> [L; LIMBS] {
    let weak = weaken::<L, M>(x);
    L::apart(
        #[inline(always)]
        || less_modulus::<L, M>(&less_modulus::<L, M>(&weak)),
    )
}

/// `x − p`, or `x` where that is negative.
#[inline(always)]
pub(super) fn less_modulus<L: Lanes, M: Modulus<LIMBS>>(x: &[L; LIMBS]) -> [L; LIMBS] {
    let mut less = *x;
    unrolled!(LIMBS, i => { less[i] = x[i].sub(L::splat(M::LIMBS[i])); });
    let negative = top_borrow(&less);
    let mut less = carried(less);
    unrolled!(LIMBS, i => { less[i] = less[i].blend(negative, x[i]); });
    less
}

/// Lanes in which a number of signed limbs is negative.
#[inline(always)]
fn top_borrow<L: Lanes>(limbs: &[L; LIMBS]) -> Mask {
    let mut carry = L::zero();
    unrolled!(LIMBS, i => { carry = limbs[i].add(carry).sar::<52>(); });
    carry.test(L::splat(1 << 63))
}

/// In tests: limbs are proper, and numbers below a multiple of p.
#[inline(always)]
pub(super) fn debug_below<L: Lanes, M: Modulus<LIMBS>>(limbs: &[L; LIMBS], multiple: u64) {
    if crate::BOUNDS_ARE_CHECKED {
        let mut rows = [[0; LANES]; LIMBS];
        unrolled!(LIMBS, i => { limbs[i].store(&mut rows[i]); });
        assert_below(&rows, &constants::multiple(&M::LIMBS, multiple));
    }
}

#[inline(never)]
fn assert_below(rows: &[[u64; LANES]; LIMBS], bound: &Limbs) {
    assert!(rows.as_flattened().iter().all(|&limb| limb <= LIMB_MASK), "an improper limb");
    for lane in 0..LANES {
        let number = rows.map(|row| row[lane]);
        assert!(number.iter().rev().lt(bound.iter().rev()), "lane {lane}: a number beyond its bound");
    }
}

/// Eight numbers of four words, as limbs below 2⁵², the highest below 2⁴⁸.
#[inline(always)]
pub(super) fn from_words<L: Lanes>(numbers: &[[u64; 4]; LANES]) -> [L; LIMBS] {
    let (rows, _) = numbers.as_flattened().as_chunks::<LANES>();
    // Two numbers a row. Words 0 and 1 of four numbers in a register, and words 2 and 3.
    let (first, last) = (L::load(&[0, 4, 8, 12, 1, 5, 9, 13]), L::load(&[2, 6, 10, 14, 3, 7, 11, 15]));
    let (low, high) = (L::load(&[0, 1, 2, 3, 8, 9, 10, 11]), L::load(&[4, 5, 6, 7, 12, 13, 14, 15]));
    let [r0, r1, r2, r3] = [L::load(&rows[0]), L::load(&rows[1]), L::load(&rows[2]), L::load(&rows[3])];
    let (a, b) = (r0.pick(r1, first), r2.pick(r3, first));
    let (c, d) = (r0.pick(r1, last), r2.pick(r3, last));
    let (w0, w1, w2, w3) = (a.pick(b, low), a.pick(b, high), c.pick(d, low), c.pick(d, high));
    let mask = L::splat(LIMB_MASK);
    [
        w0.and(mask),
        w0.shr::<52>().or(w1.shl::<12>()).and(mask),
        w1.shr::<40>().or(w2.shl::<24>()).and(mask),
        w2.shr::<28>().or(w3.shl::<36>()).and(mask),
        w3.shr::<16>(),
    ]
}

/// The opposite of [`from_words`].
#[inline(always)]
pub(super) fn to_words<L: Lanes>(limbs: &[L; LIMBS], numbers: &mut [[u64; 4]; LANES]) {
    let [a, b, c, d, e] = *limbs;
    let w0 = a.or(b.shl::<52>());
    let w1 = b.shr::<12>().or(c.shl::<40>());
    let w2 = c.shr::<24>().or(d.shl::<28>());
    let w3 = d.shr::<36>().or(e.shl::<16>());
    // Numbers 0, 1, 4, 5 by pairs of words, and 2, 3, 6, 7.
    let (even, odd) = (L::load(&[0, 8, 1, 9, 4, 12, 5, 13]), L::load(&[2, 10, 3, 11, 6, 14, 7, 15]));
    let (low, high) = (L::load(&[0, 1, 8, 9, 2, 3, 10, 11]), L::load(&[4, 5, 12, 13, 6, 7, 14, 15]));
    let (p, q) = (w0.pick(w1, even), w2.pick(w3, even));
    let (r, s) = (w0.pick(w1, odd), w2.pick(w3, odd));
    let (rows, _) = numbers.as_flattened_mut().as_chunks_mut::<LANES>();
    p.pick(q, low).store(&mut rows[0]);
    r.pick(s, low).store(&mut rows[1]);
    p.pick(q, high).store(&mut rows[2]);
    r.pick(s, high).store(&mut rows[3]);
}
