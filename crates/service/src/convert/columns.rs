//! Columns from the wire, and violations gathered over several fields.

use outrigger_proto::v1;
use outrigger_types::{ColumnBuf, ColumnError, FieldViolation, Rejection};

use super::violation;

/// Violations of one request: a caller sees all of them at once.
#[derive(Default)]
pub(crate) struct Violations(Vec<FieldViolation>);

impl Violations {
    /// Keeps what is good and notes what is not.
    pub(crate) fn take<T>(&mut self, result: Result<T, FieldViolation>) -> Option<T> {
        result.map_err(|violation| self.0.push(violation)).ok()
    }

    /// The rejection of everything that was noted.
    pub(crate) fn reject(self) -> Rejection {
        Rejection::InvalidArgument(self.0)
    }

    /// # Errors
    /// [`Rejection::InvalidArgument`] where anything was noted.
    pub(crate) fn check(self) -> Result<(), Rejection> {
        if self.0.is_empty() { Ok(()) } else { Err(self.reject()) }
    }
}

/// The column of a field: `count` items, each of a length in `fits` where all are of one length and `fits` says
/// anything. Items that say their own lengths may have any: those that are wrong become verdicts.
pub(crate) fn column(
    field: &str,
    column: Option<v1::Column>,
    count: usize,
    fits: &[usize],
) -> Result<ColumnBuf, FieldViolation> {
    let v1::Column { data, lengths } = column.unwrap_or_default();
    if !lengths.is_empty() {
        if lengths.len() != count {
            return Err(violation(field, format!("{} lengths for {count} items", lengths.len())));
        }
        return ColumnBuf::with_lengths(data, &lengths).map_err(|error| violation(field, error.to_string()));
    }
    let column = ColumnBuf::with_count(data, count).map_err(|error| violation(field, error.to_string()))?;
    match column.stride() {
        Some(stride) if count > 0 && !fits.is_empty() && !fits.contains(&stride) => {
            let fits: Vec<_> = fits.iter().map(usize::to_string).collect();
            let description = format!("items of {stride} bytes do not fit; here they have {}", fits.join(" or "));
            Err(violation(field, description))
        }
        _ => Ok(column),
    }
}

/// The items of all columns in order, as one column. A single column is passed through.
///
/// # Errors
/// Where they pass 4 GiB together and their lengths differ.
pub(crate) fn concatenate(mut columns: Vec<ColumnBuf>) -> Result<ColumnBuf, ColumnError> {
    if columns.len() == 1 {
        return Ok(columns.swap_remove(0));
    }
    let count = columns.iter().map(ColumnBuf::len).sum();
    let mut bytes = Vec::with_capacity(columns.iter().map(|column| column.bytes().len()).sum());
    for column in &columns {
        bytes.extend_from_slice(column.bytes());
    }
    let mut strides = columns.iter().filter(|column| !column.is_empty()).map(ColumnBuf::stride);
    let first = strides.next().unwrap_or(Some(0));
    if first.is_some() && strides.all(|stride| stride == first) {
        return ColumnBuf::with_count(bytes.into(), count);
    }
    let lengths: Vec<u32> = columns.iter().flat_map(ColumnBuf::lengths).collect();
    ColumnBuf::with_lengths(bytes.into(), &lengths)
}
