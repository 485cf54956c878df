//! The keys that are tuned, and the values that are tried.

use outrigger_config::Config;

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
}

const SIGNATURES: &[Suite] = &[Suite::Blocks, Suite::Singles];
const PROOFS: &[Suite] = &[Suite::Proofs, Suite::ProofsTogether];

/// The keys of this configuration, those that matter most first.
pub(super) fn of(config: &Config, is_thorough: bool) -> Vec<Knob> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (threads, batch, proving) = (&config.threads, &config.scheduler.batch, &config.proving);
    // 0 takes every core; half of them where two share one.
    let verify: &[usize] = if cores > 2 { &[0, cores / 2] } else { &[0] };
    let mut knobs = vec![
        Knob::of_number("threads.verify", threads.verify, verify, SIGNATURES),
        Knob::of_number("scheduler.batch.items_max", batch.items_max, &[1_024, 4_096, 16_384], SIGNATURES),
        Knob {
            key: "scheduler.batch.delay_max",
            now: format!("{}ms", batch.delay_max.as_millis()),
            tried: vec!["0ms".to_owned()],
            suites: SIGNATURES,
            is_text: true,
        },
        Knob::of_number("threads.io", threads.io, &[1, 2], SIGNATURES),
    ];
    if proving.directory.is_some() {
        knobs.extend([
            Knob::of_number("proving.threads", proving.threads, verify, PROOFS),
            Knob::of_number("proving.msm_window_bits_max", proving.msm_window_bits_max, &[12, 18], PROOFS),
            Knob::of_number("proving.msm_digits_at_once", proving.msm_digits_at_once, &[1 << 14, 1 << 16], PROOFS),
            Knob::of_number("proving.multiples_max", proving.multiples_max, &[1, 4], PROOFS),
            Knob::of_number("proving.together_max", proving.together_max, &[1, 4], PROOFS),
        ]);
    }
    if is_thorough {
        knobs.push(Knob::of_number("scheduler.batch.items_max", batch.items_max, &[256, 2_048, 65_536], SIGNATURES));
        if proving.directory.is_some() {
            knobs.extend([
                Knob::of_number("proving.multiples_max", proving.multiples_max, &[2, 8], PROOFS),
                Knob::of_number("proving.together_max", proving.together_max, &[2, 8], PROOFS),
                Knob::of_number("proving.concurrency", proving.concurrency, &[1, 2], PROOFS),
                Knob::of_number("proving.msm_digits_at_once", proving.msm_digits_at_once, &[1 << 15, 1 << 18], PROOFS),
            ]);
        }
    }
    knobs
}
