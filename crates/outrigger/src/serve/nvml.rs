//! How NVIDIA's GPUs fare, by the driver's own account (NVML): temperature, memory, use, memory errors, and what the driver
//! calls Xid: faults of the hardware, the driver or a program.
//!
//! The library comes with the driver and is loaded at run time; where it is missing there are no such figures. It is asked
//! on a thread of its own, since a driver may hang: then the figures stand still, and `outrigger_gpu_readings_total` with them.
//! GPUs that nothing here drives are watched as well.

use std::thread;
use std::time::{Duration, Instant};

use nvml_wrapper::bitmasks::event::EventTypes;
use nvml_wrapper::enum_wrappers::device::{EccCounter, MemoryError, TemperatureSensor};
use nvml_wrapper::enums::event::XidError;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, EventSet, Nvml};

mod figures;

pub(super) use figures::describe;
use figures::{Gpu, Gpus, Memory, Reading, Recorder, Xid};

/// How often GPUs are asked.
const INTERVAL: Duration = Duration::from_secs(5);
/// How often a driver is looked for that is installed and does not run yet.
const RETRY: Duration = Duration::from_secs(60);
/// NVML's number for an Xid that it does not know.
const XID_UNKNOWN: u64 = 999;

/// Begins to watch; returns at once.
pub(super) fn start() {
    if let Err(error) = thread::Builder::new().name("outrigger-nvml".to_owned()).spawn(watch) {
        tracing::warn!(%error, "no thread: NVIDIA's GPUs are not watched");
    }
}

fn watch() {
    let Some(nvml) = open() else { return };
    let mut gpus = Nvidia::new(&nvml);
    let mut recorder = Recorder::default();
    loop {
        recorder.round(&mut gpus, INTERVAL);
    }
}

/// The library, once its driver runs; none where there is no library.
fn open() -> Option<Nvml> {
    let mut is_said = false;
    loop {
        match Nvml::init() {
            Ok(nvml) => return Some(nvml),
            Err(error @ NvmlError::LibloadingError(_)) => {
                tracing::info!(%error, "no figures of NVIDIA's GPUs: their driver's library is not here");
                return None;
            }
            Err(error) if !is_said => {
                tracing::info!(%error, "no figures of NVIDIA's GPUs yet: their driver does not answer");
                is_said = true;
            }
            Err(_) => {}
        }
        thread::sleep(RETRY);
    }
}

/// The GPUs that the driver knows.
struct Nvidia<'a> {
    nvml: &'a Nvml,
    /// Tells of Xids, of the GPUs that were there at the start.
    events: Option<EventSet<'a>>,
}

impl<'a> Nvidia<'a> {
    fn new(nvml: &'a Nvml) -> Self {
        let events = match events(nvml) {
            Ok(events) => Some(events),
            Err(error) => {
                tracing::warn!(error, "the driver of NVIDIA's GPUs tells of no Xids: the kernel's log has them");
                None
            }
        };
        Self { nvml, events }
    }
}

impl Gpus for Nvidia<'_> {
    fn read(&mut self) -> Vec<(Gpu, Reading)> {
        devices(self.nvml).filter_map(|device| Some((identity(&device)?, reading(&device)))).collect()
    }

    fn wait(&mut self, time: Duration) -> Option<Xid> {
        let began = Instant::now();
        let millis = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        if let Some(events) = &self.events
            && let Ok(event) = events.wait(millis)
        {
            let number = match event.event_data {
                Some(XidError::Value(number)) => number,
                Some(XidError::Unknown) | None => XID_UNKNOWN,
            };
            return Some(Xid { gpu: identity(&event.device), number });
        }
        // An error may come at once, again and again.
        thread::sleep(time.saturating_sub(began.elapsed()));
        None
    }
}

/// Those that answer: one that is lost does not.
fn devices(nvml: &Nvml) -> impl Iterator<Item = Device<'_>> {
    let count = nvml.device_count().unwrap_or(0);
    (0..count).filter_map(move |index| nvml.device_by_index(index).ok())
}

/// What tells of Xids.
///
/// # Errors
/// In words, where the driver does not do it.
fn events(nvml: &Nvml) -> Result<EventSet<'_>, String> {
    let mut set = nvml.create_event_set().map_err(|error| error.to_string())?;
    for device in devices(nvml) {
        let tells = device.supported_event_types().is_ok_and(|types| types.contains(EventTypes::CRITICAL_XID_ERROR));
        if tells {
            set = device.register_events(EventTypes::CRITICAL_XID_ERROR, set).map_err(|error| error.to_string())?;
        }
    }
    Ok(set)
}

/// Its name as other metrics have it, model and number, which here is the driver's: CUDA may count in another order.
fn identity(device: &Device<'_>) -> Option<Gpu> {
    let (name, index) = (device.name().ok()?, device.index().ok()?);
    Some(Gpu { device: format!("{} #{index}", name.trim()), uuid: device.uuid().ok()? })
}

fn reading(device: &Device<'_>) -> Reading {
    let ecc = |kind| device.total_ecc_errors(kind, EccCounter::Volatile).ok();
    let memory = device.memory_info().ok();
    Reading {
        temperature_celsius: device.temperature(TemperatureSensor::Gpu).ok(),
        memory: memory.map(|memory| Memory { used: memory.used, total: memory.total }),
        busy_percent: device.utilization_rates().ok().map(|rates| rates.gpu),
        ecc_corrected: ecc(MemoryError::Corrected),
        ecc_uncorrected: ecc(MemoryError::Uncorrected),
    }
}
