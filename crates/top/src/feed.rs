//! Views of a sidecar, one after the other: what two samples in a row say.

use std::time::SystemTime;

use crate::fetch::{Fetcher, Sample};
use crate::view::{Continuity, Moment};
use crate::{Error, Source, View};

/// Takes samples and compares each with the one before.
pub(crate) struct Feed {
    source: Source,
    fetcher: Fetcher,
    history: History,
}

impl Feed {
    pub(crate) fn new(source: Source) -> Self {
        Self { fetcher: Fetcher::new(source.clone()), source, history: History::default() }
    }

    /// Where the metrics are.
    pub(crate) const fn source(&self) -> &Source {
        &self.source
    }

    /// Looks at the sidecar.
    ///
    /// # Errors
    /// [`Error::Away`] or [`Error::NotASidecar`]; the next sample then begins anew.
    pub(crate) async fn next(&mut self) -> Result<View, Error> {
        match self.fetcher.sample().await {
            Ok(sample) => Ok(self.history.view(&self.source, sample, SystemTime::now())),
            Err(error) => {
                self.history.missed();
                Err(error)
            }
        }
    }
}

/// What was seen before.
#[derive(Default)]
struct History {
    before: Option<Sample>,
    missed: bool,
}

impl History {
    /// What a sample says beside the one before. Where the two are not of one process, or a sample between them is
    /// missing, there are no rates: nobody knows of which time they would be.
    fn view(&mut self, source: &Source, sample: Sample, now: SystemTime) -> View {
        let missed = std::mem::take(&mut self.missed);
        let before = self.before.take();
        let restarted = before.as_ref().is_some_and(|before| !sample.snapshot.follows(&before.snapshot));
        let continuity = match (&before, restarted, missed) {
            (None, ..) => Continuity::First,
            (_, true, _) => Continuity::Restarted,
            (_, _, true) => Continuity::Returned,
            _ => Continuity::Continued,
        };
        let moment = Moment {
            source: source.to_string(),
            version: sample.version.clone(),
            ready: sample.ready,
            unix_seconds: now.duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64()),
            continuity,
        };
        let before = before.filter(|_| continuity == Continuity::Continued);
        let before = before.as_ref().map(|before| (&before.snapshot, sample.taken.duration_since(before.taken)));
        let view = View::of(moment, &sample.snapshot, before);
        self.before = Some(sample);
        view
    }

    /// A sample did not come.
    const fn missed(&mut self) {
        self.missed = true;
    }
}

#[cfg(test)]
mod tests;
