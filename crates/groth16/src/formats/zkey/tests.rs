use std::ops::Range;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;

use super::*;
use crate::curve::{Curve, Points, RawField, RawPoint, RawPoints, RawScalar};
use crate::formats::sections::SectionFile;
use crate::formats::vectors::{self, Vectors};

/// Takes a key of snarkjs apart and writes it again: the same bytes, but for the contributions.
fn writes_what_snarkjs_wrote<E: Curve>(vectors: &Vectors) {
    let bytes = vectors.zkey;
    let layout = Layout::<E>::parse(bytes).expect("a good key");
    let g1 = |range: &Range<usize>| points::<E::G1Affine>(&bytes[range.clone()]);
    let terms: Vec<_> = bytes[layout.terms.clone()].chunks_exact(TERM_BYTES).map(term::<E::ScalarField>).collect();
    let file = SectionFile::parse(bytes, FORMAT, MAGIC, VERSION).expect("a good file");
    let contributions = file.section(section::CONTRIBUTIONS).expect("section 10");
    let parts = ZkeyParts::<E> {
        public_signals: layout.public_signals as u32,
        domain: layout.domain as u32,
        alpha1: layout.alpha1,
        beta1: layout.beta1,
        beta2: layout.beta2,
        gamma2: layout.gamma2,
        delta1: layout.delta1,
        delta2: layout.delta2,
        ic: &layout.ic,
        terms: &terms,
        a: &g1(&layout.a),
        b1: &g1(&layout.b1),
        b2: &points::<E::G2Affine>(&bytes[layout.b2.clone()]),
        c: &g1(&layout.c),
        h: &g1(&layout.h),
        circuit_hash: contributions[..64].try_into().expect("64 bytes"),
    };
    let mut written = Vec::new();
    write(&parts, &mut written).expect("into memory");
    let ours = SectionFile::parse(&written, FORMAT, MAGIC, VERSION).expect("a good file");
    for id in 1..=9 {
        assert_eq!(ours.section(id), file.section(id), "section {id}");
    }
    let fresh = SectionFile::parse(vectors.fresh_zkey, FORMAT, MAGIC, VERSION).expect("a good file");
    assert_eq!(ours.section(10), fresh.section(10));
    assert_eq!(ours.ids().collect::<Vec<_>>(), fresh.ids().collect::<Vec<_>>());
    let short = ZkeyParts { h: &parts.h[1..], ..parts };
    assert!(write(&short, &mut Vec::new()).is_err());
}

fn points<A: RawPoint<BaseField: RawField>>(bytes: &[u8]) -> Vec<A> {
    let points = RawPoints::<A>::new(bytes);
    (0..points.len()).map(|i| points.point(i)).collect()
}

fn term<F: RawScalar>(bytes: &[u8]) -> Term<F> {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let stored = F::from_montgomery(&bytes[12..]).expect("below r");
    // Stored times R², as a Montgomery form the element times R; one more division by R.
    let value = stored * F::from_raw_limbs([1, 0, 0, 0]);
    let matrix = if number(0) == 0 { Matrix::A } else { Matrix::B };
    Term { matrix, row: number(4), wire: number(8), value }
}

#[test]
fn a_key_is_written_as_snarkjs_writes_it() {
    writes_what_snarkjs_wrote::<Bn254>(&vectors::BN254);
    writes_what_snarkjs_wrote::<Bls12_381>(&vectors::BLS12_381);
}
