//! BLS12-381 with keys in G1 and signatures in G2, eight sets (a key, a message, a signature) at a time: all there is
//! up to the final exponentiation.
//!
//! | step | how |
//! |---|---|
//! | keys, signatures from bytes | square roots by one power in the base field for keys and two for signatures |
//! | subgroups | Scott's tests: two multiplications by the curve's parameter for a key, one for a signature |
//! | messages to G2 | SSWU with roots by two powers, the sum of both points before one isogeny, Budroni and Pintore |
//! | coefficients | 129 random bits, in a form that both endomorphisms make short: 43 doublings and additions |
//! | pairings | Miller loops, the squarings shared by all sets of a lane |
//!
//! **Exact verdicts.** Lanes decide nothing but that a set is *fine*: a finite key and signature in their subgroups and
//! a message that met no exceptional case. All other sets are for the caller to judge by other means, and take no part
//! in the product. The fine ones hold together, up to a probability below 2⁻¹²⁸, if the product says so; where it does
//! not, who calls has to look at each.
//!
//! **Bytes.** 48 and 96 bytes of compressed points, 256 bytes of the message expanded as RFC 9380 says, 17 bytes of
//! randomness.

use crate::lanes::{LANES, Lanes, Mask};
use crate::montgomery::invert_all;
use crate::unit::{Unit, on_lanes};

mod base;
mod coefficient;
mod curve;
mod field;
mod keys;
mod messages;
mod pairing;
mod quadratic;
mod signatures;

use base::Fp;
use coefficient::Coefficients;
use curve::{Affine, Jacobian};
use field::Field;
use quadratic::Fp2;

/// One set.
#[derive(Clone, Copy, Debug)]
pub struct Set<'a> {
    /// A compressed point of G1.
    pub key: &'a [u8; 48],
    /// A compressed point of G2.
    pub signature: &'a [u8; 96],
    /// The message, expanded to two elements of two parts.
    pub expanded: &'a [u8; 256],
    /// Fresh random bytes, of which 129 bits are used.
    pub randomness: [u8; 17],
}

/// A number x mod p as x·2^384 mod p in little-endian words, as blst keeps it.
pub type Words = [u64; 6];

/// What lanes know of sets.
#[derive(Clone, Debug)]
pub struct Combined {
    /// Sets whose parts are all fine; only these are in the product.
    pub fine: Vec<bool>,
    /// The product; `None` where no set is fine, or a sum met an exceptional case.
    pub product: Option<Product>,
}

/// Both sides of the equation, in eight parts each.
#[derive(Clone, Debug)]
pub struct Product {
    /// Factors of Π f(cⱼ·keyⱼ, H(messageⱼ)), Miller loops before the final exponentiation: elements of the field of
    /// p¹² over towers i² = −1, v³ = 1 + i, w² = v, lowest first.
    pub pairings: [[Words; 12]; LANES],
    /// Summands of Σ cⱼ·signatureⱼ + 2^45·g₂: x and y, real part first. g₂ is the standard generator.
    pub signatures: [[Words; 4]; LANES],
}

/// Combines sets into one product.
pub fn combine(unit: Unit, sets: &[Set<'_>]) -> Combined {
    if sets.is_empty() {
        return Combined { fine: Vec::new(), product: None };
    }
    on_lanes!(unit, L => combine_in_lanes::<L>(sets))
}

/// Eight sets on their way.
struct Group<L> {
    key: Affine<Fp<L>>,
    /// The key times |z|.
    image: Jacobian<L, Fp<L>>,
    signature: Affine<Fp2<L>>,
    mapped: [messages::Mapped<L>; 2],
    coefficients: Coefficients,
    /// Lanes that are fine so far.
    active: Mask,
}

#[inline(always)]
fn combine_in_lanes<L: Lanes>(sets: &[Set<'_>]) -> Combined {
    let mut groups: Vec<Group<L>> = Vec::with_capacity(sets.len().div_ceil(LANES));
    for sets in sets.chunks(LANES) {
        groups.push(read(sets));
    }
    let keys = multiply_keys(&mut groups);
    let messages = finish_messages(&mut groups);
    let fine: Vec<bool> = (0..sets.len()).map(|i| groups[i / LANES].active >> (i % LANES) & 1 == 1).collect();
    let product = if fine.contains(&true) { pair(&groups, keys, messages) } else { None };
    Combined { fine, product }
}

/// Reads up to eight sets and checks their points; where there are fewer, the last stands in and does not count.
#[inline(always)]
fn read<L: Lanes>(sets: &[Set<'_>]) -> Group<L> {
    let sets: [&Set<'_>; LANES] = std::array::from_fn(|lane| &sets[lane.min(sets.len() - 1)]);
    let present = (1_u16 << sets.len().min(LANES)) - 1;
    let (key, key_decodes) = keys::decode::<L>(&sets.map(|set| set.key));
    let (key_fits, image) = keys::in_subgroup(&key);
    let (signature, signature_decodes) = signatures::decode::<L>(&sets.map(|set| set.signature));
    let signature_fits = signatures::in_subgroup(&signature);
    let part = |at: usize| sets.map(|set| set.expanded[at * 64..].first_chunk().expect("64 bytes"));
    let mapped = [messages::map::<L>(&[part(0), part(1)]), messages::map::<L>(&[part(2), part(3)])];
    let coefficients = Coefficients::from_bytes(&sets.map(|set| set.randomness));
    let active = present as Mask & key_decodes & key_fits & signature_decodes & signature_fits;
    Group { key, image, signature, mapped, coefficients, active }
}

/// Keys times their coefficients.
#[inline(always)]
fn multiply_keys<L: Lanes>(groups: &mut [Group<L>]) -> Vec<Affine<Fp<L>>> {
    let mut inverses: Vec<Fp<L>> = groups.iter().map(|group| group.image.z).collect();
    invert_all(&mut inverses);
    let mut multiples = Vec::with_capacity(groups.len());
    for (group, inverse) in groups.iter().zip(&inverses) {
        multiples.push(keys::multiply(&group.key, &group.image.to_affine(inverse), &group.coefficients));
    }
    for ((inverse, multiple), group) in inverses.iter_mut().zip(&multiples).zip(groups) {
        *inverse = multiple.z;
        group.active &= !Field::is_zero(&multiple.z);
    }
    invert_all(&mut inverses);
    let mut keys = Vec::with_capacity(multiples.len());
    for (multiple, inverse) in multiples.iter().zip(&inverses) {
        keys.push(multiple.to_affine(inverse));
    }
    keys
}

/// Messages as points.
#[inline(always)]
fn finish_messages<L: Lanes>(groups: &mut [Group<L>]) -> Vec<Affine<Fp2<L>>> {
    let mut inverses = Vec::with_capacity(2 * groups.len());
    for group in groups.iter() {
        for mapped in &group.mapped {
            inverses.push(mapped.denominator.norm());
        }
    }
    invert_all(&mut inverses);
    let mut points = Vec::with_capacity(groups.len());
    for (group, inverses) in groups.iter().zip(inverses.chunks(2)) {
        points.push(messages::finish(&group.mapped, [&inverses[0], &inverses[1]]));
    }
    inverses.clear();
    for (point, group) in points.iter().zip(groups) {
        group.active &= !point.z.is_zero();
        inverses.push(point.z.norm());
    }
    invert_all(&mut inverses);
    let mut messages = Vec::with_capacity(points.len());
    for (point, inverse) in points.iter().zip(&inverses) {
        messages.push(point.to_affine(&point.z.inverse_by_norm(inverse)));
    }
    messages
}

/// The product of all groups.
#[inline(always)]
fn pair<L: Lanes>(groups: &[Group<L>], keys: Vec<Affine<Fp<L>>>, messages: Vec<Affine<Fp2<L>>>) -> Option<Product> {
    let mut summands = Vec::with_capacity(groups.len());
    for group in groups {
        summands.push(signatures::Summand::new(&group.signature, group.coefficients, group.active));
    }
    let [x0, x1, y0, y1] = &base::GENERATOR;
    let start = Affine {
        x: Fp2 { c0: Fp::constant(x0), c1: Fp::constant(x1) },
        y: Fp2 { c0: Fp::constant(y0), c1: Fp::constant(y1) },
    };
    let sum = signatures::combine(&start, &summands);
    if sum.z.is_zero() != 0 {
        return None;
    }
    let mut inverse = [sum.z.norm()];
    invert_all(&mut inverse);
    let sum = sum.to_affine(&sum.z.inverse_by_norm(&inverse[0]));
    let mut pairs = Vec::with_capacity(groups.len());
    for ((group, key), message) in groups.iter().zip(keys).zip(messages) {
        pairs.push(pairing::Pair::new(key, message, group.active));
    }
    let value = pairing::miller_loops(&mut pairs);
    let value = value.as_flattened();
    Some(Product {
        pairings: by_lanes(std::array::from_fn(|i| part(&value[i / 2], i))),
        signatures: by_lanes(std::array::from_fn(|i| part(if i < 2 { &sum.x } else { &sum.y }, i))),
    })
}

/// The real part for even numbers, the imaginary for odd ones.
fn part<L: Lanes>(element: &Fp2<L>, i: usize) -> [Words; LANES] {
    base::to_words(if i.is_multiple_of(2) { &element.c0 } else { &element.c1 })
}

fn by_lanes<const N: usize>(parts: [[Words; LANES]; N]) -> [[Words; N]; LANES] {
    std::array::from_fn(|lane| parts.map(|part| part[lane]))
}
