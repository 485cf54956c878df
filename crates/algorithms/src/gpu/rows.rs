//! Items as rows of words, which kernels read as columns.

use outrigger_device::{Buffer, DeviceError};
use outrigger_types::Verdict;

use super::{Results, Session};

/// As an argument of a kernel: messages are of any length, by their offsets.
pub(crate) const LENGTHS_VARY: u32 = u32::MAX;

/// Rows that are turned together, so that a line of memory is written at once.
const TILE: usize = 16;

/// Items of `W` words each, one by one, with their places in the batch.
#[derive(Debug)]
pub(crate) struct Rows<const W: usize> {
    rows: Vec<[u32; W]>,
    places: Vec<u32>,
}

impl<const W: usize> Rows<W> {
    /// None yet, with room for `count`.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self { rows: Vec::with_capacity(count), places: Vec::with_capacity(count) }
    }

    /// One more, of the item at this place.
    pub(crate) fn push(&mut self, place: usize, row: [u32; W]) {
        self.rows.push(row);
        self.places.push(place as u32);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The places of the items.
    pub(crate) fn places(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.places.iter().map(|&place| place as usize)
    }

    /// The place of item i.
    pub(crate) fn place(&self, i: usize) -> usize {
        self.places[i] as usize
    }

    /// The words of item i.
    pub(crate) fn row(&self, i: usize) -> &[u32; W] {
        &self.rows[i]
    }

    /// The items that are wanted, in their order.
    pub(crate) fn pick(&self, is_wanted: impl Fn(usize) -> bool) -> Self {
        let mut picked = Self::with_capacity(self.len());
        for i in (0..self.len()).filter(|&i| is_wanted(i)) {
            picked.rows.push(self.rows[i]);
            picked.places.push(self.places[i]);
        }
        picked
    }

    /// The items with another number in a word of each.
    pub(crate) fn with_word(mut self, word: usize, numbers: impl Iterator<Item = u32>) -> Self {
        for (row, number) in self.rows.iter_mut().zip(numbers) {
            row[word] = number;
        }
        self
    }

    /// Puts what a kernel decided of the items into their places.
    ///
    /// # Errors
    /// [`DeviceError::Failed`] where it gave something else than a verdict: nothing of the batch is to be believed.
    pub(crate) fn settle(&self, kernel: &str, results: &Results, verdicts: &mut [Verdict]) -> Result<(), DeviceError> {
        for (item, place) in self.places().enumerate() {
            verdicts[place] = match results.verdict(item) {
                code @ 1..=3 => Verdict::from_byte(code as u8),
                code => return Err(DeviceError::Failed(format!("kernel {kernel}: {code} is no verdict"))),
            };
        }
        Ok(())
    }

    /// A buffer of columns: word w of row i is number w · count + i.
    ///
    /// # Errors
    /// What the device reports.
    pub(crate) fn upload(&self, session: &mut Session<'_>) -> Result<Buffer, DeviceError> {
        let count = self.rows.len();
        let mut columns = vec![0; 4 * W * count];
        for (tile, rows) in self.rows.chunks(TILE).enumerate() {
            for word in 0..W {
                let (cells, _) = columns[4 * (word * count + tile * TILE)..].as_chunks_mut::<4>();
                for (cell, row) in cells.iter_mut().zip(rows) {
                    *cell = row[word].to_le_bytes();
                }
            }
        }
        session.bytes(&columns)
    }
}

/// The words of several numbers, then others.
///
/// # Panics
/// Where they do not make up `W` words.
pub(crate) fn row<const W: usize, const N: usize>(numbers: [[u32; 8]; N], others: &[u32]) -> [u32; W] {
    let mut row = [0; W];
    let (of_numbers, of_others) = row.split_at_mut(8 * N);
    of_numbers.copy_from_slice(numbers.as_flattened());
    of_others.copy_from_slice(others);
    row
}

/// A big-endian number as words, the least first.
pub(crate) fn number(bytes: &[u8; 32]) -> [u32; 8] {
    let (words, _) = bytes.as_chunks::<4>();
    std::array::from_fn(|i| u32::from_be_bytes(words[7 - i]))
}

/// Words of 64 bits as words of 32.
pub(crate) fn halves(words: &[u64; 4]) -> [u32; 8] {
    std::array::from_fn(|i| (words[i / 2] >> (32 * (i % 2))) as u32)
}
