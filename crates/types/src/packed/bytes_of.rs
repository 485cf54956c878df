//! Little-endian numbers and bytes, one after the other.

use super::Damaged;

/// Writes, or only counts what would be written.
pub(super) struct Writer<'a> {
    into: Option<&'a mut [u8]>,
    at: usize,
}

impl<'a> Writer<'a> {
    pub(super) const fn measuring() -> Self {
        Self { into: None, at: 0 }
    }

    pub(super) const fn into(into: &'a mut [u8]) -> Self {
        Self { into: Some(into), at: 0 }
    }

    pub(super) const fn only_measures(&self) -> bool {
        self.into.is_none()
    }

    pub(super) const fn written(&self) -> usize {
        self.at
    }

    pub(super) const fn skip(&mut self, count: usize) {
        self.at += count;
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        if let Some(into) = &mut self.into {
            into[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        }
        self.at += bytes.len();
    }

    pub(super) fn word(&mut self, word: u32) {
        self.bytes(&word.to_le_bytes());
    }

    pub(super) fn long(&mut self, long: u64) {
        self.bytes(&long.to_le_bytes());
    }

    /// A count or a length.
    ///
    /// # Panics
    /// Where it does not fit 32 bits: limits of requests are far below.
    pub(super) fn number(&mut self, number: usize) {
        self.word(u32::try_from(number).expect("a count below 2^32"));
    }
}

/// Reads what was written.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(Damaged("they end too soon"))?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Damaged("they end too soon"))?;
        self.rest = rest;
        Ok(*array)
    }

    pub(super) fn word(&mut self) -> Result<u32, Damaged> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn long(&mut self) -> Result<u64, Damaged> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn number(&mut self) -> Result<usize, Damaged> {
        Ok(self.word()? as usize)
    }
}
