use super::Endpoint;

#[test]
fn endpoints_parse_and_print() {
    for (text, printed) in [
        ("unix:/run/outrigger/outrigger.sock", "unix:/run/outrigger/outrigger.sock"),
        ("unix:///run/o.sock", "unix:/run/o.sock"),
        ("unix:relative.sock", "unix:relative.sock"),
        ("http://127.0.0.1:7550", "http://127.0.0.1:7550"),
        ("http://[::1]:7550/", "http://[::1]:7550"),
        ("https://sidecar.example:443", "https://sidecar.example:443"),
    ] {
        let endpoint: Endpoint = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(endpoint.to_string(), printed);
        assert_eq!(printed.parse(), Ok(endpoint));
    }
}

#[test]
fn wrong_endpoints_say_what_to_write() {
    for text in
        ["", "unix:", "tcp://a:1", "http://host", "http://host:99999", "http://:1", "http://::1:1", "https://[::1:4"]
    {
        let error = text.parse::<Endpoint>().unwrap_err();
        assert!(error.contains("write"), "{text}: {error}");
    }
}
