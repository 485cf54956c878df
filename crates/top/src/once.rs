//! The view once, for pipes and scripts.

use std::io::{ErrorKind, Write};
use std::time::Duration;

use crate::feed::Feed;
use crate::number::{age, decimal, or_nothing, seconds, whole};
use crate::view::View;
use crate::{Error, panes};

/// Samples that are taken at most until two of them are of one process.
const SAMPLES_MAX: usize = 5;

/// Takes two samples an interval apart and writes what they say.
pub(crate) async fn run(
    mut feed: Feed,
    interval: Duration,
    output: &mut impl Write,
    render: impl Fn(&View) -> String,
) -> Result<(), Error> {
    let mut view = feed.next().await?;
    for _ in 1..SAMPLES_MAX {
        if view.interval_seconds.is_some() {
            break;
        }
        tokio::time::sleep(interval).await;
        view = feed.next().await?;
    }
    if view.interval_seconds.is_none() {
        let why = "it is started again and again, so that there are no two samples of the same process".to_owned();
        return Err(Error::Away { url: feed.source().to_string(), why });
    }
    match output.write_all(render(&view).as_bytes()).and_then(|()| output.flush()) {
        // Who reads only the beginning has what they wanted.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(Error::Output),
    }
}

/// The view as one line of JSON.
pub(crate) fn json(view: &View) -> String {
    serde_json::to_string(view).expect("plain data serialises") + "\n"
}

/// The view as text: who, the sums, and all tables.
pub(crate) fn text(view: &View) -> String {
    let panes = panes::of(view);
    let width = panes.iter().map(panes::width).max().unwrap_or_default();
    let mut text = format!("{}\n{}\n{}\n", identity(view), state(view), sums(view));
    for pane in &panes {
        text.push('\n');
        for line in panes::lines(&panes::buffer(pane, width)) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// Which sidecar this is of, and how long it runs.
pub(crate) fn identity(view: &View) -> String {
    let version = view.moment.version.as_deref().unwrap_or_default();
    let version: String = version.chars().filter(|c| !c.is_control()).collect();
    let uptime = or_nothing(view.uptime_seconds, age);
    format!("outrigger {version}").trim_end().to_owned() + "  up " + &uptime + "  " + &view.moment.source
}

/// Whether it takes calls, and of which time the figures are.
pub(crate) fn state(view: &View) -> String {
    let state = match view.moment.ready {
        Some(true) => "ready",
        Some(false) => "draining: takes no calls",
        None => "does not say whether it takes calls",
    };
    let interval = match view.interval_seconds {
        Some(interval) => format!("figures of the last {}", seconds(interval)),
        None => "no interval yet".to_owned(),
    };
    format!("{state}; {interval}")
}

/// The sums over everything.
pub(crate) fn sums(view: &View) -> String {
    let rate = |value| or_nothing(value, decimal);
    let mut text = format!(
        "items judged/s {}   requests/s {}   refused/s {}",
        rate(view.items_per_second),
        rate(view.requests_per_second),
        rate(view.refused_per_second)
    );
    if let Some(held) = &view.in_flight {
        text += &format!("   in flight {} items", whole(held.items));
    }
    text
}

#[cfg(test)]
mod tests;
