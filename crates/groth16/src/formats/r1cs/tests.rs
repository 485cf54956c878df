use ark_ff::{BigInt, PrimeField};
use zeroize::Zeroizing;

use super::*;
use crate::formats::wtns;
use crate::setup::synthetic;

const POLYNOMIAL: [(Curve, &[u8], &[u8]); 2] = [
    (
        Curve::Bn254,
        include_bytes!("../../../vectors/polynomial/polynomial-bn128.r1cs"),
        include_bytes!("../../../vectors/polynomial/polynomial-bn128.wtns"),
    ),
    (
        Curve::Bls12_381,
        include_bytes!("../../../vectors/polynomial/polynomial-bls12381.r1cs"),
        include_bytes!("../../../vectors/polynomial/polynomial-bls12381.wtns"),
    ),
];
/// Where the sections of the files above lie: their order is circom's.
const FILE_HEADER_BYTES: usize = 12;
const SECTION_HEADER_BYTES: usize = 12;

/// Where the contents of a section begin.
fn offset_of(file: &[u8], id: u32) -> usize {
    let mut at = FILE_HEADER_BYTES;
    loop {
        let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        if number(at) == id {
            return at + SECTION_HEADER_BYTES;
        }
        at += SECTION_HEADER_BYTES + number(at + 4) as usize;
    }
}

fn with_u32(file: &[u8], at: usize, number: u32) -> Vec<u8> {
    let mut file = file.to_vec();
    file[at..at + 4].copy_from_slice(&number.to_le_bytes());
    file
}

fn changed(witness: &Witness, wire: usize, value: PlainScalar) -> Witness {
    let mut values = Zeroizing::new(witness.values().to_vec());
    values[wire] = value;
    Witness::new(witness.curve(), values)
}

fn refused(file: &[u8], why: &str) {
    let error = R1cs::parse(file).expect_err(why);
    assert!(error.message.contains(why), "{error} should say: {why}");
}

#[test]
fn reads_what_circom_writes() {
    for (curve, file, _) in POLYNOMIAL {
        let r1cs = R1cs::parse(file).unwrap();
        assert_eq!(r1cs.curve, curve);
        let numbers = (r1cs.wires, r1cs.public_outputs, r1cs.public_inputs, r1cs.private_inputs);
        assert_eq!(numbers, (9, 2, 1, 1), "snarkjs r1cs info");
        assert_eq!(r1cs.constraints(), 6);
    }
}

#[test]
fn accepts_the_witness_of_snarkjs_and_names_the_first_failure() {
    for (_, file, witness) in POLYNOMIAL {
        let (r1cs, witness) = (R1cs::parse(file).unwrap(), wtns::parse(witness).unwrap());
        assert_eq!(r1cs.check(&witness, &Control::default()), Ok(Ok(())));
        for wire in 1..r1cs.wires {
            let bad_witness = changed(&witness, wire, [1234, 5, 6, 7]);
            let bad = r1cs.check(&bad_witness, &Control::default()).unwrap();
            assert_eq!(bad.err().map(|error| error.constraint), first_failure(&r1cs, &bad_witness), "wire {wire}");
        }
    }
}

/// The definition, over arkworks' conversions alone.
fn first_failure(r1cs: &R1cs, witness: &Witness) -> Option<usize> {
    fn over<F: PrimeField<BigInt = BigInt<4>>>(r1cs: &R1cs, witness: &Witness) -> Option<usize> {
        let element = |limbs: &PlainScalar| F::from_bigint(BigInt(*limbs)).unwrap();
        let value = |matrix: usize, row: usize| -> F {
            let terms = r1cs.row(matrix, row).iter();
            terms
                .map(|(wire, number)| {
                    element(&r1cs.coefficients()[*number as usize]) * element(&witness.values()[*wire as usize])
                })
                .sum()
        };
        (0..r1cs.constraints()).find(|row| value(0, *row) * value(1, *row) != value(2, *row))
    }
    match r1cs.curve {
        Curve::Bn254 => over::<ark_bn254::Fr>(r1cs, witness),
        Curve::Bls12_381 => over::<ark_bls12_381::Fr>(r1cs, witness),
    }
}

#[test]
fn the_smallest_index_is_named_however_many_fail() {
    let (r1cs, witness) = synthetic(13, Curve::Bn254);
    assert_eq!(r1cs.check(&witness, &Control::default()), Ok(Ok(())));
    // x_{i+2} is wire 4 + i; it is the result of constraint i, and a factor of those after.
    for first in [0, 1, 1023, 1024, 1025, 4000, 8188] {
        let mut values = Zeroizing::new(witness.values().to_vec());
        for later in [first, first + 1, 5000, 8000, 8188] {
            values[4 + later.clamp(first, 8188)] = [later as u64, 1, 2, 3];
        }
        let bad = r1cs.check(&Witness::new(Curve::Bn254, values), &Control::default()).unwrap();
        assert_eq!(bad, Err(Unsatisfied { constraint: first }));
    }
}

#[test]
fn a_witness_of_another_length_panics_nowhere() {
    let (r1cs, witness) = synthetic(4, Curve::Bls12_381);
    for length in 0..witness.values().len() {
        let short = Witness::new(witness.curve(), Zeroizing::new(witness.values()[..length].to_vec()));
        assert!(r1cs.check(&short, &Control::default()).unwrap().is_err(), "{length} values");
    }
}

#[test]
fn a_cancelled_check_ends() {
    let (r1cs, witness) = synthetic(6, Curve::Bn254);
    let control = Control::default();
    control.cancel();
    assert_eq!(r1cs.check(&witness, &control), Err(Stop::Cancelled));
}

#[test]
fn writes_what_it_reads() {
    for (_, file, _) in POLYNOMIAL {
        let mut written = Vec::new();
        R1cs::parse(file).unwrap().write(&mut written).unwrap();
        assert_eq!(written.len(), file.len());
        for (id, length) in [(1, 64), (2, 6 * 12)] {
            let (theirs, ours) = (offset_of(file, id), offset_of(&written, id));
            assert_eq!(file[theirs - 8..theirs + length], written[ours - 8..ours + length], "section {id}");
        }
        let mut again = Vec::new();
        R1cs::parse(&written).unwrap().write(&mut again).unwrap();
        assert_eq!(written, again);
    }
}

#[test]
fn refuses_files_that_are_cut_short_anywhere() {
    for (_, file, _) in POLYNOMIAL {
        for length in 0..file.len() {
            assert!(R1cs::parse(&file[..length]).is_err(), "{length} bytes");
        }
    }
}

#[test]
fn counts_lead_to_no_allocation() {
    let (_, file, _) = POLYNOMIAL[0];
    let (header, constraints) = (offset_of(file, 1), offset_of(file, 2));
    refused(&with_u32(file, header + 60, u32::MAX), "do not fit");
    refused(&with_u32(file, header + 60, 7), "ends early");
    refused(&with_u32(file, header + 60, 5), "too long");
    refused(&with_u32(file, constraints, u32::MAX), "reaches past the end");
    refused(&with_u32(file, header + 36, u32::MAX), "labels");
}

#[test]
fn refuses_wires_and_coefficients_out_of_range() {
    for (curve, file, _) in POLYNOMIAL {
        let constraints = offset_of(file, 2);
        refused(&with_u32(file, constraints + 4, 9), "names wire 9");
        let order = scalar_modulus(curve);
        let mut bad = file.to_vec();
        for (chunk, limb) in bad[constraints + 8..constraints + 40].chunks_exact_mut(8).zip(order) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        refused(&bad, "not below the order");
    }
}

#[test]
fn refuses_other_fields_and_shapes() {
    let (_, file, _) = POLYNOMIAL[0];
    let header = offset_of(file, 1);
    refused(&with_u32(file, header, 8), "a field of 8 bytes");
    refused(&with_u32(file, header + 4, 3), "prime");
    refused(&with_u32(file, header + 40, 9), "cannot hold");
    refused(&with_u32(file, header + 40, u32::MAX), "cannot hold");
    refused(&with_u32(file, 4, 2), "version");
    refused(&[b"wtns", &file[4..]].concat(), "begin");
}

#[test]
fn refuses_custom_gates() {
    let (_, file, _) = POLYNOMIAL[0];
    let gates = [&with_u32(file, 8, 4)[..], &4u32.to_le_bytes(), &4u64.to_le_bytes(), &[0; 4]].concat();
    refused(&gates, "custom gates");
}

#[test]
fn labels_may_be_absent() {
    let (_, file, _) = POLYNOMIAL[0];
    let labels = offset_of(file, 3) - SECTION_HEADER_BYTES;
    let without = [&file[..labels], &file[labels + SECTION_HEADER_BYTES + 72..]].concat();
    assert_eq!(R1cs::parse(&with_u32(&without, 8, 2)).unwrap().constraints(), 6);
}

#[test]
fn a_key_of_another_shape_does_not_fit() {
    let (r1cs, _) = synthetic(5, Curve::Bn254);
    let of = |curve, wires, public_signals, domain| KeySummary {
        curve,
        wires,
        public_signals,
        domain,
        constraints: 30,
        bytes: 0,
    };
    assert_eq!(r1cs.fits(&of(Curve::Bn254, 33, 1, 32)), Ok(()));
    for other in [
        of(Curve::Bls12_381, 33, 1, 32),
        of(Curve::Bn254, 34, 1, 32),
        of(Curve::Bn254, 33, 2, 32),
        of(Curve::Bn254, 33, 1, 16),
    ] {
        assert!(r1cs.fits(&other).is_err(), "{other:?}");
    }
}
