//! Number-theoretic transforms, and all six of a Groth16 proof, on one thread: lanes against ark-poly.
//!
//! `ntt [NAME…]`: only what has one of these in its name, as in `bn254 transform, 2^16`.

use std::hint::black_box;
use std::time::Duration;

use ark_bn254::Fr;
use ark_ff::{BigInt, FftField, Field, Fp, FpConfig, PrimeField, UniformRand};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use outrigger_vector::Unit;
use outrigger_vector::ntt::{Bn254Scalars, Form, InOrder, Number, Quotient, Transform, Workspace};

#[path = "pairs.rs"]
mod pairs;

fn main() {
    let Some(unit) = Unit::detect() else {
        println!("NOT RUN: this machine has no AVX-512 IFMA");
        return;
    };
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
    pool.install(|| {
        for log_size in [16, 18, 20] {
            for (name, run) in [("transform", transform as fn(Unit, u32, &str)), ("quotient", quotient)] {
                let name = format!("bn254 {name}, 2^{log_size}");
                if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
                    run(unit, log_size, &name);
                }
            }
        }
    });
}

/// By the time that this process computed, all threads together, which other work on the machine has little to do with.
fn compare(pairs: usize, name: &str, items: usize, ours: impl FnMut(), peer: impl FnMut()) {
    let clock = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    pairs::compare_by(&clock, pairs, &format!("{name}, {pairs} pairs"), items, ours, peer);
}

fn pairs(log_size: u32) -> usize {
    if log_size < 20 { 11 } else { 5 }
}

fn random(log_size: u32) -> Vec<Fr> {
    let mut random = ark_std::test_rng();
    (0..1 << log_size).map(|_| Fr::rand(&mut random)).collect()
}

/// Words in Montgomery's form.
fn words<P: FpConfig<4>>(elements: &[Fp<P, 4>]) -> Vec<Number> {
    elements.iter().map(|element| element.0.0).collect()
}

fn transform(unit: Unit, log_size: u32, name: &str) {
    let domain = Radix2EvaluationDomain::<Fr>::new(1 << log_size).expect("a domain");
    let transform = Transform::<Bn254Scalars>::new(unit, log_size, false, false).expect("a domain");
    let mut theirs = random(log_size);
    let mut ours = words(&theirs);
    let mut workspace = Workspace::new();
    let mut run = || {
        let Ok(()) = transform.run(&mut ours, &mut workspace, &InOrder);
        black_box(&mut ours)[0]
    };
    let mut peer = || {
        domain.fft_in_place(&mut theirs);
        black_box(&mut theirs)[0].0.0
    };
    assert!(run() == peer(), "{name}: the results differ");
    compare(pairs(log_size), name, 1 << log_size, || _ = run(), || _ = peer());
    assert!(words(&theirs) == ours, "{name}: the results differ");
}

fn quotient(unit: Unit, log_size: u32, name: &str) {
    let domain = Radix2EvaluationDomain::<Fr>::new(1 << log_size).expect("a domain");
    let root = Fr::get_root_of_unity(2 << log_size).expect("a root of twice the order");
    let coset = domain.get_coset(root).expect("a coset");
    let quotient = Quotient::<Bn254Scalars>::new(unit, log_size, Form::Montgomery, Form::Plain).expect("a domain");
    let a = random(log_size);
    let b: Vec<Fr> = a.iter().map(|a| a.square() + Fr::from(5)).collect();
    let (our_a, our_b) = (words(&a), words(&b));
    let mut ours = vec![[0; 4]; 1 << log_size];
    let mut workspace = Workspace::new();
    let mut theirs = vec![BigInt([0; 4]); 1 << log_size];
    let run = || {
        let Ok(()) = quotient.run(&our_a, &our_b, &mut ours, &mut workspace, &InOrder);
        black_box(&mut ours);
    };
    let peer = || {
        let (mut a, mut b) = (a.clone(), b.clone());
        let mut c: Vec<Fr> = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
        for values in [&mut a, &mut b, &mut c] {
            domain.ifft_in_place(values);
            coset.fft_in_place(values);
        }
        for (i, result) in theirs.iter_mut().enumerate() {
            *result = (a[i] * b[i] - c[i]).into_bigint();
        }
        black_box(&mut theirs);
    };
    compare(pairs(log_size), name, 1 << log_size, run, peer);
    assert!(theirs.iter().map(|number| number.0).eq(ours), "{name}: the results differ");
}
