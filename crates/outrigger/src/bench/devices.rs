//! The suite `devices`: whether a GPU answers as the CPU does, and how fast it is through its worker process; what
//! `benches/gpu-check` runs on a machine with nothing but the programs.

mod asked;
mod conformance;
mod items;
mod speed;

use std::process::ExitCode;
use std::time::Instant;

use outrigger_algorithms::gpu;
use outrigger_config::{Config, Overrides};
use outrigger_device::DeviceInfo;
use outrigger_types::{Backend, Engine, Operation};
use serde::Serialize;

use super::{Latency, Record, cores, cpu, rate};
use crate::cli::{BenchArgs, Failure, Part};
use crate::{devices, print};

use asked::Asked;
use conformance::Checked;

/// Bytes of the arena for an item of a batch: a key, a signature, a message and their lengths, and the answer of a
/// recovery; two batches are under way.
const ARENA_ITEM_BYTES: usize = 2 * 512;
/// What an arena may have at most, and what it has for small batches.
const ARENA_BYTES: std::ops::RangeInclusive<usize> = (64 << 20)..=(2 << 30);
/// A kernel on a million items takes less on anything that is worth it; PoCL has to be given smaller ones.
const HANG_MAX: std::time::Duration = std::time::Duration::from_secs(120);

/// All of a run.
#[derive(Serialize)]
struct Report {
    suite: &'static str,
    /// For the name of a file.
    slug: String,
    device: DeviceInfo,
    /// Backends that have no device here, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    absent: Vec<String>,
    cores: Cores,
    /// The largest batch.
    items_max: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Part>,
    /// From the start of the worker to the end of its self-tests.
    ready_seconds: f64,
    seconds: f64,
    /// Of a batch without items; none where the device serves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    empty_batch_us: Option<Latency>,
    conformance: Vec<Checked>,
    benches: Vec<Record>,
    /// What could not be measured.
    failures: Vec<String>,
}

/// What the device is compared with.
#[derive(Serialize)]
struct Cores {
    device: String,
    backends: Vec<&'static str>,
    threads: usize,
}

/// Runs the suite and prints what it found. Fails where an answer is wrong.
pub(super) fn run(args: &BenchArgs) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let Chosen { config, device, absent } = choose(args)?;
    absent.iter().for_each(|why| eprintln!("not measured: {why}"));
    let items_max = args.devices.items_max;
    if items_max == 0 {
        return Err(Failure::input("--items-max must be at least 1"));
    }
    let arena = (ARENA_ITEM_BYTES * items_max).clamp(*ARENA_BYTES.start(), *ARENA_BYTES.end());
    say(args, &format!("{}: starting its worker", device.label()));
    let rules = outrigger_config::Devices { hang_max: config.devices.hang_max.max(HANG_MAX), ..config.devices };
    let asked = Asked::start(&device, &rules, arena)?;
    let engines = {
        let cores = cpu(cores());
        let vector = cores.vector();
        [Some(cores), vector].into_iter().flatten().collect::<Vec<_>>()
    };
    let fastest = engines.last().ok_or_else(|| Failure::work("no engine of the cores"))?;
    let served = gpu::operations().find(|operation| asked.refusal(*operation).is_none());
    let mut report = Report {
        suite: "devices",
        slug: slug(&asked.info),
        device: asked.info.clone(),
        absent,
        cores: Cores {
            device: fastest.device().to_owned(),
            backends: engines.iter().map(|engine| engine.backend().name()).collect(),
            threads: cores(),
        },
        items_max,
        part: args.devices.part,
        ready_seconds: asked.ready.as_secs_f64(),
        seconds: 0.0,
        empty_batch_us: served.map(|operation| speed::empty_batch(&asked, operation)).transpose()?,
        conformance: Vec::new(),
        benches: Vec::new(),
        failures: Vec::new(),
    };
    let wanted: Vec<Operation> = wanted(args).collect();
    for &operation in &wanted {
        say(args, &format!("{}: comparing", name(operation)));
        report.conformance.push(conformance::check(&asked, operation, items_max, fastest));
    }
    for &operation in wanted.iter().filter(|operation| asked.refusal(**operation).is_none()) {
        say(args, &format!("{}: measuring", name(operation)));
        match speed::measure(&asked, operation, items_max, &engines) {
            Ok(records) => report.benches.extend(records),
            Err(failure) => report.failures.push(format!("{}: {failure}", name(operation))),
        }
    }
    report.seconds = started.elapsed().as_secs_f64();
    if args.json {
        print::json(&report);
    } else {
        print_people(&report);
    }
    let is_right = report.conformance.iter().all(Checked::is_right) && report.failures.is_empty();
    Ok(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The device to look at, the configuration that finds it, and why backends that were not ruled out have none.
pub(super) struct Chosen {
    pub(super) config: Config,
    pub(super) device: DeviceInfo,
    pub(super) absent: Vec<String>,
}

pub(super) fn choose(args: &BenchArgs) -> Result<Chosen, Failure> {
    let rule = |of: Backend, wanted: &str| match args.backend {
        Some(backend) if backend != of => Some("off".to_owned()),
        Some(_) => Some(wanted.to_owned()),
        None => None,
    };
    if let Some(backend @ (Backend::Cpu | Backend::Vector)) = args.backend {
        return Err(Failure::input(format_args!("--backend {backend}: the suite devices measures opencl or cuda")));
    }
    let overrides =
        Overrides { cuda: rule(Backend::Cuda, "auto"), opencl: rule(Backend::Opencl, "all"), ..Overrides::default() };
    let config = devices::config(overrides)?;
    let found = devices::find(&config);
    let count = found.devices.len();
    let is_wanted = |backend: Backend| args.backend.is_none_or(|wanted| wanted == backend);
    let absent = found.absent.iter().filter(|(backend, _)| is_wanted(*backend));
    let absent: Vec<_> = absent.map(|(backend, why)| format!("{backend}: {why}")).collect();
    match found.devices.into_iter().nth(args.devices.device) {
        Some(device) => Ok(Chosen { config, device, absent }),
        None => {
            let number = args.devices.device;
            Err(Failure::work(format_args!("no device {number} of {count}; {}", absent.join("; "))))
        }
    }
}

/// The operations of this part of the whole.
fn wanted(args: &BenchArgs) -> impl Iterator<Item = Operation> {
    let part = args.devices.part.unwrap_or(Part { number: 1, of: 1 });
    let ruleset = args.ruleset;
    let is_of_ruleset = move |operation: &Operation| match (ruleset, operation) {
        (None, _) => true,
        (Some(wanted), Operation::Verify(ruleset) | Operation::Recover(ruleset)) => *ruleset == wanted,
        (Some(_), _) => false,
    };
    let named = args.algorithm.clone();
    gpu::operations()
        .enumerate()
        .filter(move |(place, _)| place % part.of == part.number - 1)
        .map(|(_, operation)| operation)
        .filter(is_of_ruleset)
        .filter(move |operation| named.as_deref().is_none_or(|named| name(*operation).contains(named)))
}

/// An operation in words.
fn name(operation: Operation) -> String {
    match operation {
        Operation::Merkle(tree, algorithm) => format!("merkle {} {}", tree.name(), algorithm.name()),
        other => format!("{} {}", other.kind(), other.label()),
    }
}

/// `NVIDIA H200` behind CUDA as `nvidia-h200-cuda`.
fn slug(device: &DeviceInfo) -> String {
    let letters = device.name.to_lowercase();
    let words: Vec<_> =
        letters.split(|one: char| !one.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("{}-{}", words.join("-"), device.api.name())
}

fn say(args: &BenchArgs, what: &str) {
    if !args.json || args.devices.progress {
        eprintln!("{what} …");
    }
}

fn print_people(report: &Report) {
    let mut table = print::table(&["operation", "compared", "wrong", "sizes to", "seconds"]);
    for one in &report.conformance {
        let largest = one.sizes.last().map_or_else(String::new, usize::to_string);
        let seconds = format!("{:.1}", one.seconds);
        table.add_row([one.operation.clone(), one.items.to_string(), one.wrong.to_string(), largest, seconds]);
    }
    println!("{}, {}, {}\n{table}", report.device.label(), report.device.platform, report.device.driver);
    for one in report.conformance.iter().filter(|one| !one.is_right()) {
        println!("{}: {}", one.operation, one.failure.as_deref().unwrap_or("wrong"));
    }
    let mut table = print::table(&[
        "operation",
        "batch",
        "items/s",
        "p50 µs",
        "p99 µs",
        "kernels µs",
        "the cores' items/s",
        "ratio",
    ]);
    for record in &report.benches {
        table.add_row([
            record.algorithm.clone(),
            record.batch.to_string(),
            rate(record.items_per_second),
            format!("{:.1}", record.latency_us.p50),
            format!("{:.1}", record.latency_us.p99),
            record
                .more
                .get("kernels_us")
                .and_then(serde_json::Value::as_f64)
                .map_or_else(String::new, |us| format!("{us:.1}")),
            record
                .peer
                .as_ref()
                .map_or_else(String::new, |peer| format!("{} ({})", rate(peer.items_per_second), peer.name)),
            record.ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}")),
        ]);
    }
    println!("{table}");
    report.failures.iter().for_each(|failure| println!("not measured: {failure}"));
    let wrong = report.conformance.iter().filter(|one| !one.is_right()).count();
    if let Some(empty) = report.empty_batch_us {
        println!("an empty batch: {:.1} µs at the median, {:.1} at the 99th percentile", empty.p50, empty.p99);
    }
    println!(
        "ready after {:.1} s; {} operations, {wrong} of them wrong or not served; {:.0} s in all",
        report.ready_seconds,
        report.conformance.len(),
        report.seconds
    );
}

#[cfg(test)]
mod tests;
