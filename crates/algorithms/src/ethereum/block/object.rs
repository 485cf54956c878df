//! JSON objects whose fields are read by kind, with the path of each in its error.

use alloy_primitives::{U256, hex as hexadecimal};
use serde_json::{Map, Value};

use super::error::{BlockError, Problem};

/// An object and where it is. A field that is null counts as one that is not there.
pub(super) struct Object<'a> {
    fields: &'a Map<String, Value>,
    path: String,
}

impl<'a> Object<'a> {
    /// The object at `path`; an empty path is the whole.
    pub(super) fn new(value: &'a Value, path: String) -> Result<Self, BlockError> {
        match value.as_object() {
            Some(fields) => Ok(Self { fields, path }),
            None => Err(BlockError::Field { path, problem: Problem::NotAnObject }),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// The name among `names` that is there; the first where none is.
    pub(super) fn first_of(&self, names: [&'static str; 2]) -> &'static str {
        if self.get(names[0]).is_none() && self.get(names[1]).is_some() { names[1] } else { names[0] }
    }

    /// The quantity, of at most `bits` bits.
    pub(super) fn quantity(&self, name: &str, bits: usize) -> Result<U256, BlockError> {
        self.optional_quantity(name, bits)?.ok_or_else(|| self.missing(name))
    }

    /// As [`Self::quantity`], where it is there.
    pub(super) fn optional_quantity(&self, name: &str, bits: usize) -> Result<Option<U256>, BlockError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let quantity = quantity(value).map_err(|problem| self.error(name, problem))?;
        match quantity {
            Some(quantity) if quantity.bit_len() <= bits => Ok(Some(quantity)),
            _ => Err(self.error(name, Problem::TooLarge { bits })),
        }
    }

    /// The quantity, of at most 64 bits, where it is there.
    pub(super) fn small(&self, name: &str) -> Result<Option<u64>, BlockError> {
        Ok(self.optional_quantity(name, 64)?.map(|quantity| quantity.to()))
    }

    /// The bytes, however many.
    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, BlockError> {
        self.optional_bytes(name)?.ok_or_else(|| self.missing(name))
    }

    /// As [`Self::bytes`], where they are there.
    pub(super) fn optional_bytes(&self, name: &str) -> Result<Option<Vec<u8>>, BlockError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        hex(value).map(Some).ok_or_else(|| self.error(name, Problem::NotHex))
    }

    /// Exactly `N` bytes, where they are there.
    pub(super) fn fixed<const N: usize>(&self, name: &str) -> Result<Option<[u8; N]>, BlockError> {
        let Some(bytes) = self.optional_bytes(name)? else { return Ok(None) };
        sized(&bytes).map(Some).map_err(|problem| self.error(name, problem))
    }

    /// The array, where it is there.
    pub(super) fn array(&self, name: &str) -> Result<Option<&'a [Value]>, BlockError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_array().map(|items| Some(items.as_slice())).ok_or_else(|| self.error(name, Problem::NotAnArray))
    }

    /// The objects of an array; none where it is not there.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Object<'a>>, BlockError> {
        let items = self.array(name)?.unwrap_or_default();
        let at = |i| self.path_of(&format!("{name}[{i}]"));
        items.iter().enumerate().map(|(i, item)| Object::new(item, at(i))).collect()
    }

    /// The items of an array, of 32 bytes each; none where it is not there.
    pub(super) fn words(&self, name: &str) -> Result<Vec<[u8; 32]>, BlockError> {
        let items = self.array(name)?.unwrap_or_default();
        let word = |item| hex(item).ok_or(Problem::NotHex).and_then(|bytes| sized(&bytes));
        let at = |i, problem| self.error(&format!("{name}[{i}]"), problem);
        items.iter().enumerate().map(|(i, item)| word(item).map_err(|problem| at(i, problem))).collect()
    }

    pub(super) fn missing(&self, name: &str) -> BlockError {
        self.error(name, Problem::Missing)
    }

    fn error(&self, name: &str, problem: Problem) -> BlockError {
        BlockError::Field { path: self.path_of(name), problem }
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// The bytes of a string of hexadecimal digits, with 0x or without.
pub(super) fn hex(value: &Value) -> Option<Vec<u8>> {
    hexadecimal::decode(value.as_str()?).ok()
}

/// The quantity; `Ok(None)` where it has more than 256 bits. Leading zeros, no digits at all (zero) and JSON's own
/// integers are taken, since nodes write them; digits without 0x are not, since they could be decimal.
fn quantity(value: &Value) -> Result<Option<U256>, Problem> {
    if let Some(number) = value.as_u64() {
        return Ok(Some(U256::from(number)));
    }
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x")).ok_or(Problem::NotQuantity)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Problem::NotQuantity);
    }
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(Some(U256::ZERO));
    }
    Ok(U256::from_str_radix(digits, 16).ok())
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Problem> {
    bytes.try_into().map_err(|_| Problem::WrongLength { expected: N, got: bytes.len() })
}
