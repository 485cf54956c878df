//! `outrigger demo`: the main job, end to end, with every verdict checked.

pub(crate) mod proof;
mod sidecar;

use std::collections::BTreeMap;
use std::process::ExitCode;

use outrigger_client::CallOptions;
use outrigger_types::{Backend, Priority, Ruleset};
use serde::Serialize;

use crate::cli::{DemoArgs, Failure, TargetArgs};
use crate::commands::verify::check_block;
use crate::play::{self, signing};
use crate::runner::Runner;
use crate::{items, print};

pub(crate) use sidecar::Sidecar;

/// What the chain of the demo is made of, a quarter each.
pub(crate) const MIX: [Ruleset; 4] =
    [Ruleset::EthereumTransaction, Ruleset::Fabric, Ruleset::FiscoSm2, Ruleset::LibraEd25519];

#[derive(Serialize)]
struct Report {
    transactions_per_second: f64,
    block_latency_ms: play::Percentiles,
    wrong_verdicts: u64,
    items_by_backend: BTreeMap<String, u64>,
    transactions: u64,
    bad_planted: u64,
    bad_found: u64,
    seconds: f64,
    blocks: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ethereum_block: Option<BlockReport>,
    proof: proof::ProofReport,
}

#[derive(Serialize)]
struct BlockReport {
    transactions: usize,
    valid: usize,
    transactions_root: Option<String>,
    mismatches: usize,
}

/// Starts a sidecar, plays against it, has it prove, prints what was found. Non-zero where one verdict is wrong.
pub(crate) fn run(args: DemoArgs) -> Result<ExitCode, Failure> {
    if args.rate == 0 || args.seconds == 0 {
        return Err(Failure::input("--rate and --seconds must be at least 1"));
    }
    let say = |text: &str| {
        if !args.json {
            println!("{text}");
        }
    };
    let sidecar = Sidecar::start(&args.opencl)?;
    say(&format!("sidecar started on {}", sidecar.endpoint()));
    let ethereum_block = args.ethereum_block.as_deref().map(|path| block(path, &sidecar)).transpose()?;
    if let Some(block) = &ethereum_block {
        say(&format!(
            "block: {} of {} transactions valid, transactions root {}, {} mismatches",
            block.valid,
            block.transactions,
            block.transactions_root.as_deref().unwrap_or("unknown"),
            block.mismatches
        ));
    }
    let plan = signing::sign(&MIX, args.rate, args.seconds, !args.json)?;
    say(&format!("signed {} transactions; playing {} a second for {} s", plan.transactions(), args.rate, args.seconds));
    // With every OpenCL device asked for, the demo shows what placement makes of them once they are ready.
    let awaited = args.backend.or((args.opencl == "all").then_some(Backend::Opencl));
    if let Some(backend) = awaited {
        say(&format!("waiting until {backend} is ready"));
        play::await_backend(&plan, sidecar.endpoint(), backend)?;
    }
    let before = sidecar.items_by_backend()?;
    let options =
        CallOptions { priority: Priority::Block, deadline: Some(play::BLOCK_TIME_MAX), backend: args.backend };
    let played = play::play(&plan, sidecar.endpoint(), options, !args.json)?;
    let mut items_by_backend = sidecar.items_by_backend()?;
    for (backend, items) in before {
        items_by_backend.entry(backend).and_modify(|all| *all -= items);
    }
    say("proving that a secret leaf is in a Poseidon tree of depth 32; the first run makes a key for it");
    let proof = proof::prove(&sidecar)?;
    sidecar.stop()?;
    let report = Report {
        transactions_per_second: played.items as f64 / played.seconds,
        block_latency_ms: played.latencies.percentiles(),
        wrong_verdicts: played.wrong + ethereum_block.as_ref().map_or(0, |block| block.mismatches as u64),
        items_by_backend,
        transactions: played.items,
        bad_planted: plan.bad(),
        bad_found: played.bad_found,
        seconds: played.seconds,
        blocks: played.blocks,
        ethereum_block,
        proof,
    };
    if args.json {
        print::json(&report);
    } else {
        print_people(&report);
    }
    Ok(if report.wrong_verdicts == 0 && report.proof.verified { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn block(path: &std::path::Path, sidecar: &Sidecar) -> Result<BlockReport, Failure> {
    let json = items::read(path)?;
    let target = TargetArgs {
        endpoint: Some(sidecar.endpoint().to_owned()),
        local: false,
        backend: None,
        priority: Priority::Block,
        timeout_ms: Some(60_000),
        tls_ca: None,
        tls_cert: None,
        tls_key: None,
        json: true,
    };
    let checked = check_block(&json, None, false, &Runner::new(&target)?)?;
    Ok(BlockReport {
        transactions: checked.transactions.len(),
        valid: checked.transactions.iter().filter(|one| one.from.is_some()).count(),
        transactions_root: checked.transactions_root,
        mismatches: checked.mismatches.map_or(0, |mismatches| mismatches.len()),
    })
}

fn print_people(report: &Report) {
    let mut table = print::table(&["demo", "result"]);
    let backends: Vec<_> = report.items_by_backend.iter().map(|(name, items)| format!("{name} {items}")).collect();
    table.add_row(["transactions", &report.transactions.to_string()]);
    table.add_row(["transactions a second", &format!("{:.0}", report.transactions_per_second)]);
    table.add_row(["blocks", &report.blocks.to_string()]);
    table.add_row(["block latency p50", &format!("{:.2} ms", report.block_latency_ms.p50)]);
    table.add_row(["block latency p99", &format!("{:.2} ms", report.block_latency_ms.p99)]);
    table.add_row(["bad ones planted", &report.bad_planted.to_string()]);
    table.add_row(["bad ones found", &report.bad_found.to_string()]);
    table.add_row(["wrong verdicts", &report.wrong_verdicts.to_string()]);
    table.add_row(["items by backend", &backends.join(", ")]);
    let proof = &report.proof;
    table.add_row(["proof", &format!("{}, {} constraints", proof.circuit, proof.constraints)]);
    table.add_row(["witness", &format!("{:.1} ms", proof.witness_ms)]);
    table.add_row(["proof itself", &format!("{:.1} ms", proof.prove_ms)]);
    table.add_row(["from call to proof", &format!("{:.1} ms", proof.round_trip_ms)]);
    table.add_row(["proof verified", if proof.verified { "yes" } else { "NO" }]);
    println!("{table}");
}
