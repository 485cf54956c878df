//! A development-only setup: a `.zkey` from an `.r1cs`, its toxic waste drawn and forgotten by this process alone.
//! Whoever runs it could forge proofs; nobody else can know that they did not. Never for production.
//!
//! The reduction to a quadratic arithmetic program is snarkjs's (`zkey new`): the public signals get a row of their
//! own in A, behind those of the constraints; the domain is the power of two above constraints plus public signals;
//! and the quotient's points are the Lagrange polynomials of the odd places of a domain of twice the size, so that
//! the prover multiplies them with values of A·B − C there and nobody divides by the vanishing polynomial.

pub mod synthetic;

mod points;
mod program;

use std::io::{self, Write};

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ff::Field;
use outrigger_types::Curve as CurveId;
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::curve::{Curve, RawScalar};
use crate::formats::zkey::{self, Matrix, Term, ZkeyParts};
use crate::prover::randomness::non_zero_scalar;
use crate::{Control, R1cs};
use points::FixedBase;
use program::{Domain, Program};

pub use synthetic::synthetic;

/// Wires that may stand in no constraint, beyond those that do: a file of a few bytes must not ask for memory for
/// billions.
const UNUSED_WIRES_MAX: usize = 1 << 20;

/// Makes a proving key for a circuit and writes it as a `.zkey`. In the current rayon pool.
///
/// # Errors
/// Where the circuit has more wires than its constraints account for or is too large for the curve, where `into`
/// cannot be written, where there is no randomness, or where the work was stopped: the error then holds the
/// [`crate::Stop`].
pub fn insecure_setup(r1cs: &R1cs, into: &mut dyn Write, control: &Control) -> io::Result<()> {
    match r1cs.curve {
        CurveId::Bn254 => setup_over::<Bn254>(r1cs, into, control),
        CurveId::Bls12_381 => setup_over::<Bls12_381>(r1cs, into, control),
    }
}

/// What nobody may keep.
#[derive(Zeroize, ZeroizeOnDrop)]
struct ToxicWaste<F: RawScalar> {
    tau: F,
    alpha: F,
    beta: F,
    gamma: F,
    delta: F,
}

impl<F: RawScalar> ToxicWaste<F> {
    /// tau outside the domain of twice the size, gamma ≠ delta: both fail with a probability of about 2^-230.
    fn draw(domain: &Domain<F>) -> io::Result<Self> {
        loop {
            let [tau, alpha, beta, gamma, delta] = [(); 5].map(|()| non_zero_scalar::<F>());
            let drawn = Self { tau: *tau?, alpha: *alpha?, beta: *beta?, gamma: *gamma?, delta: *delta? };
            if !domain.holds_in_double(drawn.tau) && drawn.gamma != drawn.delta {
                return Ok(drawn);
            }
        }
    }
}

fn setup_over<E: Curve>(r1cs: &R1cs, into: &mut dyn Write, control: &Control) -> io::Result<()> {
    if r1cs.wires > r1cs.terms() + r1cs.public_signals() + UNUSED_WIRES_MAX {
        let message = format!("{} wires, of which the constraints use at most {}", r1cs.wires, r1cs.terms());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let domain = Domain::<E::ScalarField>::of::<E>(r1cs)?;
    let waste = ToxicWaste::draw(&domain)?;
    let program = Program::at(r1cs, &domain, waste.tau, control)?;
    let quotient = domain.quotient_terms(waste.tau, inverse(waste.delta), control)?;
    let (ic, c) = combined_terms(&program, r1cs.public_signals() + 1, &waste);

    let g1 = FixedBase::<E::G1>::new(4 * r1cs.wires);
    let g2 = FixedBase::<E::G2>::new(r1cs.wires);
    let parts = ZkeyParts::<E> {
        public_signals: r1cs.public_signals() as u32,
        domain: domain.size as u32,
        alpha1: g1.times(waste.alpha),
        beta1: g1.times(waste.beta),
        beta2: g2.times(waste.beta),
        gamma2: g2.times(waste.gamma),
        delta1: g1.times(waste.delta),
        delta2: g2.times(waste.delta),
        ic: &g1.times_each(&ic, control)?,
        terms: &terms(r1cs),
        a: &g1.times_each(&program.a, control)?,
        b1: &g1.times_each(&program.b, control)?,
        b2: &g2.times_each(&program.b, control)?,
        c: &g1.times_each(&c, control)?,
        h: &g1.times_each(&quotient, control)?,
        circuit_hash: circuit_hash(r1cs)?,
    };
    zkey::write(&parts, into)
}

/// For each wire (β·A + α·B + C)(τ): over γ for the constant one and the public signals, over δ for the others.
fn combined_terms<F: RawScalar>(program: &Program<F>, public: usize, waste: &ToxicWaste<F>) -> (Vec<F>, Vec<F>) {
    let (over_gamma, over_delta) = (inverse(waste.gamma), inverse(waste.delta));
    let combined =
        |wire: usize, over: F| (waste.beta * program.a[wire] + waste.alpha * program.b[wire] + program.c[wire]) * over;
    let ic = (0..public).map(|wire| combined(wire, over_gamma)).collect();
    let c = (public..program.a.len()).map(|wire| combined(wire, over_delta)).collect();
    (ic, c)
}

fn inverse<F: Field>(value: F) -> F {
    value.inverse().expect("drawn until it was not zero")
}

/// The terms of A and B in the order of snarkjs: constraint by constraint, then the rows of the public signals.
fn terms<F: RawScalar>(r1cs: &R1cs) -> Vec<Term<F>> {
    let coefficients: Vec<F> = program::elements(r1cs.coefficients());
    let mut terms = Vec::with_capacity(r1cs.terms() + r1cs.public_signals() + 1);
    for row in 0..r1cs.constraints() {
        for (matrix, number) in [(Matrix::A, 0), (Matrix::B, 1)] {
            let of_row = r1cs.row(number, row).iter();
            terms.extend(of_row.map(|(wire, coefficient)| Term {
                matrix,
                row: row as u32,
                wire: *wire,
                value: coefficients[*coefficient as usize],
            }));
        }
    }
    let public = 0..=r1cs.public_signals();
    terms.extend(public.map(|wire| Term {
        matrix: Matrix::A,
        row: (r1cs.constraints() + wire) as u32,
        wire: wire as u32,
        value: F::ONE,
    }));
    terms
}

/// SHA-512 of the circuit as [`R1cs::write`] gives it. (snarkjs hashes the points of the ceremony here, of which
/// there was none.)
fn circuit_hash(r1cs: &R1cs) -> io::Result<[u8; 64]> {
    struct Hasher(Sha512);

    impl Write for Hasher {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut hasher = Hasher(Sha512::new());
    r1cs.write(&mut hasher)?;
    Ok(hasher.0.finalize().into())
}

#[cfg(test)]
mod tests;
