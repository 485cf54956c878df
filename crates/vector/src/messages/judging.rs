//! What the tests of all hashes here do: both units, every length, mixtures of lengths, parts. The judges of the
//! digests themselves are the libraries that the rooms test against.

use super::Alone;
use crate::Unit;

/// A message whose byte i depends on i and on the message.
pub(crate) fn pattern(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|i| ((i + 31 * seed) % 251) as u8).collect()
}

/// The digest as hexadecimal digits.
pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash of this crate on messages in one piece.
pub(crate) trait Many<const D: usize> {
    /// The digests of messages.
    fn of<'a>(unit: Unit, messages: &'a [Vec<u8>], alone: Option<Alone<&'a [u8], D>>) -> Vec<[u8; D]>;
    /// The digests of the same messages cut into three parts.
    fn of_parts(unit: Unit, messages: &[[&[u8]; 3]]) -> Vec<[u8; D]>;
}

/// `many!(Name, 32, function(leading arguments))`: a hash of this crate by that name, for [`check`].
macro_rules! many {
    ($name:ident, $bytes:literal, $function:ident($($argument:expr),*)) => {
        struct $name;

        impl $crate::messages::judging::Many<$bytes> for $name {
            fn of<'a>(
                unit: $crate::Unit,
                messages: &'a [Vec<u8>],
                alone: Option<$crate::messages::Alone<&'a [u8], $bytes>>,
            ) -> Vec<[u8; $bytes]> {
                let mut digests = vec![[0; $bytes]; messages.len()];
                $function(unit, $($argument,)* alone, |i| messages[i].as_slice(), &mut digests);
                digests
            }

            fn of_parts(unit: $crate::Unit, messages: &[[&[u8]; 3]]) -> Vec<[u8; $bytes]> {
                let mut digests = vec![[0; $bytes]; messages.len()];
                $function(unit, $($argument,)* None, |i| messages[i], &mut digests);
                digests
            }
        }
    };
}

pub(crate) use many;

/// Where the tests of a hash stand: near the borders of blocks of up to 136 bytes, and beyond.
pub(crate) fn lengths() -> Vec<usize> {
    (0..=300).chain(375..=395).chain(500..=530).chain([1023, 1024, 1025, 4096, 10_000]).collect()
}

/// Holds batches of all kinds to messages alone in lanes of the portable unit.
pub(crate) fn check<H: Many<D>, const D: usize>() {
    let units = [Some(Unit::PORTABLE), Unit::detect()];
    if units[1].is_none() {
        eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so its lanes were not compared");
    }
    let lengths = lengths();
    let messages: Vec<_> = lengths.iter().enumerate().map(|(seed, length)| pattern(*length, seed)).collect();
    let expected: Vec<_> =
        messages.iter().map(|message| H::of(Unit::PORTABLE, std::slice::from_ref(message), None)[0]).collect();
    for unit in units.into_iter().flatten() {
        assert_eq!(H::of(unit, &messages, None), expected, "all lengths in a batch, {}", unit.name());
        for count in 0..=40 {
            for start in [0, 50, 120, 290] {
                let (messages, expected) = (&messages[start..start + count], &expected[start..start + count]);
                assert_eq!(H::of(unit, messages, None), expected, "{count} from {start}, {}", unit.name());
            }
        }
        for (message, expected) in messages.iter().zip(&expected) {
            let equal = vec![message.clone(); 1 + message.len() % 40];
            assert_eq!(H::of(unit, &equal, None), vec![*expected; equal.len()], "{} bytes", message.len());
        }
        let parts: Vec<_> = messages
            .iter()
            .map(|message| {
                let (first, second) = (message.len().min(32), message.len().min(64 + message.len() % 7));
                [&message[..first], &message[first..second], &message[second..]]
            })
            .collect();
        assert_eq!(H::of_parts(unit, &parts), expected, "parts, {}", unit.name());
        check_alone::<H, D>(unit);
    }
}

/// One long message among 32 short ones, which fill the lanes, goes alone, wherever it stands, and its digest to its
/// place.
fn check_alone<H: Many<D>, const D: usize>(unit: Unit) {
    for long in 0..33 {
        let messages: Vec<_> = (0..33).map(|i| pattern(if i == long { 5003 } else { 40 }, i)).collect();
        let mut expected = H::of(unit, &messages, None);
        expected[long] = [5003_usize as u8; D];
        let alone = Alone { digest: |message: &[u8]| [message.len() as u8; D], worth: 3 };
        assert_eq!(H::of(unit, &messages, Some(alone)), expected, "{}", unit.name());
    }
}
