//! What is on the screen, and what keys do to it.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::Source;
use crate::screen::Seen;

/// What to do after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Stay,
    Leave,
}

/// The state of the screen.
pub(super) struct Look {
    /// Where the metrics are.
    pub(super) source: String,
    /// The time between two samples.
    pub(super) interval: Duration,
    /// What is shown.
    pub(super) seen: Seen,
    /// What came while the screen is paused.
    newer: Option<Seen>,
    pub(super) is_paused: bool,
    pub(super) shows_help: bool,
    /// The first line of the tables that is shown.
    pub(super) scroll: u16,
    /// How much there was to show when it was drawn last.
    pub(super) extent: Extent,
}

/// How much there is to show.
#[derive(Clone, Debug, Default)]
pub(super) struct Extent {
    /// Lines of all tables.
    pub(super) lines: u16,
    /// Lines that are shown at once.
    pub(super) shown: u16,
    /// The first lines of all tables, ascending.
    pub(super) tops: Vec<u16>,
}

impl Extent {
    /// The last line that may be the first one shown.
    pub(super) const fn last(&self) -> u16 {
        self.lines.saturating_sub(self.shown)
    }
}

impl Look {
    pub(super) fn new(source: &Source, interval: Duration) -> Self {
        Self {
            source: source.to_string(),
            interval,
            seen: Seen::default(),
            newer: None,
            is_paused: false,
            shows_help: false,
            scroll: 0,
            extent: Extent::default(),
        }
    }

    /// Takes what was seen of the sidecar. While the screen is paused it waits, unless there is nothing to hold on to.
    pub(super) fn see(&mut self, seen: Seen) {
        if self.is_paused && self.seen.view.is_some() {
            self.newer = Some(seen);
        } else {
            self.seen = seen;
        }
    }

    /// Does what an event asks for.
    pub(super) fn obey(&mut self, event: &Event) -> Next {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.press(key),
            _ => Next::Stay,
        }
    }

    fn press(&mut self, key: &KeyEvent) -> Next {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Next::Leave } else { Next::Stay };
        }
        match key.code {
            KeyCode::Char('q') => return Next::Leave,
            // Any other key closes the help, and does nothing else.
            _ if self.shows_help => self.shows_help = false,
            KeyCode::Char('?' | 'h') => self.shows_help = true,
            KeyCode::Char('p' | ' ') => self.pause(),
            code => self.scroll = self.scrolled(code),
        }
        Next::Stay
    }

    fn pause(&mut self) {
        self.is_paused = !self.is_paused;
        if !self.is_paused
            && let Some(newer) = self.newer.take()
        {
            self.seen = newer;
        }
    }

    /// The first line after a key.
    fn scrolled(&self, code: KeyCode) -> u16 {
        let page = self.extent.shown.saturating_sub(1).max(1);
        let mut tops = self.extent.tops.iter().copied();
        let to = match code {
            KeyCode::Up | KeyCode::Char('k') => self.scroll.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.scroll.saturating_add(1),
            KeyCode::PageUp => self.scroll.saturating_sub(page),
            KeyCode::PageDown => self.scroll.saturating_add(page),
            KeyCode::Home => 0,
            KeyCode::End => u16::MAX,
            KeyCode::Tab | KeyCode::Right => tops.find(|top| *top > self.scroll).unwrap_or(u16::MAX),
            KeyCode::BackTab | KeyCode::Left => tops.rfind(|top| *top < self.scroll).unwrap_or(0),
            _ => self.scroll,
        };
        to.min(self.extent.last())
    }
}
