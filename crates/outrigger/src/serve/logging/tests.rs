use std::sync::{Arc, Mutex};

use outrigger_config::{Log, LogFormat};
use outrigger_service::TRACE_TARGET;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};

use super::{check, filter};

fn log(filter: &str) -> Log {
    Log { filter: filter.to_owned(), format: LogFormat::Text }
}

/// What is logged keeps its lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_log_shows_no_spans_of_traces_whatever_its_level() {
    for level in ["trace", "info,outrigger=trace", &format!("{TRACE_TARGET}=trace,info")] {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = fmt::layer().with_ansi(false).with_writer(move || writer.clone());
        let layer = layer.with_filter(filter(&log(level)).expect("a filter"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let span = tracing::trace_span!(target: TRACE_TARGET, "call", tenant = "node");
            let _within = span.enter();
            tracing::info!("a line");
        });
        let text = String::from_utf8(lines.0.lock().expect("no panic").clone()).expect("text");
        assert!(text.contains("a line") && !text.contains("call") && !text.contains("node"), "{level}: {text}");
    }
}

#[test]
fn filters_that_are_none_are_named() {
    assert_eq!(check(&log("info,outrigger_service=debug")), Ok(()));
    let error = check(&log("loud=very")).expect_err("no level");
    assert!(error.starts_with("log.filter \"loud=very\": "), "{error}");
}
