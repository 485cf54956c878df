//! What decodes and is not valid, and authorities.

use super::*;

/// The item of a transaction that decodes and fails by `reason`.
fn invalid(raw: &[u8], transaction_type: u8, reason: Reason) -> Item {
    Item { hash: keccak(raw), transaction_type, ..empty(Verdict::Invalid, reason) }
}

fn mirrored(signature: &Signature) -> Signature {
    Signature::new(signature.r(), ORDER - signature.s(), !signature.v())
}

fn answer_to(raw: &[u8], chain_id: Option<u64>, allow_high_s: bool) -> Item {
    item(&answer(&[raw], chain_id, allow_high_s), 0)
}

#[test]
fn other_chains_are_refused_where_one_is_asked_for() {
    for (i, raw) in one_of_each().iter().enumerate() {
        assert_eq!(answer_to(raw, None, false).verdict, Verdict::Valid);
        assert_eq!(answer_to(raw, Some(1), false).verdict, Verdict::Valid);
        for other in [0, 2, u64::MAX] {
            let found = answer_to(raw, Some(other), false);
            // The last is legacy without a chain: it is for all.
            if i == 5 {
                assert_eq!(found.verdict, Verdict::Valid);
            } else {
                assert_eq!(found, invalid(raw, i as u8, Reason::ChainId), "type {i} on chain {other}");
            }
        }
    }
    for chain_id in [0, 1, 110, 111, u64::from(u32::MAX), u64::MAX] {
        let raw = signed(&legacy(Some(chain_id)), 1);
        assert_eq!(answer_to(&raw, Some(chain_id), false).sender, key(1).1, "{chain_id}");
        assert_eq!(answer_to(&raw, Some(chain_id ^ 1), false).reason, Some(Reason::ChainId), "{chain_id}");
    }
}

#[test]
fn scalars_out_of_range() {
    let good = sign(&key(1).0, &eip1559().signature_hash().0);
    for scalar in [U256::ZERO, ORDER, ORDER + U256::from(1), U256::MAX] {
        for allow_high_s in [false, true] {
            for signature in [
                Signature::new(scalar, good.s(), good.v()),
                Signature::new(good.r(), scalar, good.v()),
                Signature::new(scalar, scalar, good.v()),
            ] {
                let raw = encoded(&eip1559(), &signature);
                assert_eq!(answer_to(&raw, None, allow_high_s), invalid(&raw, 2, Reason::Signature));
                let raw = encoded(&legacy(None), &signature);
                assert_eq!(answer_to(&raw, None, allow_high_s), invalid(&raw, 0, Reason::Signature));
            }
        }
    }
    // No point of the curve has the abscissa 5.
    let raw = encoded(&eip1559(), &Signature::new(U256::from(5), good.s(), false));
    assert_eq!(answer_one(&raw), invalid(&raw, 2, Reason::Signature));
}

#[test]
fn the_largest_low_s_and_the_smallest_high_s() {
    let half: U256 = ORDER >> 1_usize;
    let good = sign(&key(1).0, &[1; 32]);
    for (s, allow_high_s, verdict) in [
        (half, false, Verdict::Valid),
        (half + U256::from(1), false, Verdict::Invalid),
        (half + U256::from(1), true, Verdict::Valid),
        (ORDER - U256::from(1), true, Verdict::Valid),
    ] {
        let raw = encoded(&legacy(None), &Signature::new(good.r(), s, good.v()));
        assert_eq!(answer_to(&raw, None, allow_high_s).verdict, verdict, "{s}");
    }
}

#[test]
fn high_s_is_for_legacy_transactions_without_a_chain() {
    fn high<T: RlpEcdsaEncodableTx + SignableTransaction<Signature>>(transaction: &T) -> Vec<u8> {
        encoded(transaction, &mirrored(&sign(&key(1).0, &transaction.signature_hash().0)))
    }
    let oldest = high(&legacy(None));
    assert_eq!(answer_to(&oldest, None, false), invalid(&oldest, 0, Reason::Signature));
    assert_eq!(answer_to(&oldest, None, true).verdict, Verdict::Valid);
    assert_eq!(answer_to(&oldest, None, true).sender, key(1).1);

    let younger =
        [high(&legacy(Some(1))), high(&eip2930()), high(&eip1559()), high(&eip4844()), high(&eip7702(vec![]))];
    for (i, raw) in younger.iter().enumerate() {
        for allow_high_s in [false, true] {
            assert_eq!(answer_to(raw, None, allow_high_s), invalid(raw, i as u8, Reason::Signature), "type {i}");
        }
    }
}

#[test]
fn the_other_parity_is_another_sender() {
    let good = sign(&key(1).0, &eip1559().signature_hash().0);
    let raw = encoded(&eip1559(), &Signature::new(good.r(), good.s(), !good.v()));
    let found = answer_one(&raw);
    assert_eq!(found.verdict, Verdict::Valid);
    assert_ne!(found.sender, key(1).1);
    assert_eq!(found.sender, sender_of(&raw));
}

#[test]
fn authorities_that_cannot_be_recovered_leave_the_transaction_valid() {
    let good = authorization(1, 2);
    let signature = good.signature().expect("a parity");
    let with = |parity, r, s| SignedAuthorization::new_unchecked(good.inner().clone(), parity, r, s);
    let high = mirrored(&signature);
    let authorizations = vec![
        good.clone(),
        with(2, signature.r(), signature.s()),
        with(255, signature.r(), signature.s()),
        with(u8::from(high.v()), high.r(), high.s()),
        with(0, U256::ZERO, signature.s()),
        with(0, signature.r(), U256::ZERO),
        with(0, ORDER, signature.s()),
        with(0, U256::from(5), signature.s()),
        // Another chain is for the node to refuse: the authority is who signed.
        authorization(99, 4),
    ];
    let mut expected = vec![];
    for (i, _) in authorizations.iter().enumerate() {
        let authority = match i {
            0 => Some(key(2).1),
            8 => Some(key(4).1),
            _ => None,
        };
        expected.push(u8::from(authority.is_some()));
        expected.extend_from_slice(&authority.unwrap_or_default());
    }
    let raw = signed(&eip7702(authorizations), 1);
    for allow_high_s in [false, true] {
        let found = answer_to(&raw, Some(1), allow_high_s);
        assert_eq!((found.verdict, found.sender), (Verdict::Valid, key(1).1));
        assert_eq!(found.authorities, expected);
    }
    // Of a transaction that is not valid nothing is said.
    assert_eq!(answer_to(&raw, Some(2), false), invalid(&raw, 4, Reason::ChainId));
    assert_eq!(answer_one(&signed(&eip7702(vec![]), 1)).authorities, [0_u8; 0]);
}

#[test]
fn answers_stay_with_their_transactions() {
    // A fault at each place: the others' answers, and the ends of the authorities, stay as they were.
    let transactions = one_of_each();
    let whole = answer(&transactions, None, false);
    for fault in 0..transactions.len() {
        let mut broken = transactions.clone();
        broken[fault].push(0);
        let output = answer(&broken, None, false);
        for i in 0..transactions.len() {
            let expected = if i == fault { empty(Verdict::Malformed, Reason::Decoding) } else { item(&whole, i) };
            assert_eq!(item(&output, i), expected, "{i} with a fault at {fault}");
        }
    }
}
