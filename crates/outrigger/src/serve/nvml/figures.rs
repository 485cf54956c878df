//! What GPUs say of themselves as metrics.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

/// Temperature of the chip, by `device` and `uuid`.
const TEMPERATURE: &str = "outrigger_gpu_temperature_celsius";
/// Memory in use, by all programs, by `device` and `uuid`.
const MEMORY_USED: &str = "outrigger_gpu_memory_used_bytes";
/// Memory that there is, by `device` and `uuid`.
const MEMORY_TOTAL: &str = "outrigger_gpu_memory_total_bytes";
/// Share of the time in which a kernel ran, of any program, by `device` and `uuid`.
const UTILISATION: &str = "outrigger_gpu_utilisation_ratio";
/// Memory errors since the driver was loaded, or since a later start of the count, by `device`, `uuid` and `kind`:
/// `corrected` or `uncorrected`.
const ECC_ERRORS: &str = "outrigger_gpu_ecc_errors_total";
/// Critical Xids that the driver has told of, by `device`, `uuid` and `xid`.
const XID_EVENTS: &str = "outrigger_gpu_xid_events_total";
/// How often a GPU has given figures, by `device` and `uuid`: it stands still where the GPU is gone or its driver hangs.
const READINGS: &str = "outrigger_gpu_readings_total";

/// How often the same Xid of a GPU is worth a line of the log: a program may cause hundreds a second.
const XID_LINE_INTERVAL: Duration = Duration::from_secs(60);

/// Tells the recorder what each metric means.
pub(in super::super) fn describe() {
    describe_gauge!(TEMPERATURE, "Temperature of a GPU's chip, in degrees Celsius");
    describe_gauge!(MEMORY_USED, Unit::Bytes, "Memory of a GPU in use, by all programs");
    describe_gauge!(MEMORY_TOTAL, Unit::Bytes, "Memory of a GPU");
    describe_gauge!(UTILISATION, "Share of the time in which a kernel ran on a GPU, of any program");
    describe_counter!(ECC_ERRORS, "Memory errors of a GPU, corrected and uncorrected");
    describe_counter!(XID_EVENTS, "Critical Xids that the driver of a GPU has told of");
    describe_counter!(READINGS, "How often a GPU has given figures");
}

/// A GPU, by what others call it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Gpu {
    /// Its model and number.
    pub(super) device: String,
    /// Its own, whatever the order.
    pub(super) uuid: String,
}

/// What a GPU says of itself; none is what its model does not know, or what it does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) temperature_celsius: Option<u32>,
    pub(super) memory: Option<Memory>,
    /// 0 to 100.
    pub(super) busy_percent: Option<u32>,
    /// Memory errors since the driver was loaded.
    pub(super) ecc_corrected: Option<u64>,
    pub(super) ecc_uncorrected: Option<u64>,
}

/// Bytes of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) used: u64,
    pub(super) total: u64,
}

/// An Xid, and the GPU where the driver names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Xid {
    pub(super) gpu: Option<Gpu>,
    pub(super) number: u64,
}

/// What is asked of a driver.
pub(super) trait Gpus {
    /// The GPUs that answer now, and what they say.
    fn read(&mut self) -> Vec<(Gpu, Reading)>;

    /// Waits for the next Xid, for so long at most; without one, for as long.
    fn wait(&mut self, time: Duration) -> Option<Xid>;
}

/// Keeps the metrics.
#[derive(Default)]
pub(super) struct Recorder {
    seen: HashMap<Gpu, Seen>,
    /// When an Xid was last worth a line.
    said: HashMap<(Gpu, u64), Instant>,
}

/// What a GPU has shown before.
#[derive(Default)]
struct Seen {
    /// Whether it answered last time.
    answers: bool,
    /// Which gauges it has.
    gauges: [bool; 4],
    /// Memory errors by its own count, corrected and uncorrected.
    ecc: [u64; 2],
}

impl Recorder {
    /// Reads once, and takes Xids for so long.
    pub(super) fn round(&mut self, gpus: &mut impl Gpus, interval: Duration) {
        self.record(&gpus.read());
        let end = Instant::now() + interval;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            if let Some(xid) = gpus.wait(left) {
                self.count(xid, Instant::now());
            }
        }
    }

    /// Records what was read, and that GPUs which were there before are not.
    fn record(&mut self, readings: &[(Gpu, Reading)]) {
        for (gpu, reading) in readings {
            self.seen.entry(gpu.clone()).or_default().record(gpu, reading);
        }
        for (gpu, seen) in &mut self.seen {
            if !readings.iter().any(|(other, _)| other == gpu) {
                seen.record(gpu, &Reading::default());
            }
        }
    }

    /// Counts an Xid, and logs it unless the same was logged a moment ago.
    fn count(&mut self, Xid { gpu, number }: Xid, now: Instant) {
        let gpu = gpu.unwrap_or_else(|| Gpu { device: "unknown".to_owned(), uuid: "unknown".to_owned() });
        counter!(XID_EVENTS, &with(&gpu, "xid", &number.to_string())).increment(1);
        let Gpu { device, uuid } = &gpu;
        let said = self.said.get(&(gpu.clone(), number));
        if said.is_none_or(|said| now.duration_since(*said) >= XID_LINE_INTERVAL) {
            tracing::error!(device, uuid, xid = number, "the driver reports a critical Xid of a GPU");
            self.said.insert((gpu, number), now);
        }
    }
}

impl Seen {
    fn record(&mut self, gpu: &Gpu, reading: &Reading) {
        let answers = *reading != Reading::default();
        if answers {
            counter!(READINGS, &labels(gpu)).increment(1);
        }
        let Gpu { device, uuid } = gpu;
        match (std::mem::replace(&mut self.answers, answers), answers) {
            (true, false) => tracing::warn!(device, uuid, "a GPU gives no figures any more"),
            (false, true) => tracing::info!(device, uuid, "a GPU gives figures"),
            _ => {}
        }
        self.show(gpu, reading);
        self.count(gpu, "corrected", 0, reading.ecc_corrected);
        self.count(gpu, "uncorrected", 1, reading.ecc_uncorrected);
    }

    /// A gauge whose figure is gone shows that it is no number, for the last one would mislead.
    fn show(&mut self, gpu: &Gpu, reading: &Reading) {
        let gauges = [
            (TEMPERATURE, reading.temperature_celsius.map(f64::from)),
            (MEMORY_USED, reading.memory.map(|memory| memory.used as f64)),
            (MEMORY_TOTAL, reading.memory.map(|memory| memory.total as f64)),
            (UTILISATION, reading.busy_percent.map(|percent| f64::from(percent) / 100.0)),
        ];
        for ((name, value), is_there) in gauges.into_iter().zip(&mut self.gauges) {
            *is_there |= value.is_some();
            if *is_there {
                gauge!(name, &labels(gpu)).set(value.unwrap_or(f64::NAN));
            }
        }
    }

    /// A count that goes back has begun again, as after a reset of the GPU or another driver: what it shows is new.
    fn count(&mut self, gpu: &Gpu, kind: &str, place: usize, errors: Option<u64>) {
        let Some(now) = errors else { return };
        let before = std::mem::replace(&mut self.ecc[place], now);
        counter!(ECC_ERRORS, &with(gpu, "kind", kind)).increment(now.checked_sub(before).unwrap_or(now));
    }
}

fn labels(gpu: &Gpu) -> [(&'static str, String); 2] {
    [("device", gpu.device.clone()), ("uuid", gpu.uuid.clone())]
}

/// GPUs are few, and so are Xids and kinds of errors: labels for each are bounded.
fn with(gpu: &Gpu, label: &'static str, value: &str) -> [(&'static str, String); 3] {
    let [device, uuid] = labels(gpu);
    [device, uuid, (label, value.to_owned())]
}

#[cfg(test)]
mod tests;
