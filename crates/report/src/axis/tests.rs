use super::{Axis, TICKS_MAX, Unit};

use plotters::coord::ranged1d::{Ranged, ValueFormatter};

/// One value, values close together, decades, and twenty decades: each has ticks that can be read.
#[test]
fn every_span_has_some_ticks_and_not_too_many() {
    let spans = [(1.0, 1.0), (67.0, 67.0), (1.9, 2.1), (3.0, 30.0), (1.0, 1e6), (1e-9, 1e11)];
    for (low, high) in spans {
        let axis = Axis::log([low, high], Unit::Count);
        assert!((3..=TICKS_MAX).contains(&axis.ticks.len()), "{low} to {high}: {:?}", axis.ticks);
        assert!(axis.low() < low && high < axis.high());
        assert!(axis.ticks.iter().all(|tick| (axis.low()..=axis.high()).contains(tick)));
    }
}

#[test]
fn equal_factors_are_equal_distances() {
    let axis = Axis::log([1.0, 1e4], Unit::Count);
    let at = |value: f64| axis.map(&value, (0, 10_000));
    assert!((at(10.0) - at(1.0) - (at(1e4) - at(1e3))).abs() <= 1);
    assert_eq!((at(axis.low()), at(axis.high())), (0, 10_000));
}

#[test]
fn nothing_to_draw_is_an_axis_too() {
    assert!(Axis::log([], Unit::Time).ticks.len() >= 3);
}

#[test]
fn labels_have_units() {
    assert_eq!(Axis::log([1.0], Unit::Time).format_ext(&0.02), "20 ms");
    assert_eq!(Axis::log([1.0], Unit::Times).format_ext(&1.5), "1.5×");
    assert_eq!(Axis::percent().format_ext(&25.0), "25 %");
}
