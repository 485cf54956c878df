use std::time::Duration;

use super::timeout;

#[test]
fn timeouts_are_read_as_the_specification_says() {
    let cases = [
        ("1H", Some(Duration::from_secs(3_600))),
        ("2M", Some(Duration::from_secs(120))),
        ("3S", Some(Duration::from_secs(3))),
        ("4m", Some(Duration::from_millis(4))),
        ("5u", Some(Duration::from_micros(5))),
        ("99999999n", Some(Duration::from_nanos(99_999_999))),
        ("0m", Some(Duration::ZERO)),
        ("100000000n", None),
        ("", None),
        ("m", None),
        ("5", None),
        ("-5m", None),
        ("+5m", None),
        ("5 m", None),
        ("5é", None),
    ];
    for (value, expected) in cases {
        assert_eq!(timeout(value), expected, "{value:?}");
    }
}
