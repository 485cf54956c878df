//! The suite `ntt`: number-theoretic transforms against arkworks' domains.

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ff::FftField;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use outrigger_groth16::Control;
use outrigger_groth16::curve::Curve;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

use super::msm::{plain, scalar};
use super::provers::Subject;
use super::{Record, announce, pairs, pool, thread_counts};
use crate::cli::{BenchArgs, Failure, Scalars};

/// Elements, unless the command line says otherwise: the domain of a circuit of 2^16 constraints.
const SIZE: usize = 1 << 16;

/// Runs the suite.
pub(super) fn run(args: &BenchArgs) -> Result<Vec<Record>, Failure> {
    match args.proofs.curve {
        outrigger_types::Curve::Bn254 => over::<Bn254>(args),
        outrigger_types::Curve::Bls12_381 => over::<Bls12_381>(args),
    }
}

fn over<E: Curve>(args: &BenchArgs) -> Result<Vec<Record>, Failure> {
    let size = args.size.unwrap_or(SIZE);
    if !size.is_power_of_two() || size.trailing_zeros() > <E::ScalarField as FftField>::TWO_ADICITY {
        return Err(Failure::input(format_args!(
            "--size {size}: a transform takes a power of two of elements, 2^{} at most on {}",
            <E::ScalarField as FftField>::TWO_ADICITY,
            E::ID
        )));
    }
    let mut random = StdRng::seed_from_u64(0x177);
    let start: Vec<_> =
        (0..size).map(|_| plain::<E::ScalarField>(scalar::<E::ScalarField>(Scalars::Random, &mut random))).collect();
    let subject = Subject::of(args)?;
    let engine = E::arithmetic(&*subject.engine);
    let domain = Radix2EvaluationDomain::<E::ScalarField>::new(size).ok_or_else(|| Failure::input("no such domain"))?;
    let mut records = Vec::new();
    for (direction, inverse) in [("forward", false), ("inverse", true)] {
        for threads in thread_counts(args) {
            let algorithm = format!("ntt-{}-{direction}", E::ID);
            announce(args, &format!("{algorithm} of {size}, {threads} threads"));
            let pool = pool(threads)?;
            let mut values = start.clone();
            // In place, over and over: a transform takes as long whatever the values are.
            let product =
                || pool.install(|| engine.ntt(&mut values, inverse, false, &Control::default())).map_err(Failure::work);
            let mut theirs = start.clone();
            let peer = pairs::Other {
                name: "arkworks".into(),
                version: "0.6".into(),
                run: pairs::clocked(|| {
                    pool.install(|| {
                        if inverse { domain.ifft_in_place(&mut theirs) } else { domain.fft_in_place(&mut theirs) }
                    });
                    Ok(())
                }),
            };
            let mut record = Record { size: Some(size), ..subject.record("ntt", &algorithm, size, threads) };
            pairs::measure(&mut record, args.pairs, pairs::clocked(product), Some(peer))?;
            record.more.insert("warm".into(), json!(true));
            let p50 = record.latency_us.p50;
            record.more.insert("stages_ms".into(), json!({"ntt": p50 / 1e3}));
            records.push(record);
        }
    }
    Ok(records)
}
