use super::{median, people, short, time};

#[test]
fn numbers_of_a_table_keep_four_digits() {
    let cases = [
        (0.0, "0"),
        (1_024.0, "1,024"),
        (434_993.899_890_232, "434,994"),
        (1_000.4, "1,000"),
        (4.730_102, "4.730"),
        (0.012_345, "0.01235"),
        (-1_234_567.0, "-1,234,567"),
        (12.5, "12.50"),
    ];
    for (value, expected) in cases {
        assert_eq!(people(value), expected);
    }
}

#[test]
fn numbers_of_an_axis_are_short() {
    let cases =
        [(1.0, "1"), (1.5, "1.5"), (500.0, "500"), (1e3, "1k"), (65_536.0, "65.5k"), (2e6, "2M"), (0.05, "0.05")];
    for (value, expected) in cases {
        assert_eq!(short(value), expected);
    }
}

#[test]
fn times_have_the_unit_that_fits() {
    // 10^-3 by powers of ten may come out below 0.001.
    let cases =
        [(1.0, "1 s"), (10f64.powi(-3), "1 ms"), (2.0 * 10f64.powi(-5), "20 µs"), (5e-9, "5 ns"), (0.25, "250 ms")];
    for (seconds, expected) in cases {
        assert_eq!(time(seconds), expected);
    }
}

#[test]
fn the_median_is_the_middle() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    assert_eq!(median(&[4.0, 1.0]), 2.5);
    assert!(median(&[]).is_nan());
}
