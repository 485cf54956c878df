//! The equation of Groth16, for one proof and for many.

use ark_ec::pairing::MillerLoopOutput;
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use outrigger_types::{Column, ProofKey, Verdict};
use rayon::prelude::*;

use crate::KeyError;
use crate::curve::{Curve, RawPoint, RawScalar, SCALAR_BYTES};
use crate::formats::encoding::{g1_from_bytes, g2_from_bytes};

/// Sets of at most so many are looked at one by one: what a combination costs beside its proofs is more than a proof
/// alone does, so that it begins to pay with three.
const ALONE_MAX: usize = 2;

/// A verifying key of one curve.
pub(super) struct Prepared<E: Curve> {
    alpha: E::G1Affine,
    beta: E::G2Prepared,
    minus_gamma: E::G2Prepared,
    minus_delta: E::G2Prepared,
    /// e(α, β).
    target: E::TargetField,
    ic: Vec<E::G1Affine>,
}

/// A proof whose points are on their curves, with public signals below r.
struct Item<E: Curve> {
    a: E::G1Affine,
    b: E::G2Affine,
    c: E::G1Affine,
    signals: Vec<E::ScalarField>,
}

impl<E: Curve> Prepared<E> {
    pub(super) fn new(key: &ProofKey) -> Result<Self, KeyError> {
        let signals = key.public_signals();
        let signals = signals.ok_or_else(|| unsound("the verifying key's length is that of no key"))?;
        let (g1, g2) = (2 * E::ID.base_bytes(), 4 * E::ID.base_bytes());
        let (alpha, rest) = key.bytes.split_at(g1);
        let (of_g2, ic) = rest.split_at(3 * g2);
        let alpha = valid(g1_from_bytes::<E>(alpha), "alpha")?;
        let beta = valid(g2_from_bytes::<E>(&of_g2[..g2]), "beta")?;
        let gamma = valid(g2_from_bytes::<E>(&of_g2[g2..2 * g2]), "gamma")?;
        let delta = valid(g2_from_bytes::<E>(&of_g2[2 * g2..]), "delta")?;
        if gamma == delta {
            return Err(unsound("gamma equals delta: nobody contributed to its second phase, so proofs can be forged"));
        }
        if gamma.is_zero() || delta.is_zero() {
            return Err(unsound("gamma or delta is the point at infinity, so proofs can be forged"));
        }
        let ic: Result<Vec<_>, _> = ic.chunks_exact(g1).map(|point| valid(g1_from_bytes::<E>(point), "IC")).collect();
        let ic = ic?;
        debug_assert_eq!(ic.len(), signals + 1, "the length was held against this");
        Ok(Self {
            alpha,
            target: E::pairing(alpha, beta).0,
            beta: E::G2Prepared::from(beta),
            minus_gamma: E::G2Prepared::from(negated(gamma)),
            minus_delta: E::G2Prepared::from(negated(delta)),
            ic,
        })
    }

    pub(super) fn public_signals(&self) -> usize {
        self.ic.len() - 1
    }

    pub(super) fn verify(&self, proof: &[u8], signals: &[u8]) -> Verdict {
        match self.read(proof, signals) {
            Ok(item) => Verdict::from_equation(self.holds(&item)),
            Err(verdict) => verdict,
        }
    }

    pub(super) fn verify_batch(&self, proofs: Column<'_>, signals: Column<'_>) -> Vec<Verdict> {
        let mut verdicts = vec![Verdict::Malformed; proofs.len()];
        let mut items = Vec::with_capacity(proofs.len());
        for (i, (proof, signals)) in proofs.iter().zip(signals.iter()).enumerate() {
            match self.read(proof, signals) {
                Ok(item) => items.push((i, item)),
                Err(verdict) => verdicts[i] = verdict,
            }
        }
        self.judge(items, &mut verdicts);
        verdicts
    }

    /// Gives each item its verdict: valid to all that hold.
    fn judge(&self, mut items: Vec<(usize, Item<E>)>, verdicts: &mut [Verdict]) {
        if items.len() > ALONE_MAX {
            // Their combination says something of points in their subgroups alone.
            let sound: Vec<bool> = items.par_iter().with_max_len(1).map(|(_, item)| item.is_sound()).collect();
            let mut sound = sound.into_iter();
            items.retain(|(i, _)| {
                let is_sound = sound.next().expect("one for each");
                if !is_sound {
                    verdicts[*i] = Verdict::Invalid;
                }
                is_sound
            });
            self.judge_sound(&items, verdicts);
        } else {
            items.iter().for_each(|(i, item)| verdicts[*i] = Verdict::from_equation(self.holds(item)));
        }
    }

    /// As [`Self::judge`], of points in their subgroups: valid to all where their combination holds, or else to each
    /// half its own.
    fn judge_sound(&self, items: &[(usize, Item<E>)], verdicts: &mut [Verdict]) {
        if items.len() <= ALONE_MAX {
            items.iter().for_each(|(i, item)| verdicts[*i] = Verdict::from_equation(self.holds(item)));
        } else if self.all_hold(items) {
            items.iter().for_each(|(i, _)| verdicts[*i] = Verdict::Valid);
        } else {
            let (left, right) = items.split_at(items.len() / 2);
            self.judge_sound(left, verdicts);
            self.judge_sound(right, verdicts);
        }
    }

    /// Whether the points of one proof are in their subgroups and its equation holds. Two threads share the work, where
    /// there are two.
    fn holds(&self, item: &Item<E>) -> bool {
        let of_proof = || E::multi_miller_loop([item.a], [E::G2Prepared::from(item.b)]);
        let of_key = || {
            item.is_sound().then(|| {
                let signals = E::G1::msm_bigint(&self.ic[1..], &plain::<E>(&item.signals)) + self.ic[0];
                let prepared = [self.minus_gamma.clone(), self.minus_delta.clone()];
                E::multi_miller_loop([signals.into_affine(), item.c], prepared)
            })
        };
        let (of_proof, of_key) = rayon::join(of_proof, of_key);
        of_key.is_some_and(|of_key| {
            let loops = MillerLoopOutput(of_proof.0 * of_key.0);
            E::final_exponentiation(loops).is_some_and(|product| product.0 == self.target)
        })
    }

    /// Whether a random linear combination of the proofs' equations holds; false also where there is no randomness,
    /// so that each is then looked at alone.
    fn all_hold(&self, items: &[(usize, Item<E>)]) -> bool {
        let Ok(coefficients) = draw::<E::ScalarField>(items.len()) else { return false };
        let scaled: Vec<E::G1> = items.iter().zip(&coefficients).map(|((_, item), by)| item.a * by).collect();
        let mut left = E::G1::normalize_batch(&scaled);
        let mut right: Vec<E::G2Prepared> = items.iter().map(|(_, item)| E::G2Prepared::from(item.b)).collect();

        let sum: E::ScalarField = coefficients.iter().sum();
        let c: Vec<E::G1Affine> = items.iter().map(|(_, item)| item.c).collect();
        let others = [
            E::G1::msm_bigint(&self.ic, &plain::<E>(&self.combined_signals(items, &coefficients, sum))),
            E::G1::msm_bigint(&c, &plain::<E>(&coefficients)),
            self.alpha * -sum,
        ];
        left.extend(E::G1::normalize_batch(&others));
        right.extend([self.minus_gamma.clone(), self.minus_delta.clone(), self.beta.clone()]);
        let loops = E::multi_miller_loop(left, right);
        E::final_exponentiation(loops).is_some_and(|product| product.0 == E::TargetField::ONE)
    }

    /// The scalars of IC: the sum of the coefficients, then for each signal its sum over the proofs.
    fn combined_signals(
        &self,
        items: &[(usize, Item<E>)],
        coefficients: &[E::ScalarField],
        sum: E::ScalarField,
    ) -> Vec<E::ScalarField> {
        let mut scalars = vec![E::ScalarField::ZERO; self.ic.len()];
        scalars[0] = sum;
        for ((_, item), coefficient) in items.iter().zip(coefficients) {
            for (scalar, signal) in scalars[1..].iter_mut().zip(&item.signals) {
                *scalar += *signal * coefficient;
            }
        }
        scalars
    }

    /// Decodes a proof, and holds its points against their curves and its signals against r.
    fn read(&self, proof: &[u8], signals: &[u8]) -> Result<Item<E>, Verdict> {
        if proof.len() != E::ID.proof_bytes() || signals.len() != SCALAR_BYTES * self.public_signals() {
            return Err(Verdict::Malformed);
        }
        let (a, rest) = proof.split_at(2 * E::ID.base_bytes());
        let (b, c) = rest.split_at(4 * E::ID.base_bytes());
        let a = g1_from_bytes::<E>(a).ok_or(Verdict::Malformed)?;
        let b = g2_from_bytes::<E>(b).ok_or(Verdict::Malformed)?;
        let c = g1_from_bytes::<E>(c).ok_or(Verdict::Malformed)?;
        let signals: Option<_> = signals.chunks_exact(SCALAR_BYTES).map(scalar_from_bytes::<E::ScalarField>).collect();
        let signals = signals.ok_or(Verdict::Invalid)?;
        Ok(Item { a, b, c, signals })
    }
}

impl<E: Curve> Item<E> {
    /// Whether all points are in their subgroups.
    fn is_sound(&self) -> bool {
        self.a.is_valid() && E::is_in_g2(&self.b) && self.c.is_valid()
    }
}

/// Coefficients of 128 bits, uniform.
fn draw<F: RawScalar>(count: usize) -> Result<Vec<F>, getrandom::Error> {
    let mut bytes = vec![0; 16 * count];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.chunks_exact(16).map(|chunk| F::from(u128::from_le_bytes(chunk.try_into().expect("16 bytes")))).collect())
}

/// A scalar of 32 bytes big-endian, where it is below r.
fn scalar_from_bytes<F: RawScalar>(bytes: &[u8]) -> Option<F> {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks_exact(8)) {
        *limb = u64::from_be_bytes(chunk.try_into().expect("eight bytes"));
    }
    F::from_plain_limbs(limbs)
}

fn plain<E: Curve>(scalars: &[E::ScalarField]) -> Vec<<E::ScalarField as PrimeField>::BigInt> {
    scalars.iter().map(|scalar| scalar.into_bigint()).collect()
}

fn negated<A: AffineRepr>(point: A) -> A {
    (-point.into_group()).into_affine()
}

fn valid<A: RawPoint>(point: Option<A>, name: &str) -> Result<A, KeyError> {
    let point = point.ok_or_else(|| unsound(&format!("{name} is no point of the curve")))?;
    if !point.is_valid() {
        return Err(unsound(&format!("{name} is outside its subgroup")));
    }
    Ok(point)
}

fn unsound(what: &str) -> KeyError {
    KeyError::Unsound(what.to_owned())
}

#[cfg(test)]
mod tests;
