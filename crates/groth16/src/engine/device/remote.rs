//! A device that a worker process drives, as an engine of the sidecar.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ff::AdditiveGroup;
use outrigger_device::{BatchError, DeviceError, Job, Refusal, Standing, WorkerHandle};
use zeroize::Zeroizing;

use super::super::operations::Group;
use super::super::{
    Arithmetic, Asked, EngineChoice, Failure, Multiplication, PlainScalar, ProofEngine, Sums, Watch, same_length,
};
use super::calls::{self, Call, DONE, MsmHeader, ProveHeader, STAGES, Task};
use crate::curve::{Curve, Points, RawField, RawPoint, RawScalar, SCALAR_BYTES, point_bytes, read_point, write_point};
use crate::key::Rows;
use crate::{Control, ProvingKey, Stage, Stop};

/// How often who waits for a worker looks whether the work was stopped.
const LOOK: Duration = Duration::from_millis(5);

/// Proofs that did not verify, while one of a stand-in for the same witness did, until the device proves no more and its
/// self-test decides.
pub const WRONG_MAX: u32 = 2;

/// A call takes so many parts of the arena at most: others are on their way beside it.
const ARENA_SHARE: usize = 2;

/// The way to who carries out calls.
pub trait Calls: Send + Sync {
    /// Bytes of input and answer of a call at most.
    fn bytes_max(&self) -> usize;

    /// Has a call done: `fill` writes the input, and the answer comes back without its end. `bytes`: of input and answer.
    /// It goes on for as long as one of those who asked, who is one at least, wants it.
    ///
    /// # Errors
    /// [`Failure::Stopped`] by the controls; [`Failure::Unavailable`] where it cannot be done now; [`Failure::Fault`].
    fn call(
        &self,
        call: Call,
        header: Vec<u8>,
        bytes: [usize; 2],
        fill: &mut dyn FnMut(&mut [u8]),
        controls: &[&Control],
    ) -> Result<Zeroizing<Vec<u8>>, Failure>;

    /// Whether it does this call now.
    fn serves(&self, call: Call) -> bool;

    /// It does this call no more until it has passed its self-test.
    fn quarantine(&self, call: Call, why: String);
}

/// A worker process.
pub struct Worker {
    handle: Arc<WorkerHandle>,
    bytes_max: usize,
}

impl Worker {
    /// The worker of a handle whose arena has so many bytes.
    pub fn new(handle: Arc<WorkerHandle>, arena_bytes: usize) -> Self {
        Self { handle, bytes_max: arena_bytes / ARENA_SHARE }
    }

    /// Whether the worker is up and has tested each call.
    pub fn has_tested(&self) -> bool {
        let codes: Vec<u32> = Call::all().map(Call::code).collect();
        self.handle.has_tested(&codes)
    }

    /// The calls that the worker cannot do, and why.
    pub fn failures(&self) -> Vec<(Call, String)> {
        let why = |call: Call| match self.handle.standing(call.code())? {
            Standing::Failed { why, .. } => Some((call, why.to_string())),
            Standing::Untested | Standing::Serves => None,
        };
        Call::all().filter_map(why).collect()
    }
}

impl Calls for Worker {
    fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    fn call(
        &self,
        call: Call,
        header: Vec<u8>,
        [input_bytes, answer_bytes]: [usize; 2],
        fill: &mut dyn FnMut(&mut [u8]),
        controls: &[&Control],
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let bytes = input_bytes + answer_bytes;
        if bytes > self.bytes_max {
            return Err(Failure::Unavailable(format!(
                "a {} of {bytes} bytes, where devices.arena_bytes has room for {}",
                call.name(),
                self.bytes_max
            )));
        }
        let goes_on = || check(controls).is_ok();
        let region = self.handle.region_in_turn(input_bytes, answer_bytes, &goes_on);
        let Some(mut region) = region else {
            check(controls)?;
            return Err(lost());
        };
        region.mark_secret();
        fill(region.input_mut());
        let (sender, receiver) = mpsc::sync_channel(1);
        let job = Job { operation: call.code(), header, region, deadline: deadline(controls) };
        let completion = Box::new(move |finished| {
            // Whoever asked may have stopped waiting.
            let _ = sender.send(finished);
        });
        let taken = self.handle.submit_in_turn(job, completion, &goes_on);
        let ticket = taken.map_err(|(refusal, job)| match check(controls) {
            Err(stop) => Failure::from(stop),
            Ok(()) => refused(refusal, job.operation),
        })?;
        let finished = loop {
            match receiver.recv_timeout(LOOK) {
                Ok(finished) => break finished,
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(lost()),
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    // The region stays with the worker until it notices, and is wiped then.
                    check(controls).inspect_err(|_| self.handle.cancel(ticket))?;
                }
            }
        };
        match (finished.result, finished.region) {
            (Ok(_), Some(region)) => {
                let answer = Zeroizing::new(region.output());
                calls::finished(&answer).map(|answer| Zeroizing::new(answer.to_vec())).map_err(|error| failed(&error))
            }
            (Err(BatchError::Device(error)), _) => {
                check(controls)?;
                Err(failed(&error))
            }
            _ => Err(lost()),
        }
    }

    fn serves(&self, call: Call) -> bool {
        self.handle.is_up() && self.handle.standing(call.code()) == Some(Standing::Serves)
    }

    fn quarantine(&self, call: Call, why: String) {
        self.handle.quarantine(call.code(), DeviceError::Failed(why));
    }
}

/// Proves on a device. Its answers are believed when the proof verifies, and not before.
pub struct RemoteEngine {
    calls: Box<dyn Calls>,
    name: &'static str,
    wrong: AtomicU32,
}

impl RemoteEngine {
    /// The engine of a device; `name` is that of its API.
    pub fn new(calls: Box<dyn Calls>, name: &'static str) -> Self {
        Self { calls, name, wrong: AtomicU32::new(0) }
    }

    fn msm<E: Curve, A: RawPoint<BaseField: RawField>>(
        &self,
        group: Group,
        points: &dyn Points<A>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<A::Group, Failure> {
        same_length(points.len(), scalars.len())?;
        let each = point_bytes::<A>() + SCALAR_BYTES;
        let at_once = (self.calls.bytes_max().saturating_sub(2 * each) / each).max(1);
        let mut sum = A::Group::ZERO;
        for start in (0..scalars.len()).step_by(at_once) {
            let count = at_once.min(scalars.len() - start);
            let call = Call { curve: E::ID, task: Task::Msm(group) };
            let scalars = &scalars[start..start + count];
            sum += self.one_msm(call, 0, Some((points, start)), scalars, control)?;
        }
        Ok(sum)
    }

    /// A sum in one call: of these points from a place on, which are kept under a name where it is not 0; or of those that
    /// were kept under it.
    fn one_msm<A: RawPoint<BaseField: RawField>>(
        &self,
        call: Call,
        name: u64,
        points: Option<(&dyn Points<A>, usize)>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<A, Failure> {
        let (count, size) = (scalars.len(), point_bytes::<A>());
        let header = MsmHeader { count: count as u32, name, with_points: points.is_some() }.encode();
        let of_points = if points.is_some() { count * size } else { 0 };
        let mut fill = |input: &mut [u8]| {
            let (to_points, to_scalars) = input.split_at_mut(of_points);
            if let Some((points, start)) = points {
                for (i, to) in to_points.chunks_exact_mut(size).enumerate() {
                    write_point(&points.point(start + i), to);
                }
            }
            write_scalars(scalars, to_scalars);
        };
        let bytes = [of_points + count * SCALAR_BYTES, size + size_of_val(&DONE)];
        let answer = self.calls.call(call, header, bytes, &mut fill, &[control])?;
        read_point::<A>(&answer).ok_or_else(|| Failure::Fault("a sum that is no point".to_owned()))
    }

    /// The sums of proofs in one call. What ends it ends it for all, but those that were stopped.
    fn one_call<E: Curve>(&self, key: &ProvingKey<E>, asked: &mut [Asked<'_>]) -> Vec<Result<Sums<E>, Failure>> {
        let stopped = |asked: &Asked<'_>| asked.watch.control.check();
        match self.try_call::<E>(key, asked) {
            Ok(sums) => sums,
            Err(failure) => {
                asked.iter().map(|asked| Err(stopped(asked).map_or_else(Into::into, |()| failure.clone()))).collect()
            }
        }
    }

    fn try_call<E: Curve>(
        &self,
        key: &ProvingKey<E>,
        asked: &mut [Asked<'_>],
    ) -> Result<Vec<Result<Sums<E>, Failure>>, Failure> {
        let (count, wires) = (asked.len(), key.summary.wires);
        asked.iter().try_for_each(|asked| same_length(asked.witness.len(), wires))?;
        let path = key.path().ok_or_else(|| Failure::Unavailable("a key that is in no file".to_owned()))?;
        let call = Call { curve: E::ID, task: Task::Prove };
        let header = ProveHeader::encode(count, wires, &path)
            .ok_or_else(|| Failure::Unavailable("the path of the key is too long".to_owned()))?;
        let bytes = [count * wires * SCALAR_BYTES, calls::answer_bytes::<E>(count)];
        let begin = Instant::now();
        let mut fill = |input: &mut [u8]| {
            for (asked, to) in asked.iter().zip(input.chunks_exact_mut((wires * SCALAR_BYTES).max(1))) {
                asked.watch.tell(Stage::SparseProduct, 0.0);
                write_scalars(asked.witness, to);
            }
        };
        let controls: Vec<&Control> = asked.iter().map(|asked| asked.watch.control).collect();
        let answer = self.calls.call(call, header, bytes, &mut fill, &controls)?;
        let share = begin.elapsed() / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let answers = answer.chunks_exact(calls::proof_bytes::<E>());
        let sums = asked.iter_mut().zip(answers).map(|(asked, answer)| {
            let timings = &mut *asked.watch.timings;
            calls::read_times(answer, timings);
            let told: Duration = STAGES.iter().map(|stage| timings.of(*stage)).sum();
            // What is not the device's: the way there and back.
            timings.add(Stage::SparseProduct, share.saturating_sub(told));
            read_sums(&answer[STAGES.len() * size_of::<u64>()..])
                .ok_or_else(|| Failure::Fault("sums that are no points".to_owned()))
        });
        Ok(sums.collect())
    }

    /// A multiplication over points that stay on the device where they go there in one call.
    fn over<'a, E: Curve, A: RawPoint<BaseField: RawField>>(
        &'a self,
        group: Group,
        points: &'a dyn Points<A>,
    ) -> Multiplication<'a, A::Group> {
        let each = point_bytes::<A>() + SCALAR_BYTES;
        let name = getrandom::u64().unwrap_or(0);
        if name == 0 || points.len() * each + 2 * each > self.calls.bytes_max() {
            return Box::new(move |scalars, control| self.msm::<E, A>(group, points, scalars, control));
        }
        let were_sent = AtomicBool::new(false);
        let call = Call { curve: E::ID, task: Task::Msm(group) };
        Box::new(move |scalars, control| {
            same_length(points.len(), scalars.len())?;
            if were_sent.load(Ordering::Relaxed) {
                match self.one_msm::<A>(call, name, None, scalars, control) {
                    // They gave way to others, or the worker is a new one.
                    Err(Failure::Unavailable(_)) => {}
                    done => return done.map(Into::into),
                }
            }
            let sum = self.one_msm(call, name, Some((points, 0)), scalars, control)?;
            were_sent.store(true, Ordering::Relaxed);
            Ok(sum.into())
        })
    }
}

impl<E: Curve> Arithmetic<E> for RemoteEngine {
    fn name(&self) -> &'static str {
        self.name
    }

    fn sparse_product(
        &self,
        _rows: &Rows<E::ScalarField>,
        _witness: &[PlainScalar],
        _domain: usize,
        _control: &Control,
    ) -> Result<Vec<E::ScalarField>, Failure> {
        Err(whole_proofs())
    }

    fn quotient(
        &self,
        _a: Vec<E::ScalarField>,
        _b: Vec<E::ScalarField>,
        _control: &Control,
    ) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
        Err(whole_proofs())
    }

    fn ntt(&self, values: &mut [E::ScalarField], inverse: bool, coset: bool, control: &Control) -> Result<(), Failure> {
        let bytes = values.len() * SCALAR_BYTES;
        let call = Call { curve: E::ID, task: Task::Ntt };
        let mut fill = |input: &mut [u8]| {
            for (to, value) in input.chunks_exact_mut(SCALAR_BYTES).zip(&*values) {
                write_scalars(&[value.raw_limbs()], to);
            }
        };
        let header = vec![inverse.into(), coset.into()];
        let answer = self.calls.call(call, header, [bytes, bytes + size_of_val(&DONE)], &mut fill, &[control])?;
        for (value, bytes) in values.iter_mut().zip(answer.chunks_exact(SCALAR_BYTES)) {
            *value = E::ScalarField::from_raw_limbs(read_scalar(bytes));
        }
        Ok(())
    }

    fn msm_g1(
        &self,
        points: &dyn Points<E::G1Affine>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<E::G1, Failure> {
        self.msm::<E, _>(Group::G1, points, scalars, control)
    }

    fn msm_g2(
        &self,
        points: &dyn Points<E::G2Affine>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<E::G2, Failure> {
        self.msm::<E, _>(Group::G2, points, scalars, control)
    }

    fn over_g1<'a>(&'a self, points: &'a dyn Points<E::G1Affine>) -> Multiplication<'a, E::G1> {
        self.over::<E, _>(Group::G1, points)
    }

    fn over_g2<'a>(&'a self, points: &'a dyn Points<E::G2Affine>) -> Multiplication<'a, E::G2> {
        self.over::<E, _>(Group::G2, points)
    }

    fn sums_of_proof(
        &self,
        key: &ProvingKey<E>,
        witness: &[PlainScalar],
        watch: &mut Watch<'_>,
    ) -> Result<Sums<E>, Failure> {
        let watch = Watch { control: watch.control, timings: watch.timings, told: watch.told };
        let sums = self.sums_of_proofs(key, &mut [Asked { witness, watch }]).pop();
        sums.unwrap_or_else(|| Err(Failure::Fault("sums that are missing".to_owned())))
    }

    /// In as few calls as the arena has room for: the worker makes them in launches that they share.
    fn sums_of_proofs(&self, key: &ProvingKey<E>, asked: &mut [Asked<'_>]) -> Vec<Result<Sums<E>, Failure>> {
        let each = key.summary.wires * SCALAR_BYTES + calls::proof_bytes::<E>();
        let at_once = (self.calls.bytes_max().saturating_sub(size_of_val(&DONE)) / each).max(1);
        asked.chunks_mut(at_once).flat_map(|asked| self.one_call::<E>(key, asked)).collect()
    }

    fn is_blamed(&self) {
        if self.wrong.fetch_add(1, Ordering::Relaxed) + 1 >= WRONG_MAX {
            self.wrong.store(0, Ordering::Relaxed);
            let call = Call { curve: E::ID, task: Task::Prove };
            let why = format!("{WRONG_MAX} proofs did not verify, and those of a stand-in did");
            tracing::error!(engine = self.name, why, "a device proves no more until its self-test passes");
            self.calls.quarantine(call, why);
        }
    }
}

impl ProofEngine for RemoteEngine {
    fn name(&self) -> &'static str {
        self.name
    }

    fn bn254(&self) -> &dyn Arithmetic<Bn254> {
        self
    }

    fn bls12_381(&self) -> &dyn Arithmetic<Bls12_381> {
        self
    }

    fn is_ready(&self) -> bool {
        outrigger_types::Curve::ALL.into_iter().all(|curve| self.calls.serves(Call { curve, task: Task::Prove }))
    }

    fn stand_ins(&self) -> &'static [EngineChoice] {
        const LANES: [EngineChoice; 2] = [EngineChoice::Vector, EngineChoice::Reference];
        const PLAIN: [EngineChoice; 2] = [EngineChoice::Cpu, EngineChoice::Reference];
        if EngineChoice::fastest() == EngineChoice::Vector { &LANES } else { &PLAIN }
    }
}

/// # Errors
/// [`Stop`] where nobody of those who asked wants it any more.
fn check(controls: &[&Control]) -> Result<(), Stop> {
    let mut stopped = Ok(());
    for control in controls {
        stopped = control.check();
        if stopped.is_ok() {
            return Ok(());
        }
    }
    stopped
}

/// When the last of them no longer waits; `None` where one has all the time.
fn deadline(controls: &[&Control]) -> Option<Instant> {
    let deadlines: Option<Vec<Instant>> = controls.iter().map(|control| control.deadline()).collect();
    deadlines?.into_iter().max()
}

fn whole_proofs() -> Failure {
    Failure::Unavailable("a worker makes whole proofs, not this step of one".to_owned())
}

fn lost() -> Failure {
    Failure::Unavailable("its worker is gone, and is being started again".to_owned())
}

fn refused(refusal: Refusal, operation: u32) -> Failure {
    let name = Call::of_code(operation).map(Call::name).unwrap_or_default();
    match refusal {
        Refusal::Full | Refusal::Down => lost(),
        Refusal::NotServed => Failure::Unavailable(format!("its worker does not do a {name} now")),
        Refusal::Misuse => Failure::Fault(format!("a {name} that its worker does not take")),
    }
}

/// What a failure of the worker means: memory that is taken is nobody's fault.
pub(super) fn failed(error: &DeviceError) -> Failure {
    match error {
        DeviceError::Absent(_)
        | DeviceError::OutOfMemory { .. }
        | DeviceError::Expired
        | DeviceError::Cancelled
        | DeviceError::Unsupported => Failure::Unavailable(error.to_string()),
        _ => Failure::Fault(error.to_string()),
    }
}

fn write_scalars(scalars: &[PlainScalar], to: &mut [u8]) {
    for (to, limb) in to.as_chunks_mut().0.iter_mut().zip(scalars.as_flattened()) {
        *to = limb.to_le_bytes();
    }
}

fn read_scalar(bytes: &[u8]) -> PlainScalar {
    let mut scalar = PlainScalar::default();
    for (limb, bytes) in scalar.iter_mut().zip(bytes.as_chunks().0) {
        *limb = u64::from_le_bytes(*bytes);
    }
    scalar
}

/// ΣA, ΣB1, ΣC, ΣH, ΣB2.
fn read_sums<E: Curve>(bytes: &[u8]) -> Option<Sums<E>> {
    let mut in_g1 = bytes.chunks_exact(point_bytes::<E::G1Affine>()).map(read_point::<E::G1Affine>);
    let mut next = || Some(Zeroizing::new(in_g1.next()??.into()));
    let (a, b1, c, h) = (next()?, next()?, next()?, next()?);
    let b2 = read_point::<E::G2Affine>(bytes.get(4 * point_bytes::<E::G1Affine>()..)?)?;
    Some(Sums { a, b1, b2: Zeroizing::new(b2.into()), c, h })
}
