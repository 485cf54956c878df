//! Where things lie in a `.zkey`, and its header.

use std::ops::Range;

use ark_ff::FftField;
use outrigger_types::Curve as CurveId;

use super::{FORMAT, MAGIC, TERM_BYTES, VERSION, section};
use crate::FormatError;
use crate::curve::{Curve, RawField, RawPoint, point_bytes, read_point_unchecked};
use crate::formats::primes::{curve_of_base_prime, scalar_prime};
use crate::formats::sections::{Reader, SectionFile};

/// What the header of a `.zkey` says, and where its sections lie.
pub(crate) struct Layout<E: Curve> {
    pub wires: usize,
    pub public_signals: usize,
    pub domain: usize,
    pub alpha1: E::G1Affine,
    pub beta1: E::G1Affine,
    pub beta2: E::G2Affine,
    pub gamma2: E::G2Affine,
    pub delta1: E::G1Affine,
    pub delta2: E::G2Affine,
    pub ic: Vec<E::G1Affine>,
    /// The terms, without their number.
    pub terms: Range<usize>,
    pub a: Range<usize>,
    pub b1: Range<usize>,
    pub b2: Range<usize>,
    pub c: Range<usize>,
    pub h: Range<usize>,
}

/// The curve of a `.zkey`.
pub(crate) fn curve_of(bytes: &[u8]) -> Result<CurveId, FormatError> {
    let file = SectionFile::parse(bytes, FORMAT, MAGIC, VERSION)?;
    check_protocol(&file)?;
    let mut header = file.reader(section::HEADER, "the header (section 2)")?;
    let size = header.u32()? as usize;
    curve_of_base_prime(header.take(size)?, FORMAT)
}

impl<E: Curve> Layout<E> {
    /// Reads the header, checks its points and those of IC, and holds the length of every section against it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let file = SectionFile::parse(bytes, FORMAT, MAGIC, VERSION)?;
        check_protocol(&file)?;
        let mut header = file.reader(section::HEADER, "the header (section 2)")?;
        check_primes::<E>(&mut header)?;
        let (wires, public_signals) = (header.u32()? as usize, header.u32()? as usize);
        let domain = header.u32()? as usize;
        check_sizes::<E>(wires, public_signals, domain)?;
        let points = |id, count, size| section_of_points(&file, id, count, size);
        let (g1, g2) = (point_bytes::<E::G1Affine>(), point_bytes::<E::G2Affine>());
        let layout = Self {
            wires,
            public_signals,
            domain,
            alpha1: header_point(&mut header, "alpha1")?,
            beta1: header_point(&mut header, "beta1")?,
            beta2: header_point(&mut header, "beta2")?,
            gamma2: header_point(&mut header, "gamma2")?,
            delta1: header_point(&mut header, "delta1")?,
            delta2: header_point(&mut header, "delta2")?,
            ic: read_ic::<E>(&bytes[points(section::IC, public_signals + 1, g1)?])?,
            terms: section_of_terms(&file)?,
            a: points(section::A, wires, g1)?,
            b1: points(section::B1, wires, g1)?,
            b2: points(section::B2, wires, g2)?,
            c: points(section::C, wires - public_signals - 1, g1)?,
            h: points(section::H, domain, g1)?,
        };
        header.end()?;
        Ok(layout)
    }
}

fn error<T>(message: String) -> Result<T, FormatError> {
    Err(FormatError::new(FORMAT, message))
}

fn check_protocol(file: &SectionFile<'_>) -> Result<(), FormatError> {
    let mut reader = file.reader(section::PROTOCOL, "section 1")?;
    let name = match reader.u32()? {
        1 => return reader.end(),
        2 => "PLONK",
        10 => "FFLONK",
        _ => "an unknown protocol",
    };
    error(format!("a key for {name}, but only Groth16 is proved here: make one with `snarkjs groth16 setup`"))
}

fn check_primes<E: Curve>(header: &mut Reader<'_>) -> Result<(), FormatError> {
    let size = header.u32()? as usize;
    let curve = curve_of_base_prime(header.take(size)?, FORMAT)?;
    let size = header.u32()? as usize;
    if curve != E::ID {
        return error(format!("a key on {curve}, but one on {} is wanted", E::ID));
    }
    if header.take(size)? != scalar_prime(curve) {
        return error(format!("q is that of {curve}, but r is not"));
    }
    Ok(())
}

fn check_sizes<E: Curve>(wires: usize, public_signals: usize, domain: usize) -> Result<(), FormatError> {
    if public_signals >= wires {
        return error(format!("{public_signals} public signals and the constant do not fit into {wires} wires"));
    }
    // The quotient is found on a coset, which takes a root of unity of twice the order.
    let domain_max = 1u64 << (<E::ScalarField as FftField>::TWO_ADICITY - 1).min(31);
    if !domain.is_power_of_two() || domain < 2 || domain as u64 > domain_max {
        return error(format!("a domain of {domain}, but it must be a power of two from 2 to {domain_max}"));
    }
    Ok(())
}

/// A section of so many points.
fn section_of_points(
    file: &SectionFile<'_>,
    id: u32,
    count: usize,
    point_bytes: usize,
) -> Result<Range<usize>, FormatError> {
    let range = file.range(id)?;
    if Some(range.len()) != count.checked_mul(point_bytes) {
        let found = range.len();
        return error(format!("section {id} has {found} bytes, but {count} points take {point_bytes} each"));
    }
    Ok(range)
}

fn section_of_terms(file: &SectionFile<'_>) -> Result<Range<usize>, FormatError> {
    let mut reader = file.reader(section::TERMS, "section 4")?;
    let count = reader.u32()? as usize;
    if Some(reader.remaining()) != count.checked_mul(TERM_BYTES) {
        let found = reader.remaining();
        return error(format!("section 4 has {found} bytes of terms, but {count} terms take {TERM_BYTES} each"));
    }
    let range = file.range(section::TERMS)?;
    Ok(range.end - reader.remaining()..range.end)
}

/// A point of the header: in its group, and not infinity.
fn header_point<A: RawPoint<BaseField: RawField>>(header: &mut Reader<'_>, name: &str) -> Result<A, FormatError> {
    let point: A = checked_point(header.take(point_bytes::<A>())?).map_err(|why| wrong_point(name, why))?;
    if point.is_zero() { Err(wrong_point(name, "is the point at infinity")) } else { Ok(point) }
}

fn read_ic<E: Curve>(bytes: &[u8]) -> Result<Vec<E::G1Affine>, FormatError> {
    let points = bytes.chunks_exact(point_bytes::<E::G1Affine>()).enumerate();
    points
        .map(|(i, bytes)| checked_point(bytes).map_err(|why| wrong_point(&format!("point {i} of IC (section 3)"), why)))
        .collect()
}

fn wrong_point(name: &str, why: &str) -> FormatError {
    FormatError::new(FORMAT, format!("{name} {why}: do not use this key"))
}

/// A point whose coordinates are below q, on its curve and in its subgroup.
fn checked_point<A: RawPoint<BaseField: RawField>>(bytes: &[u8]) -> Result<A, &'static str> {
    let (x, y) = bytes.split_at(A::BaseField::BYTES);
    if !A::BaseField::is_canonical(x) || !A::BaseField::is_canonical(y) {
        return Err("has a coordinate that is not below q");
    }
    let point: A = read_point_unchecked(bytes);
    if point.is_valid() { Ok(point) } else { Err("is not on its curve, or not in its subgroup") }
}
