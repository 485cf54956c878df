//! The five multi-scalar multiplications of a proof, cut into parts that all threads take from one list: none of them
//! waits for the end of a multiplication.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use outrigger_vector::Unit;
use outrigger_vector::msm::{self, Bases, Msm, Part, Stopped};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::super::{Failure, PlainScalar, Summands, Sums, Watch, same_length, tuning};
use super::bases::Query;
use super::point;
use crate::curve::Curve;
use crate::{Control, Stage};

/// A multiplication that threads take parts of.
pub(super) struct Sum<'a, C: msm::Curve> {
    msm: Msm<'a, C>,
    scalars: usize,
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
        Ok(Self { msm, scalars: scalars.len(), found: Mutex::default(), left, total: Mutex::default() })
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

    /// How many scalars it has.
    fn scalars(&self) -> usize;

    /// Sums a part, and after the last of them puts all together.
    fn run(&self, part: usize, asked: msm::Check<'_>) -> Result<(), Stopped>;
}

impl<C: msm::Curve> InParts for Sum<'_, C> {
    fn parts(&self) -> usize {
        self.msm.parts()
    }

    fn scalars(&self) -> usize {
        self.scalars
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
    done: &(dyn Fn(usize, Duration) + Sync),
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
    let (witness, private) = (summands.witness, summands.private());
    let bases = summands.key.bases(unit);
    let g1 = |query, scalars| move || sum::<E::G1Lanes>(unit, query, scalars);
    let [make_a, make_b1, make_c, make_h] =
        [g1(&bases.a, witness), g1(&bases.b1, witness), g1(&bases.c, private), g1(&bases.h, summands.quotient)];
    let make_b2 = || sum(unit, &bases.b2, witness);
    let mut shares = Shares::new(summands, watch);
    // Each keeps digits of 40 bytes a scalar; where they are many, parts are so long that one or two multiplications at
    // a time give threads enough to do.
    let totals = if summands.quotient.len() < tuning().large_domain_min {
        let ((b2, h), (a, (c, b1))) =
            rayon::join(|| rayon::join(make_b2, make_h), || rayon::join(make_a, || rayon::join(make_c, make_b1)));
        let (b2, h, a, c, b1) = (b2?, h?, a?, c?, b1?);
        // The longest parts first, so that threads end together.
        shares.run(&[
            (&b2, Stage::MsmG2),
            (&h, Stage::MsmG1),
            (&a, Stage::MsmG1),
            (&c, Stage::MsmG1),
            (&b1, Stage::MsmG1),
        ])?;
        (a.total()?, b1.total()?, b2.total()?, c.total()?, h.total()?)
    } else {
        let b2 = make_b2()?;
        shares.run(&[(&b2, Stage::MsmG2)])?;
        let b2 = b2.total()?;
        let (h, a) = both(make_h, make_a)?;
        shares.run(&[(&h, Stage::MsmG1), (&a, Stage::MsmG1)])?;
        let (h, a) = (h.total()?, a.total()?);
        let (c, b1) = both(make_c, make_b1)?;
        shares.run(&[(&c, Stage::MsmG1), (&b1, Stage::MsmG1)])?;
        let totals = (a, b1.total()?, b2, c.total()?, h);
        outrigger_mapping::give_back_freed();
        totals
    };
    shares.end(begin.elapsed());
    let (a, b1, b2, c, h) = totals;
    let in_g1 = |total| Zeroizing::new(point::<E::G1Affine>(total).into());
    Ok(Sums {
        a: in_g1(a),
        b1: in_g1(b1),
        b2: Zeroizing::new(point::<E::G2Affine>(b2).into()),
        c: in_g1(c),
        h: in_g1(h),
    })
}

fn both<T: Send>(
    one: impl FnOnce() -> Result<T, Failure> + Send,
    other: impl FnOnce() -> Result<T, Failure> + Send,
) -> Result<(T, T), Failure> {
    let (one, other) = rayon::join(one, other);
    Ok((one?, other?))
}

/// What is told of the sums of a proof: how much is done, and what took how long.
struct Shares<'w, 'a> {
    watch: &'w mut Watch<'a>,
    /// Scalars of all of them, those in G2 counted as they weigh.
    whole: f64,
    done: f64,
    /// Time of threads in G1 and G2.
    taken: [f64; 2],
}

/// A multiplication in G2 takes as long as so many in G1.
const IN_G2: f64 = 3.0;

impl<'w, 'a> Shares<'w, 'a> {
    fn new<E: Curve>(summands: &Summands<'_, E>, watch: &'w mut Watch<'a>) -> Self {
        let whole = (3.0 + IN_G2) * summands.witness.len() as f64 + summands.quotient.len() as f64;
        Self { watch, whole, done: 0.0, taken: [0.0; 2] }
    }

    fn run(&mut self, sums: &[(&dyn InParts, Stage)]) -> Result<(), Failure> {
        let weights: Vec<f64> = sums
            .iter()
            .map(|(sum, stage)| {
                let of_sum = sum.scalars() as f64 * if *stage == Stage::MsmG2 { IN_G2 } else { 1.0 };
                of_sum / self.whole / sum.parts() as f64
            })
            .collect();
        let (control, told) = (self.watch.control, self.watch.told);
        let state = Mutex::new((&mut self.done, &mut self.taken));
        let only: Vec<&dyn InParts> = sums.iter().map(|(sum, _)| *sum).collect();
        run(&only, control, &|number, time| {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            *state.0 += weights[number];
            state.1[usize::from(sums[number].1 == Stage::MsmG2)] += time.as_secs_f64();
            told(Stage::MsmG1, state.0.min(1.0));
        })
    }

    /// Parts of both groups run side by side: the time is divided as their work is.
    fn end(self, time: Duration) {
        self.watch.tell(Stage::MsmG2, 1.0);
        let [g1, g2] = self.taken;
        let of_g2 = time.mul_f64(g2 / (g1 + g2).max(f64::MIN_POSITIVE));
        self.watch.timings.add(Stage::MsmG2, of_g2);
        self.watch.timings.add(Stage::MsmG1, time.saturating_sub(of_g2));
    }
}

fn sum<'a, C: msm::Curve>(unit: Unit, query: &'a Query<C>, scalars: &[PlainScalar]) -> Result<Sum<'a, C>, Failure> {
    same_length(query.scalars(), scalars.len())?;
    match query.picked(scalars) {
        Some(picked) => Sum::new(unit, &query.bases, &picked),
        None => Sum::new(unit, &query.bases, scalars),
    }
}
