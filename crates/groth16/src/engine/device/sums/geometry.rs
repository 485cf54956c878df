//! How a batch of sums is cut, from nothing but lengths: pure arithmetic.

use outrigger_device::{DeviceError, OFFSET_ALIGNMENT};

use super::super::memory::WIPE_BYTES;
use super::{SumKernels, SumTuning, WORD};

/// Bits of a window at least and at most. With four there are 64 windows, which is WINDOWS_MAX of the kernels.
const BITS: std::ops::RangeInclusive<u32> = 4..=24;
/// Products of the field of coordinates for an entry: a mixed addition.
const ENTRY_COST: u64 = 10;
/// Products for a bucket: two additions.
const BUCKET_COST: u64 = 28;
/// Words that a work-item scans at a time: SCAN_WORDS of the kernels.
const SCAN_WORDS: u32 = 16;
/// Groups that scan at most: their totals are scanned by one.
const SCAN_GROUPS_MAX: u32 = 1024;
/// The words of r; behind them, where a kernel's argument may begin, a word that is 0.
pub(super) const MODULUS_BYTES: usize = ZERO_OFFSET + WORD;
pub(super) const ZERO_OFFSET: usize = OFFSET_ALIGNMENT;
/// Points in extended coordinates are twice as long as affine ones.
const EXTENDED: usize = 2;

/// Multiples of points that are kept: copy j is the point times 2^(bits·rows·j).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Copies {
    /// Bits of a window.
    pub(super) bits: u32,
    /// Windows with buckets of their own.
    pub(super) rows: u32,
    /// How many copies there are, the points themselves among them.
    pub(super) count: u32,
}

/// A step of joining partial sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Join {
    /// Partial sums, some of which are not there.
    pub(super) count: u32,
    pub(super) items: u32,
}

/// A step of weighing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weigh {
    pub(super) items: u32,
    /// Buckets or segments of a work-item.
    pub(super) segment: u32,
    /// 2^this is what a segment of the step before weighs.
    pub(super) doublings: u32,
}

/// How a batch of sums is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) sums: u32,
    pub(super) bits: u32,
    pub(super) windows: u32,
    /// Windows with buckets of their own, of each sum.
    pub(super) rows: u32,
    pub(super) group: u32,
    /// Buckets of all sums.
    pub(super) buckets: u32,
    /// Entries where no digit is 0.
    pub(super) entries_max: u32,
    /// Work-items that accumulate.
    pub(super) items: u32,
    pub(super) least: u32,
    pub(super) run: u32,
    pub(super) joins: Vec<Join>,
    pub(super) weighs: Vec<Weigh>,
    /// Words of a group's scan, a multiple of what it takes at a time, and how many groups scan.
    pub(super) scan_run: u32,
    pub(super) scan_groups: u32,
    point_bytes: usize,
}

impl Geometry {
    /// That of sums of so many points each.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where numbers of 32 bits do not count the entries or the buckets.
    pub(super) fn new(
        kernels: &SumKernels,
        lengths: &[u32],
        copies: Option<Copies>,
        tuning: &SumTuning,
        group_size_max: u32,
    ) -> Result<Self, DeviceError> {
        let too_many = || DeviceError::Misuse("more entries or buckets than a batch of sums can have".to_owned());
        let points = lengths.iter().map(|length| u64::from(*length)).sum();
        let sums = u32::try_from(lengths.len()).map_err(|_| too_many())?;
        let bits = copies.map_or_else(|| window_bits(kernels, points, sums, tuning), |copies| copies.bits);
        let windows = kernels.scalar_bits.div_ceil(bits);
        let rows = copies.map_or(windows, |copies| copies.rows);
        let below = |count: u64| u32::try_from(count).ok().filter(|count| *count < 1 << 31).ok_or_else(too_many);
        // No buffer is empty, since some devices have no such buffers.
        let buckets = below((u64::from(sums) * u64::from(rows)) << (bits - 1))?.max(1);
        let entries_max = below(points.saturating_mul(windows.into()))?;
        let group = tuning.group_size.clamp(1, group_size_max.max(1));
        let entries_per_item = tuning.entries_per_item.max(1);
        let items = entries_max.div_ceil(entries_per_item).max(1);
        let run = tuning.join_run.max(4);
        let tile = SCAN_WORDS * group;
        let scan_run = buckets.div_ceil(SCAN_GROUPS_MAX).max(1).next_multiple_of(tile);
        Ok(Self {
            sums,
            bits,
            windows,
            rows,
            group,
            buckets,
            entries_max,
            items,
            least: tuning.entries_per_item_min.clamp(1, entries_per_item),
            run,
            joins: joins(items, run),
            weighs: weighs(sums * rows, bits - 1, tuning.segment_bits.max(1)),
            scan_run,
            scan_groups: buckets.div_ceil(scan_run),
            point_bytes: kernels.point_bytes,
        })
    }

    /// Bytes of so many points in extended coordinates.
    pub(super) fn extended(&self, points: u32) -> usize {
        points as usize * EXTENDED * self.point_bytes
    }

    /// Sums of windows.
    pub(super) fn window_sums(&self) -> u32 {
        self.sums * self.rows
    }

    /// Bytes of the buffers.
    pub(super) fn scratch(&self) -> Sizes {
        // What goes to and fro becomes less with each step: of two places the one holds what the first step gives, the
        // other what the second one does.
        let joined = self.joins.first().map_or(1, |join| 2 * join.items);
        let segments = [0, 1].map(|step| self.weighs.get(step).map_or(1, |weigh| weigh.items.max(1)));
        let partial = [2 * self.items, joined];
        let words = |count: u32| (count.max(1) as usize * WORD).next_multiple_of(WIPE_BYTES);
        Sizes {
            places: words(self.buckets),
            // More groups may scan where a batch has fewer buckets.
            totals: words(SCAN_GROUPS_MAX),
            entries: words(self.entries_max),
            buckets: self.extended(self.buckets),
            keys: partial.map(words),
            partial: partial.map(|count| self.extended(count)),
            segments: segments.map(|count| self.extended(count)),
        }
    }

    /// Bytes of all buffers.
    pub(super) fn bytes(&self) -> u64 {
        let Sizes { places, totals, entries, buckets, keys, partial, segments } = self.scratch();
        let pairs = [keys, partial, segments, segments].into_iter().flatten();
        let all = [places, totals, entries, buckets, MODULUS_BYTES].into_iter().chain(pairs);
        all.map(|bytes| bytes as u64).sum()
    }
}

/// Bytes of the buffers of a batch. A part of the batch needs no more of any.
pub(super) struct Sizes {
    pub(super) places: usize,
    pub(super) totals: usize,
    pub(super) entries: usize,
    pub(super) buckets: usize,
    pub(super) keys: [usize; 2],
    pub(super) partial: [usize; 2],
    /// Of plain sums, and of weighted ones as many.
    pub(super) segments: [usize; 2],
}

/// Copies of points, of which the longest part has `length`, such that entries and buckets cost least together; `None`
/// where there are to be none.
pub(super) fn copies(kernels: &SumKernels, length: u32, tuning: &SumTuning) -> Option<Copies> {
    if tuning.copies_max <= 1 {
        return None;
    }
    let with = |bits: u32| {
        let windows = kernels.scalar_bits.div_ceil(bits);
        let rows = windows.div_ceil(tuning.copies_max);
        Copies { bits, rows, count: windows.div_ceil(rows) }
    };
    let cost = |bits: &u32| {
        let windows = u64::from(kernels.scalar_bits.div_ceil(*bits));
        windows * u64::from(length) * ENTRY_COST + (u64::from(with(*bits).rows) << (bits - 1)) * BUCKET_COST
    };
    let bits = tuning.window_bits.or_else(|| BITS.min_by_key(cost))?;
    Some(with(bits.clamp(*BITS.start(), *BITS.end()))).filter(|copies| copies.count > 1)
}

/// Such that entries and buckets cost least together: windows × (points × 10 + sums × 2^(bits − 1) × 28).
fn window_bits(kernels: &SumKernels, points: u64, sums: u32, tuning: &SumTuning) -> u32 {
    let cost = |bits: &u32| {
        let windows = u64::from(kernels.scalar_bits.div_ceil(*bits));
        windows * (points * ENTRY_COST + (u64::from(sums) << (bits - 1)) * BUCKET_COST)
    };
    let chosen = tuning.window_bits.or_else(|| BITS.min_by_key(cost));
    chosen.unwrap_or(*BITS.start()).clamp(*BITS.start(), *BITS.end())
}

/// Steps until one work-item is left: each leaves two partial sums of every `run`.
fn joins(items: u32, run: u32) -> Vec<Join> {
    let mut joins = Vec::new();
    let mut count = 2 * items;
    loop {
        let items = count.div_ceil(run);
        joins.push(Join { count, items });
        if items == 1 {
            return joins;
        }
        count = 2 * items;
    }
}

/// Steps until each of the windows, of 2^bits buckets, is one segment.
fn weighs(windows: u32, bits: u32, segment_bits: u32) -> Vec<Weigh> {
    let mut weighs = Vec::new();
    let mut done = 0;
    while done < bits {
        let step = segment_bits.min(bits - done);
        let items = windows << (bits - done - step);
        weighs.push(Weigh { items, segment: 1 << step, doublings: done });
        done += step;
    }
    weighs
}
