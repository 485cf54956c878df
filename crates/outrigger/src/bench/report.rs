//! `outrigger bench report`: one page and one table of what the suites wrote.

use std::process::ExitCode;

use outrigger_report::{Results, csv, html};
use serde_json::json;

use crate::cli::{BenchArgs, Failure};
use crate::{files, print};

pub(super) fn run(args: &BenchArgs) -> Result<ExitCode, Failure> {
    if args.files.is_empty() {
        return Err(Failure::input(
            "bench report needs files that the suites wrote: outrigger bench verify --json > verify.json",
        ));
    }
    let results = args.files.iter().map(Results::read).collect::<Result<Vec<_>, _>>();
    let results = results.map_err(Failure::input)?;
    files::write(&args.out, html(&results).as_bytes())?;
    if let Some(path) = &args.csv {
        let mut table = Vec::new();
        csv(&results, &mut table).map_err(Failure::work)?;
        files::write(path, &table)?;
    }
    let records: usize = results.iter().map(Results::len).sum();
    if args.json {
        print::json(&json!({"page": args.out, "csv": args.csv, "files": results.len(), "records": records}));
    } else {
        println!("{} records of {} files: {}", records, results.len(), args.out.display());
    }
    Ok(ExitCode::SUCCESS)
}
