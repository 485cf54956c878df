//! The host as a device: the kernels of `kernels/` compiled by the C compiler, behind the same seam as OpenCL and CUDA.
//! It is slow and made for tests: they run on any machine, under sanitizers too (`OUTRIGGER_KERNEL_SANITIZERS=1`), and
//! new memory holds a pattern, so that a kernel that reads what nobody wrote is found out.
//!
//! Groups run one after another; the work-items of a cooperative kernel take turns from barrier to barrier. One lock a
//! device keeps launches apart, for they share its buffers; one a process where LOCAL memory is of all threads.

mod group;
mod memory;
mod tables;

use std::collections::HashMap;
use std::ffi::c_void;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use outrigger_device::{
    Api, Argument, Buffer, Device, DeviceError, DeviceInfo, MemoryBudget, Queue, check_launch, check_range,
};
use outrigger_kernels::{Kernel, Program};

use crate::memory::Memory;
use crate::tables::Entry;

/// Work-items of a group at most: GROUP_MAX of `kernels/dialect/platform.h` for the host.
const GROUP_SIZE_MAX: u32 = 8;

/// Memory that a device has where nothing else is said, in bytes: enough for tests, little enough to notice a leak.
const MEMORY_BYTES: u64 = 1 << 30;

/// Who made the kernels.
const PLATFORM: &str = if cfg!(kernel_sanitizers) {
    "the C compiler of the build, with AddressSanitizer and UndefinedBehaviorSanitizer"
} else {
    "the C compiler of the build"
};

/// Held by whoever runs a kernel or touches the bytes of a buffer, where LOCAL memory is of all threads.
static RUNNING: Mutex<()> = Mutex::new(());

/// The host as a device.
pub struct HostDevice {
    shared: Arc<Shared>,
}

struct Shared {
    info: DeviceInfo,
    budget: MemoryBudget,
    loaded: RwLock<HashMap<String, Loaded>>,
    /// Held by whoever runs a kernel or touches the bytes of a buffer.
    running: Mutex<()>,
}

impl Shared {
    fn running(&self) -> Running<'_> {
        let lock = if cfg!(host_fibers) { &self.running } else { &RUNNING };
        Running(lock.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A kernel of a program that was loaded.
#[derive(Clone)]
struct Loaded {
    kernel: &'static Kernel,
    entry: Entry,
}

impl HostDevice {
    /// A device with a GiB of memory.
    pub fn new() -> Self {
        Self::with_memory(MEMORY_BYTES)
    }

    /// A device with so many bytes of memory.
    pub fn with_memory(memory_bytes: u64) -> Self {
        let info = DeviceInfo {
            api: Api::Host,
            ordinal: 0,
            name: "host".to_owned(),
            platform: PLATFORM.to_owned(),
            driver: env!("CARGO_PKG_VERSION").to_owned(),
            compute_units: 1,
            memory_bytes,
            group_size_max: GROUP_SIZE_MAX,
            is_processor: true,
        };
        let budget = MemoryBudget::new(memory_bytes);
        Self { shared: Arc::new(Shared { info, budget, loaded: RwLock::default(), running: Mutex::default() }) }
    }
}

impl HostDevice {
    /// Bytes of its memory that are held.
    pub fn held_bytes(&self) -> u64 {
        self.shared.budget.limit() - self.shared.budget.left()
    }
}

impl Default for HostDevice {
    fn default() -> Self {
        Self::new()
    }
}

impl Device for HostDevice {
    fn info(&self) -> &DeviceInfo {
        &self.shared.info
    }

    fn queue(&self) -> Result<Box<dyn Queue>, DeviceError> {
        Ok(Box::new(HostQueue { shared: Arc::clone(&self.shared), kernel_time: Duration::ZERO }))
    }
}

/// A queue that has done all it was asked to when a call returns.
struct HostQueue {
    shared: Arc<Shared>,
    kernel_time: Duration,
}

impl Queue for HostQueue {
    fn info(&self) -> &DeviceInfo {
        &self.shared.info
    }

    fn load(&mut self, program: &Program) -> Result<(), DeviceError> {
        let mut loaded = self.shared.loaded.write().unwrap_or_else(PoisonError::into_inner);
        for kernel in program.kernels() {
            if loaded.contains_key(&kernel.name) {
                continue;
            }
            let Some(entry) = tables::entry(&kernel.name) else {
                let log = format!("kernel {} is not in this build", kernel.name);
                return Err(DeviceError::Build { program: program.name.to_owned(), log });
            };
            loaded.insert(kernel.name.clone(), Loaded { kernel, entry });
        }
        Ok(())
    }

    fn allocate(&mut self, bytes: usize) -> Result<Buffer, DeviceError> {
        let claim = self.shared.budget.claim(bytes as u64)?;
        Ok(Buffer::new(bytes, Box::new(Memory::new(bytes, claim)?)))
    }

    fn memory_left(&self) -> u64 {
        self.shared.budget.left()
    }

    fn write(&mut self, buffer: &Buffer, offset: usize, bytes: &[u8]) -> Result<(), DeviceError> {
        check_range(buffer, offset, bytes.len())?;
        let memory = buffer.memory::<Memory>()?;
        memory.write(&self.shared.running(), offset, bytes);
        Ok(())
    }

    fn launch(
        &mut self,
        kernel: &str,
        groups: u32,
        group_size: u32,
        arguments: &[Argument<'_>],
    ) -> Result<(), DeviceError> {
        let loaded = self.shared.loaded.read().unwrap_or_else(PoisonError::into_inner).get(kernel).cloned();
        let Some(Loaded { kernel, entry }) = loaded else {
            return Err(DeviceError::Misuse(format!("kernel {kernel} is not loaded")));
        };
        check_launch(&self.shared.info, kernel, groups, group_size, arguments)?;
        let mut numbers: Vec<u32> =
            arguments.iter().map(|one| if let Argument::Number(number) = one { *number } else { 0 }).collect();
        let numbers = numbers.as_mut_ptr();
        let mut pointers: Vec<*mut c_void> = Vec::with_capacity(arguments.len());
        for (place, argument) in arguments.iter().enumerate() {
            pointers.push(match argument {
                Argument::Buffer(buffer, offset) => buffer.memory::<Memory>()?.at(*offset).cast(),
                Argument::Number(_) => numbers.wrapping_add(place).cast(),
            });
        }
        let running = self.shared.running();
        let started = Instant::now();
        // SAFETY: the entry is that of this kernel, and `check_launch` has held the arguments to its declaration:
        // pointers to buffers, which the borrowed arguments keep alive, and to numbers, which live in this frame. The
        // guard keeps all others from the buffers and from LOCAL memory. That the kernel stays inside its buffers is
        // what its description promises and the sanitizers check.
        let result = unsafe { group::run(&running, entry, kernel.cooperative, groups, group_size, &pointers) };
        self.kernel_time += started.elapsed();
        result.map_err(|error| DeviceError::Failed(format!("kernel {}: {error}", kernel.name)))
    }

    fn read(&mut self, buffer: &Buffer, offset: usize, into: &mut [u8]) -> Result<(), DeviceError> {
        check_range(buffer, offset, into.len())?;
        buffer.memory::<Memory>()?.read(&self.shared.running(), offset, into);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }

    fn take_kernel_time(&mut self) -> Duration {
        mem::take(&mut self.kernel_time)
    }
}

/// The right to run kernels and to touch memory that they use.
struct Running<'a>(#[allow(dead_code, reason = "held, not read")] MutexGuard<'a, ()>);

#[cfg(test)]
mod tests;
