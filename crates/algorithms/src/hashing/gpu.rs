//! How a hash room gives a batch of messages to its kernel.

use outrigger_device::{Buffer, DeviceError};
use outrigger_types::{ColumnBuf, HashWork, LayoutBuf, Output, Verdict};

use super::DIGEST_BYTES;
use crate::gpu::{Given, Results, Session};

/// Bytes of a batch at most: kernels count them in 32 bits, with room for a block behind the last.
const BYTES_MAX: usize = u32::MAX as usize - 255;

/// LENGTHS_VARY of `hashes/message.h`.
const LENGTHS_VARY: u32 = u32::MAX;

/// Words of a digest.
pub(crate) const DIGEST_WORDS: usize = DIGEST_BYTES / 4;

/// Messages on a device, as `hashes/message.h` of the kernels has them.
pub(crate) struct Messages {
    /// Their bytes, without gaps.
    pub(crate) bytes: Buffer,
    /// Where each begins, and the end of the last; nothing of use where they have one length.
    pub(crate) offsets: Buffer,
    /// The length of all of them, or that it varies.
    pub(crate) length: u32,
}

impl Messages {
    /// Brings a column to the device, in one copy.
    ///
    /// # Errors
    /// What the device reports; [`DeviceError::Misuse`] where the messages together pass 4 GiB.
    pub(crate) fn new(session: &mut Session<'_>, column: &ColumnBuf) -> Result<Self, DeviceError> {
        if column.bytes().len() > BYTES_MAX {
            return Err(DeviceError::Misuse(format!("{} bytes of messages in one batch", column.bytes().len())));
        }
        let bytes = session.bytes(column.bytes())?;
        let (offsets, length) = match column.layout() {
            LayoutBuf::Stride(stride) => (session.words(&[0])?, *stride as u32),
            LayoutBuf::Ends(ends) => (session.words(&[&[0], &ends[..]].concat())?, LENGTHS_VARY),
        };
        Ok(Self { bytes, offsets, length })
    }
}

/// Hashes all messages by a kernel of bytes, offsets, results, count, length, perhaps a variant, and the nonce.
pub(crate) fn hash(
    session: &mut Session<'_>,
    program: &str,
    kernel: &str,
    variant: Option<u32>,
    work: &HashWork,
    output: &mut Output,
) -> Result<(), DeviceError> {
    session.load(program)?;
    let messages = Messages::new(session, &work.messages)?;
    let mut arguments = vec![
        Given::Buffer(&messages.bytes),
        Given::Buffer(&messages.offsets),
        Given::Results,
        Given::Count,
        Given::Number(messages.length),
    ];
    arguments.extend(variant.map(Given::Number));
    arguments.extend([Given::NonceLow, Given::NonceHigh]);
    let results = session.judge(kernel, work.messages.len(), DIGEST_WORDS, &arguments)?;
    take(&results, kernel, output)
}

/// Verdicts and digests of a batch.
///
/// # Errors
/// [`DeviceError::Failed`] where a kernel gave no verdict.
pub(crate) fn take(results: &Results, kernel: &str, output: &mut Output) -> Result<(), DeviceError> {
    let (places, _) = output.fixed.as_chunks_mut::<DIGEST_BYTES>();
    for (item, (place, verdict)) in places.iter_mut().zip(&mut output.verdicts).enumerate() {
        *verdict = verdict_of(results, item, kernel)?;
        *place = digest_of(results, item);
    }
    Ok(())
}

/// What a kernel decided of an item.
///
/// # Errors
/// [`DeviceError::Failed`] where it is no verdict, or says that nothing looked at the item.
pub(crate) fn verdict_of(results: &Results, item: usize, kernel: &str) -> Result<Verdict, DeviceError> {
    match results.verdict(item) {
        code @ 1..=3 => Ok(Verdict::from_byte(code as u8)),
        code => Err(DeviceError::Failed(format!("kernel {kernel}: {code} is no verdict"))),
    }
}

/// The digest of an item, whose words have its bytes in order.
pub(crate) fn digest_of(results: &Results, item: usize) -> [u8; DIGEST_BYTES] {
    let mut digest = [0; DIGEST_BYTES];
    for (word, bytes) in digest.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        *bytes = results.word(item, word).to_le_bytes();
    }
    digest
}
