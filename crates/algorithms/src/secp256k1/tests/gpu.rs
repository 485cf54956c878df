//! The kernels, compiled for the host, against what this room's reference says: what the other tests, all of which run
//! their items through the kernels too, leave out.

use outrigger_types::Operation;

use super::batches::items;
use super::*;
use crate::gpu::on_host;

/// The kernels' answer.
pub(super) fn run(work: &Work) -> Output {
    on_host::run(work)
}

#[test]
fn the_rulesets_have_kernels() {
    for rules in ROOM.rulesets {
        assert!(crate::gpu::supports(Operation::Verify(rules.ruleset)), "{}", rules.ruleset);
        assert_eq!(crate::gpu::supports(Operation::Recover(rules.ruleset)), RECOVERABLE.contains(&rules.ruleset));
        assert_eq!(run(&Work::Verify(work(rules.ruleset, &[]))).verdicts, []);
    }
}

/// Keys and addresses among each other: each goes to a kernel of its own and comes back to its place.
#[test]
fn keys_and_addresses_in_one_batch() {
    for ruleset in RECOVERABLE {
        let mut mixed: Vec<Triple> = items(ruleset).into_iter().cycle().take(29).collect();
        for place in [3, 4, 17] {
            mixed[place].message[5] ^= 1;
        }
        mixed[20].signature.pop();
        for item in mixed.iter_mut().step_by(3) {
            item.key = textbook::address(item.key[..].try_into().expect("x and y")).to_vec();
        }
        let work = Work::Verify(work(ruleset, &mixed));
        let expected = crate::run(&work, 0..mixed.len());
        assert_eq!(run(&work), expected, "{ruleset}");
        assert_eq!(expected.verdicts.iter().filter(|verdict| **verdict == Verdict::Valid).count(), 25);
    }
}
