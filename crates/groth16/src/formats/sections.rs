//! The container of circom's binary files: magic, version, then sections with a number and a length
//! (<https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md>; `.wtns` and `.zkey` share it).
//!
//! Sections come in any order. They lie one behind the other, so they cannot overlap; each length is held against
//! what is left of the file, and the last section ends where the file ends.

use std::ops::Range;

use crate::FormatError;

/// Sections of a file: circom's own formats have at most ten. More are refused before they are looked at.
const SECTIONS_MAX: u32 = 64;

/// A file of sections, which stay where they lie.
#[derive(Clone, Debug)]
pub struct SectionFile<'a> {
    format: &'static str,
    version: u32,
    bytes: usize,
    /// Number, offset in the file, content.
    sections: Vec<(u32, usize, &'a [u8])>,
}

impl<'a> SectionFile<'a> {
    /// Finds the sections of a file.
    ///
    /// # Errors
    /// Where the magic is another, the version is 0 or above `version_max`, a section reaches past the end of the
    /// file, a number comes twice, or bytes are left after the last section.
    pub fn parse(bytes: &'a [u8], format: &'static str, magic: [u8; 4], version_max: u32) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes, format, "the file's header");
        if reader.take(4)? != magic {
            let magic = String::from_utf8_lossy(&magic);
            return Err(FormatError::new(format, format!("it does not begin with \"{magic}\": this is another file")));
        }
        let version = reader.u32()?;
        if version == 0 || version > version_max {
            let message = format!("version {version}, but only 1 to {version_max} are known");
            return Err(FormatError::new(format, message));
        }
        let count = reader.u32()?;
        if count > SECTIONS_MAX {
            let message = format!("{count} sections, but at most {SECTIONS_MAX} are read");
            return Err(FormatError::new(format, message));
        }
        let mut file = Self { format, version, bytes: bytes.len(), sections: Vec::with_capacity(count as usize) };
        for _ in 0..count {
            file.add_section(&mut reader)?;
        }
        match reader.remaining() {
            0 => Ok(file),
            left => Err(FormatError::new(format, format!("{left} bytes follow the last section"))),
        }
    }

    fn add_section(&mut self, reader: &mut Reader<'a>) -> Result<(), FormatError> {
        let (id, length) = (reader.u32()?, reader.u64()?);
        if self.optional(id).is_some() {
            return Err(FormatError::new(self.format, format!("section {id} comes twice")));
        }
        let length = usize::try_from(length).ok().filter(|length| *length <= reader.remaining()).ok_or_else(|| {
            let left = reader.remaining();
            let message = format!("section {id} has {length} bytes, but {left} are left: the file is cut short");
            FormatError::new(self.format, message)
        })?;
        let start = self.bytes - reader.remaining();
        self.sections.push((id, start, reader.take(length)?));
        Ok(())
    }

    /// The version that the file states.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// A section that must be there.
    ///
    /// # Errors
    /// Where it is not.
    pub fn section(&self, id: u32) -> Result<&'a [u8], FormatError> {
        self.optional(id).ok_or_else(|| self.missing(id))
    }

    /// A section that may be there.
    pub fn optional(&self, id: u32) -> Option<&'a [u8]> {
        self.sections.iter().find(|section| section.0 == id).map(|section| section.2)
    }

    /// Where a section that must be there lies in the file.
    ///
    /// # Errors
    /// Where it is not there.
    pub fn range(&self, id: u32) -> Result<Range<usize>, FormatError> {
        let section = self.sections.iter().find(|section| section.0 == id);
        let (_, start, bytes) = section.ok_or_else(|| self.missing(id))?;
        Ok(*start..start + bytes.len())
    }

    fn missing(&self, id: u32) -> FormatError {
        FormatError::new(self.format, format!("section {id} is missing"))
    }

    /// The numbers of the sections, as they lie in the file.
    pub fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.sections.iter().map(|section| section.0)
    }

    /// A reader of a section that must be there.
    ///
    /// # Errors
    /// Where it is not.
    pub fn reader(&self, id: u32, what: &'static str) -> Result<Reader<'a>, FormatError> {
        Ok(Reader::new(self.section(id)?, self.format, what))
    }
}

/// Reads bytes from front to back and never past their end. Numbers are little-endian.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    format: &'static str,
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`, which are `what` (for errors: "the header") of a file of `format`.
    pub fn new(bytes: &'a [u8], format: &'static str, what: &'static str) -> Self {
        Self { rest: bytes, format, what }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// Where fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], FormatError> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            let message = format!("{} ends early: {count} bytes wanted, {} left", self.what, self.rest.len());
            return Err(FormatError::new(self.format, message));
        };
        self.rest = rest;
        Ok(taken)
    }

    /// The next four bytes as a number.
    ///
    /// # Errors
    /// Where fewer are left.
    pub fn u32(&mut self) -> Result<u32, FormatError> {
        let bytes = self.take(4)?.try_into().expect("four bytes");
        Ok(u32::from_le_bytes(bytes))
    }

    /// The next eight bytes as a number.
    ///
    /// # Errors
    /// Where fewer are left.
    pub fn u64(&mut self) -> Result<u64, FormatError> {
        let bytes = self.take(8)?.try_into().expect("eight bytes");
        Ok(u64::from_le_bytes(bytes))
    }

    /// That nothing is left.
    ///
    /// # Errors
    /// Where something is.
    pub fn end(&self) -> Result<(), FormatError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(FormatError::new(self.format, format!("{} is {left} bytes too long", self.what))),
        }
    }
}

/// Writes the head of a file: magic, version, number of sections.
pub fn write_file_header(magic: [u8; 4], version: u32, sections: u32, into: &mut Vec<u8>) {
    into.extend_from_slice(&magic);
    into.extend_from_slice(&version.to_le_bytes());
    into.extend_from_slice(&sections.to_le_bytes());
}

/// Writes the head of a section: number and length in bytes.
pub fn write_section_header(id: u32, length: u64, into: &mut Vec<u8>) {
    into.extend_from_slice(&id.to_le_bytes());
    into.extend_from_slice(&length.to_le_bytes());
}

#[cfg(test)]
mod tests;
