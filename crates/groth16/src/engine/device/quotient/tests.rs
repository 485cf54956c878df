//! Products and transforms on a device against the reference, which is arkworks, and engine cpu.

use ark_ff::{AdditiveGroup, UniformRand};
use ark_std::rand::Rng;
use ark_std::test_rng;
use outrigger_device::NarrowQueue;

use super::*;
use crate::Control;
use crate::curve::RawScalar;
use crate::engine::cpu::CpuArithmetic;
use crate::engine::device::here;
use crate::engine::reference::ReferenceArithmetic;
use crate::engine::{Arithmetic, PlainScalar};
use crate::key::Rows;

type Bn254 = ark_bn254::Bn254;
type Bls12 = ark_bls12_381::Bls12_381;
type Scalar<E> = <E as ark_ec::pairing::Pairing>::ScalarField;

/// Wires of the witnesses here.
const WIRES: usize = 300;

/// Runs with groups of so many work-items at most. On the host each is a thread that meets the others at barriers.
fn on_device<T>(group_size_max: u32, act: impl FnOnce(&mut dyn Queue) -> T) -> T {
    let mut queue = here::device().queue().expect("a queue");
    act(&mut NarrowQueue::new(queue.as_mut(), group_size_max))
}

/// One on the host, for speed; on OpenCL as many as there may be.
fn usual_group_size() -> u32 {
    if here::is_opencl() { u32::MAX } else { 1 }
}

fn random<F: UniformRand>(count: usize) -> Vec<F> {
    let mut rng = test_rng();
    (0..count).map(|_| F::rand(&mut rng)).collect()
}

/// Rows of every kind: empty, with coefficients 1, −1 and random ones, with wires that come twice, as long as a row
/// may be and one term longer, of 10,000 terms that are nothing but signs, and of 10,000 mixed ones.
fn rows<F: RawScalar>(count: usize) -> Rows<F> {
    let mut rng = test_rng();
    let coefficients = [F::ONE, -F::ONE, F::from(2u64), F::rand(&mut rng), F::rand(&mut rng)];
    let r = F::from(2u64).pow([256u64]);
    let stored = coefficients.iter().map(|coefficient| *coefficient * r).collect();
    let mut rows = Rows { ends: vec![], terms: vec![], coefficients: stored };
    for row in 0..count {
        let (terms, numbers) = match row {
            1 => (10_000, 0..2),
            3 => (10_000, 0..5),
            4 => (rows::TERMS_MAX, 0..5),
            6 => (rows::TERMS_MAX + 1, 2..5),
            7 => (1, 0..1),
            _ => (row % 5, 0..5),
        };
        for _ in 0..terms {
            rows.terms.push((rng.gen_range(0..WIRES as u32), rng.gen_range(numbers.clone())));
        }
        rows.ends.push(rows.terms.len() as u32);
    }
    rows
}

fn witnesses<F: RawScalar>(proofs: usize) -> Vec<Vec<PlainScalar>> {
    let mut rng = test_rng();
    let mut wire = |proof: usize| match (proof % 3, rng.gen_range(0..4)) {
        (1, _) => F::ZERO,
        (_, 0) => F::rand(&mut rng),
        (_, 1) => -F::from(rng.gen_range(0..3u64)),
        _ => F::from(rng.gen_range(0..2u64)),
    };
    (0..proofs).map(|proof| (0..WIRES).map(|_| wire(proof).plain_limbs()).collect()).collect()
}

/// A run of a plan for `batch` proofs with `proofs` of them, held against the reference at each step.
fn runs_agree<E: Curve>(log_size: u32, batch: usize, proofs: usize, tile_log: u32, group_size_max: u32) {
    let domain = 1usize << log_size;
    let matrices = [rows::<Scalar<E>>(domain.min(50)), rows(domain.div_ceil(2).min(9))];
    let witnesses = witnesses::<Scalar<E>>(proofs);
    let cut = matrices.each_ref().map(|rows| CutRows::new(rows, WIRES).expect("rows"));
    let pieces = cut.iter().map(CutRows::pieces).max().expect("two");
    let what = format!("2^{log_size}, {proofs} of {batch}, tiles of 2^{tile_log}, groups of {group_size_max}");
    on_device(group_size_max, |queue| {
        let roots = Arc::new(Roots::<E>::new(queue, domain).expect("roots"));
        let plan = QuotientPlan::with_tile(queue, roots, domain, batch, pieces, tile_log).expect("a plan");
        let device_rows = cut.each_ref().map(|cut| DeviceRows::new(queue, cut).expect("rows"));
        let buffer = queue.allocate(proofs * WIRES * 32).expect("memory");
        write_scalars(queue, &buffer, 0, &witnesses.concat()).expect("written");
        plan.products(queue, device_rows.each_ref(), &buffer, proofs).expect("products");
        let mut found = vec![Scalar::<E>::ZERO; 2 * proofs * domain];
        read_elements(queue, plan.values(), 0, &mut found).expect("read");
        plan.transforms(queue, proofs).expect("transforms");
        let mut quotients = vec![[0; 4]; proofs * domain];
        read_scalars(queue, plan.values(), 0, &mut quotients).expect("read");
        for (proof, witness) in witnesses.iter().enumerate() {
            let control = Control::default();
            let (reference, cpu): (&dyn Arithmetic<E>, &dyn Arithmetic<E>) = (&ReferenceArithmetic, &CpuArithmetic);
            let [a, b] = matrices.each_ref().map(|rows| {
                let product = reference.sparse_product(rows, witness, domain, &control).expect("product");
                assert_eq!(Ok(&product), cpu.sparse_product(rows, witness, domain, &control).as_ref());
                product
            });
            for (name, which, expected) in [("a", 0, &a), ("b", proofs, &b)] {
                assert!(found[(which + proof) * domain..][..domain] == **expected, "{name} of proof {proof}, {what}");
            }
            let expected = reference.quotient(a, b, &control).expect("quotient");
            assert!(quotients[proof * domain..][..domain] == **expected, "quotient of proof {proof}, {what}");
        }
        let again = plan.run(queue, device_rows.each_ref(), &buffer, proofs).expect("a second run");
        let mut same = vec![[0; 4]; proofs * domain];
        read_scalars(queue, again, 0, &mut same).expect("read");
        assert!(same == quotients, "a second run, {what}");
    });
}

#[test]
fn quotients_agree_on_every_domain() {
    for log_size in 1..=10 {
        runs_agree::<Bn254>(log_size, 1, 1, 10, usual_group_size());
        runs_agree::<Bls12>(log_size, 1, 1, 10, usual_group_size());
    }
}

#[test]
fn quotients_of_batches_agree() {
    for log_size in [1, 3, 6, 9] {
        runs_agree::<Bn254>(log_size, 3, 3, 10, usual_group_size());
        runs_agree::<Bls12>(log_size, 3, 3, 5, usual_group_size());
        runs_agree::<Bn254>(log_size, 4, 2, 4, usual_group_size());
    }
}

/// Tiles as small as 8 elements, so that passes are many, and as large as there are.
#[test]
fn quotients_agree_however_they_are_cut() {
    for (log_size, tile_log) in [(8, 3), (9, 4), (10, 5), (9, 6), (10, 7), (11, 8), (11, 9), (12, 10)] {
        runs_agree::<Bn254>(log_size, 1, 1, tile_log, usual_group_size());
        runs_agree::<Bls12>(log_size, 2, 2, tile_log, usual_group_size());
    }
}

#[test]
fn groups_of_any_size_agree() {
    for group_size_max in [2, 3, 8] {
        runs_agree::<Bn254>(6, 1, 1, 6, group_size_max);
        runs_agree::<Bls12>(7, 2, 1, 5, group_size_max);
    }
}

#[test]
#[ignore = "minutes on a processor"]
fn quotients_agree_in_three_passes_of_full_tiles() {
    runs_agree::<Bn254>(19, 1, 1, 10, usual_group_size());
    runs_agree::<Bls12>(20, 1, 1, 10, usual_group_size());
}

#[test]
fn quotients_agree_on_a_large_domain() {
    let log_size = if here::is_opencl() { 16 } else { 13 };
    runs_agree::<Bn254>(log_size, 1, 1, 10, usual_group_size());
    runs_agree::<Bls12>(log_size, 1, 1, 7, usual_group_size());
}

fn transforms_agree<E: Curve>(log_sizes: impl Iterator<Item = u32>, tile_log: u32) {
    let reference: &dyn Arithmetic<E> = &ReferenceArithmetic;
    on_device(usual_group_size(), |queue| {
        // Tables for more than any transform needs.
        let roots = Arc::new(Roots::<E>::new(queue, 1 << 13).expect("roots"));
        for log_size in log_sizes {
            let transform =
                DeviceTransform::with_tile(queue, Arc::clone(&roots), 1 << log_size, tile_log).expect("one");
            let values = random::<Scalar<E>>(1 << log_size);
            for (inverse, coset) in [(false, false), (false, true), (true, false), (true, true)] {
                let (mut found, mut expected) = (values.clone(), values.clone());
                transform.ntt(queue, &mut found, inverse, coset).expect("transformed");
                reference.ntt(&mut expected, inverse, coset, &Control::default()).expect("transformed");
                assert!(found == expected, "2^{log_size}, inverse: {inverse}, coset: {coset}");
            }
        }
    });
}

#[test]
fn transforms_in_natural_order_agree() {
    transforms_agree::<Bn254>(1..=11, 10);
    transforms_agree::<Bls12>(1..=11, 10);
    transforms_agree::<Bn254>(5..=9, 4);
    transforms_agree::<Bls12>(12..=13, 6);
}

#[test]
fn nothing_is_left_after_a_wipe() {
    on_device(usual_group_size(), |queue| {
        let roots = Arc::new(Roots::<Bn254>::new(queue, 64).expect("roots"));
        let plan = QuotientPlan::new(queue, Arc::clone(&roots), 64, 2, 5).expect("a plan");
        let transform = DeviceTransform::new(queue, roots, 32).expect("a transform");
        transform.ntt(queue, &mut random(32), true, true).expect("transformed");
        plan.wipe(queue, 2).expect("wiped");
        for buffer in [&plan.values, &plan.sums, transform.buffers()[0], transform.buffers()[1]] {
            let mut bytes = vec![1; buffer.bytes()];
            queue.read(buffer, 0, &mut bytes).expect("read");
            assert!(bytes.iter().all(|byte| *byte == 0));
        }
    });
}

#[test]
fn bytes_are_predicted() {
    on_device(usual_group_size(), |queue| {
        let roots = Roots::<Bn254>::new(queue, 256).expect("roots");
        let held = [&roots.plain, &roots.coset, &roots.fractions].map(Buffer::bytes);
        assert_eq!(Roots::<Bn254>::bytes(256), held.iter().sum::<usize>());
        let cut = CutRows::<Scalar<Bn254>>::new(&rows(20), WIRES).expect("rows");
        let matrix = DeviceRows::<Bn254>::new(queue, &cut).expect("rows");
        assert_eq!(cut.bytes(), matrix.buffers().iter().map(|buffer| buffer.bytes()).sum::<usize>());
        let plan = QuotientPlan::new(queue, Arc::new(roots), 64, 2, cut.pieces()).expect("a plan");
        let held = plan.values.bytes() + plan.sums.bytes();
        assert_eq!(QuotientPlan::<Bn254>::bytes(64, 2, cut.pieces()), held);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    fn is_misuse<T>(outcome: Result<T, DeviceError>) -> bool {
        matches!(outcome, Err(DeviceError::Misuse(_)))
    }
    on_device(usual_group_size(), |queue| {
        for length in [0, 1, 3, 1 << 27] {
            assert!(is_misuse(Roots::<Bn254>::new(queue, length)), "{length}");
        }
        let roots = Arc::new(Roots::<Bn254>::new(queue, 64).expect("roots"));
        for (domain, batch) in [(128, 1), (48, 1), (1, 1), (64, 0), (64, 1 << 26)] {
            assert!(is_misuse(QuotientPlan::new(queue, Arc::clone(&roots), domain, batch, 0)), "{domain}, {batch}");
        }
        let cut = CutRows::new(&rows(20), WIRES).expect("rows");
        let matrix = DeviceRows::new(queue, &cut).expect("rows");
        let witness = queue.allocate(2 * WIRES * 32).expect("memory");
        let plan = QuotientPlan::new(queue, Arc::clone(&roots), 64, 2, cut.pieces()).expect("a plan");
        for proofs in [0, 3] {
            assert!(is_misuse(plan.run(queue, [&matrix; 2], &witness, proofs)), "{proofs}");
        }
        let short = queue.allocate(2 * WIRES * 32 - 4).expect("memory");
        assert!(is_misuse(plan.run(queue, [&matrix; 2], &short, 2)), "a witness is too short");
        let small = QuotientPlan::new(queue, Arc::clone(&roots), 16, 2, cut.pieces()).expect("a plan");
        assert!(is_misuse(small.run(queue, [&matrix; 2], &witness, 2)), "20 rows on 16 elements");
        let few = QuotientPlan::new(queue, Arc::clone(&roots), 64, 2, cut.pieces() - 1).expect("a plan");
        assert!(is_misuse(few.run(queue, [&matrix; 2], &witness, 2)), "more pieces than room");
        let transform = DeviceTransform::new(queue, roots, 32).expect("a transform");
        assert!(is_misuse(transform.ntt(queue, &mut random(16), false, false)), "too few values");
    });
    let mut wrong = rows::<Scalar<Bn254>>(20);
    wrong.terms[5].0 = WIRES as u32;
    assert!(is_misuse(CutRows::new(&wrong, WIRES)), "a wire that is not there");
    wrong.terms[5] = (0, 5);
    assert!(is_misuse(CutRows::new(&wrong, WIRES)), "a coefficient that is not there");
}
