//! What does not decode, and what no version may say anything about yet.

use super::*;

fn is_malformed(raw: &[u8]) -> bool {
    answer_one(raw) == empty(Verdict::Malformed, Reason::Decoding)
}

/// The raw transaction with item `index` of its list replaced.
fn with_item(raw: &[u8], index: usize, item: &[u8]) -> Vec<u8> {
    let (prefix, fields) = if raw[0] >= 0xc0 { (&raw[..0], raw) } else { raw.split_at(1) };
    let mut items = items_of(fields);
    items[index] = item;
    [prefix, &list(&items.concat())].concat()
}

#[test]
fn first_bytes_that_are_no_type() {
    assert!(is_malformed(&[]));
    for first in 0x80..=0xbf {
        assert!(is_malformed(&[first]), "{first}");
        assert!(is_malformed(&[&[first], one_of_each()[0].as_slice()].concat()), "{first}");
    }
    // An envelope as it travels between nodes: a string with the envelope in it.
    let mut wrapped = Vec::new();
    one_of_each()[2].as_slice().encode(&mut wrapped);
    assert!(is_malformed(&wrapped));
}

#[test]
fn unknown_types_are_unprocessed() {
    for first in (0..=0x7f).filter(|first| !(1..=4).contains(first)) {
        for rest in [&[][..], &one_of_each()[2][1..]] {
            let raw = [&[first], rest].concat();
            assert_eq!(answer_one(&raw), empty(Verdict::Unprocessed, Reason::UnknownType), "{first}");
        }
    }
}

#[test]
fn cut_or_lengthened_anywhere() {
    for raw in one_of_each() {
        for length in 1..raw.len() {
            assert!(is_malformed(&raw[..length]), "{length} of {}", raw.len());
        }
        assert!(is_malformed(&[&raw, &[0][..]].concat()));
        assert!(is_malformed(&[&raw, &[0xc0][..]].concat()));
    }
}

#[test]
fn other_encodings_of_the_same_transaction() {
    for raw in one_of_each() {
        let at = usize::from(raw[0] < 0xc0);
        let items: Vec<Vec<u8>> = items_of(&raw[at..]).into_iter().map(<[u8]>::to_vec).collect();
        for (i, item) in items.iter().enumerate() {
            // A zero before the number or the bytes; for a list, a string in its place.
            let padded = match item[0] {
                0..=0x7f => vec![0x82, 0, item[0]],
                0x80..=0xb6 => [&[item[0] + 1, 0], &item[1..]].concat(),
                _ => vec![0x80],
            };
            let found = answer_one(&with_item(&raw, i, &padded));
            // The input alone is bytes, where a zero is another input, of another sender.
            let is_other_input = found.verdict == Verdict::Valid && found.sender != key(1).1;
            assert!(found.verdict == Verdict::Malformed || is_other_input, "item {i} of type {}", raw[0]);
            // A byte of its own with a header, and a short string with a long header.
            let long = match item[0] {
                0..=0x7f => vec![0x81, item[0]],
                0x80..=0xb7 => [&[0xb8, item[0] - 0x80], &item[1..]].concat(),
                _ => continue,
            };
            assert!(is_malformed(&with_item(&raw, i, &long)), "item {i} of type {}", raw[0]);
        }
        // One item too few, one too many.
        let fewer = list(&items[..items.len() - 1].concat());
        let more = list(&[items.concat(), vec![0x80]].concat());
        for fields in [fewer, more] {
            assert!(is_malformed(&[&raw[..at], &fields].concat()));
        }
    }
}

#[test]
fn parities_that_are_none() {
    for raw in &one_of_each()[1..5] {
        let parity = items_of(&raw[1..]).len() - 3;
        for value in [2, 27, 28, 37] {
            assert!(is_malformed(&with_item(raw, parity, &[value])), "{value}");
        }
        // False with a byte of its own: zero is the empty string.
        assert!(is_malformed(&with_item(raw, parity, &[0])));
    }
    let legacy = &one_of_each()[0];
    for value in (1..=26).chain(29..=34) {
        assert!(is_malformed(&with_item(legacy, 6, &[value])), "{value}");
    }
    assert!(is_malformed(&with_item(legacy, 6, &[0x80])));
    // A chain past 64 bits.
    let mut past = Vec::new();
    (U256::from(u64::MAX) * U256::from(2) + U256::from(37)).encode(&mut past);
    assert!(is_malformed(&with_item(legacy, 6, &past)));
}

#[test]
fn recipients_of_the_wrong_length() {
    for (raw, to) in one_of_each().iter().zip([3, 4, 5, 5, 5, 3]) {
        for length in [1, 19, 21, 32] {
            let mut item = Vec::new();
            vec![0xee; length].as_slice().encode(&mut item);
            assert!(is_malformed(&with_item(raw, to, &item)), "{length}");
        }
    }
    // Blobs and authorizations cannot come with a creation.
    assert!(is_malformed(&with_item(&one_of_each()[3], 5, &[0x80])));
    assert!(is_malformed(&with_item(&one_of_each()[4], 5, &[0x80])));
}

#[test]
fn blobs_are_named_as_such() {
    let canonical = signed(&eip4844(), 1);
    let body = &canonical[1..];
    let mut long = Vec::new();
    vec![7; 131_072].as_slice().encode(&mut long);
    let (blobs, short) = (list(&long), list(&[0xb0; 49]));
    let pooled = |items: &[&[u8]]| [&[3], list(&items.concat()).as_slice()].concat();
    let named = empty(Verdict::Malformed, Reason::PooledForm);
    assert_eq!(answer_one(&pooled(&[body, &blobs, &short, &short])), named);
    assert_eq!(answer_one(&pooled(&[body, &[1], &blobs, &short, &short])), named);
    assert_eq!(answer_one(&pooled(&[body, &[0xc0], &[0xc0], &[0xc0]])), named);

    assert!(is_malformed(&pooled(&[body])));
    assert!(is_malformed(&pooled(&[body, &blobs, &short])));
    assert!(is_malformed(&pooled(&[body, &blobs, &short, &short, &short])));
    assert!(is_malformed(&pooled(&[body, &[1], &blobs, &short])));
    assert!(is_malformed(&pooled(&[&[0xc0], &blobs, &short, &short])));
    assert!(is_malformed(&[&pooled(&[body, &blobs, &short, &short]), &[0][..]].concat()));
    // Of another type the same form is nothing in particular.
    assert!(is_malformed(&[&[2], &pooled(&[body, &blobs, &short, &short])[1..]].concat()));
}

#[test]
fn no_flipped_bit_keeps_the_sender() {
    for raw in one_of_each() {
        let original = answer_one(&raw);
        for bit in 0..raw.len() * 8 {
            let mut flipped = raw.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let found = answer_one(&flipped);
            assert_ne!(found.hash, original.hash, "bit {bit} of type {}", raw[0]);
            assert_ne!(found.sender, original.sender, "bit {bit} of type {}", raw[0]);
            assert_eq!(found.verdict == Verdict::Valid, found.sender != [0; 20]);
            assert_eq!(found.verdict == Verdict::Valid, found.reason == Some(Reason::None));
        }
    }
}
