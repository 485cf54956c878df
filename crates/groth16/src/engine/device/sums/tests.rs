//! Sums on the device of the tests against arkworks, in all four groups.

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, PrimeField, UniformRand};
use ark_std::rand::Rng;
use ark_std::test_rng;
use outrigger_device::Buffer;

use super::super::here;
use super::*;
use crate::curve::Curve as PairingCurve;

/// Small windows: then there is much of everything that depends on their number.
const NARROW: SumTuning = SumTuning {
    window_bits: Some(5),
    group_size: 64,
    entries_per_item: 20,
    entries_per_item_min: 3,
    join_run: 4,
    segment_bits: 2,
    copies_max: 1,
};

/// Points with their scalars.
type Terms<G> = Vec<(G, <G as AffineRepr>::ScalarField)>;

fn queue() -> Box<dyn Queue> {
    here::device().queue().expect("a queue")
}

/// So many points: each the one before and a constant more.
fn points<G: SumPoint>(count: usize, rng: &mut impl Rng) -> Vec<G> {
    let (first, step) = (G::Group::rand(rng), G::Group::rand(rng));
    std::iter::successors(Some(first), |point| Some(*point + step)).take(count).map(CurveGroup::into_affine).collect()
}

fn terms<G: SumPoint>(count: usize, rng: &mut impl Rng, mut scalar: impl FnMut(usize) -> G::ScalarField) -> Terms<G> {
    points(count, rng).into_iter().enumerate().map(|(i, point)| (point, scalar(i))).collect()
}

/// Points as a key holds them.
fn raw_points<G: SumPoint>(terms: &Terms<G>) -> Vec<u8> {
    let size = G::BaseField::BYTES;
    let mut bytes = vec![0; 2 * size * terms.len()];
    for (bytes, (point, _)) in bytes.chunks_exact_mut(2 * size).zip(terms) {
        if let Some((x, y)) = point.xy() {
            x.write_montgomery(&mut bytes[..size]);
            y.write_montgomery(&mut bytes[size..]);
        }
    }
    bytes
}

fn raw_scalars<G: SumPoint>(terms: &Terms<G>) -> Vec<u8> {
    let limbs = terms.iter().flat_map(|(_, scalar)| scalar.into_bigint().as_ref().to_vec());
    limbs.flat_map(u64::to_le_bytes).collect()
}

fn upload(queue: &mut dyn Queue, bytes: &[u8]) -> Buffer {
    let buffer = queue.allocate(bytes.len().max(SCALAR_BYTES)).expect("memory");
    queue.write(&buffer, 0, bytes).expect("written");
    buffer
}

fn judged<G: SumPoint>(terms: &Terms<G>) -> G::Group {
    let (points, scalars): (Vec<_>, Vec<_>) =
        terms.iter().map(|(point, scalar)| (*point, scalar.into_bigint())).unzip();
    points.iter().zip(&scalars).map(|(point, scalar)| point.mul_bigint(scalar)).sum()
}

/// Runs the batch of these sums.
fn sums<G: SumPoint>(kernels: &'static SumKernels, batch: &[Terms<G>], tuning: &SumTuning) -> Vec<G::Group> {
    let mut queue = queue();
    let raw: Vec<Vec<u8>> = batch.iter().map(raw_points).collect();
    let sections: Vec<PointSection<'_>> = raw.iter().map(|bytes| PointSection { bytes, first_wire: 0 }).collect();
    let points = DevicePoints::<G>::upload(queue.as_mut(), kernels, &sections, tuning).expect("points");
    let scalars: Vec<Buffer> = batch.iter().map(|terms| upload(queue.as_mut(), &raw_scalars(terms))).collect();
    let inputs: Vec<SumInput<'_>> = scalars.iter().map(|scalars| SumInput { scalars, first: 0 }).collect();
    let parts: Vec<usize> = (0..batch.len()).collect();
    let mut plan = SumPlan::new(queue.as_mut(), &points, &parts, 1, tuning).expect("a plan");
    plan.run(queue.as_mut(), &points, &inputs).expect("sums")
}

fn check<G: SumPoint>(kernels: &'static SumKernels, batch: &[Terms<G>], tuning: &SumTuning) {
    let expected: Vec<G::Group> = batch.iter().map(judged).collect();
    assert!(sums(kernels, batch, tuning) == expected, "{}", kernels.program);
}

/// A batch of sums of different length and kind: what they share must not be mixed up.
fn batch<G: SumPoint>(rng: &mut impl Rng) -> Vec<Terms<G>> {
    let one = G::ScalarField::from(1u64);
    let mut alike = terms::<G>(60, rng, |i| G::ScalarField::from(i as u64 % 5));
    // The same point again and again, and its negative, in one bucket: doublings, and sums that are infinity.
    let point = alike[0].0;
    for (i, term) in alike.iter_mut().enumerate().take(40) {
        term.0 = if i % 3 == 2 { -point } else { point };
    }
    let mut sparse = terms::<G>(50, rng, |_| -one);
    for term in sparse.iter_mut().step_by(3) {
        term.0 = G::zero();
    }
    let mut rng_of_scalars = test_rng();
    vec![
        terms(130, rng, |_| G::ScalarField::rand(&mut rng_of_scalars)),
        Terms::new(),
        alike,
        terms(1, rng, |_| G::ScalarField::rand(&mut test_rng())),
        sparse,
        terms(33, rng, |_| G::ScalarField::from(test_rng().r#gen::<u64>())),
        terms(9, rng, |_| G::ScalarField::from(0u64)),
    ]
}

fn mixed_batches<G: SumPoint>(kernels: &'static SumKernels) {
    let batch = batch::<G>(&mut test_rng());
    check(kernels, &batch, &NARROW);
    check(kernels, &batch[1..2], &NARROW);
}

fn equal_scalars<G: SumPoint>(kernels: &'static SumKernels) {
    let mut rng = test_rng();
    let random = G::ScalarField::rand(&mut rng);
    let one = G::ScalarField::from(1u64);
    let batch = [one, -one, random].map(|scalar| terms::<G>(90, &mut rng, |_| scalar));
    check(kernels, &batch, &NARROW);
}

/// Scalars around r/2, where they turn negative, and around powers of two, where digits carry.
fn edges_of_digits<G: SumPoint>(kernels: &'static SumKernels) {
    let one = G::ScalarField::from(1u64);
    let middle = one.double().inverse().expect("2 is not 0");
    let mut scalars = vec![middle, middle - one, middle + one, -middle, one.double(), -one.double()];
    for bits in [4, 5, 16, 31, 32, 64, 128, 250, 252, 253, 254] {
        let power = one.double().pow([bits - 1]);
        scalars.extend([power, power - one, -power, power.double() - one]);
    }
    let batch = [terms::<G>(scalars.len(), &mut test_rng(), |i| scalars[i])];
    for bits in [4, 7, 11] {
        check(kernels, &batch, &SumTuning { window_bits: Some(bits), ..NARROW });
    }
}

/// Windows that share buckets take copies of the points, the last of them fewer than the others.
fn copies_of_points<G: SumPoint>(kernels: &'static SumKernels) {
    let batch = batch::<G>(&mut test_rng());
    for (copies_max, bits) in [(3, 8), (2, 5)] {
        check(kernels, &batch, &SumTuning { copies_max, window_bits: Some(bits), ..NARROW });
    }
}

macro_rules! in_each_group {
    ($($test:ident),+ $(,)?) => {
        in_each_group!(@group bn254_g1 Bn254 G1Affine G1 [$($test)+]);
        in_each_group!(@group bn254_g2 Bn254 G2Affine G2 [$($test)+]);
        in_each_group!(@group bls12_381_g1 Bls12_381 G1Affine G1 [$($test)+]);
        in_each_group!(@group bls12_381_g2 Bls12_381 G2Affine G2 [$($test)+]);
    };
    (@group $name:ident $curve:ident $point:ident $group:ident [$($test:ident)+]) => {
        mod $name {
            use super::*;
            $(#[test] fn $test() {
                type Point = <$curve as ark_ec::pairing::Pairing>::$point;
                super::$test::<Point>(SumKernels::of(<$curve as PairingCurve>::ID, Group::$group));
            })+
        }
    };
}
in_each_group!(mixed_batches, equal_scalars, edges_of_digits, copies_of_points);

/// The points of a circuit's section C come after those of the public signals; two witnesses lie in one buffer.
#[test]
fn wires_and_witnesses_are_found() {
    let mut rng = test_rng();
    let kernels = SumKernels::of(outrigger_types::Curve::Bn254, Group::G1);
    let mut queue = queue();
    let section = terms::<ark_bn254::G1Affine>(40, &mut rng, |_| ark_bn254::Fr::ZERO);
    let witnesses: Vec<ark_bn254::Fr> = (0..100).map(|_| ark_bn254::Fr::rand(&mut rng)).collect();
    let scalars: Vec<u8> = witnesses.iter().flat_map(|s| s.into_bigint().0).flat_map(u64::to_le_bytes).collect();
    let scalars = upload(queue.as_mut(), &scalars);
    let bytes = raw_points(&section);
    let section_of = |first_wire| PointSection { bytes: &bytes, first_wire };
    let sections = [section_of(10), section_of(0)];
    let points =
        DevicePoints::<ark_bn254::G1Affine>::upload(queue.as_mut(), kernels, &sections, &NARROW).expect("points");
    let mut plan = SumPlan::new(queue.as_mut(), &points, &[0, 0, 1], 2, &NARROW).expect("a plan");
    let inputs = [0, 50, 60].map(|first| SumInput { scalars: &scalars, first });
    let found = plan.run(queue.as_mut(), &points, &inputs).expect("sums");
    for (found, first) in found.iter().zip([10, 60, 60]) {
        let terms: Terms<_> = section.iter().enumerate().map(|(i, term)| (term.0, witnesses[first + i])).collect();
        assert_eq!(*found, judged(&terms));
    }
    // Nothing of a run is in the way of the next one, whether it is of more proofs or of fewer.
    let others = [20, 30, 40].map(|first| SumInput { scalars: &scalars, first });
    let of_others = plan.run(queue.as_mut(), &points, &others).expect("sums");
    let both = plan.run(queue.as_mut(), &points, &[inputs, others].concat()).expect("sums");
    assert_eq!(both, [found.clone(), of_others].concat());
    assert_eq!(plan.run(queue.as_mut(), &points, &inputs).expect("sums"), found);
    for wrong in [0, 2, 4, 9] {
        let inputs = inputs.repeat(3)[..wrong].to_vec();
        assert!(matches!(plan.run(queue.as_mut(), &points, &inputs), Err(DeviceError::Misuse(_))), "{wrong} inputs");
    }
    let beyond = [0, 51, 60].map(|first| SumInput { scalars: &scalars, first });
    assert!(matches!(plan.run(queue.as_mut(), &points, &beyond), Err(DeviceError::Misuse(_))));
    let found = sum_in_pieces::<ark_bn254::G1Affine>(queue.as_mut(), kernels, section_of(10), &scalars, 17, &NARROW);
    let terms: Terms<_> = section.iter().enumerate().map(|(i, term)| (term.0, witnesses[10 + i])).collect();
    assert_eq!(found.expect("a sum"), judged(&terms));
}

/// More points, as the tuning that is not set cuts them: of a witness, where most scalars are short.
#[test]
fn witness_with_default_tuning() {
    let kernels = SumKernels::of(outrigger_types::Curve::Bn254, Group::G1);
    let mut rng = test_rng();
    let count = if here::is_opencl() { 1 << 13 } else { 1 << 9 };
    let scalar = |i: usize| match i % 8 {
        0..3 => ark_bn254::Fr::from(0u64),
        3..6 => ark_bn254::Fr::from(1u64),
        6 => ark_bn254::Fr::from(i as u64 * i as u64),
        _ => ark_bn254::Fr::from(i as u64).pow([9]),
    };
    let batch = [terms::<ark_bn254::G1Affine>(count, &mut rng, scalar), terms(count / 3, &mut rng, |i| -scalar(i))];
    // OpenCL may compile a kernel for every size of group: one is enough here.
    check(kernels, &batch, &SumTuning { group_size: NARROW.group_size, ..SumTuning::default() });
}

/// What a run leaves tells of the witness; after wiping, nothing is left of it.
#[test]
fn scratch_is_wiped() {
    let mut rng = test_rng();
    let kernels = SumKernels::of(outrigger_types::Curve::Bn254, Group::G1);
    let mut queue = queue();
    let terms = terms::<ark_bn254::G1Affine>(20, &mut rng, |i| ark_bn254::Fr::from(i as u64 + 1));
    let bytes = raw_points(&terms);
    let sections = [PointSection { bytes: &bytes, first_wire: 0 }];
    let points =
        DevicePoints::<ark_bn254::G1Affine>::upload(queue.as_mut(), kernels, &sections, &NARROW).expect("points");
    let scalars = upload(queue.as_mut(), &raw_scalars(&terms));
    let mut plan = SumPlan::new(queue.as_mut(), &points, &[0], 1, &NARROW).expect("a plan");
    plan.run(queue.as_mut(), &points, &[SumInput { scalars: &scalars, first: 0 }]).expect("sums");
    plan.wipe(queue.as_mut()).expect("wiped");
    for buffer in plan.secrets() {
        let mut bytes = vec![1; buffer.bytes()];
        queue.read(buffer, 0, &mut bytes).expect("read");
        assert!(bytes.iter().all(|byte| *byte == 0));
    }
}

/// A batch without sums, and points without any.
#[test]
fn nothing_is_summed() {
    let kernels = SumKernels::of(outrigger_types::Curve::Bls12_381, Group::G1);
    let mut queue = queue();
    let points = DevicePoints::<ark_bls12_381::G1Affine>::upload(queue.as_mut(), kernels, &[], &NARROW).expect("none");
    let mut plan = SumPlan::new(queue.as_mut(), &points, &[], 1, &NARROW).expect("a plan");
    assert_eq!(plan.run(queue.as_mut(), &points, &[]), Ok(vec![]));
    assert!(SumPlan::new(queue.as_mut(), &points, &[0], 1, &NARROW).is_err());
}

/// The bytes that are foretold are those that are taken.
#[test]
fn memory_is_foretold() {
    let kernels = SumKernels::of(outrigger_types::Curve::Bn254, Group::G2);
    let device = outrigger_device_host::HostDevice::new();
    let mut queue = outrigger_device::Device::queue(&device).expect("a queue");
    let terms = terms::<ark_bn254::G2Affine>(20, &mut test_rng(), |_| ark_bn254::Fr::ZERO);
    let bytes = raw_points(&terms);
    let sections = [PointSection { bytes: &bytes, first_wire: 0 }];
    let points =
        DevicePoints::<ark_bn254::G2Affine>::upload(queue.as_mut(), kernels, &sections, &NARROW).expect("points");
    let (lengths, group_size_max) = ([points.part_len(0) as u32; 2], queue.info().group_size_max);
    type Plan = SumPlan<ark_bn254::G2Affine>;
    let foretold = Plan::bytes_of(kernels, &lengths, 3, &NARROW, group_size_max).expect("a number");
    let plan = SumPlan::new(queue.as_mut(), &points, &[0, 0], 3, &NARROW).expect("a plan");
    let taken: usize = plan.secrets().map(Buffer::bytes).sum();
    assert_eq!(taken + geometry::MODULUS_BYTES, usize::try_from(foretold).expect("few"));
}
