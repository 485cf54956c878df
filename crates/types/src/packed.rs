//! Work and answers as runs of bytes, for engines on the far side of shared memory.
//!
//! Work is packed straight from the columns of its requests, one copy. Numbers are little-endian. Layout:
//!
//! | what | bytes |
//! |---|---|
//! | groups | u32; then for each group of like items: |
//! | kind and two parameters | 3 × u32 (operation; ruleset, hash function or tree; hash function of a tree, form of message) |
//! | flags | u32 (1: accept high S; 2: a chain id; 4: prove a leaf; 8: marks) |
//! | the chain id or leaf | u64, 0 where there is none |
//! | identity | u32 length, then its bytes |
//! | columns | keys, signatures, messages of signatures; else messages, leaves or transactions alone |
//! | marks | of signatures to verify, where any is marked: a bit an item, from the lowest of the first byte; then zeros |
//!
//! A column: u32 items, u32 stride (2³²−1: lengths follow), u64 bytes, then the lengths (u32 each) and the bytes.
//!
//! An answer: one byte of verdict an item, one u32 of tag an item, the fixed bytes, then for Merkle trees u32 length
//! and the variable bytes of the tree. Its tags are those of [`crate::tag::of_bytes`] over the item's fixed and variable
//! bytes.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::{
    ColumnBuf, EthereumWork, HashAlgorithm, HashWork, Keys, MerkleTree, MerkleWork, MessageForm, Operation, Ruleset,
    SignatureOptions, SignatureWork, Work,
};

mod answer;
mod bytes_of;
mod marks;

pub use answer::{answer_len, read_answer, write_answer};
use bytes_of::{Reader, Writer};
pub use marks::Marks;
use marks::OfGroup;

/// Items of one request.
pub type Part = (Arc<Work>, Range<usize>);

const ALLOW_HIGH_S: u32 = 1;
const HAS_CHAIN_ID: u32 = 2;
const HAS_LEAF: u32 = 4;
const HAS_MARKS: u32 = 8;
/// In place of a stride: the items have lengths of their own.
const LENGTHS_VARY: u32 = u32::MAX;

/// Bytes that are no packed work, or not an answer to it: damaged, or of another version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged(pub &'static str);

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "damaged bytes: {}", self.0)
    }
}

impl std::error::Error for Damaged {}

/// Whether work of an operation can be packed. BLS sets and proofs cannot.
pub const fn is_packable(operation: Operation) -> bool {
    match operation {
        Operation::Verify(ruleset) => !matches!(ruleset, Ruleset::EthereumConsensus | Ruleset::BlsMinSig),
        Operation::Recover(_) | Operation::Hash(_) | Operation::Merkle(..) | Operation::EthereumTransactions => true,
        Operation::VerifySets(_) | Operation::VerifyProofs(_) => false,
    }
}

/// How many bytes the parts take, packed with these marks on their items.
pub fn packed_len(parts: &[Part], marks: &Marks) -> usize {
    let mut writer = Writer::measuring();
    write(parts, marks, &mut writer);
    writer.written()
}

/// Packs the parts into the start of `into`, items of like parts one after the other, with these marks on them. Marks
/// on items that are not signatures to verify are left out.
///
/// # Panics
/// Where `into` is shorter than [`packed_len`] says, or an operation is not packable: the caller's fault.
pub fn pack(parts: &[Part], marks: &Marks, into: &mut [u8]) {
    write(parts, marks, &mut Writer::into(into));
}

fn write(parts: &[Part], marks: &Marks, writer: &mut Writer<'_>) {
    let groups: Vec<&[Part]> = parts.chunk_by(|(one, _), (other, _)| are_like(one, other)).collect();
    writer.number(groups.len());
    let mut first = 0;
    for group in groups {
        let count = group.iter().map(|(_, range)| range.len()).sum();
        write_group(group, &OfGroup::new(marks, first, count), writer);
        first += count;
    }
}

/// Whether items of both may stand in one group. A Merkle tree stands alone.
fn are_like(one: &Work, other: &Work) -> bool {
    match (one, other) {
        (Work::Verify(a), Work::Verify(b)) | (Work::Recover(a), Work::Recover(b)) => {
            a.ruleset == b.ruleset && a.options == b.options
        }
        (Work::Hash(a), Work::Hash(b)) => a.algorithm == b.algorithm,
        (Work::EthereumTransactions(a), Work::EthereumTransactions(b)) => {
            a.chain_id == b.chain_id && a.allow_high_s == b.allow_high_s
        }
        _ => false,
    }
}

/// The numbers at the head of a group.
#[derive(Default)]
struct Head {
    kind: u32,
    parameters: [u32; 2],
    flags: u32,
    number: u64,
    identity: Bytes,
}

impl Head {
    fn of(work: &Work) -> Self {
        let signatures = |kind, work: &SignatureWork| Self {
            kind,
            parameters: [work.ruleset as u32, work.options.message_form as u32],
            flags: if work.options.allow_high_s { ALLOW_HIGH_S } else { 0 },
            number: 0,
            identity: work.options.identity.clone(),
        };
        match work {
            Work::Verify(work) => signatures(0, work),
            Work::Recover(work) => signatures(1, work),
            Work::Hash(work) => Self { kind: 2, parameters: [work.algorithm as u32, 0], ..Self::default() },
            Work::Merkle(work) => Self {
                kind: 3,
                parameters: [work.tree as u32, work.algorithm as u32],
                flags: if work.prove.is_some() { HAS_LEAF } else { 0 },
                number: work.prove.unwrap_or_default() as u64,
                identity: Bytes::new(),
            },
            Work::EthereumTransactions(work) => Self {
                kind: 4,
                parameters: [0; 2],
                flags: if work.allow_high_s { ALLOW_HIGH_S } else { 0 }
                    | if work.chain_id.is_some() { HAS_CHAIN_ID } else { 0 },
                number: work.chain_id.unwrap_or_default(),
                identity: Bytes::new(),
            },
            Work::VerifySets(_) | Work::VerifyProofs(_) => unreachable!("sets and proofs are not packable"),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        for number in [self.kind, self.parameters[0], self.parameters[1], self.flags] {
            writer.word(number);
        }
        writer.long(self.number);
        writer.number(self.identity.len());
        writer.bytes(&self.identity);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Damaged> {
        let kind = reader.word()?;
        let parameters = [reader.word()?, reader.word()?];
        let (flags, number) = (reader.word()?, reader.long()?);
        let length = reader.number()?;
        Ok(Self { kind, parameters, flags, number, identity: Bytes::copy_from_slice(reader.bytes(length)?) })
    }

    /// Whether its items have keys that can be known.
    const fn takes_marks(&self) -> bool {
        self.kind == 0
    }

    fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    fn hash(&self, parameter: usize) -> Result<HashAlgorithm, Damaged> {
        HashAlgorithm::from_number(self.parameters[parameter] as i32).ok_or(Damaged("an unknown hash function"))
    }

    fn signatures(&self, reader: &mut Reader<'_>) -> Result<SignatureWork, Damaged> {
        let ruleset = Ruleset::from_number(self.parameters[0] as i32).ok_or(Damaged("an unknown ruleset"))?;
        let forms = [MessageForm::Message, MessageForm::Digest];
        let is_meant = |form: &MessageForm| *form as u32 == self.parameters[1];
        let message_form = forms.into_iter().find(is_meant).ok_or(Damaged("an unknown form of message"))?;
        let identity = self.identity.clone();
        let keys = Keys::Inline(read_column(reader)?);
        let (signatures, messages) = (read_column(reader)?, read_column(reader)?);
        let lacks_keys = matches!(&keys, Keys::Inline(keys) if keys.len() < signatures.len());
        if (self.kind == 0 && lacks_keys) || messages.len() != signatures.len() {
            return Err(Damaged("columns of different lengths"));
        }
        let options = SignatureOptions { message_form, allow_high_s: self.has(ALLOW_HIGH_S), identity };
        Ok(SignatureWork { ruleset, options, keys, signatures, messages })
    }

    fn work(&self, reader: &mut Reader<'_>) -> Result<Work, Damaged> {
        Ok(match self.kind {
            0 => Work::Verify(self.signatures(reader)?),
            1 => Work::Recover(self.signatures(reader)?),
            2 => Work::Hash(HashWork { algorithm: self.hash(0)?, messages: read_column(reader)? }),
            3 => {
                let tree = MerkleTree::from_number(self.parameters[0] as i32).ok_or(Damaged("an unknown tree"))?;
                let prove = self.has(HAS_LEAF).then_some(self.number as usize);
                let leaves = read_column(reader)?;
                if prove.is_some_and(|leaf| leaf >= leaves.len()) {
                    return Err(Damaged("a proof of a leaf that is not there"));
                }
                Work::Merkle(MerkleWork { tree, algorithm: self.hash(1)?, leaves, prove })
            }
            4 => Work::EthereumTransactions(EthereumWork {
                transactions: read_column(reader)?,
                chain_id: self.has(HAS_CHAIN_ID).then_some(self.number),
                allow_high_s: self.has(ALLOW_HIGH_S),
            }),
            _ => return Err(Damaged("an unknown operation")),
        })
    }
}

fn write_group(group: &[Part], marks: &OfGroup, writer: &mut Writer<'_>) {
    let (first, _) = &group[0];
    let mut head = Head::of(first);
    if head.takes_marks() && marks.any() {
        head.flags |= HAS_MARKS;
    }
    head.write(writer);
    match &**first {
        Work::Verify(_) => {
            write_column(group, writer, |work, i| signed(work).keys.item(i));
            write_column(group, writer, |work, i| signed(work).signature(i));
            write_column(group, writer, |work, i| signed(work).message(i));
            marks.write(writer);
        }
        Work::Recover(_) => {
            write_column(&[], writer, |_, _| &[]);
            write_column(group, writer, |work, i| signed(work).signature(i));
            write_column(group, writer, |work, i| signed(work).message(i));
        }
        _ => write_column(group, writer, |work, i| match work {
            Work::Hash(work) => work.messages.view().item(i),
            Work::Merkle(work) => work.leaves.view().item(i),
            Work::EthereumTransactions(work) => work.transactions.view().item(i),
            _ => unreachable!("a group is of one kind"),
        }),
    }
}

fn signed(work: &Work) -> &SignatureWork {
    match work {
        Work::Verify(work) | Work::Recover(work) => work,
        _ => unreachable!("a group is of one kind"),
    }
}

fn write_column<'a>(group: &'a [Part], writer: &mut Writer<'_>, item: impl Fn(&'a Work, usize) -> &'a [u8]) {
    let items = || group.iter().flat_map(|(work, range)| range.clone().map(|i| item(work, i)));
    let count: usize = group.iter().map(|(_, range)| range.len()).sum();
    let stride = items().next().map_or(0, <[u8]>::len);
    let (is_even, total) =
        items().fold((true, 0), |(is_even, total), item| (is_even && item.len() == stride, total + item.len()));
    writer.number(count);
    if is_even {
        writer.number(stride)
    } else {
        writer.word(LENGTHS_VARY)
    }
    writer.long(total as u64);
    if !is_even {
        items().for_each(|item| writer.number(item.len()));
    }
    if writer.only_measures() {
        writer.skip(total);
    } else {
        items().for_each(|item| writer.bytes(item));
    }
}

fn read_column(reader: &mut Reader<'_>) -> Result<ColumnBuf, Damaged> {
    let (count, stride) = (reader.number()?, reader.word()?);
    let total = usize::try_from(reader.long()?).map_err(|_| Damaged("a column is too long"))?;
    let no_column = |_| Damaged("the lengths of a column do not add up");
    if stride == LENGTHS_VARY {
        let lengths = reader.bytes(count.checked_mul(4).ok_or(Damaged("a column is too long"))?)?;
        let lengths: Vec<u32> = lengths.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let bytes = Bytes::copy_from_slice(reader.bytes(total)?);
        return ColumnBuf::with_lengths(bytes, &lengths).map_err(no_column);
    }
    if Some(total) != count.checked_mul(stride as usize) {
        return Err(Damaged("the lengths of a column do not add up"));
    }
    ColumnBuf::with_count(Bytes::copy_from_slice(reader.bytes(total)?), count).map_err(no_column)
}

/// The groups of packed work, each with the marks on its items.
///
/// # Errors
/// [`Damaged`] where the bytes are not what [`pack`] writes.
pub fn unpack(bytes: &[u8]) -> Result<Vec<(Work, Marks)>, Damaged> {
    let mut reader = Reader::of(bytes);
    let groups = reader.number()?;
    // The least that a group takes bounds how many there can be.
    let mut works = Vec::with_capacity(groups.min(bytes.len() / 40));
    for _ in 0..groups {
        works.push(read_group(&mut reader)?);
    }
    Ok(works)
}

fn read_group(reader: &mut Reader<'_>) -> Result<(Work, Marks), Damaged> {
    let head = Head::read(reader)?;
    let work = head.work(reader)?;
    let marks = match head.has(HAS_MARKS) {
        false => Marks::none(),
        true if head.takes_marks() => marks::read(reader, work.items())?,
        true => return Err(Damaged("marks on items without keys")),
    };
    Ok((work, marks))
}

#[cfg(test)]
mod tests;
