//! A command queue as a [`Queue`].

use std::collections::HashMap;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use opencl3::command_queue::{
    CL_QUEUE_PROFILING_ENABLE, CommandQueue, enqueue_nd_range_kernel, enqueue_read_buffer, enqueue_write_buffer,
};
use opencl3::event::Event;
use opencl3::kernel::Kernel as ClKernel;
use opencl3::memory::{Buffer as ClBuffer, CL_MEM_READ_WRITE, ClMem};
use opencl3::types::{CL_BLOCKING, cl_mem};
use outrigger_device::{Argument, Buffer, Claim, DeviceError, DeviceInfo, Queue, check_launch, check_range};
use outrigger_kernels::{Kernel, Program};

use crate::device::Shared;
use crate::failure::{allocation_failed, failed};

/// Launches whose times are kept at most until somebody asks; later ones are not timed.
const TIMED_MAX: usize = 1024;

/// An in-order command queue, with kernel objects of its own: their arguments are state, so threads cannot share them.
pub(crate) struct OpenClQueue {
    queue: CommandQueue,
    kernels: HashMap<String, Ready>,
    launched: Vec<Event>,
    shared: Arc<Shared>,
}

struct Ready {
    object: ClKernel,
    declared: &'static Kernel,
    /// What the compiled kernel takes on this device, by its registers.
    group_size_max: usize,
}

/// The memory of a [`Buffer`] of this backend.
struct Memory {
    memory: ClBuffer<u8>,
    _claim: Claim,
}

impl OpenClQueue {
    pub(crate) fn new(shared: Arc<Shared>) -> Result<Self, DeviceError> {
        #[allow(deprecated, reason = "its successor is missing in OpenCL 1.2, which is all that we ask for")]
        let queue = CommandQueue::create_default(&shared.context, CL_QUEUE_PROFILING_ENABLE)
            .map_err(|error| failed("clCreateCommandQueue", error.0))?;
        Ok(Self { queue, kernels: HashMap::new(), launched: Vec::new(), shared })
    }

    fn ready(&mut self, name: &str) -> Result<&Ready, DeviceError> {
        if !self.kernels.contains_key(name) {
            let Some(loaded) = self.shared.kernel(name) else {
                return Err(DeviceError::Misuse(format!("kernel {name} is not loaded")));
            };
            let object = ClKernel::create(&loaded.program, name).map_err(|error| failed("clCreateKernel", error.0))?;
            let group_size_max = object
                .get_work_group_size(self.shared.device.id())
                .map_err(|error| failed("clGetKernelWorkGroupInfo", error.0))?;
            self.kernels.insert(name.to_owned(), Ready { object, declared: loaded.kernel, group_size_max });
        }
        Ok(&self.kernels[name])
    }
}

impl Queue for OpenClQueue {
    fn info(&self) -> &DeviceInfo {
        &self.shared.info
    }

    fn load(&mut self, program: &Program) -> Result<(), DeviceError> {
        self.shared.load(program)
    }

    fn allocate(&mut self, bytes: usize) -> Result<Buffer, DeviceError> {
        let claim = self.shared.budget.claim(bytes as u64)?;
        // OpenCL knows no empty buffers.
        let length = bytes.max(1);
        // SAFETY: no host memory is handed over.
        let memory =
            unsafe { ClBuffer::<u8>::create(&self.shared.context, CL_MEM_READ_WRITE, length, ptr::null_mut()) }
                .map_err(|error| allocation_failed(bytes as u64, self.shared.budget.left(), error.0))?;
        Ok(Buffer::new(bytes, Box::new(Memory { memory, _claim: claim })))
    }

    fn memory_left(&self) -> u64 {
        self.shared.budget.left()
    }

    fn write(&mut self, buffer: &Buffer, offset: usize, bytes: &[u8]) -> Result<(), DeviceError> {
        check_range(buffer, offset, bytes.len())?;
        let memory = buffer.memory::<Memory>()?.memory.get();
        // A copy of nothing is an error in OpenCL.
        if bytes.is_empty() {
            return Ok(());
        }
        let (queue, from) = (self.queue.get(), bytes.as_ptr().cast());
        // SAFETY: the range lies in the buffer, and the call returns when the bytes have been read.
        let event =
            unsafe { enqueue_write_buffer(queue, memory, CL_BLOCKING, offset, bytes.len(), from, 0, ptr::null()) }
                .map_err(|code| failed("clEnqueueWriteBuffer", code))?;
        drop(Event::new(event));
        Ok(())
    }

    fn launch(
        &mut self,
        kernel: &str,
        groups: u32,
        group_size: u32,
        arguments: &[Argument<'_>],
    ) -> Result<(), DeviceError> {
        let shared = Arc::clone(&self.shared);
        let queue = self.queue.get();
        let ready = self.ready(kernel)?;
        check_launch(&shared.info, ready.declared, groups, group_size, arguments)?;
        if group_size as usize > ready.group_size_max {
            let what = format!("kernel {kernel} takes groups of at most {} here", ready.group_size_max);
            return Err(DeviceError::Failed(what));
        }
        // Sub-buffers live until the launch is in the queue, which then holds on to them.
        let mut parts = Vec::new();
        for (place, argument) in (0..).zip(arguments) {
            match argument {
                Argument::Number(number) => set(&ready.object, place, number)?,
                Argument::Buffer(buffer, 0) => set(&ready.object, place, &buffer.memory::<Memory>()?.memory.get())?,
                Argument::Buffer(buffer, offset) => {
                    let part = part(buffer, *offset)?;
                    set(&ready.object, place, &part.get())?;
                    parts.push(part);
                }
            }
        }
        let (items, group) = (groups as usize * group_size as usize, group_size as usize);
        // SAFETY: the arguments fit the kernel's declaration, by `check_launch`, and each was set above. That the kernel
        // stays inside its buffers is what its description promises and the tests under oclgrind check.
        let event = unsafe {
            enqueue_nd_range_kernel(queue, ready.object.get(), 1, ptr::null(), &items, &group, 0, ptr::null())
        }
        .map_err(|code| failed("clEnqueueNDRangeKernel", code))?;
        let event = Event::new(event);
        if self.launched.len() < TIMED_MAX {
            self.launched.push(event);
        }
        self.queue.flush().map_err(|error| failed("clFlush", error.0))
    }

    fn read(&mut self, buffer: &Buffer, offset: usize, into: &mut [u8]) -> Result<(), DeviceError> {
        check_range(buffer, offset, into.len())?;
        let memory = buffer.memory::<Memory>()?.memory.get();
        if into.is_empty() {
            return self.finish();
        }
        let (queue, to) = (self.queue.get(), into.as_mut_ptr().cast());
        // SAFETY: the range lies in the buffer, and the call returns when the bytes have been written.
        let event = unsafe { enqueue_read_buffer(queue, memory, CL_BLOCKING, offset, into.len(), to, 0, ptr::null()) }
            .map_err(|code| failed("clEnqueueReadBuffer", code))?;
        drop(Event::new(event));
        Ok(())
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        self.queue.finish().map_err(|error| failed("clFinish", error.0))
    }

    fn take_kernel_time(&mut self) -> Duration {
        let time = |event: &Event| {
            let (start, end) = (event.profiling_command_start().ok()?, event.profiling_command_end().ok()?);
            end.checked_sub(start)
        };
        Duration::from_nanos(self.launched.drain(..).filter_map(|event| time(&event)).sum())
    }
}

/// Sets an argument to a value of the type that the kernel declares: `u32`, or a memory object.
fn set<T>(kernel: &ClKernel, place: u32, value: &T) -> Result<(), DeviceError> {
    // SAFETY: OpenCL copies the value, and checks its size against the declaration.
    unsafe { kernel.set_arg(place, value) }.map_err(|error| failed("clSetKernelArg", error.0))
}

/// A buffer from an offset on, as a memory object of its own.
fn part(buffer: &Buffer, offset: usize) -> Result<ClBuffer<u8>, DeviceError> {
    let whole = &buffer.memory::<Memory>()?.memory;
    debug_assert!(offset < buffer.bytes(), "by check_launch");
    // SAFETY: the part lies in the buffer, by `check_launch`, which also holds the offset to the device's alignment.
    unsafe { whole.create_sub_buffer(CL_MEM_READ_WRITE, offset, buffer.bytes() - offset) }
        .map_err(|error| failed("clCreateSubBuffer", error.0))
}

/// Handles of memory are pointers, as `set` passes them.
const _: () = assert!(size_of::<cl_mem>() == size_of::<usize>());
