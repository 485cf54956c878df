//! Keys whose toxic waste the tests know, so that they can make proofs of any circuit without a prover.

use ark_ec::pairing::Pairing;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{BigInteger, Field, PrimeField, UniformRand};
use ark_groth16::{Groth16, VerifyingKey, prepare_verifying_key};
use ark_std::rand::{SeedableRng, rngs::StdRng};
use outrigger_types::ProofKey;

use crate::PreparedKey;
use crate::curve::Curve;
use crate::formats::encoding::{g1_to_bytes, g2_to_bytes};

pub(crate) struct Fixture<E: Curve> {
    alpha: E::ScalarField,
    beta: E::ScalarField,
    gamma: E::ScalarField,
    delta: E::ScalarField,
    ic: Vec<E::ScalarField>,
}

/// A proof with its public signals.
#[derive(Clone)]
pub(crate) struct Parts<E: Curve> {
    pub(crate) a: E::G1Affine,
    pub(crate) b: E::G2Affine,
    pub(crate) c: E::G1Affine,
    pub(crate) signals: Vec<E::ScalarField>,
}

fn g1<E: Pairing>(scalar: E::ScalarField) -> E::G1Affine {
    (E::G1::generator() * scalar).into_affine()
}

fn g2<E: Pairing>(scalar: E::ScalarField) -> E::G2Affine {
    (E::G2::generator() * scalar).into_affine()
}

impl<E: Curve> Fixture<E> {
    pub(crate) fn new(signals: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(signals as u64);
        let mut draw = || E::ScalarField::rand(&mut rng);
        let (alpha, beta, gamma, delta) = (draw(), draw(), draw(), draw());
        Self { alpha, beta, gamma, delta, ic: (0..=signals).map(|_| draw()).collect() }
    }

    /// A proof of random signals that holds.
    pub(crate) fn proof(&self, seed: u64) -> Parts<E> {
        let mut rng = StdRng::seed_from_u64(1000 + seed);
        let mut draw = || E::ScalarField::rand(&mut rng);
        let (a, b) = (draw(), draw());
        self.forged(a, b, (1..self.ic.len()).map(|_| draw()).collect())
    }

    /// A proof with these A and B that holds: C = (A·B − α·β − IC(x)·γ) / δ.
    pub(crate) fn forged(&self, a: E::ScalarField, b: E::ScalarField, signals: Vec<E::ScalarField>) -> Parts<E> {
        let ic = self.ic[0] + self.ic[1..].iter().zip(&signals).map(|(ic, x)| *ic * x).sum::<E::ScalarField>();
        let c = (a * b - self.alpha * self.beta - ic * self.gamma) * self.delta.inverse().unwrap();
        Parts { a: g1::<E>(a), b: g2::<E>(b), c: g1::<E>(c), signals }
    }

    pub(crate) fn delta2(&self) -> E::G2Affine {
        g2::<E>(self.delta)
    }

    pub(crate) fn key_bytes(&self) -> Vec<u8> {
        let mut bytes = g1_to_bytes::<E>(&g1::<E>(self.alpha));
        for scalar in [self.beta, self.gamma, self.delta] {
            bytes.extend(g2_to_bytes::<E>(&g2::<E>(scalar)));
        }
        self.ic.iter().for_each(|scalar| bytes.extend(g1_to_bytes::<E>(&g1::<E>(*scalar))));
        bytes
    }

    pub(crate) fn key(&self) -> ProofKey {
        ProofKey::new(E::ID, self.key_bytes().into())
    }

    pub(crate) fn prepared(&self) -> PreparedKey {
        PreparedKey::new(&self.key()).unwrap()
    }

    /// What ark-groth16 says.
    pub(crate) fn arkworks(&self, proof: &Parts<E>) -> bool {
        let key = VerifyingKey::<E> {
            alpha_g1: g1::<E>(self.alpha),
            beta_g2: g2::<E>(self.beta),
            gamma_g2: g2::<E>(self.gamma),
            delta_g2: g2::<E>(self.delta),
            gamma_abc_g1: self.ic.iter().map(|scalar| g1::<E>(*scalar)).collect(),
        };
        let theirs = ark_groth16::Proof { a: proof.a, b: proof.b, c: proof.c };
        Groth16::<E>::verify_proof(&prepare_verifying_key(&key), &theirs, &proof.signals).unwrap()
    }
}

impl<E: Curve> Parts<E> {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [g1_to_bytes::<E>(&self.a), g2_to_bytes::<E>(&self.b), g1_to_bytes::<E>(&self.c)].concat()
    }

    pub(crate) fn signal_bytes(&self) -> Vec<u8> {
        self.signals.iter().flat_map(|signal| signal.into_bigint().to_bytes_be()).collect()
    }
}
