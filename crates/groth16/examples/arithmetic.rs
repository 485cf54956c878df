//! The engine cpu beside arkworks, in interleaved pairs in one process: `arithmetic THREADS LOG_SIZE…`.
//!
//! Medians of the time that passed; with the variable `CPU_TIME` set, of the time that was computed, for busy machines.

use std::time::{Duration, Instant};

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::{FftField, PrimeField, UniformRand};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use ark_std::rand::Rng;
use outrigger_groth16::Control;
use outrigger_groth16::engine::cpu::CpuArithmetic;
use outrigger_groth16::engine::{Arithmetic, PlainScalar};

const PAIRS: usize = 5;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>().expect("numbers"));
    let threads = arguments.next().unwrap_or(1);
    let sizes: Vec<usize> = arguments.collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    pool.install(|| {
        for log_size in sizes {
            run(log_size, threads);
        }
    });
}

fn run(log_size: usize, threads: usize) {
    let mut rng = ark_std::test_rng();
    let n = 1 << log_size;
    let control = Control::default();
    let cpu: &dyn Arithmetic<Bn254> = &CpuArithmetic;
    let g1 = points::<G1Projective>(n);
    let g2 = points::<G2Projective>(n);
    let random: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
    let bits: Vec<Fr> = (0..n)
        .map(|_| if rng.gen_range(0..100) == 0 { Fr::rand(&mut rng) } else { Fr::from(rng.gen_range(0..2u64)) })
        .collect();
    for (kind, scalars) in [("random", &random), ("99% bits", &bits)] {
        let plain: Vec<PlainScalar> = scalars.iter().map(|scalar| scalar.into_bigint().0).collect();
        let bigints: Vec<_> = scalars.iter().map(|scalar| scalar.into_bigint()).collect();
        let g1: &[G1Affine] = &g1;
        let g2: &[G2Affine] = &g2;
        report(
            &format!("{threads}t 2^{log_size} msm g1 {kind}"),
            || cpu.msm_g1(&g1, &plain, &control).unwrap(),
            || G1Projective::msm_bigint(g1, &bigints),
        );
        report(
            &format!("{threads}t 2^{log_size} msm g2 {kind}"),
            || cpu.msm_g2(&g2, &plain, &control).unwrap(),
            || G2Projective::msm_bigint(g2, &bigints),
        );
    }
    let domain = Radix2EvaluationDomain::<Fr>::new(n).unwrap();
    let coset = domain.get_coset(Fr::get_root_of_unity(2 * n as u64).unwrap()).unwrap();
    report(
        &format!("{threads}t 2^{log_size} quotient"),
        || cpu.quotient(random.clone(), bits.clone(), &control).unwrap().to_vec(),
        || {
            let (mut a, mut b) = (random.clone(), bits.clone());
            let mut c: Vec<Fr> = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
            for values in [&mut a, &mut b, &mut c] {
                domain.ifft_in_place(values);
                coset.fft_in_place(values);
            }
            (0..n).map(|i| (a[i] * b[i] - c[i]).into_bigint().0).collect::<Vec<_>>()
        },
    );
}

fn points<G: CurveGroup>(count: usize) -> Vec<G::Affine> {
    let step = G::rand(&mut ark_std::test_rng());
    let mut point = G::zero();
    let points: Vec<G> = (0..count)
        .map(|_| {
            point += step;
            point
        })
        .collect();
    G::normalize_batch(&points)
}

fn report<R: PartialEq>(what: &str, mut ours: impl FnMut() -> R, mut theirs: impl FnMut() -> R) {
    let (mut our_times, mut their_times) = (vec![], vec![]);
    for _ in 0..PAIRS {
        let (time, one) = timed(&mut ours);
        our_times.push(time);
        let (time, other) = timed(&mut theirs);
        their_times.push(time);
        assert!(one == other, "{what}: the results differ");
    }
    let (ours, theirs) = (median(our_times), median(their_times));
    let (ours, theirs) = (ours.as_secs_f64() * 1e3, theirs.as_secs_f64() * 1e3);
    println!("{what:30} ours {ours:9.2} ms  arkworks {theirs:9.2} ms  ratio {:.2}", ours / theirs);
}

fn timed<R>(work: &mut impl FnMut() -> R) -> (Duration, R) {
    if std::env::var_os("CPU_TIME").is_some() {
        let start = cpu_time();
        let result = work();
        return (cpu_time() - start, result);
    }
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

/// What all threads of this process have computed, without what they waited for a core.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
