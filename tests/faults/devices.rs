//! Devices that stop, lose their memory or find their compiled kernels damaged. Callers get right answers, or, where
//! they left no choice, a clear status; metrics tell what happened; the device comes back by itself.

use std::fs;
use std::time::{Duration, Instant};

use outrigger_client::{CallOptions, Client};
use outrigger_types::{Backend, HashAlgorithm, Ruleset, Verdict};
use rustix::process::{Signal, kill_process};

use crate::support::device::{alone, answer_by, has_opencl, kernel_cache, on, until_metric, until_served, worker_of};
use crate::support::load::{Callers, Known, runtime};
use crate::support::sidecar::Sidecar;
use crate::support::workload::{hashing, items};

/// A worker that stands still for so long is killed; one that works on a busy machine is not.
const HANG_MAX: Duration = Duration::from_secs(5);
/// The same while it compiles and tests the kernels of other operations, as it may all the time here.
const READY_MAX: Duration = Duration::from_secs(60);

/// Placement would leave a device alone that is slower than the cores, as this one is, so some callers insist on it.
#[test]
fn a_worker_that_stands_still_makes_nobody_else_wait_and_is_replaced() {
    if !has_opencl() {
        return;
    }
    let _alone = alone();
    let (hang_max, ready_max, cache) = (HANG_MAX.as_secs(), READY_MAX.as_secs(), kernel_cache());
    let devices =
        format!("[devices]\nhang_max = \"{hang_max}s\"\nready_max = \"{ready_max}s\"\nkernel_cache = {cache:?}\n");
    let no_memory = "[scheduler]\ncache_entries = 0\n[log]\nfilter = \"warn\"\n";
    let sidecar = Sidecar::start_with(&format!("[engines]\nopencl = \"all\"\n{no_memory}{devices}"));
    let runtime = runtime();
    let client = runtime.block_on(async {
        let client = sidecar.client().await;
        until_served(&client, Backend::Opencl, Ruleset::Fabric).await;
        client
    });
    let few = Known::new(Ruleset::Fabric, &items(Ruleset::Fabric, 16, 17, 21));
    let callers = Callers::start(&runtime, &client, 2, std::slice::from_ref(&few));
    let insisting = Callers::start_on(&runtime, &client, 2, &[few], Some(Backend::Opencl));
    runtime.block_on(async {
        let on_device = ["backend=\"opencl\"", "ruleset=\"fabric\""];
        let so_far = sidecar.metric("outrigger_items_total", &on_device);
        until_metric(&sidecar, "outrigger_items_total", &on_device, so_far + 32.0).await;
        let worker = worker_of(&sidecar).expect("a worker");
        kill_process(worker, Signal::STOP).expect("it is stopped");
        let since = Instant::now();
        until_metric(&sidecar, "outrigger_device_workers_total", &["event=\"hung\""], 1.0).await;
        println!("replaced after {:?}", since.elapsed());
    });
    let (tally, insisted) = (callers.finish(&runtime), insisting.finish(&runtime));
    println!("{} calls, longest {:?}; on the device: {insisted:?}", tally.calls, tally.longest);
    assert_eq!((tally.wrong, tally.refusals()), (0, 0), "{:?}", tally.refused);
    assert!(tally.longest < HANG_MAX, "nobody waits for the device: {:?}", tally.longest);
    // Whoever insists is told that there is no answer; none is made up.
    assert_eq!(insisted.wrong, 0);
    assert!(insisted.refusals() >= 1, "what the worker had is not answered: {insisted:?}");
    runtime.block_on(until_served(&client, Backend::Opencl, Ruleset::Fabric));
}

#[test]
fn a_device_without_memory_refuses_and_the_cores_answer() {
    if !has_opencl() {
        return;
    }
    let _alone = alone();
    // Enough for the trials of small batches, not for this message.
    let devices = format!("[devices]\nmemory_bytes_max = \"4MiB\"\nkernel_cache = {:?}\n", kernel_cache());
    let sidecar = Sidecar::start_with(&format!("[engines]\nopencl = \"all\"\n{devices}"));
    let work = hashing(HashAlgorithm::Sha256, 1, 5 << 20);
    runtime().block_on(async {
        let client = sidecar.client().await;
        let few = hashing(HashAlgorithm::Sha256, 10, 64);
        let verdicts = answer_by(&client, Backend::Opencl, &few).await.verdicts;
        assert_eq!(verdicts, [Verdict::Valid; 10]);
        let forced = client.run(work.clone(), on(Backend::Opencl)).await.map(|answer| answer.output.verdicts);
        println!("forced: {}", forced.expect_err("it has no memory for it"));
        let here = client.run(work.clone(), CallOptions::default()).await.expect("the cores have");
        assert_eq!(here.output.verdicts, [Verdict::Valid]);
        assert!(sidecar.metric("outrigger_device_events_total", &["event=\"out_of_memory\""]) >= 1.0);
        // It goes on with what it has memory for.
        assert_eq!(answer_by(&client, Backend::Opencl, &few).await.verdicts, [Verdict::Valid; 10]);
        assert_eq!(sidecar.metric("outrigger_device_workers_total", &["event=\"died\""]), 0.0);
    });
}

#[test]
fn damaged_kernels_on_disk_are_compiled_again() {
    if !has_opencl() {
        return;
    }
    let _alone = alone();
    // Whatever the cache holds, in a copy of its own: first filled, then damaged.
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("kernels");
    let config = format!("[engines]\nopencl = \"all\"\n[devices]\nkernel_cache = {cache:?}\n");
    copy(&kernel_cache(), &cache);
    let work = hashing(HashAlgorithm::Sha256, 50, 64);
    let answer = async |client: &Client| answer_by(client, Backend::Opencl, &work).await.verdicts;
    let (first, second) = (runtime(), runtime());
    let sidecar = Sidecar::start_with(&config);
    assert_eq!(first.block_on(async { answer(&sidecar.client().await).await }), [Verdict::Valid; 50]);
    drop(sidecar);
    let mut entries: Vec<_> = fs::read_dir(&cache).expect("the cache").flatten().collect();
    assert!(!entries.is_empty(), "kernels are kept");
    entries.sort_by_key(|entry| entry.metadata().map(|metadata| metadata.len()).unwrap_or(0));
    // The smallest, for they compile fast: one with a flipped bit, one cut short, one emptied.
    for (entry, harm) in entries.iter().zip([flip as fn(&mut Vec<u8>), halve, Vec::clear]) {
        let mut bytes = fs::read(entry.path()).expect("an entry");
        harm(&mut bytes);
        fs::write(entry.path(), bytes).expect("it is damaged");
    }
    let sidecar = Sidecar::start_with(&config);
    assert_eq!(second.block_on(async { answer(&sidecar.client().await).await }), [Verdict::Valid; 50]);
    assert_eq!(sidecar.metric("outrigger_device_workers_total", &["event=\"died\""]), 0.0);
}

#[expect(clippy::ptr_arg, reason = "one of several that harm an entry")]
fn flip(bytes: &mut Vec<u8>) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}

fn halve(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() / 2);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).expect("a folder");
    fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("its mode");
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}
