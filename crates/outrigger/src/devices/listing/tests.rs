use outrigger_config::{Overrides, Sources};
use outrigger_device::Api;

use super::*;

/// A configuration of these variables and options.
fn configured(environment: &[(&str, &str)], overrides: Overrides) -> Config {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let runtime_directory = Some("/run/nowhere".into());
    let sources = Sources { environment, overrides, runtime_directory, ..Sources::default() };
    Config::load(sources).expect("a configuration")
}

fn cuda_of(config: &Config) -> Result<Vec<DeviceInfo>, Absence> {
    cuda(config.engines.cuda, config.devices.cuda_worker.as_deref())
}

/// What a shell that runs `script` is taken to say.
fn said_by(script: &str) -> Result<Vec<DeviceInfo>, Absence> {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    ask(command).expect("a shell").devices_or(Path::new("sh"))
}

fn info(name: &str) -> DeviceInfo {
    DeviceInfo {
        api: Api::Cuda,
        ordinal: 0,
        name: name.to_owned(),
        platform: String::new(),
        driver: String::new(),
        compute_units: 1,
        memory_bytes: 1,
        group_size_max: 1,
        is_processor: false,
    }
}

#[test]
fn lines_are_devices_and_what_drivers_print_beside_them_is_not() {
    let line = info("one").to_line();
    assert_eq!(said_by(&format!("echo warning; echo '{line}'")), Ok(vec![info("one")]));
    assert!(matches!(said_by("echo warning"), Err(Absence::NoDevice(_))));
}

#[test]
fn a_loader_that_misses_the_driver_is_told_from_other_failures() {
    let loader = "x: error while loading shared libraries: libcuda.so.1: cannot open shared object file";
    let missing = said_by(&format!("echo '{loader}' >&2; exit 127"));
    assert_eq!(missing, Err(Absence::NoDriver(loader.to_owned())));
    let other = said_by("echo 'cuInit: CUDA error 999' >&2; exit 1").expect_err("it failed");
    assert!(other.is_fault() && other.to_string().contains("cuInit"), "{other}");
    assert!(matches!(said_by("exit 127"), Err(Absence::Failed(_))));
}

/// More than a pipe holds: a program that is not read would never end.
#[test]
fn much_output_is_read() {
    assert!(matches!(said_by("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2"), Err(Absence::NoDevice(_))));
}

#[test]
fn a_worker_that_is_not_there_is_named() {
    // Tests lie beside no worker.
    let beside = cuda_of(&configured(&[], Overrides::default())).expect_err("none");
    assert!(matches!(&beside, Absence::NoWorker(path) if path.ends_with("outrigger-cuda")), "{beside}");
    assert!(!beside.is_fault());
    let variable = ("OUTRIGGER_DEVICES__CUDA_WORKER", "/nowhere/outrigger-cuda");
    let named = cuda_of(&configured(&[variable], Overrides::default())).expect_err("none");
    assert!(named.is_fault() && named.to_string().contains("/nowhere/outrigger-cuda"), "{named}");
    let off = Overrides { cuda: Some("off".to_owned()), opencl: Some("off".to_owned()), ..Overrides::default() };
    let off = configured(&[], off);
    assert_eq!(
        (cuda_of(&off), opencl(off.engines.opencl)),
        (Err(Absence::Off("engines.cuda")), Err(Absence::Off("engines.opencl")))
    );
}

/// In `auto` OpenCL has what CUDA leaves it, by the name of the model; in `all` everything.
#[test]
fn a_gpu_of_both_apis_is_driven_by_cuda_alone() {
    let rule = |rule: &str| configured(&[], Overrides { opencl: Some(rule.to_owned()), ..Overrides::default() });
    let processor = DeviceInfo { is_processor: true, ..info("processor") };
    let all = vec![info("NVIDIA H200 "), info("another"), processor.clone()];
    let driven = [info("NVIDIA H200")];
    assert_eq!(left_by_cuda(&rule("auto"), all.clone(), &driven), Ok(vec![info("another")]));
    assert_eq!(left_by_cuda(&rule("all"), all.clone(), &driven), Ok(all.clone()));
    let none = left_by_cuda(&rule("auto"), vec![info("NVIDIA H200")], &driven).expect_err("CUDA has it");
    assert!(none.to_string().contains("CUDA"), "{none}");
    let none = left_by_cuda(&rule("auto"), vec![processor], &[]).expect_err("a processor");
    assert!(none.to_string().contains("engines.opencl"), "{none}");
}
