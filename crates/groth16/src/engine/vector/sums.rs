//! The five multi-scalar multiplications of a proof, cut into parts that all threads take from one list: none of them
//! waits for the end of a multiplication, nor, where the circuit is small, for the quotient.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use outrigger_vector::Unit;
use outrigger_vector::msm::{self, Bases, Msm, Part, Stopped};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::super::{Failure, PlainScalar, Summands, Sums, Watch, same_length, tuning};
use super::bases::Query;
use super::{point, rows};
use crate::curve::Curve;
use crate::{Control, ProvingKey, Stage, Timings};

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

/// A multiplication that parts are taken of, and the stage of a proof that it counts to.
type Taken<'a> = (&'a dyn InParts, Stage);

/// Hands out parts, each once: the multiplication and the number of the part.
type Next<'n, 'a> = &'n (dyn Fn() -> Option<(Taken<'a>, usize)> + Sync);

/// Is told of each part that is done, and how long it took.
type Done<'n> = &'n (dyn Fn(Taken<'_>, Duration) + Sync);

/// Runs all parts of these multiplications in the current rayon pool, those of the first first.
pub(super) fn run(sums: &[Taken<'_>], control: &Control, done: Done<'_>) -> Result<(), Failure> {
    let (parts, next) = (in_order(sums), AtomicUsize::new(0));
    let next = || parts.get(next.fetch_add(1, Ordering::Relaxed)).copied();
    take(parts.len(), &next, control, done)
}

/// The parts of these multiplications, one after the other.
fn in_order<'a>(sums: &[Taken<'a>]) -> Vec<(Taken<'a>, usize)> {
    sums.iter().flat_map(|&sum| (0..sum.0.parts()).map(move |part| (sum, part))).collect()
}

/// All threads of the current rayon pool, as many as `most`, take parts until there are none.
fn take(most: usize, next: Next<'_, '_>, control: &Control, done: Done<'_>) -> Result<(), Failure> {
    let threads = rayon::current_num_threads().min(most);
    (0..threads).into_par_iter().with_max_len(1).try_for_each(|_| {
        while let Some((taken, part)) = next() {
            let begin = Instant::now();
            let mut stop = Ok(());
            let mut asked = || {
                stop = control.check();
                if stop.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let ended = taken.0.run(part, &mut asked);
            stop?;
            ended.map_err(|Stopped| Failure::Fault("a sum stopped by itself".into()))?;
            done(taken, begin.elapsed());
        }
        Ok(())
    })
}

/// The sums of a proof from its witness. The rows and the transforms are many short passes that all threads would wait for,
/// so while one of them does these, the others begin with the sums over the witness. It helps where it comes to it, and the
/// sum over the H points goes last. For domains that memory has not to be spared for.
pub(super) fn with_quotient<E: Curve>(
    unit: Unit,
    key: &ProvingKey<E>,
    witness: &[PlainScalar],
    watch: &mut Watch<'_>,
) -> Result<Sums<E>, Failure> {
    // Made with the first proof of a key, and none of its time.
    let (control, bases) = (watch.control, key.bases(unit));
    let begin = Instant::now();
    let private = &witness[1 + key.summary.public_signals..];
    let g1 = |query, scalars| move || sum::<E::G1Lanes>(unit, query, scalars);
    let [make_a, make_b1, make_c] = [g1(&bases.a, witness), g1(&bases.b1, witness), g1(&bases.c, private)];
    let make_b2 = || sum(unit, &bases.b2, witness);
    let h = OnceLock::new();
    let next_of_h = AtomicUsize::new(0);
    let of_h = || {
        let h: &Sum<'_, E::G1Lanes> = h.get()?;
        let part = next_of_h.fetch_add(1, Ordering::Relaxed);
        (part < h.parts()).then_some(((h as &dyn InParts, Stage::MsmG1), part))
    };
    let shares = Shares::new(witness.len(), key.summary.domain, watch);
    let mut of_quotient = Timings::default();
    let (prepared, over_witness) = rayon::join(
        || {
            let mut quiet = Watch { control, timings: &mut of_quotient, told: &|_, _| () };
            let quotient = rows::quotient(unit, key, witness, &mut quiet)?;
            // Nobody else sets it.
            let _ = h.set(sum(unit, &bases.h, &quotient)?);
            shares.quotient_is_there();
            Ok::<_, Failure>(())
        },
        || {
            let ((b2, a), (c, b1)) = rayon::join(|| rayon::join(make_b2, make_a), || rayon::join(make_c, make_b1));
            let (b2, a, c, b1) = (b2?, a?, c?, b1?);
            // The longest parts first, so that threads end together.
            let parts = in_order(&[(&b2, Stage::MsmG2), (&a, Stage::MsmG1), (&c, Stage::MsmG1), (&b1, Stage::MsmG1)]);
            let next = AtomicUsize::new(0);
            let next = || match parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                Some(part) => Some(*part),
                None => of_h(),
            };
            take(usize::MAX, &next, control, &|taken, time| shares.done(taken, time))?;
            Ok::<_, Failure>((a.total()?, b1.total()?, b2.total()?, c.total()?))
        },
    );
    prepared?;
    let (a, b1, b2, c) = over_witness?;
    // What the others have left of it: all, where they were done sooner.
    take(usize::MAX, &of_h, control, &|taken, time| shares.done(taken, time))?;
    let h = h.into_inner().ok_or_else(|| Failure::Fault("a sum that is missing".into()))?.total()?;
    shares.end(begin.elapsed(), &of_quotient, watch);
    Ok(sums::<E>(a, b1, b2, c, h))
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
    let shares = Shares::new(witness.len(), summands.quotient.len(), watch);
    shares.quotient_is_there();
    let control = watch.control;
    let run = |sums: &[Taken<'_>]| run(sums, control, &|taken, time| shares.done(taken, time));
    // Each keeps digits of 40 bytes a scalar; where they are many, parts are so long that one or two multiplications at
    // a time give threads enough to do.
    let totals = if summands.quotient.len() < tuning().large_domain_min {
        let ((b2, h), (a, (c, b1))) =
            rayon::join(|| rayon::join(make_b2, make_h), || rayon::join(make_a, || rayon::join(make_c, make_b1)));
        let (b2, h, a, c, b1) = (b2?, h?, a?, c?, b1?);
        // The longest parts first, so that threads end together.
        run(&[(&b2, Stage::MsmG2), (&h, Stage::MsmG1), (&a, Stage::MsmG1), (&c, Stage::MsmG1), (&b1, Stage::MsmG1)])?;
        (a.total()?, b1.total()?, b2.total()?, c.total()?, h.total()?)
    } else {
        let b2 = make_b2()?;
        run(&[(&b2, Stage::MsmG2)])?;
        let b2 = b2.total()?;
        let (h, a) = both(make_h, make_a)?;
        run(&[(&h, Stage::MsmG1), (&a, Stage::MsmG1)])?;
        let (h, a) = (h.total()?, a.total()?);
        let (c, b1) = both(make_c, make_b1)?;
        run(&[(&c, Stage::MsmG1), (&b1, Stage::MsmG1)])?;
        let totals = (a, b1.total()?, b2, c.total()?, h);
        outrigger_mapping::give_back_freed();
        totals
    };
    shares.end(begin.elapsed(), &Timings::default(), watch);
    let (a, b1, b2, c, h) = totals;
    Ok(sums::<E>(a, b1, b2, c, h))
}

fn sums<E: Curve>(
    a: Total<E::G1Lanes>,
    b1: Total<E::G1Lanes>,
    b2: Total<E::G2Lanes>,
    c: Total<E::G1Lanes>,
    h: Total<E::G1Lanes>,
) -> Sums<E> {
    let in_g1 = |total| Zeroizing::new(point::<E::G1Affine>(total).into());
    let b2 = Zeroizing::new(point::<E::G2Affine>(b2).into());
    Sums { a: in_g1(a), b1: in_g1(b1), b2, c: in_g1(c), h: in_g1(h) }
}

fn both<T: Send>(
    one: impl FnOnce() -> Result<T, Failure> + Send,
    other: impl FnOnce() -> Result<T, Failure> + Send,
) -> Result<(T, T), Failure> {
    let (one, other) = rayon::join(one, other);
    Ok((one?, other?))
}

/// Is told of the stage that goes on and of the share of the work that is done.
type Told<'a> = &'a (dyn Fn(Stage, f64) + Sync);

/// What is told of the sums of a proof: how much is done, and what took how long.
struct Shares<'a> {
    told: Told<'a>,
    /// Scalars of all of them, those in G2 counted as they weigh.
    whole: f64,
    has_quotient: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    done: f64,
    /// Seconds of threads in G1 and G2.
    taken: [f64; 2],
}

/// A multiplication in G2 takes as long as so many in G1.
const IN_G2: f64 = 3.0;

impl<'a> Shares<'a> {
    fn new(wires: usize, domain: usize, watch: &Watch<'a>) -> Self {
        let whole = (3.0 + IN_G2) * wires as f64 + domain as f64;
        Self { told: watch.told, whole, has_quotient: AtomicBool::new(false), state: Mutex::default() }
    }

    /// Until then the stage is that of the transforms.
    fn quotient_is_there(&self) {
        self.has_quotient.store(true, Ordering::Relaxed);
    }

    fn done(&self, (sum, stage): Taken<'_>, time: Duration) {
        let is_g2 = stage == Stage::MsmG2;
        let weight = sum.scalars() as f64 * if is_g2 { IN_G2 } else { 1.0 } / self.whole / sum.parts() as f64;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done += weight;
        state.taken[usize::from(is_g2)] += time.as_secs_f64();
        let stage = if self.has_quotient.load(Ordering::Relaxed) { Stage::MsmG1 } else { Stage::Ntt };
        (self.told)(stage, state.done.min(1.0));
    }

    /// Parts of both groups, and what was done for the quotient meanwhile, run side by side: the time is divided as the
    /// time of threads is.
    fn end(self, time: Duration, of_quotient: &Timings, watch: &mut Watch<'_>) {
        watch.tell(Stage::MsmG2, 1.0);
        let [g1, g2] = self.state.into_inner().unwrap_or_else(PoisonError::into_inner).taken;
        let beside: f64 = of_quotient.iter().map(|(_, taken)| taken.as_secs_f64()).sum();
        let all = (g1 + g2 + beside).max(f64::MIN_POSITIVE);
        let mut left = time;
        let shares = of_quotient.iter().map(|(stage, taken)| (stage, taken.as_secs_f64()));
        for (stage, taken) in shares.chain([(Stage::MsmG2, g2)]) {
            let share = time.mul_f64(taken / all);
            left = left.saturating_sub(share);
            watch.timings.add(stage, share);
        }
        watch.timings.add(Stage::MsmG1, left);
    }
}

fn sum<'a, C: msm::Curve>(unit: Unit, query: &'a Query<C>, scalars: &[PlainScalar]) -> Result<Sum<'a, C>, Failure> {
    same_length(query.scalars(), scalars.len())?;
    match query.picked(scalars) {
        Some(picked) => Sum::new(unit, &query.bases, &picked),
        None => Sum::new(unit, &query.bases, scalars),
    }
}
