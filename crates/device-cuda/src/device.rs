//! CUDA devices: which there are, and one of them with its context and programs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cust::context::{Context, CurrentContext};
use cust::device::{Device as CuDevice, DeviceAttribute};
use cust::error::CudaError;
use cust::module::Module;
use cust::sys::{CUfunction, cuMemHostRegister_v2};
use cust::{CudaApiVersion, CudaFlags};
use outrigger_device::{Api, Device, DeviceError, DeviceInfo, MemoryBudget, Queue};
use outrigger_kernels::{Kernel, Program};

use crate::failure::{checked, failed};
use crate::queue::CudaQueue;

include!(concat!(env!("OUT_DIR"), "/images.rs"));

/// Work-items of a group at most: GROUP_MAX of `kernels/dialect/platform.h` for CUDA.
const GROUP_SIZE_MAX: u32 = 128;

/// What may be chosen when a device is opened.
#[derive(Clone, Debug, Default)]
pub struct CudaOptions {
    /// Bytes of the device's memory that we may hold; four fifths of what it has if `None`.
    pub memory_bytes_max: Option<u64>,
    /// Work-items of a group at most, where that is less than the device takes.
    pub group_size_max: Option<u32>,
}

/// What is known of all CUDA devices of this machine, in the driver's order.
///
/// # Errors
/// What the driver reports. (Without a driver the program does not start.)
pub fn list() -> Result<Vec<DeviceInfo>, DeviceError> {
    match cust::init(CudaFlags::empty()) {
        Ok(()) => {}
        Err(CudaError::NoDevice) => return Ok(Vec::new()),
        Err(error) => return Err(failed("cuInit", error)),
    }
    let count = CuDevice::num_devices().map_err(|error| failed("cuDeviceGetCount", error))?;
    (0..count).map(|ordinal| described(ordinal).map(|(_, info)| info)).collect()
}

/// A device, opened.
pub struct CudaDevice {
    shared: Arc<Shared>,
}

/// What the queues of a device share.
pub(crate) struct Shared {
    pub(crate) info: DeviceInfo,
    pub(crate) budget: MemoryBudget,
    context: Context,
    kernels: Mutex<HashMap<String, Loaded>>,
}

/// A kernel of a program that was loaded.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) function: CUfunction,
    pub(crate) kernel: &'static Kernel,
}

// SAFETY: a handle of the driver, which any thread may use; its module is never unloaded.
unsafe impl Send for Loaded {}
// SAFETY: as above.
unsafe impl Sync for Loaded {}

impl CudaDevice {
    /// Opens the device of this number in [`list`].
    ///
    /// # Errors
    /// [`DeviceError::Absent`] where there is none; what the driver reports.
    pub fn open(ordinal: u32, options: &CudaOptions) -> Result<Self, DeviceError> {
        cust::init(CudaFlags::empty()).map_err(|error| failed("cuInit", error))?;
        let (device, mut info) = described(ordinal)?;
        info.memory_bytes = options.memory_bytes_max.unwrap_or(info.memory_bytes);
        info.group_size_max = info.group_size_max.min(options.group_size_max.unwrap_or(u32::MAX).max(1));
        let context = Context::new(device).map_err(|error| failed("cuDevicePrimaryCtxRetain", error))?;
        let budget = MemoryBudget::new(info.memory_bytes);
        Ok(Self { shared: Arc::new(Shared { info, budget, context, kernels: Mutex::default() }) })
    }
}

impl Device for CudaDevice {
    fn info(&self) -> &DeviceInfo {
        &self.shared.info
    }

    fn queue(&self) -> Result<Box<dyn Queue>, DeviceError> {
        Ok(Box::new(CudaQueue::new(Arc::clone(&self.shared))?))
    }

    fn pin(&self, address: usize, bytes: usize) -> Result<(), DeviceError> {
        self.shared.enter()?;
        let memory = std::ptr::with_exposed_provenance_mut(address);
        // SAFETY: the driver checks that the range is mapped, and locks its pages; nothing is read or written.
        checked("cuMemHostRegister", unsafe { cuMemHostRegister_v2(memory, bytes, 0) })
    }
}

impl Shared {
    /// Makes this device's context the one of the calling thread.
    pub(crate) fn enter(&self) -> Result<(), DeviceError> {
        CurrentContext::set_current(&self.context).map_err(|error| failed("cuCtxSetCurrent", error))
    }

    /// Makes the kernels of a program known; see [`Queue::load`].
    pub(crate) fn load(&self, program: &Program) -> Result<(), DeviceError> {
        let mut kernels = self.kernels.lock().unwrap_or_else(PoisonError::into_inner);
        let declared = program.kernels();
        if declared.iter().all(|kernel| kernels.contains_key(&kernel.name)) {
            return Ok(());
        }
        self.enter()?;
        let build = |log: String| DeviceError::Build { program: program.name.to_owned(), log };
        let image = IMAGES.iter().find(|(name, _)| *name == program.name).map(|(_, image)| *image);
        // A driver refuses this; its double takes whatever there is.
        let bytes = image.unwrap_or(b"no code for GPUs");
        let module =
            Module::from_fatbin(bytes, &[]).map_err(|error| match (failed("cuModuleLoadDataEx", error), image) {
                (DeviceError::Failed(_), None) => {
                    build("this build carries no code for GPUs: build with NVCC".to_owned())
                }
                (DeviceError::Failed(what), Some(_)) => build(what),
                (other, _) => other,
            })?;
        // For as long as the process lives: functions point into it, and programs are few.
        let module: &'static Module = Box::leak(Box::new(module));
        for kernel in declared {
            let function =
                module.get_function(&kernel.name).map_err(|error| failed("cuModuleGetFunction", error))?.to_raw();
            kernels.insert(kernel.name.clone(), Loaded { function, kernel });
        }
        Ok(())
    }

    /// A kernel that was loaded.
    pub(crate) fn kernel(&self, name: &str) -> Option<Loaded> {
        self.kernels.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

fn described(ordinal: u32) -> Result<(CuDevice, DeviceInfo), DeviceError> {
    let absent = |error| match failed("cuDeviceGet", error) {
        DeviceError::Failed(what) => DeviceError::Absent(what),
        other => other,
    };
    let device = CuDevice::get_device(ordinal).map_err(absent)?;
    let failed = |error| failed("the description of a device", error);
    let attribute = |which| device.get_attribute(which).map(|value| u32::try_from(value).unwrap_or(0)).map_err(failed);
    let version = CudaApiVersion::get().map_err(failed)?;
    let (major, minor) =
        (attribute(DeviceAttribute::ComputeCapabilityMajor)?, attribute(DeviceAttribute::ComputeCapabilityMinor)?);
    let info = DeviceInfo {
        api: Api::Cuda,
        is_processor: false,
        ordinal,
        name: device.name().map_err(failed)?,
        platform: format!("CUDA, sm_{major}{minor}"),
        driver: format!("CUDA {}.{}", version.major(), version.minor()),
        compute_units: attribute(DeviceAttribute::MultiprocessorCount)?,
        memory_bytes: device.total_memory().map_err(failed)? as u64 / 5 * 4,
        group_size_max: attribute(DeviceAttribute::MaxThreadsPerBlock)?.min(GROUP_SIZE_MAX),
    };
    Ok((device, info))
}
