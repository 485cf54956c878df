//! The page as a whole.

use serde_json::{Value, json};

use crate::{Results, csv, html};

/// A record of the suite `verify` on a backend.
fn record(backend: &str, batch: u64, items_per_second: f64) -> Value {
    json!({
        "suite": "verify", "algorithm": "secp256k1", "ruleset": "bitcoin", "backend": backend, "device": "a device",
        "batch": batch, "threads": 2, "items_per_second": items_per_second,
        "latency_us": {"p50": 123.456_789, "p99": 987.654_321},
    })
}

fn with(mut record: Value, key: &str, value: Value) -> Value {
    record[key] = value;
    record
}

fn results(file: &str, records: &[Value]) -> Results {
    Results::parse(file, &json!(records).to_string()).expect("records")
}

fn page(records: &[Value]) -> String {
    html(&[results("2026-11-21-one-verify.json", records)])
}

/// The figures of a kind, each from its tag to its end.
fn figures<'p>(page: &'p str, kind: &str) -> Vec<&'p str> {
    let tag = format!("data-kind=\"{kind}\"");
    page.split("<figure ").filter(|one| one.contains(&tag)).filter_map(|one| one.split("</figure>").next()).collect()
}

/// The numbers of a part of the page.
fn numbers(part: &str) -> Vec<f64> {
    let values = part.split("<data value=\"").skip(1).filter_map(|rest| rest.split('"').next());
    values.map(|value| value.parse().expect("a number")).collect()
}

const KINDS: [&str; 11] = [
    "throughput-batch",
    "throughput",
    "crossovers",
    "latency-batch",
    "latency",
    "proving",
    "speedup-cpu",
    "speedup-peer",
    "stages",
    "scaling-threads",
    "scaling-loop",
];

#[test]
fn without_records_the_page_says_so() {
    for results in [vec![], vec![results("none.json", &[])]] {
        let page = html(&results);
        assert!(page.contains("nothing to draw") && !page.contains("<figure"));
        assert!(page.contains("No record has latencies."));
    }
}

#[test]
fn one_record_is_a_plot_of_throughput_and_one_of_latency() {
    let page = page(&[record("cpu", 64, 1_234.567_89)]);
    let drawn: Vec<_> = KINDS.into_iter().filter(|kind| !figures(&page, kind).is_empty()).collect();
    assert_eq!(drawn, ["throughput", "latency"]);
    assert!(numbers(figures(&page, "throughput")[0]).contains(&1_234.567_89));
    let latency = numbers(figures(&page, "latency")[0]);
    assert!(latency.contains(&123.456_789) && latency.contains(&987.654_321));
    assert!(!page.contains("id=\"not-drawn\""));
}

/// A device overtakes the cores at 100 items: in the plot a ring, in the table the number.
#[test]
fn crossovers_are_marked_and_listed() {
    let of = |backend, rates: [f64; 2]| [record(backend, 1, rates[0]), record(backend, 10_000, rates[1])];
    let records = [of("vector", [1_000.0, 1_000.0]), of("cuda", [10.0, 100_000.0])].concat();
    let page = page(&records);
    let plot = figures(&page, "throughput-batch");
    assert_eq!(plot.len(), 1);
    assert!(plot[0].contains("r=\"17\""));
    let table = figures(&page, "crossovers")[0];
    assert!(numbers(table).iter().any(|batch| (batch - 100.0).abs() < 1e-6), "{table}");
    let (leader, overtaken) = (table.find("<td>cuda"), table.find("<td>vector"));
    assert!(leader.is_some() && leader < overtaken);
}

/// Points at several machines do not cross, but are drawn together and told apart.
#[test]
fn two_machines_are_laid_over_each_other() {
    let one = results("2026-11-21-one-verify.json", &[record("cpu", 1, 10.0), record("cpu", 100, 20.0)]);
    let two = results("2026-11-21-two-verify.json", &[record("cpu", 1, 20.0), record("cpu", 100, 10.0)]);
    let page = html(&[one, two]);
    let plot = figures(&page, "throughput-batch");
    assert_eq!(plot.len(), 1);
    assert!(plot[0].contains("cpu · one") && plot[0].contains("cpu · two"));
    assert!(!plot[0].contains("r=\"17\"") && page.contains("In no plot above does one overtake another."));
    // Days differ, the machine does not: then the day is the label.
    let again = results("2026-11-22-one-hash.json", &[record("cpu", 100, 20.0)]);
    let first = results("2026-11-21-one-verify.json", &[record("cpu", 1, 10.0)]);
    let page = html(&[first, again]);
    assert!(page.contains("cpu · 2026-11-21<") && page.contains("cpu · 2026-11-22<"));
}

#[test]
fn what_lacks_a_key_is_listed() {
    let mut bare = record("cpu", 1, 1.0);
    bare.as_object_mut().expect("an object").remove("batch");
    let text = with(record("cpu", 1, 1.0), "threads", json!("two"));
    let still = with(record("cpu", 1, 1.0), "latency_us", json!({"p50": 0.0, "p99": 0.0}));
    let zero = record("cpu", 1, 0.0);
    let peer = with(record("cpu", 1, 5.0), "peer", json!({"name": "a"}));
    let page = page(&[bare, text, still, zero, peer]);
    let note = page.split("id=\"not-drawn\"").nth(1).and_then(|rest| rest.split("</section>").next()).expect("a note");
    for (record, why) in [
        (1, "it has no &quot;batch&quot;"),
        (2, "its &quot;threads&quot; is &quot;two&quot;"),
        (3, "not in latency"),
        (4, "its &quot;items_per_second&quot; is 0.0"),
        (5, "without its peer"),
    ] {
        let line = note.split("<li>").find(|line| line.contains(&format!("record {record},"))).expect("a line");
        assert!(line.contains(why), "{line}");
    }
}

#[test]
fn names_are_text_and_never_markup() {
    let evil = "<script>alert(1)</script>&\"'<b>";
    let mut records = Vec::new();
    for (backend, batch) in [("cpu", 1), (evil, 1), (evil, 10)] {
        let mut record = record(backend, batch, 10.0);
        record["ruleset"] = json!(evil);
        record["device"] = json!(evil);
        record["peer"] = json!({"name": evil, "version": evil, "items_per_second": 5.0});
        record["ratio"] = json!(2.0);
        records.push(record);
    }
    let mut proof = with(record(evil, 1, 1.0), "suite", json!("prove"));
    proof["stages_ms"] = json!({evil: 1.0});
    proof["size"] = json!(8);
    records.push(proof);
    let text = json!({"environment": {evil: evil}, "records": records}).to_string();
    let page = html(&[Results::parse(evil, &text).expect("records")]);
    assert!(!page.contains("<script") && !page.contains("<b>"));
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let page = page(&[record("cpu", 1, 10.0), record("cpu", 10, 20.0), record("vector", 10, 30.0)]);
    for outside in
        ["http:", "https:", "//", "src=", "@import", "url(", "<link", "<script", "<iframe", "<img", "<object"]
    {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.split("href=\"").skip(1).all(|rest| rest.starts_with('#')));
}

/// Every result of this repository: each figure that a record has is in a table of the section that shows it, digit by
/// digit.
#[test]
fn tables_hold_the_numbers_of_the_files() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/results");
    let files = std::fs::read_dir(folder).expect("the results").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect();
    files.sort();
    assert!(files.len() >= 7);
    let all: Vec<Results> = files.iter().map(|file| Results::read(file).expect("a result file")).collect();
    let page = html(&all);
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
    let section = |kinds: &[&str]| -> Vec<u64> {
        kinds.iter().flat_map(|kind| figures(&page, kind)).flat_map(numbers).map(f64::to_bits).collect()
    };
    let rates = section(&["throughput-batch", "throughput", "proving"]);
    let latencies = section(&["latency-batch", "latency"]);
    let (ratios, stages) = (section(&["speedup-peer"]), section(&["stages"]));
    let mut compared = 0;
    let mut holds = |place: &[u64], value: Option<&Value>, what: &str| {
        let Some(number) = value.and_then(Value::as_f64).filter(|number| *number > 0.0) else { return };
        assert!(place.contains(&number.to_bits()), "{what} {number}");
        compared += 1;
    };
    for record in all.iter().flat_map(|one| &one.records) {
        holds(&rates, record.get("items_per_second"), "rate");
        holds(&rates, record.get("peer").and_then(|peer| peer.get("items_per_second")), "the peer's rate");
        holds(&latencies, record.get("latency_us").and_then(|latency| latency.get("p50")), "p50");
        holds(&latencies, record.get("latency_us").and_then(|latency| latency.get("p99")), "p99");
        holds(&ratios, record.get("ratio"), "ratio");
        if record["suite"] == "prove" {
            let of_record =
                record.get("stages_ms").and_then(Value::as_object).into_iter().flat_map(|stages| stages.values());
            of_record.for_each(|value| holds(&stages, Some(value), "stage"));
        }
    }
    assert!(compared > 1_000, "{compared}");
}

#[test]
fn every_plot_has_its_axes_legend_table_and_name() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/results");
    let file = folder.join("2026-11-22-amd-epyc-2-cores-prove.json");
    let other = folder.join("2026-11-21-amd-epyc-2-cores-verify.json");
    let page = html(&[Results::read(file).expect("results"), Results::read(other).expect("results")]);
    for kind in KINDS.into_iter().filter(|kind| !["crossovers", "speedup-cpu", "throughput"].contains(kind)) {
        let drawn = figures(&page, kind);
        assert!(!drawn.is_empty(), "{kind}");
        for one in drawn {
            for part in
                ["<h3", "class=\"legend\"", "<svg class=\"plot\"", "role=\"img\"", "<title", "<details>", "<data"]
            {
                assert!(one.contains(part), "{kind} without {part}");
            }
        }
    }
}

/// Vector was measured twice and cpu once: the medians, and the lowest and the highest quotient.
#[test]
fn speed_up_over_cpu_is_a_quotient_of_medians() {
    let page = page(&[record("cpu", 64, 100.0), record("vector", 64, 300.0), record("vector", 64, 500.0)]);
    let values = numbers(figures(&page, "speedup-cpu")[0]);
    for expected in [400.0, 100.0, 4.0, 3.0, 5.0] {
        assert!(values.contains(&expected), "{expected} in {values:?}");
    }
}

#[test]
fn scaling_is_over_one_thread_and_beside_a_loop() {
    let one = with(record("vector", 64, 100.0), "threads", json!(1));
    let scaling = json!({"product": 1.9, "register_loop": 2.0, "product_over_loop": 0.95, "spread": [0.9, 1.01]});
    let page = page(&[one, with(record("vector", 64, 180.0), "scaling", scaling)]);
    assert!(numbers(figures(&page, "scaling-threads")[0]).contains(&1.8));
    let beside = numbers(figures(&page, "scaling-loop")[0]);
    assert!([1.9, 2.0, 0.95, 0.9, 1.01].iter().all(|value| beside.contains(value)));
}

/// The page and the CSV are of the same records.
#[test]
fn csv_has_a_line_a_record() {
    let results = [results("2026-11-21-one-verify.json", &[record("cpu", 1, 10.0), record("cpu", 10, 20.0)])];
    let mut text = Vec::new();
    csv(&results, &mut text).expect("written");
    assert_eq!(String::from_utf8(text).expect("text").lines().count(), 3);
}
