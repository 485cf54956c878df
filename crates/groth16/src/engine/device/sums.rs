//! Multi-scalar multiplications in G1 and G2, many of them in the same launches.
//!
//! [`DevicePoints`] are the points of a key on a device, in parts: one for each section. A [`SumPlan`] owns all memory
//! that a batch of sums over some of these parts needs, and runs it as often as there are witnesses.
//! [`sum_in_pieces`] serves points that do not fit into the memory of the device.
//!
//! Signed digits of the scalars are sorted by bucket by counting, the sorted list is cut evenly among the work-items,
//! and the buckets are added up with their weights in segments; the host adds up the windows. See
//! `kernels/msm_digits.cl` and `kernels/proving/sums.inc`.

mod geometry;
mod pieces;
mod plan;
mod points;
#[cfg(test)]
mod tests;
mod windows;

use std::fmt;
use std::str::FromStr;

use ark_ec::AffineRepr;
use ark_ff::PrimeField;
use outrigger_device::{DeviceError, Queue};
use outrigger_kernels::Program;
use outrigger_types::Curve;

pub use pieces::sum_in_pieces;
pub use plan::{SumInput, SumPlan};
pub use points::{DevicePoints, PointSection};

use crate::curve::{RawField, RawPoint};
use crate::engine::operations::Group;

/// Bytes of a plain scalar on the device.
const SCALAR_BYTES: usize = 32;
/// Bytes of a word.
const WORD: usize = 4;

/// A point that sums are made of.
pub trait SumPoint: RawPoint<BaseField: RawField> {}

impl<G: RawPoint<BaseField: RawField>> SumPoint for G {}

/// The kernels of a group: names of the program and of what it declares.
#[derive(Debug, PartialEq, Eq)]
pub struct SumKernels {
    program: &'static str,
    accumulate: &'static str,
    join: &'static str,
    weigh_buckets: &'static str,
    weigh_segments: &'static str,
    copy: &'static str,
    /// Bytes of an affine point.
    point_bytes: usize,
    /// Bits of r.
    scalar_bits: u32,
}

/// The program of the steps that no group is needed for.
const DIGITS: &str = "msm_digits";

macro_rules! kernels {
    ($program:literal, $point_bytes:literal, $scalar_bits:literal) => {
        SumKernels {
            program: $program,
            accumulate: concat!($program, "_accumulate"),
            join: concat!($program, "_join"),
            weigh_buckets: concat!($program, "_weigh_buckets"),
            weigh_segments: concat!($program, "_weigh_segments"),
            copy: concat!($program, "_copy"),
            point_bytes: $point_bytes,
            scalar_bits: $scalar_bits,
        }
    };
}

static KERNELS: [SumKernels; 4] = [
    kernels!("msm_g1_bn254", 64, 254),
    kernels!("msm_g2_bn254", 128, 254),
    kernels!("msm_g1_bls12_381", 96, 255),
    kernels!("msm_g2_bls12_381", 192, 255),
];

impl SumKernels {
    /// Those of a group.
    pub fn of(curve: Curve, group: Group) -> &'static Self {
        match (curve, group) {
            (Curve::Bn254, Group::G1) => &KERNELS[0],
            (Curve::Bn254, Group::G2) => &KERNELS[1],
            (Curve::Bls12_381, Group::G1) => &KERNELS[2],
            (Curve::Bls12_381, Group::G2) => &KERNELS[3],
        }
    }

    /// Makes them known to the device.
    ///
    /// # Errors
    /// What the device reports, such as a compiler that refuses them.
    pub fn load(&self, queue: &mut dyn Queue) -> Result<(), DeviceError> {
        for name in [DIGITS, self.program] {
            let program = Program::find(name).ok_or_else(|| DeviceError::Misuse(format!("no program {name}")))?;
            queue.load(program)?;
        }
        Ok(())
    }

    /// # Errors
    /// The points are of another group.
    fn check<G: SumPoint>(&self) -> Result<(), DeviceError> {
        let is_theirs = 2 * G::BaseField::BYTES == self.point_bytes && scalar_bits::<G>() == self.scalar_bits;
        if is_theirs { Ok(()) } else { Err(DeviceError::Misuse(format!("{}: points of another group", self.program))) }
    }
}

/// Bits of r.
const fn scalar_bits<G: AffineRepr>() -> u32 {
    G::ScalarField::MODULUS_BIT_SIZE
}

/// How sums are cut: values of a hardware profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumTuning {
    /// Bits of a window, 4 to 24. `None`: such that points times windows and buckets cost least together.
    pub window_bits: Option<u32>,
    /// Work-items of a group at most.
    pub group_size: u32,
    /// Entries that a work-item adds up, where all scalars are long; with shorter ones all have as many less.
    pub entries_per_item: u32,
    /// Entries that a work-item adds up at least, however few there are.
    pub entries_per_item_min: u32,
    /// Partial sums that a work-item joins.
    pub join_run: u32,
    /// A work-item weighs 2^so many buckets, or segments.
    pub segment_bits: u32,
    /// Copies of each point at most, itself included, multiplied by powers of two: so many windows share buckets, of
    /// which there are fewer, and larger ones pay.
    pub copies_max: u32,
}

impl fmt::Display for SumTuning {
    /// What a worker is told: `BITS,ENTRIES,COPIES`, with 0 bits for windows that are computed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.window_bits.unwrap_or(0), self.entries_per_item, self.copies_max)
    }
}

impl FromStr for SumTuning {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<u32>, _> = text.split(',').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[bits @ (0 | 4..=24), entries, copies]) if entries > 0 && copies > 0 => Ok(Self {
                window_bits: Some(bits).filter(|bits| *bits > 0),
                entries_per_item: entries,
                copies_max: copies,
                ..Self::default()
            }),
            _ => Err(format!("{text:?} is not BITS,ENTRIES,COPIES, such as 0,64,1")),
        }
    }
}

impl Default for SumTuning {
    fn default() -> Self {
        // Reasoned, not measured: 64 entries keep partial sums, of which there are two a work-item, at 3 % of the work.
        // Eight at a step of joining and weighing make chains of some 16 to 24 additions that wait for each other.
        Self {
            window_bits: None,
            group_size: 128,
            entries_per_item: 64,
            entries_per_item_min: 8,
            join_run: 8,
            segment_bits: 3,
            copies_max: 1,
        }
    }
}
