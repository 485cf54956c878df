//! Multi-scalar multiplications of BN254 in lanes against ark-ec, on one thread: scalars and points in memory, the
//! bases of ours prepared, as those of a key are when it is loaded.
//!
//! Run with `RAYON_NUM_THREADS=1`, or the peer has all cores.

use std::hint::black_box;
use std::ops::ControlFlow;

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::scalar_mul::BatchMulPreprocessing;
use ark_ec::{AffineRepr, PrimeGroup, VariableBaseMSM};
use ark_ff::{PrimeField, UniformRand};
use outrigger_vector::Unit;
use outrigger_vector::bn254::{G1, G2};
use outrigger_vector::msm::{Bases, msm};

#[path = "pairs.rs"]
mod pairs;

/// Sizes, in bits.
const SIZES: [usize; 3] = [16, 18, 20];

fn main() {
    let Some(unit) = Unit::detect() else {
        println!("NOT RUN: this machine has no AVX-512 IFMA");
        return;
    };
    for bits in SIZES {
        let scalars = random_scalars(1 << bits);
        let plain: Vec<_> = scalars.iter().map(|scalar| scalar.into_bigint()).collect();
        let words: Vec<_> = plain.iter().map(|scalar| scalar.0).collect();
        g1(unit, bits, &scalars, &plain, &words);
        if bits == SIZES[0] {
            g2(unit, bits, &scalars, &plain, &words);
        }
    }
}

type Plain = <Fr as PrimeField>::BigInt;

fn random_scalars(count: usize) -> Vec<Fr> {
    let random = &mut ark_std::test_rng();
    (0..count).map(|_| Fr::rand(random)).collect()
}

fn g1(unit: Unit, bits: usize, scalars: &[Fr], plain: &[Plain], words: &[[u64; 4]]) {
    let points: Vec<G1Affine> = BatchMulPreprocessing::new(G1Projective::generator(), 1 << bits).batch_mul(scalars);
    let bases = Bases::<G1>::prepare(unit, points.len(), |i| points[i].xy().map(|(x, y)| [x.0.0, y.0.0]));
    pairs::compare(
        &format!("msm of G1, 2^{bits}"),
        points.len(),
        || _ = black_box(msm(unit, &bases, words, &mut || ControlFlow::Continue(()))),
        || _ = black_box(G1Projective::msm_bigint(&points, plain)),
    );
}

fn g2(unit: Unit, bits: usize, scalars: &[Fr], plain: &[Plain], words: &[[u64; 4]]) {
    let points: Vec<G2Affine> = BatchMulPreprocessing::new(G2Projective::generator(), 1 << bits).batch_mul(scalars);
    let bases = Bases::<G2>::prepare(unit, points.len(), |i| {
        points[i].xy().map(|(x, y)| [[x.c0.0.0, x.c1.0.0], [y.c0.0.0, y.c1.0.0]])
    });
    pairs::compare(
        &format!("msm of G2, 2^{bits}"),
        points.len(),
        || _ = black_box(msm(unit, &bases, words, &mut || ControlFlow::Continue(()))),
        || _ = black_box(G2Projective::msm_bigint(&points, plain)),
    );
}
