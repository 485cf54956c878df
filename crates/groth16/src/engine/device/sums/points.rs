//! The points of a key on a device.

use std::marker::PhantomData;
use std::ops::Range;

use outrigger_device::{Argument, Buffer, DeviceError, Queue};

use super::geometry::{self, Copies};
use super::{SumKernels, SumPoint, SumTuning, WORD};

/// Points of a work-item that makes copies: SHARED_INVERSION of the kernels.
const POINTS_PER_ITEM: u32 = 4;
/// Bytes that are gathered before they are copied to the device.
const STAGED_BYTES: usize = 4 << 20;

/// Points as a `.zkey` holds them, and which scalars they are multiplied by.
#[derive(Clone, Copy, Debug)]
pub struct PointSection<'a> {
    /// Affine points, coordinates in Montgomery form one after the other; zeros stand for infinity.
    pub bytes: &'a [u8],
    /// The place, among the scalars of a sum, of the first point's.
    pub first_wire: u32,
}

/// Points on a device, without those at infinity: parts, one for each section, and for each point the place of its
/// scalar. With copies multiplied by powers of two, where the tuning asks for them.
pub struct DevicePoints<G> {
    pub(super) kernels: &'static SumKernels,
    pub(super) points: Buffer,
    pub(super) wires: Buffer,
    pub(super) parts: Vec<Part>,
    pub(super) copies: Option<Copies>,
    total: u32,
    group: PhantomData<fn() -> G>,
}

/// A section's points on a device.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Which of the points they are.
    pub range: Range<u32>,
    /// The scalars that a sum over them must have.
    pub scalars: u32,
}

impl<G: SumPoint> DevicePoints<G> {
    /// How many points of each section there are, those at infinity not counted.
    ///
    /// # Errors
    /// As for [`DevicePoints::upload`].
    pub fn lengths(kernels: &SumKernels, sections: &[PointSection<'_>]) -> Result<Vec<u32>, DeviceError> {
        Ok(parts(kernels, sections)?.iter().map(|part| part.range.end - part.range.start).collect())
    }

    /// Bytes that [`DevicePoints::upload`] allocates for so many points that are not at infinity, with the copies that it
    /// makes where the longest part has `longest` of them.
    pub fn bytes_of(kernels: &SumKernels, points: u32, longest: u32, tuning: &SumTuning) -> u64 {
        let copies = geometry::copies(kernels, longest, tuning).map_or(1, |copies| copies.count);
        u64::from(points.max(1)) * (u64::from(copies) * kernels.point_bytes as u64 + WORD as u64)
    }

    /// Copies the points of these sections to the device. Compiles the kernels where the device does not know them.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`] where they do not fit, [`DeviceError::Misuse`] where the points are of another
    /// group, or too many; what the device reports.
    pub fn upload(
        queue: &mut dyn Queue,
        kernels: &'static SumKernels,
        sections: &[PointSection<'_>],
        tuning: &SumTuning,
    ) -> Result<Self, DeviceError> {
        kernels.check::<G>()?;
        kernels.load(queue)?;
        let parts = parts(kernels, sections)?;
        let total = parts.last().map_or(0, |part| part.range.end);
        let longest = parts.iter().map(|part| part.range.end - part.range.start).max().unwrap_or(0);
        let copies = geometry::copies(kernels, longest, tuning);
        let all = u64::from(total) * u64::from(copies.map_or(1, |copies| copies.count));
        if all >= POINTS_MAX {
            return Err(too_many(kernels));
        }
        // An empty buffer is none on some devices.
        let points = queue.allocate(all.max(1) as usize * kernels.point_bytes)?;
        let wires = queue.allocate(total.max(1) as usize * WORD)?;
        for (section, part) in sections.iter().zip(&parts) {
            write(queue, kernels, section, part.range.start as usize, &points, &wires)?;
        }
        let made = Self { kernels, points, wires, parts, copies, total, group: PhantomData };
        made.copy(queue, tuning)?;
        Ok(made)
    }

    /// Makes each copy from the one before it.
    fn copy(&self, queue: &mut dyn Queue, tuning: &SumTuning) -> Result<(), DeviceError> {
        let Some(Copies { bits, rows, count }) = self.copies.filter(|_| self.total > 0) else { return Ok(()) };
        let group = tuning.group_size.clamp(1, queue.info().group_size_max);
        let groups = self.total.div_ceil(POINTS_PER_ITEM).div_ceil(group);
        for copy in 1..count {
            let numbers = [(copy - 1) * self.total, copy * self.total, self.total, bits * rows];
            let [from, to, length, doublings] = numbers.map(Argument::from);
            let arguments = [(&self.points).into(), from, to, length, doublings];
            queue.launch(self.kernels.copy, groups, group, &arguments)?;
        }
        Ok(())
    }

    /// How many points a part has, those at infinity not counted.
    ///
    /// # Panics
    /// Where there are not so many parts.
    pub fn part_len(&self, part: usize) -> usize {
        self.parts[part].range.len()
    }

    /// Bytes of memory of the device that they take.
    pub fn bytes(&self) -> u64 {
        (self.points.bytes() + self.wires.bytes()) as u64
    }

    /// How many points there are before the first copy begins.
    pub(super) const fn stride(&self) -> u32 {
        self.total
    }
}

/// Points with their copies: an entry has one bit beside the number of its point.
const POINTS_MAX: u64 = 1 << 31;

fn too_many(kernels: &SumKernels) -> DeviceError {
    DeviceError::Misuse(format!("{}: more than 2^31 points", kernels.program))
}

fn is_infinity(point: &[u8]) -> bool {
    point.iter().all(|byte| *byte == 0)
}

/// Where the points of each section go, without those at infinity.
fn parts(kernels: &SumKernels, sections: &[PointSection<'_>]) -> Result<Vec<Part>, DeviceError> {
    let mut parts = Vec::with_capacity(sections.len());
    let mut start = 0_u32;
    for section in sections {
        let points = section.bytes.chunks_exact(kernels.point_bytes);
        if !points.remainder().is_empty() {
            return Err(DeviceError::Misuse(format!("{}: {} bytes of points", kernels.program, section.bytes.len())));
        }
        let count = u32::try_from(points.len()).ok();
        let scalars = count.and_then(|count| section.first_wire.checked_add(count));
        let kept = u32::try_from(points.filter(|point| !is_infinity(point)).count()).ok();
        let end = kept.and_then(|kept| start.checked_add(kept));
        let (Some(scalars), Some(end)) = (scalars, end) else { return Err(too_many(kernels)) };
        parts.push(Part { range: start..end, scalars });
        start = end;
    }
    Ok(parts)
}

/// Writes the points of a section, and the places of their scalars, from point number `next` on.
fn write(
    queue: &mut dyn Queue,
    kernels: &SumKernels,
    section: &PointSection<'_>,
    mut next: usize,
    points: &Buffer,
    wires: &Buffer,
) -> Result<(), DeviceError> {
    let size = kernels.point_bytes;
    let mut wire = section.first_wire;
    let (mut kept, mut kept_wires) = (Vec::new(), Vec::new());
    for piece in section.bytes.chunks(STAGED_BYTES / size * size) {
        kept.clear();
        kept_wires.clear();
        for point in piece.chunks_exact(size) {
            if !is_infinity(point) {
                kept.extend_from_slice(point);
                kept_wires.extend_from_slice(&wire.to_le_bytes());
            }
            wire += 1;
        }
        queue.write(points, next * size, &kept)?;
        queue.write(wires, next * WORD, &kept_wires)?;
        next += kept_wires.len() / WORD;
    }
    Ok(())
}
