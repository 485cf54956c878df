//! `outrigger top`.

use std::process::ExitCode;

use outrigger_top::{Form, Options, Source};

use crate::cli::{Failure, TopArgs};

/// Shows how a sidecar fares until the user leaves, or once.
pub(crate) fn run(args: &TopArgs) -> Result<ExitCode, Failure> {
    let source: Source = args.metrics.parse().map_err(Failure::input)?;
    let form = match (args.json, args.once) {
        (true, _) => Form::Json,
        (false, true) => Form::Text,
        (false, false) => Form::Screen,
    };
    outrigger_top::run(&source, &Options { interval: args.interval, form }).map_err(Failure::work)?;
    Ok(ExitCode::SUCCESS)
}
