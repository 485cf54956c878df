//! How far a proof is, on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line on standard error that shows the stage; nothing where that is no terminal.
#[derive(Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Shown only where people look on.
    pub(crate) fn new(is_shown: bool) -> Self {
        if !is_shown {
            return Self { bar: ProgressBar::hidden() };
        }
        let style = ProgressStyle::with_template("{msg:24} {bar:40} {percent:>3}% {elapsed}").expect("a template");
        let bar = ProgressBar::new(100).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar }
    }

    /// A stage, and how much of the whole is done.
    pub(crate) fn tell(&self, what: &str, percent: u64) {
        self.bar.set_message(what.replace('_', " "));
        self.bar.set_position(percent);
    }

    /// A sentence for people, above the line.
    pub(crate) fn say(&self, what: &str) {
        self.bar.suspend(|| eprintln!("{what}"));
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
