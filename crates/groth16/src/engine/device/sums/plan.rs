//! A batch of sums: its memory on the device, and its launches.

use std::marker::PhantomData;

use ark_ff::PrimeField;
use outrigger_device::{Argument, Buffer, DeviceError, Queue};
use zeroize::Zeroizing;

use super::super::memory::wipe_start;
use super::geometry::{Geometry, MODULUS_BYTES, Sizes, ZERO_OFFSET};
use super::points::Part;
use super::windows::{combine, read_extended};
use super::{DevicePoints, SCALAR_BYTES, SumKernels, SumPoint, SumTuning};

/// What the points of a part are multiplied by.
#[derive(Clone, Copy, Debug)]
pub struct SumInput<'a> {
    /// Plain numbers below r, 32 bytes each. All that the wires of the part say must be there.
    pub scalars: &'a Buffer,
    /// The place in the buffer of the scalar with number 0.
    pub first: u32,
}

/// Sums over parts of points, for a batch of proofs, and all the memory that they need. Between two runs it holds what
/// tells of the scalars: see [`SumPlan::wipe`].
pub struct SumPlan<G> {
    kernels: &'static SumKernels,
    /// Of one proof, of two, and so on.
    geometries: Vec<Geometry>,
    /// The parts of one proof.
    parts: Vec<usize>,
    scratch: Scratch,
    /// Proofs of the run that was started last.
    running: usize,
    /// Proofs whose traces may be in the memory.
    traces: usize,
    group: PhantomData<fn() -> G>,
}

/// Memory of a batch on the device.
struct Scratch {
    /// A word for each bucket: how many entries, then where it begins, then where it ends.
    places: Buffer,
    totals: Buffer,
    entries: Buffer,
    buckets: Buffer,
    /// Partial sums and their buckets, to and fro.
    keys: [Buffer; 2],
    partial: [Buffer; 2],
    /// Plain and weighted sums of segments, to and fro.
    plain: [Buffer; 2],
    weighted: [Buffer; 2],
    modulus: Buffer,
}

impl<G: SumPoint> SumPlan<G> {
    /// Bytes that [`SumPlan::new`] allocates for parts of so many points each.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where a batch cannot have so many points.
    pub fn bytes_of(
        kernels: &SumKernels,
        lengths: &[u32],
        batch: usize,
        tuning: &SumTuning,
        group_size_max: u32,
    ) -> Result<u64, DeviceError> {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let copies = super::geometry::copies(kernels, longest, tuning);
        Ok(Geometry::new(kernels, &lengths.repeat(batch), copies, tuning, group_size_max)?.bytes())
    }

    /// One sum for each of these parts, of which one may come more than once, for each of so many proofs at most.
    /// Compiles the kernels where the device does not know them.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`]; [`DeviceError::Misuse`] where there is no such part, the batch is empty, or it cannot
    /// have so many points; what the device reports.
    pub fn new(
        queue: &mut dyn Queue,
        points: &DevicePoints<G>,
        parts: &[usize],
        batch: usize,
        tuning: &SumTuning,
    ) -> Result<Self, DeviceError> {
        let kernels = points.kernels;
        kernels.load(queue)?;
        let (lengths, group_size_max) = (lengths(points, parts)?, queue.info().group_size_max);
        let geometry_of =
            |proofs| Geometry::new(kernels, &lengths.repeat(proofs), points.copies, tuning, group_size_max);
        let geometries: Vec<Geometry> = (1..=batch).map(geometry_of).collect::<Result<_, _>>()?;
        let largest = geometries.last().ok_or_else(|| DeviceError::Misuse("a plan for no proof".to_owned()))?;
        let scratch = Scratch::new::<G>(queue, largest)?;
        Ok(Self { kernels, geometries, parts: parts.to_vec(), scratch, running: 1, traces: 0, group: PhantomData })
    }

    /// The sums, one for each part of the plan and so for each proof, of scalar × point. Waits for the device.
    ///
    /// # Errors
    /// As for [`SumPlan::start`] and [`SumPlan::finish`].
    pub fn run(
        &mut self,
        queue: &mut dyn Queue,
        points: &DevicePoints<G>,
        inputs: &[SumInput<'_>],
    ) -> Result<Vec<G::Group>, DeviceError> {
        self.start(queue, points, inputs)?;
        self.finish(queue)
    }

    /// Starts the sums and does not wait; what they read must stay as it is until [`SumPlan::finish`].
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where there are not as many inputs as parts, or so for each of as many proofs as the plan
    /// is for, or an input has too few scalars; what the device reports.
    pub fn start(
        &mut self,
        queue: &mut dyn Queue,
        points: &DevicePoints<G>,
        inputs: &[SumInput<'_>],
    ) -> Result<(), DeviceError> {
        self.running = self.proofs(inputs.len())?;
        self.traces = self.traces.max(self.running);
        self.check(points, inputs)?;
        if self.parts.is_empty() {
            return Ok(());
        }
        self.sort(queue, points, inputs)?;
        self.accumulate(queue, points)?;
        self.join(queue)?;
        self.weigh(queue)
    }

    /// The sums that were started. Waits for the device.
    ///
    /// # Errors
    /// What the device reports.
    pub fn finish(&mut self, queue: &mut dyn Queue) -> Result<Vec<G::Group>, DeviceError> {
        if self.parts.is_empty() {
            return Ok(Vec::new());
        }
        let geometry = self.geometry();
        // The last step has left the sums of windows in one of two places.
        let windows = &self.scratch.weighted[(geometry.weighs.len() + 1) % 2];
        let mut bytes = Zeroizing::new(vec![0; geometry.extended(geometry.window_sums())]);
        queue.read(windows, 0, &mut bytes)?;
        let windows = Zeroizing::new(read_extended::<G>(&bytes));
        Ok(windows.chunks(geometry.rows as usize).map(|sum| combine(sum, geometry.bits)).collect())
    }

    /// The cut of the run that was started last.
    fn geometry(&self) -> &Geometry {
        &self.geometries[self.running - 1]
    }

    /// Of how many proofs so many inputs are.
    fn proofs(&self, inputs: usize) -> Result<usize, DeviceError> {
        let each = self.parts.len();
        let proofs = if each == 0 && inputs == 0 { 1 } else { inputs.checked_div(each).unwrap_or(0) };
        if (1..=self.geometries.len()).contains(&proofs) && proofs * each == inputs {
            Ok(proofs)
        } else {
            Err(DeviceError::Misuse(format!("{inputs} inputs for {each} sums of {} proofs", self.geometries.len())))
        }
    }

    /// Overwrites what runs have left: digits, and sums of points.
    ///
    /// # Errors
    /// What the device reports.
    pub fn wipe(&mut self, queue: &mut dyn Queue) -> Result<(), DeviceError> {
        let Some(largest) = self.traces.checked_sub(1) else { return Ok(()) };
        for (buffer, bytes) in self.scratch.secrets(&self.geometries[largest].scratch()) {
            wipe_start(queue, buffer, bytes)?;
        }
        queue.finish()?;
        self.traces = 0;
        Ok(())
    }

    /// All buffers that hold what tells of the scalars.
    #[cfg(test)]
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Buffer> {
        let largest = self.geometries.last().expect("a proof at least");
        self.scratch.secrets(&largest.scratch()).map(|(buffer, _)| buffer).into_iter()
    }

    fn check(&self, points: &DevicePoints<G>, inputs: &[SumInput<'_>]) -> Result<(), DeviceError> {
        let lengths: Vec<u32> = lengths(points, &self.parts)?;
        let one = &self.geometries[0];
        let entries: u64 = lengths.iter().map(|length| u64::from(*length) * u64::from(one.windows)).sum();
        if entries > one.entries_max.into() || points.kernels != self.kernels {
            return Err(DeviceError::Misuse("a plan for other points".to_owned()));
        }
        for (input, part) in inputs.iter().zip(self.parts.iter().cycle()) {
            let needed = (input.first as usize + points.parts[*part].scalars as usize) * SCALAR_BYTES;
            if !points.parts[*part].range.is_empty() && input.scalars.bytes() < needed {
                return Err(DeviceError::Misuse(format!("{needed} bytes of scalars, not {}", input.scalars.bytes())));
            }
        }
        Ok(())
    }

    /// From the scalars to entries that are sorted by bucket.
    fn sort(
        &self,
        queue: &mut dyn Queue,
        points: &DevicePoints<G>,
        inputs: &[SumInput<'_>],
    ) -> Result<(), DeviceError> {
        let (geometry, scratch) = (self.geometry(), &self.scratch);
        wipe_start(queue, &scratch.places, geometry.scratch().places)?;
        self.digits(queue, points, inputs, false)?;
        let (count, run) = (geometry.buckets, geometry.scan_run);
        let totals: [Argument<'_>; 4] = [(&scratch.places).into(), (&scratch.totals).into(), count.into(), run.into()];
        queue.launch("msm_totals", geometry.scan_groups, geometry.group, &totals)?;
        // The totals are the run of one group, which begins at 0: the key of no entry.
        let all = geometry.scan_groups.next_multiple_of(geometry.group);
        let zero = Argument::Buffer(&scratch.modulus, ZERO_OFFSET);
        let totals = [(&scratch.totals).into(), zero, geometry.scan_groups.into(), all.into()];
        queue.launch("msm_scan", 1, geometry.group, &totals)?;
        let places: [Argument<'_>; 4] = [(&scratch.places).into(), (&scratch.totals).into(), count.into(), run.into()];
        queue.launch("msm_scan", geometry.scan_groups, geometry.group, &places)?;
        self.digits(queue, points, inputs, true)
    }

    /// Counts the digits of every sum, or places its entries.
    fn digits(
        &self,
        queue: &mut dyn Queue,
        points: &DevicePoints<G>,
        inputs: &[SumInput<'_>],
        is_placing: bool,
    ) -> Result<(), DeviceError> {
        let (geometry, scratch) = (self.geometry(), &self.scratch);
        for (sum, (input, part)) in inputs.iter().zip(self.parts.iter().cycle()).enumerate() {
            let Part { range, .. } = &points.parts[*part];
            let count = range.end - range.start;
            if count == 0 {
                continue;
            }
            let first_bucket = (sum as u32 * geometry.rows) << (geometry.bits - 1);
            let mut arguments: Vec<Argument<'_>> =
                vec![input.scalars.into(), (&points.wires).into(), (&scratch.modulus).into(), (&scratch.places).into()];
            if is_placing {
                arguments.push((&scratch.entries).into());
            }
            let shape = [geometry.bits, geometry.windows, geometry.rows];
            arguments.extend([input.first, range.start, count, first_bucket].map(Argument::from));
            arguments.extend(shape.map(Argument::from));
            if is_placing {
                arguments.push(points.stride().into());
            }
            let kernel = if is_placing { "msm_place" } else { "msm_count" };
            queue.launch(kernel, count.div_ceil(geometry.group), geometry.group, &arguments)?;
        }
        Ok(())
    }

    fn accumulate(&self, queue: &mut dyn Queue, points: &DevicePoints<G>) -> Result<(), DeviceError> {
        let (geometry, scratch) = (self.geometry(), &self.scratch);
        let arguments: [Argument<'_>; 9] = [
            (&points.points).into(),
            (&scratch.entries).into(),
            (&scratch.places).into(),
            (&scratch.buckets).into(),
            (&scratch.keys[0]).into(),
            (&scratch.partial[0]).into(),
            geometry.buckets.into(),
            geometry.items.into(),
            geometry.least.into(),
        ];
        launch(queue, self.kernels.accumulate, geometry.items, geometry.group, &arguments)
    }

    fn join(&self, queue: &mut dyn Queue) -> Result<(), DeviceError> {
        let (geometry, scratch) = (self.geometry(), &self.scratch);
        for (step, join) in geometry.joins.iter().enumerate() {
            let (from, to) = (step % 2, (step + 1) % 2);
            let arguments: [Argument<'_>; 8] = [
                (&scratch.keys[from]).into(),
                (&scratch.partial[from]).into(),
                (&scratch.buckets).into(),
                (&scratch.keys[to]).into(),
                (&scratch.partial[to]).into(),
                join.count.into(),
                join.items.into(),
                geometry.run.into(),
            ];
            launch(queue, self.kernels.join, join.items, geometry.group, &arguments)?;
        }
        Ok(())
    }

    /// From buckets to one weighted sum a window.
    fn weigh(&self, queue: &mut dyn Queue) -> Result<(), DeviceError> {
        let (geometry, scratch) = (self.geometry(), &self.scratch);
        for (step, weigh) in geometry.weighs.iter().enumerate() {
            let (from, to) = ((step + 1) % 2, step % 2);
            let inputs: [&Buffer; 2] = match step {
                0 => [&scratch.buckets, &scratch.places],
                _ => [&scratch.plain[from], &scratch.weighted[from]],
            };
            let mut arguments: Vec<Argument<'_>> = inputs.map(Argument::from).to_vec();
            arguments.extend([&scratch.plain[to], &scratch.weighted[to]].map(Argument::from));
            arguments.extend([weigh.items, weigh.segment].map(Argument::from));
            if step > 0 {
                arguments.push(weigh.doublings.into());
            }
            let kernel = if step == 0 { self.kernels.weigh_buckets } else { self.kernels.weigh_segments };
            launch(queue, kernel, weigh.items, geometry.group, &arguments)?;
        }
        Ok(())
    }
}

impl Scratch {
    fn new<G: SumPoint>(queue: &mut dyn Queue, geometry: &Geometry) -> Result<Self, DeviceError> {
        let mut modulus = vec![0; MODULUS_BYTES];
        for (chunk, limb) in modulus.chunks_exact_mut(8).zip(G::ScalarField::MODULUS.as_ref()) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        let sizes = geometry.scratch();
        let mut allocate = |bytes: usize| queue.allocate(bytes);
        let scratch = Self {
            places: allocate(sizes.places)?,
            totals: allocate(sizes.totals)?,
            entries: allocate(sizes.entries)?,
            buckets: allocate(sizes.buckets)?,
            keys: [allocate(sizes.keys[0])?, allocate(sizes.keys[1])?],
            partial: [allocate(sizes.partial[0])?, allocate(sizes.partial[1])?],
            plain: [allocate(sizes.segments[0])?, allocate(sizes.segments[1])?],
            weighted: [allocate(sizes.segments[0])?, allocate(sizes.segments[1])?],
            modulus: allocate(modulus.len())?,
        };
        queue.write(&scratch.modulus, 0, &modulus)?;
        Ok(scratch)
    }

    /// What tells of the scalars, with the bytes that a run of these sizes writes.
    fn secrets(&self, sizes: &Sizes) -> [(&Buffer, usize); 12] {
        let Self { places, totals, entries, buckets, keys, partial, plain, weighted, modulus: _ } = self;
        [
            (places, sizes.places),
            (totals, sizes.totals),
            (entries, sizes.entries),
            (buckets, sizes.buckets),
            (&keys[0], sizes.keys[0]),
            (&keys[1], sizes.keys[1]),
            (&partial[0], sizes.partial[0]),
            (&partial[1], sizes.partial[1]),
            (&plain[0], sizes.segments[0]),
            (&plain[1], sizes.segments[1]),
            (&weighted[0], sizes.segments[0]),
            (&weighted[1], sizes.segments[1]),
        ]
    }
}

fn lengths<G>(points: &DevicePoints<G>, parts: &[usize]) -> Result<Vec<u32>, DeviceError> {
    let length = |part: &usize| points.parts.get(*part).map(|part| part.range.end - part.range.start);
    let lengths: Option<Vec<u32>> = parts.iter().map(length).collect();
    lengths.ok_or_else(|| DeviceError::Misuse("no such part of the points".to_owned()))
}

/// Starts a kernel on so many work-items at least. Groups are always as large: OpenCL may compile a kernel anew for
/// every size of them.
fn launch(
    queue: &mut dyn Queue,
    kernel: &str,
    items: u32,
    group: u32,
    arguments: &[Argument<'_>],
) -> Result<(), DeviceError> {
    queue.launch(kernel, items.div_ceil(group), group, arguments)
}
