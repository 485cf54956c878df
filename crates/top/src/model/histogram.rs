//! Histograms: observations by bucket, the difference of two, and what can be said from it.

/// Observations by bucket. Buckets are the same for all series of one name, and do not change while a process lives.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Upper ends of the buckets, ascending, without the last bucket, which has none.
    bounds: Vec<f64>,
    /// How many observations were at most each of these, so they never fall; the last one counts all.
    cumulative: Vec<f64>,
    /// The sum of all observations.
    sum: f64,
}

/// Where a part of the observations lies below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantile {
    /// About here: inside of one bucket, by a straight line between its ends.
    Near(f64),
    /// Above the end of the last bucket that has one, which is this; nobody knows how far.
    Above(f64),
}

impl Histogram {
    /// How many observations there are.
    pub fn count(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or_default()
    }

    /// The mean of the observations, exactly; `None` without any.
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0.0).then(|| self.sum / self.count())
    }

    /// What was observed after `before`; `None` where this cannot be a later state of the same histogram.
    pub fn since(&self, before: &Self) -> Option<Self> {
        let rose = self.cumulative.iter().zip(&before.cumulative).all(|(now, before)| now >= before);
        (self.bounds == before.bounds && rose).then(|| {
            let cumulative = self.cumulative.iter().zip(&before.cumulative).map(|(now, before)| now - before);
            Self { bounds: self.bounds.clone(), cumulative: cumulative.collect(), sum: self.sum - before.sum }
        })
    }

    /// The observations of both; `None` where their buckets differ.
    pub fn plus(&self, other: &Self) -> Option<Self> {
        (self.bounds == other.bounds).then(|| {
            let cumulative = self.cumulative.iter().zip(&other.cumulative).map(|(one, other)| one + other);
            Self { bounds: self.bounds.clone(), cumulative: cumulative.collect(), sum: self.sum + other.sum }
        })
    }

    /// Where `part` of the observations, between 0 and 1, lies below; `None` without observations. The first bucket begins
    /// at 0: no time and no size is less.
    pub fn quantile(&self, part: f64) -> Option<Quantile> {
        let rank = part.clamp(0.0, 1.0) * self.count();
        if self.count() <= 0.0 {
            return None;
        }
        // A bucket without observations holds no rank, not even that of 0.
        let counts = |index: usize| self.cumulative[index] - self.below(index);
        let index = (0..self.cumulative.len()).find(|index| self.cumulative[*index] >= rank && counts(*index) > 0.0)?;
        let Some(end) = self.bounds.get(index) else {
            return Some(Quantile::Above(self.known_up_to()));
        };
        let begin = if index == 0 { 0.0 } else { self.bounds[index - 1] };
        Some(Quantile::Near(begin + (end - begin) * (rank - self.below(index)) / counts(index)))
    }

    /// The end of the last bucket that has one; 0 where there is none.
    pub fn known_up_to(&self) -> f64 {
        self.bounds.last().copied().unwrap_or_default()
    }

    /// Observations below the bucket of this index.
    fn below(&self, index: usize) -> f64 {
        if index == 0 { 0.0 } else { self.cumulative[index - 1] }
    }
}

/// What a line of a histogram says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Bucket,
    Sum,
    Count,
}

impl Part {
    pub(super) const ALL: [Self; 3] = [Self::Bucket, Self::Sum, Self::Count];

    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Bucket => "_bucket",
            Self::Sum => "_sum",
            Self::Count => "_count",
        }
    }
}

/// The lines of one histogram.
#[derive(Default)]
pub(super) struct Parts {
    buckets: Vec<(f64, f64)>,
    sum: Option<f64>,
    count: Option<f64>,
}

impl Parts {
    pub(super) fn take(&mut self, part: Part, bound: Option<String>, value: f64) -> Result<(), String> {
        if part != Part::Sum && !(value.is_finite() && value >= 0.0) {
            return Err(format!("a count of a histogram cannot be {value}"));
        }
        let place = match part {
            Part::Sum => &mut self.sum,
            Part::Count => &mut self.count,
            Part::Bucket => {
                let bound: Option<f64> = bound.and_then(|bound| bound.parse().ok());
                let bound =
                    bound.filter(|bound| !bound.is_nan()).ok_or("a bucket needs a label le that is a number")?;
                self.buckets.push((bound, value));
                return Ok(());
            }
        };
        match place.replace(value) {
            None => Ok(()),
            Some(_) => Err("a second sum or count of the same histogram".to_owned()),
        }
    }

    pub(super) fn finish(mut self) -> Result<Histogram, &'static str> {
        self.buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (mut bounds, cumulative): (Vec<f64>, Vec<f64>) = self.buckets.into_iter().unzip();
        if !bounds.is_sorted_by(|one, other| one < other) {
            return Err("has a bucket twice");
        }
        if !cumulative.is_sorted() {
            return Err("has a bucket that counts less than the one before it");
        }
        if bounds.pop() != Some(f64::INFINITY) {
            return Err("has no bucket for all observations");
        }
        let (Some(sum), Some(count)) = (self.sum, self.count) else {
            return Err("has no sum or no count");
        };
        if cumulative.last() != Some(&count) {
            return Err("has a count other than that of its last bucket");
        }
        Ok(Histogram { bounds, cumulative, sum })
    }
}
