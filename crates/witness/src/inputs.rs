//! Inputs in JSON, as snarkjs takes them: an object of signal names to numbers or nested arrays of numbers.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::WitnessError;
use crate::modulus::{Limbs, Modulus};

/// Characters of a signal's name that an error shows.
const NAME_SHOWN_MAX: usize = 64;

/// The inputs of one call. Values are read when they are asked for, so that nothing is held twice.
pub(crate) struct Inputs<'a> {
    signals: BTreeMap<String, &'a RawValue>,
}

impl<'a> Inputs<'a> {
    /// Reads the outer object. A name that is there twice counts with its last value, as in JavaScript.
    pub(crate) fn parse(json: &'a [u8]) -> Result<Self, WitnessError> {
        let signals = serde_json::from_slice(json).map_err(|error| {
            // serde_json's own words would show the value that it met.
            WitnessError::Inputs(format!(
                "not a JSON object of signal names to values (line {}, column {})",
                error.line(),
                error.column()
            ))
        })?;
        Ok(Self { signals })
    }

    /// The signals, by name.
    pub(crate) fn signals(&self) -> impl Iterator<Item = Signal<'_>> {
        self.signals.iter().map(|(name, value)| Signal { name, json: value.get() })
    }
}

/// An input signal: one value, or an array of them of any depth in row-major order.
pub(crate) struct Signal<'a> {
    name: &'a str,
    json: &'a str,
}

impl Signal<'_> {
    /// The hash under which a circom program knows the signal: FNV-1a of 64 bits.
    pub(crate) fn hash(&self) -> u64 {
        self.name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        leaves(self.json).count()
    }

    /// The values modulo the order.
    pub(crate) fn values(&self, modulus: &Modulus) -> Result<Zeroizing<Vec<Limbs>>, WitnessError> {
        // Counted first: a vector that grew would leave copies of the values behind.
        let mut values = Zeroizing::new(Vec::with_capacity(self.len()));
        for (place, leaf) in leaves(self.json).enumerate() {
            let value = leaf_value(leaf, modulus).ok_or_else(|| {
                self.error(&format!(
                    "value {place} is not a whole number: write decimal digits, or a string of them or of 0x and \
                     hexadecimal digits"
                ))
            })?;
            values.push(value);
        }
        Ok(values)
    }

    /// An error about this signal.
    pub(crate) fn error(&self, what: &str) -> WitnessError {
        let shown: String = self.name.chars().take(NAME_SHOWN_MAX).collect();
        WitnessError::Inputs(format!("input signal {shown:?}: {what}"))
    }
}

/// What stands in a JSON text between brackets, commas and space, the text being valid.
fn leaves(json: &str) -> impl Iterator<Item = &str> {
    let mut rest = json;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n', ',', '[', ']']);
        let end = match rest.strip_prefix('"') {
            Some(text) => text.find('"').map(|quote| quote + 2),
            None => rest.find([' ', '\t', '\r', '\n', ',', ']']),
        };
        let leaf;
        (leaf, rest) = rest.split_at(end.unwrap_or(rest.len()));
        (!leaf.is_empty()).then_some(leaf)
    })
}

fn leaf_value(leaf: &str, modulus: &Modulus) -> Option<Limbs> {
    match leaf {
        "true" => modulus.number("1"),
        "false" => modulus.number("0"),
        _ => match leaf.strip_prefix('"') {
            Some(text) => modulus.number(text.strip_suffix('"')?),
            None => modulus.number(leaf),
        },
    }
}

#[cfg(test)]
mod tests;
