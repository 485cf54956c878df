//! The planted items of `outrigger-algorithms` are made here, by libraries that are not the rooms' references where
//! there is a choice.

use std::fmt::Write;
use std::path::Path;

use outrigger_types::Ruleset;

use crate::support::workload::items;

/// Items of each ruleset: enough that neighbouring lanes differ.
const COUNT: usize = 5;
const SEED: u64 = 0x91a7;

#[test]
fn planted_signatures_are_what_is_made_here() {
    let mut text = String::new();
    for &ruleset in Ruleset::ALL {
        for item in items(ruleset, COUNT, 0, SEED) {
            let [key, signature, message] = [&item.key, &item.signature, &item.message].map(hex::encode);
            writeln!(text, "{ruleset} {key} {signature} {message}").expect("a string takes all");
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../algorithms/vectors/planted.txt");
    if std::fs::read_to_string(&path).unwrap_or_default() != text {
        std::fs::write(&path, text).expect("the repository can be written");
        panic!("{} was not what is made here; it has been made anew", path.display());
    }
}
