//! `outrigger recover`.

use std::process::ExitCode;

use outrigger_types::Verdict;
use serde::Serialize;

use crate::cli::{Failure, RecoverArgs};
use crate::runner::Runner;
use crate::{items, print};

#[derive(Serialize)]
struct Recovered {
    verdict: &'static str,
    public_key: Option<String>,
    address: Option<String>,
}

#[derive(Serialize)]
struct Report {
    items: Vec<Recovered>,
}

/// Recovers the keys of a file of items.
pub(crate) fn run(args: &RecoverArgs) -> Result<ExitCode, Failure> {
    let groups = items::recovery(&items::read(&args.items)?, args.ruleset, args.allow_high_s)?;
    let runner = Runner::new(&args.target)?;
    let mut rows: Vec<(usize, Verdict, Recovered)> = Vec::new();
    for group in groups {
        let output = runner.run(group.work)?;
        for (j, (&i, &verdict)) in group.indices.iter().zip(&output.verdicts).enumerate() {
            let bytes = &output.fixed[j * 84..(j + 1) * 84];
            let known = |bytes: &[u8]| (verdict == Verdict::Valid).then(|| print::hex(bytes));
            let recovered =
                Recovered { verdict: verdict.name(), public_key: known(&bytes[..64]), address: known(&bytes[64..]) };
            rows.push((i, verdict, recovered));
        }
    }
    rows.sort_by_key(|(i, ..)| *i);
    let verdicts: Vec<_> = rows.iter().map(|(_, verdict, _)| *verdict).collect();
    if args.target.json {
        print::json(&Report { items: rows.into_iter().map(|(.., recovered)| recovered).collect() });
    } else {
        let mut table = print::table(&["item", "verdict", "address", "public key"]);
        for (i, verdict, row) in rows {
            let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".into());
            table.add_row([i.to_string(), print::verdict(verdict), or_dash(row.address), or_dash(row.public_key)]);
        }
        println!("{table}\n{}", print::summary(&verdicts));
    }
    Ok(super::processed(&verdicts))
}
