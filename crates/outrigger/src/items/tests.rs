use super::*;

const DIGEST: &str = "1111111111111111111111111111111111111111111111111111111111111111";

fn verify(json: &str, ruleset: Ruleset) -> Result<Vec<Group>, Failure> {
    verification(json.as_bytes(), ruleset, false)
}

#[test]
fn two_answers_to_one_question_are_refused() {
    let single = |more: &str| format!(r#"[{{"signature":"00","digest":"{DIGEST}",{more}}}]"#);
    let both = single(r#""public_key":"aa","address":"bb""#);
    assert!(verify(&both, Ruleset::EthereumTransaction).is_err());
    // Recovery asks for no key, so a file can be used for both.
    assert!(recovery(both.as_bytes(), Ruleset::EthereumTransaction, false).is_ok());
    for fields in [
        r#""public_keys":["aa"],"public_key":"bb","message":"dd""#,
        r#""public_keys":["aa"],"message":"cc","messages":["dd"]"#,
        r#""public_keys":["aa"],"message":"cc","digest":"dd""#,
        r#""public_keys":["aa"],"address":"bb","message":"dd""#,
        r#""public_keys":["aa"],"message":"dd","identity":"ee""#,
        r#""public_keys":["aa"],"mode":"single","messages":["cc"],"digest":"dd""#,
    ] {
        let json = format!(r#"[{{"signature":"00",{fields}}}]"#);
        assert!(verify(&json, Ruleset::EthereumConsensus).is_err(), "{fields}");
    }
}
