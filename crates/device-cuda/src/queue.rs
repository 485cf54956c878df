//! A stream as a [`Queue`].

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use cust::event::{Event, EventFlags};
use cust::stream::{Stream, StreamFlags};
use cust::sys::{CUdeviceptr, cuLaunchKernel, cuMemAlloc_v2, cuMemFree_v2, cuMemcpyDtoHAsync_v2, cuMemcpyHtoDAsync_v2};
use outrigger_device::{Argument, Buffer, Claim, DeviceError, DeviceInfo, Queue, check_launch, check_range};
use outrigger_kernels::Program;

use crate::device::Shared;
use crate::failure::{checked, failed};

/// Launches whose times are kept at most until somebody asks; later ones are not timed.
const TIMED_MAX: usize = 1024;

/// A stream of its own, beside those of other queues.
pub(crate) struct CudaQueue {
    stream: Stream,
    launched: Vec<(Event, Event)>,
    shared: Arc<Shared>,
}

// SAFETY: streams and events may be used by any thread, one at a time, which `&mut self` sees to; each call makes the
// context current first.
unsafe impl Send for CudaQueue {}

/// The memory of a [`Buffer`] of this backend.
struct Memory {
    address: CUdeviceptr,
    shared: Arc<Shared>,
    _claim: Claim,
}

impl Drop for Memory {
    fn drop(&mut self) {
        // Where the context is gone, so is the memory.
        if self.shared.enter().is_ok() {
            // SAFETY: allocated once, freed once. The driver waits for work that uses it.
            let _ = unsafe { cuMemFree_v2(self.address) };
        }
    }
}

impl CudaQueue {
    pub(crate) fn new(shared: Arc<Shared>) -> Result<Self, DeviceError> {
        shared.enter()?;
        let stream = Stream::new(StreamFlags::NON_BLOCKING, None).map_err(|error| failed("cuStreamCreate", error))?;
        Ok(Self { stream, launched: Vec::new(), shared })
    }

    /// The address of a byte of a buffer of this device.
    fn address(&self, buffer: &Buffer, offset: usize) -> Result<CUdeviceptr, DeviceError> {
        let memory = buffer.memory::<Memory>()?;
        if !Arc::ptr_eq(&memory.shared, &self.shared) {
            return Err(DeviceError::Misuse("a buffer of another device".to_owned()));
        }
        Ok(memory.address + offset as u64)
    }

    fn event(&self) -> Result<Event, DeviceError> {
        let event = Event::new(EventFlags::DEFAULT).map_err(|error| failed("cuEventCreate", error))?;
        event.record(&self.stream).map_err(|error| failed("cuEventRecord", error))?;
        Ok(event)
    }
}

impl Queue for CudaQueue {
    fn info(&self) -> &DeviceInfo {
        &self.shared.info
    }

    fn load(&mut self, program: &Program) -> Result<(), DeviceError> {
        self.shared.load(program)
    }

    fn allocate(&mut self, bytes: usize) -> Result<Buffer, DeviceError> {
        self.shared.enter()?;
        let claim = self.shared.budget.claim(bytes as u64)?;
        let mut address = 0;
        // SAFETY: the address of a word. CUDA knows no empty buffers.
        let result = unsafe { cuMemAlloc_v2(&raw mut address, bytes.max(1)) };
        checked("cuMemAlloc", result).map_err(|error| match error {
            DeviceError::OutOfMemory { .. } => {
                DeviceError::OutOfMemory { wanted: bytes as u64, left: self.shared.budget.left() }
            }
            other => other,
        })?;
        Ok(Buffer::new(bytes, Box::new(Memory { address, shared: Arc::clone(&self.shared), _claim: claim })))
    }

    fn memory_left(&self) -> u64 {
        self.shared.budget.left()
    }

    fn write(&mut self, buffer: &Buffer, offset: usize, bytes: &[u8]) -> Result<(), DeviceError> {
        check_range(buffer, offset, bytes.len())?;
        let address = self.address(buffer, offset)?;
        if bytes.is_empty() {
            return Ok(());
        }
        self.shared.enter()?;
        let (from, stream) = (bytes.as_ptr().cast(), self.stream.as_inner());
        // SAFETY: the range lies in the buffer, and the bytes stay until the stream has been waited for below.
        checked("cuMemcpyHtoDAsync", unsafe { cuMemcpyHtoDAsync_v2(address, from, bytes.len(), stream) })?;
        self.finish()
    }

    fn launch(
        &mut self,
        kernel: &str,
        groups: u32,
        group_size: u32,
        arguments: &[Argument<'_>],
    ) -> Result<(), DeviceError> {
        let Some(loaded) = self.shared.kernel(kernel) else {
            return Err(DeviceError::Misuse(format!("kernel {kernel} is not loaded")));
        };
        check_launch(&self.shared.info, loaded.kernel, groups, group_size, arguments)?;
        self.shared.enter()?;
        // Values side by side, eight bytes each; a number takes the first four, as the driver reads them.
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(match argument {
                Argument::Buffer(buffer, offset) => self.address(buffer, *offset)?,
                Argument::Number(number) => u64::from_le(u64::from(*number)),
            });
        }
        let mut pointers: Vec<*mut c_void> = values.iter_mut().map(|value| ptr::from_mut(value).cast()).collect();
        let started = if self.launched.len() < TIMED_MAX { Some(self.event()?) } else { None };
        let stream = self.stream.as_inner();
        // SAFETY: the arguments fit the kernel's declaration, by `check_launch`, and the driver copies them. That the
        // kernel stays inside its buffers is what its description promises.
        let result = unsafe {
            let (function, parameters) = (loaded.function, pointers.as_mut_ptr());
            cuLaunchKernel(function, groups, 1, 1, group_size, 1, 1, 0, stream, parameters, ptr::null_mut())
        };
        checked("cuLaunchKernel", result)?;
        if let Some(started) = started {
            let ended = self.event()?;
            self.launched.push((started, ended));
        }
        Ok(())
    }

    fn read(&mut self, buffer: &Buffer, offset: usize, into: &mut [u8]) -> Result<(), DeviceError> {
        check_range(buffer, offset, into.len())?;
        let address = self.address(buffer, offset)?;
        if into.is_empty() {
            return self.finish();
        }
        self.shared.enter()?;
        let (to, stream) = (into.as_mut_ptr().cast(), self.stream.as_inner());
        // SAFETY: the range lies in the buffer, and nobody looks at `into` until the stream has been waited for below.
        let result = unsafe { cuMemcpyDtoHAsync_v2(to, address, into.len(), stream) };
        // Also after a failure: a copy that was begun must not go on when this returns.
        checked("cuMemcpyDtoHAsync", result).and(self.finish())
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        self.shared.enter()?;
        self.stream.synchronize().map_err(|error| failed("cuStreamSynchronize", error))
    }

    fn take_kernel_time(&mut self) -> Duration {
        if self.shared.enter().is_err() {
            return Duration::ZERO;
        }
        let milliseconds = |(started, ended): &(Event, Event)| ended.elapsed_time_f32(started).ok();
        let sum: f32 = self.launched.drain(..).filter_map(|one| milliseconds(&one)).sum();
        Duration::try_from_secs_f32(sum / 1000.0).unwrap_or_default()
    }
}

impl Drop for CudaQueue {
    fn drop(&mut self) {
        // Stream and events are destroyed in the context of the thread.
        let _ = self.shared.enter();
    }
}
