use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::AffineRepr;
use ark_ff::Field;

use super::*;
use crate::curve::{Points, RawField, RawScalar, point_bytes};
use crate::formats::sections::SectionFile;
use crate::formats::vectors::{self, Vectors};
use crate::formats::{json, wtns};

fn source(bytes: &[u8]) -> KeySource {
    Arc::new(bytes.to_vec())
}

fn parse<E: Curve>(bytes: &[u8]) -> Result<ProvingKey<E>, FormatError> {
    ProvingKey::parse(source(bytes))
}

fn check<E: Curve>(bytes: &[u8]) -> Result<(), KeyError> {
    parse::<E>(bytes)?.check(&Control::default())
}

/// Where a section of the key lies.
fn section(vectors: &Vectors, id: u32) -> Range<usize> {
    SectionFile::parse(vectors.zkey, "", *b"zkey", 1).and_then(|file| file.range(id)).expect("a section")
}

fn reads<E: Curve>(vectors: &Vectors) {
    let key = parse::<E>(vectors.zkey).expect("a good key");
    let expected = KeySummary {
        curve: vectors.curve,
        wires: 6,
        public_signals: 3,
        domain: 8,
        constraints: 3,
        bytes: vectors.zkey.len(),
    };
    assert_eq!(key.summary, expected);
    assert_eq!(key.check(&Control::default()), Ok(()));
    assert_eq!(key.a_points().len(), key.summary.wires);
    assert_eq!(key.b1_points().len(), key.summary.wires);
    assert_eq!(key.b2_points().len(), key.summary.wires);
    assert_eq!(key.c_points().len(), key.summary.wires - key.summary.public_signals - 1);
    assert_eq!(key.h_points().len(), key.summary.domain);
    let verifying_key = json::read_verifying_key(vectors.verifying_key.as_bytes()).expect("a good verifying key");
    assert_eq!(key.verifying_key().bytes, verifying_key.bytes);
}

#[test]
fn keys_of_snarkjs_are_read_and_checked() {
    reads::<Bn254>(&vectors::BN254);
    reads::<Bls12_381>(&vectors::BLS12_381);
}

/// The coefficient as it was before snarkjs multiplied it with R².
fn plain<F: RawScalar>(stored: F) -> F {
    stored * F::from_raw_limbs([1, 0, 0, 0])
}

fn row<E: Curve>(rows: &Rows<E::ScalarField>, i: usize) -> Vec<(u32, E::ScalarField)> {
    let start = if i == 0 { 0 } else { rows.ends[i - 1] as usize };
    let terms = &rows.terms[start..rows.ends[i] as usize];
    let mut terms: Vec<_> =
        terms.iter().map(|(wire, number)| (*wire, plain(rows.coefficients[*number as usize]))).collect();
    terms.sort_by_key(|(wire, _)| *wire);
    terms
}

/// A·w, B·w and their product: rows of A and B must satisfy the circuit with the witness of snarkjs, in which
/// every product is a wire of it or, for rows of public signals, nothing.
fn rows_are_right<E: Curve>(vectors: &Vectors) {
    let key = parse::<E>(vectors.zkey).expect("a good key");
    let witness = wtns::parse(vectors.wtns).expect("a good witness");
    let value = |wire: u32| E::ScalarField::from_plain_limbs(witness.values()[wire as usize]).expect("below r");
    let product = |terms: Vec<(u32, E::ScalarField)>| -> E::ScalarField {
        terms.iter().map(|(wire, coefficient)| *coefficient * value(*wire)).sum()
    };
    let products: Vec<_> =
        (0..key.b.ends.len()).map(|i| product(row::<E>(&key.a, i)) * product(row::<E>(&key.b, i))).collect();
    let c = value(1);
    assert!(products.contains(&c) || products.contains(&-c), "no row gives the output");
    let constraints = key.summary.constraints;
    for public in 0..=key.summary.public_signals {
        assert_eq!(row::<E>(&key.a, constraints + public), [(public as u32, E::ScalarField::ONE)]);
    }
    assert_eq!(key.a.ends.len(), constraints + key.summary.public_signals + 1);
    assert!(key.a.coefficients.len() <= 4, "coefficients are kept once");
}

#[test]
fn rows_hold_the_coefficients() {
    rows_are_right::<Bn254>(&vectors::BN254);
    rows_are_right::<Bls12_381>(&vectors::BLS12_381);
}

/// Terms of section 4 in the opposite order make the same rows.
#[test]
fn terms_may_come_in_any_order() {
    let vectors = vectors::BN254;
    let range = section(&vectors, 4);
    let mut bytes = vectors.zkey.to_vec();
    let terms = range.start + 4..range.end;
    let reversed: Vec<u8> = bytes[terms.clone()].rchunks_exact(44).flatten().copied().collect();
    bytes[terms].copy_from_slice(&reversed);
    let (one, other) = (parse::<Bn254>(vectors.zkey).expect("a key"), parse::<Bn254>(&bytes).expect("a key"));
    for (one, other) in [(&one.a, &other.a), (&one.b, &other.b)] {
        assert_eq!(one.ends, other.ends);
        for i in 0..one.ends.len() {
            assert_eq!(row::<Bn254>(one, i), row::<Bn254>(other, i));
        }
    }
}

/// More coefficients than are kept in the map: each term still has its own.
#[test]
fn a_key_of_very_many_coefficients_is_right() {
    const TERMS: u64 = (1 << 16) + 1000;
    let vectors = vectors::BN254;
    let range = section(&vectors, 4);
    let mut terms = (TERMS as u32).to_le_bytes().to_vec();
    for i in 0..TERMS {
        // The last five hundred are among those that came first.
        let stored = if i < TERMS - 500 { i + 1 } else { i % 500 + 1 };
        for number in [0, 0, (i % 6) as u32] {
            terms.extend_from_slice(&u32::to_le_bytes(number));
        }
        terms.extend_from_slice(&stored.to_le_bytes());
        terms.extend_from_slice(&[0; 24]);
    }
    let mut bytes = vectors.zkey.to_vec();
    bytes[range.start - 8..range.start].copy_from_slice(&(terms.len() as u64).to_le_bytes());
    bytes.splice(range, terms);
    let key = parse::<Bn254>(&bytes).expect("a good key");
    assert_eq!(key.a.ends, [TERMS as u32]);
    assert!(key.a.coefficients.len() <= TERMS as usize);
    for (i, (wire, number)) in (0..TERMS).zip(&key.a.terms) {
        let stored = if i < TERMS - 500 { i + 1 } else { i % 500 + 1 };
        assert_eq!(u64::from(*wire), i % 6);
        assert_eq!(key.a.coefficients[*number as usize].raw_limbs(), [stored, 0, 0, 0]);
    }
}

#[test]
fn a_key_without_a_contribution_is_unsound() {
    for result in [check::<Bn254>(vectors::BN254.fresh_zkey), check::<Bls12_381>(vectors::BLS12_381.fresh_zkey)] {
        assert!(matches!(&result, Err(KeyError::Unsound(what)) if what.contains("gamma equals delta")), "{result:?}");
    }
}

#[test]
fn a_key_of_another_curve_is_refused() {
    assert!(parse::<Bn254>(vectors::BLS12_381.zkey).expect_err("the wrong curve").message.contains("bls12-381"));
    assert!(parse::<Bls12_381>(vectors::BN254.zkey).expect_err("the wrong curve").message.contains("bn254"));
}

/// Puts a point into each section that is checked, and expects that it is found by its number.
fn finds_bad_points<E: Curve>(vectors: &Vectors) {
    let sections = [(5, "section 5"), (6, "section 6"), (7, "section 7"), (8, "section 8"), (9, "section 9")];
    for (id, name) in sections {
        let size = if id == 7 { point_bytes::<E::G2Affine>() } else { point_bytes::<E::G1Affine>() };
        let range = section(vectors, id);
        let last = range.len() / size - 1;
        let at = range.start + last * size;
        // The lowest bit of y: off the curve. All ones: not below q.
        for (offset, value) in [(size / 2, vectors.zkey[at + size / 2] ^ 1), (size - 1, 0xFF)] {
            let mut bytes = vectors.zkey.to_vec();
            bytes[at + offset] = value;
            let error = check::<E>(&bytes).expect_err("a bad point").to_string();
            assert!(error.contains(name) && error.contains(&format!("point {last} ")), "{error}");
        }
        let mut bytes = vectors.zkey.to_vec();
        bytes[at..at + size].fill(0);
        assert_eq!(check::<E>(&bytes), Ok(()), "infinity in {name}");
    }
}

#[test]
fn bad_points_are_found() {
    finds_bad_points::<Bn254>(&vectors::BN254);
    finds_bad_points::<Bls12_381>(&vectors::BLS12_381);
}

/// A point on the curve that has not order r.
fn outside<A: crate::curve::RawPoint<BaseField: RawField>>() -> A {
    (1u64..)
        .filter_map(|x| {
            let x = A::BaseField::from(x);
            let y = (x.square() * x + A::B).sqrt()?;
            Some(A::from_xy_unchecked(x, y))
        })
        .find(|point: &A| !point.is_valid())
        .expect("most points")
}

fn finds_other_subgroups<A: crate::curve::RawPoint<BaseField: RawField>, E: Curve>(vectors: &Vectors, ids: &[u32]) {
    for id in ids {
        let start = section(vectors, *id).start;
        let mut bytes = vectors.zkey.to_vec();
        crate::curve::write_point(&outside::<A>(), &mut bytes[start..start + point_bytes::<A>()]);
        let error = check::<E>(&bytes).expect_err("a point of another subgroup").to_string();
        assert!(error.contains("point 0 ") && error.contains("subgroup"), "{error}");
    }
}

#[test]
fn points_outside_the_subgroup_are_found() {
    finds_other_subgroups::<ark_bn254::G2Affine, Bn254>(&vectors::BN254, &[7]);
    finds_other_subgroups::<ark_bls12_381::G1Affine, Bls12_381>(&vectors::BLS12_381, &[3, 5, 6, 8, 9]);
    finds_other_subgroups::<ark_bls12_381::G2Affine, Bls12_381>(&vectors::BLS12_381, &[7]);
}

/// The offsets of the header's points on BN254.
const HEADER_POINTS: [(&str, usize, usize); 6] = [
    ("alpha1", 84, 64),
    ("beta1", 148, 64),
    ("beta2", 212, 128),
    ("gamma2", 340, 128),
    ("delta1", 468, 64),
    ("delta2", 532, 128),
];

#[test]
fn bad_points_of_the_header_are_refused() {
    let header = section(&vectors::BN254, 2).start;
    for (name, offset, size) in HEADER_POINTS {
        let mut bytes = vectors::BN254.zkey.to_vec();
        let point = &mut bytes[header + offset..header + offset + size];
        point[0] ^= 1;
        assert!(parse::<Bn254>(&bytes).expect_err("off its curve").message.contains(name));
        bytes[header + offset..header + offset + size].fill(0);
        assert!(parse::<Bn254>(&bytes).expect_err("infinity").message.contains(name));
    }
}

#[test]
fn beta_and_delta_must_be_the_same_in_both_groups() {
    let header = section(&vectors::BN254, 2).start;
    for (name, from, to) in [("beta", 84, 148), ("delta", 84, 468)] {
        let mut bytes = vectors::BN254.zkey.to_vec();
        bytes.copy_within(header + from..header + from + 64, header + to);
        let error = check::<Bn254>(&bytes).expect_err("unsound").to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn numbers_of_the_header_that_do_not_fit_are_refused() {
    let header = section(&vectors::BN254, 2).start;
    for offset in [72, 76, 80] {
        for value in [0, 1, 4, 5, 7, 9, 16, 1 << 27, 1 << 28, u32::MAX] {
            let mut bytes = vectors::BN254.zkey.to_vec();
            let place = &mut bytes[header + offset..header + offset + 4];
            if place == value.to_le_bytes() {
                continue;
            }
            place.copy_from_slice(&u32::to_le_bytes(value));
            assert!(parse::<Bn254>(&bytes).is_err(), "{value} at {offset}");
        }
    }
}

#[test]
fn terms_out_of_range_are_refused() {
    let terms = section(&vectors::BN254, 4).start + 4;
    let key = parse::<Bn254>(vectors::BN254.zkey).expect("a good key");
    let order = crate::formats::primes::scalar_prime(outrigger_types::Curve::Bn254);
    for (offset, value, what) in [
        (0, 2u32.to_le_bytes().to_vec(), "matrix 2"),
        (4, (key.summary.domain as u32).to_le_bytes().to_vec(), "row"),
        (8, (key.summary.wires as u32).to_le_bytes().to_vec(), "wire"),
        (12, order, "not below r"),
    ] {
        let mut bytes = vectors::BN254.zkey.to_vec();
        bytes[terms + offset..terms + offset + value.len()].copy_from_slice(&value);
        let error = parse::<Bn254>(&bytes).expect_err("a bad term").message;
        assert!(error.contains("term 0") && error.contains(what), "{error}");
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for end in 0..vectors::BN254.zkey.len() {
        assert!(parse::<Bn254>(&vectors::BN254.zkey[..end]).is_err(), "cut at {end}");
    }
}

/// Every byte of the key but those of points, changed: reading it gives an error or another key, and never panics.
#[test]
fn no_changed_byte_panics() {
    let size = vectors::BN254.zkey.len();
    let header = section(&vectors::BN254, 2);
    let (first, last) = (HEADER_POINTS[0], HEADER_POINTS[5]);
    let mut points = [3, 5, 6, 7, 8, 9].map(|id| section(&vectors::BN254, id)).to_vec();
    points.push(header.start + first.1..header.start + last.1 + last.2);
    for at in (0..size).filter(|at| !points.iter().any(|range| range.contains(at))) {
        for change in [0x01, 0xFF] {
            let mut bytes = vectors::BN254.zkey.to_vec();
            bytes[at] ^= change;
            if let Ok(key) = parse::<Bn254>(&bytes) {
                assert_eq!(key.summary.bytes, size);
            }
        }
    }
}

#[test]
fn the_check_can_be_given_up() {
    let key = parse::<Bn254>(vectors::BN254.zkey).expect("a good key");
    let control = Control::default();
    control.cancel();
    assert_eq!(key.check(&control), Err(KeyError::Stopped(Stop::Cancelled)));
}

#[test]
fn wires_that_a_matrix_does_not_use_have_infinity() {
    let key = parse::<Bn254>(vectors::BN254.zkey).expect("a good key");
    let infinities = (0..key.summary.wires).filter(|wire| key.b2_points().point(*wire).is_zero()).count();
    assert!(infinities > 0, "snarkjs writes (0, 0) for them");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    /// Bytes changed, put in, taken out, doubled: an error or another key, and never a panic. Where the key is read,
    /// its check ends too.
    #[test]
    fn no_damage_panics(
        bls in proptest::bool::ANY,
        damage in proptest::collection::vec((0usize..6000, proptest::num::u8::ANY, 0u8..4), 1..4),
    ) {
        let mut bytes = if bls { vectors::BLS12_381.zkey } else { vectors::BN254.zkey }.to_vec();
        for (at, value, kind) in damage {
            let at = at % bytes.len();
            match kind {
                0 => bytes[at] = value,
                1 => bytes.insert(at, value),
                2 => drop(bytes.remove(at)),
                _ => {
                    let end = bytes.len().min(at + usize::from(value));
                    bytes.extend_from_within(at..end);
                }
            }
        }
        if let Ok(key) = crate::ReadyKey::of_source(Arc::new(bytes)) {
            let _ = key.check(&Control::default());
        }
    }
}
