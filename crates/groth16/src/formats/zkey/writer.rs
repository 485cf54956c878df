//! Writing a `.zkey`.

use std::io::{self, Write};

use super::{MAGIC, TERM_BYTES, VERSION, section};
use crate::curve::{Curve, RawField, RawPoint, RawScalar, point_bytes, write_point};
use crate::formats::primes::{base_prime, scalar_prime};
use crate::formats::sections::{write_file_header, write_section_header};

/// Points that are turned into bytes at once.
const POINTS_AT_ONCE: usize = 1024;

/// The matrix of a term: section 4 has A and B; C is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    /// A.
    A = 0,
    /// B.
    B = 1,
}

/// A coefficient of a matrix.
#[derive(Clone, Copy, Debug)]
pub struct Term<F> {
    /// The matrix.
    pub matrix: Matrix,
    /// The row: a constraint, or for A also a public signal (row constraints + s for wire s, coefficient 1; the
    /// constant wire is s = 0).
    pub row: u32,
    /// The wire.
    pub wire: u32,
    /// The coefficient itself, in no special form.
    pub value: F,
}

/// What a `.zkey` holds.
#[derive(Clone, Copy, Debug)]
pub struct ZkeyParts<'a, E: Curve> {
    /// Public signals.
    pub public_signals: u32,
    /// Size of the domain, a power of two.
    pub domain: u32,
    /// alpha in G1.
    pub alpha1: E::G1Affine,
    /// beta in G1.
    pub beta1: E::G1Affine,
    /// beta in G2.
    pub beta2: E::G2Affine,
    /// gamma in G2.
    pub gamma2: E::G2Affine,
    /// delta in G1.
    pub delta1: E::G1Affine,
    /// delta in G2.
    pub delta2: E::G2Affine,
    /// Section 3: one point for the constant wire and each public signal.
    pub ic: &'a [E::G1Affine],
    /// Section 4: the terms of A and B, those of the public signals' rows included.
    pub terms: &'a [Term<E::ScalarField>],
    /// Section 5: one point a wire.
    pub a: &'a [E::G1Affine],
    /// Section 6: one point a wire.
    pub b1: &'a [E::G1Affine],
    /// Section 7: one point a wire.
    pub b2: &'a [E::G2Affine],
    /// Section 8: one point a private wire.
    pub c: &'a [E::G1Affine],
    /// Section 9: one point an element of the domain.
    pub h: &'a [E::G1Affine],
    /// Section 10: the hash of the circuit that contributions to a ceremony refer to.
    pub circuit_hash: [u8; 64],
}

/// Writes a `.zkey` in the order of snarkjs's sections (1, 2, 4, 3, 9, 8, 5, 6, 7, 10), with no contributions.
///
/// # Errors
/// Where the parts do not fit together (lengths), or where `into` cannot be written.
pub fn write<E: Curve>(parts: &ZkeyParts<'_, E>, into: &mut dyn Write) -> io::Result<()> {
    check_lengths(parts)?;
    let mut head = Vec::new();
    write_file_header(MAGIC, VERSION, 10, &mut head);
    write_section_header(section::PROTOCOL, 4, &mut head);
    head.extend_from_slice(&1u32.to_le_bytes());
    into.write_all(&head)?;
    write_section(section::HEADER, &header(parts), into)?;
    write_terms(parts.terms, into)?;
    write_points(section::IC, parts.ic, into)?;
    write_points(section::H, parts.h, into)?;
    write_points(section::C, parts.c, into)?;
    write_points(section::A, parts.a, into)?;
    write_points(section::B1, parts.b1, into)?;
    write_points(section::B2, parts.b2, into)?;
    let no_contributions = [parts.circuit_hash.as_slice(), &0u32.to_le_bytes()].concat();
    write_section(section::CONTRIBUTIONS, &no_contributions, into)
}

fn check_lengths<E: Curve>(parts: &ZkeyParts<'_, E>) -> io::Result<()> {
    let (wires, public) = (parts.a.len(), parts.public_signals as usize);
    let fits = wires == parts.b1.len()
        && wires == parts.b2.len()
        && parts.ic.len() == public + 1
        && parts.c.len() + parts.ic.len() == wires
        && parts.h.len() == parts.domain as usize
        && u32::try_from(wires).is_ok()
        && u32::try_from(parts.terms.len()).is_ok();
    if fits { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, "the parts of the key do not fit")) }
}

fn header<E: Curve>(parts: &ZkeyParts<'_, E>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for prime in [base_prime(E::ID), scalar_prime(E::ID)] {
        bytes.extend_from_slice(&(prime.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&prime);
    }
    for number in [parts.a.len() as u32, parts.public_signals, parts.domain] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend(bytes_of_point(&parts.alpha1));
    bytes.extend(bytes_of_point(&parts.beta1));
    bytes.extend(bytes_of_point(&parts.beta2));
    bytes.extend(bytes_of_point(&parts.gamma2));
    bytes.extend(bytes_of_point(&parts.delta1));
    bytes.extend(bytes_of_point(&parts.delta2));
    bytes
}

fn bytes_of_point<A: RawPoint<BaseField: RawField>>(point: &A) -> Vec<u8> {
    let mut bytes = vec![0; point_bytes::<A>()];
    write_point(point, &mut bytes);
    bytes
}

fn write_section(id: u32, content: &[u8], into: &mut dyn Write) -> io::Result<()> {
    let mut head = Vec::new();
    write_section_header(id, content.len() as u64, &mut head);
    into.write_all(&head)?;
    into.write_all(content)
}

fn write_points<A: RawPoint<BaseField: RawField>>(id: u32, points: &[A], into: &mut dyn Write) -> io::Result<()> {
    let size = point_bytes::<A>();
    let mut head = Vec::new();
    write_section_header(id, (points.len() * size) as u64, &mut head);
    into.write_all(&head)?;
    let mut bytes = vec![0; POINTS_AT_ONCE.min(points.len()) * size];
    for points in points.chunks(POINTS_AT_ONCE) {
        for (point, bytes) in points.iter().zip(bytes.chunks_exact_mut(size)) {
            write_point(point, bytes);
        }
        into.write_all(&bytes[..points.len() * size])?;
    }
    Ok(())
}

fn write_terms<F: RawScalar>(terms: &[Term<F>], into: &mut dyn Write) -> io::Result<()> {
    let mut head = Vec::new();
    write_section_header(section::TERMS, 4 + terms.len() as u64 * TERM_BYTES as u64, &mut head);
    head.extend_from_slice(&(terms.len() as u32).to_le_bytes());
    into.write_all(&head)?;
    // A coefficient is stored times R²: as the Montgomery form of c·R, R being the element of that plain value.
    let r = F::from(2u64).pow([F::MODULUS_BIT_SIZE.next_multiple_of(64).into()]);
    let mut bytes = [0; TERM_BYTES];
    for term in terms {
        bytes[..4].copy_from_slice(&(term.matrix as u32).to_le_bytes());
        bytes[4..8].copy_from_slice(&term.row.to_le_bytes());
        bytes[8..12].copy_from_slice(&term.wire.to_le_bytes());
        (term.value * r).write_montgomery(&mut bytes[12..]);
        into.write_all(&bytes)?;
    }
    Ok(())
}
