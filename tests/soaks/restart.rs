//! A sidecar that is killed and started again under load, round after round.

use std::time::Duration;

use outrigger_client::{BreakerOptions, Client, ClientOptions, Fallback};
use outrigger_types::Ruleset;

use crate::support::load::{Callers, Known, runtime};
use crate::support::sidecar::Sidecar;
use crate::support::workload::items;

/// How long the sidecar runs, and how long it is away.
const UP: Duration = Duration::from_millis(400);
const DOWN: Duration = Duration::from_millis(100);

/// Gives back how much was wrong: items lost and verdicts that are not what they must be.
pub(crate) fn run(rounds: u64) -> u64 {
    let mut sidecar = Sidecar::start_with("[log]\nfilter = \"warn\"\n");
    let runtime = runtime();
    let breaker = BreakerOptions { probe_interval: Duration::from_millis(50), ..BreakerOptions::default() };
    let options = ClientOptions { fallback: Fallback::Local, breaker, ..sidecar.client_options() };
    let client = runtime.block_on(Client::connect(options)).expect("a client");
    let works: Vec<_> = Ruleset::ALL.iter().map(|&ruleset| Known::new(ruleset, &items(ruleset, 32, 5, 1))).collect();
    let batches = Callers::start(&runtime, &client, 4, &works);
    let one = Ruleset::LibraEd25519;
    let singles = Callers::start_singles(&runtime, &client, 16, one, &items(one, 500, 5, 2));
    for _ in 0..rounds {
        std::thread::sleep(UP);
        sidecar.kill();
        std::thread::sleep(DOWN);
        sidecar.start_again();
    }
    std::thread::sleep(UP);
    let (batches, singles) = (batches.finish(&runtime), singles.finish(&runtime));
    let stats = client.stats();
    println!("restart: {rounds} kills; {} items in batches, {} single", batches.items, singles.items);
    println!("  {} by the sidecar, {} in this process", stats.items_sidecar, stats.items_local);
    let wrong = [&batches, &singles].iter().map(|tally| tally.refusals() + tally.wrong).sum();
    println!("  {wrong} lost or wrong; refused {:?} {:?}", batches.refused, singles.refused);
    wrong
}
