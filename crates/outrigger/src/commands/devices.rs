//! `outrigger devices`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use outrigger_algorithms::{Unit, lanes};
use outrigger_config::Overrides;
use outrigger_types::{Backend, Engine, HashAlgorithm, Operation, Ruleset};
use serde::Serialize;

use crate::cli::{DevicesArgs, Failure};
use crate::devices::{self, Driven};
use crate::print;
use crate::runner::here;

#[derive(Serialize)]
struct Device {
    backend: &'static str,
    device: String,
    parallelism: usize,
    rulesets: Vec<&'static str>,
    hashes: Vec<&'static str>,
    /// Of devices: what each operation was measured to cost.
    costs: Vec<Fitted>,
    /// Of devices: what failed its trial, and why; and why there is no worker, if so.
    failures: Vec<String>,
}

/// What an operation costs on a device: so much for a batch, and so much for each of its items.
#[derive(Serialize)]
struct Fitted {
    operation: String,
    batch_us: f64,
    item_ns: f64,
    /// From how many items on the device finishes before all cores together; none where it never does.
    crossover: Option<u64>,
}

#[derive(Serialize)]
struct Report {
    devices: Vec<Device>,
    /// Backends that this build or machine does not have.
    absent: Vec<&'static str>,
    /// Why there is none of a backend.
    reasons: BTreeMap<&'static str, String>,
}

/// Shows the engines of this machine. Devices are started and tried for it, which may take a while at first: their
/// kernels are compiled.
pub(crate) fn run(args: &DevicesArgs) -> Result<ExitCode, Failure> {
    let overrides = Overrides { cuda: args.cuda.clone(), opencl: args.opencl.clone(), ..Overrides::default() };
    let config = devices::config(overrides)?;
    let devices::Started { driven, absent: why } = devices::start(&config);
    let mut found: Vec<_> = here().iter().map(|engine| describe(engine.as_ref())).collect();
    found.extend(driven.iter().map(describe_driven));
    let is_absent = |backend: &Backend| found.iter().all(|device| device.backend != backend.name());
    let absent = Backend::ALL.iter().filter(|backend| is_absent(backend)).map(|backend| backend.name()).collect();
    let reasons = why.iter().map(|(backend, why)| (backend.name(), why.to_string())).collect();
    let report = Report { devices: found, absent, reasons };
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
    report.reasons.iter().for_each(|(backend, why)| println!("{backend}: {why}"));
    report.devices.iter().filter(|device| !device.costs.is_empty()).for_each(print_costs);
    for device in &report.devices {
        device.failures.iter().for_each(|failure| println!("{}: {failure}", device.device));
    }
    Ok(ExitCode::SUCCESS)
}

fn print_costs(device: &Device) {
    let mut table = print::table(&["operation", "a batch, µs", "an item, ns", "sooner than all cores from"]);
    for cost in &device.costs {
        table.add_row([
            cost.operation.clone(),
            format!("{:.0}", cost.batch_us),
            format!("{:.0}", cost.item_ns),
            cost.crossover.map_or_else(|| "never".to_owned(), |items| format!("{items} items")),
        ]);
    }
    println!("\n{}\n{table}", device.device);
}

fn describe_driven(driven: &Driven) -> Device {
    let mut failures = Vec::new();
    if !(driven.wait() && driven.wait_for_proofs()) {
        let why =
            driven.worker.last_failure().map_or_else(|| "its trials take too long".to_owned(), |why| why.to_string());
        failures.push(format!("not served: {why}"));
    }
    let named = |operation: Operation| format!("{} of {}", operation.kind(), operation.label());
    let failed = driven.worker.failures().into_iter().chain(driven.engine.failures());
    failures.extend(failed.map(|(operation, why)| format!("{}: {why}", named(operation))));
    failures.extend(driven.proofs.failures().into_iter().map(|(call, why)| format!("{}: {why}", call.name())));
    let costs = driven.engine.costs().into_iter().map(|(operation, cost)| Fitted {
        operation: named(operation),
        batch_us: cost.fixed_ns / 1e3,
        item_ns: cost.item_ns,
        crossover: crossover(cost.fixed_ns, cost.item_ns, on_cores(operation)),
    });
    Device { costs: costs.collect(), failures, ..describe(driven.engine.as_ref()) }
}

/// From how many items on `fixed + item·n` is less than `core·n`, all in nanoseconds.
fn crossover(fixed: f64, item: f64, core: Option<f64>) -> Option<u64> {
    let gain = core? - item;
    (gain > 0.0).then(|| (fixed / gain).ceil().max(1.0) as u64)
}

/// What an item costs where all cores share a large batch, on lanes where there are any.
fn on_cores(operation: Operation) -> Option<f64> {
    let unit = Unit::detect();
    let mut samples = lanes::trial(unit.unwrap_or(Unit::PORTABLE), operation).ok()?;
    // Lanes of plain words are for tests: where the processor has no others, plain cores do the work.
    samples.retain(|sample| unit.is_some() || sample.backend == Backend::Cpu);
    let largest = samples.iter().map(|sample| sample.items).max()?;
    let least: Option<Duration> =
        samples.iter().filter(|sample| sample.items == largest).map(|sample| sample.compute).min();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Some(least?.as_nanos() as f64 / (largest * cores) as f64)
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
        costs: Vec::new(),
        failures: Vec::new(),
    }
}
