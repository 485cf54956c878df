//! Multi-scalar multiplications of random scalars on one thread: lanes against ark-ec.
//!
//! `msm [NAME…]`: only what has one of these in its name, as in `bn254 G1, 2^16`.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Duration;

use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ff::{BigInt, Field, Fp, Fp2, Fp2Config, FpConfig, PrimeField, UniformRand};
use outrigger_vector::msm::{Bases, Curve, msm};
use outrigger_vector::{Unit, bls12_381, bn254};

#[path = "pairs.rs"]
mod pairs;

/// Words of a coordinate in Montgomery's form.
trait Number<N> {
    fn number(&self) -> N;
}

impl<P: FpConfig<N>, const N: usize> Number<[u64; N]> for Fp<P, N> {
    fn number(&self) -> [u64; N] {
        self.0.0
    }
}

impl<P: Fp2Config<Fp: Number<N>>, N> Number<[N; 2]> for Fp2<P> {
    fn number(&self) -> [N; 2] {
        [self.c0.number(), self.c1.number()]
    }
}

fn main() {
    let Some(unit) = Unit::detect() else {
        println!("NOT RUN: this machine has no AVX-512 IFMA");
        return;
    };
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
    pool.install(|| {
        let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
        run::<ark_bn254::g1::Config, bn254::G1>(unit, "bn254 G1", &[13, 14, 16, 18, 20], &runs);
        run::<ark_bn254::g2::Config, bn254::G2>(unit, "bn254 G2", &[13, 14, 16], &runs);
        run::<ark_bls12_381::g1::Config, bls12_381::G1>(unit, "bls12-381 G1", &[16], &runs);
        run::<ark_bls12_381::g2::Config, bls12_381::G2>(unit, "bls12-381 G2", &[16], &runs);
    });
}

fn run<A: SWCurveConfig<BaseField: Number<C::Number>, ScalarField: PrimeField<BigInt = BigInt<4>>>, C: Curve>(
    unit: Unit,
    name: &str,
    log_sizes: &[u32],
    runs: &dyn Fn(&str) -> bool,
) {
    for log_size in log_sizes {
        let (name, count) = (format!("{name}, 2^{log_size}"), 1 << log_size);
        if !runs(&name) {
            continue;
        }
        let points = points::<A>(count);
        let mut random = ark_std::test_rng();
        let scalars: Vec<_> = (0..count).map(|_| A::ScalarField::rand(&mut random).into_bigint()).collect();
        let plain: Vec<[u64; 4]> = scalars.iter().map(|scalar| scalar.0).collect();
        let bases = Bases::<C>::prepare(unit, count, |i| Some([points[i].x.number(), points[i].y.number()]));
        let ours = || msm(unit, &bases, &plain, &mut || ControlFlow::Continue(())).expect("nobody stops it");
        let peer = || Projective::<A>::msm_bigint(&points, &scalars);
        let expected = peer().into_affine();
        let expected = [expected.x.number(), expected.y.number()];
        assert!(ours() == Some(expected), "{name}: the results differ");
        let ours = || _ = black_box(ours());
        let peer = || _ = black_box(peer());
        let pairs = match log_size {
            ..17 => 11,
            17..20 => 5,
            _ => 3,
        };
        compare(pairs, &name, count, ours, peer);
    }
}

/// By the time that this process computed, all threads together, which other work on the machine has little to do with.
fn compare(pairs: usize, name: &str, items: usize, ours: impl FnMut(), peer: impl FnMut()) {
    let clock = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    pairs::compare_by(&clock, pairs, &format!("{name}, {pairs} pairs"), items, ours, peer);
}

/// Points of which none is a small multiple of another.
fn points<A: SWCurveConfig>(count: usize) -> Vec<Affine<A>> {
    let mut point = Projective::<A>::generator() * A::ScalarField::from(3_u64).pow([1_000]);
    let mut next = || {
        point = point + point;
        point
    };
    let points: Vec<Projective<A>> = (0..count).map(|_| next()).collect();
    Projective::normalize_batch(&points)
}
