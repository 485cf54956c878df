//! A proving key on a device, and the sums of proofs with it; and points of whoever wants no more than a sum.

use std::sync::{Arc, Mutex, PoisonError};

use outrigger_device::{Buffer, DeviceError, Queue};
use zeroize::Zeroizing;

use super::super::Sums;
use super::super::operations::Group;
use super::memory::{wipe, wipe_start};
use super::quotient::{CutRows, DeviceRows, QuotientPlan, Roots};
use super::sums::{DevicePoints, PointSection, SumInput, SumKernels, SumPlan, SumPoint, SumTuning, sum_in_pieces};
use crate::curve::{Curve, SCALAR_BYTES, point_bytes};
use crate::{ProvingKey, Stage, Timings};

/// Points of a piece, of a key whose points do not fit.
const PIECE_POINTS_MAX: usize = 1 << 20;
const PIECE_POINTS_MIN: usize = 1 << 10;

/// Proofs that share launches, at most; and elements of their domains together. What a launch costs by itself, and the
/// work-items that a small proof leaves idle, are worth no more memory than that. Reasoned, not measured.
const BATCH_MAX: usize = 8;
const BATCH_ELEMENTS_MAX: usize = 1 << 19;

/// A key on a device: its matrices, its points where there is room for them, and the memory of a batch of proofs, so that
/// a proof allocates nothing.
pub struct DeviceKey<E: Curve> {
    wires: usize,
    batch: usize,
    rows: [DeviceRows<E>; 2],
    points: Place<E>,
    proofs: Mutex<Proofs<E>>,
}

/// Where the points are.
enum Place<E: Curve> {
    /// On the device: A, B1, C and H; and B2.
    Device { in_g1: DevicePoints<E::G1Affine>, in_g2: DevicePoints<E::G2Affine> },
    /// In the key's file: each proof, one at a time, brings them to the device piece by piece.
    File(Arc<ProvingKey<E>>),
}

/// The memory of the sums in G1, and of that in G2.
struct Plans<E: Curve> {
    in_g1: SumPlan<E::G1Affine>,
    in_g2: SumPlan<E::G2Affine>,
}

/// The memory of a batch of proofs on the device.
struct Proofs<E: Curve> {
    /// One after the other.
    witnesses: Buffer,
    quotient: QuotientPlan<E>,
    /// None where the points come in pieces.
    sums: Option<Plans<E>>,
}

impl<E: Curve> DeviceKey<E> {
    /// Brings a key to a device, with memory for a batch of proofs. Where there is no room for so many, that of one; where
    /// its points do not fit beside it, they stay where they are.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`] where not even the matrices and the memory of a proof fit; what the device reports.
    pub fn load(
        queue: &mut dyn Queue,
        key: &Arc<ProvingKey<E>>,
        roots: &Arc<Roots<E>>,
        tuning: &SumTuning,
    ) -> Result<Self, DeviceError> {
        let batch = (BATCH_ELEMENTS_MAX / key.summary.domain).clamp(1, BATCH_MAX);
        match Self::load_for(queue, key, roots, batch, tuning) {
            Err(DeviceError::OutOfMemory { .. }) if batch > 1 => Self::load_for(queue, key, roots, 1, tuning),
            loaded => loaded,
        }
    }

    fn load_for(
        queue: &mut dyn Queue,
        key: &Arc<ProvingKey<E>>,
        roots: &Arc<Roots<E>>,
        batch: usize,
        tuning: &SumTuning,
    ) -> Result<Self, DeviceError> {
        let summary = &key.summary;
        let cut = [CutRows::new(&key.a, summary.wires)?, CutRows::new(&key.b, summary.wires)?];
        let pieces = cut.iter().map(CutRows::pieces).max().unwrap_or(0);
        let rows = [DeviceRows::new(queue, &cut[0])?, DeviceRows::new(queue, &cut[1])?];
        drop(cut);
        let witnesses = queue.allocate(batch * summary.wires * SCALAR_BYTES)?;
        let quotient = QuotientPlan::new(queue, roots.clone(), summary.domain, batch, pieces)?;
        let (points, sums) = match Self::bring(queue, key, batch, tuning) {
            Ok((points, sums)) => (points, Some(sums)),
            Err(DeviceError::OutOfMemory { wanted, left }) if batch == 1 => {
                tracing::info!(
                    wanted,
                    left,
                    "the points of a key do not fit on the device: proofs bring them in pieces"
                );
                (Place::File(key.clone()), None)
            }
            Err(error) => return Err(error),
        };
        let proofs = Mutex::new(Proofs { witnesses, quotient, sums });
        Ok(Self { wires: summary.wires, batch, rows, points, proofs })
    }

    fn bring(
        queue: &mut dyn Queue,
        key: &ProvingKey<E>,
        batch: usize,
        tuning: &SumTuning,
    ) -> Result<(Place<E>, Plans<E>), DeviceError> {
        let [a, b1, c, h, b2] = sections(key);
        let [of_g1, of_g2] = [Group::G1, Group::G2].map(|group| SumKernels::of(E::ID, group));
        // Nothing is copied that would not stay.
        let wanted = bytes_of::<E::G1Affine>(queue, of_g1, &[a, b1, c, h], batch, tuning)?
            + bytes_of::<E::G2Affine>(queue, of_g2, &[b2], batch, tuning)?;
        let left = queue.memory_left();
        if wanted > left {
            return Err(DeviceError::OutOfMemory { wanted, left });
        }
        let in_g1 = DevicePoints::upload(queue, of_g1, &[a, b1, c, h], tuning)?;
        let in_g2 = DevicePoints::upload(queue, of_g2, &[b2], tuning)?;
        let plans = Plans {
            in_g1: SumPlan::new(queue, &in_g1, &[0, 1, 2, 3], batch, tuning)?,
            in_g2: SumPlan::new(queue, &in_g2, &[0], batch, tuning)?,
        };
        key.release_points();
        Ok((Place::Device { in_g1, in_g2 }, plans))
    }

    /// Whether its points are on the device.
    pub fn is_resident(&self) -> bool {
        matches!(self.points, Place::Device { .. })
    }

    /// Values of a witness.
    pub fn wires(&self) -> usize {
        self.wires
    }

    /// How many proofs it makes at once.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The sums of a batch of proofs, whose witnesses come one after the other; the time of their stages, all together, by
    /// the device's clock. Nothing of the witnesses is left on the device, also where this fails, unless it is the device
    /// that fails.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where the witnesses are of another length than the key's, none, or more than
    /// [`DeviceKey::batch`]; what the device reports.
    pub fn sums(
        &self,
        queue: &mut dyn Queue,
        witnesses: &[u8],
        tuning: &SumTuning,
        timings: &mut Timings,
    ) -> Result<Vec<Sums<E>>, DeviceError> {
        let each = self.wires * SCALAR_BYTES;
        let count = witnesses.len() / each;
        if witnesses.len() != count * each || !(1..=self.batch).contains(&count) {
            let what =
                format!("witnesses of {} bytes for {} wires and {} proofs", witnesses.len(), self.wires, self.batch);
            return Err(DeviceError::Misuse(what));
        }
        let mut proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        let sums = self.compute(queue, &mut proofs, (witnesses, count), tuning, timings);
        let wiped = proofs.wipe(queue, witnesses.len(), count);
        let sums = sums?;
        wiped.map(|()| sums)
    }

    /// The first step of a proof by itself: a and b, for tests.
    #[cfg(test)]
    pub(super) fn products(&self, queue: &mut dyn Queue, witness: &[u8]) -> Result<(), DeviceError> {
        let proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        queue.write(&proofs.witnesses, 0, witness)?;
        proofs.quotient.products(queue, [&self.rows[0], &self.rows[1]], &proofs.witnesses, 1)
    }

    /// The second, after the first.
    #[cfg(test)]
    pub(super) fn transforms(&self, queue: &mut dyn Queue) -> Result<(), DeviceError> {
        self.proofs.lock().unwrap_or_else(PoisonError::into_inner).quotient.transforms(queue, 1)
    }

    /// The polynomials as they are now.
    #[cfg(test)]
    pub(super) fn with_values<T>(&self, act: impl FnOnce(&Buffer) -> T) -> T {
        act(self.proofs.lock().unwrap_or_else(PoisonError::into_inner).quotient.values())
    }

    fn compute(
        &self,
        queue: &mut dyn Queue,
        proofs: &mut Proofs<E>,
        (witnesses, count): (&[u8], usize),
        tuning: &SumTuning,
        timings: &mut Timings,
    ) -> Result<Vec<Sums<E>>, DeviceError> {
        let Proofs { witnesses: wires, quotient, sums } = proofs;
        let _ = queue.take_kernel_time();
        queue.write(wires, 0, witnesses)?;
        quotient.products(queue, [&self.rows[0], &self.rows[1]], wires, count)?;
        ended(queue, Stage::SparseProduct, timings)?;
        quotient.transforms(queue, count)?;
        ended(queue, Stage::Ntt, timings)?;
        match (&self.points, sums) {
            (Place::Device { in_g1, in_g2 }, Some(Plans { in_g1: plan_g1, in_g2: plan_g2 })) => {
                // Places in the buffers are numbers of 32 bits, and so are those of the batch's elements.
                let of_witness = |proof: usize| SumInput { scalars: wires, first: (proof * self.wires) as u32 };
                let of_quotient =
                    |proof: usize| SumInput { scalars: quotient.values(), first: (proof * quotient.domain()) as u32 };
                let of_proof = |proof| [of_witness(proof), of_witness(proof), of_witness(proof), of_quotient(proof)];
                let inputs: Vec<SumInput<'_>> = (0..count).flat_map(of_proof).collect();
                let found = plan_g1.run(queue, in_g1, &inputs)?;
                ended(queue, Stage::MsmG1, timings)?;
                let inputs: Vec<SumInput<'_>> = (0..count).map(of_witness).collect();
                let b2 = plan_g2.run(queue, in_g2, &inputs)?;
                ended(queue, Stage::MsmG2, timings)?;
                let (of_g1, rest) = found.as_chunks::<4>();
                if of_g1.len() != count || b2.len() != count || !rest.is_empty() {
                    let what = format!("{} and {} sums for {count} proofs", found.len(), b2.len());
                    return Err(DeviceError::Failed(what));
                }
                let sums = of_g1.iter().zip(&b2).map(|([a, b1, c, h], b2)| {
                    let [a, b1, c, h] = [*a, *b1, *c, *h].map(Zeroizing::new);
                    Sums { a, b1, b2: Zeroizing::new(*b2), c, h }
                });
                Ok(sums.collect())
            }
            // The memory is for one proof then.
            (Place::File(key), _) => {
                in_pieces(queue, key, wires, quotient.values(), tuning, timings).map(|sums| vec![sums])
            }
            (Place::Device { .. }, None) => Err(DeviceError::Misuse("points without a plan for them".to_owned())),
        }
    }
}

/// Bytes that points and the memory of a batch of sums over them take.
fn bytes_of<G: SumPoint>(
    queue: &dyn Queue,
    kernels: &SumKernels,
    sections: &[PointSection<'_>],
    batch: usize,
    tuning: &SumTuning,
) -> Result<u64, DeviceError> {
    let lengths = DevicePoints::<G>::lengths(kernels, sections)?;
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let points = DevicePoints::<G>::bytes_of(kernels, lengths.iter().sum(), longest, tuning);
    Ok(points + SumPlan::<G>::bytes_of(kernels, &lengths, batch, tuning, queue.info().group_size_max)?)
}

/// Points on a device, and the memory of a sum over them.
pub struct DeviceSum<G: SumPoint> {
    points: DevicePoints<G>,
    sum: Mutex<(SumPlan<G>, Buffer)>,
    scalar_bytes: usize,
}

impl<G: SumPoint> DeviceSum<G> {
    /// Brings points to a device, as a `.zkey` has them.
    ///
    /// # Errors
    /// What the device reports.
    pub fn load(
        queue: &mut dyn Queue,
        kernels: &'static SumKernels,
        points: &[u8],
        tuning: &SumTuning,
    ) -> Result<Self, DeviceError> {
        let scalar_bytes = points.len() / point_bytes::<G>() * SCALAR_BYTES;
        let section = PointSection { bytes: points, first_wire: 0 };
        let points = DevicePoints::upload(queue, kernels, &[section], tuning)?;
        let plan = SumPlan::new(queue, &points, &[0], 1, tuning)?;
        let scalars = queue.allocate(scalar_bytes.max(1))?;
        Ok(Self { points, sum: Mutex::new((plan, scalars)), scalar_bytes })
    }

    /// The sum of scalar × point; plain scalars below r, as many as points. None of them is left on the device.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where there are not as many; what the device reports.
    pub fn run(&self, queue: &mut dyn Queue, scalars: &[u8]) -> Result<G::Group, DeviceError> {
        if scalars.len() != self.scalar_bytes {
            return Err(DeviceError::Misuse(format!("{} bytes of scalars, not {}", scalars.len(), self.scalar_bytes)));
        }
        let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        let (plan, on_device) = &mut *sum;
        let mut run = || {
            queue.write(on_device, 0, scalars)?;
            plan.run(queue, &self.points, &[SumInput { scalars: on_device, first: 0 }])
        };
        let sums = run();
        wipe(queue, on_device)?;
        plan.wipe(queue)?;
        sums?.pop().ok_or_else(|| DeviceError::Failed("no sum".to_owned()))
    }
}

impl<E: Curve> Proofs<E> {
    /// Overwrites what so many proofs left, with so many bytes of witnesses.
    fn wipe(&mut self, queue: &mut dyn Queue, bytes: usize, proofs: usize) -> Result<(), DeviceError> {
        wipe_start(queue, &self.witnesses, bytes)?;
        self.quotient.wipe(queue, proofs)?;
        if let Some(Plans { in_g1, in_g2 }) = &mut self.sums {
            in_g1.wipe(queue)?;
            in_g2.wipe(queue)?;
        }
        queue.finish()
    }
}

/// The sums of a key whose points are not on the device. Where a piece does not fit either, half of it is tried.
fn in_pieces<E: Curve>(
    queue: &mut dyn Queue,
    key: &ProvingKey<E>,
    witness: &Buffer,
    quotient: &Buffer,
    tuning: &SumTuning,
    timings: &mut Timings,
) -> Result<Sums<E>, DeviceError> {
    let [a, b1, c, h, b2] = sections(key);
    let in_g1 = SumKernels::of(E::ID, Group::G1);
    let mut sum = |section, scalars| {
        smaller_until_it_fits(|points_max| {
            sum_in_pieces::<E::G1Affine>(queue, in_g1, section, scalars, points_max, tuning)
        })
    };
    let [a, b1, c, h] = [sum(a, witness)?, sum(b1, witness)?, sum(c, witness)?, sum(h, quotient)?].map(Zeroizing::new);
    ended(queue, Stage::MsmG1, timings)?;
    let in_g2 = SumKernels::of(E::ID, Group::G2);
    let b2 = smaller_until_it_fits(|points_max| {
        sum_in_pieces::<E::G2Affine>(queue, in_g2, b2, witness, points_max, tuning)
    })?;
    ended(queue, Stage::MsmG2, timings)?;
    Ok(Sums { a, b1, b2: Zeroizing::new(b2), c, h })
}

fn smaller_until_it_fits<T>(mut sum: impl FnMut(usize) -> Result<T, DeviceError>) -> Result<T, DeviceError> {
    let mut points_max = PIECE_POINTS_MAX;
    loop {
        match sum(points_max) {
            Err(DeviceError::OutOfMemory { .. }) if points_max > PIECE_POINTS_MIN => points_max /= 2,
            other => return other,
        }
    }
}

/// A, B1, C, H and B2, with the places of their scalars in the witness or the quotient.
fn sections<E: Curve>(key: &ProvingKey<E>) -> [PointSection<'_>; 5] {
    let [a, b1, c, h, b2] = key.sections();
    let first_private = 1 + key.summary.public_signals as u32;
    let section = |bytes, first_wire| PointSection { bytes, first_wire };
    [section(a, 0), section(b1, 0), section(c, first_private), section(h, 0), section(b2, 0)]
}

/// Waits, and notes the kernels' time for a stage.
fn ended(queue: &mut dyn Queue, stage: Stage, timings: &mut Timings) -> Result<(), DeviceError> {
    queue.finish()?;
    timings.add(stage, queue.take_kernel_time());
    Ok(())
}
