//! The choice, by costs that are made up; and that real ones are measured.

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

fn both() -> Engines {
    Engines::new(vec![EngineChoice::Vector, EngineChoice::Cpu])
}

#[test]
fn where_nothing_is_known_the_first_proves() {
    let (key, witness) = circuit(5);
    assert_eq!(both().choose(&key, &witness), EngineChoice::Vector);
    let cpu = Engines::new(vec![EngineChoice::Cpu]);
    assert_eq!((cpu.choose(&key, &witness), cpu.preferred()), (EngineChoice::Cpu, EngineChoice::Cpu));
}

#[test]
fn a_backend_is_taken_or_refused() {
    assert_eq!(both().on(Backend::Vector), Ok(EngineChoice::Vector));
    assert_eq!(both().on(Backend::Cpu), Ok(EngineChoice::Cpu));
    let refused = Engines::new(vec![EngineChoice::Cpu]).on(Backend::Vector).expect_err("no vector");
    assert!(matches!(&refused, Rejection::BackendUnavailable(why) if why.contains("on cpu here, not on vector")));
}

#[test]
fn the_engine_that_is_done_first_proves_by_size() {
    let engines = both();
    let (small, large) = (circuit(3), circuit(12));
    for (engine, of_small, of_large) in [(EngineChoice::Vector, 0.004, 0.030), (EngineChoice::Cpu, 0.001, 0.200)] {
        engines.learn(engine, &small.0, &small.1, &took(of_small));
        engines.learn(engine, &large.0, &large.1, &took(of_large));
    }
    assert_eq!(engines.choose(&small.0, &small.1), EngineChoice::Cpu);
    assert_eq!(engines.choose(&large.0, &large.1), EngineChoice::Vector);
    // What was never seen is as what is nearest to it.
    let (larger, witness) = circuit(14);
    assert_eq!(engines.choose(&larger, &witness), EngineChoice::Vector);
}

#[test]
fn costs_follow_what_is_seen() {
    let engines = both();
    let (key, witness) = circuit(8);
    engines.learn(EngineChoice::Vector, &key, &witness, &took(0.01));
    engines.learn(EngineChoice::Cpu, &key, &witness, &took(0.05));
    assert_eq!(engines.choose(&key, &witness), EngineChoice::Vector);
    for _ in 0..20 {
        engines.learn(EngineChoice::Vector, &key, &witness, &took(0.5));
    }
    assert_eq!(engines.choose(&key, &witness), EngineChoice::Cpu);
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
    engines.measure().expect("small proofs");
    let costs = engines.costs.lock().expect("a lock");
    for engine in [EngineChoice::Vector, EngineChoice::Cpu] {
        assert_eq!(costs.keys().filter(|case| case.engine == engine).count(), MEASURED.len(), "{engine:?}");
    }
}
