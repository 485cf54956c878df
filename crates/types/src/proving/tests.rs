use super::*;

#[test]
fn a_circuit_is_read_back() {
    let circuit = CircuitId(std::array::from_fn(|i| i as u8 * 7));
    assert_eq!(circuit.to_string().parse(), Ok(circuit));
    assert_eq!(format!("0x{circuit}").to_uppercase().replace("0X", "0x").parse(), Ok(circuit));
}

#[test]
fn what_is_no_circuit_is_refused() {
    for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
        assert!(text.parse::<CircuitId>().is_err(), "{text}");
    }
}

#[test]
fn a_key_tells_its_public_signals() {
    for (curve, base) in [(Curve::Bn254, 32), (Curve::Bls12_381, 48)] {
        let of = |bytes: usize| ProofKey::new(curve, vec![0; bytes].into()).public_signals();
        assert_eq!(of(16 * base), Some(0));
        assert_eq!(of(20 * base), Some(2));
        assert_eq!(of(14 * base), None);
        assert_eq!(of(16 * base + 1), None);
        assert_eq!(of(0), None);
    }
}
