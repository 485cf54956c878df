use toml::Value;

use super::{Basis, Choice, DeviceApi, DeviceSeen, EMBEDDED, Machine, choose, depends_on_devices, embedded, parse};
use crate::keys::Key;
use crate::layers::Layers;
use crate::{Config, Origin, Overrides, Sources};

/// What the processors that the lanes are compiled for say, among others.
const FEATURES: &str = "fpu sse2 bmi1 bmi2 avx2 avx512f avx512dq avx512ifma avx512cd avx512bw avx512vl avx512vbmi";

fn machine(architecture: &str) -> Machine {
    Machine { architecture: architecture.to_owned(), model: "Some CPU".to_owned(), cores: 2, ..Machine::default() }
}

fn with_lanes() -> Machine {
    Machine { features: FEATURES.split(' ').map(str::to_owned).collect(), ..machine("x86_64") }
}

/// A machine with lanes and a device with so many GiB of memory, four fifths of which are told.
fn with(api: DeviceApi, platform: &str, name: &str, gibibytes: u64) -> Machine {
    let memory_bytes = (gibibytes << 30) / 5 * 4;
    let (platform, name) = (platform.to_owned(), name.to_owned());
    Machine { devices: vec![DeviceSeen { api, name, platform, memory_bytes, is_processor: false }], ..with_lanes() }
}

/// Machines, each with the profile that `auto` takes.
fn machines() -> Vec<(&'static str, Machine)> {
    use DeviceApi::{Cuda, Opencl};
    const AMD: &str = "AMD Accelerated Parallel Processing OpenCL 2.1 AMD-APP (3614.0)";
    const INTEL: &str = "Intel(R) OpenCL Graphics OpenCL 3.0";
    vec![
        ("nvidia-h200", with(Cuda, "CUDA, sm_90", "NVIDIA H200", 139)),
        ("nvidia-h200", with(Cuda, "CUDA, sm_90", "NVIDIA H100 80GB HBM3", 79)),
        ("nvidia-h200", with(Cuda, "CUDA, sm_90", "NVIDIA GH200 480GB", 94)),
        // A slice of one, and one of a generation to come.
        ("nvidia-consumer", with(Cuda, "CUDA, sm_90", "NVIDIA H200 MIG 1g.18gb", 16)),
        ("nvidia-consumer", with(Cuda, "CUDA, sm_100", "NVIDIA B200", 178)),
        ("nvidia-a100", with(Cuda, "CUDA, sm_80", "NVIDIA A100-SXM4-40GB", 39)),
        ("nvidia-a100", with(Cuda, "CUDA, sm_80", "NVIDIA A100 80GB PCIe", 79)),
        ("nvidia-consumer", with(Cuda, "CUDA, sm_86", "NVIDIA RTX A1000 Laptop GPU", 6)),
        ("nvidia-consumer", with(Cuda, "CUDA, sm_75", "Tesla T4", 15)),
        ("nvidia-consumer", with(Cuda, "CUDA, sm_86", "NVIDIA GeForce RTX 3060", 12)),
        ("nvidia-consumer", with(Cuda, "CUDA, sm_89", "NVIDIA GeForce RTX 4090", 24)),
        ("nvidia-consumer", with(Cuda, "CUDA, sm_120", "NVIDIA GeForce RTX 5090", 32)),
        ("cpu-avx512", with(Cuda, "CUDA, sm_61", "NVIDIA GeForce GTX 1080 Ti", 11)),
        ("cpu-avx512", with(Opencl, "NVIDIA CUDA OpenCL 3.0 CUDA 12.8", "NVIDIA GeForce RTX 4090", 24)),
        ("amd-opencl", with(Opencl, AMD, "gfx1100", 24)),
        ("amd-opencl", with(Opencl, "rusticl OpenCL 3.0", "AMD Radeon RX 6700 XT (radeonsi, navi22)", 12)),
        ("cpu-avx512", with(Opencl, AMD, "gfx1036", 2)),
        ("intel-opencl", with(Opencl, INTEL, "Intel(R) Arc(TM) A770 Graphics", 16)),
        ("intel-opencl", with(Opencl, INTEL, "Intel(R) Data Center GPU Max 1100", 48)),
        ("intel-opencl", with(Opencl, "rusticl OpenCL 3.0", "Mesa Intel(R) Arc(tm) B580 Graphics (BMG G21)", 12)),
        // Built into processors, with half of their memory.
        ("cpu-avx512", with(Opencl, INTEL, "Intel(R) Arc(TM) Graphics", 16)),
        ("cpu-avx512", with(Opencl, INTEL, "Intel(R) UHD Graphics 770", 16)),
        ("cpu-avx512", with_lanes()),
        ("cpu-generic", machine("x86_64")),
        ("cpu-generic", machine("aarch64")),
    ]
}

fn load(wanted: &str, machine: Machine) -> Config {
    let overrides = Overrides { profile: Some(wanted.to_owned()), unix: Some("/run/o".into()), ..Overrides::default() };
    Config::load(Sources { overrides, machine, ..Sources::default() })
        .unwrap_or_else(|errors| panic!("{wanted}: {errors}"))
}

#[test]
fn embedded_profiles_parse_and_every_value_says_where_it_comes_from() {
    for parsed in embedded().expect("good profiles") {
        let profile = parsed.profile;
        let mut layers = Layers::default();
        layers.push_table(parsed.values, &Origin::Default);
        for path in layers.entries.keys() {
            assert!(Key::find(path).is_some(), "{}: {path} is no key", profile.name);
            // What a guess is about is no number.
            let is_name = ["backend", "operation", "label"].iter().any(|name| path.ends_with(&format!("].{name}")));
            let has_figure = profile.figures.iter().any(|figure| figure.is_about(path));
            assert!(is_name || has_figure, "{}: {path} has no figure behind it", profile.name);
        }
        for key in profile.figures.iter().flat_map(|figure| &figure.keys) {
            let is_there = layers.entries.keys().any(|path| super::covers(key, &super::without_indices(path)));
            assert!(is_there, "{}: a figure about {key}, which has no value", profile.name);
        }
        for figure in &profile.figures {
            let is_gpu = !profile.name.starts_with("cpu-");
            assert!(!(is_gpu && figure.basis == Basis::Measured), "{}: nobody has measured a GPU", profile.name);
            assert!(figure.basis == Basis::Estimate || figure.device.is_some(), "{}: measured where?", profile.name);
        }
    }
}

#[test]
fn every_embedded_profile_loads_by_its_name_and_is_told() {
    let names: Vec<_> = embedded().expect("good profiles").into_iter().map(|one| one.profile.name).collect();
    let order = "nvidia-h200 nvidia-a100 nvidia-consumer amd-opencl intel-opencl cpu-avx512 cpu-generic";
    assert_eq!(names.join(" "), order);
    for name in &names {
        let config = load(name, Machine::default());
        assert_eq!((&config.profile.name, &config.profile.choice), (name, &Choice::Named));
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("told.toml");
        std::fs::write(&file, config.describe()).expect("written");
        let told = Config::load(Sources { file: Some(file), ..Sources::default() }).expect("what it tells");
        assert_eq!(told, config);
    }
}

/// As `check-config --profile hw-profiles/NAME.toml` does.
#[test]
fn every_embedded_profile_loads_by_the_path_of_its_file() {
    for (text, parsed) in EMBEDDED.iter().zip(embedded().expect("good profiles")) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("some-profile.toml");
        std::fs::write(&path, text).expect("written");
        let mut config = load(&path.display().to_string(), Machine::default());
        assert_eq!((config.profile.path.as_ref(), &config.profile.choice), (Some(&path), &Choice::File));
        assert!(config.describe().contains("# chosen: asked for by path"), "{}", config.describe());
        let by_name = load(&parsed.profile.name, Machine::default());
        config.profile = by_name.profile.clone();
        assert_eq!(config, by_name);
    }
}

#[test]
fn auto_takes_the_profile_of_the_machine() {
    for (expected, machine) in machines() {
        let seen = machine.devices.first().map_or("no device", |device| device.name.as_str()).to_owned();
        let profile = load("auto", machine).profile;
        assert_eq!(profile.name, expected, "{seen}: {}", profile.choice);
        let Choice::Auto { rules, device } = &profile.choice else { panic!("{seen}: {}", profile.choice) };
        assert!(!rules.is_empty());
        assert_eq!(device.is_some(), !expected.starts_with("cpu-"), "{seen}");
    }
    for parsed in embedded().expect("good profiles") {
        assert!(
            machines().iter().any(|(name, _)| *name == parsed.profile.name),
            "no machine for {}",
            parsed.profile.name
        );
    }
}

/// What makes a machine miss a rule.
type Spoil = fn(&mut Machine);

/// Each rule of each profile by itself: a machine that fulfils all the others does not get it.
#[test]
fn a_machine_that_misses_a_rule_gets_another_profile() {
    for (name, machine) in machines() {
        let spoilt: [(&str, Spoil); 6] = [
            ("cpu_features", |machine| machine.features.retain(|feature| feature != "avx512ifma")),
            ("apis", |machine| machine.devices.iter_mut().for_each(|device| device.is_processor = true)),
            ("vendors", |machine| machine.devices.clear()),
            ("device_contains", |machine| machine.devices[0].name = "Intel of another name".to_owned()),
            ("compute_capability_min", |machine| machine.devices[0].platform = "CUDA, sm_70".to_owned()),
            ("device_memory_min", |machine| machine.devices[0].memory_bytes = 1 << 30),
        ];
        let Choice::Auto { rules, .. } = load("auto", machine.clone()).profile.choice else { panic!("auto") };
        for (rule, spoil) in spoilt.iter().filter(|(rule, _)| rules.iter().any(|held| held.starts_with(rule))) {
            let mut machine = machine.clone();
            spoil(&mut machine);
            assert_ne!(load("auto", machine).profile.name, name, "without {rule}");
        }
    }
}

#[test]
fn auto_falls_back_to_the_last_resort_on_an_unknown_machine() {
    for architecture in ["riscv64", ""] {
        let (profile, _) = choose("auto", &machine(architecture)).expect("a profile");
        assert_eq!(profile.name, "cpu-generic");
        assert_eq!(profile.choice, Choice::Auto { rules: Vec::new(), device: None });
        assert!(profile.choice.to_string().contains("no profile fits"));
    }
    assert!(depends_on_devices(&machine("riscv64")));
}

#[test]
fn of_two_devices_that_fit_as_well_the_first_profile_is_taken() {
    let mut machine = with(DeviceApi::Opencl, "Intel(R) OpenCL Graphics", "Intel(R) Arc(TM) A770 Graphics", 16);
    machine.devices.extend(with(DeviceApi::Cuda, "CUDA, sm_89", "NVIDIA GeForce RTX 4090", 24).devices);
    let profile = load("auto", machine).profile;
    assert_eq!(profile.name, "nvidia-consumer");
    assert!(profile.choice.to_string().ends_with("device NVIDIA GeForce RTX 4090 (cuda)"), "{}", profile.choice);
}

#[test]
fn a_profile_of_unknown_name_lists_the_known() {
    let errors = choose("cpu-generik", &machine("x86_64")).expect_err("no such profile");
    for name in ["cpu-generic", "nvidia-h200", "auto"] {
        assert!(errors[0].message.contains(name), "{}", errors[0].message);
    }
}

#[test]
fn unknown_keys_about_a_profile_are_errors() {
    let about = "[about]\nname = \"x\"\nsummary = \"y\"\n";
    let cases =
        [("[match]\ncores_max = 3", "match", "cores_max"), ("[[figures]]\nbasis = \"guess\"", "figures", "guess")];
    for (text, key, message) in cases {
        let errors = parse(&format!("{about}{text}\n"), &Origin::Default).map(|_| ()).expect_err(text);
        assert_eq!(errors[0].key, key);
        assert!(errors[0].message.contains(message), "{}", errors[0].message);
    }
}

/// A device that gets a batch must have room for it: a batch may take an eighth of the arena.
#[test]
fn batches_of_profiles_fit_into_their_arenas() {
    for parsed in embedded().expect("good profiles") {
        let config = load(&parsed.profile.name, Machine::default());
        let (batch, arena) = (config.scheduler.batch, config.devices.arena_bytes);
        assert!(batch.bytes_max <= arena / 8, "{}: {} of {arena}", parsed.profile.name, batch.bytes_max);
        assert!(batch.items_max <= config.limits.quota.items_max as usize, "{}", parsed.profile.name);
        let guesses = parsed.values.get("scheduler").and_then(|scheduler| scheduler.get("costs"));
        assert_eq!(config.scheduler.costs.len(), guesses.and_then(Value::as_array).map_or(0, Vec::len));
    }
}
