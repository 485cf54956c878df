//! Figures for people: three digits or so, and their unit.

/// What stands where nothing is known yet.
pub(crate) const NOTHING: &str = "–";

/// A figure, or that nothing is known.
pub(crate) fn or_nothing(value: Option<f64>, write: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| NOTHING.to_owned(), write)
}

/// A number that need not be whole, such as a rate. What is not 0 does not look like 0.
pub(crate) fn decimal(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 0.005 => "<0.01".to_owned(),
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => whole(value),
    }
}

/// A whole number, its thousands apart.
pub(crate) fn whole(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 && digits != "0" { format!("-{text}") } else { text }
}

/// A share in percent. Only all of it is 100, and only nothing is 0.
pub(crate) fn percent(value: f64) -> String {
    match value {
        0.0 => "0 %".to_owned(),
        100.0 => "100 %".to_owned(),
        part if part < 0.05 => "<0.1 %".to_owned(),
        part if part > 99.95 => ">99.9 %".to_owned(),
        part => format!("{part:.1} %"),
    }
}

/// A time.
pub(crate) fn seconds(value: f64) -> String {
    let scaled = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")].into_iter().find(|(unit, _)| value >= 0.9995 * unit);
    match scaled {
        Some((unit, name)) => {
            let number = value / unit;
            let digits = if number < 9.995 { 2 } else { usize::from(number < 99.95) };
            format!("{number:.digits$} {name}")
        }
        None if value <= 0.0 => "0 s".to_owned(),
        None => format!("{:.0} ns", value * 1e9),
    }
}

/// A long time, in its two largest units.
pub(crate) fn age(value: f64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let whole = value.max(0.0) as u64;
    match UNITS.windows(2).find(|pair| whole >= pair[0].0) {
        Some([(unit, name), (next, next_name)]) => {
            format!("{} {name} {} {next_name}", whole / unit, whole % unit / next)
        }
        _ => format!("{whole} s"),
    }
}

/// Bytes.
pub(crate) fn bytes(value: f64) -> String {
    const UNITS: [(f64, &str); 4] =
        [(1_099_511_627_776.0, "TiB"), (1_073_741_824.0, "GiB"), (1_048_576.0, "MiB"), (1_024.0, "KiB")];
    match UNITS.into_iter().find(|(unit, _)| value >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", value / unit),
        None => format!("{value:.0} B"),
    }
}

#[cfg(test)]
mod tests;
