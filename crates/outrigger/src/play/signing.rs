//! Blocks of the demo: signatures of several rulesets, in equal parts.

use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use outrigger_types::{Ruleset, Verdict, Work};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Block, Part, Plan, progress};
use crate::cli::Failure;
use crate::workload::{self, Fault, Signed, Signer};

/// Blocks a second.
const BLOCK_RATE: u32 = 5;
/// Bytes of a message, where the ruleset takes one: about a Fabric proposal without its certificate.
pub(crate) const MESSAGE_BYTES: usize = 256;
/// Signers of each ruleset.
const SIGNERS: usize = 256;
/// One signature in this many is bad.
const BAD_EVERY: u32 = 97;

/// Signs `rate` transactions for each of `seconds`, over the rulesets of `mix` in equal parts.
pub(crate) fn sign(mix: &[Ruleset], rate: u32, seconds: u32, show: bool) -> Result<Plan, Failure> {
    let count = (rate * seconds) as usize;
    let blocks = (BLOCK_RATE * seconds) as usize;
    let bar = progress(count as u64, "signing", show);
    let per_ruleset: Vec<Vec<Signed>> = std::thread::scope(|scope| {
        let share = |i: usize| count / mix.len() + usize::from(i < count % mix.len());
        let workers: Vec<_> = mix
            .iter()
            .enumerate()
            .map(|(i, &ruleset)| {
                let bar = &bar;
                scope.spawn(move || sign_all(ruleset, share(i), bar))
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("a signing thread")).collect()
    });
    bar.finish_and_clear();
    let cut = |items: &[Signed], block: usize| {
        let at = |block: usize| items.len() * block / blocks;
        items[at(block)..at(block + 1)].to_vec()
    };
    let block = |block: usize| {
        let parts = mix.iter().zip(&per_ruleset).map(|(&ruleset, items)| (ruleset, cut(items, block)));
        let parts: Vec<_> =
            parts.filter(|(_, items)| !items.is_empty()).map(|(ruleset, items)| part(ruleset, &items)).collect();
        let transactions = parts.iter().map(|part| part.expected.len() as u64).sum();
        Arc::new(Block { parts, transactions })
    };
    let interval = Duration::from_secs(1) / BLOCK_RATE;
    let dues = (0..blocks as u32).map(|block| interval * block).collect();
    Ok(Plan { blocks: (0..blocks).map(block).collect(), dues, length: interval * blocks as u32 })
}

/// Signatures as one request.
pub(crate) fn part(ruleset: Ruleset, items: &[Signed]) -> Part {
    let expected: Vec<Verdict> = items.iter().map(|item| item.expected).collect();
    Part { work: Arc::new(Work::Verify(workload::pack(ruleset, items))), expected, found: None }
}

fn sign_all(ruleset: Ruleset, count: usize, bar: &ProgressBar) -> Vec<Signed> {
    let mut rng = StdRng::seed_from_u64(ruleset.number() as u64);
    let signers: Vec<_> = (0..SIGNERS).map(|_| Signer::new(ruleset, &mut rng)).collect();
    (0..count)
        .map(|i| {
            let message = workload::message(ruleset, MESSAGE_BYTES, &mut rng);
            let mut signed = signers[i % SIGNERS].sign(message);
            if rng.random_range(0..BAD_EVERY) == 0 {
                let fault = Fault::ALL[rng.random_range(0..Fault::ALL.len())];
                fault.apply(&mut signed, signers[(i + 1) % SIGNERS].key());
            }
            bar.inc(1);
            signed
        })
        .collect()
}
