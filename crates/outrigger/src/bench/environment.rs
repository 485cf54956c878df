//! Where and when figures were made.

use outrigger_config::Machine;
use serde::Serialize;

/// The surroundings of a run, as `--json` gives them beside the records.
#[derive(Serialize)]
pub(super) struct Environment {
    /// The day, in UTC.
    date: String,
    /// The version of this program, and how it was compiled.
    build: String,
    cpu: String,
    cores: usize,
    /// The release of the operating system's kernel.
    kernel: String,
    /// How clocks are governed; `unknown` where the system does not say.
    governor: String,
    /// Processes that wanted a core in the last minute, on average, before the run.
    load_average: f64,
}

impl Environment {
    pub(super) fn now() -> Self {
        let machine = Machine::current();
        let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
        let governor = read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
        let load = read("/proc/loadavg").and_then(|text| text.split(' ').next().and_then(|text| text.parse().ok()));
        let compiled = if cfg!(debug_assertions) { "for tests" } else { "for release" };
        Self {
            date: time::OffsetDateTime::now_utc().date().to_string(),
            build: format!("{}, {compiled}", env!("CARGO_PKG_VERSION")),
            cpu: machine.model,
            cores: machine.cores,
            kernel: read("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".to_owned()),
            governor: governor.unwrap_or_else(|| "unknown".to_owned()),
            load_average: load.unwrap_or_default(),
        }
    }
}
