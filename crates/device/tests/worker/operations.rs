//! What the worker of these tests can do: an operation that works, and others that fail each in its own way.

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use outrigger_device::{DeviceError, Operations, Queue, socket_from_stdin};
use outrigger_device_host::HostDevice;
use outrigger_kernels::Program;

/// Nothing, at once.
pub(crate) const EMPTY: u32 = 0;
/// Output word i is input word i times the header's word, plus i.
pub(crate) const SCALE: u32 = 1;
/// Never ends, and makes no step.
pub(crate) const HANG: u32 = 2;
/// Ends the process.
pub(crate) const ABORT: u32 = 3;
/// Wants more memory than there is.
pub(crate) const GREEDY: u32 = 4;
/// Makes a step each millisecond, as many as the header says.
pub(crate) const STEPS: u32 = 5;
/// Panics.
pub(crate) const PANIC: u32 = 6;
/// Loses the device.
pub(crate) const LOSE: u32 = 7;
/// Says that it is done, and has written nothing.
pub(crate) const NOTHING: u32 = 8;
/// Fails its self-test until the file that the environment names is there.
pub(crate) const BROKEN: u32 = 9;
/// Makes no step for as many milliseconds as the header says.
pub(crate) const SLEEP: u32 = 10;

/// The device's memory, in bytes.
const MEMORY_BYTES: u64 = 1 << 20;

/// The main loop of the child.
pub(crate) fn serve() {
    let socket = socket_from_stdin().expect("a socket");
    let served = outrigger_device::serve(socket, "test", || {
        if env::var(super::CHILD).as_deref() == Ok("no device") {
            return Err(DeviceError::Absent("none today".to_owned()));
        }
        Ok((Box::new(HostDevice::with_memory(MEMORY_BYTES)), Arc::new(Faulty)))
    });
    if let Err(error) = served {
        eprintln!("child: {error}");
    }
}

struct Faulty;

impl Operations for Faulty {
    fn operations(&self) -> Vec<u32> {
        (EMPTY..=SLEEP).collect()
    }

    fn self_test(&self, queue: &mut dyn Queue, operation: u32) -> Result<(), DeviceError> {
        match operation {
            SCALE => {
                let mut output = [0; 8];
                self.run(queue, SCALE, &bytes(&[3]), &bytes(&[5, 6]), &mut output)?;
                let right = words(&output) == [15, 19];
                right.then_some(()).ok_or_else(|| DeviceError::Failed("it does not scale".to_owned()))
            }
            BROKEN if !env::var_os(super::CHILD).is_some_and(|file| Path::new(&file).exists()) => {
                Err(DeviceError::Failed("broken".to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn run(
        &self,
        queue: &mut dyn Queue,
        operation: u32,
        header: &[u8],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), DeviceError> {
        let number = words(header).first().copied().unwrap_or(0);
        let pause = || thread::sleep(Duration::from_millis(number.into()));
        match operation {
            EMPTY | NOTHING | BROKEN => Ok(()),
            SCALE => scale(queue, number, input, output),
            HANG => loop {
                thread::park();
            },
            ABORT => std::process::abort(),
            GREEDY => {
                let _some = queue.allocate(MEMORY_BYTES as usize / 2)?;
                queue.allocate(MEMORY_BYTES as usize).map(drop)
            }
            STEPS => (0..number).try_for_each(|_| {
                thread::sleep(Duration::from_millis(1));
                queue.finish()
            }),
            PANIC => panic!("as asked"),
            LOSE => Err(DeviceError::Lost("fell off the bus".to_owned())),
            SLEEP => {
                pause();
                Ok(())
            }
            _ => Err(DeviceError::Unsupported),
        }
    }
}

fn scale(queue: &mut dyn Queue, factor: u32, input: &[u8], output: &mut [u8]) -> Result<(), DeviceError> {
    if !input.len().is_multiple_of(4) || input.is_empty() || output.len() != input.len() {
        return Err(DeviceError::Misuse("no whole words".to_owned()));
    }
    queue.load(Program::find("probe").expect("the probe"))?;
    let (source, target) = (queue.allocate(input.len())?, queue.allocate(input.len())?);
    queue.write(&source, 0, input)?;
    let count = (input.len() / 4) as u32;
    let arguments = [(&source).into(), (&target).into(), factor.into(), count.into()];
    queue.launch("probe_scale", count.div_ceil(8), 8, &arguments)?;
    queue.read(&target, 0, output)
}

pub(crate) fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

pub(crate) fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}
