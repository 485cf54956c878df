//! Tables of known keys for the benches that compare with and without them.

use outrigger_algorithms::known_keys;
use outrigger_types::{ColumnBuf, Keys, SignatureWork, Work};

/// Room for tables of some hundred keys.
const BYTES_MAX: usize = 64 << 20;

/// Has tables made of all keys of a verification, and waits for them.
pub(crate) fn make(work: &Work) {
    known_keys::enable(BYTES_MAX);
    let Work::Verify(SignatureWork { ruleset, keys: Keys::Inline(keys), .. }) = work else {
        panic!("a verification with its keys inline")
    };
    let mut distinct: Vec<&[u8]> = keys.view().iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    known_keys::register("bench", *ruleset, &ColumnBuf::from_items(&distinct));
    known_keys::shared().expect("they were enabled").settle();
}
