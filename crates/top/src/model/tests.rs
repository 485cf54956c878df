use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Histogram, Labels, Quantile, Snapshot};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn parse(text: &str) -> Snapshot {
    Snapshot::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn fails(text: &str) -> String {
    Snapshot::parse(text).expect_err(text).to_string()
}

#[test]
fn a_page_is_read() {
    let page = parse(
        "# HELP a_total Anything, with {braces} and \"quotes\"\n# TYPE a_total counter\n# a comment\n\
         a_total 3\na_total{x=\"1\",y=\"2\"} 4 1700000000000\n a_total { x = \"3\" , } 5\n\n\
         # TYPE g gauge\ng -1.5e-3\nother{} NaN\r\n",
    );
    assert_eq!(page.names().collect::<Vec<_>>(), ["a_total", "g", "other"]);
    assert_eq!(page.value("a_total", &labels(&[])), Some(3.0));
    assert_eq!(page.value("a_total", &labels(&[("y", "2"), ("x", "1")])), Some(4.0), "labels have no order");
    assert_eq!(page.value("a_total", &labels(&[("x", "3")])), Some(5.0));
    assert_eq!(page.value("g", &labels(&[])), Some(-0.0015));
    assert!(page.value("other", &labels(&[])).is_some_and(f64::is_nan), "what is of no kind may be anything");
    assert_eq!(page.value("missing", &labels(&[])), None);
    assert_eq!(page.values("missing").count() + page.histograms("g").count(), 0);
}

/// The names of devices come from drivers: whatever is in them, a label ends at its quote.
#[test]
fn labels_may_hold_anything() {
    let page = parse(r#"g{device="A, \"B\" {C}=D \\ #0\n",part="x"} 1"#);
    let expected = labels(&[("device", "A, \"B\" {C}=D \\ #0\n"), ("part", "x")]);
    assert_eq!(page.value("g", &expected), Some(1.0));
    assert_eq!(expected.get("device"), "A, \"B\" {C}=D \\ #0\n");
    assert_eq!(expected.get("missing"), "");
}

#[test]
fn what_is_not_of_the_format_is_an_error_with_its_line() {
    let cases = [
        ("<!doctype html>", "line 1: no name"),
        ("a 1\n{x=\"1\"} 2", "line 2: no name"),
        ("1a 2", "no name"),
        ("a", "no value"),
        ("a one", "\"one\" is no value"),
        ("a{x=\"1\" 2", "no comma"),
        ("a{x=1} 2", "no value in quotes"),
        ("a{x=\"1} 2", "has no end"),
        ("a{x=\"1\\", "has no end"),
        ("a{x=\"1\",x=\"2\"} 2", "second label"),
        ("a{1=\"1\"} 2", "no name of a label"),
        ("a 1 soon", "is no time"),
        ("a 1 2 3", "after the value"),
        ("a 1\na 2", "second value of the same series"),
        ("# TYPE a", "needs a name and a kind"),
        ("# TYPE a tally", "no kind"),
        ("# TYPE \u{1b}[2J counter", "no name"),
        ("# TYPE a counter\n# TYPE a counter", "a second TYPE"),
        ("a 1\n# TYPE a counter", "after its series"),
        ("# TYPE a counter\na -1", "cannot be -1"),
        ("# TYPE a counter\na NaN", "cannot be NaN"),
    ];
    for (text, expected) in cases {
        let error = fails(text);
        assert!(error.contains(expected), "{text:?}: {error}");
        assert!(!error.contains(char::is_control), "{error:?}");
    }
}

/// A histogram with the ends 1 and 2 and a last bucket, of these cumulative counts.
fn page_of(cumulative: [u64; 3], sum: f64) -> String {
    let [one, two, all] = cumulative;
    format!(
        "# TYPE h histogram\nh_bucket{{le=\"1\"}} {one}\nh_bucket{{le=\"2\"}} {two}\nh_bucket{{le=\"+Inf\"}} {all}\n\
         h_sum {sum}\nh_count {all}\n"
    )
}

fn histogram(cumulative: [u64; 3], sum: f64) -> Histogram {
    parse(&page_of(cumulative, sum)).histogram("h", &Labels::default()).expect("it is there").clone()
}

#[test]
fn a_histogram_must_be_whole() {
    let whole = page_of([1, 3, 4], 9.0);
    let read = histogram([1, 3, 4], 9.0);
    assert_eq!((read.count(), read.mean(), read.known_up_to()), (4.0, Some(2.25), 2.0));
    assert!(parse(&whole).value("h", &Labels::default()).is_none(), "it is not one number");
    let cases = [
        (whole.replace("h_sum 9\n", ""), "no sum"),
        (whole.replace("h_count 4\n", ""), "no sum or no count"),
        (whole.replace("h_count 4", "h_count 5"), "other than that of its last bucket"),
        (whole.replace("+Inf", "3"), "no bucket for all"),
        (whole.replace("le=\"2\"", "le=\"1\""), "a bucket twice"),
        (whole.replace("\"} 3", "\"} 0"), "counts less than the one before"),
        (whole.replace("le=\"2\"", "le=\"two\""), "a number"),
        (whole.replace("{le=\"2\"}", ""), "needs a label le"),
        (whole.replace("h_count 4", "h_count 4\nh_count 4"), "a second sum or count"),
        (whole.replace("h_count 4", "h_count -4"), "cannot be -4"),
    ];
    for (text, expected) in cases {
        let error = fails(&text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn buckets_may_come_in_any_order() {
    let mut lines: Vec<_> = page_of([1, 3, 4], 9.0).lines().map(str::to_owned).collect();
    lines[1..].reverse();
    assert_eq!(parse(&lines.join("\n")).histogram("h", &Labels::default()), Some(&histogram([1, 3, 4], 9.0)));
}

#[test]
fn differences_are_of_the_same_buckets_and_never_negative() {
    let (before, now) = (histogram([1, 3, 4], 9.0), histogram([1, 5, 7], 16.0));
    assert_eq!(now.since(&before), Some(histogram([0, 2, 3], 7.0)));
    assert_eq!(before.since(&before), Some(histogram([0, 0, 0], 0.0)));
    assert_eq!(before.since(&now), None, "it fell");
    let text = page_of([1, 5, 7], 16.0).replace("le=\"2\"", "le=\"4\"");
    let other = parse(&text).histogram("h", &Labels::default()).expect("it is there").clone();
    assert_eq!((other.since(&before), other.plus(&before)), (None, None), "buckets of another build");
    assert_eq!(now.plus(&before), Some(histogram([2, 8, 11], 25.0)));
}

#[test]
fn quantiles_at_the_edges() {
    assert_eq!(histogram([0, 0, 0], 0.0).quantile(0.5), None);
    assert_eq!(histogram([0, 0, 0], 0.0).mean(), None);
    assert_eq!(histogram([4, 4, 4], 2.0).quantile(0.5), Some(Quantile::Near(0.5)), "the first bucket begins at 0");
    assert_eq!(histogram([0, 4, 4], 6.0).quantile(0.0), Some(Quantile::Near(1.0)), "empty buckets hold nothing");
    assert_eq!(histogram([2, 4, 4], 6.0).quantile(0.5), Some(Quantile::Near(1.0)));
    assert_eq!(histogram([2, 4, 4], 6.0).quantile(1.0), Some(Quantile::Near(2.0)));
    assert_eq!(histogram([2, 2, 4], 9.0).quantile(0.9), Some(Quantile::Above(2.0)), "nobody knows how far");
    assert_eq!(histogram([2, 2, 4], 9.0).quantile(0.5), Some(Quantile::Near(1.0)));
}

#[test]
fn a_page_follows_another_where_no_count_fell_or_is_gone() {
    let page = |count: u64, buckets: [u64; 3]| {
        parse(&format!("# TYPE c counter\nc{{x=\"1\"}} {count}\n# TYPE g gauge\ng {count}\n{}", page_of(buckets, 1.0)))
    };
    let before = page(5, [1, 2, 3]);
    assert!(before.follows(&before) && before.follows(&Snapshot::default()));
    assert!(page(6, [1, 2, 4]).follows(&before));
    assert!(!page(4, [1, 2, 3]).follows(&before), "a counter fell");
    assert!(!page(5, [1, 1, 3]).follows(&before), "a bucket fell");
    assert!(!Snapshot::default().follows(&before), "counters are gone");
    assert!(!parse("# TYPE c counter\nc{x=\"2\"} 9").follows(&before), "a series is gone");
    assert!(Snapshot::default().follows(&parse("# TYPE g gauge\ng 1")), "gauges come and go");
    let started = |at: u32| parse(&format!("outrigger_start_time_seconds {at}"));
    assert!(started(7).follows(&started(7)) && started(7).follows(&Snapshot::default()));
    assert!(!started(8).follows(&started(7)), "another process, though no count fell");
    assert!(!Snapshot::default().follows(&started(7)));
}

/// What a quantile is, said another way: the observations of each bucket spread evenly over it, and the one at the rank.
fn by_spreading(ends: &[f64], counts: &[u64], part: f64) -> Option<f64> {
    let mut spread = Vec::new();
    let mut begin = 0.0;
    for (end, count) in ends.iter().zip(counts) {
        spread.extend((1..=*count).map(|place| begin + (end - begin) * place as f64 / *count as f64));
        begin = *end;
    }
    let rank = part * counts.iter().sum::<u64>() as f64;
    // Ranks between two observations lie on no observation; only whole ones can be looked up.
    (rank.fract() == 0.0 && rank >= 1.0).then(|| spread.get(rank as usize - 1).copied().unwrap_or(f64::INFINITY))
}

fn page_of_counts(ends: &[f64], counts: &[u64], sum: f64) -> String {
    let mut text = "# TYPE h histogram\n".to_owned();
    let mut all = 0;
    for (end, count) in ends.iter().map(f64::to_string).chain(["+Inf".to_owned()]).zip(counts) {
        all += count;
        text += &format!("h_bucket{{le=\"{end}\"}} {all}\n");
    }
    text + &format!("h_sum {sum}\nh_count {all}\n")
}

const ENDS: [f64; 5] = [0.25, 0.5, 1.0, 4.0, 16.0];

fn of_counts(counts: &[u64]) -> Histogram {
    parse(&page_of_counts(&ENDS, counts, 0.0)).histogram("h", &Labels::default()).expect("it is there").clone()
}

proptest! {
    #[test]
    fn quantiles_of_a_difference_are_those_of_the_observations_between(
        before in prop::collection::vec(0_u64..50, 6),
        fresh in prop::collection::vec(0_u64..50, 6),
        part in prop::sample::select(vec![0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0]),
    ) {
        let now: Vec<_> = before.iter().zip(&fresh).map(|(one, other)| one + other).collect();
        let between = of_counts(&now).since(&of_counts(&before)).expect("counts rose");
        prop_assert_eq!(between.count(), fresh.iter().sum::<u64>() as f64);
        if let Some(expected) = by_spreading(&ENDS, &fresh, part) {
            match between.quantile(part) {
                Some(Quantile::Near(found)) => prop_assert!((found - expected).abs() < 1e-9, "{} {}", found, expected),
                Some(Quantile::Above(end)) => prop_assert!(expected.is_infinite() && end == 16.0),
                None => prop_assert!(false, "there are observations"),
            }
        }
    }

    /// Of real observations, the estimate is in the bucket of the one at the rank.
    #[test]
    fn quantiles_are_in_the_bucket_of_the_observation(
        mut observed in prop::collection::vec(0.001_f64..30.0, 1..200), part in 0.01_f64..1.0,
    ) {
        let bucket = |value: f64| ENDS.iter().position(|end| value <= *end).unwrap_or(ENDS.len());
        let mut counts = vec![0; ENDS.len() + 1];
        observed.iter().for_each(|value| counts[bucket(*value)] += 1);
        observed.sort_by(f64::total_cmp);
        let rank = (part * observed.len() as f64).ceil() as usize;
        let expected = bucket(observed[rank.clamp(1, observed.len()) - 1]);
        let found = match of_counts(&counts).quantile(part) {
            Some(Quantile::Near(found)) => bucket(found),
            Some(Quantile::Above(_)) => ENDS.len(),
            None => usize::MAX,
        };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn labels_survive_their_escapes(
        values in prop::collection::btree_map("[a-z_][a-z0-9_]{0,8}", any::<String>(), 0..5), value in any::<u32>(),
    ) {
        // The exporter writes carriage returns as they are, and lines() takes one off the end of a line, never inside.
        let values: BTreeMap<String, String> = values.into_iter().map(|(name, text)| (name, text.replace('\r', ""))).collect();
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let pairs: Vec<_> = values.iter().map(|(name, text)| format!("{name}=\"{}\"", escaped(text))).collect();
        let page = parse(&format!("m{{{}}} {value}\n", pairs.join(",")));
        prop_assert_eq!(page.value("m", &Labels(values)), Some(f64::from(value)));
    }

    #[test]
    fn nothing_makes_it_panic(text in "[a-c{}=\",\\\\ \n#0-9.+TYPEcountrhisgam_bucket]{0,120}") {
        let _ = Snapshot::parse(&text);
    }
}
