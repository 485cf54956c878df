//! A proving key on a device, and the sums of proofs with it; and points of whoever wants no more than a sum.

use std::sync::{Arc, Mutex, PoisonError};

use outrigger_device::{Buffer, DeviceError, Queue};
use zeroize::Zeroizing;

use super::super::Sums;
use super::super::operations::Group;
use super::quotient::{CutRows, DeviceRows, QuotientPlan, Roots, wipe};
use super::sums::{DevicePoints, PointSection, SumInput, SumKernels, SumPlan, SumPoint, SumTuning, sum_in_pieces};
use crate::curve::{Curve, SCALAR_BYTES, point_bytes};
use crate::{ProvingKey, Stage, Timings};

/// Points of a piece, of a key whose points do not fit.
const PIECE_POINTS_MAX: usize = 1 << 20;
const PIECE_POINTS_MIN: usize = 1 << 10;

/// A key on a device: its matrices, its points where there is room for them, and the memory of a proof, so that a proof
/// allocates nothing.
pub struct DeviceKey<E: Curve> {
    wires: usize,
    rows: [DeviceRows<E>; 2],
    points: Place<E>,
    proof: Mutex<Proof<E>>,
}

/// Where the points are.
enum Place<E: Curve> {
    /// On the device: A, B1, C and H; and B2.
    Device { in_g1: DevicePoints<E::G1Affine>, in_g2: DevicePoints<E::G2Affine> },
    /// In the key's file: each proof brings them to the device piece by piece.
    File(Arc<ProvingKey<E>>),
}

/// The memory of the sums in G1, and of that in G2.
struct Plans<E: Curve> {
    in_g1: SumPlan<E::G1Affine>,
    in_g2: SumPlan<E::G2Affine>,
}

/// The memory of a proof on the device.
struct Proof<E: Curve> {
    witness: Buffer,
    quotient: QuotientPlan<E>,
    /// None where the points come in pieces.
    sums: Option<Plans<E>>,
}

impl<E: Curve> DeviceKey<E> {
    /// Brings a key to a device. Where its points do not fit beside the memory of a proof, they stay where they are.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`] where not even the matrices and the memory of a proof fit; what the device reports.
    pub fn load(
        queue: &mut dyn Queue,
        key: &Arc<ProvingKey<E>>,
        roots: &Arc<Roots<E>>,
        tuning: &SumTuning,
    ) -> Result<Self, DeviceError> {
        let summary = &key.summary;
        let cut = [CutRows::new(&key.a, summary.wires)?, CutRows::new(&key.b, summary.wires)?];
        let pieces = cut.iter().map(CutRows::pieces).max().unwrap_or(0);
        let rows = [DeviceRows::new(queue, &cut[0])?, DeviceRows::new(queue, &cut[1])?];
        drop(cut);
        let witness = queue.allocate(summary.wires * SCALAR_BYTES)?;
        let quotient = QuotientPlan::new(queue, roots.clone(), summary.domain, 1, pieces)?;
        let (points, sums) = match Self::bring(queue, key, tuning) {
            Ok((points, sums)) => (points, Some(sums)),
            Err(DeviceError::OutOfMemory { wanted, left }) => {
                tracing::info!(
                    wanted,
                    left,
                    "the points of a key do not fit on the device: proofs bring them in pieces"
                );
                (Place::File(key.clone()), None)
            }
            Err(error) => return Err(error),
        };
        let proof = Mutex::new(Proof { witness, quotient, sums });
        Ok(Self { wires: summary.wires, rows, points, proof })
    }

    fn bring(
        queue: &mut dyn Queue,
        key: &ProvingKey<E>,
        tuning: &SumTuning,
    ) -> Result<(Place<E>, Plans<E>), DeviceError> {
        let [a, b1, c, h, b2] = sections(key);
        let in_g1 = DevicePoints::upload(queue, SumKernels::of(E::ID, Group::G1), &[a, b1, c, h], tuning)?;
        let in_g2 = DevicePoints::upload(queue, SumKernels::of(E::ID, Group::G2), &[b2], tuning)?;
        let plans = Plans {
            in_g1: SumPlan::new(queue, &in_g1, &[0, 1, 2, 3], tuning)?,
            in_g2: SumPlan::new(queue, &in_g2, &[0], tuning)?,
        };
        key.release_points();
        Ok((Place::Device { in_g1, in_g2 }, plans))
    }

    /// Whether its points are on the device.
    pub fn is_resident(&self) -> bool {
        matches!(self.points, Place::Device { .. })
    }

    /// The sums of a proof; the time of its stages by the device's clock. Nothing of the witness is left on the device,
    /// also where this fails, unless it is the device that fails.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where the witness is of another length than the key; what the device reports.
    pub fn sums(
        &self,
        queue: &mut dyn Queue,
        witness: &[u8],
        tuning: &SumTuning,
        timings: &mut Timings,
    ) -> Result<Sums<E>, DeviceError> {
        if witness.len() != self.wires * SCALAR_BYTES {
            let what = format!("a witness of {} bytes for {} wires", witness.len(), self.wires);
            return Err(DeviceError::Misuse(what));
        }
        let mut proof = self.proof.lock().unwrap_or_else(PoisonError::into_inner);
        let sums = self.compute(queue, &mut proof, witness, tuning, timings);
        let wiped = proof.wipe(queue);
        let sums = sums?;
        wiped.map(|()| sums)
    }

    /// The first step of a proof by itself: a and b, for tests.
    #[cfg(test)]
    pub(super) fn products(&self, queue: &mut dyn Queue, witness: &[u8]) -> Result<(), DeviceError> {
        let proof = self.proof.lock().unwrap_or_else(PoisonError::into_inner);
        queue.write(&proof.witness, 0, witness)?;
        proof.quotient.products(queue, [&self.rows[0], &self.rows[1]], &proof.witness, 1)
    }

    /// The second, after the first.
    #[cfg(test)]
    pub(super) fn transforms(&self, queue: &mut dyn Queue) -> Result<(), DeviceError> {
        self.proof.lock().unwrap_or_else(PoisonError::into_inner).quotient.transforms(queue, 1)
    }

    /// The polynomials as they are now.
    #[cfg(test)]
    pub(super) fn with_values<T>(&self, act: impl FnOnce(&Buffer) -> T) -> T {
        act(self.proof.lock().unwrap_or_else(PoisonError::into_inner).quotient.values())
    }

    fn compute(
        &self,
        queue: &mut dyn Queue,
        proof: &mut Proof<E>,
        witness: &[u8],
        tuning: &SumTuning,
        timings: &mut Timings,
    ) -> Result<Sums<E>, DeviceError> {
        let Proof { witness: wires, quotient, sums } = proof;
        let _ = queue.take_kernel_time();
        queue.write(wires, 0, witness)?;
        quotient.products(queue, [&self.rows[0], &self.rows[1]], wires, 1)?;
        ended(queue, Stage::SparseProduct, timings)?;
        quotient.transforms(queue, 1)?;
        ended(queue, Stage::Ntt, timings)?;
        let of_witness = SumInput { scalars: wires, first: 0 };
        let of_quotient = SumInput { scalars: quotient.values(), first: 0 };
        match (&self.points, sums) {
            (Place::Device { in_g1, in_g2 }, Some(Plans { in_g1: plan_g1, in_g2: plan_g2 })) => {
                let inputs = [of_witness, of_witness, of_witness, of_quotient];
                let found = plan_g1.run(queue, in_g1, &inputs)?;
                ended(queue, Stage::MsmG1, timings)?;
                let b2 = plan_g2.run(queue, in_g2, &[of_witness])?;
                ended(queue, Stage::MsmG2, timings)?;
                let ([a, b1, c, h], [b2]) = (exactly(found)?, exactly(b2)?);
                let [a, b1, c, h] = [a, b1, c, h].map(Zeroizing::new);
                Ok(Sums { a, b1, b2: Zeroizing::new(b2), c, h })
            }
            (Place::File(key), _) => in_pieces(queue, key, wires, quotient.values(), tuning, timings),
            (Place::Device { .. }, None) => Err(DeviceError::Misuse("points without a plan for them".to_owned())),
        }
    }
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
        let plan = SumPlan::new(queue, &points, &[0], tuning)?;
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

impl<E: Curve> Proof<E> {
    /// Overwrites what a proof left.
    fn wipe(&mut self, queue: &mut dyn Queue) -> Result<(), DeviceError> {
        wipe(queue, &self.witness)?;
        self.quotient.wipe(queue)?;
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

fn exactly<T, const N: usize>(found: Vec<T>) -> Result<[T; N], DeviceError> {
    let count = found.len();
    found.try_into().map_err(|_| DeviceError::Failed(format!("{count} sums where there are {N}")))
}
