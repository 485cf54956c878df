//! The words between a parent and its worker. Both are built together and the first message says so, hence a form that
//! only has to be exact: little-endian numbers, strings and lists with their length before them, one message a packet.

use std::ops::Range;
use std::time::Duration;

use crate::{Api, DeviceError, DeviceInfo};

/// Counted up with every change of a message.
pub(crate) const VERSION: u32 = 1;

/// A packet at most, in bytes.
pub(crate) const PACKET_BYTES_MAX: usize = 16 * 1024;

/// The header of a batch at most, in bytes: an operation's parameters. What grows with items is input.
pub const HEADER_BYTES_MAX: usize = 4096;

/// Words of an error that are passed on, in bytes.
const TEXT_BYTES_MAX: usize = 8192;

const NAME_BYTES_MAX: usize = 512;

/// What a worker says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Introduction {
    pub(crate) info: DeviceInfo,
    pub(crate) operations: Vec<u32>,
}

/// A batch, or a self-test of an operation (then without bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) slot: u32,
    pub(crate) operation: u32,
    pub(crate) self_test: bool,
    /// By the clock that both processes share, in nanoseconds.
    pub(crate) submitted_ns: u64,
    pub(crate) deadline_ns: Option<u64>,
    pub(crate) input: Range<usize>,
    pub(crate) output: Range<usize>,
    pub(crate) header: Vec<u8>,
}

/// Where the time of a batch went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// From its submission to its start.
    pub waited: Duration,
    /// From its start to its end.
    pub worked: Duration,
    /// Copying to the device, or into the driver's hands.
    pub copy_in: Duration,
    /// Kernels, by the device's clock.
    pub kernels: Duration,
    /// Waiting for the device and copying from it, kernels included.
    pub copy_out: Duration,
    /// Bytes copied to the device.
    pub bytes_in: u64,
    /// Bytes copied from it.
    pub bytes_out: u64,
}

/// A message of the parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ToWorker {
    /// The first; the arena's descriptor comes with it.
    Hello {
        version: u32,
        build: String,
        parent: u32,
        arena_bytes: u64,
    },
    Run(Run),
}

/// A message of the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ToParent {
    Hello {
        version: u32,
        build: String,
        introduction: Introduction,
    },
    /// The device cannot be opened.
    Refused(DeviceError),
    Done {
        id: u64,
        result: Result<Timing, DeviceError>,
    },
}

impl ToWorker {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer(Vec::new());
        match self {
            Self::Hello { version, build, parent, arena_bytes } => {
                out.byte(1);
                out.u32(*version);
                out.text(build);
                out.u32(*parent);
                out.u64(*arena_bytes);
            }
            Self::Run(run) => {
                out.byte(2);
                out.u64(run.id);
                out.u32(run.slot);
                out.u32(run.operation);
                out.byte(run.self_test.into());
                out.u64(run.submitted_ns);
                out.u64(run.deadline_ns.unwrap_or(0));
                for word in [run.input.start, run.input.end, run.output.start, run.output.end] {
                    out.u64(word as u64);
                }
                out.bytes(&run.header);
            }
        }
        out.0
    }

    pub(crate) fn decode(packet: &[u8]) -> Option<Self> {
        let mut from = Reader(packet);
        let message = match from.byte()? {
            1 => {
                Self::Hello { version: from.u32()?, build: from.text()?, parent: from.u32()?, arena_bytes: from.u64()? }
            }
            2 => Self::Run(Run {
                id: from.u64()?,
                slot: from.u32()?,
                operation: from.u32()?,
                self_test: from.byte()? == 1,
                submitted_ns: from.u64()?,
                deadline_ns: Some(from.u64()?).filter(|&deadline| deadline != 0),
                input: from.size()?..from.size()?,
                output: from.size()?..from.size()?,
                header: from.bytes()?.to_vec(),
            }),
            _ => return None,
        };
        from.0.is_empty().then_some(message)
    }
}

impl ToParent {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer(Vec::new());
        match self {
            Self::Hello { version, build, introduction: Introduction { info, operations } } => {
                out.byte(1);
                out.u32(*version);
                out.text(build);
                out.info(info);
                out.u32(operations.len() as u32);
                operations.iter().for_each(|&operation| out.u32(operation));
            }
            Self::Refused(error) => {
                out.byte(2);
                out.error(error);
            }
            Self::Done { id, result: Ok(timing) } => {
                out.byte(3);
                out.u64(*id);
                for time in [timing.waited, timing.worked, timing.copy_in, timing.kernels, timing.copy_out] {
                    out.u64(nanoseconds(time));
                }
                out.u64(timing.bytes_in);
                out.u64(timing.bytes_out);
            }
            Self::Done { id, result: Err(error) } => {
                out.byte(4);
                out.u64(*id);
                out.error(error);
            }
        }
        out.0
    }

    pub(crate) fn decode(packet: &[u8]) -> Option<Self> {
        let mut from = Reader(packet);
        let message = match from.byte()? {
            1 => {
                let (version, build, info) = (from.u32()?, from.text()?, from.info()?);
                let count = from.u32()?;
                let operations = (0..count).map(|_| from.u32()).collect::<Option<_>>()?;
                Self::Hello { version, build, introduction: Introduction { info, operations } }
            }
            2 => Self::Refused(from.error()?),
            3 => Self::Done {
                id: from.u64()?,
                result: Ok(Timing {
                    waited: from.duration()?,
                    worked: from.duration()?,
                    copy_in: from.duration()?,
                    kernels: from.duration()?,
                    copy_out: from.duration()?,
                    bytes_in: from.u64()?,
                    bytes_out: from.u64()?,
                }),
            },
            4 => Self::Done { id: from.u64()?, result: Err(from.error()?) },
            _ => return None,
        };
        from.0.is_empty().then_some(message)
    }
}

/// A time as nanoseconds; centuries are cut.
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The beginning of a text, of so many bytes at most.
fn cut(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, value: &[u8]) {
        self.u32(value.len() as u32);
        self.0.extend(value);
    }

    /// Words, cut where they are too many.
    fn text(&mut self, value: &str) {
        self.bytes(cut(value, TEXT_BYTES_MAX).as_bytes());
    }

    /// A name that a driver or a file gives: three of them and words of an error fit a packet.
    fn name(&mut self, value: &str) {
        self.bytes(cut(value, NAME_BYTES_MAX).as_bytes());
    }

    fn info(&mut self, info: &DeviceInfo) {
        self.byte(match info.api {
            Api::Host => 0,
            Api::OpenCl => 1,
            Api::Cuda => 2,
        });
        self.u32(info.ordinal);
        [&info.name, &info.platform, &info.driver].into_iter().for_each(|name| self.name(name));
        self.u32(info.compute_units);
        self.u64(info.memory_bytes);
        self.u32(info.group_size_max);
        self.byte(info.is_processor.into());
    }

    fn error(&mut self, error: &DeviceError) {
        let mut worded = |kind: u8, text: &str| {
            self.byte(kind);
            self.text(text);
        };
        match error {
            DeviceError::Misuse(text) => worded(1, text),
            DeviceError::Failed(text) => worded(2, text),
            DeviceError::Lost(text) => worded(3, text),
            DeviceError::Absent(text) => worded(4, text),
            DeviceError::Build { program, log } => {
                worded(5, log);
                self.name(program);
            }
            DeviceError::OutOfMemory { wanted, left } => {
                self.byte(6);
                self.u64(*wanted);
                self.u64(*left);
            }
            DeviceError::Cancelled => self.byte(7),
            DeviceError::Expired => self.byte(8),
            DeviceError::Unsupported => self.byte(9),
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (value, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*value)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn size(&mut self) -> Option<usize> {
        self.u64().and_then(|size| size.try_into().ok())
    }

    fn duration(&mut self) -> Option<Duration> {
        self.u64().map(Duration::from_nanos)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()? as usize;
        let (value, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(value)
    }

    fn text(&mut self) -> Option<String> {
        self.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    fn info(&mut self) -> Option<DeviceInfo> {
        let api = match self.byte()? {
            0 => Api::Host,
            1 => Api::OpenCl,
            2 => Api::Cuda,
            _ => return None,
        };
        Some(DeviceInfo {
            api,
            ordinal: self.u32()?,
            name: self.text()?,
            platform: self.text()?,
            driver: self.text()?,
            compute_units: self.u32()?,
            memory_bytes: self.u64()?,
            group_size_max: self.u32()?,
            is_processor: self.byte()? == 1,
        })
    }

    fn error(&mut self) -> Option<DeviceError> {
        Some(match self.byte()? {
            1 => DeviceError::Misuse(self.text()?),
            2 => DeviceError::Failed(self.text()?),
            3 => DeviceError::Lost(self.text()?),
            4 => DeviceError::Absent(self.text()?),
            5 => {
                let log = self.text()?;
                DeviceError::Build { program: self.text()?, log }
            }
            6 => DeviceError::OutOfMemory { wanted: self.u64()?, left: self.u64()? },
            7 => DeviceError::Cancelled,
            8 => DeviceError::Expired,
            9 => DeviceError::Unsupported,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
