//! A worker in this process, on a device that fails as it is told to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use outrigger_device::{Argument, Buffer, Device, DeviceError, DeviceInfo, Queue};
use outrigger_device_host::HostDevice;
use outrigger_kernels::Program;
use zeroize::Zeroizing;

use crate::Control;
use crate::engine::Failure;
use crate::engine::device::calls::{self, Call};
use crate::engine::device::provers::Provers;
use crate::engine::device::remote::{Calls, failed};

/// How a device fails.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Fault {
    #[default]
    None,
    /// It is lost as a kernel is launched.
    Lost { launch: usize },
    /// It has no memory for this allocation and as many after it.
    OutOfMemory { allocation: usize, times: usize },
    /// A bit of what a kernel was given or gave changes behind it.
    Flip { launch: usize },
    /// Its answers are wrong.
    Lie,
}

/// Carries out calls in this process.
pub(super) struct InProcess {
    device: HostDevice,
    provers: Provers,
    fault: Mutex<Fault>,
    bytes_max: AtomicUsize,
    launches: AtomicUsize,
    allocations: AtomicUsize,
    quarantined: Mutex<Vec<Call>>,
}

impl InProcess {
    pub(super) fn new(device: HostDevice) -> Arc<Self> {
        Arc::new(Self {
            device,
            provers: Provers::default(),
            fault: Mutex::default(),
            bytes_max: AtomicUsize::new(usize::MAX),
            launches: AtomicUsize::new(0),
            allocations: AtomicUsize::new(0),
            quarantined: Mutex::default(),
        })
    }

    pub(super) fn fail(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    pub(super) fn set_bytes_max(&self, bytes: usize) {
        self.bytes_max.store(bytes, Ordering::Relaxed);
    }

    /// Kernels launched so far.
    pub(super) fn launches(&self) -> usize {
        self.launches.load(Ordering::Relaxed)
    }

    /// Buffers asked for so far.
    pub(super) fn allocations(&self) -> usize {
        self.allocations.load(Ordering::Relaxed)
    }

    pub(super) fn quarantined(&self) -> Vec<Call> {
        self.quarantined.lock().unwrap().clone()
    }

    /// Whether the points of the key that was used last are on the device.
    pub(super) fn holds_points(&self) -> bool {
        self.provers.last_is_resident()
    }

    /// Proofs that share launches with the key that was used last.
    pub(super) fn batch(&self) -> Option<usize> {
        self.provers.last_batch()
    }

    /// As a worker that was started again.
    pub(super) fn forget(&self) {
        self.provers.forget();
    }

    /// Bytes of its memory that are taken.
    pub(super) fn held_bytes(&self) -> u64 {
        self.device.held_bytes()
    }
}

impl Calls for Arc<InProcess> {
    fn bytes_max(&self) -> usize {
        self.bytes_max.load(Ordering::Relaxed)
    }

    fn call(
        &self,
        call: Call,
        header: Vec<u8>,
        [input_bytes, answer_bytes]: [usize; 2],
        fill: &mut dyn FnMut(&mut [u8]),
        controls: &[&Control],
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if controls.iter().all(|control| control.check().is_err()) {
            controls[0].check()?;
        }
        let mut input = vec![0; input_bytes];
        fill(&mut input);
        let mut answer = Zeroizing::new(vec![0; answer_bytes]);
        let inner = self.device.queue().unwrap();
        let mut queue = Faulty { inner, device: self };
        let done = self.provers.run(&mut queue, call, &header, &input, &mut answer);
        done.map_err(|error| failed(&error))?;
        if matches!(*self.fault.lock().unwrap(), Fault::Lie) {
            // The lowest bit of the first sum.
            answer[32] ^= 1;
        }
        calls::finished(&answer).map(|answer| Zeroizing::new(answer.to_vec())).map_err(|error| failed(&error))
    }

    fn serves(&self, call: Call) -> bool {
        !self.quarantined().contains(&call)
    }

    fn quarantine(&self, call: Call, _why: String) {
        self.quarantined.lock().unwrap().push(call);
    }
}

/// A queue of that device.
struct Faulty<'a> {
    inner: Box<dyn Queue>,
    device: &'a InProcess,
}

impl Faulty<'_> {
    fn fault(&self) -> Fault {
        *self.device.fault.lock().unwrap()
    }

    /// Changes a bit of an element that this kernel read or wrote, somewhere else after each launch. (Numbers of points
    /// and buckets stay: a wild access is the end of this process, as it is of a worker.)
    fn flip(&mut self, launch: usize, kernel: &str, arguments: &[Argument<'_>]) -> Result<(), DeviceError> {
        let places = elements(kernel);
        let Some(place) = places.get(launch % places.len().max(1)) else { return Ok(()) };
        let Argument::Buffer(buffer, _) = arguments[*place] else { panic!("argument {place} of {kernel} is a number") };
        // The first of them are read most surely: buffers are for the longest scalars and transforms, and for batches.
        let place = launch.wrapping_mul(2_654_435_761) % (buffer.bytes() / 64).max(1);
        let mut byte = [0];
        self.inner.read(buffer, place, &mut byte)?;
        byte[0] ^= 1 << (launch % 8);
        self.inner.write(buffer, place, &byte)
    }
}

/// Which arguments of a kernel are elements of fields.
fn elements(kernel: &str) -> &'static [usize] {
    let is = |step: &str| kernel.ends_with(step);
    match () {
        () if is("_accumulate") => &[0, 3, 5],
        () if is("_join") => &[1, 2, 4],
        () if is("_weigh_buckets") => &[0, 2, 3],
        () if is("_weigh_segments") => &[0, 1, 2, 3],
        () if is("_transform_pass") => &[0, 1, 2, 3],
        () if is("_rows") => &[0, 4, 5],
        () if is("_rows_pieces") => &[0, 4, 5],
        () if is("_rows_join") => &[0, 2],
        () => &[],
    }
}

impl Queue for Faulty<'_> {
    fn info(&self) -> &DeviceInfo {
        self.inner.info()
    }

    fn load(&mut self, program: &Program) -> Result<(), DeviceError> {
        self.inner.load(program)
    }

    fn allocate(&mut self, bytes: usize) -> Result<Buffer, DeviceError> {
        let number = self.device.allocations.fetch_add(1, Ordering::Relaxed);
        match self.fault() {
            Fault::OutOfMemory { allocation, times } if number >= allocation && number - allocation < times => {
                Err(DeviceError::OutOfMemory { wanted: bytes as u64, left: 0 })
            }
            _ => self.inner.allocate(bytes),
        }
    }

    fn memory_left(&self) -> u64 {
        self.inner.memory_left()
    }

    fn write(&mut self, buffer: &Buffer, offset: usize, bytes: &[u8]) -> Result<(), DeviceError> {
        self.inner.write(buffer, offset, bytes)
    }

    fn launch(
        &mut self,
        kernel: &str,
        groups: u32,
        group_size: u32,
        arguments: &[Argument<'_>],
    ) -> Result<(), DeviceError> {
        let number = self.device.launches.fetch_add(1, Ordering::Relaxed);
        match self.fault() {
            Fault::Lost { launch } if number >= launch => Err(DeviceError::Lost("the bus is silent".to_owned())),
            Fault::Flip { launch } if number == launch => {
                self.inner.launch(kernel, groups, group_size, arguments)?;
                self.flip(launch, kernel, arguments)
            }
            _ => self.inner.launch(kernel, groups, group_size, arguments),
        }
    }

    fn read(&mut self, buffer: &Buffer, offset: usize, into: &mut [u8]) -> Result<(), DeviceError> {
        self.inner.read(buffer, offset, into)
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        self.inner.finish()
    }

    fn take_kernel_time(&mut self) -> Duration {
        self.inner.take_kernel_time()
    }
}
