pub(super) mod fixture;

use std::panic::{AssertUnwindSafe, catch_unwind};

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInt, BigInteger, Field, UniformRand};
use ark_std::test_rng;
use outrigger_types::ColumnBuf;

use super::*;
use crate::curve::{Curve, RawPoint, RawScalar};
use fixture::{Fixture, Parts};

/// Runs a test on both curves.
macro_rules! on_each_curve {
    ($($test:ident),* $(,)?) => {
        mod bn254 {
            $(#[test] fn $test() { super::$test::<super::Bn254>(); })*
        }
        mod bls12_381 {
            $(#[test] fn $test() { super::$test::<super::Bls12_381>(); })*
        }
    };
}

on_each_curve!(
    agrees_with_arkworks,
    refuses_aliases_of_public_signals,
    refuses_lengths,
    refuses_points_off_their_curve_and_coordinates_not_below_q,
    refuses_points_outside_their_subgroups,
    takes_proofs_that_were_changed_without_the_witness,
    lets_the_equation_decide_at_infinity,
    refuses_every_single_bit_change,
    finds_a_bad_proof_at_each_place_of_a_batch,
    is_not_fooled_by_errors_that_cancel,
    takes_batches_of_none_and_of_one,
    refuses_unsound_keys,
    survives_garbage,
);

fn agrees_with_arkworks<E: Curve>() {
    for signals in [0, 1, 2, 7] {
        let fixture = Fixture::<E>::new(signals);
        let key = fixture.prepared();
        for i in 0..3 {
            let good = fixture.proof(i);
            assert!(fixture.arkworks(&good));
            assert_eq!(key.verify(&good.bytes(), &good.signal_bytes()), Verdict::Valid, "{signals} signals");
            let mut rng = test_rng();
            let mut others = vec![
                Parts { a: E::G1::rand(&mut rng).into_affine(), ..good.clone() },
                Parts { b: E::G2::rand(&mut rng).into_affine(), ..good.clone() },
                Parts { c: E::G1::rand(&mut rng).into_affine(), ..good.clone() },
                Parts { a: good.c, c: good.a, ..good.clone() },
            ];
            for signal in 0..signals {
                let mut other = good.clone();
                other.signals[signal] += E::ScalarField::ONE;
                others.push(other);
            }
            for other in others {
                assert!(!fixture.arkworks(&other));
                assert_eq!(key.verify(&other.bytes(), &other.signal_bytes()), Verdict::Invalid);
            }
        }
    }
}

/// x and x + r are the same scalar: whoever takes both lets one nullifier be spent twice.
fn refuses_aliases_of_public_signals<E: Curve>() {
    let fixture = Fixture::<E>::new(2);
    let (key, proof) = (fixture.prepared(), fixture.proof(0));
    for signal in 0..2 {
        let mut alias: BigInt<4> = BigInt(proof.signals[signal].plain_limbs());
        assert!(!alias.add_with_carry(&BigInt(order::<E>())), "it fits into 32 bytes");
        let mut signals = proof.signal_bytes();
        signals[32 * signal..32 * (signal + 1)].copy_from_slice(&alias.to_bytes_be());
        assert_eq!(key.verify(&proof.bytes(), &signals), Verdict::Invalid);
        assert_eq!(batch(&key, &[(proof.bytes(), signals)]), [Verdict::Invalid]);
    }
}

fn order<E: Curve>() -> [u64; 4] {
    let mut limbs = (-E::ScalarField::ONE).plain_limbs();
    limbs[0] += 1;
    limbs
}

fn refuses_lengths<E: Curve>() {
    let fixture = Fixture::<E>::new(1);
    let (key, proof) = (fixture.prepared(), fixture.proof(0));
    let (bytes, signals) = (proof.bytes(), proof.signal_bytes());
    let longer = |bytes: &[u8]| [bytes, &[0]].concat();
    for (bytes, signals) in [
        (&bytes[1..], &signals[..]),
        (&longer(&bytes), &signals),
        (&[], &signals),
        (&bytes, &signals[1..]),
        (&bytes, &longer(&signals)),
        (&bytes, &[]),
        (&bytes, &[&signals[..], &signals].concat()),
    ] {
        assert_eq!(key.verify(bytes, signals), Verdict::Malformed);
    }
}

fn refuses_points_off_their_curve_and_coordinates_not_below_q<E: Curve>() {
    let fixture = Fixture::<E>::new(1);
    let (key, proof) = (fixture.prepared(), fixture.proof(0));
    let base = E::ID.base_bytes();
    let modulus = <E as ark_ec::pairing::Pairing>::BaseField::characteristic();
    let modulus: Vec<u8> = modulus.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
    assert_eq!(modulus.len(), base);
    for coordinate in 0..8 {
        let mut bytes = proof.bytes();
        let of_coordinate = &mut bytes[base * coordinate..base * (coordinate + 1)];
        let mut carry = 0;
        for (byte, add) in of_coordinate.iter_mut().zip(&modulus).rev() {
            let sum = u16::from(*byte) + u16::from(*add) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        assert_eq!(carry, 0, "x + q fits");
        assert_eq!(key.verify(&bytes, &proof.signal_bytes()), Verdict::Malformed, "coordinate {coordinate}");
        let mut bytes = proof.bytes();
        bytes[base * (coordinate + 1) - 1] ^= 1;
        assert_eq!(key.verify(&bytes, &proof.signal_bytes()), Verdict::Malformed, "coordinate {coordinate}");
    }
}

/// A point of the curve that is not in the subgroup; none where there is nothing else.
fn outside<A: RawPoint>() -> Option<A> {
    let mut rng = test_rng();
    let points = std::iter::from_fn(|| Some(A::BaseField::rand(&mut rng))).filter_map(|x| {
        let y = (x.square() * x + A::B).sqrt()?;
        Some(A::from_xy_unchecked(x, y))
    });
    points.take(8).find(|point| !point.is_valid())
}

fn refuses_points_outside_their_subgroups<E: Curve>() {
    let fixture = Fixture::<E>::new(1);
    let (key, proof) = (fixture.prepared(), fixture.proof(0));
    let outside_g1 = outside::<E::G1Affine>();
    assert_eq!(outside_g1.is_none(), E::ID == CurveId::Bn254, "BN254 has cofactor 1 in G1");
    let mut bad = vec![Parts { b: outside().expect("G2 has a cofactor"), ..proof.clone() }];
    if let Some(point) = outside_g1 {
        bad.extend([Parts { a: point, ..proof.clone() }, Parts { c: point, ..proof.clone() }]);
        // Right in the pairing but for the cofactor's part, which the final exponentiation removes.
        let small = point.mul_bigint(order::<E>()).into_affine();
        assert!(!small.is_zero());
        bad.push(Parts { a: (proof.a + small).into_affine(), ..proof.clone() });
    }
    for bad in bad {
        assert_eq!(key.verify(&bad.bytes(), &bad.signal_bytes()), Verdict::Invalid);
    }
}

/// Not a fault: Groth16 is malleable, and callers must know (see the module's documentation).
fn takes_proofs_that_were_changed_without_the_witness<E: Curve>() {
    let fixture = Fixture::<E>::new(1);
    let (key, proof) = (fixture.prepared(), fixture.proof(0));
    let by = E::ScalarField::from(12345u64);
    let scaled =
        Parts { a: (proof.a * by).into_affine(), b: (proof.b * by.inverse().unwrap()).into_affine(), ..proof.clone() };
    let shifted = Parts {
        b: (proof.b + fixture.delta2() * by).into_affine(),
        c: (proof.c + proof.a * by).into_affine(),
        ..proof.clone()
    };
    for changed in [scaled, shifted] {
        assert_ne!(changed.bytes(), proof.bytes());
        assert_eq!(key.verify(&changed.bytes(), &changed.signal_bytes()), Verdict::Valid);
    }
}

fn lets_the_equation_decide_at_infinity<E: Curve>() {
    let fixture = Fixture::<E>::new(1);
    let key = fixture.prepared();
    let zero = E::ScalarField::from(0u64);
    for (a, b) in [(zero, E::ScalarField::ONE), (E::ScalarField::ONE, zero), (zero, zero)] {
        let forged = fixture.forged(a, b, vec![E::ScalarField::ONE]);
        assert!(fixture.arkworks(&forged));
        assert_eq!(key.verify(&forged.bytes(), &forged.signal_bytes()), Verdict::Valid);
        assert_eq!(batch(&key, &vec![(forged.bytes(), forged.signal_bytes()); 2]), [Verdict::Valid; 2]);
        let at_infinity = Parts { c: E::G1Affine::zero(), ..forged };
        assert_eq!(key.verify(&at_infinity.bytes(), &at_infinity.signal_bytes()), Verdict::Invalid);
    }
    let nothing = vec![0; E::ID.proof_bytes()];
    assert_eq!(key.verify(&nothing, &[0; 32]), Verdict::Invalid);
}

fn refuses_every_single_bit_change<E: Curve>() {
    let fixture = Fixture::<E>::new(1);
    let (key, proof) = (fixture.prepared(), fixture.proof(0));
    let (bytes, signals) = (proof.bytes(), proof.signal_bytes());
    for bit in 0..8 * bytes.len() {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(key.verify(&changed, &signals), Verdict::Valid, "bit {bit} of the proof");
    }
    for bit in 0..8 * signals.len() {
        let mut changed = signals.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.verify(&bytes, &changed), Verdict::Invalid, "bit {bit} of the signals");
    }
}

fn batch(key: &PreparedKey, items: &[(Vec<u8>, Vec<u8>)]) -> Vec<Verdict> {
    let (proofs, signals): (Vec<_>, Vec<_>) = items.iter().cloned().unzip();
    key.verify_batch(ColumnBuf::from_items(&proofs).view(), ColumnBuf::from_items(&signals).view())
}

fn finds_a_bad_proof_at_each_place_of_a_batch<E: Curve>() {
    let fixture = Fixture::<E>::new(2);
    let key = fixture.prepared();
    let good: Vec<_> = (0..5).map(|i| (fixture.proof(i).bytes(), fixture.proof(i).signal_bytes())).collect();
    assert_eq!(batch(&key, &good), [Verdict::Valid; 5]);
    let mut expected;
    for bad in 0..good.len() {
        let mut items = good.clone();
        expected = [Verdict::Valid; 5];
        items[bad].1[63] ^= 1;
        expected[bad] = Verdict::Invalid;
        assert_eq!(batch(&key, &items), expected, "bad at {bad}");
        let other = (bad + 2) % good.len();
        items[other].0[3] ^= 1;
        expected[other] = Verdict::Malformed;
        assert_eq!(batch(&key, &items), expected, "bad at {bad}, malformed at {other}");
        let third = (bad + 4) % good.len();
        items[third].1[0] = 0xff;
        expected[third] = Verdict::Invalid;
        assert_eq!(batch(&key, &items), expected, "a signal ≥ r at {third} besides");
    }
    let mut all_bad = good;
    all_bad.iter_mut().for_each(|item| item.1[31] ^= 1);
    assert_eq!(batch(&key, &all_bad), [Verdict::Invalid; 5]);
}

/// With coefficients of one, C + D and C − D would make a good batch of two bad proofs.
fn is_not_fooled_by_errors_that_cancel<E: Curve>() {
    let fixture = Fixture::<E>::new(1);
    let (key, first, second) = (fixture.prepared(), fixture.proof(0), fixture.proof(1));
    let error = E::G1Affine::generator();
    let first = Parts { c: (first.c + error).into_affine(), ..first };
    let second = Parts { c: (second.c - error).into_affine(), ..second };
    // Three: two are not combined.
    let items = [&first, &second, &fixture.proof(2)].map(|proof| (proof.bytes(), proof.signal_bytes()));
    assert_eq!(batch(&key, &items), [Verdict::Invalid, Verdict::Invalid, Verdict::Valid]);
}

fn takes_batches_of_none_and_of_one<E: Curve>() {
    let fixture = Fixture::<E>::new(0);
    let (key, proof) = (fixture.prepared(), fixture.proof(0));
    assert_eq!(key.public_signals(), 0);
    assert!(batch(&key, &[]).is_empty());
    assert_eq!(batch(&key, &[(proof.bytes(), vec![])]), [Verdict::Valid]);
    assert_eq!(batch(&key, &[(vec![7; 3], vec![])]), [Verdict::Malformed]);
    let proofs = ColumnBuf::from_items(&[proof.bytes(), proof.bytes()]);
    let signals = ColumnBuf::from_items(&[vec![0u8; 0]]);
    assert_eq!(key.verify_batch(proofs.view(), signals.view()), [Verdict::Valid, Verdict::Malformed]);
}

fn refuses_unsound_keys<E: Curve>() {
    let fixture = Fixture::<E>::new(1);
    let (g1, g2) = (2 * E::ID.base_bytes(), 4 * E::ID.base_bytes());
    let bytes = fixture.key_bytes();
    let gamma = g1 + g2..g1 + 2 * g2;
    let delta = g1 + 2 * g2..g1 + 3 * g2;
    let refused = |bytes: Vec<u8>, why: &str| {
        let error = PreparedKey::new(&ProofKey::new(E::ID, bytes.into())).err().expect(why).to_string();
        assert!(error.contains(why), "{error} should say {why}");
    };
    let mut equal = bytes.clone();
    equal.copy_within(delta.clone(), gamma.start);
    refused(equal, "gamma equals delta");
    let mut at_infinity = bytes.clone();
    at_infinity[delta.clone()].fill(0);
    refused(at_infinity, "infinity");
    let mut off = bytes.clone();
    off[delta.end - 1] ^= 1;
    refused(off, "delta is no point");
    let mut outside_its_subgroup = bytes.clone();
    let point = crate::formats::encoding::g2_to_bytes::<E>(&outside().unwrap());
    outside_its_subgroup[g1..g1 + g2].copy_from_slice(&point);
    refused(outside_its_subgroup, "beta is outside");
    let last = bytes.len() - 1;
    refused(bytes[..last].to_vec(), "length");
    refused(bytes[..g1 + 3 * g2].to_vec(), "length");
    refused(vec![], "length");
}

fn survives_garbage<E: Curve>() {
    let fixture = Fixture::<E>::new(1);
    let key = fixture.prepared();
    let garbage = [0x00, 0x01, 0x7f, 0x80, 0xff].map(|byte| vec![byte; E::ID.proof_bytes()]);
    for bytes in garbage {
        let verdict = catch_unwind(AssertUnwindSafe(|| key.verify(&bytes, &[0; 32])));
        assert!(matches!(verdict, Ok(Verdict::Malformed | Verdict::Invalid)));
    }
}

/// A scheduler gives each core one thread: what it verifies must not reach for rayon's global pool.
#[test]
fn a_thread_can_be_kept_to() {
    let key_and_proof = || {
        let fixture = Fixture::<Bn254>::new(1);
        (fixture.prepared(), fixture.proof(0))
    };
    let verifies_alone = move || {
        let (key, proof) = key_and_proof();
        for _ in 0..2 {
            keep_to_this_thread();
            let items = vec![(proof.bytes(), proof.signal_bytes()); 3];
            assert_eq!(batch(&key, &items), [Verdict::Valid; 3]);
            let here = std::thread::current().id();
            let where_rayon_works = || std::thread::current().id();
            assert_eq!(rayon::join(where_rayon_works, where_rayon_works), (here, here));
        }
    };
    std::thread::spawn(verifies_alone).join().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| {
        keep_to_this_thread();
        assert_eq!(rayon::current_num_threads(), 2, "a pool's thread stays in its pool");
    });
}
