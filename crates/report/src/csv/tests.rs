use std::collections::HashMap;

use super::csv;
use crate::results::Results;

fn lines(results: &[Results]) -> Vec<HashMap<String, String>> {
    let mut text = Vec::new();
    csv(results, &mut text).expect("written");
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let head = reader.headers().expect("a heading").clone();
    let line =
        |record: csv::StringRecord| head.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect();
    reader.records().map(|record| line(record.expect("a line"))).collect()
}

/// Every key, known or not, and numbers digit by digit; a comma, a quotation mark and a line break in a name.
#[test]
fn every_key_of_every_record_is_there() {
    let text = r#"{"environment":{"date":"2026-12-01","governor":"powersave"},"records":[
        {"suite":"verify","items_per_second":434993.899890232,"latency_us":{"p50":1.5,"p99":2},"spread":[0.5,1.25],"odd":{"deep":{"er":true}}},
        {"suite":"hash","algorithm":"a \"b\", c\nd","ruleset":null}]}"#;
    let lines = lines(&[Results::parse("one.json", text).expect("records")]);
    assert_eq!(lines.len(), 2);
    let first = &lines[0];
    for (key, value) in [
        ("file", "one.json"),
        ("date", "2026-12-01"),
        ("items_per_second", "434993.899890232"),
        ("latency_us.p99", "2"),
        ("spread.1", "1.25"),
        ("odd.deep.er", "true"),
        ("environment.governor", "powersave"),
    ] {
        assert_eq!(first[key], value, "{key}");
    }
    assert_eq!(lines[1]["algorithm"], "a \"b\", c\nd");
    assert_eq!(lines[1]["items_per_second"], "");
}

#[test]
fn without_records_there_is_a_heading() {
    let mut text = Vec::new();
    csv(&[Results::parse("none.json", "[]").expect("an array")], &mut text).expect("written");
    assert_eq!(text, b"file,date,machine\n");
}

/// What a writer says is not swallowed.
#[test]
fn a_full_disk_is_an_error() {
    let results = [Results::parse("one.json", r#"[{"suite":"verify"}]"#).expect("a record")];
    assert!(csv(&results, &mut [0_u8; 4][..]).is_err());
}
