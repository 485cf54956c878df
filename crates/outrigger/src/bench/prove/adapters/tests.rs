use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn the_first_line_says_what_an_adapter_can() {
    let ms = Duration::from_millis;
    assert_eq!(first("ready 12\n"), Some((First::Ready(ms(12)), String::new())));
    assert_eq!(first("ready 1500.0 0.5.1 of 2024\n"), Some((First::Ready(ms(1500)), "0.5.1 of 2024".to_owned())));
    assert_eq!(first("cold 7"), Some((First::Cold(ms(7)), String::new())));
    for bad in ["", "ready", "ready soon", "ready -1", "ready NaN", "warm 3"] {
        assert_eq!(first(bad), None, "{bad:?}");
    }
}

#[test]
fn an_adapter_is_asked_and_a_wrong_answer_is_an_error() {
    let folder = TempDir::new().expect("a folder");
    let program = folder.path().join("prove-double");
    let script = "#!/bin/sh\necho ready 250 \"$3\"\nread line && echo 40.5\nread line && echo nonsense\n";
    std::fs::write(&program, script).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let mut prover = Prover::start(&program, Path::new("k"), Path::new("w"), 2).expect("it starts");
    assert_eq!((prover.name(), prover.version(), prover.keeps_its_key()), ("double", "2", true));
    assert_eq!(prover.cold().expect("times"), Duration::from_micros(290_500));
    assert!(prover.prove().expect_err("no time").to_string().contains("nonsense"));
    assert!(prover.prove().expect_err("gone").to_string().contains("double"));
}
