//! The three rulesets item by item: published vectors, lengths, identities, forms.

use ::sm2::dsa::signature::Signer;
use bytes::Bytes;
use outrigger_types::{ColumnBuf, Keys, SignatureOptions};
use serde::Deserialize;
use sm3::{Digest, Sm3};

use super::super::identity::Identity;
use super::*;

/// One request of one item.
#[derive(Clone)]
struct Item {
    ruleset: Ruleset,
    form: MessageForm,
    identity: Vec<u8>,
    key: Vec<u8>,
    signature: Vec<u8>,
    message: Vec<u8>,
}

fn verdict(item: &Item) -> Verdict {
    let mut options = SignatureOptions::new(item.form);
    options.identity = Bytes::from(item.identity.clone());
    let work = SignatureWork {
        ruleset: item.ruleset,
        options,
        keys: Keys::Inline(ColumnBuf::from_items(&[&item.key])),
        signatures: ColumnBuf::from_items(&[&item.signature]),
        messages: ColumnBuf::from_items(&[&item.message]),
    };
    let verdict = crate::run(&outrigger_types::Work::Verify(work.clone()), 0..1).verdicts[0];
    assert_eq!(gpu::run(&work), [verdict]);
    if let Some(unit) = crate::Unit::detect() {
        assert_eq!(lanes::run(unit, &work, 0..1), [verdict]);
    }
    verdict
}

/// A file of `vectors/sm2`, in hex.
#[derive(Deserialize)]
struct Vector {
    origin: String,
    identity: Option<String>,
    message: Option<String>,
    digest: Option<String>,
    e: Option<String>,
    public_key: String,
    signature: String,
}

fn vector(json: &str) -> Vector {
    let vector: Vector = serde_json::from_str(json).expect("a vector");
    assert!(!vector.origin.is_empty());
    vector
}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).expect("hex")
}

fn standard() -> (Item, Vec<u8>) {
    let vector = vector(include_str!("../../../vectors/sm2/gbt-32918.5.json"));
    let item = Item {
        ruleset: Ruleset::Sm2Message,
        form: MessageForm::Message,
        identity: bytes(&vector.identity.expect("identity")),
        key: bytes(&vector.public_key),
        signature: bytes(&vector.signature),
        message: bytes(&vector.message.expect("message")),
    };
    (item, bytes(&vector.e.expect("e")))
}

fn fisco() -> Item {
    let vector = vector(include_str!("../../../vectors/sm2/fisco-bcos.json"));
    Item {
        ruleset: Ruleset::FiscoSm2,
        form: MessageForm::Digest,
        identity: Vec::new(),
        key: bytes(&vector.public_key),
        signature: bytes(&vector.signature),
        message: bytes(&vector.digest.expect("digest")),
    }
}

/// No single flipped bit of key, signature or message leaves a signature valid.
fn assert_each_bit_matters(item: &Item) {
    assert_eq!(verdict(item), Verdict::Valid);
    let parts: [fn(&mut Item) -> &mut Vec<u8>; 3] =
        [|item| &mut item.key, |item| &mut item.signature, |item| &mut item.message];
    for part in parts {
        let mut changed = item.clone();
        for bit in 0..part(&mut changed).len() * 8 {
            part(&mut changed)[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(verdict(&changed), Verdict::Valid, "bit {bit}");
            part(&mut changed)[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn the_example_of_the_standard() {
    let (item, e) = standard();
    assert_each_bit_matters(&item);
    let identity = Identity::new(&item.identity).expect("a short identity");
    let key: [u8; 64] = item.key.clone().try_into().expect("64 bytes");
    assert_eq!(identity.digest(&key, &item.message)[..], e[..]);
    assert_eq!(verdict(&Item { identity: Vec::new(), ..item.clone() }), Verdict::Valid);
    assert_eq!(verdict(&Item { identity: b"1234567812345679".to_vec(), ..item.clone() }), Verdict::Invalid);
    let over_e = Item {
        ruleset: Ruleset::Sm2Digest,
        form: MessageForm::Digest,
        identity: Vec::new(),
        message: e,
        ..item.clone()
    };
    assert_each_bit_matters(&over_e);
    // e signed as a message is something else, and so is the hash of the message taken for e.
    assert_eq!(verdict(&Item { ruleset: Ruleset::FiscoSm2, ..over_e.clone() }), Verdict::Invalid);
    assert_eq!(verdict(&Item { message: Sm3::digest(&item.message).to_vec(), ..over_e }), Verdict::Invalid);
}

#[test]
fn a_signature_of_fisco_bcos() {
    let item = fisco();
    assert_each_bit_matters(&item);
    let short = Item { signature: item.signature[..64].to_vec(), ..item.clone() };
    assert_each_bit_matters(&short);
    assert_eq!(Sm3::digest(b"abcd")[..], item.message[..]);
    // The same bytes are the message of sm2-message, and are not e.
    let as_message = Item { ruleset: Ruleset::Sm2Message, form: MessageForm::Message, ..short.clone() };
    assert_eq!(verdict(&as_message), Verdict::Valid);
    assert_eq!(verdict(&Item { ruleset: Ruleset::Sm2Digest, ..short }), Verdict::Invalid);
    // The identity may be said, if it is the one.
    assert_eq!(verdict(&Item { identity: identity::DEFAULT.to_vec(), ..item.clone() }), Verdict::Valid);
    assert_eq!(verdict(&Item { identity: b"Alice".to_vec(), ..item }), Verdict::Malformed);
}

/// The key inside the signature is compared, not believed.
#[test]
fn a_stranger_s_key_inside_the_signature() {
    let item = fisco();
    let (standard, _) = standard();
    let stranger = [&item.signature[..64], &standard.key].concat();
    assert_eq!(verdict(&Item { signature: stranger, ..item.clone() }), Verdict::Invalid);
    assert_eq!(verdict(&Item { key: standard.key.clone(), ..item.clone() }), Verdict::Invalid);
    let zeros = [&item.signature[..64], &[0; 64]].concat();
    assert_eq!(verdict(&Item { signature: zeros, ..item }), Verdict::Invalid);
}

#[test]
fn lengths_and_prefixes() {
    let (message, e) = standard();
    let digest = Item {
        ruleset: Ruleset::Sm2Digest,
        form: MessageForm::Digest,
        identity: Vec::new(),
        message: e,
        ..message.clone()
    };
    for item in [message, digest, fisco()] {
        let with_key = |key: Vec<u8>| verdict(&Item { key, ..item.clone() });
        assert_eq!(with_key([&[4], &item.key[..]].concat()), Verdict::Valid);
        for prefix in [0, 2, 3, 5, 6, 7, 0x40] {
            assert_eq!(with_key([&[prefix], &item.key[..]].concat()), Verdict::Malformed);
        }
        let compressed = [&[2 | item.key[63] & 1], &item.key[..32]].concat();
        for key in [compressed, vec![], vec![0], vec![4; 63], vec![4; 66], item.key[..63].to_vec()] {
            assert_eq!(with_key(key), Verdict::Malformed);
        }
        for length in [0, 1, 63, 65, 96, 127, 129, 192] {
            let mut signature = item.signature.clone();
            signature.resize(length, 1);
            assert_eq!(verdict(&Item { signature, ..item.clone() }), Verdict::Malformed, "{length}");
        }
        for length in [0, 31, 33] {
            let expected = match item.form {
                MessageForm::Digest => Verdict::Malformed,
                MessageForm::Message => Verdict::Invalid,
            };
            assert_eq!(verdict(&Item { message: vec![7; length], ..item.clone() }), expected);
        }
        let other_form = match item.form {
            MessageForm::Digest => MessageForm::Message,
            MessageForm::Message => MessageForm::Digest,
        };
        assert_eq!(verdict(&Item { form: other_form, ..item.clone() }), Verdict::Malformed);
    }
    let (message, _) = standard();
    let long = [&message.signature[..], &message.key].concat();
    assert_eq!(verdict(&Item { signature: long, ..message }), Verdict::Malformed, "128 bytes are FISCO BCOS's");
}

/// Identities around the blocks of the hash, up to the longest, and messages of many lengths, signed by an
/// independent library.
#[test]
fn identities_and_messages_of_many_lengths() {
    let mut random = StdRng::seed_from_u64(41);
    for identity_length in [1, 2, 15, 16, 17, 54, 55, 56, 63, 64, 65, 8_190, 8_191] {
        let identity: String = (0..identity_length).map(|i| char::from(b'a' + (i % 26) as u8)).collect();
        let secret = signer(&mut random, &identity);
        for message_length in [0, 1, 22, 23, 24, 31, 32, 33, 64, 1_000] {
            let message: Vec<u8> = (0..message_length).map(|_| random.random()).collect();
            let signature: ::sm2::dsa::Signature = secret.sign(&message);
            let item = Item {
                ruleset: Ruleset::Sm2Message,
                form: MessageForm::Message,
                identity: identity.clone().into_bytes(),
                key: key_of(&secret).to_vec(),
                signature: signature.to_bytes().to_vec(),
                message: message.clone(),
            };
            assert_eq!(verdict(&item), Verdict::Valid, "{identity_length} {message_length}");
            assert_eq!(verdict(&Item { identity: b"z".to_vec(), ..item.clone() }), Verdict::Invalid);
            assert_eq!(verdict(&Item { message: [&message[..], &[0]].concat(), ..item }), Verdict::Invalid);
        }
    }
}

#[test]
fn options_that_contradict_the_ruleset_judge_nothing_valid() {
    let (item, e) = standard();
    assert_eq!(verdict(&Item { identity: vec![b'x'; 8_192], ..item.clone() }), Verdict::Malformed);
    let over_e = Item { ruleset: Ruleset::Sm2Digest, form: MessageForm::Digest, message: e, ..item };
    assert_eq!(verdict(&over_e), Verdict::Malformed, "e already contains an identity");
}
