use std::ffi::c_void;
use std::ptr;

use outrigger_device::conformance;
use outrigger_kernels::programs;

use super::*;

fn queue() -> Box<dyn Queue> {
    let mut queue = HostDevice::new().queue().expect("a queue");
    queue.load(Program::find("probe").expect("the probe")).expect("it loads");
    queue
}

#[cfg(kernel_sanitizers)]
fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[cfg(kernel_sanitizers)]
fn buffer_of(queue: &mut dyn Queue, words: &[u32]) -> Buffer {
    let buffer = queue.allocate(4 * words.len()).expect("memory");
    queue.write(&buffer, 0, &bytes(words)).expect("a write");
    buffer
}

fn words_of(queue: &mut dyn Queue, buffer: &Buffer) -> Vec<u32> {
    let mut bytes = vec![0; buffer.bytes()];
    queue.read(buffer, 0, &mut bytes).expect("a read");
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().expect("four bytes"))).collect()
}

#[test]
fn every_program_loads() {
    let mut queue = HostDevice::new().queue().expect("a queue");
    for program in programs() {
        queue.load(program).unwrap_or_else(|error| panic!("{}: {error}", program.name));
    }
}

#[test]
fn the_host_keeps_to_the_seam() {
    for check in conformance::CHECKS {
        (check.run)(&HostDevice::new()).unwrap_or_else(|error| panic!("{}: {error}", check.name));
    }
}

#[test]
fn new_memory_looks_like_no_result() {
    let mut queue = queue();
    let buffer = queue.allocate(8).expect("memory");
    assert_eq!(words_of(&mut *queue, &buffer), [0xA5A5_A5A5; 2]);
}

#[test]
fn more_memory_than_any_machine_has_is_an_error() {
    let mut queue = HostDevice::with_memory(u64::MAX).queue().expect("a queue");
    for bytes in [usize::MAX, isize::MAX as usize, 1 << 60] {
        assert!(matches!(queue.allocate(bytes), Err(DeviceError::OutOfMemory { .. })), "{bytes}");
    }
}

#[test]
fn a_program_that_was_not_loaded_has_no_kernels() {
    let mut queue = HostDevice::new().queue().expect("a queue");
    let buffer = queue.allocate(4).expect("memory");
    let launched = queue.launch("probe_sum", 1, 1, &[(&buffer).into(), (&buffer).into(), 1.into()]);
    assert!(matches!(launched, Err(DeviceError::Misuse(_))));
}

unsafe extern "C" fn meets_once(_: *const *mut c_void) {
    group::host_barrier();
}

/// Of a group, all but one come to the barrier; where, the first argument says.
unsafe extern "C" fn one_stays_away(arguments: *const *mut c_void) {
    // SAFETY: the test passes the address of an atomic.
    let arrivals = unsafe { &*(*arguments).cast::<std::sync::atomic::AtomicU32>() };
    if arrivals.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 8 != 3 {
        group::host_barrier();
    }
}

/// On a GPU such a kernel hangs; here the launch must end, and say so.
#[test]
fn a_group_that_does_not_meet_is_an_error() {
    let shared = HostDevice::new().shared;
    let run = |entry: Entry, cooperative, group_size| {
        let mut arrivals = std::sync::atomic::AtomicU32::new(0);
        let arguments = [ptr::from_mut(&mut arrivals).cast()];
        // SAFETY: the entries above read no more than the first argument.
        unsafe { group::run(&shared.running(), entry, cooperative, 5, group_size, &arguments) }
    };
    assert_eq!(run(meets_once, true, 8), Ok(()));
    assert_eq!(run(meets_once, true, 1), Ok(()));
    assert_eq!(run(one_stays_away, true, 8), Err(group::Broken::Diverged));
    assert_eq!(run(meets_once, false, 8), Err(group::Broken::Diverged), "a barrier in a kernel that declares none");
}

/// Ends the process, where it is allowed to begin: for the test below.
#[cfg(kernel_sanitizers)]
#[test]
fn overruns_a_buffer() {
    if std::env::var_os("OUTRIGGER_TEST_OVERRUN").is_none() {
        return;
    }
    let mut queue = queue();
    let (source, target) = (buffer_of(&mut *queue, &[1, 2]), queue.allocate(4).expect("memory"));
    let _ = queue.launch("probe_scale", 1, 2, &[(&source).into(), (&target).into(), 1.into(), 2.into()]);
}

/// That a sanitizer watches at all: it sees the first byte past a buffer of the device.
#[cfg(kernel_sanitizers)]
#[test]
fn a_sanitizer_sees_an_overrun() {
    let output = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "tests::overruns_a_buffer", "--nocapture"])
        .env("OUTRIGGER_TEST_OVERRUN", "1")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("heap-buffer-overflow"), "{said}");
}
