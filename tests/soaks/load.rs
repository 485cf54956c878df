//! Overload for as long as one likes.

use std::time::Duration;

use crate::support::load::runtime;
use crate::support::overload;
use crate::support::sidecar::Sidecar;

/// What a vote of a few signatures may take.
const VOTE_DEADLINE: Duration = Duration::from_millis(500);

/// Gives back how much was wrong.
pub(crate) fn run(seconds: u64) -> u64 {
    let sidecar = Sidecar::start_with("[scheduler]\ncache_entries = 0\n[log]\nfilter = \"warn\"\n");
    let done = overload::run(&runtime(), &sidecar, Duration::from_secs(seconds), |_| VOTE_DEADLINE);
    let (before, highest) = done.memory_kib;
    println!("load: {seconds} s, carries {:.0} items/s, offered {:.0}", done.capacity, done.offered);
    println!("  {} calls, {} refused {:?}", done.load.calls, done.load.refusals(), done.load.refused);
    println!(
        "  {} votes, {} missed their deadline of {} ms, the longest took {:?}",
        done.votes.calls,
        done.votes.refusals(),
        VOTE_DEADLINE.as_millis(),
        done.votes.longest
    );
    println!("  memory {before} KiB before, {highest} KiB at its highest");
    sidecar.wait_until_idle();
    let wrong = done.load.wrong + done.votes.wrong + done.votes.refusals() + done.load.without_retry;
    println!("  {wrong} wrong");
    wrong
}
