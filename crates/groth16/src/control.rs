//! How a proof is watched and stopped from outside.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// The stages of a proof, in the order in which they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// The witness is made from inputs.
    Witness,
    /// The witness is held against the R1CS.
    Check,
    /// The rows of A and B are multiplied with the witness.
    SparseProduct,
    /// From evaluations on the domain to the quotient on its coset.
    Ntt,
    /// The four multi-scalar multiplications in G1.
    MsmG1,
    /// The multi-scalar multiplication in G2.
    MsmG2,
    /// The finished proof is verified.
    Verify,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 7] =
        [Self::Witness, Self::Check, Self::SparseProduct, Self::Ntt, Self::MsmG1, Self::MsmG2, Self::Verify];

    /// The name: a metrics label, and what callers see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Witness => "witness",
            Self::Check => "check",
            Self::SparseProduct => "sparse_product",
            Self::Ntt => "ntt",
            Self::MsmG1 => "msm_g1",
            Self::MsmG2 => "msm_g2",
            Self::Verify => "verify",
        }
    }
}

/// How far a proof is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The stage that begins, or goes on.
    pub stage: Stage,
    /// Of the whole proof, 0 to 100. Never falls within one try.
    pub percent: u8,
}

/// Why work ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It was given up.
    Cancelled,
    /// Its deadline passed.
    Expired,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancelled => "cancelled",
            Self::Expired => "the deadline passed",
        })
    }
}

impl std::error::Error for Stop {}

type Report = Arc<dyn Fn(Progress) + Send + Sync>;

/// A hand on running work: cancels it, ends it at a deadline, hears how far it is. Clones share the hand.
#[derive(Clone, Default)]
pub struct Control {
    cancelled: Arc<AtomicBool>,
    deadline: Option<Instant>,
    report: Option<Report>,
}

impl Control {
    /// When the work ends, where there is such a time.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Ends the work at `deadline` where there is one.
    pub fn with_deadline(mut self, deadline: Option<Instant>) -> Self {
        self.deadline = deadline;
        self
    }

    /// Tells `report` of each step, on the thread that does the work. It must not block.
    pub fn with_report(mut self, report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.report = Some(Arc::new(report));
        self
    }

    /// Gives the work up: its next look at [`Control::check`] fails.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether to go on. Cheap; engines look every few milliseconds of work.
    ///
    /// # Errors
    /// [`Stop`] where the work is to end.
    pub fn check(&self) -> Result<(), Stop> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Stop::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Stop::Expired),
            _ => Ok(()),
        }
    }

    /// Says how far the work is.
    pub fn tell(&self, stage: Stage, percent: u8) {
        if let Some(report) = &self.report {
            report(Progress { stage, percent });
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("cancelled", &self.cancelled).field("deadline", &self.deadline).finish()
    }
}
