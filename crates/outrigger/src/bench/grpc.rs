//! The suite `grpc`: what the way of a request costs, with an engine that only echoes, in a server of its own.

mod echo;
mod load;

pub(crate) use echo::serve_echo;

use outrigger_types::Ruleset;
use serde_json::json;

use super::{Record, announce, cores, pairs};
use crate::cli::{BenchArgs, Failure};

/// Runs of each measurement; the median counts.
const RUNS: usize = 5;
/// Items of a packed batch.
const PACKED: usize = 1_000;

/// Runs the suite.
pub(super) fn run(args: &BenchArgs) -> Result<Vec<Record>, Failure> {
    if args.ruleset.is_some() || args.algorithm.is_some() {
        return Err(Failure::input("bench grpc has an engine that echoes: it takes no --ruleset or --algorithm"));
    }
    let server = echo::EchoServer::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::work)?;
    let batch = args.batch.unwrap_or(PACKED);
    announce(args, &format!("packed batches of {batch}, one call at a time"));
    let packed = measure("packed", batch, &server, || runtime.block_on(load::packed(&server, batch, 1)))?;
    announce(args, &format!("packed batches of {batch}, four calls at a time"));
    let framing = measure("packed-4-calls", batch, &server, || runtime.block_on(load::packed(&server, batch, 4)))?;
    announce(args, "unary calls of one");
    let mut unary = measure("unary", 1, &server, || runtime.block_on(load::packed(&server, 1, 1)))?;
    // What the echo itself takes is part of the round trip, but not of what the way adds: it is nanoseconds.
    unary.more.insert("added_us_p50".into(), unary.latency_us.p50.into());
    announce(args, "a windowed stream of messages of one");
    let stream = measure("stream", 1, &server, || runtime.block_on(load::stream(&server)))?;
    announce(args, "single calls gathered by the client");
    let gathered = measure("gathered", 1, &server, || runtime.block_on(load::gathered(&server)))?;
    Ok(vec![packed, framing, unary, stream, gathered])
}

/// Runs a load [`RUNS`] times after one to warm up, and reads the server's processor time around each.
fn measure(
    name: &str,
    batch: usize,
    server: &echo::EchoServer,
    mut load: impl FnMut() -> Result<load::Carried, Failure>,
) -> Result<Record, Failure> {
    load()?;
    let (mut rates, mut overheads, mut latencies) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let before = server.cpu_time()?;
        let carried = load()?;
        let after = server.cpu_time()?;
        let outside = (after.process_ns - before.process_ns).saturating_sub(after.engine_ns - before.engine_ns);
        overheads.push(outside as f64 / 1e3 / carried.requests as f64);
        rates.push(carried.items as f64 / carried.seconds);
        latencies.extend(carried.latencies_us);
    }
    let mut more = serde_json::Map::new();
    more.insert("server_cpu_us_per_request".into(), json!(pairs::median(&mut overheads)));
    more.insert("runs".into(), json!(RUNS));
    Ok(Record {
        ruleset: Some(Ruleset::EthereumTransaction.name()),
        backend: "echo".into(),
        items_per_second: pairs::median(&mut rates),
        latency_us: pairs::latency(&mut latencies),
        more,
        ..Record::new("grpc", name, batch, cores())
    })
}
