//! Sums over more points than the device has room for.

use ark_ff::AdditiveGroup;
use outrigger_device::{Buffer, DeviceError, Queue};

use super::{DevicePoints, PointSection, SumInput, SumKernels, SumPlan, SumPoint, SumTuning};

/// The sum of scalar × point over a section, of which at most `points_max` points are on the device at a time: each
/// piece is copied there, added up and dropped.
///
/// # Errors
/// As for [`DevicePoints::upload`], [`SumPlan::new`] and [`SumPlan::run`].
pub fn sum_in_pieces<G: SumPoint>(
    queue: &mut dyn Queue,
    kernels: &'static SumKernels,
    section: PointSection<'_>,
    scalars: &Buffer,
    points_max: usize,
    tuning: &SumTuning,
) -> Result<G::Group, DeviceError> {
    let mut sum = G::Group::ZERO;
    let mut first_wire = section.first_wire;
    for bytes in section.bytes.chunks(points_max.max(1) * kernels.point_bytes) {
        let points = DevicePoints::<G>::upload(queue, kernels, &[PointSection { bytes, first_wire }], tuning)?;
        let mut plan = SumPlan::new(queue, &points, &[0], 1, tuning)?;
        let parts = plan.run(queue, &points, &[SumInput { scalars, first: 0 }]);
        plan.wipe(queue)?;
        for part in parts? {
            sum += part;
        }
        let count = bytes.len() / kernels.point_bytes;
        first_wire = u32::try_from(count)
            .ok()
            .and_then(|count| first_wire.checked_add(count))
            .ok_or_else(|| DeviceError::Misuse("more than 2^32 scalars".to_owned()))?;
    }
    Ok(sum)
}
