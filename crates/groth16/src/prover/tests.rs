mod doubles;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use outrigger_types::Verdict;
use zeroize::Zeroizing;

use super::*;
use crate::engine::EngineChoice;
use crate::formats::json;
use crate::formats::vectors::{self, Vectors};
use crate::formats::wtns;
use crate::setup::{insecure_setup, synthetic};
use crate::{Progress, ReadyKey};
use doubles::{Double, Lie};

/// A circuit of BN254 with everything that belongs to it.
struct Circuit {
    key: ProvingKey<Bn254>,
    r1cs: R1cs,
    witness: Witness,
}

impl Circuit {
    fn new() -> Self {
        let (r1cs, witness) = synthetic(4, outrigger_types::Curve::Bn254);
        let mut zkey = Vec::new();
        insecure_setup(&r1cs, &mut zkey, &Control::default()).unwrap();
        Self { key: ProvingKey::parse(Arc::new(zkey)).unwrap(), r1cs, witness }
    }

    fn prove_with(&self, engine: &Double, reference: &Double, checked: bool) -> Result<Proved, ProveError> {
        self.prove(&self.witness, engine, reference, checked, &Control::default())
    }

    fn prove(
        &self,
        witness: &Witness,
        engine: &Double,
        reference: &Double,
        checked: bool,
        control: &Control,
    ) -> Result<Proved, ProveError> {
        prove(&self.key, witness, checked.then_some(&self.r1cs), engine, &[reference], control)
    }

    /// The witness with a wrong value in the middle: constraint 5 computes wire 9.
    fn bad_witness(&self) -> Witness {
        let mut values = Zeroizing::new(self.witness.values().to_vec());
        values[9] = [1, 2, 3, 4];
        Witness::new(self.witness.curve(), values)
    }

    fn verifies(&self, proof: &Proof) -> bool {
        let key = PreparedKey::new(self.key.verifying_key()).unwrap();
        key.verify(&proof.bytes, &proof.public_signals) == Verdict::Valid
    }
}

fn honest() -> Double {
    Double::new(Lie::None)
}

/// A key that snarkjs's ceremony made, and the verifying key that snarkjs exported, on both curves and engines.
#[test]
fn proves_with_keys_of_snarkjs() {
    for Vectors { zkey, wtns, verifying_key, public, .. } in vectors::ALL {
        let key = ReadyKey::of_source(Arc::new(zkey)).unwrap();
        let witness = wtns::parse(wtns).unwrap();
        let verifier = PreparedKey::new(&json::read_verifying_key(verifying_key.as_bytes()).unwrap()).unwrap();
        for engine in [EngineChoice::Cpu, EngineChoice::Vector, EngineChoice::Reference] {
            let proved = key.prove(&witness, None, &engine, &Control::default()).unwrap();
            assert_eq!(proved.repeated, None);
            assert_eq!(verifier.verify(&proved.proof.bytes, &proved.proof.public_signals), Verdict::Valid);
            assert_eq!(squeezed(&json::write_public(&proved.proof)), squeezed(public));
        }
    }
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

fn proves_synthetic_circuits_on<E: Curve>() {
    for log2_size in [2, 3, 7] {
        let (r1cs, witness) = synthetic(log2_size, E::ID);
        let mut zkey = Vec::new();
        insecure_setup(&r1cs, &mut zkey, &Control::default()).unwrap();
        let key = ReadyKey::of_source(Arc::new(zkey)).unwrap();
        assert_eq!(key.summary().domain, 1 << log2_size);
        assert_eq!(key.check(&Control::default()), Ok(()));
        let proved = key.prove(&witness, Some(&r1cs), &EngineChoice::fastest(), &Control::default()).unwrap();
        assert_eq!(proved.repeated, None);
        assert_eq!(proved.proof.public_signals, witness.public_signals(1));
    }
}

#[test]
fn proves_synthetic_circuits() {
    proves_synthetic_circuits_on::<Bn254>();
    proves_synthetic_circuits_on::<Bls12_381>();
}

#[test]
fn randomness_is_fresh() {
    let circuit = Circuit::new();
    let proofs = [(); 3].map(|()| circuit.prove_with(&honest(), &honest(), false).unwrap().proof);
    let base = proofs[0].curve.base_bytes();
    // Each of A, B and C, not only one of them.
    for range in [0..2 * base, 2 * base..6 * base, 6 * base..8 * base] {
        assert_ne!(proofs[0].bytes[range.clone()], proofs[1].bytes[range.clone()]);
        assert_ne!(proofs[1].bytes[range.clone()], proofs[2].bytes[range.clone()]);
    }
}

#[test]
fn a_lying_engine_is_repeated_on_the_reference_and_named() {
    let circuit = Circuit::new();
    for lie in Lie::REPAIRED {
        for checked in [false, true] {
            let (engine, reference) = (Double::new(lie), honest());
            let proved = circuit.prove_with(&engine, &reference, checked).unwrap();
            assert!(circuit.verifies(&proved.proof), "{lie:?}");
            let reason = proved.repeated.unwrap_or_else(|| panic!("{lie:?} should be told of"));
            assert!(reason.contains("engine double"), "{reason}");
            assert_eq!(reference.calls(), 8, "two products, a quotient, five sums: one try");
        }
    }
}

#[test]
fn stand_ins_are_tried_in_their_order() {
    let circuit = Circuit::new();
    let control = Control::default();
    for (first, second, calls) in [(Lie::None, Lie::None, 0), (Lie::MsmG1, Lie::None, 8), (Lie::Fault, Lie::None, 8)] {
        let stand_ins = [Double::new(first), Double::new(second)];
        let engine = Double::new(Lie::MsmG2);
        let proved = prove(&circuit.key, &circuit.witness, None, &engine, &[&stand_ins[0], &stand_ins[1]], &control);
        assert!(circuit.verifies(&proved.expect("one of them is honest").proof));
        assert_eq!(stand_ins[1].calls(), calls);
    }
}

#[test]
fn an_honest_engine_is_not_repeated() {
    let circuit = Circuit::new();
    let (engine, reference) = (honest(), honest());
    let proved = circuit.prove_with(&engine, &reference, true).unwrap();
    assert_eq!((proved.repeated, engine.calls(), reference.calls()), (None, 8, 0));
}

#[test]
fn a_bad_witness_is_named_by_its_constraint_before_any_engine_works() {
    let circuit = Circuit::new();
    let engine = honest();
    let error = circuit.prove(&circuit.bad_witness(), &engine, &honest(), true, &Control::default()).unwrap_err();
    assert_eq!(error, ProveError::Unsatisfied(Some(5)));
    assert_eq!(engine.calls(), 0);
}

#[test]
fn a_bad_witness_without_constraints_is_no_fault_of_the_engine() {
    let circuit = Circuit::new();
    for lie in [Lie::None, Lie::MsmG1, Lie::Fault, Lie::Panic] {
        let (engine, reference) = (Double::new(lie), honest());
        let error = circuit.prove(&circuit.bad_witness(), &engine, &reference, false, &Control::default());
        assert_eq!(error.unwrap_err(), ProveError::Unsatisfied(None), "{lie:?}");
        assert_eq!(reference.calls(), 8);
    }
}

#[test]
fn two_failures_are_internal_where_the_constraints_hold() {
    let circuit = Circuit::new();
    for (lie, checked) in [(Lie::MsmG2, true), (Lie::Fault, true), (Lie::Fault, false), (Lie::Panic, false)] {
        let error = circuit.prove_with(&Double::new(Lie::MsmG1), &Double::new(lie), checked).unwrap_err();
        assert!(matches!(error, ProveError::Internal(_)), "{lie:?}: {error}");
    }
}

#[test]
fn witnesses_of_another_shape_are_refused() {
    let circuit = Circuit::new();
    let values = circuit.witness.values();
    let of = |curve, values: &[[u64; 4]]| Witness::new(curve, Zeroizing::new(values.to_vec()));
    let curve = circuit.witness.curve();
    let mut not_one = values.to_vec();
    not_one[0] = [2, 0, 0, 0];
    for (witness, why) in [
        (of(curve, &values[1..]), "the witness has 16 values, the circuit 17 wires"),
        (of(curve, &[values, &[[0; 4]]].concat()), "18 values"),
        (of(curve, &[]), "0 values"),
        (of(outrigger_types::Curve::Bls12_381, values), "over bls12-381"),
        (of(curve, &not_one), "constant 1"),
    ] {
        let error = circuit.prove(&witness, &honest(), &honest(), true, &Control::default()).unwrap_err();
        assert!(matches!(&error, ProveError::Witness(what) if what.contains(why)), "{error} should say {why}");
    }
}

#[test]
fn an_r1cs_of_another_circuit_is_our_fault() {
    let mut circuit = Circuit::new();
    circuit.r1cs = synthetic(5, outrigger_types::Curve::Bn254).0;
    let error = circuit.prove_with(&honest(), &honest(), true).unwrap_err();
    assert!(matches!(&error, ProveError::Internal(what) if what.contains("different circuits")), "{error}");
}

#[test]
fn a_stop_is_neither_repeated_nor_blamed_on_anyone() {
    let circuit = Circuit::new();
    let reference = honest();
    let cancelled = circuit.prove_with(&Double::new(Lie::Cancel), &reference, true).unwrap_err();
    assert_eq!(cancelled, ProveError::Stopped(Stop::Cancelled));
    let engine = honest();
    let expired = Control::default().with_deadline(Some(Instant::now()));
    for checked in [false, true] {
        let error = circuit.prove(&circuit.witness, &engine, &reference, checked, &expired).unwrap_err();
        assert_eq!(error, ProveError::Stopped(Stop::Expired));
    }
    assert_eq!((engine.calls(), reference.calls()), (0, 0));
}

/// What a proof tells of itself, with the double's lie.
fn told(circuit: &Circuit, lie: Lie) -> Vec<Progress> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&told);
    let control = Control::default().with_report(move |progress| ear.lock().unwrap().push(progress));
    circuit.prove(&circuit.witness, &Double::new(lie), &honest(), true, &control).unwrap();
    drop(control);
    Arc::into_inner(told).unwrap().into_inner().unwrap()
}

#[test]
fn progress_rises_through_the_stages() {
    let circuit = Circuit::new();
    let told_once = told(&circuit, Lie::None);
    assert_eq!(told_once[0], Progress { stage: Stage::Check, percent: 0 });
    assert_eq!(told_once.last().unwrap().stage, Stage::Verify);
    assert!(told_once.is_sorted_by_key(|progress| progress.percent), "{told_once:?}");
    assert!(told_once.is_sorted_by_key(|progress| progress.stage), "{told_once:?}");
    assert!(told_once.iter().all(|progress| progress.percent <= 100));
    // A second try begins anew, and rises again.
    let repeated = told(&circuit, Lie::MsmG1);
    let second = &repeated[told_once.len()..];
    assert_eq!(second[0], Progress { stage: Stage::SparseProduct, percent: 0 });
    assert!(second.is_sorted_by_key(|progress| progress.percent), "{second:?}");
}

#[test]
fn every_stage_is_timed() {
    let circuit = Circuit::new();
    let proved = circuit.prove_with(&honest(), &honest(), true).unwrap();
    let stages: Vec<Stage> = proved.timings.iter().map(|(stage, _)| stage).collect();
    assert_eq!(stages, Stage::ALL[1..], "the witness was made before");
}

#[test]
fn scalars_are_spread_over_the_field() {
    let drawn: Vec<_> = (0..64).map(|_| *randomness::scalar::<ark_bn254::Fr>().unwrap()).collect();
    let top = |scalar: &ark_bn254::Fr| crate::curve::RawScalar::plain_limbs(scalar)[3];
    // 31 random bytes, as some provers draw, would leave the highest bits empty.
    assert!(drawn.iter().any(|scalar| top(scalar) >> 60 != 0), "of 64, all below 2^252: a chance of 2^-100");
    let distinct: std::collections::HashSet<_> = drawn.iter().collect();
    assert_eq!(distinct.len(), 64);
}

#[test]
fn many_proofs_fail_each_by_itself() {
    let circuit = Circuit::new();
    let (bad, good) = (circuit.bad_witness(), &circuit.witness);
    let (control, cancelled) = (Control::default(), Control::default());
    cancelled.cancel();
    let wanted = [(good, &control), (&bad, &control), (good, &cancelled), (good, &control), (good, &control)]
        .map(|(witness, control)| Wanted { witness, control });
    for r1cs in [None, Some(&circuit.r1cs)] {
        let (engine, reference) = (honest(), honest());
        let proved = prove_many(&circuit.key, &wanted, r1cs, &engine, &[&reference]);
        assert_eq!(proved.len(), wanted.len());
        for i in [0, 3, 4] {
            let proved = proved[i].as_ref().expect("a good witness");
            assert!(circuit.verifies(&proved.proof) && proved.repeated.is_none());
        }
        let expected = if r1cs.is_some() { Some(5) } else { None };
        assert_eq!(proved[1].as_ref().unwrap_err(), &ProveError::Unsatisfied(expected));
        assert_eq!(proved[2].as_ref().unwrap_err(), &ProveError::Stopped(Stop::Cancelled));
        // The bad one is tried on the reference where nothing else says what is wrong with it.
        assert_eq!(reference.calls(), if r1cs.is_some() { 0 } else { 8 });
    }
    assert!(prove_many(&circuit.key, &[], None, &honest(), &[&honest()]).is_empty());
}

#[test]
fn many_proofs_of_a_lying_engine_are_all_repeated() {
    let circuit = Circuit::new();
    let control = Control::default();
    let wanted = [Wanted { witness: &circuit.witness, control: &control }; 3];
    let proved = prove_many(&circuit.key, &wanted, None, &Double::new(Lie::MsmG1), &[&honest()]);
    for proved in proved {
        let proved = proved.expect("the reference does not lie");
        assert!(circuit.verifies(&proved.proof) && proved.repeated.is_some());
    }
}
