//! Where one line overtakes another.

/// A point at which two lines cross.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Crossover {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Whether the first line is above the second from here on.
    pub(crate) first_leads: bool,
}

/// The crossings of two lines through points in order of x, all coordinates above zero, straight between their points
/// where both axes are logarithmic. Lines that only touch do not cross; outside of what both cover nothing is guessed.
pub(crate) fn crossovers(first: &[(f64, f64)], second: &[(f64, f64)]) -> Vec<Crossover> {
    let mut places: Vec<f64> = first.iter().chain(second).map(|point| point.0).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let gap = |x: f64| Some((x, at(first, x)?.ln() - at(second, x)?.ln()));
    let gaps = places.into_iter().filter_map(gap);
    let mut found = Vec::new();
    // The last place where they differ, and the first since then where they are equal.
    let (mut last, mut equal): (Option<(f64, f64)>, Option<f64>) = (None, None);
    for (x, now) in gaps {
        if now == 0.0 {
            equal = equal.or(Some(x));
            continue;
        }
        if let Some((before_x, before)) = last
            && (before < 0.0) != (now < 0.0)
        {
            let between = || (before_x.ln() + (x.ln() - before_x.ln()) * before / (before - now)).exp();
            let x = equal.unwrap_or_else(between);
            found.extend(at(first, x).map(|y| Crossover { x, y, first_leads: now > 0.0 }));
        }
        (last, equal) = (Some((x, now)), None);
    }
    found
}

/// The line's height at x, where it has one.
fn at(line: &[(f64, f64)], x: f64) -> Option<f64> {
    let after = line.partition_point(|point| point.0 < x);
    let right = line.get(after)?;
    if right.0 == x {
        return Some(right.1);
    }
    let left = line.get(after.checked_sub(1)?)?;
    let part = (x.ln() - left.0.ln()) / (right.0.ln() - left.0.ln());
    Some((left.1.ln() + (right.1.ln() - left.1.ln()) * part).exp())
}

#[cfg(test)]
mod tests;
