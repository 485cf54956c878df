//! Packed columns: many byte strings in one buffer, so that a request of a thousand items costs a handful of
//! allocations, and a view of it could lie in shared memory.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;

/// How the items of a column lie in its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout<'a> {
    /// Every item has this length, in bytes.
    Stride(usize),
    /// `ends[i]` is where item `i` ends; it begins where the one before ends, the first at `start`.
    Ends {
        /// Where the first item begins.
        start: u32,
        /// Where each item ends; ascending, the last at most the length of the bytes.
        ends: &'a [u32],
    },
}

/// A read-only view of a column. Copying it copies no bytes.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    bytes: &'a [u8],
    layout: Layout<'a>,
    count: usize,
}

impl<'a> Column<'a> {
    /// The number of items.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no items.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bytes of item `i`.
    ///
    /// # Panics
    /// Where `i` is not below [`Self::len`].
    #[inline]
    pub fn item(&self, i: usize) -> &'a [u8] {
        assert!(i < self.count, "item {i} of a column of {}", self.count);
        match self.layout {
            Layout::Stride(stride) => &self.bytes[i * stride..(i + 1) * stride],
            Layout::Ends { start, ends } => {
                let begin = if i == 0 { start } else { ends[i - 1] };
                &self.bytes[begin as usize..ends[i] as usize]
            }
        }
    }

    /// All items in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let column = *self;
        (0..self.count).map(move |i| column.item(i))
    }

    /// The view of the items in `range`.
    ///
    /// # Panics
    /// Where the range passes the end.
    pub fn slice(&self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.count, "{range:?} of a column of {}", self.count);
        let count = range.len();
        match self.layout {
            Layout::Stride(stride) => {
                Self { bytes: &self.bytes[range.start * stride..range.end * stride], layout: self.layout, count }
            }
            Layout::Ends { start, ends } => {
                let start = if range.start == 0 { start } else { ends[range.start - 1] };
                Self { bytes: self.bytes, layout: Layout::Ends { start, ends: &ends[range] }, count }
            }
        }
    }

    /// How the items lie.
    pub const fn layout(&self) -> Layout<'a> {
        self.layout
    }

    /// The bytes of all items, one after the other.
    pub fn bytes(&self) -> &'a [u8] {
        match self.layout {
            Layout::Stride(stride) => &self.bytes[..stride * self.count],
            Layout::Ends { start, ends } => &self.bytes[start as usize..ends.last().map_or(start, |end| *end) as usize],
        }
    }

    /// How many bytes all items have together.
    pub fn byte_len(&self) -> usize {
        match self.layout {
            Layout::Stride(stride) => stride * self.count,
            Layout::Ends { start, ends } => ends.last().map_or(0, |end| (end - start) as usize),
        }
    }
}

/// The owned form of [`Layout`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayoutBuf {
    /// Every item has this length.
    Stride(usize),
    /// Where each item ends, from 0.
    Ends(Vec<u32>),
}

/// An owned column. Its bytes are shared with the request that carried them.
#[derive(Clone, PartialEq, Eq)]
pub struct ColumnBuf {
    bytes: Bytes,
    layout: LayoutBuf,
    count: usize,
}

impl ColumnBuf {
    /// An empty column.
    pub const fn empty() -> Self {
        Self { bytes: Bytes::new(), layout: LayoutBuf::Stride(0), count: 0 }
    }

    /// `count` items of equal length in `bytes`.
    ///
    /// # Errors
    /// Where `bytes` is not a whole number of equal items.
    pub fn with_count(bytes: Bytes, count: usize) -> Result<Self, ColumnError> {
        if count == 0 {
            return if bytes.is_empty() {
                Ok(Self::empty())
            } else {
                Err(ColumnError::Indivisible { bytes: bytes.len(), count })
            };
        }
        if !bytes.len().is_multiple_of(count) {
            return Err(ColumnError::Indivisible { bytes: bytes.len(), count });
        }
        let stride = bytes.len() / count;
        Ok(Self { bytes, layout: LayoutBuf::Stride(stride), count })
    }

    /// Items of the given lengths, one after the other in `bytes`.
    ///
    /// # Errors
    /// Where the lengths do not add up to the bytes.
    pub fn with_lengths(bytes: Bytes, lengths: &[u32]) -> Result<Self, ColumnError> {
        let mut end = 0_u32;
        let mut ends = Vec::with_capacity(lengths.len());
        for &length in lengths {
            end = end.checked_add(length).ok_or(ColumnError::TooLong)?;
            ends.push(end);
        }
        if end as usize != bytes.len() {
            return Err(ColumnError::Sum { bytes: bytes.len(), sum: end as usize });
        }
        Ok(Self { bytes, layout: LayoutBuf::Ends(ends), count: lengths.len() })
    }

    /// A column of copies of `items`; of one stride where all have the same length.
    ///
    /// # Panics
    /// Where the items together pass 4 GiB.
    pub fn from_items<T: AsRef<[u8]>>(items: &[T]) -> Self {
        let total = items.iter().map(|item| item.as_ref().len()).sum();
        let mut bytes = Vec::with_capacity(total);
        for item in items {
            bytes.extend_from_slice(item.as_ref());
        }
        let first = items.first().map_or(0, |item| item.as_ref().len());
        if items.iter().all(|item| item.as_ref().len() == first) {
            return Self { bytes: bytes.into(), layout: LayoutBuf::Stride(first), count: items.len() };
        }
        let lengths: Vec<u32> =
            items.iter().map(|item| u32::try_from(item.as_ref().len()).expect("an item below 4 GiB")).collect();
        Self::with_lengths(bytes.into(), &lengths).expect("the lengths of the items")
    }

    /// The number of items.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no items.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bytes of all items, one after the other.
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How the items lie.
    pub const fn layout(&self) -> &LayoutBuf {
        &self.layout
    }

    /// The length of each item where the column says one length for all.
    pub const fn stride(&self) -> Option<usize> {
        match self.layout {
            LayoutBuf::Stride(stride) => Some(stride),
            LayoutBuf::Ends(_) => None,
        }
    }

    /// The length of each item.
    pub fn lengths(&self) -> impl Iterator<Item = u32> + '_ {
        let view = self.view();
        (0..self.count).map(move |i| view.item(i).len() as u32)
    }

    /// A view of all items.
    #[inline]
    pub fn view(&self) -> Column<'_> {
        let layout = match &self.layout {
            LayoutBuf::Stride(stride) => Layout::Stride(*stride),
            LayoutBuf::Ends(ends) => Layout::Ends { start: 0, ends },
        };
        Column { bytes: &self.bytes, layout, count: self.count }
    }
}

impl fmt::Debug for ColumnBuf {
    /// Shows the shape, never the bytes: payloads stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ColumnBuf({} items, {} bytes)", self.count, self.bytes.len())
    }
}

/// Why bytes are not a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnError {
    /// The bytes are not a whole number of equal items.
    Indivisible {
        /// The length of the bytes.
        bytes: usize,
        /// The number of items that was said.
        count: usize,
    },
    /// The lengths do not add up to the bytes.
    Sum {
        /// The length of the bytes.
        bytes: usize,
        /// What the lengths add up to.
        sum: usize,
    },
    /// The lengths add up to more than 4 GiB.
    TooLong,
}

impl fmt::Display for ColumnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Indivisible { bytes, count } => {
                write!(f, "{bytes} bytes are not {count} items of equal length; send lengths where they vary")
            }
            Self::Sum { bytes, sum } => write!(f, "the lengths add up to {sum}, but there are {bytes} bytes"),
            Self::TooLong => f.write_str("the lengths add up to more than 4 GiB"),
        }
    }
}

impl std::error::Error for ColumnError {}

#[cfg(test)]
mod tests;
