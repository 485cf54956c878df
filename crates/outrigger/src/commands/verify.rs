//! `outrigger verify`: items under a ruleset, a block, or raw Ethereum transactions.

mod transactions;

use std::path::Path;
use std::process::ExitCode;

use outrigger_types::{Ruleset, Verdict};
use serde::Serialize;

use crate::cli::{Failure, VerifyArgs};
use crate::runner::Runner;
use crate::{items, print};

pub(crate) use transactions::check_block;

#[derive(Serialize)]
struct Report {
    verdicts: Vec<&'static str>,
}

/// Verifies what the flags name.
pub(crate) fn run(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    // On the wire 0 says that no chain is named, so a sidecar would check none.
    if args.chain_id == Some(0) {
        return Err(Failure::input("--chain-id 0: no chain has this number; leave it out to take any chain"));
    }
    if args.chain_id.is_some() && args.items.is_some() {
        return Err(Failure::input("--chain-id belongs to --ethereum-block and --ethereum-transactions"));
    }
    if let Some(path) = &args.ethereum_block {
        return transactions::block(path, args);
    }
    if let Some(path) = &args.ethereum_transactions {
        return transactions::raw(path, args);
    }
    match (&args.items, args.ruleset) {
        (Some(path), Some(ruleset)) => verify_items(path, ruleset, args),
        _ => Err(Failure::input("--items and --ruleset belong together")),
    }
}

fn verify_items(path: &Path, ruleset: Ruleset, args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let groups = items::verification(&items::read(path)?, ruleset, args.allow_high_s)?;
    let runner = Runner::new(&args.target)?;
    let mut verdicts = vec![Verdict::Unprocessed; groups.iter().map(|group| group.indices.len()).sum()];
    for group in groups {
        let output = runner.run(group.work)?;
        for (&i, &verdict) in group.indices.iter().zip(&output.verdicts) {
            verdicts[i] = verdict;
        }
    }
    if args.target.json {
        print::json(&Report { verdicts: verdicts.iter().map(|verdict| verdict.name()).collect() });
    } else {
        let mut table = print::table(&["item", "verdict"]);
        for (i, verdict) in verdicts.iter().enumerate().filter(|(_, verdict)| **verdict != Verdict::Valid) {
            table.add_row([i.to_string(), print::verdict(*verdict)]);
        }
        if table.row_iter().next().is_some() {
            println!("{table}");
        }
        println!("{}", print::summary(&verdicts));
    }
    Ok(super::processed(&verdicts))
}

#[cfg(test)]
mod tests;
