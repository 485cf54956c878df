//! The lanes give what the CPU gives, item by item: whole batches, on both units. (All other tests of the room run
//! each of their items through the lanes too.)

use k256::{ProjectivePoint, Scalar};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::batches::items;
use super::textbook::{self, Signature, coordinates, negated, number, small};
use super::*;

/// The units of this machine.
fn units() -> Vec<Unit> {
    let detected = Unit::detect();
    if detected.is_none() {
        eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so only the portable lanes were compared");
    }
    std::iter::once(Unit::PORTABLE).chain(detected).collect()
}

/// Verification, and recovery where the ruleset has it, on every unit and by the kernels against the CPU. Gives the CPU's verdicts.
fn compare(ruleset: Ruleset, items: &[Triple], units: &[Unit]) -> Vec<Verdict> {
    let count = items.len();
    let verify = Work::Verify(work(ruleset, items));
    let expected = crate::run(&verify, 0..count);
    let recovery = RECOVERABLE.contains(&ruleset).then(|| Work::Recover(work(ruleset, items)));
    assert_eq!(gpu::run(&verify), expected, "{ruleset}: kernels");
    if let Some(recovery) = &recovery {
        assert_eq!(gpu::run(recovery), crate::run(recovery, 0..count), "{ruleset}: kernels");
    }
    for &unit in units {
        assert_eq!(crate::lanes::run(unit, &verify, 0..count), expected, "{ruleset} on {}", unit.name());
        let (by_table, tables) = run_by_table(unit, &work(ruleset, items)).expect("this room has tables");
        assert_eq!(by_table, expected, "{ruleset} on {} by table", unit.name());
        assert_eq!(tables.damaged, 0, "{ruleset}");
        if let Some(recovery) = &recovery {
            let expected = crate::run(recovery, 0..count);
            assert_eq!(crate::lanes::run(unit, recovery, 0..count), expected, "{ruleset} on {}", unit.name());
        }
    }
    expected.verdicts
}

/// Every length from 1 to 17, and one that takes several pieces.
#[test]
fn batches_of_every_length_are_judged() {
    for rules in ROOM.rulesets {
        let good = items(rules.ruleset);
        let repeated: Vec<Triple> = good.iter().cycle().take(600).cloned().collect();
        for length in 1..=17 {
            let verdicts = compare(rules.ruleset, &repeated[..length], &units());
            assert_eq!(verdicts, vec![Verdict::Valid; length]);
        }
        let detected: Vec<Unit> = Unit::detect().into_iter().collect();
        compare(rules.ruleset, &repeated, &detected);
        let whole = Work::Verify(work(rules.ruleset, &repeated));
        for &unit in &detected {
            assert_eq!(crate::lanes::run(unit, &whole, 250..520).verdicts, [Verdict::Valid; 270]);
        }
    }
}

/// Several bad items, of every kind, in every place.
#[test]
fn bad_items_cost_themselves_alone() {
    let mut random = StdRng::seed_from_u64(0x1a9e);
    for rules in ROOM.rulesets {
        let good = items(rules.ruleset);
        for round in 0..12 {
            let mut items: Vec<Triple> = good.iter().cycle().skip(round).take(24).cloned().collect();
            for item in &mut items {
                if random.random_range(0..3) == 0 {
                    damage(item, &mut random);
                }
            }
            compare(rules.ruleset, &items, &units());
        }
    }
}

fn damage(item: &mut Triple, random: &mut StdRng) {
    let part = match random.random_range(0..3) {
        0 => &mut item.key,
        1 => &mut item.signature,
        _ => &mut item.message,
    };
    match random.random_range(0..6) {
        0 => part.fill(0),
        1 => part.fill(0xff),
        2 => part.truncate(random.random_range(0..part.len())),
        _ => {
            let bit = random.random_range(0..8 * part.len());
            part[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

/// Thousands of mutations in batches of hundreds.
#[test]
fn mutations_are_judged_as_by_the_cpu() {
    let mut random = StdRng::seed_from_u64(0x3117a7e);
    for rules in ROOM.rulesets {
        let good = items(rules.ruleset);
        for _ in 0..4 {
            let mut items: Vec<Triple> = good.iter().cycle().take(390).cloned().collect();
            items.iter_mut().skip(1).for_each(|item| damage(item, &mut random));
            let verdicts = compare(rules.ruleset, &items, &Unit::detect().into_iter().collect::<Vec<_>>());
            assert_eq!(verdicts[0], Verdict::Valid);
        }
    }
}

/// Keys for which digits of both sums meet: ±k·G, ±λ·k·G, and scalars for which the sums cancel or are the same point
/// at some step. Mixed among ordinary items, which must not notice.
#[test]
fn special_keys_and_scalars_are_judged() {
    let lambda: [u8; 32] = bytes("5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72");
    let lambda = textbook::scalar(&lambda).expect("below n");
    let mut secrets = Vec::new();
    for k in [1_u32, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 255, 511, 512, 1023, 1024] {
        let k = Scalar::from(k);
        secrets.extend([k, -k, k * lambda, -(k * lambda), k * lambda * lambda, -(k * lambda * lambda)]);
    }
    let scalars: Vec<Scalar> = [1_u32, 2, 3, 31, 32, 33, 1 << 10]
        .into_iter()
        .flat_map(|k| {
            let k = Scalar::from(k);
            [k, -k, k * lambda, k.invert().expect("not zero")]
        })
        .collect();
    let mut batches = RECOVERABLE.map(|_| Vec::new());
    let mut bitcoin = Vec::new();
    for (i, secret) in secrets.iter().enumerate() {
        let key = coordinates(&(ProjectivePoint::GENERATOR * secret));
        for (j, nonce) in scalars.iter().enumerate() {
            // Digests such that u₁ is 0, u₁·G = ±u₂·Q, and others.
            let r = textbook::sign(&[0; 32], secret, nonce).r;
            let r_scalar = textbook::reduced(&r);
            let digests = [Scalar::ZERO, r_scalar * secret, -(r_scalar * secret), *nonce];
            let digest = number(&digests[(i + j) % 4]);
            let signature = textbook::sign(&digest, secret, nonce);
            let Signature { r, s, recovery_id } = signature;
            if s == [0; 32] {
                // The sum would be infinity: any s will do.
                let s = small(7);
                bitcoin.push(triple([&[4], &key[..]].concat(), der(&r, &s), digest));
                continue;
            }
            bitcoin.push(triple([&[4], &key[..]].concat(), der(&r, &s), digest));
            bitcoin.push(triple([&[2 | key[63] & 1], &key[..32]].concat(), der(&r, &negated(&s)), digest));
            for batch in &mut batches {
                batch.push(triple(key, joined(&r, &s, recovery_id), digest));
                batch.push(triple(textbook::address(&key), joined(&r, &negated(&s), recovery_id ^ 1), digest));
            }
        }
    }
    let detected: Vec<Unit> = Unit::detect().into_iter().collect();
    for (ruleset, batch) in RECOVERABLE.into_iter().zip(&batches) {
        compare(ruleset, batch, &detected);
        compare(ruleset, &batch[..48], &[Unit::PORTABLE]);
    }
    let verdicts = compare(Ruleset::Bitcoin, &bitcoin, &detected);
    assert!(verdicts.iter().filter(|&&verdict| verdict == Verdict::Valid).count() > verdicts.len() / 2);
}
