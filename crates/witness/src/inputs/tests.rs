use super::*;

fn modulus() -> Modulus {
    let order = [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];
    Modulus::of(&order).unwrap()
}

fn values(json: &str) -> Result<Vec<u64>, WitnessError> {
    let json = format!("{{\"a\": {json}}}");
    let inputs = Inputs::parse(json.as_bytes())?;
    let signal = inputs.signals().next().unwrap();
    let values = signal.values(&modulus())?;
    assert_eq!(values.len(), signal.len());
    Ok(values.iter().map(|value| value[0]).collect())
}

#[test]
fn arrays_are_flattened_in_order() {
    assert_eq!(values("7"), Ok(vec![7]));
    assert_eq!(values("[]"), Ok(vec![]));
    assert_eq!(values("[[], [[]]]"), Ok(vec![]));
    assert_eq!(values(r#"[1, "2", [ [ "0x3" ],4,true ], false,[" 5 "] ]"#), Ok(vec![1, 2, 3, 4, 1, 0, 5]));
    assert_eq!(values(&format!("{}1{}", "[".repeat(100), "]".repeat(100))), Ok(vec![1]));
}

/// A JSON number of more than 53 bits must not go through a float.
#[test]
fn large_numbers_keep_all_digits() {
    assert_eq!(values("9007199254740993"), Ok(vec![9_007_199_254_740_993]));
    assert_eq!(values("18446744073709551617"), Ok(vec![1]));
}

#[test]
fn what_is_no_number_is_refused_without_being_shown() {
    for json in [
        "null",
        "1.5",
        "1e3",
        r#""""#,
        r#""3141592x""#,
        r#"{"b": 3141592}"#,
        r#"[3141592, {"b": [1]}]"#,
        r#"["3141592\"", 1]"#,
        r#""\u0031""#,
        r#"[1, null]"#,
        r#""31 41592""#,
    ] {
        let Err(WitnessError::Inputs(message)) = values(json) else { panic!("{json} is accepted") };
        assert!(message.starts_with("input signal \"a\": value "), "{message}");
        assert!(!message.contains("3141592"), "{message}");
    }
}

#[test]
fn what_is_no_object_is_refused_without_being_shown() {
    let deep = "[".repeat(100_000);
    for json in [
        "",
        "3141592",
        "\"3141592\"",
        "[3141592]",
        "{\"a\": 3141592",
        "{\"a\": 3141592}}",
        "{3141592: 1}",
        "\u{feff}{}",
        "{\"a\": 03141592}",
        &deep,
        &format!("{{\"a\": {deep}"),
    ] {
        let Err(WitnessError::Inputs(message)) = Inputs::parse(json.as_bytes()).map(drop) else {
            panic!("{json} is accepted")
        };
        assert!(message.starts_with("not a JSON object of signal names to values (line 1"), "{message}");
        assert!(!message.contains("3141592"), "{message}");
    }
    assert!(Inputs::parse(b"\xff").is_err());
}

#[test]
fn names_are_hashed_with_fnv_1a() {
    let inputs = Inputs::parse(br#"{"a": 1, "foobar": 2}"#).unwrap();
    let hashes: Vec<_> = inputs.signals().map(|signal| signal.hash()).collect();
    // From the test suite of FNV's authors.
    assert_eq!(hashes, [0xaf63_dc4c_8601_ec8c, 0x8594_4171_f739_67e8]);
}

#[test]
fn a_name_is_shown_in_part_and_escaped() {
    let json = format!("{{\"{}\\n\": null}}", "n".repeat(1_000));
    let inputs = Inputs::parse(json.as_bytes()).unwrap();
    let error = inputs.signals().next().unwrap().values(&modulus()).unwrap_err().to_string();
    assert!(error.len() < 300 && !error.contains('\n'), "{error}");
}
