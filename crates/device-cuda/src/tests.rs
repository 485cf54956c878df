//! On the driver's double, which cargo puts before any driver of the machine.

use std::env;
use std::process::Command;

use outrigger_device::{Device, DeviceError, conformance};
use outrigger_kernels::{Program, programs};

use super::*;

mod faults;

/// Names what a child of this program is to do.
const CHILD: &str = "OUTRIGGER_TEST_CHILD";

fn device() -> CudaDevice {
    CudaDevice::open(0, &CudaOptions::default()).expect("the double has a device")
}

#[test]
fn cuda_keeps_to_the_seam() {
    let device = device();
    assert_eq!(device.info().name, "double", "tests run on the double");
    for check in conformance::CHECKS {
        (check.run)(&device).unwrap_or_else(|error| panic!("{}: {error}", check.name));
    }
}

#[test]
fn devices_are_described() {
    let all = list().expect("a list");
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].platform.as_str(), all[0].driver.as_str()), ("CUDA, sm_90", "CUDA 13.0"));
    assert!(matches!(CudaDevice::open(1, &CudaOptions::default()), Err(DeviceError::Absent(_))));
}

#[test]
fn every_program_loads() {
    let mut queue = device().queue().expect("a queue");
    for program in programs() {
        queue.load(program).unwrap_or_else(|error| panic!("{}: {error}", program.name));
    }
}

#[test]
fn memory_that_the_driver_does_not_have_is_an_error() {
    let device = CudaDevice::open(0, &CudaOptions { memory_bytes_max: Some(u64::MAX), ..CudaOptions::default() })
        .expect("a device");
    let mut queue = device.queue().expect("a queue");
    for bytes in [usize::MAX, 1 << 40] {
        let refused = queue.allocate(bytes).err();
        assert!(matches!(refused, Some(DeviceError::OutOfMemory { .. })), "{bytes}: {refused:?}");
    }
    assert!(queue.allocate(1000).is_ok(), "the device lives on");
}

#[test]
fn memory_is_pinned() {
    let memory = [0u8; 4096];
    assert_eq!(device().pin(memory.as_ptr().expose_provenance(), memory.len()), Ok(()));
    assert!(device().pin(0, 0).is_err());
}

/// The child of the tests below; does nothing by itself.
#[test]
fn child() {
    let Ok(what) = env::var(CHILD) else { return };
    let said = match what.as_str() {
        "list" => format!("{:?}", list()),
        "open" => format!("{:?}", CudaDevice::open(0, &CudaOptions::default()).err()),
        _ => launch_after_fault(),
    };
    println!("said: {said}");
}

/// What four launches and a new buffer come to.
fn launch_after_fault() -> String {
    let mut queue = device().queue().expect("a queue");
    queue.load(Program::find("probe").expect("the probe")).expect("it loads");
    let buffer = queue.allocate(4).expect("memory");
    let mut results = Vec::new();
    for _ in 0..4 {
        let arguments = [(&buffer).into(), (&buffer).into(), 1.into(), 1.into()];
        let launched = queue.launch("probe_scale", 1, 1, &arguments).and_then(|()| queue.finish());
        results.push(match launched {
            Ok(()) => "ok",
            Err(DeviceError::Lost(_)) => "lost",
            Err(_) => "another",
        });
    }
    results.push(if matches!(queue.allocate(4), Err(DeviceError::Lost(_))) { "lost" } else { "another" });
    results.join(" ")
}

/// What a child of this program says that runs one test, where the variable has that value.
fn said_by(test: &str, what: &str, variable: &str, value: &str) -> String {
    let output = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, what)
        .env(variable, value)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "the child runs one test: {text}");
    text
}

#[test]
fn a_driver_without_a_device_has_none() {
    let said = said_by("tests::child", "list", "CUDA_DOUBLE_DEVICES", "0");
    assert!(said.contains("said: Ok([])"), "{said}");
    let said = said_by("tests::child", "open", "CUDA_DOUBLE_DEVICES", "0");
    assert!(said.contains("said: Some(Absent("), "{said}");
}

/// An error of a kernel is sticky: whoever drives the device must start anew.
#[test]
fn a_kernel_that_goes_astray_loses_the_device() {
    let said = said_by("tests::child", "launch", "CUDA_DOUBLE_FAULT", "3");
    assert!(said.contains("said: ok ok lost lost lost"), "{said}");
}
