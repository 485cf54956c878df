//! What the sidecar asks of a device's worker for proofs, and how its bytes lie.
//!
//! | call | header | input | answer |
//! |---|---|---|---|
//! | prove | proofs and wires, `u32` each; the path of the key's file | the witness of each proof, plain | of each proof: nanoseconds of four stages, `u64` each; ΣA, ΣB1, ΣC, ΣH, ΣB2 |
//! | msm | points, `u32`; a name for them, `u64`, 0 for none; whether they come, a byte | the points where they come, then the scalars, plain | the sum |
//! | ntt | whether inverse, whether on the coset, a byte each | the elements | the elements |
//!
//! All numbers are little-endian. Points are affine and elements in Montgomery's form, as circom's files hold them;
//! infinity is (0, 0). An answer ends with a mark, since memory that nobody wrote to is zero, and so is a sum.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outrigger_device::{DeviceError, HEADER_BYTES_MAX};
use outrigger_types::Curve as CurveId;

use super::super::operations::Group;
use crate::curve::{Curve, SCALAR_BYTES, point_bytes};
use crate::{Stage, Timings};

/// The number of the first call between a parent and its worker; below are those of others.
pub const FIRST_CODE: u32 = 0x1_0000;

/// Ends an answer.
pub(super) const DONE: u64 = 0x7364_6e61_7473_2069;

/// The stages of a proof that are a device's, in the order in which an answer tells their times.
pub(super) const STAGES: [Stage; 4] = [Stage::SparseProduct, Stage::Ntt, Stage::MsmG1, Stage::MsmG2];

/// What a worker does for proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// On which curve.
    pub curve: CurveId,
    /// What.
    pub task: Task,
}

/// A task on one curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The sums of proofs of one key.
    Prove,
    /// A multi-scalar multiplication.
    Msm(Group),
    /// A transform.
    Ntt,
}

impl Call {
    /// All calls.
    pub fn all() -> impl Iterator<Item = Self> {
        let tasks = [Task::Prove, Task::Msm(Group::G1), Task::Msm(Group::G2), Task::Ntt];
        CurveId::ALL.into_iter().flat_map(move |curve| tasks.map(|task| Self { curve, task }))
    }

    /// Its number between a parent and its worker.
    pub fn code(self) -> u32 {
        let place = Self::all().position(|other| other == self).expect("all of them are there");
        FIRST_CODE + place as u32
    }

    /// The call with this number.
    pub fn of_code(code: u32) -> Option<Self> {
        Self::all().nth(code.checked_sub(FIRST_CODE)? as usize)
    }

    /// Its name in records and errors.
    pub fn name(self) -> String {
        let task = match self.task {
            Task::Prove => "proof",
            Task::Msm(Group::G1) => "msm in G1",
            Task::Msm(Group::G2) => "msm in G2",
            Task::Ntt => "ntt",
        };
        format!("{task} on {}", self.curve)
    }
}

/// The header of a call for proofs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProveHeader {
    pub(super) proofs: u32,
    pub(super) wires: u32,
    pub(super) key: PathBuf,
}

impl ProveHeader {
    /// `None` where the path is too long to be sent.
    pub(super) fn encode(proofs: usize, wires: usize, key: &Path) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for count in [proofs, wires] {
            bytes.extend(u32::try_from(count).ok()?.to_le_bytes());
        }
        bytes.extend(key.as_os_str().as_bytes());
        (bytes.len() <= HEADER_BYTES_MAX).then_some(bytes)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DeviceError> {
        let header = || {
            let (proofs, rest) = bytes.split_first_chunk()?;
            let (wires, path) = rest.split_first_chunk()?;
            let key = PathBuf::from(OsStr::from_bytes(path));
            Some(Self { proofs: u32::from_le_bytes(*proofs), wires: u32::from_le_bytes(*wires), key })
        };
        header().ok_or_else(|| misuse("a header that is too short"))
    }

    pub(super) const fn input_bytes(&self) -> usize {
        self.proofs as usize * self.wires as usize * SCALAR_BYTES
    }
}

/// The header of a call for a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MsmHeader {
    pub(super) count: u32,
    /// Names points that stay on the device; 0 for those that do not.
    pub(super) name: u64,
    /// Whether the points come with the call, or came before.
    pub(super) with_points: bool,
}

impl MsmHeader {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = self.count.to_le_bytes().to_vec();
        bytes.extend(self.name.to_le_bytes());
        bytes.push(self.with_points.into());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DeviceError> {
        let header = || {
            let (count, rest) = bytes.split_first_chunk()?;
            let (name, rest) = rest.split_first_chunk()?;
            let [with_points] = *rest else { return None };
            let (count, name) = (u32::from_le_bytes(*count), u64::from_le_bytes(*name));
            Some(Self { count, name, with_points: with_points != 0 })
        };
        header().ok_or_else(|| misuse("a header that is none of a sum"))
    }
}

/// Bytes of the answer for so many proofs.
pub(super) fn answer_bytes<E: Curve>(proofs: usize) -> usize {
    proofs * proof_bytes::<E>() + size_of::<u64>()
}

/// Bytes of one proof's part.
pub(super) fn proof_bytes<E: Curve>() -> usize {
    STAGES.len() * size_of::<u64>() + 4 * point_bytes::<E::G1Affine>() + point_bytes::<E::G2Affine>()
}

/// What an answer says of the stages' times.
pub(super) fn read_times(bytes: &[u8], timings: &mut Timings) {
    for (stage, time) in STAGES.into_iter().zip(bytes.as_chunks().0) {
        timings.add(stage, Duration::from_nanos(u64::from_le_bytes(*time)));
    }
}

/// The answer without its end.
///
/// # Errors
/// [`DeviceError::Failed`] where it is not there: the answer was never finished.
pub fn finished(answer: &[u8]) -> Result<&[u8], DeviceError> {
    match answer.split_last_chunk() {
        Some((rest, end)) if u64::from_le_bytes(*end) == DONE => Ok(rest),
        _ => Err(DeviceError::Failed("an answer that was not finished".to_owned())),
    }
}

pub(super) fn misuse(what: impl Into<String>) -> DeviceError {
    DeviceError::Misuse(what.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_name_calls() {
        for call in Call::all() {
            assert_eq!(Call::of_code(call.code()), Some(call));
        }
        assert_eq!(Call::of_code(FIRST_CODE - 1), None);
        assert_eq!(Call::of_code(FIRST_CODE + Call::all().count() as u32), None);
    }

    #[test]
    fn headers_come_back() {
        let bytes = ProveHeader::encode(3, 17, Path::new("/var/lib/x.zkey")).expect("a short path");
        let header = ProveHeader::decode(&bytes).expect("it was just made");
        assert_eq!(header, ProveHeader { proofs: 3, wires: 17, key: "/var/lib/x.zkey".into() });
        assert_eq!(header.input_bytes(), 3 * 17 * 32);
        assert!(ProveHeader::decode(&bytes[..7]).is_err());
        let header = MsmHeader { count: 9, name: 1 << 40, with_points: true };
        assert_eq!(MsmHeader::decode(&header.encode()), Ok(header));
        assert!(MsmHeader::decode(&header.encode()[1..]).is_err());
        assert_eq!(ProveHeader::encode(1, 1, Path::new(&"x".repeat(HEADER_BYTES_MAX))), None);
    }

    #[test]
    fn an_answer_that_was_not_finished_is_none() {
        assert!(finished(&[0; 64]).is_err());
        assert!(finished(&[]).is_err());
        let mut answer = vec![1, 2, 3];
        answer.extend(DONE.to_le_bytes());
        assert_eq!(finished(&answer), Ok(&[1, 2, 3][..]));
    }
}
