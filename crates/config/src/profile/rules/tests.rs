use super::Match;
use crate::profile::machine::{ComputeCapability, DeviceApi, DeviceSeen, Machine, Vendor};

fn device(api: DeviceApi, platform: &str, name: &str) -> DeviceSeen {
    DeviceSeen { api, name: name.to_owned(), platform: platform.to_owned(), memory_bytes: 8 << 30, is_processor: false }
}

fn rules(text: &str) -> Match {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A processor with a feature, a GPU of each of two vendors.
fn machine() -> Machine {
    Machine {
        architecture: "x86_64".to_owned(),
        model: "Some CPU".to_owned(),
        cores: 4,
        features: vec!["avx512f".to_owned(), "avx512ifma".to_owned()],
        devices: vec![
            device(DeviceApi::Opencl, "AMD Accelerated Parallel Processing OpenCL 2.1", "gfx1100"),
            device(DeviceApi::Cuda, "CUDA, sm_89", "NVIDIA GeForce RTX 4090"),
        ],
    }
}

#[test]
fn each_rule_holds_or_does_not() {
    let cases = [
        ("", Some(0)),
        ("architectures = [\"aarch64\", \"x86_64\"]", Some(1)),
        ("architectures = [\"aarch64\"]", None),
        ("model_contains = [\"CPU\"]\ncores_min = 4", Some(2)),
        ("cores_min = 5", None),
        ("cpu_features = [\"avx512f\", \"avx512ifma\"]", Some(1)),
        ("cpu_features = [\"avx512f\", \"avx512vbmi\"]", None),
        // No part of a name is a feature.
        ("cpu_features = [\"avx512\"]", None),
        ("apis = [\"cuda\"]", Some(1)),
        ("vendors = [\"intel\"]", None),
        ("vendors = [\"amd\", \"intel\"]", Some(1)),
        ("device_contains = [\"4090\"]\ncompute_capability_min = \"8.9\"", Some(2)),
        ("compute_capability_min = \"9.0\"", None),
        ("compute_capability_min = \"12.0\"", None),
        ("compute_capability_min = \"7.5\"", Some(1)),
        ("device_memory_min = \"8GiB\"", Some(1)),
        ("device_memory_min = 8589934593", None),
    ];
    for (text, expected) in cases {
        assert_eq!(rules(text).held(&machine()).map(|held| held.rules.len()), expected, "{text}");
    }
}

/// One device of AMD's and one of CUDA's are no device of AMD's through CUDA.
#[test]
fn one_device_fulfils_all_rules_about_devices() {
    assert_eq!(rules("apis = [\"cuda\"]\nvendors = [\"amd\"]").held(&machine()), None);
    let held = rules("apis = [\"cuda\"]\nvendors = [\"nvidia\"]").held(&machine()).expect("it holds");
    assert_eq!(held.device.as_deref(), Some("NVIDIA GeForce RTX 4090 (cuda)"));
    assert_eq!(held.rules, ["apis cuda", "vendors nvidia"]);
}

#[test]
fn processors_are_no_devices() {
    let mut machine = machine();
    machine.devices.iter_mut().for_each(|device| device.is_processor = true);
    assert_eq!(rules("apis = [\"opencl\", \"cuda\"]").held(&machine), None);
    machine.devices.clear();
    assert_eq!(rules("device_memory_min = 0").held(&machine), None);
}

#[test]
fn rules_that_say_nothing_sensible_are_errors() {
    let cases = [
        ("cores_max = 3", "cores_max"),
        ("apis = [\"host\"]", "host"),
        ("vendors = [\"NVIDIA\"]", "nvidia"),
        ("compute_capability_min = \"9\"", "9.0"),
        ("compute_capability_min = 9.0", "string"),
        ("device_memory_min = \"16 GB\"", "GiB"),
        ("device_memory_min = -1", "16GiB"),
        ("cpu_features = \"avx2\"", "sequence"),
    ];
    for (text, message) in cases {
        let error = toml::from_str::<Match>(text).expect_err(text).to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn vendors_are_read_from_what_drivers_say() {
    let cases = [
        ("NVIDIA CUDA OpenCL 3.0 CUDA 12.8", "Tesla T4", Some(Vendor::Nvidia)),
        (
            "AMD Accelerated Parallel Processing OpenCL 2.1 AMD-APP (3614.0)",
            "gfx942:sramecc+:xnack-",
            Some(Vendor::Amd),
        ),
        ("rusticl OpenCL 3.0", "AMD Radeon RX 6700 XT (radeonsi, navi22)", Some(Vendor::Amd)),
        ("Intel(R) OpenCL Graphics OpenCL 3.0", "Intel(R) Arc(TM) A770 Graphics", Some(Vendor::Intel)),
        ("rusticl OpenCL 3.0", "Mesa Intel(R) Arc(tm) A770 Graphics (DG2)", Some(Vendor::Intel)),
        ("ARM Platform OpenCL 3.0", "Mali-G78", None),
    ];
    for (platform, name, expected) in cases {
        assert_eq!(device(DeviceApi::Opencl, platform, name).vendor(), expected, "{platform}");
    }
    assert_eq!(device(DeviceApi::Cuda, "CUDA, sm_75", "Tesla T4").vendor(), Some(Vendor::Nvidia));
}

#[test]
fn compute_capabilities_are_read_from_the_platform() {
    let of = |api, platform| device(api, platform, "x").compute_capability().map(|found| found.to_string());
    assert_eq!(of(DeviceApi::Cuda, "CUDA, sm_90").as_deref(), Some("9.0"));
    assert_eq!(of(DeviceApi::Cuda, "CUDA, sm_120").as_deref(), Some("12.0"));
    assert_eq!(of(DeviceApi::Cuda, "CUDA, sm_9"), None);
    assert_eq!(of(DeviceApi::Cuda, "CUDA, sm_"), None);
    assert_eq!(of(DeviceApi::Cuda, "CUDA"), None);
    assert_eq!(of(DeviceApi::Opencl, "sm_90"), None);
    let [old, new] = ["8.9", "12.0"].map(|text| ComputeCapability::try_from(text.to_owned()).expect("good"));
    assert!(old < new);
}

#[test]
fn a_processor_is_described_by_its_kernel() {
    let intel = "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Processor\nflags\t\t: fpu avx512f avx512ifma\nbugs\t\t:\n\
        processor\t: 1\nflags\t\t: fpu\n";
    let machine = Machine::described("x86_64", 2, intel);
    assert_eq!((machine.model.as_str(), machine.cores), ("Intel(R) Xeon(R) Processor", 2));
    assert_eq!(machine.features, ["fpu", "avx512f", "avx512ifma"]);
    let arm = Machine::described("aarch64", 1, "processor\t: 0\nFeatures\t: fp asimd sha2\n");
    assert_eq!((arm.model.as_str(), arm.features.len()), ("", 3));
    assert_eq!(
        Machine::described("riscv64", 1, ""),
        Machine { architecture: "riscv64".to_owned(), cores: 1, ..Machine::default() }
    );
}
