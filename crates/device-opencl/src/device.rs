//! OpenCL devices: which there are, and one of them with its context and programs.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use opencl3::context::Context;
use opencl3::device::{CL_DEVICE_TYPE_ALL, CL_DEVICE_TYPE_CPU, Device as ClDevice};
use opencl3::error_codes::{CL_DEVICE_NOT_FOUND, CL_PLATFORM_NOT_FOUND_KHR, ClError, DLOPEN_RUNTIME_LOAD_FAILED};
use opencl3::platform::{Platform, get_platforms};
use opencl3::program::Program as ClProgram;
use opencl3::types::cl_device_id;
use outrigger_device::{Api, Device, DeviceError, DeviceInfo, MemoryBudget, OFFSET_ALIGNMENT, Queue};
use outrigger_kernels::{Kernel, Program};

use crate::cache::Cache;
use crate::failure::failed;
use crate::queue::OpenClQueue;

/// Work-items of a group at most, where the device takes as many. More would not help: a kernel keeps a signature in
/// registers, and LOCAL arrays of this size fit every device.
const GROUP_SIZE_MAX: u32 = 128;

/// Of a compiler's log, this much is kept, in bytes.
const LOG_BYTES_MAX: usize = 4096;

/// What may be chosen when a device is opened.
#[derive(Clone, Debug, Default)]
pub struct OpenClOptions {
    /// Where compiled programs are kept; nowhere if `None`, or if others may write there.
    pub cache: Option<PathBuf>,
    /// Bytes of the device's memory that we may hold; four fifths of what it has if `None`.
    pub memory_bytes_max: Option<u64>,
    /// Work-items of a group at most, where that is less than the device takes.
    pub group_size_max: Option<u32>,
}

/// What is known of all OpenCL devices of this machine, in the drivers' order. Those that are not available, have no
/// compiler, or order bytes the other way, are left out.
///
/// # Errors
/// [`DeviceError::Absent`] where no OpenCL library can be loaded; what a driver reports.
pub fn list() -> Result<Vec<DeviceInfo>, DeviceError> {
    Ok(found()?.into_iter().map(|(_, info)| info).collect())
}

/// A device, opened.
pub struct OpenClDevice {
    shared: Arc<Shared>,
}

/// What the queues of a device share.
pub(crate) struct Shared {
    pub(crate) info: DeviceInfo,
    pub(crate) device: ClDevice,
    pub(crate) context: Context,
    pub(crate) budget: MemoryBudget,
    cache: Option<Cache>,
    compilations: AtomicU64,
    kernels: Mutex<HashMap<String, Loaded>>,
}

/// A kernel of a program that was loaded.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) program: Arc<ClProgram>,
    pub(crate) kernel: &'static Kernel,
}

impl OpenClDevice {
    /// Opens the device of this number in [`list`].
    ///
    /// # Errors
    /// [`DeviceError::Absent`] where there is none; what its driver reports.
    pub fn open(ordinal: u32, options: &OpenClOptions) -> Result<Self, DeviceError> {
        let found = found()?;
        let count = found.len();
        let Some((device, mut info)) = found.into_iter().nth(ordinal as usize) else {
            return Err(DeviceError::Absent(format!("OpenCL device {ordinal} of {count}")));
        };
        info.memory_bytes = options.memory_bytes_max.unwrap_or(info.memory_bytes);
        info.group_size_max = info.group_size_max.min(options.group_size_max.unwrap_or(u32::MAX).max(1));
        let context = Context::from_device(&device).map_err(|error| failed("clCreateContext", error.0))?;
        Ok(Self {
            shared: Arc::new(Shared {
                budget: MemoryBudget::new(info.memory_bytes),
                info,
                device,
                context,
                cache: options.cache.as_ref().and_then(|directory| Cache::open(directory).ok()),
                compilations: AtomicU64::new(0),
                kernels: Mutex::default(),
            }),
        })
    }

    /// Programs that were compiled because the cache did not have them.
    pub fn compilations(&self) -> u64 {
        self.shared.compilations.load(Ordering::Relaxed)
    }

    /// Whether there is a cache: the directory was named, could be made, and is ours alone.
    pub fn has_cache(&self) -> bool {
        self.shared.cache.is_some()
    }
}

impl Device for OpenClDevice {
    fn info(&self) -> &DeviceInfo {
        &self.shared.info
    }

    fn queue(&self) -> Result<Box<dyn Queue>, DeviceError> {
        Ok(Box::new(OpenClQueue::new(Arc::clone(&self.shared))?))
    }
}

impl Shared {
    /// Makes the kernels of a program known; see [`Queue::load`].
    pub(crate) fn load(&self, program: &Program) -> Result<(), DeviceError> {
        // Held while compiling: two queues that want the same program need it compiled once.
        let mut kernels = self.kernels.lock().unwrap_or_else(PoisonError::into_inner);
        let declared = program.kernels();
        if declared.iter().all(|kernel| kernels.contains_key(&kernel.name)) {
            return Ok(());
        }
        let built = Arc::new(self.build(program)?);
        for kernel in declared {
            let loaded = Loaded { program: Arc::clone(&built), kernel };
            kernels.insert(loaded.kernel.name.clone(), loaded);
        }
        Ok(())
    }

    /// A kernel that was loaded.
    pub(crate) fn kernel(&self, name: &str) -> Option<Loaded> {
        self.kernels.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn build(&self, program: &Program) -> Result<ClProgram, DeviceError> {
        let source = program.source();
        let options = format!("-cl-std=CL1.2 -DGROUP_MAX={}", self.info.group_size_max);
        let key = self.key(&source, &options);
        if let Some(binary) = self.cache.as_ref().and_then(|cache| cache.find(&key)) {
            // A driver that refuses what it once gave out gets the text.
            if let Ok(built) = ClProgram::create_and_build_from_binary(&self.context, &[&binary], &options) {
                return Ok(built);
            }
        }
        self.compilations.fetch_add(1, Ordering::Relaxed);
        let built = ClProgram::create_and_build_from_source(&self.context, &source, &options)
            .map_err(|log| DeviceError::Build { program: program.name.to_owned(), log: shortened(log) })?;
        if let Some(cache) = &self.cache
            && let Ok(binaries) = built.get_binaries()
            && let [binary] = binaries.as_slice()
            && !binary.is_empty()
        {
            cache.keep(&key, binary);
        }
        Ok(built)
    }

    /// All that a binary depends on.
    fn key(&self, source: &str, options: &str) -> String {
        let DeviceInfo { name, platform, driver, .. } = &self.info;
        let source = blake3::hash(source.as_bytes()).to_hex();
        format!("source {source}\noptions {options}\ndevice {name}\nplatform {platform}\ndriver {driver}\n")
    }
}

/// The beginning of a log: a compiler's first error is the one that counts.
fn shortened(mut log: String) -> String {
    let end = (0..=LOG_BYTES_MAX.min(log.len())).rev().find(|&end| log.is_char_boundary(end)).unwrap_or(0);
    log.truncate(end);
    log
}

/// One thread at a time: of several that ask a loader and its drivers for the first time at once, some are told that
/// there is no device (seen with ocl-icd 2.3 and PoCL 3.1).
static ASKING: Mutex<()> = Mutex::new(());

fn found() -> Result<Vec<(ClDevice, DeviceInfo)>, DeviceError> {
    let _asking = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    let platforms = match get_platforms() {
        Ok(platforms) => platforms,
        Err(ClError(CL_PLATFORM_NOT_FOUND_KHR)) => Vec::new(),
        Err(ClError(DLOPEN_RUNTIME_LOAD_FAILED)) => {
            return Err(DeviceError::Absent("no OpenCL library (libOpenCL.so.1) can be loaded".to_owned()));
        }
        Err(error) => return Err(failed("clGetPlatformIDs", error.0)),
    };
    let mut devices = Vec::new();
    for platform in platforms {
        let ids = match platform.get_devices(CL_DEVICE_TYPE_ALL) {
            Ok(ids) => ids,
            Err(ClError(CL_DEVICE_NOT_FOUND)) => continue,
            // One driver that fails takes none of the others with it.
            Err(_) => continue,
        };
        for id in ids {
            if let Some(info) = describe(&platform, id, devices.len()) {
                devices.push((ClDevice::new(id), info));
            }
        }
    }
    Ok(devices)
}

/// What is known of a device, if it can run our kernels.
fn describe(platform: &Platform, id: cl_device_id, ordinal: usize) -> Option<DeviceInfo> {
    let device = ClDevice::new(id);
    let usable = device.available().ok()? && device.compiler_available().ok()? && device.endian_little().ok()?;
    let alignment_bytes = device.mem_base_addr_align().ok()? as usize / 8;
    if !usable || !OFFSET_ALIGNMENT.is_multiple_of(alignment_bytes.max(1)) {
        return None;
    }
    let group_size = u32::try_from(device.max_work_group_size().ok()?).unwrap_or(u32::MAX);
    Some(DeviceInfo {
        api: Api::OpenCl,
        ordinal: u32::try_from(ordinal).ok()?,
        name: device.name().ok()?.trim().to_owned(),
        platform: format!("{} {}", platform.name().ok()?.trim(), platform.version().ok()?.trim()),
        driver: device.driver_version().ok()?.trim().to_owned(),
        compute_units: device.max_compute_units().ok()?,
        memory_bytes: device.global_mem_size().ok()? / 5 * 4,
        group_size_max: group_size.min(GROUP_SIZE_MAX),
        is_processor: device.dev_type().ok()? & CL_DEVICE_TYPE_CPU != 0,
    })
}
