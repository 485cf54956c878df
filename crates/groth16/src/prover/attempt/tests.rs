//! Every intermediate of a proof, with r and s that are fixed: the engines' equal the reference's.

use std::sync::Arc;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ff::UniformRand;
use outrigger_vector::Unit;

use super::*;
use crate::engine::cpu::CpuArithmetic;
use crate::engine::reference::ReferenceArithmetic;
use crate::engine::vector::VectorArithmetic;
use crate::engine::{PlainScalar, Summands, Tuning, tune};
use crate::formats::vectors::{self, Vectors};
use crate::formats::wtns;
use crate::setup::{insecure_setup, synthetic};

/// What an engine computes on the way to a proof.
#[derive(Debug, PartialEq)]
struct Intermediates<E: Curve> {
    products: [Vec<E::ScalarField>; 2],
    quotient: Vec<PlainScalar>,
    sums_in_g1: [E::G1; 4],
    sum_in_g2: E::G2,
    proof: Proof,
}

fn intermediates<E: Curve>(key: &ProvingKey<E>, witness: &Witness, engine: &dyn Arithmetic<E>) -> Intermediates<E> {
    let control = Control::default();
    let verifier = PreparedKey::new(key.verifying_key()).unwrap();
    let attempt = Attempt::new(key, witness, &control);
    let watch = &mut Watch { control: &control, timings: &mut Timings::default(), told: &|_, _| () };
    let products = [&key.a, &key.b]
        .map(|rows| engine.sparse_product(rows, witness.values(), key.summary.domain, &control).unwrap());
    let quotient = engine.quotient_of(key, witness.values(), watch).unwrap();
    let summands = Summands { key, witness: witness.values(), quotient: &quotient };
    let sums = engine.sums(&summands, watch).unwrap();
    let rng = &mut ark_std::test_rng();
    let [r, s] = [(); 2].map(|()| Zeroizing::new(E::ScalarField::rand(rng)));
    let blinding = Blinding { key, r, s };
    let proof = attempt.assemble(&sums, &blinding, &blinding.multiply());
    assert_eq!(verifier.verify(&proof.bytes, &proof.public_signals), Verdict::Valid, "{}", engine.name());
    Intermediates {
        products,
        quotient: quotient.to_vec(),
        sums_in_g1: [*sums.a, *sums.b1, *sums.c, *sums.h],
        sum_in_g2: *sums.b2,
        proof,
    }
}

fn engines_agree<E: Curve>(zkey: Vec<u8>, witness: &Witness) {
    let key = ProvingKey::<E>::parse(Arc::new(zkey)).unwrap();
    let expected = intermediates(&key, witness, &ReferenceArithmetic);
    let mut engines: Vec<Box<dyn Arithmetic<E>>> =
        vec![Box::new(CpuArithmetic), Box::new(VectorArithmetic::new(Unit::PORTABLE))];
    match Unit::detect() {
        Some(unit) => engines.push(Box::new(VectorArithmetic::new(unit))),
        None => eprintln!("NOT RUN: engine vector on AVX-512, which this processor does not have"),
    }
    for engine in engines {
        assert_eq!(intermediates(&key, witness, &*engine), expected, "{}", engine.name());
    }
}

#[test]
fn engines_agree_on_circuits_of_circom() {
    for Vectors { zkey, wtns, .. } in vectors::ALL {
        let witness = wtns::parse(wtns).unwrap();
        match witness.curve() {
            outrigger_types::Curve::Bn254 => engines_agree::<Bn254>(zkey.to_vec(), &witness),
            outrigger_types::Curve::Bls12_381 => engines_agree::<Bls12_381>(zkey.to_vec(), &witness),
        }
    }
}

fn engines_agree_on_synthetic_circuits<E: Curve>() {
    for log2_size in [2, 5, 9] {
        engines_agree_on_a_chain::<E>(log2_size);
    }
}

fn engines_agree_on_a_chain<E: Curve>(log2_size: u32) {
    let (r1cs, witness) = synthetic(log2_size, E::ID);
    let mut zkey = Vec::new();
    insecure_setup(&r1cs, &mut zkey, &Control::default()).unwrap();
    engines_agree::<E>(zkey, &witness);
}

/// The tuning is that of the whole process; tests beside this one meet it too, and none may notice.
#[test]
fn engines_agree_where_memory_is_spared() {
    tune(Tuning { large_domain_min: 2, ..Tuning::default() });
    for log2_size in [3, 8] {
        engines_agree_on_a_chain::<Bn254>(log2_size);
    }
    tune(Tuning::default());
}

#[test]
fn engines_agree_on_synthetic_circuits_of_bn254() {
    engines_agree_on_synthetic_circuits::<Bn254>();
}

#[test]
fn engines_agree_on_synthetic_circuits_of_bls12_381() {
    engines_agree_on_synthetic_circuits::<Bls12_381>();
}
