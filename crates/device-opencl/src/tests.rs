//! On whatever OpenCL there is, which in CI is PoCL. Where there is none, a test says so; with `CI=true` it fails.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use outrigger_device::{Api, Device, DeviceError, conformance};
use outrigger_kernels::{Program, programs};

use super::*;

/// Names the test that a child of this program is to run.
const CHILD: &str = "OUTRIGGER_TEST_CHILD";

/// The first device, or `None` with a message that cannot be overlooked.
fn device(options: &OpenClOptions) -> Option<OpenClDevice> {
    match OpenClDevice::open(0, options) {
        Ok(device) => Some(device),
        Err(error @ DeviceError::Absent(_)) => {
            assert!(env::var("CI").as_deref() != Ok("true"), "no OpenCL device, which CI must have: {error}");
            eprintln!("NOT RUN: {error}; install pocl-opencl-icd");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn with_cache(directory: &Path) -> OpenClOptions {
    OpenClOptions { cache: Some(directory.to_owned()), ..OpenClOptions::default() }
}

#[test]
fn opencl_keeps_to_the_seam() {
    let options = OpenClOptions { memory_bytes_max: Some(1 << 30), ..OpenClOptions::default() };
    let Some(device) = device(&options) else { return };
    println!("{:?}", device.info());
    for check in conformance::CHECKS {
        // Oclgrind stops at an assertion of its own when two kernels run at a time.
        if check.name == conformance::SEVERAL_THREADS && device.info().platform.starts_with("Oclgrind") {
            eprintln!("NOT RUN under Oclgrind: {}", check.name);
            continue;
        }
        (check.run)(&device).unwrap_or_else(|error| panic!("{}: {error}", check.name));
    }
}

#[test]
fn a_device_is_described() {
    let Some(device) = device(&OpenClOptions::default()) else { return };
    let info = device.info();
    assert_eq!((info.api, info.ordinal), (Api::OpenCl, 0));
    assert!(!info.name.is_empty() && !info.platform.is_empty() && !info.driver.is_empty());
    assert!(info.memory_bytes > 0 && info.compute_units > 0);
    assert!((1..=128).contains(&info.group_size_max));
    assert_eq!(list().expect("a list")[0], *info);
}

#[test]
fn a_device_past_the_last_is_absent() {
    assert!(matches!(OpenClDevice::open(u32::MAX, &OpenClOptions::default()), Err(DeviceError::Absent(_))));
}

/// The driver compiles once; the next process finds the binary; a damaged one is compiled again and written anew.
#[test]
fn programs_are_kept_on_disk() {
    let directory = tempfile::tempdir().expect("a directory");
    let probe = Program::find("probe").expect("the probe");
    let compilations = || {
        let device = device(&with_cache(directory.path()))?;
        assert!(device.has_cache());
        let mut queue = device.queue().expect("a queue");
        queue.load(probe).expect("it loads");
        queue.load(probe).expect("it loads again");
        let other = device.queue().and_then(|mut other| other.load(probe));
        assert_eq!(other, Ok(()));
        for check in &conformance::CHECKS[..3] {
            (check.run)(&device).unwrap_or_else(|error| panic!("{}: {error}", check.name));
        }
        Some(device.compilations())
    };
    let Some(first) = compilations() else { return };
    assert_eq!((first, compilations()), (1, Some(0)));
    let entry = fs::read_dir(directory.path()).expect("a listing").next().expect("an entry").expect("an entry").path();
    let good = fs::read(&entry).expect("the entry");
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 0x10;
    for damaged in [&bad[..], &good[..good.len() / 2], &[]] {
        fs::write(&entry, damaged).expect("a write");
        assert_eq!(compilations(), Some(1), "{} bytes", damaged.len());
        assert_eq!(compilations(), Some(0), "written anew");
    }
}

/// An entry that is whole but that the driver does not take: of a driver whose version did not change, say.
#[test]
fn a_binary_that_the_driver_refuses_is_compiled_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let Some(first) = device(&with_cache(directory.path())) else { return };
    let probe = Program::find("probe").expect("the probe");
    first.queue().expect("a queue").load(probe).expect("it loads");
    let entry = fs::read_dir(directory.path()).expect("a listing").next().expect("an entry").expect("an entry").path();
    let content = fs::read(&entry).expect("the entry");
    let key_bytes = u64::from_le_bytes(content[16..24].try_into().expect("eight bytes")) as usize;
    let mut forged = content[..24 + key_bytes].to_vec();
    forged.extend(b"no binary of any driver");
    let digest = blake3::hash(&forged);
    forged.extend(digest.as_bytes());
    fs::write(&entry, forged).expect("a write");
    let second = device(&with_cache(directory.path())).expect("it was there");
    second.queue().expect("a queue").load(probe).expect("it loads");
    assert_eq!(second.compilations(), 1);
}

#[test]
fn a_cache_that_others_can_write_to_is_not_used() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().expect("a directory");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).expect("permissions");
    let Some(device) = device(&with_cache(directory.path())) else { return };
    assert!(!device.has_cache());
    device.queue().expect("a queue").load(Program::find("probe").expect("the probe")).expect("it loads");
    assert_eq!(fs::read_dir(directory.path()).expect("a listing").count(), 0);
}

#[test]
fn a_memory_budget_holds() {
    let options = OpenClOptions { memory_bytes_max: Some(1000), ..OpenClOptions::default() };
    let Some(device) = device(&options) else { return };
    let mut queue = device.queue().expect("a queue");
    let _held = queue.allocate(600).expect("600 of 1000");
    let refused = queue.allocate(401).err();
    assert_eq!(refused, Some(DeviceError::OutOfMemory { wanted: 401, left: 400 }));
}

/// What the budget allows but the driver does not.
#[test]
fn memory_that_the_driver_does_not_have_is_an_error() {
    let options = OpenClOptions { memory_bytes_max: Some(u64::MAX), ..OpenClOptions::default() };
    let Some(device) = device(&options) else { return };
    let mut queue = device.queue().expect("a queue");
    for bytes in [usize::MAX, 1 << 60, 1 << 50] {
        let refused = queue.allocate(bytes).err();
        assert!(matches!(refused, Some(DeviceError::OutOfMemory { .. })), "{bytes}: {refused:?}");
    }
    assert!(queue.allocate(1000).is_ok(), "the device lives on");
}

#[test]
fn every_program_compiles() {
    let Some(device) = device(&OpenClOptions::default()) else { return };
    let mut queue = device.queue().expect("a queue");
    for program in programs() {
        queue.load(program).unwrap_or_else(|error| panic!("{}: {error}", program.name));
    }
}

/// What a child prints of `list`, run where the variable has that value.
fn listed_with(variable: &str, value: &Path) -> String {
    let output = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "tests::child_lists", "--nocapture"])
        .env(CHILD, "list")
        .env_remove("OPENCL_DYLIB_PATH")
        .env(variable, value)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The child of the tests below; does nothing by itself.
#[test]
fn child_lists() {
    if env::var_os(CHILD).is_some() {
        println!("listed: {:?}", list());
    }
}

/// The library is there, but no driver.
#[test]
fn no_driver_means_no_devices() {
    let empty = tempfile::tempdir().expect("a directory");
    if device(&OpenClOptions::default()).is_some() {
        let said = listed_with("OCL_ICD_VENDORS", empty.path());
        assert!(said.contains("listed: Ok([])"), "{said}");
    }
}

#[test]
fn no_library_is_said() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("libOpenCL.so.1"), "no library").expect("a write");
    let said = listed_with("LD_LIBRARY_PATH", directory.path());
    assert!(said.contains("listed: Err(Absent("), "{said}");
}
