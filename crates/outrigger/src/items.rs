//! JSON items from files to packed work, and the way back to the order of the file.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use outrigger_types::{ColumnBuf, Keys, MessageForm, Ruleset, SetMode, SetWork, SignatureOptions, SignatureWork, Work};
use serde::Deserialize;

use crate::cli::Failure;

/// One item as people write it. Fields that a ruleset has no use for are an error, but for notes.
#[derive(Deserialize)]
struct Item {
    public_key: Option<String>,
    address: Option<String>,
    public_keys: Option<Vec<String>>,
    signature: Option<String>,
    message: Option<String>,
    messages: Option<Vec<String>>,
    digest: Option<String>,
    identity: Option<String>,
    mode: Option<String>,
}

/// Work for some of the items of a file, and which ones.
#[derive(Debug)]
pub(crate) struct Group {
    /// The numbers of the items, in the order of the work.
    pub(crate) indices: Vec<usize>,
    /// The work.
    pub(crate) work: Work,
}

/// Reads a file; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    result.map_err(|error| Failure::input(format_args!("cannot read {}: {error}", path.display())))?;
    Ok(bytes)
}

/// The bytes of a hex string, with or without 0x.
pub(crate) fn unhex(text: &str, place: impl Fn() -> String) -> Result<Vec<u8>, Failure> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    hex::decode(digits).map_err(|error| Failure::input(format_args!("{}: not hex: {error}", place())))
}

/// A JSON array of hex strings.
pub(crate) fn hex_list(json: &[u8]) -> Result<ColumnBuf, Failure> {
    let list: Vec<String> = serde_json::from_slice(json)
        .map_err(|error| Failure::input(format_args!("expected a JSON array of hex strings: {error}")))?;
    let items = list.iter().enumerate().map(|(i, text)| unhex(text, || format!("item {i}")));
    Ok(ColumnBuf::from_items(&items.collect::<Result<Vec<_>, _>>()?))
}

/// What must be equal within one piece of work.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Signatures { is_digest: bool, identity: Vec<u8> },
    Sets(u8),
}

/// What one item becomes.
struct Parsed {
    shape: Shape,
    keys: Vec<Vec<u8>>,
    signature: Vec<u8>,
    messages: Vec<Vec<u8>>,
}

/// The work of a JSON array of items under `ruleset`: verification, with one group for each form of item.
pub(crate) fn verification(json: &[u8], ruleset: Ruleset, allow_high_s: bool) -> Result<Vec<Group>, Failure> {
    groups(json, ruleset, allow_high_s, true)
}

/// The work of a JSON array of items under `ruleset`: recovery.
pub(crate) fn recovery(json: &[u8], ruleset: Ruleset, allow_high_s: bool) -> Result<Vec<Group>, Failure> {
    if outrigger_algorithms::rules(ruleset).is_none_or(|rules| rules.recover.is_none()) {
        return Err(Failure::input(format_args!(
            "signatures of {ruleset} do not carry the key; recovery works with ethereum-transaction, \
             ethereum-precompile and fisco-secp256k1"
        )));
    }
    groups(json, ruleset, allow_high_s, false)
}

fn groups(json: &[u8], ruleset: Ruleset, allow_high_s: bool, with_keys: bool) -> Result<Vec<Group>, Failure> {
    if allow_high_s && ruleset != Ruleset::EthereumTransaction {
        return Err(Failure::input("--allow-high-s belongs to ethereum-transaction"));
    }
    let items: Vec<Item> = serde_json::from_slice(json)
        .map_err(|error| Failure::input(format_args!("expected a JSON array of items: {error}")))?;
    let mut groups: BTreeMap<Shape, (Vec<usize>, Vec<Parsed>)> = BTreeMap::new();
    for (i, item) in items.into_iter().enumerate() {
        let mut parsed = parse(item, i, ruleset, with_keys)?;
        let shape = std::mem::replace(&mut parsed.shape, Shape::Sets(0));
        let (indices, members) = groups.entry(shape).or_default();
        indices.push(i);
        members.push(parsed);
    }
    let pack = |(shape, (indices, members)): (Shape, (Vec<usize>, Vec<Parsed>))| {
        let work = match shape {
            Shape::Signatures { is_digest, identity } => {
                let work = signature_work(ruleset, is_digest, identity.into(), allow_high_s, &members, with_keys);
                if with_keys { Work::Verify(work) } else { Work::Recover(work) }
            }
            Shape::Sets(mode) => Work::VerifySets(set_work(ruleset, SET_MODES[mode as usize].1, &members)),
        };
        Group { indices, work }
    };
    Ok(groups.into_iter().map(pack).collect())
}

fn parse(item: Item, i: usize, ruleset: Ruleset, with_keys: bool) -> Result<Parsed, Failure> {
    let at = |field: &str| format!("item {i}, {field}");
    let field = |name: &'static str, text: &str| unhex(text, || at(name));
    let signature =
        item.signature.as_deref().ok_or_else(|| Failure::input(format_args!("{}: missing", at("signature"))))?;
    let signature = field("signature", signature)?;
    if item.public_keys.is_some() || item.messages.is_some() || item.mode.is_some() {
        return parse_set(item, i, ruleset, signature);
    }
    let keys = match (with_keys, item.public_key, item.address) {
        (false, _, _) => Vec::new(),
        (true, Some(_), Some(_)) => {
            return Err(Failure::input(format_args!("{}: give one, not both", at("public_key and address"))));
        }
        (true, Some(key), None) => vec![field("public_key", &key)?],
        (true, None, Some(address)) => vec![field("address", &address)?],
        (true, None, None) => return Err(Failure::input(format_args!("{}: missing", at("public_key")))),
    };
    let forms = outrigger_algorithms::rules(ruleset).map_or(&[][..], |rules| rules.message_forms);
    let takes = |form| forms.contains(&form);
    let (is_digest, message) = match (item.message, item.digest) {
        (Some(_), Some(_)) => {
            return Err(Failure::input(format_args!("{}: give one, not both", at("message and digest"))));
        }
        (Some(message), None) if takes(MessageForm::Message) => (false, field("message", &message)?),
        (None, Some(digest)) if takes(MessageForm::Digest) => (true, field("digest", &digest)?),
        (Some(_), None) | (None, None) if takes(MessageForm::Digest) => {
            return Err(Failure::input(format_args!(
                "{}: missing; {ruleset} takes the digest that was signed",
                at("digest")
            )));
        }
        _ => {
            return Err(Failure::input(format_args!("{}: missing; {ruleset} takes the message itself", at("message"))));
        }
    };
    let identity = match item.identity {
        Some(identity) if ruleset == Ruleset::Sm2Message => field("identity", &identity)?,
        Some(_) => return Err(Failure::input(format_args!("{}: belongs to sm2-message", at("identity")))),
        None => Vec::new(),
    };
    Ok(Parsed { shape: Shape::Signatures { is_digest, identity }, keys, signature, messages: vec![message] })
}

/// Modes of BLS sets by name, in the order of [`Shape::Sets`].
const SET_MODES: [(&str, SetMode); 4] = [
    ("single", SetMode::Single),
    ("aggregate", SetMode::Aggregate),
    ("fast-aggregate", SetMode::FastAggregate),
    ("ethereum-fast-aggregate", SetMode::EthereumFastAggregate),
];

fn parse_set(item: Item, i: usize, ruleset: Ruleset, signature: Vec<u8>) -> Result<Parsed, Failure> {
    let at = |field: &str| format!("item {i}, {field}");
    if !matches!(ruleset, Ruleset::EthereumConsensus | Ruleset::BlsMinSig) {
        return Err(Failure::input(format_args!("{}: sets belong to the BLS rulesets", at("public_keys"))));
    }
    let several = [
        ("public_keys and public_key", item.public_keys.is_some() && item.public_key.is_some()),
        ("messages and message", item.messages.is_some() && (item.message.is_some() || item.digest.is_some())),
        ("message and digest", item.message.is_some() && item.digest.is_some()),
    ];
    if let Some((fields, _)) = several.iter().find(|(_, is_given)| *is_given) {
        return Err(Failure::input(format_args!("{}: give one, not both", at(fields))));
    }
    if item.address.is_some() || item.identity.is_some() {
        return Err(Failure::input(format_args!("{}: no part of a BLS set", at("address or identity"))));
    }
    let list = |name: &'static str, many: Option<Vec<String>>, one: Option<String>| {
        let texts = many.unwrap_or_else(|| one.into_iter().collect());
        texts.iter().map(|text| unhex(text, || at(name))).collect::<Result<Vec<_>, _>>()
    };
    let has_messages = item.messages.is_some();
    let keys = list("public_keys", item.public_keys, item.public_key)?;
    let messages = list("messages", item.messages, item.message.or(item.digest))?;
    let name = item.mode.as_deref().unwrap_or(if has_messages { "aggregate" } else { "fast-aggregate" });
    let mode = SET_MODES.iter().position(|(known, _)| *known == name).ok_or_else(|| {
        let known: Vec<_> = SET_MODES.iter().map(|(known, _)| *known).collect();
        Failure::input(format_args!("{}: unknown mode {name:?}; one of {}", at("mode"), known.join(", ")))
    })?;
    if SET_MODES[mode].1 != SetMode::Aggregate && messages.len() != 1 {
        return Err(Failure::input(format_args!(
            "{}: mode {name} takes one message, not {}",
            at("messages"),
            messages.len()
        )));
    }
    Ok(Parsed { shape: Shape::Sets(mode as u8), keys, signature, messages })
}

fn signature_work(
    ruleset: Ruleset,
    is_digest: bool,
    identity: Bytes,
    allow_high_s: bool,
    members: &[Parsed],
    with_keys: bool,
) -> SignatureWork {
    let message_form = if is_digest { MessageForm::Digest } else { MessageForm::Message };
    let firsts = |of: fn(&Parsed) -> &Vec<Vec<u8>>| {
        ColumnBuf::from_items(&members.iter().map(|member| &of(member)[0]).collect::<Vec<_>>())
    };
    SignatureWork {
        ruleset,
        options: SignatureOptions { message_form, allow_high_s, identity },
        keys: Keys::Inline(if with_keys { firsts(|member| &member.keys) } else { ColumnBuf::empty() }),
        signatures: ColumnBuf::from_items(&members.iter().map(|member| &member.signature).collect::<Vec<_>>()),
        messages: firsts(|member| &member.messages),
    }
}

fn set_work(ruleset: Ruleset, mode: SetMode, members: &[Parsed]) -> SetWork {
    let ends = |of: fn(&Parsed) -> &Vec<Vec<u8>>| {
        let mut end = 0;
        members
            .iter()
            .map(|member| {
                end += of(member).len() as u32;
                end
            })
            .collect()
    };
    let all =
        |of: fn(&Parsed) -> &Vec<Vec<u8>>| ColumnBuf::from_items(&members.iter().flat_map(of).collect::<Vec<_>>());
    SetWork {
        ruleset,
        mode,
        signatures: ColumnBuf::from_items(&members.iter().map(|member| &member.signature).collect::<Vec<_>>()),
        keys: Keys::Inline(all(|member| &member.keys)),
        key_ends: ends(|member| &member.keys),
        messages: all(|member| &member.messages),
        message_ends: ends(|member| &member.messages),
    }
}

#[cfg(test)]
mod tests;
