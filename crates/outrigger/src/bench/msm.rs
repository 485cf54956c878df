//! The suite `msm`: multi-scalar multiplications against arkworks'.

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::scalar_mul::variable_base::VariableBaseMSM;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::PrimeField;
use outrigger_groth16::Control;
use outrigger_groth16::curve::{Curve, Points, RawField, RawPoint, RawPoints, RawScalar, point_bytes, write_point};
use outrigger_groth16::engine::{Arithmetic, Multiplication, PlainScalar};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::provers::Subject;
use super::{Record, announce, pairs, pool, thread_counts};
use crate::cli::{BenchArgs, Failure, Group, Scalars};

/// Points, unless the command line says otherwise: the key of a circuit of 2^16 constraints.
const SIZE: usize = 1 << 16;

/// Runs the suite.
pub(super) fn run(args: &BenchArgs) -> Result<Vec<Record>, Failure> {
    match args.proofs.curve {
        outrigger_types::Curve::Bn254 => over::<Bn254>(args),
        outrigger_types::Curve::Bls12_381 => over::<Bls12_381>(args),
    }
}

fn over<E: Curve>(args: &BenchArgs) -> Result<Vec<Record>, Failure> {
    let subject = Subject::of(args)?;
    let engine = E::arithmetic(&*subject.engine);
    match args.proofs.group {
        Group::G1 => one::<E, E::G1Affine>(args, &subject, engine, |engine, points| engine.over_g1(points)),
        Group::G2 => one::<E, E::G2Affine>(args, &subject, engine, |engine, points| engine.over_g2(points)),
    }
}

/// Makes points ready on an engine.
type Over<E, A> = for<'a> fn(&'a dyn Arithmetic<E>, &'a dyn Points<A>) -> Multiplication<'a, <A as AffineRepr>::Group>;

/// One group: `over` makes points ready, as those of a key are before its first proof.
fn one<E: Curve, A>(
    args: &BenchArgs,
    subject: &Subject,
    engine: &dyn Arithmetic<E>,
    over: Over<E, A>,
) -> Result<Vec<Record>, Failure>
where
    A: RawPoint<ScalarField: RawScalar, BaseField: RawField>,
{
    let size = args.size.unwrap_or(SIZE).max(1);
    let (kind, group) = (args.proofs.scalars, name(args.proofs.group));
    let algorithm = format!("msm-{}-{group}-{}", E::ID, name(kind));
    let mut random = StdRng::seed_from_u64(0x35e);
    announce(args, &format!("{algorithm} of {size}: making points"));
    let points = points::<A>(size, &mut random);
    let bytes = bytes(&points);
    let scalars: Vec<PlainScalar> = (0..size).map(|_| scalar::<A::ScalarField>(kind, &mut random)).collect();
    let theirs: Vec<_> = scalars.iter().map(|limbs| plain::<A::ScalarField>(*limbs).into_bigint()).collect();
    let expected: A = A::Group::msm_bigint(&points, &theirs).into_affine();
    let mut records = Vec::new();
    let ready = RawPoints::new(&bytes);
    let msm = over(engine, &ready);
    for threads in thread_counts(args) {
        announce(args, &format!("{algorithm} of {size}, {threads} threads"));
        let pool = pool(threads)?;
        let product = || {
            let sum = pool.install(|| msm(&scalars, &Control::default())).map_err(Failure::work)?;
            let is_right = sum.into_affine() == expected;
            is_right.then_some(()).ok_or_else(|| Failure::work("the sum differs from arkworks'"))
        };
        let peer = pairs::Other {
            name: "arkworks".into(),
            version: "0.6".into(),
            run: pairs::clocked(|| {
                std::hint::black_box(pool.install(|| A::Group::msm_bigint(&points, &theirs)));
                Ok(())
            }),
        };
        let mut record = Record { size: Some(size), ..subject.record("msm", &algorithm, size, threads) };
        pairs::measure(&mut record, args.pairs, pairs::clocked(product), Some(peer))?;
        record.more.insert("warm".into(), json!(true));
        let p50 = record.latency_us.p50;
        record.more.insert("stages_ms".into(), json!({format!("msm_{group}"): p50 / 1e3}));
        records.push(record);
    }
    Ok(records)
}

/// A scalar, as a plain number.
pub(super) fn scalar<F: RawScalar>(kind: Scalars, random: &mut StdRng) -> PlainScalar {
    match kind {
        Scalars::Binary => [random.random_range(0..2), 0, 0, 0],
        Scalars::Bits64 => [random.random(), 0, 0, 0],
        Scalars::Random => loop {
            let mut limbs: PlainScalar = random.random();
            limbs[3] &= u64::MAX >> (256 - F::MODULUS_BIT_SIZE);
            if F::from_plain_limbs(limbs).is_some() {
                return limbs;
            }
        },
    }
}

/// The element of a plain number that [`scalar`] has drawn.
pub(super) fn plain<F: RawScalar>(limbs: PlainScalar) -> F {
    F::from_plain_limbs(limbs).expect("drawn below the order")
}

/// Points on an arithmetic progression from a random one: all different, and made with one addition each.
fn points<A: RawPoint>(size: usize, random: &mut StdRng) -> Vec<A> {
    let mut drawn = || A::Group::generator() * A::ScalarField::from(random.random::<u128>());
    let (mut point, step) = (drawn(), drawn());
    let sums: Vec<_> = (0..size)
        .map(|_| {
            point += step;
            point
        })
        .collect();
    A::Group::normalize_batch(&sums)
}

/// Points as a `.zkey` holds them, which is how the prover takes them.
fn bytes<A: RawPoint<BaseField: RawField>>(points: &[A]) -> Vec<u8> {
    let mut bytes = vec![0; points.len() * point_bytes::<A>()];
    for (point, place) in points.iter().zip(bytes.chunks_exact_mut(point_bytes::<A>())) {
        write_point(point, place);
    }
    bytes
}

/// A value of the command line by its name there.
fn name(value: impl clap::ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
