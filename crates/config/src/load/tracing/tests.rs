use crate::load::tests::{load, variable};
use crate::{ConfigErrors, OtlpEndpoint, Tracing};

fn tracing(text: &str) -> Result<Tracing, ConfigErrors> {
    let config = load(&format!("[tracing]\n{text}\n"), |_| {})?;
    let told = load(&config.describe(), |_| {}).expect("what it tells is a configuration");
    assert_eq!(told.tracing, config.tracing);
    Ok(config.tracing)
}

#[test]
fn traces_are_off_unless_a_collector_is_named() {
    let off = Tracing { otlp_endpoint: None, sampled_per_million: 10_000 };
    assert_eq!(load("", |_| {}).expect("defaults").tracing, off);
    assert_eq!(tracing("otlp_endpoint = \"\"").expect("off"), off);
    let by_environment = load("[tracing]\notlp_endpoint = \"http://one:1\"\n", |sources| {
        sources.environment = vec![variable("OUTRIGGER_TRACING__OTLP_ENDPOINT", "")];
    });
    assert_eq!(by_environment.expect("off").tracing, off);
}

#[test]
fn collectors_have_urls() {
    let urls = ["http://127.0.0.1:4317", "https://collector.example", "http://[::1]:4317/", "HTTPS://collector:65535"];
    for url in urls {
        let found = tracing(&format!("otlp_endpoint = {url:?}")).unwrap_or_else(|errors| panic!("{url}: {errors}"));
        let endpoint = found.otlp_endpoint.expect("an endpoint");
        assert_eq!((endpoint.as_str(), endpoint.is_https()), (url, url.to_lowercase().starts_with("https")));
    }
}

#[test]
fn what_is_no_url_of_a_collector_says_what_would_be_right() {
    let cases = [
        ("collector", "http://"),
        ("127.0.0.1:4317", "http://"),
        ("localhost:4317", "http://"),
        ("/run/collector.sock", "http://"),
        ("grpc://collector:4317", "neither http:// nor https://"),
        ("unix:///run/collector.sock", "http://"),
        ("http://", "http://127.0.0.1:4317"),
        ("http://:4317", "no host"),
        ("http://collector:", "a port that is none"),
        ("http://collector:0", "a port that is none"),
        ("http://collector:65536", "a port that is none"),
        ("http://collector:four", "http://127.0.0.1:4317"),
        ("http://collector:4318/v1/traces", "behind host and port"),
        ("http://collector:4317/?a=b", "behind host and port"),
        ("http://name:password@collector:4317", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("http://two words", "http://127.0.0.1:4317"),
    ];
    for (url, words) in cases {
        let errors = tracing(&format!("otlp_endpoint = {url:?}")).expect_err(url).to_string();
        assert!(errors.contains("tracing.otlp_endpoint") && errors.contains(words), "{url}: {errors}");
        assert!(!errors.contains("password@"), "an error is read by others: {errors}");
    }
    assert!("".parse::<OtlpEndpoint>().is_err(), "nothing is turned off by the reader, and is no URL");
}

#[test]
fn a_share_is_one_of_a_million() {
    for (text, expected) in [("0", 0), ("1", 1), ("1000000", 1_000_000)] {
        assert_eq!(tracing(&format!("sampled_per_million = {text}")).expect("good").sampled_per_million, expected);
    }
    for text in ["1000001", "-1", "0.5", "\"all\""] {
        let errors = tracing(&format!("sampled_per_million = {text}")).expect_err(text).to_string();
        assert!(errors.contains("tracing.sampled_per_million") && errors.contains("0 to 1000000"), "{errors}");
    }
}
