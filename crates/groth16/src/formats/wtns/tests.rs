use super::*;
use crate::formats::vectors;

#[test]
fn what_snarkjs_wrote_is_written_again() {
    for vectors in vectors::ALL {
        let witness = parse(vectors.wtns).expect("a good witness");
        assert_eq!(witness.curve(), vectors.curve);
        assert_eq!(witness.values()[0], [1, 0, 0, 0]);
        assert_eq!(write(&witness).as_slice(), vectors.wtns);
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = vectors::BN254.wtns;
    for end in 0..bytes.len() {
        assert!(parse(&bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn no_changed_byte_panics() {
    for at in 0..vectors::BN254.wtns.len() {
        let mut bytes = vectors::BN254.wtns.to_vec();
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            let _ = parse(&bytes);
        }
    }
}

#[test]
fn a_value_of_the_order_is_refused_and_one_less_is_not() {
    for vectors in vectors::ALL {
        let order = scalar_prime(vectors.curve);
        let mut bytes = vectors.wtns.to_vec();
        let last = bytes.len() - SCALAR_BYTES;
        bytes[last..].copy_from_slice(&order);
        let error = parse(&bytes).expect_err("a value too large");
        assert!(error.message.contains("not below the order"), "{error}");
        bytes[last] -= 1;
        assert_eq!(write(&parse(&bytes).expect("r - 1")).as_slice(), bytes);
    }
}

#[test]
fn counts_that_do_not_fit_are_refused() {
    let good = vectors::BN254.wtns;
    let at = 12 + 12 + 4 + SCALAR_BYTES;
    for count in [0, good[at] - 1, good[at] + 1, 0xFF] {
        let mut bytes = good.to_vec();
        bytes[at] = count;
        assert!(parse(&bytes).is_err(), "{count} values");
    }
    let mut bytes = good.to_vec();
    bytes[at..at + 4].fill(0xFF);
    assert!(parse(&bytes).is_err());
}

#[test]
fn another_prime_is_refused_by_its_name() {
    let mut bytes = Vec::new();
    write_file_header(MAGIC, VERSION, 2, &mut bytes);
    write_section_header(HEADER, 16, &mut bytes);
    bytes.extend_from_slice(&8u32.to_le_bytes());
    bytes.extend_from_slice(&0xFFFF_FFFF_0000_0001u64.to_le_bytes());
    bytes.extend_from_slice(&0u32.to_le_bytes());
    write_section_header(VALUES, 0, &mut bytes);
    assert!(parse(&bytes).expect_err("an unknown curve").message.contains("goldilocks"));
}

#[test]
fn no_error_and_no_debug_tells_a_value() {
    let witness = parse(vectors::BN254.wtns).expect("a good witness");
    assert_eq!(format!("{witness:?}"), "Witness { curve: Bn254, wires: 6 }");
}
