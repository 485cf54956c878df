//! Long runs with a seed: `tests/soak NAME [ARGS]`. Not part of the test command; every run prints its seed, what it
//! did and how long it took, and ends with status 1 where anything was wrong.

mod support;

#[path = "soaks/beside_proof.rs"]
mod beside_proof;
#[path = "soaks/crafted.rs"]
mod crafted;
#[path = "soaks/devices.rs"]
mod devices;
#[path = "soaks/hashes.rs"]
mod hashes;
#[path = "soaks/jobs.rs"]
mod jobs;
#[path = "soaks/killed.rs"]
mod killed;
#[path = "soaks/load.rs"]
mod load;
#[path = "soaks/proofs.rs"]
mod proofs;
#[path = "soaks/proving.rs"]
mod proving;
#[path = "soaks/restart.rs"]
mod restart;
#[path = "soaks/simulated.rs"]
mod simulated;
#[path = "soaks/transactions.rs"]
mod transactions;
#[path = "soaks/verdicts.rs"]
mod verdicts;

use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "usage: tests/soak NAME [ARGS]
  verdicts [ITEMS] [SEED]    ITEMS mutated items of each ruleset, each backend against the reference (1000)
  algorithms [ITEMS] [SEED] [NAME]  the same, ITEMS of each algorithm (of the one of this name), shared by its
                             operations (1000)
  devices [ITEMS] [SEED] [BACKEND] [NAME]  ITEMS items of each algorithm that has kernels (of the one of this name),
                             shared by its operations, on a device of this process: host (the kernels compiled by
                             the C compiler) or opencl (the first device), against the reference (1000, host);
                             groth16: points, elements and constraints of sums, transforms and proofs
  hashes [ITEMS] [SEED]      ITEMS messages for each hash function, each backend against the reference (10000)
  load [SECONDS]             twice the load that a sidecar can carry, votes between (10)
  restart [ROUNDS]           a sidecar killed and started again under load (10)
  proofs [COUNT] [SEED] [BACKEND]
                             COUNT proofs from 8 clients over a mix of circuits, all verified, memory bounded (100);
                             on a backend that is named, of the tree's circuit, none of them repeated elsewhere
  killed [ROUNDS] [SEED]     proofs on an OpenCL device whose worker is killed in the midst of each stage (1)
  jobs [ROUNDS] [SEED]       submitted proofs and a sidecar killed in the middle of them (5)
  transactions [COUNT] [SEED]  COUNT raw Ethereum transactions over the socket, as fast as they are taken (3000000)
  beside-proof [K]           what a verify batch waits beside a proof of 2^K constraints (20)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else { return usage() };
    let numbers: Vec<u64> = rest.iter().map_while(|argument| argument.parse().ok()).take(2).collect();
    let words: Vec<&str> = rest[numbers.len()..].iter().map(String::as_str).collect();
    let words_max = match name.as_str() {
        "algorithms" | "proofs" => 1,
        "devices" => 2,
        _ => 0,
    };
    if words.len() > words_max {
        return usage();
    }
    let number = |i: usize| numbers.get(i).copied();
    let since = Instant::now();
    let wrong = match name.as_str() {
        "algorithms" => verdicts::each_algorithm(number(0).unwrap_or(1_000), number(1), words.first().copied()),
        "beside-proof" => beside_proof::run(number(0).unwrap_or(20)),
        "devices" => devices::run(number(0).unwrap_or(1_000), number(1), words.first().copied(), words.get(1).copied()),
        "hashes" => hashes::run(number(0).unwrap_or(10_000), number(1)),
        "jobs" => jobs::run(number(0).unwrap_or(5), number(1)),
        "killed" => killed::run(number(0).unwrap_or(1), number(1)),
        "proofs" => proofs::run(number(0).unwrap_or(100), number(1), words.first().copied()),
        "load" => load::run(number(0).unwrap_or(10)),
        "restart" => restart::run(number(0).unwrap_or(10)),
        "transactions" => transactions::run(number(0).unwrap_or(3_000_000), number(1)),
        "verdicts" => verdicts::run(number(0).unwrap_or(1_000), number(1)),
        _ => return usage(),
    };
    println!("{} in {:.1} s", if wrong == 0 { "all well" } else { "FAILED" }, since.elapsed().as_secs_f64());
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}
