use outrigger_types::Backend;

use crate::load::tests::{load, variable};

const COSTS: &str = r#"
[threads]
pin = true
[[scheduler.costs]]
backend = "cuda"
operation = "verify"
fixed_us = 500
item_ns = 120.5
[[scheduler.costs]]
backend = "cuda"
operation = "verify"
label = "fabric"
item_ns = 3e2
byte_ns = 0.25
"#;

#[test]
fn guesses_of_costs_are_read_and_told() {
    let config = load(COSTS, |_| {}).expect("two guesses");
    let [all, fabric] = config.scheduler.costs.as_slice() else { panic!("two guesses") };
    assert_eq!((all.backend, all.operation, all.label, all.fixed_us), (Backend::Cuda, "verify", None, 500.0));
    assert_eq!((fabric.label, fabric.fixed_us, fabric.item_ns, fabric.byte_ns), (Some("fabric"), 0.0, 300.0, 0.25));
    let again = load(&config.describe(), |_| {}).expect("what it tells");
    assert_eq!((&again.scheduler, again.threads), (&config.scheduler, config.threads));
}

#[test]
fn guesses_that_say_nothing_or_the_same_twice_are_errors() {
    let cases = [
        ("backend = \"cuda\"\noperation = \"verify\"\nitem_ns = 1", "another guess"),
        ("backend = \"cuda\"\noperation = \"verify\"\nlabel = \"fabrik\"\nitem_ns = 1", "one of ethereum-transaction"),
        ("backend = \"cuda\"\noperation = \"sign\"\nitem_ns = 1", "one of ethereum_transactions, hash, merkle"),
        ("backend = \"cuda\"\noperation = \"hash\"", "above 0"),
        ("backend = \"cuda\"\noperation = \"hash\"\nitem_ns = -1", "0 to 10000000000"),
        ("backend = \"cuda\"\noperation = \"hash\"\nitem_ns = nan", "0 to 10000000000"),
        ("backend = \"gpu\"\noperation = \"hash\"\nitem_ns = 1", "unknown backend"),
        ("operation = \"hash\"\nitem_ns = 1", "needs a backend"),
        ("backend = \"cuda\"\nitem_ns = 1", "needs an operation"),
        ("backend = \"cuda\"\noperation = \"hash\"\nitem_us = 1\nitem_ns = 1", "scheduler.costs[2].item_ns"),
    ];
    for (guess, message) in cases {
        let errors = load(&format!("{COSTS}\n[[scheduler.costs]]\n{guess}\n"), |_| {}).expect_err(guess);
        assert!(errors.to_string().contains(message), "{guess}: {errors}");
        assert_eq!(errors.0.len(), 1, "{guess}: {errors}");
    }
    let errors = load("scheduler.costs = 3", |_| {}).expect_err("no list").to_string();
    assert!(errors.contains("[[scheduler.costs]]"), "{errors}");
    let errors = load("", |sources| {
        sources.environment = vec![variable("OUTRIGGER_SCHEDULER__COSTS", "3")];
    });
    assert!(errors.expect_err("no list").to_string().contains("a file alone can hold"));
}

/// A shorter list on top must not keep the end of the longer one beneath it.
#[test]
fn a_list_of_tables_replaces_that_of_the_profile_as_a_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("mine.toml");
    let about = "[about]\nname = \"mine\"\nsummary = \"my machine\"\n";
    std::fs::write(&path, format!("{about}{COSTS}")).expect("written");
    let costs = |text: &str| {
        let config = load(&format!("profile = {path:?}\n{text}"), |_| {}).unwrap_or_else(|errors| panic!("{errors}"));
        let again = load(&config.describe(), |_| {}).expect("what it tells");
        assert_eq!(again.scheduler.costs, config.scheduler.costs);
        config.scheduler.costs
    };
    assert_eq!(costs("").len(), 2);
    assert_eq!(costs("[scheduler]\ncosts = []\n").len(), 0);
    let one = costs("[[scheduler.costs]]\nbackend = \"cpu\"\noperation = \"hash\"\nitem_ns = 7\n");
    assert_eq!(one.iter().map(|guess| guess.item_ns).collect::<Vec<_>>(), [7.0]);
    std::fs::write(&path, format!("{about}[scheduler]\ncosts = []\n")).expect("written");
    assert_eq!(costs(COSTS).len(), 2, "on top of an empty list");
}
