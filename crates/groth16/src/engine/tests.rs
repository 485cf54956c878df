//! The engines against definitions, and against each other.

use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use ark_std::rand::Rng;
use ark_std::test_rng;

use super::cpu::CpuArithmetic;
use super::domain::Domain;
use super::reference::ReferenceArithmetic;
use super::vector::VectorArithmetic;
use super::*;
use crate::curve::{RawPoint, RawScalar};

mod agreement;
mod definitions;
mod operations;

/// Engine vector on AVX-512, or `None` with a message that cannot be overlooked.
fn on_avx512() -> Option<VectorArithmetic> {
    let unit = Unit::detect();
    if unit.is_none() {
        eprintln!("NOT RUN: engine vector on AVX-512, which this processor does not have");
    }
    unit.map(VectorArithmetic::new)
}

fn on_plain_words() -> Option<VectorArithmetic> {
    Some(VectorArithmetic::new(Unit::PORTABLE))
}

/// The engines that are held against the reference.
fn judged<E: Curve>() -> Vec<Box<dyn Arithmetic<E>>> {
    let mut engines: Vec<Box<dyn Arithmetic<E>>> = vec![Box::new(CpuArithmetic)];
    for engine in [on_avx512(), on_plain_words()].into_iter().flatten() {
        engines.push(Box::new(engine));
    }
    engines
}

/// Runs each test, generic over the curve, with every curve and every engine.
macro_rules! for_each_engine {
    ($($test:ident),+ $(,)?) => {
        for_each_engine!(@modules reference (Some(super::super::ReferenceArithmetic)) [$($test)+]);
        for_each_engine!(@modules cpu (Some(super::super::CpuArithmetic)) [$($test)+]);
        for_each_engine!(@modules vector (super::super::on_avx512()) [$($test)+]);
        for_each_engine!(@modules portable_vector (super::super::on_plain_words()) [$($test)+]);
    };
    (@modules $name:ident $engine:tt [$($test:ident)+]) => {
        mod $name {
            mod bn254 {
                $(#[test] fn $test() {
                    if let Some(engine) = $engine { super::super::$test::<ark_bn254::Bn254>(&engine); }
                })+
            }
            mod bls12_381 {
                $(#[test] fn $test() {
                    if let Some(engine) = $engine { super::super::$test::<ark_bls12_381::Bls12_381>(&engine); }
                })+
            }
        }
    };
}
use for_each_engine;

type Scalar<E> = <E as ark_ec::pairing::Pairing>::ScalarField;

fn random_values<F: Field>(count: usize, rng: &mut impl Rng) -> Vec<F> {
    (0..count).map(|_| F::rand(rng)).collect()
}

fn random_points<A: RawPoint>(count: usize, rng: &mut impl Rng) -> Vec<A> {
    let points: Vec<A::Group> = (0..count).map(|_| A::Group::rand(rng)).collect();
    A::Group::normalize_batch(&points)
}

/// Rows as a proving key holds them, of these entries: coefficients are stored as c·R².
fn rows<F: RawScalar>(matrix: &[Vec<(u32, F)>]) -> Rows<F> {
    let r = F::from(2u64).pow([256u64]);
    let mut rows = Rows { ends: vec![], terms: vec![], coefficients: vec![] };
    for row in matrix {
        for (wire, coefficient) in row {
            let stored = *coefficient * r;
            let number = rows.coefficients.iter().position(|known| *known == stored).unwrap_or_else(|| {
                rows.coefficients.push(stored);
                rows.coefficients.len() - 1
            });
            rows.terms.push((*wire, number as u32));
        }
        rows.ends.push(rows.terms.len() as u32);
    }
    rows
}
