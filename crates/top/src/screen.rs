//! The live view in a terminal.

mod draw;
mod look;

use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::{Duration, Instant};

use crossterm::event::{Event, EventStream};
use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_stream::{Stream, StreamExt};

use crate::feed::Feed;
use crate::view::View;
use crate::{Error, Source};

use look::{Look, Next};

/// What was seen of the sidecar last.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// The last view that there was.
    view: Option<View>,
    /// What is wrong since then.
    trouble: Option<Trouble>,
    /// What answered first is no sidecar.
    foreign: Option<(String, String)>,
}

/// Why there is no newer view.
#[derive(Clone, Debug)]
struct Trouble {
    since: Instant,
    why: String,
}

/// Gives the terminal back as it was, whichever way this ends. A panic does the same by the hook of [`ratatui::try_init`],
/// before it is printed.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows a sidecar until the user or a signal ends it.
pub(crate) async fn run(feed: Feed, interval: Duration) -> Result<(), Error> {
    let signalled = signalled().map_err(Error::Output)?;
    // First, so that a terminal which is set up half way is given back too.
    let _restore = Restore;
    let mut terminal = ratatui::try_init().map_err(Error::Output)?;
    show(&mut terminal, feed, interval, EventStream::new(), signalled).await
}

/// Ends with the first signal that asks to end. In a terminal in raw mode, Ctrl-C is a key and none of these.
fn signalled() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut quit = signal(SignalKind::quit())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            _ = quit.recv() => {}
        }
    })
}

/// Draws what the feed gives and obeys keys.
async fn show<B: Backend>(
    terminal: &mut Terminal<B>,
    feed: Feed,
    interval: Duration,
    events: impl Stream<Item = io::Result<Event>>,
    signalled: impl Future<Output = ()>,
) -> Result<(), Error> {
    let mut look = Look::new(feed.source(), interval);
    let (sender, mut seen) = watch::channel(Seen::default());
    let sampling = tokio::spawn(sample(feed, interval, sender));
    let mut events = pin!(events);
    let mut signalled = pin!(signalled);
    let result = loop {
        let drawn = terminal.draw(|frame| draw::screen(frame, &mut look));
        if let Err(error) = drawn {
            break Err(Error::Output(io::Error::other(error.to_string())));
        }
        tokio::select! {
            changed = seen.changed() => {
                let now = seen.borrow_and_update().clone();
                if let Some((url, why)) = now.foreign {
                    break Err(Error::NotASidecar { url, why });
                }
                if changed.is_err() {
                    break Err(Error::Output(io::Error::other("nothing is fetched any more")));
                }
                look.see(now);
            }
            event = events.next() => match event {
                Some(Ok(event)) if look.obey(&event) == Next::Leave => break Ok(()),
                Some(Ok(_)) => {}
                Some(Err(error)) => break Err(Error::Output(error)),
                // The terminal is gone.
                None => break Ok(()),
            },
            () = &mut signalled => break Ok(()),
        }
    };
    sampling.abort();
    result
}

/// Takes a sample at each interval, for as long as somebody looks.
async fn sample(mut feed: Feed, interval: Duration, sender: watch::Sender<Seen>) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let sampled = feed.next().await;
        sender.send_modify(|seen| seen.take(sampled, feed.source()));
        if sender.is_closed() || sender.borrow().foreign.is_some() {
            return;
        }
    }
}

impl Seen {
    fn take(&mut self, sampled: Result<View, Error>, source: &Source) {
        match sampled {
            Ok(view) => *self = Self { view: Some(view), trouble: None, foreign: None },
            // With nothing seen before, the address is wrong. Later on, something else may stand in for the sidecar for a while.
            Err(Error::NotASidecar { url, why }) if self.view.is_none() => self.foreign = Some((url, why)),
            Err(error) => {
                let why = match error {
                    Error::Away { why, .. } => why,
                    Error::NotASidecar { why, .. } => format!("what answers is no sidecar: {why}"),
                    other => format!("{source}: {other}"),
                };
                let since = self.trouble.as_ref().map_or_else(Instant::now, |trouble| trouble.since);
                self.trouble = Some(Trouble { since, why });
            }
        }
    }
}

#[cfg(test)]
mod tests;
