use crate::{Error, Source};

fn metrics(url: &str) -> String {
    url.parse::<Source>().unwrap_or_else(|error| panic!("{error}")).to_string()
}

#[test]
fn scheme_and_path_may_be_left_out() {
    let whole = "http://127.0.0.1:9464/metrics";
    for url in [whole, "http://127.0.0.1:9464", "http://127.0.0.1:9464/", "127.0.0.1:9464", "127.0.0.1:9464/metrics"] {
        assert_eq!(metrics(url), whole, "{url}");
    }
    assert_eq!(metrics("http://[::1]:9464"), "http://[::1]:9464/metrics");
    assert_eq!(metrics("node-7:80"), "http://node-7:80/metrics", "a port that is named may be any");
    assert_eq!(metrics("http://proxy:80/a/metrics?of=b"), "http://proxy:80/a/metrics?of=b");
}

#[test]
fn what_cannot_be_asked_says_why() {
    let cases = [
        ("", "cannot be asked"),
        ("http://", "cannot be asked"),
        ("http://127.0.0.1", "names no port"),
        ("http://127.0.0.1:0", "names no port"),
        ("http://127.0.0.1:99999", "cannot be asked"),
        ("https://127.0.0.1:9464", "plain http"),
        ("unix:/run/outrigger/outrigger.sock", "cannot be asked"),
        ("http://me:secret@127.0.0.1:9464", "no user"),
        ("http://a b:9464", "cannot be asked"),
    ];
    for (url, expected) in cases {
        let error = url.parse::<Source>().expect_err(url);
        assert!(matches!(error, Error::Source { .. }) && error.is_input(), "{url}: {error:?}");
        let said = error.to_string();
        assert!(said.contains(expected) && said.contains("listen.admin"), "{url}: {said}");
    }
}

#[test]
fn other_pages_stand_beside_the_metrics() {
    let of = |url: &str| url.parse::<Source>().expect("a source").beside("/version").map(|uri| uri.to_string());
    assert_eq!(of("127.0.0.1:9464").as_deref(), Some("http://127.0.0.1:9464/version"));
    assert_eq!(of("proxy:80/a/metrics?of=b").as_deref(), Some("http://proxy:80/a/version"));
    assert_eq!(of("proxy:80/elsewhere"), None, "nobody knows what is beside it");
}
