use std::cell::Cell;

use outrigger_types::{ColumnBuf, Keys, MessageForm, Output, Ruleset, SignatureOptions, SignatureWork, Verdict, Work};

use super::*;
use crate::Unit;
use crate::known_keys::apart::run_by_table;

mod batches;
mod bip340_vectors;
mod differential;
mod edges;
mod gpu;
mod known;
mod lanes;
mod malformed;
mod textbook;
mod wycheproof_vectors;

/// The rulesets with signatures r‖s‖v.
const RECOVERABLE: [Ruleset; 3] = [Ruleset::EthereumTransaction, Ruleset::EthereumPrecompile, Ruleset::FiscoSecp256k1];

/// What a caller sends for one item.
#[derive(Clone, Debug)]
struct Triple {
    key: Vec<u8>,
    signature: Vec<u8>,
    message: Vec<u8>,
}

fn triple(key: impl AsRef<[u8]>, signature: impl AsRef<[u8]>, message: impl AsRef<[u8]>) -> Triple {
    let [key, signature, message] = [key.as_ref(), signature.as_ref(), message.as_ref()].map(<[u8]>::to_vec);
    Triple { key, signature, message }
}

fn work(ruleset: Ruleset, items: &[Triple]) -> SignatureWork {
    SignatureWork {
        ruleset,
        options: SignatureOptions::new(MessageForm::Digest),
        keys: Keys::Inline(column(items, |item| &item.key)),
        signatures: column(items, |item| &item.signature),
        messages: column(items, |item| &item.message),
    }
}

fn column<'a>(items: &'a [Triple], part: impl Fn(&'a Triple) -> &'a Vec<u8>) -> ColumnBuf {
    ColumnBuf::from_items(&items.iter().map(part).collect::<Vec<_>>())
}

fn verdicts(work: SignatureWork) -> Vec<Verdict> {
    run(&Work::Verify(work)).verdicts
}

thread_local! {
    /// How many answers the lanes are still to be left out of; see [`lanes_now_and_then`].
    static LEFT_OUT: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// From here to the end of the test, one answer in `count` is asked of lanes and kernels too: for tests of thousands of
/// single items, each of which takes them as long as eight.
fn lanes_now_and_then(count: usize) {
    LEFT_OUT.set((0, count - 1));
}

/// The CPU's answer, which the lanes of this machine and the kernels must give too.
fn run(work: &Work) -> Output {
    let (Work::Verify(signatures) | Work::Recover(signatures)) = work else { panic!("another kind of work") };
    let count = signatures.signatures.len();
    let output = crate::run(work, 0..count);
    if let (left @ 1.., all) = LEFT_OUT.get() {
        LEFT_OUT.set((left - 1, all));
        return output;
    }
    LEFT_OUT.set((LEFT_OUT.get().1, LEFT_OUT.get().1));
    if let Some(unit) = Unit::detect() {
        assert_eq!(crate::lanes::run(unit, work, 0..count), output, "lanes");
        if let Work::Verify(signatures) = work {
            let (by_table, _) = run_by_table(unit, signatures).expect("this room has tables");
            assert_eq!(by_table, output, "lanes by table");
        }
    }
    assert_eq!(gpu::run(work), output, "kernels");
    output
}

/// The verdict of one item, its message a digest.
fn judge(ruleset: Ruleset, item: &Triple) -> Verdict {
    verdicts(work(ruleset, std::slice::from_ref(item)))[0]
}

/// The answer to the recovery of one item.
fn recover(ruleset: Ruleset, item: &Triple) -> Output {
    let mut work = work(ruleset, std::slice::from_ref(item));
    work.keys = Keys::Inline(ColumnBuf::empty());
    run(&Work::Recover(work))
}

/// r‖s‖v.
fn joined(r: &[u8; 32], s: &[u8; 32], v: u8) -> Vec<u8> {
    [&r[..], &s[..], &[v]].concat()
}

/// r and s in DER, each as short as can be.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let content = [der_integer(r), der_integer(s)].concat();
    [&[0x30, content.len() as u8], &content[..]].concat()
}

fn der_integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    let mut content = number[zeros..].to_vec();
    if content.first().is_none_or(|&byte| byte >= 0x80) {
        content.insert(0, 0);
    }
    [&[0x02, content.len() as u8], &content[..]].concat()
}

/// The address by the way of raw transactions; lanes as CPU.
fn recover_address(
    digest: &[u8; 32],
    r: &[u8; 32],
    s: &[u8; 32],
    y_is_odd: bool,
    allow_high_s: bool,
) -> Option<[u8; 20]> {
    let recovery = Recovery { digest: *digest, r: *r, s: *s, y_is_odd, allow_high_s };
    let address = recovery.address();
    if let Some(unit) = Unit::detect() {
        assert_eq!(recover_addresses(unit, &[recovery]), [address]);
    }
    address
}

/// Whether `signature` is strict DER by BIP 66, for libsecp256k1's own parser. That one is as strict, but takes
/// negative numbers (for numbers out of range) and any length.
fn is_strict_der(signature: &[u8]) -> bool {
    ::secp256k1::ecdsa::Signature::from_der(signature).is_ok()
        && signature.len() <= 72
        && signature[4] < 0x80
        && signature[6 + usize::from(signature[3])] < 0x80
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    hex::decode(hex).expect("hex").try_into().expect("the length")
}

/// The example of EIP-155: a signing hash, its signature (there with v = 37, parity 0) and the sender.
#[test]
fn the_example_of_eip_155_holds() {
    let digest = bytes("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
    let r = bytes("28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276");
    let s = bytes("67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
    let sender: [u8; 20] = bytes("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
    assert_eq!(recover_address(&digest, &r, &s, false, false), Some(sender));
    assert_ne!(recover_address(&digest, &r, &s, true, false), Some(sender));
    for ruleset in RECOVERABLE {
        let item = triple(sender, joined(&r, &s, 0), digest);
        assert_eq!(judge(ruleset, &item), Verdict::Valid, "{ruleset}");
        assert_eq!(&recover(ruleset, &item).fixed[64..], sender, "{ruleset}");
    }
}

/// Five rulesets, each with the form of message and the ways that its page tells of.
#[test]
fn the_room_is_complete() {
    let names: Vec<_> = ROOM.rulesets.iter().map(|rules| rules.ruleset.name()).collect();
    assert_eq!(names, ["ethereum-transaction", "ethereum-precompile", "bitcoin", "bip340", "fisco-secp256k1"]);
    for rules in ROOM.rulesets {
        assert_eq!(rules.recover.is_some(), RECOVERABLE.contains(&rules.ruleset), "{}", rules.ruleset);
    }
}

/// A message where only a digest is taken: hashing it, or taking it for a digest, would be a guess.
#[test]
fn other_forms_of_message_are_left_unprocessed() {
    for ruleset in [RECOVERABLE.as_slice(), &[Ruleset::Bitcoin]].concat() {
        let mut work = work(ruleset, &[triple([1; 33], [1; 65], [1; 32])]);
        work.options.message_form = MessageForm::Message;
        assert_eq!(verdicts(work.clone()), [Verdict::Unprocessed], "{ruleset}");
        if RECOVERABLE.contains(&ruleset) {
            assert_eq!(crate::run(&Work::Recover(work), 0..1).verdicts, [Verdict::Unprocessed], "{ruleset}");
        }
    }
}
