//! An axis of a plot: its scale, its bounds and where it has ticks.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::numbers;

/// More ticks than these run into each other on a narrow screen.
const TICKS_MAX: usize = 7;
/// A logarithmic axis spans at least this factor, so that it has ticks.
const SPAN_MIN: f64 = 4.0;
/// How far outside of the values a logarithmic axis begins and ends.
const MARGIN: f64 = 1.25;

/// What an axis counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Unit {
    /// Plain numbers.
    Count,
    /// Seconds.
    Time,
    /// Multiples.
    Times,
    /// Hundredths.
    Percent,
    /// Nothing that anybody reads: places of rows.
    Place,
}

/// An axis.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    is_log: bool,
    low: f64,
    high: f64,
    ticks: Vec<f64>,
    unit: Unit,
}

impl Axis {
    /// A logarithmic axis around values above zero.
    pub(crate) fn log(values: impl IntoIterator<Item = f64>, unit: Unit) -> Self {
        let values: Vec<f64> = values.into_iter().filter(|value| *value > 0.0 && value.is_finite()).collect();
        let low = values.iter().copied().reduce(f64::min).unwrap_or(1.0);
        let high = values.iter().copied().reduce(f64::max).unwrap_or(1.0);
        let widen = (SPAN_MIN / (high / low * MARGIN * MARGIN)).max(1.0).sqrt() * MARGIN;
        let (low, high) = (low / widen, high * widen);
        Self { is_log: true, low, high, ticks: log_ticks(low, high), unit }
    }

    /// An axis from 0 to 100 %.
    pub(crate) fn percent() -> Self {
        Self {
            is_log: false,
            low: 0.0,
            high: 100.0,
            ticks: (0..=4).map(|n| f64::from(n) * 25.0).collect(),
            unit: Unit::Percent,
        }
    }

    /// Places from the top, without ticks.
    pub(crate) fn places(count: f64) -> Self {
        Self { is_log: false, low: count, high: 0.0, ticks: Vec::new(), unit: Unit::Place }
    }

    /// Where the axis begins.
    pub(crate) fn low(&self) -> f64 {
        self.low
    }

    /// Where the axis ends.
    pub(crate) fn high(&self) -> f64 {
        self.high
    }

    /// A value as the axis writes it.
    fn label(&self, value: f64) -> String {
        match self.unit {
            Unit::Count => numbers::short(value),
            Unit::Time => numbers::time(value),
            Unit::Times => format!("{}×", numbers::short(value)),
            Unit::Percent => format!("{value} %"),
            Unit::Place => String::new(),
        }
    }
}

/// Ticks between two bounds: powers of ten, or numbers between them where there are few of those.
fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let steps: [&[f64]; 3] = [&[1.0], &[1.0, 2.0, 5.0], &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0]];
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let within = |steps: &[f64]| -> Vec<f64> {
        let all = decades.clone().flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
        all.filter(|tick| (low..=high).contains(tick)).collect()
    };
    let all = steps.map(within);
    let ticks = all.iter().find(|ticks| ticks.len() >= 3).unwrap_or(&all[2]);
    let every = ticks.len().div_ceil(TICKS_MAX);
    ticks.iter().copied().step_by(every.max(1)).collect()
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let scaled = |value: f64| if self.is_log { value.ln() } else { value };
        let (low, high) = (scaled(self.low), scaled(self.high));
        let part = (scaled(*value) - low) / (high - low);
        limit.0 + (f64::from(limit.1 - limit.0) * part).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Thin lines between those of the ticks would only be noise.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        self.label(*value)
    }
}

#[cfg(test)]
mod tests;
