//! Which engine proves: the one that is expected to be done first, by what was measured here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use outrigger_groth16::engine::{EngineChoice, ProofEngine, work_of_proof};
use outrigger_groth16::setup::{insecure_setup, synthetic};
use outrigger_groth16::{Control, KeySummary, ReadyKey, Stage, Timings, Witness};
use outrigger_types::{Backend, Curve, Rejection};

use crate::metrics;

/// The weight of the last proof: as in the estimate of a circuit's time.
const WEIGHT: f64 = 0.3;

/// Proofs that the engines of cores are measured with as the service starts: of 2^4 and 2^9 constraints, some tens of
/// milliseconds together on plain cores.
const MEASURED: [u32; 2] = [4, 9];

/// How often each is made at most. The least time counts: it is the one that nothing else on the machine got in the way of,
/// and an engine that seems much slower here is not asked again to show that it is not ([`TRIED_UP_TO`]).
const REPEATS: usize = 4;

/// A device has a price for each proof, and a low one for what it is made of: it takes a larger one to see the second.
const MEASURED_ON_DEVICES: [u32; 3] = [4, 9, 12];

/// A proof that takes longer is made once: noise is little of it.
const REPEATED_BELOW: Duration = Duration::from_millis(250);

/// A device that takes more than so many times what the best engine takes is not measured with larger proofs. One of those
/// could keep it busy until its watchdog holds it for hung, and it would not be chosen for them anyway.
const HOPELESS: f64 = 64.0;

/// An engine of the cores that has made no proof of a class is tried with one where it is expected to take at most so many
/// times what the best does: what is expected of it comes from small proofs, made while the machine did who knows what. As a
/// sidecar starts, for one, its lanes are tried on all cores, which leaves a tenth of them to the threads of proofs.
const TRIED_UP_TO: f64 = 16.0;

/// So is a device. What a large proof takes there may be far more than what small ones let expect.
const DEVICES_TRIED_UP_TO: f64 = 4.0;

/// One that has made such a proof is tried again where that took at most so many times what the best takes: it may have been
/// made at a bad time as well.
const TRIED_AGAIN_UP_TO: f64 = 4.0;

/// After this pause, after twice that, and so on up to the longest.
const TRIED_AGAIN: Duration = Duration::from_secs(5);
const TRIED_AGAIN_LONGEST: Duration = Duration::from_secs(320);

/// The weight of a proof by which an engine is tried again: what was seen before is old.
const WEIGHT_AGAIN: f64 = 0.7;

/// When an engine that could not be measured is tried again.
const MEASURED_AGAIN: Duration = Duration::from_secs(60);

/// The engines of this machine, with their costs.
pub(crate) struct Engines {
    /// The first is taken where nothing is known.
    candidates: Vec<Candidate>,
}

/// An engine, and what it costs.
struct Candidate {
    backend: Backend,
    engine: Arc<dyn ProofEngine>,
    /// From when on it is to be measured; `None` where it was.
    measure_from: Mutex<Option<Instant>>,
    costs: Mutex<Costs>,
}

/// Of proofs on each curve: by the binary logarithm of their work, halved, what the last of them came to.
type Costs = BTreeMap<(Curve, u32), Seen>;

/// Proofs of about as much work.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// The work of a proof, in the mean of the last.
    work: f64,
    /// Seconds for a unit of it.
    cost: f64,
    /// When this is old, and from the last proof on how long that takes.
    old_from: Instant,
    pause: Duration,
}

impl Engines {
    /// There is at least one, and the first is always ready.
    pub(crate) fn new(candidates: Vec<(Backend, Arc<dyn ProofEngine>)>) -> Self {
        debug_assert!(!candidates.is_empty(), "there is always engine cpu");
        let candidate = |(backend, engine)| Candidate {
            backend,
            engine,
            measure_from: Mutex::new(Some(Instant::now())),
            costs: Mutex::default(),
        };
        Self { candidates: candidates.into_iter().map(candidate).collect() }
    }

    /// The engines that this machine has: those of its cores, and of these devices.
    pub(crate) fn of_machine(vector: bool, devices: Vec<(Backend, Arc<dyn ProofEngine>)>) -> Self {
        let mut candidates: Vec<(Backend, Arc<dyn ProofEngine>)> = Vec::new();
        if vector && EngineChoice::fastest() == EngineChoice::Vector {
            candidates.push((Backend::Vector, Arc::new(EngineChoice::Vector)));
        }
        candidates.push((Backend::Cpu, Arc::new(EngineChoice::Cpu)));
        candidates.extend(devices);
        Self::new(candidates)
    }

    /// The engine of a backend: of several devices the first that is ready.
    pub(crate) fn on(&self, backend: Backend) -> Result<usize, Rejection> {
        let of_backend = |candidate: &Candidate| candidate.backend == backend;
        if !self.candidates.iter().any(of_backend) {
            let mut names: Vec<_> = self.candidates.iter().map(|candidate| candidate.backend.name()).collect();
            names.dedup();
            let why = format!("proofs run on {} here, not on {backend}", names.join(" and "));
            return Err(Rejection::BackendUnavailable(why));
        }
        self.candidates.iter().position(|one| of_backend(one) && one.engine.is_ready()).ok_or_else(|| {
            Rejection::BackendUnavailable(format!(
                "no device of backend {backend} is ready to prove: `outrigger devices` and the log say why"
            ))
        })
    }

    /// The engine that proves where none was measured.
    pub(crate) fn preferred(&self) -> usize {
        0
    }

    /// An engine by its number.
    pub(crate) fn engine(&self, number: usize) -> &Arc<dyn ProofEngine> {
        &self.candidates[number].engine
    }

    /// Whether there are engines that are ready and were not measured.
    pub(crate) fn are_new(&self) -> bool {
        self.candidates.len() > 1 && self.candidates.iter().any(Candidate::is_new)
    }

    /// Measures each engine that is ready and was not with small proofs, in the current rayon pool, where there is a
    /// choice.
    pub(crate) fn measure(&self) -> Result<(), String> {
        if self.candidates.len() < 2 {
            return Ok(());
        }
        for (number, candidate) in self.candidates.iter().enumerate().filter(|(_, candidate)| candidate.is_new()) {
            // A device may just be started again: later it can be measured.
            candidate.set_measure_from(Some(Instant::now() + MEASURED_AGAIN));
            let sizes: &[u32] = if candidate.is_device() { &MEASURED_ON_DEVICES } else { &MEASURED };
            for log2_size in sizes {
                let work = candidate.measure(*log2_size)?;
                if self.is_hopeless(number, Curve::Bn254, work) {
                    break;
                }
            }
            candidate.set_measure_from(None);
        }
        Ok(())
    }

    /// Whether a device takes far more for this much work than another engine.
    fn is_hopeless(&self, number: usize, curve: Curve, work: u64) -> bool {
        let candidate = &self.candidates[number];
        let known = self.expected(curve, work);
        let (Some(own), Some((_, best))) = (candidate.expected(curve, work), least(known.iter())) else { return false };
        candidate.is_device() && own > HOPELESS * best
    }

    /// The engine for a proof.
    pub(crate) fn choose(&self, key: &KeySummary, witness: &Witness) -> usize {
        let work = work_of_proof(key, witness);
        let known = self.expected(key.curve, work);
        let Some((best, expected)) = least(known.iter()) else { return 0 };
        let is_worth_it =
            |(number, time): &&(usize, f64)| *time <= self.candidates[*number].tried_up_to(key.curve, work) * expected;
        least(known.iter().filter(is_worth_it)).map_or(best, |(number, _)| number)
    }

    /// The engine for proofs that are made together: of these nothing is learnt, so none is tried with them.
    pub(crate) fn choose_for_many(&self, key: &KeySummary, witness: &Witness) -> usize {
        let known = self.expected(key.curve, work_of_proof(key, witness));
        least(known.iter()).map_or(0, |(number, _)| number)
    }

    /// The engines that are ready, each with the seconds that this much work is expected to take.
    fn expected(&self, curve: Curve, work: u64) -> Vec<(usize, f64)> {
        let ready = self.candidates.iter().enumerate().filter(|(_, candidate)| candidate.engine.is_ready());
        ready.filter_map(|(number, candidate)| Some((number, candidate.expected(curve, work)?))).collect()
    }

    /// A proof was made by this engine in this time.
    pub(crate) fn learn(&self, number: usize, key: &KeySummary, witness: &Witness, timings: &Timings) {
        self.candidates[number].learn(key, witness, timings);
    }
}

/// The one that is done first.
fn least<'a>(known: impl Iterator<Item = &'a (usize, f64)>) -> Option<(usize, f64)> {
    known.min_by(|(_, one), (_, other)| one.total_cmp(other)).copied()
}

impl Candidate {
    fn is_device(&self) -> bool {
        !matches!(self.backend, Backend::Cpu | Backend::Vector)
    }

    fn is_new(&self) -> bool {
        let from = *self.measure_from.lock().unwrap_or_else(PoisonError::into_inner);
        from.is_some_and(|from| Instant::now() >= from) && self.engine.is_ready()
    }

    fn set_measure_from(&self, from: Option<Instant>) {
        *self.measure_from.lock().unwrap_or_else(PoisonError::into_inner) = from;
    }

    /// Gives back the work of the proof that was made.
    fn measure(&self, log2_size: u32) -> Result<u64, String> {
        let (r1cs, witness) = synthetic(log2_size, Curve::Bn254);
        let control = Control::default();
        // Devices read keys from files.
        let mut zkey = Vec::new();
        insecure_setup(&r1cs, &mut zkey, &control).map_err(|error| error.to_string())?;
        let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        std::fs::write(file.path(), zkey).map_err(|error| error.to_string())?;
        let key = ReadyKey::open(file.path()).map_err(|error| error.to_string())?;
        let mut least: Option<Timings> = None;
        // The first makes tables and memory, too.
        for _ in 0..REPEATS {
            let proved = key.prove(&witness, None, &*self.engine, &control).map_err(|error| error.to_string())?;
            if let Some(why) = proved.repeated {
                return Err(why);
            }
            let time = time_of_engine(&proved.timings);
            if least.as_ref().is_none_or(|least| time < time_of_engine(least)) {
                least = Some(proved.timings);
            }
            if time > REPEATED_BELOW {
                break;
            }
        }
        if let Some(timings) = least {
            self.learn(&key.summary(), &witness, &timings);
        }
        Ok(work_of_proof(&key.summary(), &witness))
    }

    fn learn(&self, key: &KeySummary, witness: &Witness, timings: &Timings) {
        let time = time_of_engine(timings);
        let work = work_of_proof(key, witness).max(1);
        let (at, pause) = (Instant::now(), TRIED_AGAIN);
        let now = Seen { work: work as f64, cost: time.as_secs_f64() / work as f64, old_from: at + pause, pause };
        let mut costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = costs.entry((key.curve, class_of(work))).or_insert(now);
        let weight = if at < seen.old_from { WEIGHT } else { WEIGHT_AGAIN };
        seen.work += weight * (now.work - seen.work);
        seen.cost += weight * (now.cost - seen.cost);
        if at >= seen.old_from {
            seen.pause = (2 * seen.pause).min(TRIED_AGAIN_LONGEST);
        }
        seen.old_from = at + seen.pause;
        metrics::engine_cost(self.engine.name(), key.curve, seen.cost);
    }

    /// With how much more than the best one is expected to take it is tried with a proof of about as much work.
    fn tried_up_to(&self, curve: Curve, work: u64) -> f64 {
        let costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        match costs.get(&(curve, class_of(work))) {
            None if self.is_device() => DEVICES_TRIED_UP_TO,
            None => TRIED_UP_TO,
            Some(seen) if Instant::now() >= seen.old_from => TRIED_AGAIN_UP_TO,
            Some(_) => 0.0,
        }
    }

    /// Seconds that this much work is expected to take; `None` where nothing is known.
    ///
    /// By what work of its class cost; else by a line through the two that are nearest; else as the only one that is
    /// known. Of a curve on which nothing was proved, as on the other.
    fn expected(&self, curve: Curve, work: u64) -> Option<f64> {
        let costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        let class = class_of(work);
        let work = work as f64;
        let on = |curve: Curve| {
            let on_curve = costs.iter().filter(|((of, _), _)| *of == curve);
            on_curve.map(|((_, class), seen)| (*class, *seen)).collect::<Vec<_>>()
        };
        let mut known = on(curve);
        if known.is_empty() {
            known = Curve::ALL.into_iter().map(on).find(|known| !known.is_empty())?;
        }
        known.sort_by_key(|(of, _)| of.abs_diff(class));
        let (nearest, seen) = known[0];
        let alike = seen.cost * work;
        match known.get(1) {
            Some((_, other)) if nearest != class && other.work != seen.work => {
                let (one, two) = (seen.cost * seen.work, other.cost * other.work);
                let slope = (two - one) / (other.work - seen.work);
                let line = one + slope * (work - seen.work);
                // More work never takes less time, nor less work more.
                Some(if work > seen.work {
                    line.clamp(one.min(alike), alike.max(one))
                } else {
                    line.clamp(alike.min(one), one)
                })
            }
            _ => Some(alike),
        }
    }
}

/// The class of about as much work.
fn class_of(work: u64) -> u32 {
    work.max(1).ilog2() / 2
}

/// What an engine has a part in.
fn time_of_engine(timings: &Timings) -> Duration {
    let stages = [Stage::SparseProduct, Stage::Ntt, Stage::MsmG1, Stage::MsmG2];
    stages.map(|stage| timings.of(stage)).iter().sum()
}

#[cfg(test)]
mod tests;
