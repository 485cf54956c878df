//! Numbers at the edge of their range, and points that few signers ever meet. Any r that is a point's x, with any
//! s and digest, is the signature of some key, which recovery names; so edges need no search.

use k256::{ProjectivePoint, Scalar};

use super::super::parse::{HALF_ORDER, ORDER, PRIME};
use super::textbook::{self, Signature, coordinates, negated, number, scalar, small};
use super::*;

const DIGEST: [u8; 32] = [0x5a; 32];

/// The x of a point, below n.
fn some_r() -> [u8; 32] {
    textbook::sign(&DIGEST, &Scalar::from(7_u32), &Scalar::from(11_u32)).r
}

/// The verdicts of a signature under (ethereum-transaction, ethereum-precompile, fisco-secp256k1, bitcoin), with
/// the key that the textbook recovers.
fn judged(digest: [u8; 32], signature: Signature) -> [Verdict; 4] {
    let key = textbook::recover(&digest, &signature).expect("a key");
    let item = triple(key, joined(&signature.r, &signature.s, signature.recovery_id), digest);
    let bitcoin = triple([&[4], &key[..]].concat(), der(&signature.r, &signature.s), digest);
    let [transaction, precompile, fisco] = RECOVERABLE.map(|ruleset| {
        let by_address = Triple { key: textbook::address(&key).to_vec(), ..item.clone() };
        assert_eq!(judge(ruleset, &item), judge(ruleset, &by_address), "{ruleset}, by key and by address");
        judge(ruleset, &item)
    });
    [transaction, precompile, fisco, judge(Ruleset::Bitcoin, &bitcoin)]
}

/// The constants of the room, against each other and against `k256`.
#[test]
fn constants_are_right() {
    let below_order = negated(&small(1));
    assert_eq!(textbook::sum(&below_order, &small(1)), Some(ORDER));
    assert_eq!(textbook::sum(&HALF_ORDER, &HALF_ORDER), Some(below_order));
    // p + 2^32 + 976 = 2^256 − 1.
    let mut rest = [0; 32];
    rest[27..].copy_from_slice(&[1, 0, 0, 0x03, 0xd0]);
    assert_eq!(textbook::sum(&PRIME, &rest), Some([0xff; 32]));
}

/// s from 1 to n − 1 with the step at n/2: off-by-one in the low-S rule.
#[test]
fn high_s_is_refused_in_transactions_alone() {
    let just_high = textbook::sum(&HALF_ORDER, &small(1)).expect("below n");
    for (s, is_high) in [(small(1), false), (HALF_ORDER, false), (just_high, true), (negated(&small(1)), true)] {
        for recovery_id in [0, 1] {
            let signature = Signature { r: some_r(), s, recovery_id };
            let transaction = Verdict::from_equation(!is_high);
            assert_eq!(judged(DIGEST, signature), [transaction, Verdict::Valid, Verdict::Valid, Verdict::Valid]);
        }
    }
}

/// The option lifts the rule, for verification and recovery, in ethereum-transaction.
#[test]
fn allow_high_s_is_for_old_blocks() {
    let signature = Signature { r: some_r(), s: negated(&small(5)), recovery_id: 1 };
    let key = textbook::recover(&DIGEST, &signature).expect("a key");
    let mut work = work(
        Ruleset::EthereumTransaction,
        &[triple(key, joined(&signature.r, &signature.s, signature.recovery_id), DIGEST)],
    );
    assert_eq!(verdicts(work.clone()), [Verdict::Invalid]);
    assert_eq!(crate::run(&Work::Recover(work.clone()), 0..1).verdicts, [Verdict::Invalid]);
    assert_eq!(recover_address(&DIGEST, &signature.r, &signature.s, true, false), None);
    work.options.allow_high_s = true;
    assert_eq!(verdicts(work.clone()), [Verdict::Valid]);
    assert_eq!(crate::run(&Work::Recover(work), 0..1).fixed[..64], key);
    let address = recover_address(&DIGEST, &signature.r, &signature.s, true, true);
    assert_eq!(address, Some(textbook::address(&key)));
}

/// r and s of zero, n, and above: never valid, never malformed, whoever is said to have signed.
#[test]
fn r_and_s_out_of_range_are_invalid() {
    let key = coordinates(&ProjectivePoint::GENERATOR);
    let out = [[0; 32], ORDER, textbook::sum(&ORDER, &small(1)).expect("below 2^256"), PRIME, [0xff; 32]];
    for number in out {
        for (r, s) in [(number, small(1)), (some_r(), number), (number, number)] {
            for ruleset in RECOVERABLE {
                for key in [&key[..], &textbook::address(&key)] {
                    let item = triple(key, joined(&r, &s, 0), DIGEST);
                    assert_eq!(judge(ruleset, &item), Verdict::Invalid, "{ruleset} {r:02x?} {s:02x?}");
                    assert_eq!(recover(ruleset, &item).verdicts, [Verdict::Invalid], "{ruleset}");
                    assert_eq!(recover(ruleset, &item).fixed, [0; 84], "{ruleset}");
                }
            }
            let bitcoin = triple([&[4], &key[..]].concat(), der(&r, &s), DIGEST);
            assert_eq!(judge(Ruleset::Bitcoin, &bitcoin), Verdict::Invalid, "{r:02x?} {s:02x?}");
        }
    }
}

/// Integers of 33 bytes and more are strict DER to BIP 66, though no r or s is so large.
#[test]
fn oversized_integers_are_invalid_in_bitcoin() {
    let key = [&[4], &coordinates(&ProjectivePoint::GENERATOR)[..]].concat();
    for length in [33, 34, 40, 63] {
        for signature in [der(&vec![0x7f; length], &[1]), der(&[1], &vec![0x7f; length])] {
            assert_eq!(judge(Ruleset::Bitcoin, &triple(&key, signature, DIGEST)), Verdict::Invalid, "{length}");
        }
    }
}

/// x(R) ≥ n: r = x − n. Only v of 2 and 3 can say so; ECDSA's equation holds without being told.
#[test]
fn a_wrapped_x_needs_v_of_two_or_three() {
    let mut seen = 0;
    for k in 1..40 {
        let r = small(k);
        let Some(x) = textbook::sum(&ORDER, &r) else { continue };
        if textbook::point(&x, 0).is_none() {
            continue;
        }
        for parity in [0, 1] {
            let signature = Signature { r, s: small(9), recovery_id: 2 | parity };
            let expected = [Verdict::Malformed, Verdict::Malformed, Verdict::Valid, Verdict::Valid];
            assert_eq!(judged(DIGEST, signature), expected, "r = {k}");
            // The same r and s with the bit taken off: R is another point, or none.
            let key = textbook::recover(&DIGEST, &signature).expect("a key");
            let item = triple(key, joined(&r, &signature.s, parity), DIGEST);
            assert_eq!(RECOVERABLE.map(|ruleset| judge(ruleset, &item)), [Verdict::Invalid; 3], "r = {k}");
            seen += 1;
        }
    }
    assert!(seen >= 20, "about half of all x are points");
}

/// r + n ≥ p: no x at all. r = p − n is the first; an engine that reduces r + n modulo p takes a wrong point.
#[test]
fn r_from_p_minus_n_on_cannot_wrap() {
    let gap: [u8; 32] = bytes("000000000000000000000000000000014551231950b75fc4402da1722fc9baee");
    assert_eq!(textbook::sum(&gap, &ORDER), Some(PRIME));
    let beyond = textbook::sum(&gap, &small(1)).expect("small");
    for r in [gap, beyond, some_r(), negated(&small(1))] {
        for v in [2, 3] {
            let signature = joined(&r, &small(9), v);
            let item = triple(coordinates(&ProjectivePoint::GENERATOR), signature, DIGEST);
            assert_eq!(judge(Ruleset::FiscoSecp256k1, &item), Verdict::Invalid);
            assert_eq!(recover(Ruleset::FiscoSecp256k1, &item).verdicts, [Verdict::Invalid]);
        }
    }
}

/// Digests of 0 (so u1 = 0), around n, and all ones: reduced, never refused.
#[test]
fn every_digest_is_taken() {
    let around = [[0; 32], small(1), negated(&small(1)), ORDER, [0xff; 32]];
    for digest in around.into_iter().chain(textbook::sum(&ORDER, &small(1))) {
        for recovery_id in [0, 1] {
            let signature = Signature { r: some_r(), s: small(3), recovery_id };
            assert_eq!(judged(digest, signature), [Verdict::Valid; 4], "{digest:02x?}");
        }
    }
}

/// The keys ±G, ±λG and 2G, where tables of multiples meet themselves or the point at infinity.
#[test]
fn special_keys_verify() {
    let lambda = scalar(&bytes("5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72")).expect("λ");
    assert_eq!(lambda * lambda * lambda, Scalar::ONE);
    for secret in [Scalar::ONE, -Scalar::ONE, lambda, -lambda, Scalar::from(2_u32)] {
        for nonce in [Scalar::ONE, Scalar::from(2_u32), secret, -secret, Scalar::from(0xdead_u32)] {
            let mut signature = textbook::sign(&DIGEST, &secret, &nonce);
            if signature.s > HALF_ORDER {
                signature = Signature { s: negated(&signature.s), recovery_id: signature.recovery_id ^ 1, ..signature };
            }
            let key = coordinates(&(ProjectivePoint::GENERATOR * secret));
            assert_eq!(textbook::recover(&DIGEST, &signature), Some(key));
            assert_eq!(judged(DIGEST, signature), [Verdict::Valid; 4]);
        }
    }
}

/// s·R = z·G: the key would be the point at infinity.
#[test]
fn a_key_at_infinity_is_invalid() {
    let nonce = Scalar::from(11_u32);
    let r = some_r();
    let s = number(&(textbook::reduced(&DIGEST) * nonce.invert().expect("not zero")));
    let parity = textbook::sign(&DIGEST, &Scalar::ONE, &nonce).recovery_id;
    let item = triple([0; 20], joined(&r, &s, parity), DIGEST);
    for ruleset in RECOVERABLE {
        assert_eq!(judge(ruleset, &item), Verdict::Invalid, "{ruleset}");
        assert_eq!(recover(ruleset, &item).verdicts, [Verdict::Invalid], "{ruleset}");
    }
}

/// The other parity with a good (r, s): another key, so invalid; an engine that only checks the equation passes it.
#[test]
fn a_wrong_v_is_invalid() {
    let signature = Signature { r: some_r(), s: small(9), recovery_id: 0 };
    let key = textbook::recover(&DIGEST, &signature).expect("a key");
    for ruleset in RECOVERABLE {
        for key in [&key[..], &textbook::address(&key)] {
            let verdict = |v| judge(ruleset, &triple(key, joined(&signature.r, &signature.s, v), DIGEST));
            assert_eq!([verdict(0), verdict(1)], [Verdict::Valid, Verdict::Invalid], "{ruleset}");
        }
    }
}
