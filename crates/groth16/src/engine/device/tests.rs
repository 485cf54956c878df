//! Whole proofs on a device in this process: what it computes, and what becomes of a proof where it fails.

mod doubles;

use std::sync::Arc;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use outrigger_device_host::HostDevice;
use outrigger_types::Verdict;
use tempfile::NamedTempFile;

use self::doubles::{Fault, InProcess};
use super::calls::{Call, Task};
use super::here::device;
use super::key::DeviceKey;
use super::provers::Provers;
use super::quotient::{Roots, read_elements, read_scalars};
use super::remote::{RemoteEngine, WRONG_MAX};
use super::sums::SumTuning;
use crate::curve::Curve;
use crate::engine::cpu::CpuArithmetic;
use crate::engine::reference::ReferenceArithmetic;
use crate::engine::{Arithmetic, ProofEngine, Watch};
use crate::formats::vectors::{self, Vectors};
use crate::formats::wtns;
use crate::key::MappedFile;
use crate::prover::{Proved, Wanted, prove, prove_many};
use crate::setup::{insecure_setup, synthetic};
use crate::{Control, PreparedKey, ProveError, ProvingKey, Stop, Timings, Witness};

/// A key in a file, and a witness for it.
struct Circuit<E: Curve> {
    key: Arc<ProvingKey<E>>,
    witness: Witness,
    _file: NamedTempFile,
}

impl<E: Curve> Circuit<E> {
    fn synthetic(log2_size: u32) -> Self {
        let (r1cs, witness) = synthetic(log2_size, E::ID);
        let mut zkey = Vec::new();
        insecure_setup(&r1cs, &mut zkey, &Control::default()).unwrap();
        Self::of(&zkey, witness)
    }

    fn of(zkey: &[u8], witness: Witness) -> Self {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), zkey).unwrap();
        let mapping = outrigger_mapping::Mapping::open(file.path()).unwrap();
        let source = Arc::new(MappedFile::new(mapping, file.path().to_owned()));
        Self { key: Arc::new(ProvingKey::parse(source).unwrap()), witness, _file: file }
    }

    fn prove(&self, engine: &RemoteEngine) -> Result<Proved, ProveError> {
        let stand_ins: [&dyn Arithmetic<E>; 1] = [&CpuArithmetic];
        prove(&self.key, &self.witness, None, E::arithmetic(engine), &stand_ins, &Control::default())
    }

    fn assert_valid(&self, proved: &Proved, what: &str) {
        let verifier = PreparedKey::new(self.key.verifying_key()).unwrap();
        let proof = &proved.proof;
        assert_eq!(verifier.verify(&proof.bytes, &proof.public_signals), Verdict::Valid, "{what}");
    }
}

fn engine(device: &Arc<InProcess>) -> RemoteEngine {
    RemoteEngine::new(Box::new(device.clone()), "device")
}

fn bytes_of(witness: &[[u64; 4]]) -> Vec<u8> {
    witness.as_flattened().iter().flat_map(|limb| limb.to_le_bytes()).collect()
}

/// Rows, quotient and sums, each held against those of the reference.
fn every_intermediate_is_the_references<E: Curve>(circuit: &Circuit<E>) {
    let (key, witness) = (&circuit.key, circuit.witness.values());
    let control = Control::default();
    let reference: &dyn Arithmetic<E> = &ReferenceArithmetic;
    let mut queue = device().queue().unwrap();
    let (queue, tuning) = (queue.as_mut(), SumTuning::default());
    let domain = key.summary.domain;
    let roots = Arc::new(Roots::new(queue, domain).unwrap());
    let on_device = DeviceKey::load(queue, key, &roots, &tuning).unwrap();
    let bytes = bytes_of(witness);

    on_device.products(queue, &bytes).unwrap();
    let products = [&key.a, &key.b].map(|rows| reference.sparse_product(rows, witness, domain, &control).unwrap());
    for (number, expected) in products.iter().enumerate() {
        let mut found = expected.clone();
        on_device.with_values(|values| read_elements(queue, values, number * domain, &mut found).unwrap());
        assert!(found == *expected, "rows {number} of {domain}");
    }
    on_device.transforms(queue).unwrap();
    let [a, b] = products;
    let expected = reference.quotient(a, b, &control).unwrap();
    let mut found = expected.to_vec();
    on_device.with_values(|values| read_scalars(queue, values, 0, &mut found).unwrap());
    assert!(found == *expected, "the quotient of {domain}");

    // Sums exist of whatever there is, also of values that satisfy nothing.
    let mut witnesses = vec![witness.to_vec(); on_device.batch().min(3)];
    for (number, witness) in witnesses.iter_mut().enumerate().skip(1) {
        let last = witness.last_mut().expect("there is the constant");
        *last = [number as u64, 1, 0, 0];
    }
    let expected: Vec<_> = (witnesses.iter())
        .map(|witness| {
            let watch = &mut Watch { control: &control, timings: &mut Timings::default(), told: &|_, _| () };
            reference.sums_of_proof(key, witness, watch).unwrap()
        })
        .collect();
    for count in [1, witnesses.len(), 1] {
        let bytes: Vec<u8> = witnesses[..count].iter().flat_map(|witness| bytes_of(witness)).collect();
        let sums = on_device.sums(queue, &bytes, &tuning, &mut Timings::default()).unwrap();
        assert!(sums == expected[..count], "the sums of {count} proofs on {domain}");
    }
    assert!(on_device.sums(queue, &bytes[1..], &tuning, &mut Timings::default()).is_err());
    let too_many = bytes.repeat(on_device.batch() + 1);
    assert!(on_device.sums(queue, &too_many, &tuning, &mut Timings::default()).is_err());
    // What a proof leaves is overwritten.
    on_device.with_values(|values| {
        let mut left = vec![[1; 4]; 9 * domain];
        left.truncate(values.bytes() / 32);
        read_scalars(queue, values, 0, &mut left).unwrap();
        assert!(left.iter().all(|scalar| *scalar == [0; 4]), "nothing of the witness is left");
    });
}

#[test]
fn every_intermediate_of_circuits_of_circom_is_the_references() {
    for Vectors { zkey, wtns, .. } in vectors::ALL {
        let witness = wtns::parse(wtns).unwrap();
        match witness.curve() {
            outrigger_types::Curve::Bn254 => {
                every_intermediate_is_the_references(&Circuit::<Bn254>::of(zkey, witness));
            }
            outrigger_types::Curve::Bls12_381 => {
                every_intermediate_is_the_references(&Circuit::<Bls12_381>::of(zkey, witness));
            }
        }
    }
}

#[test]
fn every_intermediate_of_synthetic_circuits_is_the_references() {
    for log2_size in [2, 6] {
        every_intermediate_is_the_references(&Circuit::<Bn254>::synthetic(log2_size));
        every_intermediate_is_the_references(&Circuit::<Bls12_381>::synthetic(log2_size));
    }
}

#[test]
fn calls_pass_their_self_tests() {
    let provers = Provers::default();
    let mut queue = device().queue().unwrap();
    for call in Call::all() {
        provers.self_test(queue.as_mut(), call).unwrap();
    }
}

#[test]
fn proofs_of_a_device_verify() {
    let device = InProcess::new(HostDevice::new());
    let engine = engine(&device);
    let circuit = Circuit::<Bn254>::synthetic(4);
    for _ in 0..2 {
        let proved = circuit.prove(&engine).unwrap();
        assert_eq!(proved.repeated, None);
        circuit.assert_valid(&proved, "an honest device");
        assert_eq!(proved.timings.iter().count(), 5, "every stage but the check and the witness is timed");
    }
    let other = Circuit::<Bls12_381>::synthetic(3);
    other.assert_valid(&other.prove(&engine).unwrap(), "on the other curve");
}

#[test]
fn operations_of_researchers_run_on_a_device() {
    let device = InProcess::new(HostDevice::new());
    // Room for a few points at a time.
    device.set_bytes_max(1 << 10);
    let engine = engine(&device);
    let circuit = Circuit::<Bn254>::synthetic(5);
    let (control, scalars) = (Control::default(), circuit.witness.values());
    let cores: &dyn Arithmetic<Bn254> = &CpuArithmetic;
    let there = engine.bn254();
    let points = circuit.key.a_points();
    assert!(there.msm_g1(&points, scalars, &control) == cores.msm_g1(&points, scalars, &control));
    let points = circuit.key.b2_points();
    assert!(there.msm_g2(&points, scalars, &control) == cores.msm_g2(&points, scalars, &control));
    assert!(there.msm_g1(&circuit.key.a_points(), &scalars[1..], &control).is_err());
    device.set_bytes_max(usize::MAX);
    let points = circuit.key.h_points();
    let kept = there.over_g1(&points);
    for start in 0..3 {
        let scalars: Vec<_> = (0..32).map(|i| [i + start, 0, 1, 0]).collect();
        assert!(kept(&scalars, &control) == cores.msm_g1(&points, &scalars, &control));
    }
    device.forget();
    let scalars = vec![[7; 4]; 32].into_iter().map(|[a, b, ..]| [a, b, 0, 0]).collect::<Vec<_>>();
    assert!(kept(&scalars, &control) == cores.msm_g1(&points, &scalars, &control), "points that are sent again");
    for (length, inverse, coset) in [(1, false, false), (2, false, true), (16, true, false), (8, true, true)] {
        let mut found: Vec<_> = (0..length).map(|i| ark_bn254::Fr::from(3 * i + 1)).collect();
        let mut expected = found.clone();
        there.ntt(&mut found, inverse, coset, &control).unwrap();
        cores.ntt(&mut expected, inverse, coset, &control).unwrap();
        assert_eq!(found, expected, "{length} elements, inverse {inverse}, coset {coset}");
    }
}

#[test]
fn a_device_that_is_lost_at_any_launch_costs_a_repetition() {
    let circuit = Circuit::<Bn254>::synthetic(3);
    let device = InProcess::new(HostDevice::new());
    circuit.prove(&engine(&device)).unwrap();
    let launches = device.launches();
    assert!(launches > 10, "{launches} launches");
    // Every stage has some more launches than that.
    for at in (0..launches).step_by(4) {
        // A new worker: its memory holds nothing.
        let device = InProcess::new(HostDevice::new());
        device.fail(Fault::Lost { launch: at });
        let proved = circuit.prove(&engine(&device)).unwrap();
        circuit.assert_valid(&proved, "repeated on the cores");
        let why = proved.repeated.expect("the device failed");
        assert!(why.contains("engine device") && why.contains("lost"), "{why}");
    }
}

#[test]
fn memory_that_is_missing_at_any_time_is_nobodys_fault() {
    let circuit = Circuit::<Bn254>::synthetic(3);
    let device = InProcess::new(HostDevice::new());
    circuit.prove(&engine(&device)).unwrap();
    let (mut resident, mut repeated) = (0, 0);
    for at in 0..device.allocations() {
        for times in [1, usize::MAX] {
            if at % 3 != 0 && times == 1 {
                continue;
            }
            let device = InProcess::new(HostDevice::new());
            device.fail(Fault::OutOfMemory { allocation: at, times });
            let engine = engine(&device);
            for _ in 0..2 {
                let proved = circuit.prove(&engine).unwrap();
                circuit.assert_valid(&proved, "with less memory");
                match proved.repeated {
                    Some(why) => {
                        assert!(why.contains("memory"), "{why}");
                        repeated += 1;
                    }
                    None => resident += usize::from(device.holds_points()),
                }
            }
            assert_eq!(device.quarantined(), Vec::new(), "want of memory is no fault");
        }
    }
    assert!(resident > 0 && repeated > 0, "{resident} resident, {repeated} repeated");
}

/// With less and less of it: batches become single proofs, points come in pieces, and at last the cores prove.
#[test]
fn little_memory_is_made_do_with() {
    let circuit = Circuit::<Bn254>::synthetic(5);
    let roomy = InProcess::new(HostDevice::new());
    circuit.prove(&engine(&roomy)).unwrap();
    let whole = roomy.held_bytes();
    let [mut in_batches, mut alone, mut in_pieces, mut repeated] = [0; 4];
    for share in (0..16).rev() {
        let device = InProcess::new(HostDevice::with_memory(whole * share / 16));
        let proved = circuit.prove(&engine(&device)).unwrap();
        circuit.assert_valid(&proved, "with little memory");
        assert!(device.held_bytes() <= whole * share / 16);
        match (proved.repeated, device.batch()) {
            (Some(why), _) => {
                assert!(why.contains("memory"), "{why}");
                repeated += 1;
            }
            (None, _) if !device.holds_points() => in_pieces += 1,
            (None, Some(1)) => alone += 1,
            (None, _) => in_batches += 1,
        }
    }
    let found = [in_batches, alone, in_pieces, repeated];
    assert!(found[1..].iter().all(|count| *count > 0), "{found:?}");
}

#[test]
fn a_bit_that_flips_after_any_launch_is_found() {
    let circuit = Circuit::<Bn254>::synthetic(3);
    let device = InProcess::new(HostDevice::new());
    circuit.prove(&engine(&device)).unwrap();
    let launches = device.launches();
    let mut found = 0;
    for at in (1..launches).step_by(3) {
        let device = InProcess::new(HostDevice::new());
        device.fail(Fault::Flip { launch: at });
        let proved = circuit.prove(&engine(&device)).unwrap();
        circuit.assert_valid(&proved, "whatever the device did");
        found += usize::from(proved.repeated.is_some());
    }
    // Most hit what is not read again: buffers are for the longest scalars, and tables for the longest transforms.
    assert!(found > 0, "none of the flips changed a proof");
}

#[test]
fn a_device_that_lies_again_and_again_is_quarantined() {
    let circuit = Circuit::<Bn254>::synthetic(3);
    let device = InProcess::new(HostDevice::new());
    let engine = engine(&device);
    assert!(engine.is_ready());
    device.fail(Fault::Lie);
    let prove = Call { curve: outrigger_types::Curve::Bn254, task: Task::Prove };
    for wrong in 1..=WRONG_MAX {
        let proved = circuit.prove(&engine).unwrap();
        circuit.assert_valid(&proved, "repeated on the cores");
        assert!(proved.repeated.is_some());
        let expected = if wrong == WRONG_MAX { vec![prove] } else { Vec::new() };
        assert_eq!(device.quarantined(), expected, "after {wrong} wrong proofs");
    }
    // A witness that satisfies nothing is no fault of the device.
    let device = InProcess::new(HostDevice::new());
    let engine = self::engine(&device);
    let mut values = circuit.witness.values().to_vec();
    values[5] = [77, 0, 0, 0];
    let bad = Witness::new(outrigger_types::Curve::Bn254, values.into());
    for _ in 0..2 * WRONG_MAX {
        let stand_ins: [&dyn Arithmetic<Bn254>; 1] = [&CpuArithmetic];
        let error = prove_with(&circuit, &bad, engine.bn254(), &stand_ins).unwrap_err();
        assert_eq!(error, ProveError::Unsatisfied(None));
    }
    assert_eq!(device.quarantined(), Vec::new());
}

fn prove_with(
    circuit: &Circuit<Bn254>,
    witness: &Witness,
    engine: &dyn Arithmetic<Bn254>,
    stand_ins: &[&dyn Arithmetic<Bn254>],
) -> Result<Proved, ProveError> {
    prove(&circuit.key, witness, None, engine, stand_ins, &Control::default())
}

#[test]
fn proofs_of_a_circuit_share_launches() {
    let circuit = Circuit::<Bn254>::synthetic(4);
    let stand_ins: [&dyn Arithmetic<Bn254>; 1] = [&CpuArithmetic];
    let launches_of = |count: usize, bytes_max: usize| {
        let device = InProcess::new(HostDevice::new());
        let engine = engine(&device);
        circuit.prove(&engine).unwrap();
        device.set_bytes_max(bytes_max);
        let before = device.launches();
        let controls = vec![Control::default(); count];
        let wanted: Vec<_> = controls.iter().map(|control| Wanted { witness: &circuit.witness, control }).collect();
        for proved in prove_many(&circuit.key, &wanted, None, engine.bn254(), &stand_ins) {
            let proved = proved.unwrap();
            assert_eq!(proved.repeated, None);
            circuit.assert_valid(&proved, "one of many");
        }
        device.launches() - before
    };
    let one = launches_of(1, usize::MAX);
    let five = launches_of(5, usize::MAX);
    assert!(five < 3 * one, "{five} launches for five proofs, {one} for one");
    // More than a key has memory for, or the arena: several batches.
    let eleven = launches_of(11, usize::MAX);
    assert!(five < eleven && eleven < 5 * one, "{eleven} launches for eleven");
    assert!(launches_of(5, 3 * 64 * circuit.key.summary.wires) > five);
    assert!(launches_of(0, usize::MAX) == 0);
}

#[test]
fn a_proof_that_is_stopped_leaves_those_beside_it_alone() {
    let circuit = Circuit::<Bn254>::synthetic(4);
    let device = InProcess::new(HostDevice::new());
    let engine = engine(&device);
    let stand_ins: [&dyn Arithmetic<Bn254>; 1] = [&CpuArithmetic];
    let controls: [Control; 3] = Default::default();
    controls[1].cancel();
    let wanted = controls.each_ref().map(|control| Wanted { witness: &circuit.witness, control });
    let proved = prove_many(&circuit.key, &wanted, None, engine.bn254(), &stand_ins);
    assert_eq!(proved[1].as_ref().unwrap_err(), &ProveError::Stopped(Stop::Cancelled));
    for proved in [&proved[0], &proved[2]] {
        circuit.assert_valid(proved.as_ref().unwrap(), "beside one that was stopped");
    }
    let launches = device.launches();
    controls.iter().for_each(Control::cancel);
    let stopped = prove_many(&circuit.key, &wanted, None, engine.bn254(), &stand_ins);
    assert!(stopped.iter().all(|proved| *proved.as_ref().unwrap_err() == ProveError::Stopped(Stop::Cancelled)));
    assert_eq!(device.launches(), launches, "nobody wants them");
}

#[test]
fn keys_give_way_to_others_and_come_back() {
    let circuits: Vec<_> = (0..3).map(|_| Circuit::<Bn254>::synthetic(5)).collect();
    let roomy = InProcess::new(HostDevice::new());
    let first = engine(&roomy);
    let mut held = Vec::new();
    for circuit in &circuits {
        circuit.prove(&first).unwrap();
        held.push(roomy.held_bytes());
    }
    assert!(held[0] < held[1] && held[1] < held[2], "three keys stay: {held:?}");
    // Room for two of them.
    let narrow = InProcess::new(HostDevice::with_memory(held[1] + (held[2] - held[1]) / 2));
    let second = engine(&narrow);
    for circuit in circuits.iter().chain(&circuits) {
        let proved = circuit.prove(&second).unwrap();
        assert_eq!(proved.repeated, None);
        circuit.assert_valid(&proved, "with room for two keys");
    }
}
