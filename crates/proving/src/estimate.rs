//! How long a circuit's proof takes here, by what was seen.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use outrigger_types::CircuitId;

/// The weight of the last proof. Three or four proofs after a change of circumstances, the estimate has followed.
const WEIGHT: f64 = 0.3;

/// Circuits that are kept. A store holds fewer; past this, all is learnt anew, which costs a few refusals not made.
const CIRCUITS_MAX: usize = 4096;

/// An exponentially weighted mean for each circuit.
#[derive(Default)]
pub(crate) struct Estimates {
    seconds: Mutex<HashMap<CircuitId, f64>>,
}

impl Estimates {
    /// How long a proof takes; `None` before the first.
    pub(crate) fn of(&self, circuit: CircuitId) -> Option<Duration> {
        let seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        seconds.get(&circuit).map(|seconds| Duration::from_secs_f64(*seconds))
    }

    /// A proof took so long.
    pub(crate) fn learn(&self, circuit: CircuitId, took: Duration) {
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        if seconds.len() >= CIRCUITS_MAX && !seconds.contains_key(&circuit) {
            seconds.clear();
        }
        let took = took.as_secs_f64();
        let mean = seconds.entry(circuit).or_insert(took);
        *mean += WEIGHT * (took - *mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_follows_what_is_seen() {
        let estimates = Estimates::default();
        let circuit = CircuitId([1; 32]);
        assert_eq!(estimates.of(circuit), None);
        estimates.learn(circuit, Duration::from_secs(10));
        assert_eq!(estimates.of(circuit), Some(Duration::from_secs(10)));
        for _ in 0..20 {
            estimates.learn(circuit, Duration::from_secs(2));
        }
        let settled = estimates.of(circuit).expect("it was seen").as_secs_f64();
        assert!((2.0..2.1).contains(&settled), "{settled}");
        assert_eq!(estimates.of(CircuitId([2; 32])), None);
    }
}
