//! Marks on items that are packed.

use super::Damaged;
use super::bytes_of::{Reader, Writer};

/// A mark an item, in their order: on items whose public key whoever packs them knows well, so that an engine may
/// keep a table of it. An engine that keeps none ignores them, and no answer depends on them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    marked: Vec<bool>,
}

impl Marks {
    /// Nothing is marked.
    pub const fn none() -> Self {
        Self { marked: Vec::new() }
    }

    /// Whether this item is marked; those past the end are not.
    pub fn is_marked(&self, item: usize) -> bool {
        self.marked.get(item) == Some(&true)
    }

    /// Whether any item is marked.
    pub fn any(&self) -> bool {
        self.marked.contains(&true)
    }

    /// The bytes of `count` items from `first` on, eight to a byte from its lowest bit; none where none is marked.
    fn bytes(&self, first: usize, count: usize) -> Option<Vec<u8>> {
        let of_group = self.marked.get(first..).unwrap_or_default();
        let of_group = &of_group[..count.min(of_group.len())];
        of_group.contains(&true).then(|| {
            let byte = |eight: &[bool]| eight.iter().rev().fold(0, |byte, &mark| byte << 1 | u8::from(mark));
            let mut bytes: Vec<u8> = of_group.chunks(8).map(byte).collect();
            bytes.resize(count.div_ceil(8), 0);
            bytes
        })
    }
}

impl FromIterator<bool> for Marks {
    fn from_iter<T: IntoIterator<Item = bool>>(marks: T) -> Self {
        Self { marked: marks.into_iter().collect() }
    }
}

/// Those of a group, as they are to be written.
pub(super) struct OfGroup(Option<Vec<u8>>);

impl OfGroup {
    pub(super) fn new(marks: &Marks, first: usize, count: usize) -> Self {
        Self(marks.bytes(first, count))
    }

    pub(super) const fn any(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        if let Some(bytes) = &self.0 {
            writer.bytes(bytes);
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>, count: usize) -> Result<Marks, Damaged> {
    let bytes = reader.bytes(count.div_ceil(8))?;
    let bits = || bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
    if bits().skip(count).any(|bit| bit) {
        return Err(Damaged("marks of more items than there are"));
    }
    Ok(bits().take(count).collect())
}
