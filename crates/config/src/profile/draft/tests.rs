use std::time::Duration;

use outrigger_types::Backend;

use super::{ProfileDraft, ProfileValue};
use crate::profile::{ComputeCapability, DeviceApi, Vendor, embedded, parse};
use crate::{Basis, Config, CostGuess, Figure, Machine, Match, Origin, Overrides, Sources};

fn figure(keys: &[&str]) -> Figure {
    Figure {
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        basis: Basis::Measured,
        from: "tune: 1.25 times the rate of before".to_owned(),
        date: Some("2026-12-01".to_owned()),
        device: Some("NVIDIA H200 #0".to_owned()),
        driver: Some("CUDA 13.0".to_owned()),
        build: Some("0.1.0 0011223344556677".to_owned()),
    }
}

fn value(path: &str, value: ProfileValue) -> (String, ProfileValue) {
    (path.to_owned(), value)
}

/// A draft with values of every form, in no order.
fn full() -> ProfileDraft {
    let guess = CostGuess {
        backend: Backend::Cuda,
        operation: "verify",
        label: Some("fabric"),
        fixed_us: 512.25,
        item_ns: 0.1,
        byte_ns: 1e-7,
    };
    ProfileDraft {
        name: "mine".to_owned(),
        summary: "The machine in the corner".to_owned(),
        comment: "Two lines,\nof which the second one is so long that it has to go on in another line, since nobody reads lines that \
                  have no end in sight."
            .to_owned(),
        rules: Match {
            architectures: vec!["x86_64".to_owned()],
            model_contains: vec!["Xeon".to_owned(), "\"EPYC\"".to_owned()],
            cpu_features: vec!["avx512f".to_owned()],
            cores_min: Some(8),
            apis: vec![DeviceApi::Cuda, DeviceApi::Opencl],
            vendors: vec![Vendor::Nvidia, Vendor::Amd, Vendor::Intel],
            device_contains: vec!["H200".to_owned()],
            compute_capability_min: Some(ComputeCapability { major: 12, minor: 0 }),
            device_memory_min: Some((100 << 30) + 1),
        },
        figures: vec![
            figure(&["scheduler.batch", "drain_grace", "scheduler.costs"]),
            figure(&["devices.memory_bytes_max", "engines.order", "threads.pin", "engines.vector", "scheduler.aging"]),
        ],
        values: vec![
            value("threads.pin", ProfileValue::Flag(true)),
            value("scheduler.batch.delay_max", ProfileValue::Duration(Duration::from_micros(1_500))),
            value("devices.memory_bytes_max", ProfileValue::Bytes((3 << 30) + 7)),
            value("engines.order", ProfileValue::List(vec!["cpu".to_owned(), "cuda".to_owned()])),
            value("scheduler.batch.items_max", ProfileValue::Number(65_536)),
            value("engines.vector", ProfileValue::Text("off".to_owned())),
            value("scheduler.aging", ProfileValue::Duration(Duration::from_secs(60))),
            value("drain_grace", ProfileValue::Duration(Duration::ZERO)),
        ],
        costs: vec![CostGuess { label: None, item_ns: 3e9, byte_ns: 0.0, ..guess }, guess],
    }
}

fn load(text: &str) -> Config {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("mine.toml");
    std::fs::write(&path, text).expect("written");
    let overrides =
        Overrides { profile: Some(path.display().to_string()), unix: Some("/run/o".into()), ..Overrides::default() };
    Config::load(Sources { overrides, ..Sources::default() }).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

#[test]
fn what_is_written_loads_with_the_same_values() {
    let draft = full();
    let text = draft.to_toml().unwrap_or_else(|errors| panic!("{errors}"));
    let config = load(&text);
    assert_eq!((config.profile.name, config.profile.summary), (draft.name.clone(), draft.summary.clone()));
    assert_eq!(config.profile.figures, draft.figures);
    assert_eq!((config.threads.pin, config.drain_grace), (true, Duration::ZERO));
    assert_eq!(config.scheduler.batch.items_max, 65_536);
    assert_eq!(config.scheduler.batch.delay_max, Duration::from_micros(1_500));
    assert_eq!(config.scheduler.aging, Duration::from_secs(60));
    assert_eq!(config.devices.memory_bytes_max, (3 << 30) + 7);
    assert_eq!(config.engines.order, [Backend::Cpu, Backend::Cuda, Backend::Opencl, Backend::Vector]);
    assert_eq!(config.engines.vector, crate::EngineRule::Off);
    assert_eq!(config.scheduler.costs, draft.costs);
    let parsed = parse(&text, &Origin::Default).map_err(|errors| errors[0].to_string()).expect("a profile");
    assert_eq!(parsed.rules, draft.rules);
    assert!(text.starts_with("# Two lines,\n# of which"), "{text}");
    assert!(text.contains("# Items of one batch."), "the meaning of a key stands before it:\n{text}");
    assert!(text.lines().filter(|line| line.starts_with('#')).all(|line| line.len() <= 118), "{text}");
}

#[test]
fn a_draft_of_nothing_is_a_profile() {
    let draft = ProfileDraft { name: "bare".to_owned(), ..ProfileDraft::default() };
    let config = load(&draft.to_toml().expect("a profile"));
    let bare = Config { profile: config.profile.clone(), ..load("[about]\nname = \"x\"\nsummary = \"\"\n") };
    assert_eq!(config, bare);
}

/// Whatever a driver or a machine is called.
#[test]
fn odd_texts_are_kept() {
    let odd =
        ["", "\"", "\\", "'''", "\"\"\"", "a\nb\r\n\tc", "\u{0}\u{7f}\u{85}\u{2028}", "# x", "] = [", "ü 🦀", " "];
    for text in odd {
        let mut draft = full();
        draft.name = text.to_owned();
        draft.summary = text.to_owned();
        draft.comment = text.to_owned();
        draft.rules.device_contains = vec![text.to_owned()];
        draft.figures[0].from = text.to_owned();
        draft.figures[0].driver = Some(text.to_owned());
        draft.values.push(value("log.filter", ProfileValue::Text(text.to_owned())));
        draft.figures[1].keys.push("log.filter".to_owned());
        let written = draft.to_toml().unwrap_or_else(|errors| panic!("{text:?}: {errors}"));
        let config = load(&written);
        assert_eq!((&config.profile.name, &config.profile.figures), (&draft.name, &draft.figures), "{written}");
        assert_eq!(config.log.filter, text, "{written}");
        let parsed = parse(&written, &Origin::Default).map_err(|errors| errors[0].to_string()).expect("a profile");
        assert_eq!(parsed.rules, draft.rules);
    }
}

/// Values of many sizes come back as they were.
#[test]
fn numbers_of_every_size_are_kept() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        // Xorshift: any sequence will do.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..200 {
        let (items, bytes) = (1 + random() % (1 << 24), (random() % (1 << 40)).max(4 << 20) >> (random() % 4) << 2);
        let (delay, item_ns) =
            (Duration::from_micros(random() % 10_000_001), (1 + random() % (1 << 50)) as f64 / (1u64 << 20) as f64);
        let mut draft = full();
        draft.values = vec![
            value("scheduler.batch.items_max", ProfileValue::Number(items)),
            value("devices.arena_bytes", ProfileValue::Bytes(bytes.clamp(4 << 20, 1 << 40))),
            value("scheduler.batch.delay_max", ProfileValue::Duration(delay)),
        ];
        draft.costs.truncate(1);
        draft.costs[0].item_ns = item_ns;
        draft.figures = vec![figure(&["scheduler", "devices"])];
        let config = load(&draft.to_toml().unwrap_or_else(|errors| panic!("{errors}")));
        assert_eq!(config.scheduler.batch.items_max as u64, items);
        assert_eq!(config.devices.arena_bytes as u64, bytes.clamp(4 << 20, 1 << 40));
        assert_eq!((config.scheduler.batch.delay_max, config.scheduler.costs[0].item_ns), (delay, item_ns));
    }
}

/// What makes a good draft a bad one.
type Spoil = fn(&mut ProfileDraft);

#[test]
fn what_would_not_load_is_not_written() {
    let cases: [(&str, Spoil); 12] = [
        ("no key", |draft| draft.values[0].0 = "threads.pinned".to_owned()),
        ("no key", |draft| draft.values[0].0 = "scheduler.costs[0].item_ns".to_owned()),
        ("no key", |draft| draft.values[0].0 = "profile".to_owned()),
        ("no key", |draft| draft.values[0].0 = "tenants".to_owned()),
        ("said twice", |draft| draft.values.push(draft.values[0].clone())),
        ("microseconds", |draft| draft.values[1].1 = ProfileValue::Duration(Duration::from_nanos(1))),
        ("from 1 to 16777216", |draft| draft.values[4].1 = ProfileValue::Number(0)),
        ("true or false", |draft| draft.values[0].1 = ProfileValue::Number(1)),
        ("has no figure", |draft| draft.values.push(value("threads.io", ProfileValue::Number(1)))),
        ("has no value", |draft| draft.figures.push(figure(&["threads.io"]))),
        ("above 0", |draft| draft.costs[0].item_ns = 0.0),
        ("unknown operation", |draft| draft.costs[0].operation = "sign"),
    ];
    for (message, spoil) in cases {
        let mut draft = full();
        spoil(&mut draft);
        let errors = draft.to_toml().expect_err(message).to_string();
        assert!(errors.contains(message), "{message}: {errors}");
    }
    let mut draft = full();
    draft.costs[0].item_ns = f64::NAN;
    assert!(draft.to_toml().is_err());
    draft.costs[0].item_ns = f64::INFINITY;
    assert!(draft.to_toml().is_err());
    draft.figures.clear();
    let errors = draft.to_toml().expect_err("nothing has a figure").to_string();
    assert!(errors.contains("scheduler.costs[].item_ns") && errors.contains("threads.pin"), "{errors}");
}

/// The rules of the profiles that are built in can be written.
#[test]
fn rules_of_the_embedded_are_kept() {
    for parsed in embedded().expect("good profiles") {
        let draft = ProfileDraft { name: "x".to_owned(), rules: parsed.rules.clone(), ..ProfileDraft::default() };
        let again =
            parse(&draft.to_toml().expect("a profile"), &Origin::Default).map_err(|errors| errors[0].to_string());
        assert_eq!(again.expect("a profile").rules, parsed.rules);
    }
    let (profile, _) = crate::profile::choose("auto", &Machine::default()).expect("a profile");
    assert_eq!(profile.name, "cpu-generic");
}
