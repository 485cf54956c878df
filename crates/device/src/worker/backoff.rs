//! How long to wait before trying again.

use std::time::Duration;

/// The pause after so many failures in a row (from 1): `first`, doubled with each more up to `longest`, and then varied
/// to between a half and one and a half of that by `random`.
pub(super) fn pause(first: Duration, longest: Duration, failures: u32, random: u64) -> Duration {
    let doubled = first.saturating_mul(1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let steps = u32::try_from(random % 1001).unwrap_or(0);
    doubled.min(longest).saturating_mul(500 + steps) / 1000
}

/// A number that differs between processes and calls; nothing secret depends on it.
pub(super) fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pause = |failures| super::pause(Duration::from_millis(100), Duration::from_secs(1), failures, 500);
        let expected = [(0, 100), (1, 100), (2, 200), (4, 800), (5, 1000), (33, 1000), (u32::MAX, 1000)];
        for (failures, milliseconds) in expected {
            assert_eq!(pause(failures), Duration::from_millis(milliseconds), "{failures}");
        }
    }

    #[test]
    fn pauses_vary_by_a_half() {
        let pause = |random| super::pause(Duration::from_secs(1), Duration::from_secs(1), 1, random);
        assert_eq!((pause(0), pause(1000)), (Duration::from_millis(500), Duration::from_millis(1500)));
        assert_ne!(random(), random());
    }
}
