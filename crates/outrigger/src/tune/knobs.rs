//! The keys that are tuned, and the values that are tried.

use outrigger_config::{Config, EngineRule};

use super::load::Suite;

/// A key with what it stands at and what else is tried.
pub(super) struct Knob {
    /// Its path in the configuration.
    pub(super) key: &'static str,
    /// What the configuration says.
    pub(super) now: String,
    tried: Vec<String>,
    /// What it is about.
    pub(super) suites: &'static [Suite],
    /// Whether the profile writes it as text.
    pub(super) is_text: bool,
}

impl Knob {
    /// The values to try: not the one that it stands at.
    pub(super) fn others(&self) -> impl Iterator<Item = &str> {
        self.tried.iter().map(String::as_str).filter(|value| *value != self.now)
    }

    fn of_number(key: &'static str, now: usize, tried: &[usize], suites: &'static [Suite]) -> Self {
        let tried = tried.iter().map(usize::to_string).collect();
        Self { key, now: now.to_string(), tried, suites, is_text: false }
    }

    fn of_text(key: &'static str, now: String, tried: &str, suites: &'static [Suite]) -> Self {
        Self { key, now, tried: vec![tried.to_owned()], suites, is_text: true }
    }
}

const SIGNATURES: &[Suite] = &[Suite::Blocks, Suite::Singles];
const BLOCKS: &[Suite] = &[Suite::Blocks];
const ALL: &[Suite] = &Suite::ALL;
const A_PROOF: &[Suite] = &[Suite::Proofs];
const PROOFS: &[Suite] = &[Suite::Proofs, Suite::ProofsTogether];

/// The keys of this configuration, those that matter most first.
pub(super) fn of(config: &Config, is_thorough: bool) -> Vec<Knob> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (threads, batch, proving) = (&config.threads, &config.scheduler.batch, &config.proving);
    // 0 takes every core; half of them where two share one.
    let verify: &[usize] = if cores > 2 { &[0, cores / 2] } else { &[0] };
    let number = |key, now, tried: &[usize], tried_if_thorough: &[usize], suites| {
        let tried = if is_thorough { [tried, tried_if_thorough].concat() } else { tried.to_vec() };
        Knob::of_number(key, now, &tried, suites)
    };
    let vector = if config.engines.vector == EngineRule::Auto { "auto" } else { "off" };
    let delay = format!("{}us", batch.delay_max.as_micros());
    let mut knobs = vec![
        Knob::of_text("engines.vector", vector.to_owned(), "auto", ALL),
        number("threads.verify", threads.verify, verify, &[], SIGNATURES),
        number("scheduler.batch.items_max", batch.items_max, &[1_024, 4_096, 16_384], &[256, 2_048, 65_536], BLOCKS),
        Knob::of_text("scheduler.batch.delay_max", delay, "0us", SIGNATURES),
        number("threads.io", threads.io, &[1, 2], &[], SIGNATURES),
    ];
    if proving.directory.is_some() {
        let digits = proving.msm_digits_at_once;
        knobs.extend([
            number("proving.threads", proving.threads, verify, &[], PROOFS),
            number("proving.msm_window_bits_max", proving.msm_window_bits_max, &[12, 18], &[], A_PROOF),
            number("proving.msm_digits_at_once", digits, &[1 << 14, 1 << 16], &[1 << 15, 1 << 18], A_PROOF),
            number("proving.multiples_max", proving.multiples_max, &[1, 4], &[2, 8], A_PROOF),
            number("proving.together_max", proving.together_max, &[1, 4], &[2, 8], PROOFS),
            number("proving.concurrency", proving.concurrency, &[], &[1, 2], PROOFS),
        ]);
    }
    knobs
}
