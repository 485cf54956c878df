//! A batch while it gathers, and after.

use std::sync::Arc;

use bytes::Bytes;
use outrigger_types::{ColumnBuf, Keys, Ruleset, SignatureOptions, SignatureWork, Verdict, Work};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::ClientError;

/// Bytes of a batch that close it, so that one message of a stream never holds up the others for long.
const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// What a caller gets.
pub(super) type Answered = Result<Verdict, ClientError>;

/// A batch that takes items.
pub(super) struct Open {
    ruleset: Ruleset,
    options: SignatureOptions,
    since: Instant,
    keys: Packed,
    signatures: Packed,
    messages: Packed,
    waiters: Vec<oneshot::Sender<Answered>>,
}

impl Open {
    pub(super) fn new(ruleset: Ruleset, options: SignatureOptions, since: Instant) -> Self {
        let (keys, signatures, messages) = Default::default();
        Self { ruleset, options, since, keys, signatures, messages, waiters: Vec::new() }
    }

    pub(super) fn is_of(&self, ruleset: Ruleset, options: &SignatureOptions) -> bool {
        self.ruleset == ruleset && self.options == *options
    }

    pub(super) const fn since(&self) -> Instant {
        self.since
    }

    pub(super) fn push(&mut self, [key, signature, message]: [&[u8]; 3], waiter: oneshot::Sender<Answered>) {
        self.keys.push(key);
        self.signatures.push(signature);
        self.messages.push(message);
        self.waiters.push(waiter);
    }

    pub(super) fn is_full(&self, items_max: usize) -> bool {
        let bytes = self.keys.bytes.len() + self.signatures.bytes.len() + self.messages.bytes.len();
        self.waiters.len() >= items_max || bytes >= BATCH_BYTES_MAX
    }

    pub(super) fn close(self) -> Batch {
        let work = Work::Verify(SignatureWork {
            ruleset: self.ruleset,
            options: self.options,
            keys: Keys::Inline(self.keys.close()),
            signatures: self.signatures.close(),
            messages: self.messages.close(),
        });
        Batch { work: Arc::new(work), since: self.since, waiters: self.waiters }
    }
}

/// A column that grows.
#[derive(Default)]
struct Packed {
    bytes: Vec<u8>,
    lengths: Vec<u32>,
}

impl Packed {
    fn push(&mut self, item: &[u8]) {
        self.bytes.extend_from_slice(item);
        self.lengths.push(item.len() as u32);
    }

    fn close(self) -> ColumnBuf {
        let bytes = Bytes::from(self.bytes);
        let is_uniform = self.lengths.windows(2).all(|pair| pair[0] == pair[1]);
        let column = if is_uniform {
            ColumnBuf::with_count(bytes, self.lengths.len())
        } else {
            ColumnBuf::with_lengths(bytes, &self.lengths)
        };
        column.expect("the lengths are those of the bytes")
    }
}

/// A batch on its way. Each waiter is told once: telling consumes the batch. Dropped untold, its callers learn that
/// nothing was answered.
pub(super) struct Batch {
    pub(super) work: Arc<Work>,
    /// When its first item came.
    pub(super) since: Instant,
    waiters: Vec<oneshot::Sender<Answered>>,
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Gives each caller its own answer. A caller that went away is not missed.
    pub(super) fn tell(self, result: Result<&[Verdict], ClientError>) {
        match result {
            Ok(verdicts) => {
                debug_assert_eq!(verdicts.len(), self.waiters.len(), "checked when the answer was converted");
                for (waiter, verdict) in self.waiters.into_iter().zip(verdicts) {
                    let _ = waiter.send(Ok(*verdict));
                }
            }
            Err(error) => {
                for waiter in self.waiters {
                    let _ = waiter.send(Err(error.clone()));
                }
            }
        }
    }
}
