//! Messages of a stream that can be one job.

use std::sync::Arc;

use bytes::Bytes;
use outrigger_proto::v1;
use outrigger_types::{ColumnBuf, Keys, Output, Rejection, SignatureWork, Work};

use super::failed;
use crate::calls::verdict_bytes;
use crate::convert::{self, Ask};
use crate::options::ServiceLimits;

/// Messages that agree in everything but their items.
pub(super) struct Group {
    /// The first message; what the others have to agree with.
    first: Ask,
    rest: Vec<SignatureWork>,
    /// The identifier of each message, and where its items end.
    members: Vec<(u64, usize)>,
    bytes: usize,
    pub(super) places: usize,
}

impl Group {
    pub(super) fn new(id: u64, ask: Ask, places: usize) -> Self {
        let (items, bytes) = (ask.work.items(), ask.work.bytes());
        Self { first: ask, rest: Vec::new(), members: vec![(id, items)], bytes, places }
    }

    /// Whether a message agrees with the others and leaves the job small enough.
    pub(super) fn takes(&self, ask: &Ask, limits: &ServiceLimits) -> bool {
        let items = self.items() + ask.work.items();
        let bytes = self.bytes + ask.work.bytes();
        items <= limits.items_max && bytes <= limits.message_bytes_max && agree(&self.first, ask)
    }

    /// Adds a message that the group takes.
    pub(super) fn push(&mut self, id: u64, ask: Ask, places: usize) {
        self.members.push((id, self.items() + ask.work.items()));
        self.bytes += ask.work.bytes();
        self.places += places;
        let Work::Verify(work) = ask.work else { unreachable!("only verification agrees with others") };
        self.rest.push(work);
    }

    fn items(&self) -> usize {
        self.members.last().map_or(0, |(_, end)| *end)
    }

    /// The job, and who wants what of its answer.
    pub(super) fn into_job(self) -> (Result<Ask, Rejection>, Members) {
        let members = Members { members: self.members, places: self.places };
        if self.rest.is_empty() {
            return (Ok(self.first), members);
        }
        let Ask { work, priority, backend } = self.first;
        let Work::Verify(first) = work else {
            return (Err(Rejection::Internal("a stream carries verification only".to_owned())), members);
        };
        let merged = merge(first, self.rest).map(|work| Ask { work: Work::Verify(work), priority, backend });
        (merged, members)
    }
}

fn agree(a: &Ask, b: &Ask) -> bool {
    let (Work::Verify(x), Work::Verify(y)) = (&a.work, &b.work) else { return false };
    let same_keys = match (&x.keys, &y.keys) {
        (Keys::Inline(_), Keys::Inline(_)) => true,
        (Keys::Indexed { set: one, .. }, Keys::Indexed { set: other, .. }) => Arc::ptr_eq(one, other),
        _ => false,
    };
    same_keys && x.ruleset == y.ruleset && x.options == y.options && a.priority == b.priority && a.backend == b.backend
}

fn merge(first: SignatureWork, rest: Vec<SignatureWork>) -> Result<SignatureWork, Rejection> {
    let count = rest.len() + 1;
    let (mut signatures, mut messages) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut columns = Vec::with_capacity(count);
    let mut numbers = Vec::new();
    let mut registered = None;
    let (ruleset, options) = (first.ruleset, first.options.clone());
    for work in std::iter::once(first).chain(rest) {
        signatures.push(work.signatures);
        messages.push(work.messages);
        match work.keys {
            Keys::Inline(column) => columns.push(column),
            Keys::Indexed { set, indices } => {
                numbers.extend(indices);
                registered = Some(set);
            }
        }
    }
    let keys = match registered {
        Some(set) => Keys::Indexed { set, indices: numbers },
        None => Keys::Inline(concatenated(columns)?),
    };
    let (signatures, messages) = (concatenated(signatures)?, concatenated(messages)?);
    Ok(SignatureWork { ruleset, options, keys, signatures, messages })
}

fn concatenated(columns: Vec<ColumnBuf>) -> Result<ColumnBuf, Rejection> {
    convert::concatenate(columns).map_err(|error| Rejection::Internal(format!("cannot merge columns: {error}")))
}

/// Who wants what of a job's answer.
pub(super) struct Members {
    members: Vec<(u64, usize)>,
    pub(super) places: usize,
}

impl Members {
    /// The answer of each message.
    pub(super) fn answers(self, result: Result<Output, Rejection>) -> Vec<v1::VerifyStreamResponse> {
        let output = match result {
            Ok(output) => output,
            Err(rejection) => return self.members.iter().map(|(id, _)| failed(*id, &rejection)).collect(),
        };
        let verdicts = Bytes::from(verdict_bytes(&output.verdicts));
        let mut begin = 0;
        let answer = |(id, end): (u64, usize)| {
            let part = verdicts.slice(begin..end);
            begin = end;
            v1::VerifyStreamResponse { id, verdicts: part, error: None }
        };
        self.members.into_iter().map(answer).collect()
    }
}
