//! What of a device's answers is looked at again: pure decisions, the random numbers an argument.
//!
//! Damage after a kernel is caught by tags. A kernel that computes wrong is caught by items planted in every batch, and
//! by judging some of its answers again on the CPU: all rejections while they are few, [`REJECTIONS_MAX`] of them
//! otherwise, and of the acceptances a share. A kernel that answers a part q of n acceptances wrongly passes a batch with
//! a chance of (1 − rate)^(q·n) at most.

use std::collections::BTreeSet;

use outrigger_types::{Output, Verdict};
use rand::{Rng, RngExt};

/// Rejections that are judged again where they are many.
pub const REJECTIONS_MAX: usize = 64;
/// Rejections are few while they are at most one of so many items.
const FEW: usize = 100;

/// The items to judge again, ascending: each acceptance with a chance of `rate` (1: all), and rejections as above.
pub fn sample(output: &Output, rate: f64, random: &mut impl Rng) -> Vec<usize> {
    let is_accepted = |verdict: &Verdict| *verdict == Verdict::Valid;
    let (accepted, rejected): (Vec<usize>, Vec<usize>) =
        (0..output.verdicts.len()).partition(|&item| is_accepted(&output.verdicts[item]));
    let mut sampled: BTreeSet<usize> = chosen(&accepted, rate, random).collect();
    if rejected.len() <= REJECTIONS_MAX || rejected.len() * FEW <= output.verdicts.len() || rate >= 1.0 {
        sampled.extend(rejected);
    } else {
        sampled.extend((0..REJECTIONS_MAX).map(|_| rejected[random.random_range(0..rejected.len())]));
    }
    sampled.into_iter().collect()
}

/// Each of `items` with a chance of `rate`: by the gaps between them, which are distributed geometrically, so that a
/// small rate costs little.
fn chosen<'a>(items: &'a [usize], rate: f64, random: &'a mut impl Rng) -> impl Iterator<Item = usize> + 'a {
    let mut next = 0;
    std::iter::from_fn(move || {
        if rate <= 0.0 {
            return None;
        }
        if rate < 1.0 {
            // A uniform number in (0, 1].
            let uniform = 1.0 - random.random::<f64>();
            let gap = uniform.ln() / (1.0 - rate).ln();
            next += if gap < items.len() as f64 { gap as usize } else { items.len() };
        }
        let item = items.get(next).copied()?;
        next += 1;
        Some(item)
    })
}

/// Where `count` planted items stand in a batch of `items` of others: ascending, each before the item of that number
/// (`items`: after the last).
pub fn places(items: usize, count: usize, random: &mut impl Rng) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).map(|_| random.random_range(0..=items)).collect();
    places.sort_unstable();
    places
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn output(count: usize, is_valid: impl Fn(usize) -> bool) -> Output {
        let verdict = |i| if is_valid(i) { Verdict::Valid } else { Verdict::Invalid };
        Output { verdicts: (0..count).map(verdict).collect(), ..Output::default() }
    }

    #[test]
    fn at_rate_one_everything_is_judged_again() {
        let mut random = StdRng::seed_from_u64(1);
        let all: Vec<usize> = (0..500).collect();
        assert_eq!(sample(&output(500, |i| i % 2 == 0), 1.0, &mut random), all);
    }

    #[test]
    fn few_rejections_are_all_judged_again_and_many_in_part() {
        let mut random = StdRng::seed_from_u64(2);
        let few = output(10_000, |i| i % 125 != 0);
        assert_eq!(sample(&few, 0.0, &mut random), (0..10_000).step_by(125).collect::<Vec<_>>());
        let many = sample(&output(10_000, |i| i % 3 == 0), 0.0, &mut random);
        assert!(many.len() <= REJECTIONS_MAX && many.len() > REJECTIONS_MAX / 2);
        assert!(many.iter().all(|item| item % 3 != 0));
    }

    #[test]
    fn of_acceptances_about_the_rate_is_judged_again() {
        let mut random = StdRng::seed_from_u64(3);
        let sampled: usize = (0..50).map(|_| sample(&output(1_000, |_| true), 0.01, &mut random).len()).sum();
        assert!((400..600).contains(&sampled), "{sampled} of 50,000 at one in a hundred");
        assert!(sample(&output(1_000, |_| true), 0.0, &mut random).is_empty());
    }

    #[test]
    fn planted_items_stand_anywhere() {
        let mut random = StdRng::seed_from_u64(4);
        let seen: BTreeSet<usize> = (0..1_000).flat_map(|_| places(3, 2, &mut random)).collect();
        assert_eq!(seen, BTreeSet::from([0, 1, 2, 3]));
        assert_eq!(places(0, 2, &mut random), [0, 0]);
    }
}
