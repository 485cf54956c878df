use std::sync::Arc;

use ark_ff::UniformRand;
use ark_std::test_rng;
use zeroize::Zeroizing;

use super::*;
use crate::engine::EngineChoice;
use crate::formats::r1cs::Term as Combination;
use crate::formats::wtns;
use crate::{FormatError, PreparedKey, ReadyKey, Stop, Witness};

const CURVES: [CurveId; 2] = CurveId::ALL;
const ONE: [u64; 4] = [1, 0, 0, 0];

fn key_of(r1cs: &R1cs) -> ReadyKey {
    let mut zkey = Vec::new();
    insecure_setup(r1cs, &mut zkey, &Control::default()).unwrap();
    ReadyKey::of_source(Arc::new(zkey)).unwrap()
}

fn proves(r1cs: &R1cs, witness: &Witness) {
    let key = key_of(r1cs);
    assert_eq!(key.check(&Control::default()), Ok(()), "{r1cs:?}");
    let proved = key.prove(witness, Some(r1cs), &EngineChoice::Reference, &Control::default());
    assert_eq!(proved.expect("a proof").repeated, None, "{r1cs:?}");
}

/// A circuit of `constraints` squarings 1·1 = 1 over `public` public inputs that are all one, and as many private
/// wires: with a witness of ones, every shape of rows can be had.
fn ones(curve: CurveId, constraints: usize, public: usize, private: usize) -> Result<(R1cs, Witness), FormatError> {
    let wires = 1 + public + private;
    let mut r1cs = R1cs::new(curve, wires, 0, public, private)?;
    for i in 0..constraints {
        let term = |shift: usize| -> [Combination; 1] { [(((i + shift) % wires) as u32, ONE)] };
        r1cs.push(&term(0), &term(1), &term(2))?;
    }
    Ok((r1cs, Witness::new(curve, Zeroizing::new(vec![ONE; wires]))))
}

#[test]
fn domains_are_those_of_snarkjs() {
    // 2^(⌊log2(constraints + public signals)⌋ + 1): `cirPower` in snarkjs's zkey_new.js.
    for (constraints, public, size) in
        [(1, 0, 2), (2, 0, 4), (3, 0, 4), (2, 1, 4), (4, 0, 8), (3, 1, 8), (1, 14, 16), (9, 7, 32)]
    {
        let (r1cs, _) = ones(CurveId::Bn254, constraints, public, 3).unwrap();
        assert_eq!(Domain::<ark_bn254::Fr>::of::<Bn254>(&r1cs).unwrap().size, size, "{constraints} and {public}");
    }
}

#[test]
fn circuits_of_every_shape_are_proved() {
    for curve in CURVES {
        for (constraints, public, private) in
            [(1, 0, 0), (1, 0, 1), (1, 5, 0), (3, 1, 2), (4, 0, 9), (7, 1, 1), (8, 8, 3), (2, 0, 40)]
        {
            let (r1cs, witness) = ones(curve, constraints, public, private).unwrap();
            proves(&r1cs, &witness);
        }
    }
}

#[test]
fn a_circuit_of_circom_is_proved() {
    for (r1cs, witness) in [
        (
            &include_bytes!("../../vectors/polynomial/polynomial-bn128.r1cs")[..],
            &include_bytes!("../../vectors/polynomial/polynomial-bn128.wtns")[..],
        ),
        (
            include_bytes!("../../vectors/polynomial/polynomial-bls12381.r1cs"),
            include_bytes!("../../vectors/polynomial/polynomial-bls12381.wtns"),
        ),
    ] {
        proves(&R1cs::parse(r1cs).unwrap(), &wtns::parse(witness).unwrap());
    }
}

#[test]
fn two_setups_share_nothing() {
    let (r1cs, witness) = synthetic(3, CurveId::Bn254);
    let (one, other) = (key_of(&r1cs), key_of(&r1cs));
    assert_ne!(one.verifying_key().bytes, other.verifying_key().bytes);
    let proof = one.prove(&witness, None, &EngineChoice::Reference, &Control::default()).unwrap().proof;
    let verdict =
        |key: &ReadyKey| PreparedKey::new(key.verifying_key()).unwrap().verify(&proof.bytes, &proof.public_signals);
    assert_eq!(verdict(&one), outrigger_types::Verdict::Valid);
    assert_eq!(verdict(&other), outrigger_types::Verdict::Invalid);
}

#[test]
fn a_stop_ends_it() {
    let (r1cs, _) = synthetic(6, CurveId::Bn254);
    let control = Control::default();
    control.cancel();
    let error = insecure_setup(&r1cs, &mut Vec::new(), &control).unwrap_err();
    let stop = error.get_ref().and_then(|inner| inner.downcast_ref::<Stop>());
    assert_eq!(stop, Some(&Stop::Cancelled), "{error}");
}

#[test]
fn a_small_file_cannot_ask_for_much_memory() {
    let r1cs = R1cs::new(CurveId::Bn254, u32::MAX as usize, 0, 0, 0).unwrap();
    let error = insecure_setup(&r1cs, &mut Vec::new(), &Control::default()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

fn lagrange_terms_interpolate<E: Curve>() {
    let (r1cs, _) = synthetic(3, E::ID);
    let domain = Domain::<E::ScalarField>::of::<E>(&r1cs).unwrap();
    let tau = E::ScalarField::rand(&mut test_rng());
    // A polynomial of full degree, by its values on the domain and at tau.
    let value = |x: E::ScalarField| (0..8u64).map(|i| x.pow([i]) * E::ScalarField::from(i * i + 1)).sum();
    let at_places: Vec<E::ScalarField> = places::<E>(domain.size).into_iter().map(value).collect();
    let terms = domain.lagrange(tau, &Control::default()).unwrap();
    let sum: E::ScalarField = terms.iter().zip(&at_places).map(|(term, value)| *term * value).sum();
    assert_eq!(sum, value(tau));
}

/// The powers of a root of unity of this order.
fn places<E: Curve>(order: usize) -> Vec<E::ScalarField> {
    let two_adicity = <E::ScalarField as ark_ff::FftField>::TWO_ADICITY;
    let root = E::root_of_unity().pow([1u64 << (two_adicity - order.ilog2())]);
    (0..order as u64).map(|i| root.pow([i])).collect()
}

#[test]
fn lagrange_terms_interpolate_on_both_curves() {
    lagrange_terms_interpolate::<Bn254>();
    lagrange_terms_interpolate::<Bls12_381>();
}
