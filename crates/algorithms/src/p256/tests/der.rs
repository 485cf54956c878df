use proptest::prelude::*;

use super::super::der::{Integers, parse};

fn small(value: u8) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    bytes[31] = value;
    Some(bytes)
}

fn decoded(hex: &str) -> Option<Integers> {
    parse(&hex::decode(hex).expect("hex"))
}

/// Each line is what Go's `asn1.Unmarshal` into `struct{R, S *big.Int}` accepts.
#[test]
fn what_go_accepts() {
    let both = Integers { r: small(1), s: small(2) };
    for (hex, why) in [
        ("3006020101020102", "the plain form"),
        ("3006020101020102ff", "a byte after the sequence"),
        ("30060201010201023006020101020102", "a whole sequence after the sequence"),
        ("30080201010201020500", "a third element inside"),
        ("3007020101020102ff", "an incomplete element inside"),
    ] {
        assert_eq!(decoded(hex).as_ref(), Some(&both), "{why}");
    }
    let long_tail = format!("308180020101020102{}", "00".repeat(0x7a));
    assert_eq!(decoded(&long_tail), Some(both), "a length of one long byte, where needed");
    let two_bytes = format!("30820100020101020102{}", "00".repeat(0xfa));
    assert!(decoded(&two_bytes).is_some(), "a length of two bytes, where needed");
}

#[test]
fn what_go_refuses() {
    for (hex, why) in [
        ("", "nothing"),
        ("30", "no length"),
        ("3006", "no content"),
        ("30060201010201", "cut short"),
        ("3105020101020102", "a set"),
        ("1006020101020102", "a primitive sequence"),
        ("b006020101020102", "another class"),
        ("3080020101020102", "the indefinite length"),
        ("30800201010201020000", "the indefinite length with its end"),
        ("308106020101020102", "a long length below 128"),
        ("30820006020101020102", "a length with leading zeros"),
        ("3084ffffffff020101020102", "a length past the end"),
        ("30ff020101020102", "a length of 127 bytes"),
        ("3003020101", "no S"),
        ("3000", "no integers"),
        ("3006020101030102", "another type for S"),
        ("3006220101020102", "a constructed integer"),
        ("3006020101020202", "S longer than the sequence"),
        ("30050200020102", "an empty R"),
        ("30050201010200", "an empty S"),
        ("300702020001020102", "R with a superfluous zero"),
        ("30070202ff80020102", "R with a superfluous 0xff"),
        ("300702010102020001", "S with a superfluous zero"),
        ("30070281010102010200", "a long length in R"),
        ("3f1006020101020102", "a tag in its long form"),
    ] {
        assert_eq!(decoded(hex), None, "{why}");
    }
    let superfluous = format!("3082007f{}", "00".repeat(0x7f));
    assert_eq!(decoded(&superfluous), None, "two length bytes for 127");
}

/// Go's shift limit: four bytes whose first three reach 2^23 are refused, smaller ones are lengths.
#[test]
fn lengths_end_at_gos_limit() {
    let long = |length: [u8; 4]| {
        let total = u32::from_be_bytes(length) as usize;
        let mut bytes = vec![0x30, 0x84];
        bytes.extend(length);
        bytes.extend([2, 1, 1, 2, 1, 2]);
        bytes.resize(6 + total, 0);
        bytes
    };
    assert!(parse(&long([0x00, 0x01, 0x00, 0x00])).is_none(), "a leading zero");
    assert!(parse(&long([0x01, 0x00, 0x00, 0x00])).is_some());
    assert!(parse(&[0x30, 0x84, 0x80, 0x00, 0x00, 0x00]).is_none());
}

#[test]
fn integers_outside_32_bytes_are_decoded_but_nothing() {
    let largest = format!("302602210 0{}020101", "ff".repeat(32)).replace(' ', "");
    assert_eq!(decoded(&largest), Some(Integers { r: Some([0xff; 32]), s: small(1) }));
    let longer = format!("30260221 01{}020101", "00".repeat(32)).replace(' ', "");
    assert_eq!(decoded(&longer), Some(Integers { r: None, s: small(1) }));
    for hex in ["3006020100020101", "3006020180020101", "30060201ff020101", "30070202ff7f020101"] {
        assert_eq!(decoded(hex), Some(Integers { r: None, s: small(1) }), "{hex}");
    }
    assert_eq!(decoded("30070202008 0020101".replace(' ', "").as_str()).and_then(|both| both.r), small(0x80));
}

proptest! {
    /// Any bytes: no panic. What a strict DER reader takes is taken, with the same numbers.
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..90)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn agrees_with_a_strict_reader(r in any::<[u8; 32]>(), s in any::<[u8; 32]>(), r_zeros in 0..32_usize, tail in 0..4_usize) {
        let mut r = r;
        r[..r_zeros].fill(0);
        let Ok(signature) = ::p256::ecdsa::Signature::from_scalars(r, s) else { return Ok(()) };
        let mut der = signature.to_der().as_bytes().to_vec();
        der.resize(der.len() + tail, 0xaa);
        prop_assert_eq!(parse(&der), Some(Integers { r: Some(r), s: Some(s) }));
    }
}
