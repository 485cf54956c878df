//! What match rules look at: a machine and the devices that were seen in it.

use std::fmt;

use serde::Deserialize;

/// What match rules look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Such as `x86_64`.
    pub architecture: String,
    /// The model name of the processor; empty where the system does not say.
    pub model: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// What the processor can do, by the names of `/proc/cpuinfo`, such as `avx512ifma`.
    pub features: Vec<String>,
    /// The devices that are known. No driver is asked here: whoever asks one says what it found.
    pub devices: Vec<DeviceSeen>,
}

impl Machine {
    /// This machine, without devices.
    pub fn current() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self::described(std::env::consts::ARCH, cores, &information)
    }

    /// A machine whose `/proc/cpuinfo` says this.
    pub(super) fn described(architecture: &str, cores: usize, information: &str) -> Self {
        let value = |names: [&str; 2]| {
            let mut lines = information.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(name, _)| names.contains(&name.trim())).map_or("", |(_, value)| value.trim())
        };
        Self {
            architecture: architecture.to_owned(),
            model: value(["model name", "Model Name"]).to_owned(),
            cores,
            // ARM's kernels have another name for it.
            features: value(["flags", "Features"]).split_whitespace().map(str::to_owned).collect(),
            devices: Vec::new(),
        }
    }
}

/// A device that a driver has, as `outrigger devices` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSeen {
    /// How it is reached.
    pub api: DeviceApi,
    /// The model, as its driver gives it.
    pub name: String,
    /// Whose implementation of the API it is. CUDA's names the compute capability: `CUDA, sm_90`.
    pub platform: String,
    /// Bytes of its memory that Outrigger may hold without being told otherwise: four fifths of what it has.
    pub memory_bytes: u64,
    /// Whether it is a processor. Such a device fulfils no rule: its cores do the same work better.
    pub is_processor: bool,
}

impl DeviceSeen {
    /// Who made it, where its platform or its name says so.
    pub fn vendor(&self) -> Option<Vendor> {
        if self.api == DeviceApi::Cuda {
            return Some(Vendor::Nvidia);
        }
        let says = |words: &[&str]| words.iter().any(|word| self.platform.contains(word) || self.name.contains(word));
        let vendors = [
            (Vendor::Nvidia, &["NVIDIA"][..]),
            (Vendor::Amd, &["AMD", "Advanced Micro Devices", "Radeon"][..]),
            (Vendor::Intel, &["Intel"][..]),
        ];
        vendors.into_iter().find(|(_, words)| says(words)).map(|(vendor, _)| vendor)
    }

    /// What its multiprocessors can do, where CUDA says so.
    pub fn compute_capability(&self) -> Option<ComputeCapability> {
        let (_, number) = self.platform.split_once("sm_").filter(|_| self.api == DeviceApi::Cuda)?;
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        // The last digit is the minor number: sm_120 is 12.0.
        let (major, minor) = number[..digits].split_at_checked(digits.checked_sub(1)?)?;
        Some(ComputeCapability { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

/// The way to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceApi {
    /// CUDA.
    Cuda,
    /// OpenCL.
    Opencl,
}

impl fmt::Display for DeviceApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cuda => "cuda",
            Self::Opencl => "opencl",
        })
    }
}

/// Who makes devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// AMD.
    Amd,
    /// Intel.
    Intel,
    /// NVIDIA.
    Nvidia,
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Amd => "amd",
            Self::Intel => "intel",
            Self::Nvidia => "nvidia",
        })
    }
}

/// What multiprocessors of NVIDIA's can do, such as 9.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ComputeCapability {
    /// The generation.
    pub major: u32,
    /// The variant in it.
    pub minor: u32,
}

impl fmt::Display for ComputeCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl TryFrom<String> for ComputeCapability {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let numbers = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        let wrong = || format!("{text:?} is not a compute capability; write it as \"9.0\"");
        numbers.map(|(major, minor)| Self { major, minor }).ok_or_else(wrong)
    }
}
