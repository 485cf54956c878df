//! Byte strings to numbers: ranges of scalars and field elements, and strict DER.

/// The order n of the group (SEC 2, section 2.4.1).
pub(super) const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
    0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// (n − 1)/2: the largest s that is *low*. n is odd, so this is also ⌊n/2⌋.
pub(super) const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e,
    0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// The field's prime p = 2^256 − 2^32 − 977.
pub(super) const PRIME: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xfc, 0x2f,
];

/// Lengths of a DER signature that BIP 66 allows (there 9 to 73, with the sighash byte).
const DER_BYTES: std::ops::RangeInclusive<usize> = 8..=72;

// Arrays compare by their first difference, which for equal lengths is the order of big-endian numbers.

/// Whether 0 < `number` < n, the range of r and s in ECDSA.
pub(super) fn is_scalar(number: &[u8; 32]) -> bool {
    *number < ORDER && *number != [0; 32]
}

/// Whether `s` > n/2.
pub(super) fn is_high(s: &[u8; 32]) -> bool {
    *s > HALF_ORDER
}

/// Whether `number` < p.
pub(super) fn is_field_element(number: &[u8; 32]) -> bool {
    *number < PRIME
}

/// r and s of a compact signature r‖s.
pub(super) fn halves(compact: &[u8; 64]) -> (&[u8; 32], &[u8; 32]) {
    let (r, s) = compact.split_at(32);
    (r.try_into().expect("32 of 64 bytes"), s.try_into().expect("32 of 64 bytes"))
}

/// The contents of the two integers of a signature in DER, as BIP 66 demands it. They are not empty, not
/// negative, have no needless zero in front, and may be of any size that fits.
///
/// The sighash byte that BIP 66 counts in is not part of `signature`.
pub(super) fn strict_der(signature: &[u8]) -> Option<(&[u8], &[u8])> {
    if !DER_BYTES.contains(&signature.len()) {
        return None;
    }
    let (tag_and_length, content) = signature.split_first_chunk::<2>()?;
    // One byte says the length: 72 bytes never need the long form.
    if *tag_and_length != [0x30, content.len() as u8] {
        return None;
    }
    let (r, rest) = positive_integer(content)?;
    let (s, rest) = positive_integer(rest)?;
    rest.is_empty().then_some((r, s))
}

/// The content of the DER integer in front of `bytes`, and what follows it.
fn positive_integer(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let ([tag, length], rest) = bytes.split_first_chunk::<2>()?;
    let (content, rest) = rest.split_at_checked(usize::from(*length))?;
    let is_well_formed = match content {
        [] => false,
        // A zero in front is for a number that would read as negative without it.
        [0, second, ..] => *second >= 0x80,
        [first, ..] => *first < 0x80,
    };
    (*tag == 0x02 && is_well_formed).then_some((content, rest))
}

/// The number of a DER integer's content as 32 bytes, where it is in the range of r and s.
pub(super) fn scalar(content: &[u8]) -> Option<[u8; 32]> {
    let digits = content.strip_prefix(&[0]).unwrap_or(content);
    let padding = 32_usize.checked_sub(digits.len())?;
    let mut number = [0; 32];
    number[padding..].copy_from_slice(digits);
    is_scalar(&number).then_some(number)
}
