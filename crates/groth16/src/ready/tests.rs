use std::io::Write;

use super::*;
use crate::formats::vectors;

#[test]
fn the_curve_is_found_by_the_prime() {
    for vectors in vectors::ALL {
        let key = ReadyKey::of_source(Arc::new(vectors.zkey)).expect("a good key");
        assert_eq!(key.summary().curve, vectors.curve);
        assert_eq!(key.verifying_key().curve, vectors.curve);
        assert_eq!(key.check(&Control::default()), Ok(()));
        assert!(key.memory_bytes() > 0);
    }
}

#[test]
fn a_key_is_mapped() {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(vectors::BN254.zkey).expect("a write");
    let key = ReadyKey::open(file.path()).expect("a good key");
    drop(file);
    assert_eq!(key.check(&Control::default()), Ok(()));
}

#[test]
fn a_missing_file_is_named() {
    let error = ReadyKey::open(Path::new("/no/such/key.zkey")).expect_err("no file");
    assert!(matches!(&error, KeyError::Io(what) if what.contains("/no/such/key.zkey")), "{error}");
}

#[test]
fn an_unknown_prime_is_refused() {
    let mut bytes = vectors::BN254.zkey.to_vec();
    // File header 12, section 1 of 16, header of section 2 of 12, bytes of q 4: then q.
    bytes[44] ^= 2;
    let error = ReadyKey::of_source(Arc::new(bytes)).expect_err("an unknown curve");
    assert!(error.to_string().contains("its prime is 0x30644e72"), "{error}");
}

#[test]
fn other_protocols_are_refused_by_name() {
    for (protocol, name) in [(2, "PLONK"), (10, "FFLONK"), (7, "unknown")] {
        let mut bytes = vectors::BN254.zkey.to_vec();
        bytes[24] = protocol;
        let error = ReadyKey::of_source(Arc::new(bytes)).expect_err("another protocol");
        assert!(error.to_string().contains(name), "{error}");
    }
}
