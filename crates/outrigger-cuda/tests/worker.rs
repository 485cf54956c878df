//! The program as the sidecar starts it, on the driver's double.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use outrigger_algorithms::{gpu, planted, registry};
use outrigger_device::{Api, DeviceError, DeviceInfo, Job, Standing, WorkerHandle, WorkerOptions};
use outrigger_types::packed::Marks;
use outrigger_types::{HashAlgorithm, Operation, Ruleset, Verdict, packed};

/// Far longer than anything here takes, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program with the double in the loader's path.
fn worker() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outrigger-cuda"));
    command.env("LD_LIBRARY_PATH", double());
    command
}

/// The folder of the double: the build script of `outrigger-device-cuda` puts it there.
fn double() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_outrigger-cuda")).with_file_name("cuda-double");
    assert!(folder.join("libcuda.so.1").exists(), "no double of the driver in {}", folder.display());
    folder
}

/// What `--list` comes to.
fn listed(command: &mut Command) -> (Output, Vec<DeviceInfo>) {
    let output = command.arg("--list").stdin(Stdio::null()).output().expect("it runs");
    let devices = String::from_utf8_lossy(&output.stdout).lines().filter_map(DeviceInfo::from_line).collect();
    (output, devices)
}

fn options() -> WorkerOptions {
    WorkerOptions { build: gpu::build(), arena_bytes: 16 << 20, ..WorkerOptions::default() }
}

/// Waits until the worker serves an operation.
fn wait_for(worker: &WorkerHandle, operation: Operation) {
    let code = gpu::code(operation).expect("there are kernels for it");
    let until = Instant::now() + PATIENCE;
    while worker.standing(code) != Some(Standing::Serves) {
        assert!(Instant::now() < until, "{:?}, {:?}", worker.standing(code), worker.last_failure());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn devices_are_listed_a_line_each() {
    let (output, devices) = listed(worker().env("CUDA_DOUBLE_DEVICES", "2"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let labels: Vec<_> = devices.iter().map(DeviceInfo::label).collect();
    assert_eq!(labels, ["double #0", "double #1"], "two of one model are told apart");
    assert!(devices.iter().all(|device| device.api == Api::Cuda && !device.is_processor));
}

#[test]
fn a_driver_without_a_device_lists_none_and_a_missing_driver_fails_at_the_start() {
    let (output, devices) = listed(worker().env("CUDA_DOUBLE_DEVICES", "0"));
    assert!(output.status.success() && devices.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    // What the loader finds first is no library, so this holds on a machine with a driver too.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-driver");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("libcuda.so.1"), "").expect("an empty file");
    let (output, _) = listed(worker().env("LD_LIBRARY_PATH", &folder));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(127), "{said}");
    assert!(said.contains("libcuda.so.1"), "{said}");
}

#[test]
fn a_batch_is_answered_as_the_cpu_answers_it() {
    let start = || {
        let mut command = worker();
        command.args(["--ordinal", "0", "--memory-bytes-max", "67108864"]);
        command
    };
    let worker = WorkerHandle::start(start, options()).expect("a handle");
    for operation in [Operation::Verify(Ruleset::EthereumTransaction), Operation::Hash(HashAlgorithm::Sha256)] {
        wait_for(&worker, operation);
        let work = Arc::new(planted::work(operation, &planted::mixed(21)).expect("planted items"));
        let parts = [(work.clone(), 0..21)];
        let mut region = worker
            .region(packed::packed_len(&parts, &Marks::none()), packed::answer_len(&parts))
            .expect("room in the arena");
        packed::pack(&parts, &Marks::none(), region.input_mut());
        let nonce = 0x0123_4567_89ab_cdef;
        let (operation_code, header) = (gpu::code(operation).expect("a code"), gpu::header(nonce));
        let (sender, receiver) = mpsc::channel();
        let job = Job { operation: operation_code, header, region, deadline: None };
        let taken = worker.submit(job, Box::new(move |finished| sender.send(finished).expect("somebody waits")));
        taken.map_err(|(refusal, _)| refusal).expect("it is taken");
        let finished = receiver.recv_timeout(PATIENCE).expect("an answer");
        let timing = finished.result.expect("an answer");
        assert!(timing.bytes_in > 0 && timing.bytes_out > 0, "{timing:?}");
        let bytes = finished.region.expect("its region").output();
        let answer = packed::read_answer(nonce, operation, 21, &bytes).expect("right tags");
        assert_eq!(answer, registry::run(&work, 0..21), "{operation:?}");
        assert!(answer.verdicts.contains(&Verdict::Valid));
    }
    assert_eq!(worker.info().expect("it came up").memory_bytes, 67_108_864);
}

#[test]
fn a_parent_of_another_build_is_refused() {
    let options = WorkerOptions { build: "another".to_owned(), ..options() };
    let handle = WorkerHandle::start(worker, options).expect("a handle");
    let until = Instant::now() + PATIENCE;
    while handle.last_failure().is_none() {
        assert!(Instant::now() < until, "nothing failed");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(matches!(handle.last_failure(), Some(DeviceError::Failed(_))), "{:?}", handle.last_failure());
    assert!(!handle.is_up());
}
