use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};

use super::{KEYS, Key, KeyDefault, page};
use crate::layers::{Layers, Raw};
use crate::profile::without_indices;
use crate::{Config, Machine, Origin, Overrides, Sources, load};

/// A configuration in which every list of tables has something, on a profile without values.
const FULL: &str = r#"
[[tenants]]
name = "one"
unauthenticated = true
[[tenants]]
name = "two"
uids = [1]
[[scheduler.costs]]
backend = "cpu"
operation = "verify"
byte_ns = 1
[[scheduler.costs]]
backend = "cuda"
operation = "verify"
item_ns = 1
"#;

fn sources(text: &str) -> (tempfile::TempDir, Sources) {
    let directory = tempfile::tempdir().expect("a directory");
    let (file, profile) = (directory.path().join("outrigger.toml"), directory.path().join("bare.toml"));
    std::fs::write(&file, text).expect("written");
    std::fs::write(&profile, "[about]\nname = \"bare\"\nsummary = \"nothing\"\n").expect("written");
    let overrides = Overrides {
        profile: Some(profile.display().to_string()),
        unix: Some("/run/o.sock".into()),
        ..Overrides::default()
    };
    let sources = Sources { file: Some(file), overrides, machine: Machine::default(), ..Sources::default() };
    (directory, sources)
}

/// What was asked for, by path without numbers, and what it may be.
fn asked() -> BTreeMap<String, String> {
    let (_directory, sources) = sources(FULL);
    let (config, reader) = load::read_sources(sources, |_| Vec::new());
    assert!(config.is_some(), "a configuration");
    reader.known().iter().map(|(path, may_be)| (without_indices(path), may_be.clone())).collect()
}

#[test]
fn the_list_has_every_key_that_is_read_and_no_other() {
    let asked: BTreeSet<_> = asked().into_keys().collect();
    let listed: BTreeSet<_> = KEYS.iter().map(|key| key.path.to_owned()).collect();
    assert_eq!(listed.len(), KEYS.len(), "a key is listed twice");
    let missing: Vec<_> = asked.difference(&listed).collect();
    assert!(missing.is_empty(), "not in keys/list: {missing:?}");
    let unknown: Vec<_> = listed.difference(&asked).collect();
    assert!(unknown.is_empty(), "in keys/list, but never read: {unknown:?}");
}

#[test]
fn ranges_are_those_that_are_checked() {
    let asked = asked();
    for key in KEYS {
        assert_eq!(key.range, asked[key.path], "the range of {}", key.path);
        assert!(!key.unit.is_empty() && key.meaning.ends_with('.'), "{} says what it is", key.path);
        assert!(!key.meaning.contains('|') && !key.unit.contains('|'), "{} would break the table", key.path);
    }
}

#[test]
fn defaults_are_those_that_hold() {
    let described = |text: &str| {
        let (_directory, sources) = sources(text);
        let config = Config::load(sources).unwrap_or_else(|errors| panic!("{errors}"));
        let mut layers = Layers::default();
        layers.push_table(config.describe().parse().expect("TOML"), &Origin::Default);
        layers.entries
    };
    let (plain, full) = (described(""), described(FULL));
    for key in KEYS {
        let KeyDefault::Is(value) = key.default else { continue };
        let expected = format!("x = {value}").parse::<Table>().expect("TOML")["x"].clone();
        // `bare.toml` was asked for.
        if key.path == "profile" {
            assert_eq!(expected, Value::String(crate::profile::AUTO.to_owned()));
            continue;
        }
        let is_it = |path: &String| without_indices(path) == key.path;
        let found = full.iter().chain(&plain).filter(|(path, _)| is_it(path)).map(|(_, entry)| &entry.value);
        let holds = found.clone().any(|found| matches!(found, Raw::Toml(found) if *found == expected));
        assert!(holds, "the default of {} is {value}, and this holds: {:?}", key.path, found.collect::<Vec<_>>());
    }
}

/// What a list cannot hold as a value: it depends on the machine, or has to be said.
#[test]
fn few_defaults_are_words() {
    let in_words = KEYS.iter().filter(|key| matches!(key.default, KeyDefault::InWords(_))).map(|key| key.path);
    let expected = [
        "listen.unix",
        "listen.tls.certificate",
        "listen.tls.key",
        "listen.tls.client_ca",
        "scheduler.costs[].backend",
        "scheduler.costs[].operation",
        "scheduler.costs[].label",
        "tenants",
        "tenants[].name",
        "devices.kernel_cache",
        "proving.directory",
    ];
    assert_eq!(in_words.collect::<Vec<_>>(), expected);
}

#[test]
fn names_of_operations_are_told() {
    let told = Key::find("scheduler.costs[3].operation").expect("a key").meaning;
    for kind in crate::model::costs::kinds() {
        assert!(told.contains(&format!("`{kind}`")), "{kind} is not among {told:?}");
    }
}

/// `OUTRIGGER_TEST_WRITE=1 cargo test -p outrigger-config page` writes the page again.
#[test]
fn the_page_has_the_list() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hw-profiles/README.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (by_hand, _) = page.split_once(page::MARK).expect("the mark that the tables begin with");
    let expected = format!("{by_hand}{}", page::tables());
    if std::env::var_os("OUTRIGGER_TEST_WRITE").is_some() {
        std::fs::write(&path, &expected).expect("written");
    } else {
        assert!(
            page == expected,
            "hw-profiles/README.md is old: OUTRIGGER_TEST_WRITE=1 cargo test -p outrigger-config page"
        );
    }
}
