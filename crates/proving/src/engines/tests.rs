//! The choice, by costs that are made up; and that real ones are measured.

use std::sync::atomic::{AtomicBool, Ordering};

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use outrigger_groth16::Rows;
use outrigger_groth16::curve::Points;
use outrigger_groth16::engine::{Arithmetic, Failure, PlainScalar};
use zeroize::Zeroizing;

use super::*;

fn circuit(log2_size: u32) -> (KeySummary, Witness) {
    let (_, witness) = synthetic(log2_size, Curve::Bn254);
    let domain = 1 << log2_size;
    let wires = witness.values().len();
    let summary =
        KeySummary { curve: Curve::Bn254, wires, public_signals: 1, domain, constraints: domain - 2, bytes: 0 };
    (summary, witness)
}

fn took(seconds: f64) -> Timings {
    let mut timings = Timings::default();
    timings.add(Stage::MsmG1, Duration::from_secs_f64(seconds));
    // What is the same for all engines does not count.
    timings.add(Stage::Verify, Duration::from_secs(60));
    timings
}

const VECTOR: usize = 0;
const CPU: usize = 1;

fn engines(choices: &[(Backend, EngineChoice)]) -> Engines {
    let engine = |(backend, choice): &(Backend, EngineChoice)| (*backend, Arc::new(*choice) as Arc<dyn ProofEngine>);
    Engines::new(choices.iter().map(engine).collect())
}

fn both() -> Engines {
    engines(&[(Backend::Vector, EngineChoice::Vector), (Backend::Cpu, EngineChoice::Cpu)])
}

#[test]
fn where_nothing_is_known_the_first_proves() {
    let (key, witness) = circuit(5);
    assert_eq!(both().choose(&key, &witness), VECTOR);
    let cpu = engines(&[(Backend::Cpu, EngineChoice::Cpu)]);
    assert_eq!((cpu.choose(&key, &witness), cpu.preferred()), (0, 0));
}

#[test]
fn a_backend_is_taken_or_refused() {
    assert_eq!(both().on(Backend::Vector), Ok(VECTOR));
    assert_eq!(both().on(Backend::Cpu), Ok(CPU));
    let refused = engines(&[(Backend::Cpu, EngineChoice::Cpu)]).on(Backend::Vector).expect_err("no vector");
    assert!(matches!(&refused, Rejection::BackendUnavailable(why) if why.contains("on cpu here, not on vector")));
}

/// An engine on a device that may be down.
struct Device(AtomicBool);

impl ProofEngine for Device {
    fn name(&self) -> &'static str {
        "opencl"
    }

    fn bn254(&self) -> &dyn Arithmetic<Bn254> {
        EngineChoice::Cpu.of()
    }

    fn bls12_381(&self) -> &dyn Arithmetic<Bls12_381> {
        EngineChoice::Cpu.of()
    }

    fn is_ready(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_device_that_is_down_is_neither_chosen_nor_measured() {
    let (key, witness) = circuit(5);
    let device = Arc::new(Device(AtomicBool::new(false)));
    let cpu: Arc<dyn ProofEngine> = Arc::new(EngineChoice::Cpu);
    let engines = Engines::new(vec![(Backend::Cpu, cpu), (Backend::Opencl, device.clone())]);
    engines.measure().expect("small proofs");
    assert!(!engines.are_new());
    engines.learn(1, &key, &witness, &took(1e-9));
    assert_eq!(engines.choose(&key, &witness), 0);
    let refused = engines.on(Backend::Opencl).expect_err("it is down");
    assert!(matches!(&refused, Rejection::BackendUnavailable(why) if why.contains("ready")), "{refused}");
    device.0.store(true, Ordering::Relaxed);
    assert!(engines.are_new());
    assert_eq!((engines.choose(&key, &witness), engines.on(Backend::Opencl)), (1, Ok(1)));
}

/// Its worker may just be started again.
#[test]
fn a_device_that_fails_as_it_is_measured_is_measured_later() {
    let cpu: Arc<dyn ProofEngine> = Arc::new(EngineChoice::Cpu);
    let failing: Arc<dyn ProofEngine> = Arc::new(Failing);
    let engines = Engines::new(vec![(Backend::Cpu, cpu), (Backend::Opencl, failing)]);
    let why = engines.measure().expect_err("it makes no proof of its own");
    assert!(why.contains("its worker is gone"), "{why}");
    assert!(!engines.are_new(), "not at once");
    engines.candidates[1].set_measure_from(Some(Instant::now()));
    assert!(engines.are_new(), "but later");
}

#[test]
fn a_device_that_is_far_slower_is_measured_with_no_larger_proofs() {
    let (key, witness) = circuit(5);
    let work = work_of_proof(&key, &witness);
    let cpu: Arc<dyn ProofEngine> = Arc::new(EngineChoice::Cpu);
    let device = Arc::new(Device(AtomicBool::new(true)));
    let engines = Engines::new(vec![(Backend::Cpu, cpu), (Backend::Opencl, device)]);
    assert!(!engines.is_hopeless(1, Curve::Bn254, work), "nothing is known");
    engines.learn(0, &key, &witness, &took(0.001));
    engines.learn(1, &key, &witness, &took(0.05));
    assert!(!engines.is_hopeless(1, Curve::Bn254, work), "its price for each proof");
    for _ in 0..8 {
        engines.learn(1, &key, &witness, &took(0.5));
    }
    assert!(engines.is_hopeless(1, Curve::Bn254, work));
    assert!(!engines.is_hopeless(0, Curve::Bn254, work), "there is always engine cpu");
}

/// It proves nothing.
struct Failing;

fn later<T>() -> Result<T, Failure> {
    Err(Failure::Unavailable("its worker is gone".to_owned()))
}

impl<E: outrigger_groth16::curve::Curve> Arithmetic<E> for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn sparse_product(
        &self,
        _rows: &Rows<E::ScalarField>,
        _witness: &[PlainScalar],
        _domain: usize,
        _control: &Control,
    ) -> Result<Vec<E::ScalarField>, Failure> {
        later()
    }

    fn quotient(
        &self,
        _a: Vec<E::ScalarField>,
        _b: Vec<E::ScalarField>,
        _control: &Control,
    ) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
        later()
    }

    fn ntt(&self, _: &mut [E::ScalarField], _: bool, _: bool, _: &Control) -> Result<(), Failure> {
        later()
    }

    fn msm_g1(&self, _: &dyn Points<E::G1Affine>, _: &[PlainScalar], _: &Control) -> Result<E::G1, Failure> {
        later()
    }

    fn msm_g2(&self, _: &dyn Points<E::G2Affine>, _: &[PlainScalar], _: &Control) -> Result<E::G2, Failure> {
        later()
    }
}

impl ProofEngine for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn bn254(&self) -> &dyn Arithmetic<Bn254> {
        self
    }

    fn bls12_381(&self) -> &dyn Arithmetic<Bls12_381> {
        self
    }
}

#[test]
fn the_engine_that_is_done_first_proves_by_size() {
    let engines = both();
    let (small, large) = (circuit(3), circuit(12));
    for (engine, of_small, of_large) in [(VECTOR, 0.004, 0.030), (CPU, 0.001, 0.200)] {
        engines.learn(engine, &small.0, &small.1, &took(of_small));
        engines.learn(engine, &large.0, &large.1, &took(of_large));
    }
    assert_eq!(engines.choose(&small.0, &small.1), CPU);
    assert_eq!(engines.choose(&large.0, &large.1), VECTOR);
    // What was never seen lies on the line of what is nearest to it.
    let (larger, witness) = circuit(14);
    assert_eq!(engines.choose(&larger, &witness), VECTOR);
}

#[test]
fn a_price_for_each_proof_is_told_from_that_of_its_work() {
    let engines = both();
    let (small, middle, large) = (circuit(3), circuit(6), circuit(12));
    // Engine 0 takes 20 ms and nearly nothing more; engine 1 takes a millisecond for 2^6.
    for (circuit, time) in [(&small, 0.0200), (&middle, 0.0201)] {
        engines.learn(VECTOR, &circuit.0, &circuit.1, &took(time));
    }
    for (circuit, time) in [(&small, 0.0002), (&middle, 0.0010)] {
        engines.learn(CPU, &circuit.0, &circuit.1, &took(time));
    }
    assert_eq!(engines.choose(&middle.0, &middle.1), CPU);
    assert_eq!(engines.choose(&large.0, &large.1), VECTOR);
}

/// Small proofs were made while the machine was busy, and say that lanes are slower.
#[test]
fn an_engine_that_may_be_sooner_done_is_tried_once_with_each_class() {
    let engines = both();
    let (small, large) = (circuit(8), circuit(12));
    for (engine, time) in [(VECTOR, 0.03), (CPU, 0.02)] {
        engines.learn(engine, &small.0, &small.1, &took(time));
    }
    assert_eq!(engines.choose(&large.0, &large.1), CPU, "the best is tried first");
    engines.learn(CPU, &large.0, &large.1, &took(0.32));
    assert_eq!(engines.choose(&large.0, &large.1), VECTOR, "half as slow again, it was said");
    engines.learn(VECTOR, &large.0, &large.1, &took(0.06));
    assert_eq!(engines.choose(&large.0, &large.1), VECTOR);
    // Fifty times as slow is no guess that could be wrong by so much.
    let slow = both();
    for (engine, time) in [(VECTOR, 0.002), (CPU, 0.1)] {
        slow.learn(engine, &small.0, &small.1, &took(time));
    }
    slow.learn(VECTOR, &large.0, &large.1, &took(0.03));
    assert_eq!(slow.choose(&large.0, &large.1), VECTOR);
}

/// The first proof of a class was made while something else took the machine.
#[test]
fn an_engine_that_did_badly_is_tried_again_after_a_while() {
    let engines = both();
    let (key, witness) = circuit(12);
    for (engine, time) in [(VECTOR, 0.7), (CPU, 0.4)] {
        engines.learn(engine, &key, &witness, &took(time));
    }
    let grow_old = || {
        for candidate in &engines.candidates {
            candidate.costs.lock().expect("a lock").values_mut().for_each(|seen| seen.old_from = Instant::now());
        }
    };
    let pause = || engines.candidates[VECTOR].costs.lock().expect("a lock").values().next().map(|seen| seen.pause);
    assert_eq!((engines.choose(&key, &witness), pause()), (CPU, Some(TRIED_AGAIN)));
    grow_old();
    engines.learn(CPU, &key, &witness, &took(0.4));
    assert_eq!(engines.choose(&key, &witness), VECTOR, "which may be sooner done than it seemed");
    assert_eq!(engines.choose_for_many(&key, &witness), CPU, "but not with many");
    engines.learn(VECTOR, &key, &witness, &took(0.08));
    assert_eq!((engines.choose(&key, &witness), pause()), (VECTOR, Some(2 * TRIED_AGAIN)));
    // One that is known to be far slower is left alone, however long ago that was.
    for _ in 0..4 {
        engines.learn(VECTOR, &key, &witness, &took(0.08));
    }
    grow_old();
    engines.learn(VECTOR, &key, &witness, &took(0.08));
    assert_eq!(engines.choose(&key, &witness), VECTOR);
}

#[test]
fn costs_follow_what_is_seen() {
    let engines = both();
    let (key, witness) = circuit(8);
    engines.learn(VECTOR, &key, &witness, &took(0.01));
    engines.learn(CPU, &key, &witness, &took(0.05));
    assert_eq!(engines.choose(&key, &witness), VECTOR);
    for _ in 0..20 {
        engines.learn(VECTOR, &key, &witness, &took(0.5));
    }
    assert_eq!(engines.choose(&key, &witness), CPU);
}

#[test]
fn a_sparse_witness_is_less_work() {
    let (key, dense) = circuit(8);
    let bits = dense.values().iter().enumerate().map(|(i, _)| [(i % 2) as u64, 0, 0, 0]).collect::<Vec<_>>();
    let sparse = Witness::new(Curve::Bn254, bits.into());
    assert!(work_of_proof(&key, &sparse) < work_of_proof(&key, &dense) / 3);
}

#[test]
fn engines_are_measured_as_the_service_starts() {
    let engines = both();
    assert!(engines.are_new());
    engines.measure().expect("small proofs");
    assert!(!engines.are_new());
    for candidate in &engines.candidates {
        assert_eq!(candidate.costs.lock().expect("a lock").len(), MEASURED.len(), "{}", candidate.engine.name());
    }
}
