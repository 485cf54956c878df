//! The worker's side: proofs, sums and transforms on the device that its process drives.

use std::any::Any;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::CurveGroup;
use outrigger_device::{DeviceError, Queue};
use outrigger_mapping::Mapping;
use outrigger_types::Curve as CurveId;
use zeroize::Zeroizing;

use super::super::cpu::CpuArithmetic;
use super::super::operations::Group;
use super::super::{Arithmetic, PlainScalar, Sums, Watch};
use super::calls::{Call, DONE, MsmHeader, ProveHeader, STAGES, Task, misuse};
use super::key::{DeviceKey, DeviceSum};
use super::quotient::{DeviceTransform, Roots};
use super::sums::{SumKernels, SumPoint, SumTuning};
use crate::curve::{Curve, RawField, RawScalar, SCALAR_BYTES, point_bytes, write_point};
use crate::key::MappedFile;
use crate::setup::{insecure_setup, synthetic};
use crate::{Control, ProvingKey, Timings};

/// The binary logarithm of the constraints of the circuit that a self-test proves.
const TESTED: u32 = 3;

/// Carries out [`Call`]s on one device. Keys stay there until others need their memory: the one that was used least
/// recently goes first.
#[derive(Default)]
pub struct Provers {
    tuning: SumTuning,
    kept: Mutex<Kept>,
}

/// What is on the device.
#[derive(Default)]
struct Kept {
    /// The least recently used first.
    keys: Vec<KeptKey>,
    /// The roots of unity of each curve: [`Roots`].
    roots: Vec<(CurveId, Arc<dyn Any + Send + Sync>)>,
}

struct KeptKey {
    name: Name,
    /// A [`DeviceKey`] of the curve that its name says, or a [`DeviceSum`].
    key: Arc<dyn Any + Send + Sync>,
}

/// What is kept under.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// A key's file.
    File(Identity),
    /// Points that somebody has given this name.
    Points(u64),
}

/// Names the content of a key's file. Files of the circuit store are named by their hash and never change; of others a
/// change is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    curve: CurveId,
    path: PathBuf,
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Identity {
    fn of(curve: CurveId, path: &Path) -> Result<Self, DeviceError> {
        let found = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        Ok(Self {
            curve,
            path: path.to_owned(),
            device: found.dev(),
            inode: found.ino(),
            bytes: found.len(),
            changed: (found.mtime(), found.mtime_nsec()),
        })
    }
}

impl Provers {
    /// Whose sums are cut as these values of a hardware profile say.
    pub fn new(tuning: SumTuning) -> Self {
        Self { tuning, kept: Mutex::default() }
    }

    /// Does a call once with known numbers and holds the answer against that of the cores.
    ///
    /// # Errors
    /// [`DeviceError::Failed`] where it is another; what the device reports.
    pub fn self_test(&self, queue: &mut dyn Queue, call: Call) -> Result<(), DeviceError> {
        match call.curve {
            CurveId::Bn254 => self.self_test_on::<Bn254>(queue, call),
            CurveId::Bls12_381 => self.self_test_on::<Bls12_381>(queue, call),
        }
    }

    /// Does a call: see [`super::calls`] for what lies where.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where header, input and output do not fit each other; what the device reports.
    pub fn run(
        &self,
        queue: &mut dyn Queue,
        call: Call,
        header: &[u8],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), DeviceError> {
        let room = output.len().checked_sub(size_of_val(&DONE)).ok_or_else(|| misuse("no room for an answer"))?;
        let (answer, end) = output.split_at_mut(room);
        match call.curve {
            CurveId::Bn254 => self.run_on::<Bn254>(queue, call.task, header, input, answer)?,
            CurveId::Bls12_381 => self.run_on::<Bls12_381>(queue, call.task, header, input, answer)?,
        }
        end.copy_from_slice(&DONE.to_le_bytes());
        Ok(())
    }

    fn run_on<E: Curve>(
        &self,
        queue: &mut dyn Queue,
        task: Task,
        header: &[u8],
        input: &[u8],
        answer: &mut [u8],
    ) -> Result<(), DeviceError> {
        match task {
            Task::Prove => self.prove::<E>(queue, &ProveHeader::decode(header)?, input, answer),
            Task::Msm(Group::G1) => {
                self.msm::<E::G1Affine>(queue, SumKernels::of(E::ID, Group::G1), header, input, answer)
            }
            Task::Msm(Group::G2) => {
                self.msm::<E::G2Affine>(queue, SumKernels::of(E::ID, Group::G2), header, input, answer)
            }
            Task::Ntt => {
                let [inverse, coset] = *header else { return Err(misuse("a header that is none of a transform")) };
                self.ntt::<E>(queue, inverse != 0, coset != 0, input, answer)
            }
        }
    }

    fn prove<E: Curve>(
        &self,
        queue: &mut dyn Queue,
        header: &ProveHeader,
        input: &[u8],
        answer: &mut [u8],
    ) -> Result<(), DeviceError> {
        let each = super::calls::proof_bytes::<E>();
        if input.len() != header.input_bytes() || answer.len() != header.proofs as usize * each {
            return Err(misuse(format!("{} and {} bytes for {} proofs", input.len(), answer.len(), header.proofs)));
        }
        let key = self.key::<E>(queue, &header.key)?;
        if header.wires as usize != key.wires() {
            return Err(misuse(format!("witnesses of {} values for {} wires", header.wires, key.wires())));
        }
        let of_batch = key.batch() * (key.wires() * SCALAR_BYTES).max(1);
        for (witnesses, answers) in input.chunks(of_batch).zip(answer.chunks_mut(key.batch() * each)) {
            let mut timings = Timings::default();
            let all = self.making_room(|| key.sums(queue, witnesses, &self.tuning, &mut timings))?;
            let share = timings.divided_by(all.len());
            for (sums, answer) in all.iter().zip(answers.chunks_exact_mut(each)) {
                write_proof(sums, &share, answer);
            }
        }
        Ok(())
    }

    fn msm<G: SumPoint>(
        &self,
        queue: &mut dyn Queue,
        kernels: &'static SumKernels,
        header: &[u8],
        input: &[u8],
        answer: &mut [u8],
    ) -> Result<(), DeviceError> {
        let MsmHeader { count, name, with_points } = MsmHeader::decode(header)?;
        let (count, size) = (count as usize, point_bytes::<G>());
        let of_points = if with_points { count * size } else { 0 };
        if input.len() != of_points + count * SCALAR_BYTES || answer.len() != size {
            return Err(misuse(format!("{} and {} bytes for a sum of {count}", input.len(), answer.len())));
        }
        let (points, scalars) = input.split_at(of_points);
        let kept = if with_points {
            let sum = Arc::new(self.making_room(|| DeviceSum::<G>::load(queue, kernels, points, &self.tuning))?);
            if name != 0 {
                self.lock().keys.push(KeptKey { name: Name::Points(name), key: sum.clone() });
            }
            sum
        } else {
            let kept = self.lock().used(&Name::Points(name));
            let kept = kept.and_then(|kept| kept.downcast::<DeviceSum<G>>().ok());
            kept.ok_or_else(|| DeviceError::Absent("the points of a sum: send them again".to_owned()))?
        };
        let sum = kept.run(queue, scalars)?;
        write_point::<G>(&sum.into_affine(), answer);
        Ok(())
    }

    fn ntt<E: Curve>(
        &self,
        queue: &mut dyn Queue,
        inverse: bool,
        coset: bool,
        input: &[u8],
        answer: &mut [u8],
    ) -> Result<(), DeviceError> {
        if input.len() != answer.len() {
            return Err(misuse(format!("a transform of {} bytes into {}", input.len(), answer.len())));
        }
        let elements = input.chunks_exact(SCALAR_BYTES).map(E::ScalarField::from_montgomery);
        let elements: Option<Vec<_>> = elements.collect();
        let mut values = Zeroizing::new(elements.ok_or_else(|| misuse("elements that are not below r"))?);
        if values.len() > 1 {
            let roots = self.roots::<E>(queue, values.len())?;
            let transform = self.making_room(|| DeviceTransform::new(queue, roots.clone(), values.len()))?;
            let done = transform.ntt(queue, &mut values, inverse, coset);
            transform.wipe(queue)?;
            done?;
        }
        for (value, bytes) in values.iter().zip(answer.chunks_exact_mut(SCALAR_BYTES)) {
            value.write_montgomery(bytes);
        }
        Ok(())
    }

    /// The key of a file, brought to the device where it is not there.
    fn key<E: Curve>(&self, queue: &mut dyn Queue, path: &Path) -> Result<Arc<DeviceKey<E>>, DeviceError> {
        let name = Name::File(Identity::of(E::ID, path)?);
        if let Some(key) = self.lock().used(&name) {
            return key.downcast().map_err(|_| misuse("a key of another curve"));
        }
        let mapping = Mapping::open(path).map_err(|error| unreadable(path, &error))?;
        let source = Arc::new(MappedFile::new(mapping, path.to_owned()));
        let parsed = ProvingKey::<E>::parse(source).map_err(|error| misuse(format!("{}: {error}", path.display())))?;
        let parsed = Arc::new(parsed);
        let roots = self.roots::<E>(queue, parsed.summary.domain)?;
        // A key whose points stay in its file is as good as one that does not fit, while others could go for it.
        let key = loop {
            let key = self.making_room(|| DeviceKey::load(queue, &parsed, &roots, &self.tuning))?;
            if key.is_resident() || !self.lock().give_up_one() {
                break Arc::new(key);
            }
        };
        self.lock().keys.push(KeptKey { name, key: key.clone() });
        Ok(key)
    }

    /// Roots of unity for transforms of so many elements and fewer.
    fn roots<E: Curve>(&self, queue: &mut dyn Queue, length: usize) -> Result<Arc<Roots<E>>, DeviceError> {
        let known = self.lock().roots.iter().find(|(curve, _)| *curve == E::ID).map(|(_, roots)| roots.clone());
        let known =
            known.and_then(|roots| roots.downcast::<Roots<E>>().ok()).filter(|roots| roots.length_max() >= length);
        if let Some(roots) = known {
            return Ok(roots);
        }
        let roots = Arc::new(self.making_room(|| Roots::<E>::new(queue, length))?);
        let mut kept = self.lock();
        kept.roots.retain(|(curve, _)| *curve != E::ID);
        kept.roots.push((E::ID, roots.clone()));
        Ok(roots)
    }

    /// Does something that takes memory, and again each time that a key that nobody uses could give way.
    fn making_room<T>(&self, mut make: impl FnMut() -> Result<T, DeviceError>) -> Result<T, DeviceError> {
        loop {
            match make() {
                Err(DeviceError::OutOfMemory { .. }) if self.lock().give_up_one() => {}
                other => return other,
            }
        }
    }

    /// Whether the points of the key that was used last are on the device.
    #[cfg(test)]
    pub(super) fn last_is_resident(&self) -> bool {
        self.last().is_some_and(|key| key.is_resident())
    }

    /// How many proofs it makes at once.
    #[cfg(test)]
    pub(super) fn last_batch(&self) -> Option<usize> {
        self.last().map(|key| key.batch())
    }

    #[cfg(test)]
    fn last(&self) -> Option<Arc<DeviceKey<Bn254>>> {
        let key = self.lock().keys.last().map(|kept| kept.key.clone());
        key.and_then(|key| key.downcast().ok())
    }

    /// Gives up all keys.
    #[cfg(test)]
    pub(super) fn forget(&self) {
        self.lock().keys.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn self_test_on<E: Curve>(&self, queue: &mut dyn Queue, call: Call) -> Result<(), DeviceError> {
        if call.task != Task::Ntt {
            // Sums look for points at places that they have computed themselves: a device that computes wrong would look
            // anywhere. Transforms do not.
            self.self_test_on::<E>(queue, Call { task: Task::Ntt, ..call })?;
        }
        let failed = |why: String| DeviceError::Failed(format!("the self-test of a {} failed: {why}", call.name()));
        let control = Control::default();
        let (r1cs, witness) = synthetic(TESTED, E::ID);
        let mut zkey = Vec::new();
        insecure_setup(&r1cs, &mut zkey, &control).map_err(|error| failed(error.to_string()))?;
        let key = Arc::new(ProvingKey::<E>::parse(Arc::new(zkey)).map_err(|error| failed(error.to_string()))?);
        let bytes: Vec<u8> = witness.values().as_flattened().iter().flat_map(|limb| limb.to_le_bytes()).collect();
        let cores: &dyn Arithmetic<E> = &CpuArithmetic;
        let is_right = match call.task {
            Task::Prove => {
                // After a quarantine they may be what is damaged.
                self.lock().keys.clear();
                let roots = self.roots::<E>(queue, key.summary.domain)?;
                let on_device = self.making_room(|| DeviceKey::load(queue, &key, &roots, &self.tuning))?;
                // Launches that proofs share, too.
                let twice = bytes.repeat(on_device.batch().min(2));
                let found = on_device.sums(queue, &twice, &self.tuning, &mut Timings::default())?;
                let watch = &mut Watch { control: &control, timings: &mut Timings::default(), told: &|_, _| () };
                let expected =
                    cores.sums_of_proof(&key, witness.values(), watch).map_err(|why| failed(why.to_string()))?;
                found.iter().all(|sums| *sums == expected)
            }
            Task::Msm(group) => {
                let [a, _, _, _, b2] = key.sections();
                let count = witness.values().len() as u32;
                let header = MsmHeader { count, name: 0, with_points: true }.encode();
                let points = if group == Group::G1 { a } else { b2 };
                let input = [points, &bytes].concat();
                let mut found = vec![0; points.len() / witness.values().len()];
                let mut expected = found.clone();
                self.run_on::<E>(queue, call.task, &header, &input, &mut found)?;
                let summed = match group {
                    Group::G1 => cores.msm_g1(&key.a_points(), witness.values(), &control).map(|sum| {
                        write_point(&sum.into_affine(), &mut expected);
                    }),
                    Group::G2 => cores.msm_g2(&key.b2_points(), witness.values(), &control).map(|sum| {
                        write_point(&sum.into_affine(), &mut expected);
                    }),
                };
                summed.map_err(|why| failed(why.to_string()))?;
                found == expected
            }
            Task::Ntt => {
                let element = |scalar: &PlainScalar| E::ScalarField::from_plain_limbs(*scalar);
                let values: Option<Vec<_>> = witness.values()[..1 << (TESTED - 1)].iter().map(element).collect();
                let mut values = values.ok_or_else(|| failed("a witness that is not below r".to_owned()))?;
                let mut input = vec![0; values.len() * SCALAR_BYTES];
                values.iter().zip(input.chunks_exact_mut(SCALAR_BYTES)).for_each(|(v, to)| v.write_montgomery(to));
                let (mut found, mut expected) = (vec![0; input.len()], vec![0; input.len()]);
                self.run_on::<E>(queue, call.task, &[1, 1], &input, &mut found)?;
                cores.ntt(&mut values, true, true, &control).map_err(|why| failed(why.to_string()))?;
                values.iter().zip(expected.chunks_exact_mut(SCALAR_BYTES)).for_each(|(v, to)| v.write_montgomery(to));
                found == expected
            }
        };
        if is_right { Ok(()) } else { Err(failed("the cores have another answer".to_owned())) }
    }
}

impl Kept {
    /// The key, which is now the one that was used last.
    fn used(&mut self, name: &Name) -> Option<Arc<dyn Any + Send + Sync>> {
        let place = self.keys.iter().position(|kept| kept.name == *name)?;
        self.keys[place..].rotate_left(1);
        self.keys.last().map(|kept| kept.key.clone())
    }

    /// Gives up the key that was used least recently, of those that nobody uses now. Whether there was one.
    fn give_up_one(&mut self) -> bool {
        let unused = self.keys.iter().position(|kept| Arc::strong_count(&kept.key) == 1);
        unused.is_some_and(|place| {
            let kept = self.keys.remove(place);
            tracing::debug!(name = ?kept.name, "a key gives way on the device");
            true
        })
    }
}

fn write_proof<E: Curve>(sums: &Sums<E>, timings: &Timings, answer: &mut [u8]) {
    let (times, points) = answer.split_at_mut(STAGES.len() * size_of::<u64>());
    for (stage, time) in STAGES.into_iter().zip(times.as_chunks_mut().0) {
        *time = u64::try_from(timings.of(stage).as_nanos()).unwrap_or(u64::MAX).to_le_bytes();
    }
    let size = point_bytes::<E::G1Affine>();
    let (in_g1, in_g2) = points.split_at_mut(4 * size);
    for (sum, to) in [&sums.a, &sums.b1, &sums.c, &sums.h].into_iter().zip(in_g1.chunks_exact_mut(size)) {
        write_point::<E::G1Affine>(&(**sum).into_affine(), to);
    }
    write_point::<E::G2Affine>(&(*sums.b2).into_affine(), in_g2);
}

fn unreadable(path: &Path, error: &std::io::Error) -> DeviceError {
    misuse(format!("{}: {error}", path.display()))
}
