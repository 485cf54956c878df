//! The five multi-scalar multiplications of a proof, cut into parts that all threads take from one list: none of them
//! waits for the end of a multiplication.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use outrigger_vector::Unit;
use outrigger_vector::msm::{self, Bases, Msm, Part, Stopped};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::super::{Failure, PlainScalar, Summands, Sums, Watch, same_length};
use super::bases::Query;
use super::point;
use crate::curve::Curve;
use crate::{Control, Stage};

/// A multiplication that threads take parts of.
pub(super) struct Sum<'a, C: msm::Curve> {
    msm: Msm<'a, C>,
    found: Mutex<Vec<Part<C>>>,
    left: AtomicUsize,
    total: Mutex<Option<Total<C>>>,
}

/// x and y, or nothing where it is infinity.
type Total<C> = Option<[<C as msm::Curve>::Number; 2]>;

impl<'a, C: msm::Curve> Sum<'a, C> {
    pub(super) fn new(unit: Unit, bases: &'a Bases<C>, scalars: &[PlainScalar]) -> Result<Self, Failure> {
        let msm = Msm::new(unit, bases, scalars, rayon::current_num_threads())
            .ok_or_else(|| Failure::Fault("a scalar is not below the order of the group".into()))?;
        let left = AtomicUsize::new(msm.parts());
        Ok(Self { msm, found: Mutex::default(), left, total: Mutex::default() })
    }

    /// The sum, once all parts are done.
    pub(super) fn total(self) -> Result<Total<C>, Failure> {
        let total = self.total.into_inner().unwrap_or_else(PoisonError::into_inner);
        total.ok_or_else(|| Failure::Fault("parts of a sum are missing".into()))
    }
}

/// A multiplication in whichever group.
pub(super) trait InParts: Sync {
    fn parts(&self) -> usize;

    /// Sums a part, and after the last of them puts all together.
    fn run(&self, part: usize, asked: msm::Check<'_>) -> Result<(), Stopped>;
}

impl<C: msm::Curve> InParts for Sum<'_, C> {
    fn parts(&self) -> usize {
        self.msm.parts()
    }

    fn run(&self, part: usize, asked: msm::Check<'_>) -> Result<(), Stopped> {
        let part = self.msm.sum_part(part, asked)?;
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.push(part);
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let total = self.msm.finish(&found);
            *self.total.lock().unwrap_or_else(PoisonError::into_inner) = Some(total);
        }
        Ok(())
    }
}

/// Runs all parts of these multiplications in the current rayon pool, those of the first first. `done` is told of each
/// part: the number of its multiplication, and how long it took.
pub(super) fn run(
    sums: &[&dyn InParts],
    control: &Control,
    done: &(dyn Fn(usize, std::time::Duration) + Sync),
) -> Result<(), Failure> {
    let parts: Vec<(usize, usize)> =
        sums.iter().enumerate().flat_map(|(number, sum)| (0..sum.parts()).map(move |part| (number, part))).collect();
    let next = AtomicUsize::new(0);
    let threads = rayon::current_num_threads().min(parts.len());
    (0..threads).into_par_iter().with_max_len(1).try_for_each(|_| {
        while let Some(&(number, part)) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let begin = Instant::now();
            let mut stop = Ok(());
            let mut asked = || {
                stop = control.check();
                if stop.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let ended = sums[number].run(part, &mut asked);
            stop?;
            ended.map_err(|Stopped| Failure::Fault("a sum stopped by itself".into()))?;
            done(number, begin.elapsed());
        }
        Ok(())
    })
}

/// The sums of a proof; see [`super::super::Arithmetic::sums`].
pub(super) fn of_proof<E: Curve>(
    unit: Unit,
    summands: &Summands<'_, E>,
    watch: &mut Watch<'_>,
) -> Result<Sums<E>, Failure> {
    let begin = Instant::now();
    let (control, witness, private) = (watch.control, summands.witness, summands.private());
    let bases = summands.key.bases(unit);
    let ((b2, a), (b1, (c, h))) = rayon::join(
        || rayon::join(|| sum(unit, &bases.b2, witness), || sum(unit, &bases.a, witness)),
        || {
            let rest = || rayon::join(|| sum(unit, &bases.c, private), || sum(unit, &bases.h, summands.quotient));
            rayon::join(|| sum(unit, &bases.b1, witness), rest)
        },
    );
    let (b2, a, b1, c, h) = (b2?, a?, b1?, c?, h?);
    // The longest parts first, so that threads end together.
    let sums: [&dyn InParts; 5] = [&b2, &h, &a, &c, &b1];
    let parts: usize = sums.iter().map(|sum| sum.parts()).sum();
    let (ended, taken) = (AtomicUsize::new(0), [AtomicU64::new(0), AtomicU64::new(0)]);
    let shown = Mutex::new(watch);
    run(&sums, control, &|number, time| {
        taken[usize::from(number == 0)].fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
        let share = (ended.fetch_add(1, Ordering::Relaxed) + 1) as f64 / parts as f64;
        shown.lock().unwrap_or_else(PoisonError::into_inner).tell(Stage::MsmG1, share);
    })?;
    let watch = shown.into_inner().unwrap_or_else(PoisonError::into_inner);
    watch.tell(Stage::MsmG2, 1.0);
    // Parts of both groups run side by side: the time is divided as their work is.
    let [g1, g2] = taken.map(|taken| taken.into_inner() as f64);
    let time = begin.elapsed();
    let of_g2 = time.mul_f64(g2 / (g1 + g2).max(1.0));
    watch.timings.add(Stage::MsmG2, of_g2);
    watch.timings.add(Stage::MsmG1, time.saturating_sub(of_g2));
    let g1 = |sum: Sum<'_, E::G1Lanes>| Ok::<_, Failure>(Zeroizing::new(point::<E::G1Affine>(sum.total()?).into()));
    let b2 = Zeroizing::new(point::<E::G2Affine>(b2.total()?).into());
    Ok(Sums { a: g1(a)?, b1: g1(b1)?, b2, c: g1(c)?, h: g1(h)? })
}

fn sum<'a, C: msm::Curve>(unit: Unit, query: &'a Query<C>, scalars: &[PlainScalar]) -> Result<Sum<'a, C>, Failure> {
    same_length(query.scalars(), scalars.len())?;
    match query.picked(scalars) {
        Some(picked) => Sum::new(unit, &query.bases, &picked),
        None => Sum::new(unit, &query.bases, scalars),
    }
}
