//! Signatures of keys that have tables.
//!
//! The equation s·G + t·Q = R is a sum of 64 points of two tables, one for each digit of the scalars, and they are
//! summed by a [`Tree`]. The last addition is left open where only an abscissa is to be compared.

use super::digits::Digits;
use super::field::{Element, Modulus};
use super::inversion::invert_all;
use super::tables::{PLACES, Table, Tabled, WIDTH};
use super::tree::{BLOCK, Summand, Term, Tree};
use crate::lanes::{LANES, Lanes};

/// A signature of a key that has a table; numbers as little-endian words.
#[derive(Clone, Copy, Debug)]
pub struct KnownSignature<'a, C> {
    /// The key's table.
    pub table: &'a Table<C>,
    /// The digest (of SM2, e) as a number, of any size.
    pub digest: [u64; 4],
    /// r, in 1..n.
    pub r: [u64; 4],
    /// s, in 1..n.
    pub s: [u64; 4],
}

/// The tables of the eight lanes of a group, filled up.
#[inline(always)]
pub(crate) fn tables_of<'a, T, C>(
    group: &[T],
    first: &'a Table<C>,
    table: fn(&T) -> &'a Table<C>,
) -> [&'a Table<C>; LANES] {
    let mut tables = [first; LANES];
    for (table_of, item) in tables.iter_mut().zip(group) {
        *table_of = table(item);
    }
    tables
}

/// A curve of which signatures of known keys are verified.
pub(crate) trait KnownCurve: Tabled {
    /// The order of the group.
    type Order: Modulus;
    /// Its points.
    type Affine<L: Lanes>: Summand<L>;

    /// The table of G, made once: 256 KiB.
    fn base_table() -> &'static Table<Self>;
}

/// The scalars of eight lanes, plain numbers, and the tables of their keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product<'a, C, L> {
    /// The tables of Q.
    pub(crate) keys: [&'a Table<C>; LANES],
    /// Of G, up to and including the order.
    pub(crate) base_scalar: [L; 5],
    /// Of Q, up to and including the order.
    pub(crate) key_scalar: [L; 5],
}

/// The sums of products, at least one, but for the last addition.
#[inline(always)]
pub(crate) fn add_up<C: KnownCurve, L: Lanes>(products: &[Product<'_, C, L>]) -> Tree<L, C::Affine<L>> {
    let nothing = Term { rows: [C::base_table().first_row(); LANES], negative: 0 };
    let mut tree = Tree::new(products.len(), 2 * PLACES);
    let mut terms = vec![nothing; 2 * PLACES * BLOCK.min(products.len())];
    let mut ahead = terms.clone();
    let mut blocks = products.chunks(BLOCK);
    let mut count = pick(blocks.next().unwrap_or(&[]), &mut terms, true);
    for block in 0..products.len().div_ceil(BLOCK) {
        let next = pick(blocks.next().unwrap_or(&[]), &mut ahead, false);
        tree.add(block, &terms[..count], &ahead[..next]);
        std::mem::swap(&mut terms, &mut ahead);
        count = next;
    }
    tree.grow();
    tree
}

/// The rows that the digits of a block's scalars pick, of the key and of G in turn, so that those of one meet those of
/// the other last; how many. The first block's are asked for from memory at once: the tables of 64 keys lie in the
/// third cache at best.
#[inline(never)]
fn pick<'a, C: KnownCurve, L: Lanes>(products: &[Product<'a, C, L>], terms: &mut [Term<'a>], at_once: bool) -> usize {
    L::enter(
        #[inline(always)]
        || {
            let base = C::base_table();
            let groups = products.len();
            for (group, product) in products.iter().enumerate() {
                let key_digits = Digits::<L, 256>::new::<C::Order>(&product.key_scalar);
                let base_digits = Digits::<L, 256>::new::<C::Order>(&product.base_scalar);
                for place in 0..PLACES {
                    let digit = key_digits.at(place * WIDTH, WIDTH);
                    let term = &mut terms[2 * place * groups + group];
                    term.negative = digit.negative;
                    for lane in 0..LANES {
                        term.rows[lane] = product.keys[lane].row(place, &digit, lane);
                        if at_once {
                            L::prefetch(term.rows[lane]);
                        }
                    }
                    let digit = base_digits.at(place * WIDTH, WIDTH);
                    let term = &mut terms[(2 * place + 1) * groups + group];
                    term.negative = digit.negative;
                    for lane in 0..LANES {
                        term.rows[lane] = base.row(place, &digit, lane);
                    }
                }
            }
        },
    );
    2 * PLACES * products.len()
}

/// (a/d, b/d) modulo a prime for a, b and d of all groups, plain numbers below 2²⁵⁶ and d nowhere 0; below the prime.
/// One inversion for all.
#[inline(always)]
pub(crate) fn quotients<M: Modulus, L: Lanes>(fractions: &[[[L; 5]; 3]]) -> Vec<[[L; 5]; 2]> {
    let mut inverses: Vec<Element<M, L>> = Vec::with_capacity(fractions.len());
    for [_, _, denominator] in fractions {
        inverses.push(Element::from_plain(denominator));
    }
    invert_all(&mut inverses, &mut Vec::with_capacity(fractions.len()));
    let mut quotients = Vec::with_capacity(fractions.len());
    for ([a, b, _], inverse) in fractions.iter().zip(&inverses) {
        quotients.push([times(a, inverse), times(b, inverse)]);
    }
    quotients
}

/// A plain number times one in Montgomery form: plain, below 1.1·n and then below n.
#[inline(always)]
fn times<M: Modulus, L: Lanes>(number: &[L; 5], factor: &Element<M, L>) -> [L; 5] {
    Element::from_montgomery(*number).mul(factor).carry().subtract_once().montgomery()
}

#[cfg(test)]
mod tests;
