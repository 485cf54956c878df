//! Which devices there are: asked of the programs that drive them, so that a driver that crashes takes nothing with it.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use outrigger_config::{Config, DeviceSearch, EngineRule, OpenclRule};
use outrigger_device::DeviceInfo;

use super::worker;

/// How long drivers may take to say what devices there are.
const LIST_TIME_MAX: Duration = Duration::from_secs(20);
/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_millis(5);
/// The exit status of the dynamic loader where a library is missing or cannot be loaded.
const LOADER_FAILED: i32 = 127;
/// The driver's library.
const CUDA_DRIVER: &str = "libcuda.so.1";

/// Why there are no devices of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    /// The configuration says so.
    Off(&'static str),
    /// The CUDA worker is not installed where it is looked for.
    NoWorker(PathBuf),
    /// The configuration names a program that cannot be run.
    BadWorker(PathBuf, String),
    /// There is no driver, or the loader does not take it.
    NoDriver(String),
    /// There is no device that the configuration wants.
    NoDevice(&'static str),
    /// It could not be found out.
    Failed(String),
}

impl Absence {
    /// Whether somebody should look after it. (A machine without GPUs is as good as any.)
    pub(crate) const fn is_fault(&self) -> bool {
        matches!(self, Self::BadWorker(..) | Self::Failed(_))
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off(key) => write!(f, "{key} is off"),
            Self::NoWorker(path) => {
                write!(f, "not found: {} is not there; install it, or name it in devices.cuda_worker", path.display())
            }
            Self::BadWorker(path, why) => write!(f, "devices.cuda_worker: {}: {why}", path.display()),
            Self::NoDriver(why) => write!(f, "no driver: {why}"),
            Self::NoDevice(why) => write!(f, "no device: {why}"),
            Self::Failed(why) => write!(f, "it cannot be found out what devices there are: {why}"),
        }
    }
}

/// The devices of each API, or why there are none.
#[derive(Clone)]
pub(super) struct Listed {
    pub(super) cuda: Result<Vec<DeviceInfo>, Absence>,
    pub(super) opencl: Result<Vec<DeviceInfo>, Absence>,
}

/// What drivers said, whatever it was.
static LISTED: Mutex<Vec<(DeviceSearch, Listed)>> = Mutex::new(Vec::new());

/// The devices that there are. Drivers are asked once in the life of this process, however often a configuration is read:
/// they may take seconds.
pub(super) fn all(search: &DeviceSearch) -> Listed {
    let mut listed = LISTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, before)) = listed.iter().find(|(other, _)| other == search) {
        return before.clone();
    }
    let (cuda, opencl) = thread::scope(|scope| {
        let cuda = scope.spawn(|| cuda(search.cuda, search.cuda_worker.as_deref()));
        let opencl = opencl(search.opencl);
        (cuda.join(), opencl)
    });
    let cuda = cuda.unwrap_or_else(|_| Err(Absence::Failed("the search panicked".to_owned())));
    let found = Listed { cuda, opencl };
    listed.push((search.clone(), found.clone()));
    found
}

/// The CUDA devices, or why there are none.
fn cuda(rule: EngineRule, named: Option<&Path>) -> Result<Vec<DeviceInfo>, Absence> {
    if rule == EngineRule::Off {
        return Err(Absence::Off("engines.cuda"));
    }
    let failed = |error: io::Error| Absence::Failed(error.to_string());
    let program = worker::cuda_program(named).map_err(failed)?;
    let mut command = Command::new(&program);
    command.arg("--list");
    let said = ask(command).map_err(|error| match (named, error.kind()) {
        (None, io::ErrorKind::NotFound) => Absence::NoWorker(program.clone()),
        (Some(named), _) => Absence::BadWorker(named.to_owned(), error.to_string()),
        (None, _) => failed(error),
    })?;
    said.devices_or(&program)
}

/// The OpenCL devices, or why there are none.
fn opencl(rule: OpenclRule) -> Result<Vec<DeviceInfo>, Absence> {
    if rule == OpenclRule::Off {
        return Err(Absence::Off("engines.opencl"));
    }
    let failed = |error: io::Error| Absence::Failed(error.to_string());
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(&program);
    command.args(["device-worker", "--list"]);
    ask(command).map_err(failed)?.devices_or(&program)
}

/// The OpenCL devices that the configuration wants, or why there are none: in `auto` no processor, and no GPU that CUDA
/// drives.
pub(super) fn left_by_cuda(
    config: &Config,
    mut devices: Vec<DeviceInfo>,
    driven: &[DeviceInfo],
) -> Result<Vec<DeviceInfo>, Absence> {
    if config.engines.opencl == OpenclRule::All {
        return Ok(devices);
    }
    devices.retain(|device| !device.is_processor);
    if devices.is_empty() {
        return Err(Absence::NoDevice("there are processors alone, which engines.opencl = \"all\" takes"));
    }
    devices.retain(|device| !driven.iter().any(|other| is_same_model(device, other)));
    if devices.is_empty() { Err(Absence::NoDevice("CUDA drives them")) } else { Ok(devices) }
}

/// Whether two APIs mean the same GPU. OpenCL has no number of a device that CUDA has too without extensions of each
/// vendor, but both give NVIDIA's name of the model; a machine that would show some GPUs of a model to one API and
/// others to the other has its configuration for that.
fn is_same_model(one: &DeviceInfo, other: &DeviceInfo) -> bool {
    one.name.trim() == other.name.trim()
}

/// What a program printed, and how it ended.
struct Said {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Said {
    fn devices_or(self, program: &Path) -> Result<Vec<DeviceInfo>, Absence> {
        let last = self.stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned();
        if self.status.code() == Some(LOADER_FAILED) && self.stderr.contains(CUDA_DRIVER) {
            return Err(Absence::NoDriver(last));
        }
        if !self.status.success() {
            return Err(Absence::Failed(format!("{} ended with {}: {last}", program.display(), self.status)));
        }
        let devices: Vec<_> = self.stdout.lines().filter_map(DeviceInfo::from_line).collect();
        if devices.is_empty() { Err(Absence::NoDevice("the drivers have none")) } else { Ok(devices) }
    }
}

/// Runs a program that lists devices, and kills it where its drivers do not answer.
fn ask(mut command: Command) -> io::Result<Said> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (stdout, stderr) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let until = Instant::now() + LIST_TIME_MAX;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::other("the drivers do not answer"));
        }
        thread::sleep(LOOK);
    };
    let text = |reader: thread::JoinHandle<String>| reader.join().unwrap_or_default();
    Ok(Said { status, stdout: text(stdout), stderr: text(stderr) })
}

/// Reads a pipe to its end, so that the program at the other end never waits for room in it.
fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What came before a failure is what there is.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

#[cfg(test)]
mod tests;
