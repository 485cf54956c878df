//! `outrigger devices`.

use std::process::ExitCode;

use outrigger_types::{Backend, Engine, HashAlgorithm, Operation, Ruleset};
use serde::Serialize;

use crate::cli::{DevicesArgs, Failure};
use crate::print;
use crate::runner::here;

#[derive(Serialize)]
struct Device {
    backend: &'static str,
    device: String,
    parallelism: usize,
    rulesets: Vec<&'static str>,
    hashes: Vec<&'static str>,
}

#[derive(Serialize)]
struct Report {
    devices: Vec<Device>,
    /// Backends that this build or machine does not have.
    absent: Vec<&'static str>,
}

/// Shows the engines of this machine.
pub(crate) fn run(args: &DevicesArgs) -> Result<ExitCode, Failure> {
    let engines = here();
    let devices: Vec<_> = engines.iter().map(|engine| describe(engine.as_ref())).collect();
    let is_absent = |backend: &Backend| devices.iter().all(|device| device.backend != backend.name());
    let absent = Backend::ALL.iter().filter(|backend| is_absent(backend)).map(|backend| backend.name()).collect();
    let report = Report { devices, absent };
    if args.json {
        print::json(&report);
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = print::table(&["backend", "device", "at once", "rulesets", "hashes"]);
    for device in &report.devices {
        table.add_row([
            device.backend.to_owned(),
            device.device.clone(),
            device.parallelism.to_string(),
            device.rulesets.join(", "),
            device.hashes.join(", "),
        ]);
    }
    println!("{table}\nnot here: {}", report.absent.join(", "));
    Ok(ExitCode::SUCCESS)
}

fn describe(engine: &dyn Engine) -> Device {
    let rulesets = Ruleset::ALL.iter().filter(|ruleset| engine.supports(Operation::Verify(**ruleset)));
    let hashes = HashAlgorithm::ALL.iter().filter(|algorithm| engine.supports(Operation::Hash(**algorithm)));
    Device {
        backend: engine.backend().name(),
        device: engine.device().to_owned(),
        parallelism: engine.parallelism(Operation::EthereumTransactions),
        rulesets: rulesets.map(|ruleset| ruleset.name()).collect(),
        hashes: hashes.map(|algorithm| algorithm.name()).collect(),
    }
}
