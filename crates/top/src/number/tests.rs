use super::{age, bytes, decimal, percent, seconds, whole};

#[test]
fn numbers_have_three_digits_and_their_thousands_apart() {
    let cases = [
        (0.0, "0"),
        (0.004, "<0.01"),
        (0.25, "0.25"),
        (9.994, "9.99"),
        (9.996, "10.0"),
        (99.94, "99.9"),
        (99.96, "100"),
        (999.6, "1,000"),
        (10_021.4, "10,021"),
        (1_234_567.0, "1,234,567"),
    ];
    for (value, expected) in cases {
        assert_eq!(decimal(value), expected, "{value}");
    }
    assert_eq!(whole(-1_500.0), "-1,500");
    assert_eq!(whole(-0.2), "0");
}

#[test]
fn a_share_is_whole_or_nothing_only_where_it_is() {
    let cases =
        [(0.0, "0 %"), (0.001, "<0.1 %"), (1.25, "1.2 %"), (99.9, "99.9 %"), (99.999, ">99.9 %"), (100.0, "100 %")];
    for (value, expected) in cases {
        assert_eq!(percent(value), expected, "{value}");
    }
}

#[test]
fn times_and_bytes_have_the_unit_that_fits() {
    let cases = [
        (0.0, "0 s"),
        (2.5e-7, "250 ns"),
        (4.2e-6, "4.20 µs"),
        (8.5e-4, "850 µs"),
        (0.0009996, "1.00 ms"),
        (0.0123, "12.3 ms"),
        (1.2, "1.20 s"),
        (62.0, "62.0 s"),
        (3_600.0, "3600 s"),
    ];
    for (value, expected) in cases {
        assert_eq!(seconds(value), expected, "{value}");
    }
    assert_eq!(bytes(1_023.0), "1023 B");
    assert_eq!(bytes(3_645_662.0), "3.5 MiB");
    assert_eq!(bytes(5e12), "4.5 TiB");
}

#[test]
fn long_times_have_two_units() {
    let cases = [
        (0.0, "0 s"),
        (59.9, "59 s"),
        (60.0, "1 min 0 s"),
        (3_599.0, "59 min 59 s"),
        (11_525.75, "3 h 12 min"),
        (86_399.0, "23 h 59 min"),
        (432_000.0, "5 d 0 h"),
    ];
    for (value, expected) in cases {
        assert_eq!(age(value), expected, "{value}");
    }
}
