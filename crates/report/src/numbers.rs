//! Numbers for people.

/// A number in a table: at least four digits that say something, and thousands apart.
pub(crate) fn people(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 || value.abs() >= 1_000.0 {
        return grouped(value);
    }
    let digits = if value == 0.0 { 0 } else { (3 - value.abs().log10().floor() as i32).clamp(0, 9) };
    format!("{value:.0$}", digits as usize)
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if value < 0.0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number at an axis: three digits at most, and a letter for thousands and more.
pub(crate) fn short(value: f64) -> String {
    let scales = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    let (scale, letter) = scales.into_iter().find(|(scale, _)| value.abs() >= *scale).unwrap_or((1.0, ""));
    format!("{}{letter}", three_digits(value / scale))
}

/// A time at an axis, given in seconds, in the unit that fits.
pub(crate) fn time(seconds: f64) -> String {
    let scales = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")];
    // A rounding error below a unit should not make 1 s to 1,000 ms.
    let fits = |scale: f64| seconds.abs() >= scale * (1.0 - 1e-9);
    let (scale, unit) = scales.into_iter().find(|(scale, _)| fits(*scale)).unwrap_or((1e-9, "ns"));
    format!("{} {unit}", three_digits(seconds / scale))
}

fn three_digits(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { (2 - value.abs().log10().floor() as i32).clamp(0, 9) };
    let text = format!("{value:.0$}", digits as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The median; of an even count, the mean of the middle two. Not a number where there are none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

#[cfg(test)]
mod tests;
