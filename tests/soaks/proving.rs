//! Sums, transforms and proofs on a device of this process, each against arkworks: random sizes, and points and scalars
//! that are hard on sums.

use std::sync::{Mutex, PoisonError};

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{Field, PrimeField};
use outrigger_device::{Api, Device, DeviceError, NarrowQueue, Queue};
use outrigger_groth16::curve::{Curve, RawField, RawPoint, RawPoints, RawScalar, point_bytes, write_point};
use outrigger_groth16::engine::device::calls::{Call, finished};
use outrigger_groth16::engine::device::provers::Provers;
use outrigger_groth16::engine::device::remote::{Calls, RemoteEngine};
use outrigger_groth16::engine::device::sums::SumTuning;
use outrigger_groth16::engine::{Arithmetic, EngineChoice, Failure, PlainScalar};
use outrigger_groth16::setup::{insecure_setup, synthetic};
use outrigger_groth16::{Control, R1cs, ReadyKey, Wanted, Witness};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use zeroize::Zeroizing;

use super::simulated::is_simulator;

/// What the soak of devices calls this.
pub(crate) const NAME: &str = "groth16";

/// The longest sum, transform and circuit.
const POINTS_MAX: usize = 700;
const LOG2_TRANSFORM_MAX: u32 = 10;
const LOG2_CIRCUIT_MAX: u32 = 7;
/// Proofs of a circuit that are asked for together, and those in a simulator.
const TOGETHER_MAX: usize = 5;
/// Work-items of a group where they run one after the other.
const NARROW: u32 = 8;
/// Operations: two kinds of sums, transforms, and proofs, on two curves.
const OPERATIONS: u64 = 8;

/// So many points, elements and constraints, shared by the operations. Gives back how many answers differ.
pub(crate) fn soak(device: &dyn Device, seed: u64, count: u64) -> Result<u64, DeviceError> {
    let own = NAME.bytes().fold(seed, |state, byte| state.rotate_left(7) ^ u64::from(byte));
    let is_slow = device.info().api == Api::Host || is_simulator(device.info());
    let here = |copies_max| {
        let group_size = if is_slow { NARROW } else { SumTuning::default().group_size };
        let provers = Provers::new(SumTuning { group_size, copies_max, ..SumTuning::default() });
        let here = Here { provers, queue: Mutex::new(device.queue()?), group_size_max: is_slow.then_some(NARROW) };
        Ok::<_, DeviceError>(RemoteEngine::new(Box::new(here), "device"))
    };
    // As keys are by default, and with copies of their points.
    let engines = [here(1)?, here(3)?];
    let since = std::time::Instant::now();
    let mut soak = Soak {
        engines,
        random: StdRng::seed_from_u64(own),
        is_simulated: is_simulator(device.info()),
        calls: 0,
        items: 0,
        wrong: 0,
    };
    let share = count.div_ceil(OPERATIONS) as usize;
    soak.all::<Bn254>(share);
    soak.all::<Bls12_381>(share);
    println!(
        "  {NAME}: {} items of {OPERATIONS} operations in {} calls; {} wrong; {:.1} s",
        soak.items,
        soak.calls,
        soak.wrong,
        since.elapsed().as_secs_f64()
    );
    Ok(soak.wrong)
}

/// Carries out calls on a queue of this process.
struct Here {
    provers: Provers,
    queue: Mutex<Box<dyn Queue>>,
    group_size_max: Option<u32>,
}

impl Calls for Here {
    fn bytes_max(&self) -> usize {
        usize::MAX
    }

    fn call(
        &self,
        call: Call,
        header: Vec<u8>,
        [input_bytes, answer_bytes]: [usize; 2],
        fill: &mut dyn FnMut(&mut [u8]),
        _controls: &[&Control],
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut input = vec![0; input_bytes];
        fill(&mut input);
        let mut answer = vec![0; answer_bytes];
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let size = self.group_size_max.unwrap_or(u32::MAX);
        let mut queue = NarrowQueue::new(&mut **queue, size);
        let run = self.provers.run(&mut queue, call, &header, &input, &mut answer);
        let done = run.and_then(|()| finished(&answer).map(<[u8]>::to_vec));
        done.map(Zeroizing::new).map_err(|error| Failure::Fault(error.to_string()))
    }

    fn serves(&self, _call: Call) -> bool {
        true
    }

    fn quarantine(&self, _call: Call, _why: String) {}
}

struct Soak {
    engines: [RemoteEngine; 2],
    random: StdRng,
    is_simulated: bool,
    calls: u64,
    items: u64,
    wrong: u64,
}

impl Soak {
    fn all<E: Curve>(&mut self, share: usize) {
        self.each(share, |this, most| {
            let size = this.size(most);
            let (points, scalars) = this.terms::<E::G1Affine>(size);
            let engine = this.engine::<E>();
            let found = engine.msm_g1(&RawPoints::new(&points), &scalars, &Control::default());
            let expected = reference::<E>().msm_g1(&RawPoints::new(&points), &scalars, &Control::default());
            (size, agree("a sum in G1", size, found, expected))
        });
        self.each(share, |this, most| {
            let size = this.size(most);
            let (points, scalars) = this.terms::<E::G2Affine>(size);
            let engine = this.engine::<E>();
            let found = engine.msm_g2(&RawPoints::new(&points), &scalars, &Control::default());
            let expected = reference::<E>().msm_g2(&RawPoints::new(&points), &scalars, &Control::default());
            (size, agree("a sum in G2", size, found, expected))
        });
        self.each(share, |this, most| {
            let size = 1 << this.random.random_range(0..=LOG2_TRANSFORM_MAX.min(most.ilog2()));
            let values: Vec<E::ScalarField> = (0..size).map(|_| element(&mut this.random)).collect();
            let (inverse, coset) = (this.random.random(), this.random.random());
            let transformed = |engine: &dyn Arithmetic<E>| {
                let mut values = values.clone();
                engine.ntt(&mut values, inverse, coset, &Control::default()).map(|()| values)
            };
            let found = transformed(this.engine::<E>());
            (size, agree("a transform", size, found, transformed(reference::<E>())))
        });
        self.each(share, Self::proofs::<E>);
    }

    /// Calls until there were so many items.
    fn each(&mut self, share: usize, mut call: impl FnMut(&mut Self, usize) -> (usize, bool)) {
        let mut left = share;
        while left > 0 {
            let (items, is_right) = call(self, left);
            self.calls += 1;
            self.items += items as u64;
            self.wrong += u64::from(!is_right);
            left = left.saturating_sub(items.max(1));
        }
    }

    /// Several proofs of a circuit, each of which verifies; its constraints count.
    fn proofs<E: Curve>(&mut self, most: usize) -> (usize, bool) {
        let most = most.next_power_of_two().ilog2().clamp(2, LOG2_CIRCUIT_MAX);
        let log2_size = if self.is_simulated { 2 } else { self.random.random_range(2..=most) };
        let together = self.random.random_range(1..=if self.is_simulated { 1 } else { TOGETHER_MAX });
        let (r1cs, witness) = if self.is_simulated { small_circuit(E::ID) } else { synthetic(log2_size, E::ID) };
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut writer = std::fs::File::create(file.path()).expect("a file");
        insecure_setup(&r1cs, &mut writer, &Control::default()).expect("a key");
        let key = ReadyKey::open(file.path()).expect("a key");
        let control = Control::default();
        let wanted = vec![Wanted { witness: &witness, control: &control }; together];
        // With copies of points or without; a simulator makes copies for sums alone.
        let engine = &self.engines[usize::from(!self.is_simulated && self.calls % 2 == 1)];
        let mut is_right = true;
        for proved in key.prove_many(&wanted, None, engine) {
            let why = proved.map(|proved| proved.repeated).unwrap_or_else(|error| Some(error.to_string()));
            if let Some(why) = why {
                println!("  a proof of {} constraints on {}: {why}", 1 << log2_size, E::ID);
                is_right = false;
            }
        }
        (together << log2_size, is_right)
    }

    fn engine<E: Curve>(&self) -> &dyn Arithmetic<E> {
        E::arithmetic(&self.engines[usize::from(self.is_simulated || self.calls % 2 == 1)])
    }

    fn size(&mut self, most: usize) -> usize {
        let most = most.min(POINTS_MAX);
        match self.random.random_range(0..8) {
            0 => 1.min(most),
            1 => self.random.random_range(1..=most.min(19)),
            _ => self.random.random_range(1..=most),
        }
    }

    /// Points as files hold them and plain scalars: of either some kinds, of which a sum mixes all, or has one.
    fn terms<A: RawPoint<ScalarField: RawScalar, BaseField: RawField>>(
        &mut self,
        size: usize,
    ) -> (Vec<u8>, Vec<PlainScalar>) {
        let random = &mut self.random;
        let few: Vec<A> = (1..=5u64).map(|i| (A::Group::generator() * A::ScalarField::from(i)).into_affine()).collect();
        let shared = random.random_range(0..3) == 0;
        let (point_kind, scalar_kind) = (random.random_range(0..4), random.random_range(0..7));
        let repeated = element::<A::ScalarField>(random);
        let mut points = vec![0; size * point_bytes::<A>()];
        let mut scalars = Vec::with_capacity(size);
        for place in points.chunks_exact_mut(point_bytes::<A>()) {
            let (of_point, of_scalar) =
                if shared { (point_kind, scalar_kind) } else { (random.random_range(0..4), random.random_range(0..7)) };
            let one = few[random.random_range(0..few.len())];
            let point = match of_point {
                0 => one,
                1 => -one,
                2 => A::zero(),
                _ => (A::Group::generator() * A::ScalarField::from(random.random::<u128>())).into_affine(),
            };
            write_point(&point, place);
            // Short ones leave most buckets empty, which a simulator is thankful for.
            let of_scalar = if self.is_simulated { of_scalar % 4 } else { of_scalar };
            let scalar = match of_scalar {
                0 => A::ScalarField::from(0u64),
                1 => A::ScalarField::from(1u64),
                2 => -A::ScalarField::from(1u64),
                3 if self.is_simulated => A::ScalarField::from(u64::from(random.random::<u16>())),
                3 => A::ScalarField::from(random.random::<u64>()),
                4 => A::ScalarField::from(2u64).pow([random.random_range(0..255)]),
                5 => repeated,
                _ => element(random),
            };
            scalars.push(scalar.plain_limbs());
        }
        (points, scalars)
    }
}

/// y = x·x, z = y·x: x = 3.
fn small_circuit(curve: outrigger_types::Curve) -> (R1cs, Witness) {
    const ONE: PlainScalar = [1, 0, 0, 0];
    let [z, x, y] = [1, 2, 3].map(|wire: u32| [(wire, ONE)]);
    let mut r1cs = R1cs::new(curve, 4, 1, 0, 1).expect("the wires are counted right");
    r1cs.push(&x, &x, &y).expect("the wires are there");
    r1cs.push(&y, &x, &z).expect("the wires are there");
    let values = [1, 27, 3, 9].map(|value: u64| [value, 0, 0, 0]).to_vec();
    (r1cs, Witness::new(curve, values.into()))
}

fn reference<E: Curve>() -> &'static dyn Arithmetic<E> {
    EngineChoice::Reference.of()
}

fn element<F: PrimeField>(random: &mut StdRng) -> F {
    F::from_le_bytes_mod_order(&random.random::<[u8; 48]>())
}

fn agree<T: PartialEq>(what: &str, size: usize, found: Result<T, Failure>, expected: Result<T, Failure>) -> bool {
    let why = match (found, expected) {
        (Ok(found), Ok(expected)) if found == expected => return true,
        (Ok(_), Ok(_)) => "another one than arkworks'".to_owned(),
        (Err(failure), _) | (_, Err(failure)) => failure.to_string(),
    };
    println!("  {what} of {size}: {why}");
    false
}
