//! A page of result files on standard output: `cargo run -p outrigger-report --example page -- FILE... > page.html`;
//! with `--csv` in front, their records as CSV.

use std::process::ExitCode;

use outrigger_report::{Results, csv, html};

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let wants_csv = arguments.first().is_some_and(|first| first == "--csv");
    if wants_csv {
        arguments.remove(0);
    }
    if arguments.is_empty() {
        eprintln!("name result files: page [--csv] FILE...");
        return ExitCode::from(2);
    }
    let results: Result<Vec<Results>, _> = arguments.iter().map(Results::read).collect();
    match results {
        Ok(results) if wants_csv => match csv(&results, std::io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        },
        Ok(results) => {
            println!("{}", html(&results));
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(2)
}
