use std::io;
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::look::{Look, Next};
use super::{Seen, Trouble, draw, show};
use crate::fake::Fake;
use crate::feed::Feed;
use crate::view::Continuity;
use crate::view::tests::{real, standing};
use crate::{Error, Source, View};

fn look(view: Option<View>) -> Look {
    let source: Source = "127.0.0.1:9464".parse().expect("a source");
    let mut look = Look::new(&source, Duration::from_secs(1));
    look.see(Seen { view, trouble: None, foreign: None });
    look
}

fn terminal(width: u16, height: u16) -> Terminal<TestBackend> {
    Terminal::new(TestBackend::new(width, height)).expect("a terminal")
}

/// What is on the screen, line by line.
fn drawn(look: &mut Look, width: u16, height: u16) -> Vec<String> {
    let mut terminal = terminal(width, height);
    terminal.draw(|frame| draw::screen(frame, look)).expect("it is drawn");
    crate::panes::lines(terminal.backend().buffer())
}

fn press(look: &mut Look, code: KeyCode) {
    assert_eq!(look.obey(&Event::Key(KeyEvent::from(code))), Next::Stay, "{code:?}");
}

#[track_caller]
fn contains(lines: &[String], expected: &str) {
    assert!(lines.iter().any(|line| line.contains(expected)), "{expected:?} is missing:\n{}", lines.join("\n"));
}

/// The tables of the real sidecar, which both sizes must show whole: in a small window by scrolling.
const FIGURES: [&str; 14] = [
    "hash       keccak256     25.0",
    "valid           25.0  100 %        1,192",
    "hash             0.05  60.6 µs",
    "VerifyBatch         0.20         0",
    "cpu      hash            0.05   500  640",
    "cpu         25.0  100 %       0.05",
    "vector                  0            0               0            0",
    "opencl   pthread-skylake-avx512",
    "opencl   pthread-skylake-avx512-Intel",
    "peer0",
    "too_large",
    "msm_g1                         0.05   8.27 s",
    "bn254 13.3 µs",
    "256.1 KiB",
];

#[test]
fn a_large_window_shows_everything_at_once() {
    let mut look = look(Some(real()));
    let lines = drawn(&mut look, 160, 60);
    assert_eq!(lines[0], "outrigger 0.1.0  up –  http://127.0.0.1:9464/metrics");
    assert_eq!(lines[1], "items judged/s 25.0   requests/s 0.25   refused/s 0   in flight 0 items");
    assert_eq!(lines[2], "ready; figures of the last 20.0 s");
    for expected in FIGURES {
        contains(&lines, expected);
    }
}

#[test]
fn windows_of_two_sizes_hold_their_tables() {
    for (width, height) in [(80, 24), (160, 50)] {
        let mut look = look(Some(real()));
        let lines = drawn(&mut look, width, height);
        contains(&lines, " Throughput ─");
        contains(&lines, FIGURES[0]);
        contains(&lines, " Verdicts ─");
        contains(&lines, FIGURES[1]);
        assert!(lines[usize::from(height) - 1].contains("q quit"), "{lines:?}");
        assert_eq!(lines.len(), usize::from(height));
        let mut seen = lines;
        while look.scroll < look.extent.last() {
            press(&mut look, KeyCode::PageDown);
            seen.extend(drawn(&mut look, width, height));
        }
        for title in crate::panes::of(&real()).iter().map(|pane| pane.title) {
            contains(&seen, &format!(" {title} "));
        }
        for expected in FIGURES {
            contains(&seen, expected);
        }
    }
}

/// The tables of engines, devices and tenants, at both sizes with every figure whole.
#[test]
fn health_is_seen_in_small_and_large_windows() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut look = look(Some(standing()));
        let lines = drawn(&mut look, width, height);
        assert_eq!(lines[0], "outrigger 0.1.0  up 3 h 12 min  http://127.0.0.1:9464/metrics");
        for title in [" Throughput ─", " Engines now, items ─", " Devices now, counts since start ─"] {
            contains(&lines, title);
        }
        contains(&lines, "NVIDIA H200 #2  faults            0        0        0 s        0");
        contains(&lines, "quarantined  112.0 GiB         0       4            3");
        let mut seen = lines;
        while look.scroll < look.extent.last() {
            press(&mut look, KeyCode::Tab);
            seen.extend(drawn(&mut look, width, height));
        }
        let peer0 = seen.iter().find(|line| line.contains("18 / 24")).expect("the tenant");
        for figure in ["peer0", "73,728 / 98,304", "12.5 %", "80.0 %", "6.00"] {
            assert!(peer0.contains(figure), "{figure}: {peer0}");
        }
        contains(&seen, "200,704  262,144");
        contains(&seen, "cuda     NVIDIA H200 #2        3          2              2     1     1");
    }
}

#[test]
fn keys_scroll() {
    let mut look = look(Some(real()));
    let top = drawn(&mut look, 80, 24);
    assert!(top[23].contains("lines 1 to 20 of"), "{}", top[23]);
    let at = |look: &mut Look, code| {
        press(look, code);
        let lines = drawn(look, 80, 24);
        (look.scroll, lines[3].clone())
    };
    assert_eq!(at(&mut look, KeyCode::Up).0, 0, "there is nothing above");
    assert_eq!(at(&mut look, KeyCode::Down), (1, top[4].clone()));
    assert_eq!(at(&mut look, KeyCode::Up), (0, top[3].clone()));
    let (second, line) = at(&mut look, KeyCode::Tab);
    assert!(line.starts_with(" Verdicts ─"), "{line}");
    assert!(at(&mut look, KeyCode::Right).0 > second);
    assert_eq!(at(&mut look, KeyCode::BackTab).0, second);
    assert_eq!(at(&mut look, KeyCode::Left).0, 0);
    assert_eq!(at(&mut look, KeyCode::PageDown).0, 19, "one line stays");
    assert_eq!(at(&mut look, KeyCode::PageUp).0, 0);
    let last = at(&mut look, KeyCode::End).0;
    assert_eq!((last, last), (look.extent.last(), look.extent.lines - 20));
    assert_eq!(at(&mut look, KeyCode::Tab).0, last, "the last line stays the last");
    drawn(&mut look, 160, 100);
    assert_eq!(look.scroll, 0, "a window that grew shows what there is");
    assert_eq!(at(&mut look, KeyCode::Home).0, 0);
}

#[test]
fn a_small_window_says_what_to_do() {
    for (width, height) in [(79, 24), (80, 23), (20, 5), (1, 1)] {
        let mut look = look(Some(real()));
        let text = drawn(&mut look, width, height).join(" ");
        if width > 10 {
            assert!(text.contains("needs"), "{text}");
            assert_eq!(look.obey(&Event::Key(KeyEvent::from(KeyCode::Char('q')))), Next::Leave);
        }
    }
    contains(&drawn(&mut look(Some(real())), 79, 23), "This window is 79 x 23; outrigger top needs 80 x 24.");
}

#[test]
fn a_paused_screen_stands_still() {
    let mut look = look(Some(real()));
    press(&mut look, KeyCode::Char('p'));
    let mut newer = real();
    newer.items_per_second = Some(7_777.0);
    look.see(Seen { view: Some(newer), trouble: None, foreign: None });
    let lines = drawn(&mut look, 80, 24);
    contains(&lines, "items judged/s 25.0");
    contains(&lines[23..], "PAUSED");
    press(&mut look, KeyCode::Char('p'));
    let lines = drawn(&mut look, 80, 24);
    contains(&lines, "items judged/s 7,777");
    assert!(!lines[23].contains("PAUSED"));
}

#[test]
fn help_opens_and_any_key_closes_it() {
    let mut look = look(Some(real()));
    press(&mut look, KeyCode::Char('?'));
    contains(&drawn(&mut look, 80, 24), "Red is what should not be.");
    press(&mut look, KeyCode::Down);
    assert_eq!((look.shows_help, look.scroll), (false, 0));
    press(&mut look, KeyCode::Char('?'));
    assert_eq!(look.obey(&Event::Key(KeyEvent::from(KeyCode::Char('q')))), Next::Leave, "q quits from everywhere");
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(look.obey(&Event::Key(interrupt)), Next::Leave);
    assert_eq!(look.obey(&Event::Resize(80, 24)), Next::Stay);
}

#[test]
fn the_state_is_said() {
    let said = |look: &mut Look| drawn(look, 80, 24)[2].clone();
    assert_eq!(said(&mut look(None)), "asking …");
    let mut draining = real();
    draining.moment.ready = Some(false);
    draining.moment.continuity = Continuity::Restarted;
    draining.interval_seconds = None;
    assert_eq!(said(&mut look(Some(draining))), "draining: takes no calls; no interval yet; it was STARTED AGAIN");
    let mut away = look(Some(real()));
    let since = Instant::now() - Duration::from_secs(12);
    away.seen.trouble = Some(Trouble { since, why: "Connection refused (os error 111)".to_owned() });
    assert_eq!(said(&mut away), "AWAY for 12 s, asked again every 1.00 s: Connection refused (os error 111)");
    contains(&drawn(&mut away, 80, 24), FIGURES[0]);
}

/// Only the terminal's own colours, but for what should not be.
#[test]
fn few_colours() {
    let mut view = real();
    view.backends[0].fallback_items_per_second = Some(12.0);
    let mut look = look(Some(view));
    let mut terminal = terminal(160, 60);
    terminal.draw(|frame| draw::screen(frame, &mut look)).expect("it is drawn");
    let cells = &terminal.backend().buffer().content;
    assert!(cells.iter().all(|cell| cell.bg == Color::Reset), "the ground is the terminal's");
    let red: String = cells.iter().filter(|cell| cell.fg != Color::Reset).map(|cell| cell.symbol()).collect();
    assert_eq!(red.trim(), "12.0");
    let is_bold = |cell: &ratatui::buffer::Cell| cell.modifier.contains(Modifier::BOLD);
    assert!(cells.iter().filter(|cell| cell.fg != Color::Reset).all(is_bold), "for those who see no colours");
}

fn page(hits: u64) -> String {
    format!("# TYPE outrigger_cache_total counter\noutrigger_cache_total{{result=\"hit\"}} {hits}\n")
}

const SOON: Duration = Duration::from_millis(20);

/// Long enough for a few intervals.
async fn later() {
    tokio::time::sleep(SOON * 20).await;
}

#[tokio::test]
async fn a_sidecar_that_goes_away_is_waited_for() {
    let mut fake = Fake::sidecar(&page(5)).await;
    let feed = Feed::new(fake.source());
    let mut terminal = terminal(80, 24);
    let (_keys, events) = mpsc::unbounded_channel::<io::Result<Event>>();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let going = async {
        fake.asked(2).await;
        fake.go_away().await;
        later().await;
        fake.come_back().await;
        fake.asked(2).await;
        fake.go_away().await;
        later().await;
        stop.send(()).expect("it is shown until then");
    };
    let ended = async {
        stopped.await.expect("the other one ends it");
    };
    let (result, ()) =
        tokio::join!(show(&mut terminal, feed, SOON, UnboundedReceiverStream::new(events), ended), going);
    result.expect("a signal is no error");
    let lines = crate::panes::lines(terminal.backend().buffer());
    contains(&lines, "asked again every 20.0 ms: Connection refused");
    contains(&lines, "Cache of verdicts");
    assert!(lines[0].starts_with("outrigger 9.8.7"), "{}", lines[0]);
}

#[tokio::test]
async fn keys_are_obeyed_and_q_leaves() {
    let mut fake = Fake::sidecar(&page(5)).await;
    fake.go_away().await;
    let mut terminal = terminal(80, 24);
    let (keys, events) = mpsc::unbounded_channel();
    let pressing = async {
        later().await;
        for code in [KeyCode::Char('?'), KeyCode::Char('q')] {
            keys.send(Ok(Event::Key(KeyEvent::from(code)))).expect("it is shown");
        }
    };
    let events = UnboundedReceiverStream::new(events);
    let shown = show(&mut terminal, Feed::new(fake.source()), SOON, events, std::future::pending());
    let (result, ()) = tokio::join!(shown, pressing);
    result.expect("a key is no error");
    let lines = crate::panes::lines(terminal.backend().buffer());
    contains(&lines, "AWAY for ");
    contains(&lines, "to the next table");
}

#[tokio::test]
async fn what_is_no_sidecar_ends_it() {
    let fake = Fake::sidecar(&page(5)).await;
    fake.answers("/metrics", "200 OK", "text/html", "<p>");
    let (_keys, events) = mpsc::unbounded_channel();
    let events = UnboundedReceiverStream::new(events);
    let feed = Feed::new(fake.source());
    let result = show(&mut terminal(80, 24), feed, SOON, events, std::future::pending()).await;
    assert!(matches!(result, Err(Error::NotASidecar { .. })), "{result:?}");
}

#[tokio::test]
async fn something_else_in_its_place_is_waited_out() {
    let fake = Fake::sidecar(&page(5)).await;
    let mut terminal = terminal(80, 24);
    let (_keys, events) = mpsc::unbounded_channel();
    let events = UnboundedReceiverStream::new(events);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let replacing = async {
        fake.asked(2).await;
        fake.answers("/metrics", "200 OK", "text/html", "<p>");
        fake.asked(3).await;
        stop.send(()).expect("it is shown until then");
    };
    let ended = async {
        stopped.await.expect("the other one ends it");
    };
    let (result, ()) = tokio::join!(show(&mut terminal, Feed::new(fake.source()), SOON, events, ended), replacing);
    result.expect("it goes on");
    contains(&crate::panes::lines(terminal.backend().buffer()), "what answers is no sidecar: it is");
}

#[tokio::test]
async fn a_terminal_that_is_gone_ends_it() {
    let fake = Fake::sidecar(&page(5)).await;
    let (keys, events) = mpsc::unbounded_channel::<io::Result<Event>>();
    drop(keys);
    let events = UnboundedReceiverStream::new(events);
    let mut terminal = terminal(80, 24);
    let shown = show(&mut terminal, Feed::new(fake.source()), SOON, events, std::future::pending());
    assert!(shown.await.is_ok());
}
