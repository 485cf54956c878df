//! Where values come from.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{EngineRule, Machine, OpenclRule};

/// The variable that names the configuration file.
pub const CONFIG_VARIABLE: &str = "OUTRIGGER_CONFIG";
/// The variable that says which sidecar the client commands call. Not a key of the configuration.
pub const ENDPOINT_VARIABLE: &str = "OUTRIGGER_ENDPOINT";
/// What every other variable begins with.
pub(crate) const PREFIX: &str = "OUTRIGGER_";

/// Everything that a configuration is made from. Nothing else is read, so equal sources give equal results.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The TOML file. A file that is named must exist.
    pub file: Option<PathBuf>,
    /// Variables of the environment; those without the prefix are passed over.
    pub environment: Vec<(String, String)>,
    /// What the command line says.
    pub overrides: Overrides,
    /// The directory for the default socket, if the system has one.
    pub runtime_directory: Option<PathBuf>,
    /// The directory for circuits and jobs, if the system has one.
    pub state_directory: Option<PathBuf>,
    /// The directory for compiled kernels, if the system has one.
    pub cache_directory: Option<PathBuf>,
    /// The machine that `profile = "auto"` looks at.
    pub machine: Machine,
}

impl Sources {
    /// The sources of this process: its environment, its machine, and the given file (or the one that
    /// [`CONFIG_VARIABLE`] names) and overrides.
    pub fn of_process(file: Option<PathBuf>, overrides: Overrides) -> Self {
        let environment: Vec<_> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        let named = environment.iter().find(|(name, _)| name == CONFIG_VARIABLE).map(|(_, value)| value.into());
        Self {
            file: file.or(named),
            environment,
            overrides,
            runtime_directory: runtime_directory(),
            state_directory: state_directory(|name| std::env::var_os(name)),
            cache_directory: cache_directory(|name| std::env::var_os(name)),
            machine: Machine::current(),
        }
    }
}

/// Which devices a choice of a profile may depend on: what the configuration says without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSearch {
    /// `engines.cuda`.
    pub cuda: EngineRule,
    /// `engines.opencl`.
    pub opencl: OpenclRule,
    /// `devices.cuda_worker`.
    pub cuda_worker: Option<PathBuf>,
}

/// What the command line may override. The binary fills it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `listen.unix`; an empty path turns the socket off.
    pub unix: Option<PathBuf>,
    /// `listen.tcp`.
    pub tcp: Option<SocketAddr>,
    /// `listen.admin`; an empty string turns it off.
    pub admin: Option<String>,
    /// `listen.tls.certificate`.
    pub tls_certificate: Option<PathBuf>,
    /// `listen.tls.key`.
    pub tls_key: Option<PathBuf>,
    /// `listen.tls.client_ca`.
    pub tls_client_ca: Option<PathBuf>,
    /// `listen.insecure_loopback`.
    pub insecure_loopback: Option<bool>,
    /// `log.filter`.
    pub log_filter: Option<String>,
    /// `log.format`.
    pub log_format: Option<String>,
    /// `profile`.
    pub profile: Option<String>,
    /// `threads.verify`.
    pub verify_threads: Option<usize>,
    /// `threads.io`.
    pub io_threads: Option<usize>,
    /// `engines.vector`.
    pub vector: Option<String>,
    /// `engines.opencl`.
    pub opencl: Option<String>,
    /// `engines.cuda`.
    pub cuda: Option<String>,
    /// `scheduler.cache_entries`.
    pub cache_entries: Option<usize>,
    /// `drain_grace`.
    pub drain_grace: Option<Duration>,
}

impl Overrides {
    /// The keys that are set, with their values in words.
    pub(crate) fn entries(&self) -> Vec<(&'static str, String)> {
        let path = |path: &PathBuf| path.display().to_string();
        [
            ("listen.unix", self.unix.as_ref().map(path)),
            ("listen.tcp", self.tcp.map(|address| address.to_string())),
            ("listen.admin", self.admin.clone()),
            ("listen.tls.certificate", self.tls_certificate.as_ref().map(path)),
            ("listen.tls.key", self.tls_key.as_ref().map(path)),
            ("listen.tls.client_ca", self.tls_client_ca.as_ref().map(path)),
            ("listen.insecure_loopback", self.insecure_loopback.map(|flag| flag.to_string())),
            ("log.filter", self.log_filter.clone()),
            ("log.format", self.log_format.clone()),
            ("profile", self.profile.clone()),
            ("threads.verify", self.verify_threads.map(|count| count.to_string())),
            ("threads.io", self.io_threads.map(|count| count.to_string())),
            ("engines.vector", self.vector.clone()),
            ("engines.opencl", self.opencl.clone()),
            ("engines.cuda", self.cuda.clone()),
            ("scheduler.cache_entries", self.cache_entries.map(|count| count.to_string())),
            ("drain_grace", self.drain_grace.map(|grace| format!("{}us", grace.as_micros()))),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
    }
}

/// Where a value, or the error about it, comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A hardware profile, by name.
    Profile(String),
    /// A file.
    File(PathBuf),
    /// A variable of the environment.
    Environment(String),
    /// An option of the command line, by the key that it sets.
    CommandLine(String),
    /// No layer says anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(name) => write!(f, "profile {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::CommandLine(key) => write!(f, "command line ({key})"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// `/run` for root, else what the session says.
fn runtime_directory() -> Option<PathBuf> {
    // The owner of the process's own entry is its effective user; no system call of ours is needed to ask.
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0);
    if is_root {
        return Some(Path::new("/run").to_owned());
    }
    std::env::var_os("XDG_RUNTIME_DIR").filter(|directory| !directory.is_empty()).map(PathBuf::from)
}

/// Where circuits and jobs are kept.
fn state_directory(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    directory(variable, "STATE_DIRECTORY", "XDG_STATE_HOME", ".local/state")
}

/// Where compiled kernels are kept.
fn cache_directory(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    directory(variable, "CACHE_DIRECTORY", "XDG_CACHE_HOME", ".cache")
}

/// What systemd made for the service, else what the session says.
fn directory(
    variable: impl Fn(&str) -> Option<OsString>,
    of_service: &str,
    of_session: &str,
    in_home: &str,
) -> Option<PathBuf> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // Of several the first, as systemd separates them.
    let of_service = variable(of_service)
        .and_then(|directories| directories.to_str()?.split(':').next().map(PathBuf::from))
        .filter(|directory| !directory.as_os_str().is_empty());
    of_service
        .or_else(|| path(of_session).map(|directory| directory.join("outrigger")))
        .or_else(|| path("HOME").map(|home| home.join(in_home).join("outrigger")))
}

#[cfg(test)]
mod tests;
