//! The vectors of BIP 340, all of them; their origin stands in `vectors/secp256k1/README.md`.

use super::*;

const VECTORS: &str = include_str!("../../../vectors/secp256k1/bip340.csv");

/// Those that must not verify, with what is the matter: the file knows only true and false.
const REFUSED: [(usize, Verdict); 10] = [
    (5, Verdict::Malformed),  // The key is not on the curve.
    (6, Verdict::Invalid),    // The y of R is odd.
    (7, Verdict::Invalid),    // The message is negated.
    (8, Verdict::Invalid),    // s is negated.
    (9, Verdict::Invalid),    // s·G − e·P is the point at infinity; the x of R is 0.
    (10, Verdict::Invalid),   // The same, with 1.
    (11, Verdict::Invalid),   // The x of R is no point's.
    (12, Verdict::Malformed), // The x of R is p.
    (13, Verdict::Invalid),   // s is n.
    (14, Verdict::Malformed), // The key is above p.
];

#[test]
fn bip340_vectors_hold() {
    let rows: Vec<Vec<&str>> = VECTORS.lines().skip(1).map(|line| line.splitn(8, ',').collect()).collect();
    assert_eq!(rows.len(), 19);
    for (i, row) in rows.iter().enumerate() {
        let [index, _, key, _, message, signature, result, comment] = row[..] else { panic!("row {i}") };
        assert_eq!(index, i.to_string());
        let refused = REFUSED.iter().find(|(refused, _)| *refused == i).map(|(_, verdict)| *verdict);
        assert_eq!(result == "TRUE", refused.is_none(), "vector {i}");
        let [key, message, signature] = [key, message, signature].map(|hex| hex::decode(hex).expect("hex"));
        let item = triple(key, signature, &message);
        let mut work = work(Ruleset::Bip340, std::slice::from_ref(&item));
        work.options.message_form = MessageForm::Message;
        let expected = refused.unwrap_or(Verdict::Valid);
        assert_eq!(verdicts(work), [expected], "vector {i}: {comment}");
        // As a digest: the same for 32 bytes, malformed for any other length.
        let as_digest = if message.len() == 32 { expected } else { Verdict::Malformed };
        assert_eq!(judge(Ruleset::Bip340, &item), as_digest, "vector {i} as a digest");
    }
}
