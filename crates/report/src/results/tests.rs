use super::Results;

const RECORD: &str =
    r#"{"suite":"verify","algorithm":"a","backend":"cpu","batch":1,"threads":1,"items_per_second":2.5}"#;

fn message(file: &str, text: &str) -> String {
    Results::parse(file, text).expect_err("it should be refused").to_string()
}

#[test]
fn the_three_forms_are_read() {
    let object = format!(
        r#"{{"environment":{{"date":"2026-12-01T08:00:00Z","cpu":"Some CPU","cores":8}},"records":[{RECORD}]}}"#
    );
    let read = Results::parse("x.json", &object).expect("an object with records");
    assert_eq!((read.len(), read.machine.date.as_str()), (1, "2026-12-01"));
    assert_eq!(read.machine.device, "Some CPU, 8 cores");
    assert!(read.environment.contains(&("cores".to_owned(), "8".to_owned())));

    let read = Results::parse("2026-11-21-amd-epyc-2-cores-verify.json", &format!("[{RECORD}]")).expect("an array");
    assert_eq!((read.machine.date.as_str(), read.machine.device.as_str()), ("2026-11-21", "amd-epyc-2-cores"));

    let devices = format!(
        r#"{{"suite":"devices","slug":"a-gpu-cuda","device":{{"name":"A GPU"}},"conformance":[{{}}],"benches":[{RECORD}],"failures":["hash: no"]}}"#
    );
    let read = Results::parse("x.json", &devices).expect("what the suite devices prints");
    assert_eq!((read.len(), read.machine.device.as_str()), (1, "a-gpu-cuda"));
    assert_eq!(read.failures, ["hash: no"]);
    assert!(read.environment.contains(&("device.name".to_owned(), "A GPU".to_owned())));
    assert!(!read.environment.iter().any(|(key, _)| key.starts_with("conformance")));
}

/// Files of one machine and day are one machine, whatever was measured; a name that says nothing stays whole.
#[test]
fn names_of_files_tell_machines() {
    let machine = |file: &str| Results::parse(file, "[]").expect("an empty array").machine;
    assert_eq!(machine("2026-11-21-amd-hash.json"), machine("2026-11-21-amd-vector.json"));
    assert_ne!(machine("2026-11-21-amd-hash.json"), machine("2026-11-22-amd-hash.json"));
    assert_eq!(machine("mine.json").device, "mine");
    assert_eq!(machine("2026-1x-21-amd.json").date, "");
    // A letter of two bytes where the date would end.
    assert_eq!(machine("2026-11-2é.json").device, "2026-11-2é");
}

#[test]
fn damaged_files_are_named_with_what_to_do() {
    let cut = message("cut.json", r#"[{"suite":"verify","#);
    assert!(cut.contains("cut.json") && cut.contains("cut off") && cut.contains("bench SUITE --json"), "{cut}");
    for (text, what) in [
        (r#"{"suite":"verify"}"#, "without \"records\""),
        (r#"{"records":3}"#, "\"records\" is no array"),
        ("3", "only 3"),
        ("[1]", "entry 1 is no object"),
        (r#"[{"a":1}]"#, "no entry has a \"suite\""),
    ] {
        let message = message("odd.json", text);
        assert!(message.contains(what) && message.contains("odd.json") && message.contains("give files"), "{message}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("none.json");
    let message = Results::read(&path).expect_err("no such file").to_string();
    assert!(message.contains(&path.display().to_string()) && message.contains("cannot be read"), "{message}");
    std::fs::write(&path, "[").expect("written");
    let message = Results::read(&path).expect_err("no JSON").to_string();
    assert!(message.starts_with(&path.display().to_string()), "{message}");
}
