//! `outrigger top`: how a running sidecar fares, live in a terminal, or once as text or JSON.
//!
//! Everything comes from the admin listener of the sidecar (`listen.admin`): `/metrics`, and beside it `/version` and
//! `/readyz`. Rates, means and percentiles are of the last interval, the time between two pages; what is called a total
//! counts since the sidecar was started.
//!
//! [`Snapshot`] is a page of metrics, [`View`] what two of them say, and the one source of all that is shown: [`panes`]
//! are its tables, which the screen and the text share, and JSON is the view itself.

mod error;
#[cfg(test)]
mod fake;
mod feed;
mod fetch;
mod model;
mod number;
mod once;
pub mod panes;
mod screen;
mod source;
pub mod view;

use std::io::IsTerminal;
use std::ops::RangeInclusive;
use std::time::Duration;

pub use error::Error;
pub use model::{Histogram, Labels, ParseError, Quantile, Snapshot};
pub use source::Source;
pub use view::View;

/// The intervals that [`run`] takes. Below, the pages themselves would be a load; above, nobody calls it live.
pub const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3_600);

/// Where the view goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A screen of the terminal, until the user leaves it.
    #[default]
    Screen,
    /// Text on standard output, once.
    Text,
    /// One line of JSON on standard output, once.
    Json,
}

/// How to watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The time between two pages; one of [`INTERVALS`].
    pub interval: Duration,
    /// Where the view goes.
    pub form: Form,
}

impl Default for Options {
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), form: Form::Screen }
    }
}

/// Shows how the sidecar behind `source` fares: until the user leaves or a signal ends it, or once.
///
/// On a screen, a sidecar that is not there is waited for, and one that goes away is asked again at each interval. It must not
/// be called from inside of a tokio runtime, since it makes its own.
///
/// # Errors
/// [`Error::Interval`] and [`Error::NoTerminal`] where it cannot begin; [`Error::NotASidecar`] where something else
/// answers first; [`Error::Away`] where nothing does, unless it is shown on a screen; [`Error::Output`] where nothing can
/// be written.
pub fn run(source: &Source, options: &Options) -> Result<(), Error> {
    if !INTERVALS.contains(&options.interval) {
        return Err(Error::Interval(options.interval));
    }
    if options.form == Form::Screen && !(std::io::stdout().is_terminal() && std::io::stdin().is_terminal()) {
        return Err(Error::NoTerminal);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Output)?;
    let feed = feed::Feed::new(source.clone());
    let result = runtime.block_on(async {
        match options.form {
            Form::Screen => screen::run(feed, options.interval).await,
            Form::Text => once::run(feed, options.interval, &mut std::io::stdout(), once::text).await,
            Form::Json => once::run(feed, options.interval, &mut std::io::stdout(), once::json).await,
        }
    });
    // A name that is still looked up must not hold the end up.
    runtime.shutdown_background();
    result
}
