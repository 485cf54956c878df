//! The two integers of an ECDSA signature, by the rules of Go's `encoding/asn1`.
//!
//! Go reads `SEQUENCE { R INTEGER, S INTEGER }` stricter than BER and laxer than DER:
//! - a length is definite and as short as can be, without leading zeros;
//! - an integer is not empty and has no superfluous leading 0x00 or 0xff;
//! - bytes after the sequence are left to the caller, and Fabric's caller drops them;
//! - whatever follows S inside the sequence is not even read.

/// What a signature holds. `None` stands for an integer outside 1..2^256, which no ruleset takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Integers {
    pub(super) r: Option<[u8; 32]>,
    pub(super) s: Option<[u8; 32]>,
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// Go gives up when a length reaches this value and another byte of it follows.
const LENGTH_SHIFT_LIMIT: usize = 1 << 23;

/// The integers R and S, or `None` where Go would not decode the signature.
pub(super) fn parse(signature: &[u8]) -> Option<Integers> {
    let (mut content, _dropped) = element(signature, SEQUENCE)?;
    let mut next = || {
        let (bytes, rest) = element(content, INTEGER)?;
        content = rest;
        is_minimal(bytes).then(|| positive(bytes))
    };
    Some(Integers { r: next()?, s: next()? })
}

/// The content of the element that `input` begins with, and what follows it.
fn element(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = input.split_first()?;
    let (length, rest) = length(rest)?;
    (first == tag).then_some(())?;
    rest.split_at_checked(length)
}

/// The length that `input` begins with, and what follows it.
fn length(input: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, mut rest) = input.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    let mut length = 0_usize;
    for _ in 0..count {
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        if length >= LENGTH_SHIFT_LIMIT {
            return None;
        }
        length = length << 8 | usize::from(byte);
        if length == 0 {
            return None;
        }
    }
    // Shorter lengths have the short form; this also refuses the indefinite form, where count is 0.
    (length >= 0x80).then_some((length, rest))
}

fn is_minimal(integer: &[u8]) -> bool {
    match integer {
        [] => false,
        [0x00, second, ..] => *second >= 0x80,
        [0xff, second, ..] => *second < 0x80,
        _ => true,
    }
}

/// A minimal two's complement integer as 32 big-endian bytes, where it lies in 1..2^256.
fn positive(integer: &[u8]) -> Option<[u8; 32]> {
    let magnitude = match integer {
        [0x00] => return None,
        [0x00, magnitude @ ..] => magnitude,
        [first, ..] if *first >= 0x80 => return None,
        magnitude => magnitude,
    };
    let start = 32_usize.checked_sub(magnitude.len())?;
    let mut bytes = [0; 32];
    bytes[start..].copy_from_slice(magnitude);
    Some(bytes)
}
