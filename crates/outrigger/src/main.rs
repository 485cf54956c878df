//! The Outrigger sidecar and its command line.

mod bench;
mod cli;
mod commands;
mod demo;
mod devices;
mod files;
mod items;
mod membership;
mod play;
mod print;
mod runner;
mod serve;
mod store;
mod tune;
mod workload;

use std::process::ExitCode;

use clap::Parser;

/// The C library gives large blocks of worker threads back to the system at once and takes page faults for the next
/// ones: 5 % of a zip215 batch, and of a request of 160 KB. See benches/results.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("outrigger: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}

fn run(cli: cli::Cli) -> Result<ExitCode, cli::Failure> {
    match cli.command {
        cli::Command::Serve(args) => serve::run(args),
        cli::Command::Demo(args) => demo::run(args),
        cli::Command::Verify(args) => commands::verify::run(&args),
        cli::Command::Recover(args) => commands::recover::run(&args),
        cli::Command::Hash(args) => commands::hash::run(&args),
        cli::Command::Merkle(args) => commands::merkle::run(&args),
        cli::Command::Circuits(args) => commands::circuits::run(&args),
        cli::Command::Prove(args) => commands::prove::run(&args),
        cli::Command::Jobs(args) => commands::jobs::run(&args),
        cli::Command::VerifyProof(args) => commands::verify_proof::run(&args),
        cli::Command::Setup(args) => commands::setup::run(&args),
        cli::Command::Bench(args) => bench::run(&args),
        cli::Command::Top(args) => commands::top::run(&args),
        cli::Command::Tune(args) => tune::run(&args),
        cli::Command::Devices(args) => commands::devices::run(&args),
        cli::Command::CheckConfig(args) => serve::check_config(&args),
        cli::Command::DeviceWorker(args) => devices::worker::run(&args),
        cli::Command::BenchEcho(args) => bench::serve_echo(&args),
    }
}
