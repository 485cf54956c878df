//! The kernels, compiled for the host, against what this room's reference says: what the other tests, which run their
//! items through the kernels too, leave out.

use outrigger_device::Argument;
use outrigger_types::{Operation, Work};

use super::*;
use crate::gpu::{Given, Rows, Session, number, on_host, row};

/// The kernels' verdicts.
pub(super) fn run(work: &SignatureWork) -> Vec<Verdict> {
    on_host::run(&Work::Verify(work.clone())).verdicts
}

#[test]
fn the_rulesets_have_kernels() {
    for rules in ROOM.rulesets {
        assert!(crate::gpu::supports(Operation::Verify(rules.ruleset)), "{}", rules.ruleset);
    }
}

/// By combs of their keys, in any order, the kernels' verdicts are the reference's.
#[test]
fn combs_of_known_signers() {
    const WINDOWS: usize = 32;
    const COMB_BYTES: usize = WINDOWS * 128 * 64;
    let mut random = StdRng::seed_from_u64(74);
    let signed: Vec<Item> = (0..3).map(|_| precompile_item(&mut random)).collect();
    let keys: Vec<[u8; 64]> = signed.iter().map(|item| item.key[..].try_into().expect("64 bytes")).collect();
    // Each signature with each key, and damaged ones.
    let mut items: Vec<(usize, [u8; 32], [u8; 64])> = Vec::new();
    for i in 0..60 {
        let item = &signed[i / 2 % 3];
        let (mut digest, mut signature) =
            (item.message[..].try_into().expect("32"), <[u8; 64]>::try_from(&item.signature[..]).expect("64"));
        match i % 7 {
            5 => digest = [random.random(); 32],
            6 => signature[random.random_range(0..64)] ^= 1,
            _ => {}
        }
        items.push((if i % 4 == 3 { i % 3 } else { i / 2 % 3 }, digest, signature));
    }
    let no_point = [5; 64];
    // In another order than the keys.
    let slots = [2, 0, 3, 1];
    let mut rows = Rows::<41>::with_capacity(items.len());
    for (place, (signer, digest, signature)) in items.iter().enumerate() {
        let [r, s] = halves(signature);
        // Beside a comb the key is not read.
        let [x, y] = halves(&no_point);
        rows.push(place, row([r, s, x, y, number(digest)], &[slots[*signer]]));
    }
    let mut given_keys = Rows::<17>::with_capacity(keys.len() + 1);
    for (place, key) in keys.iter().chain([&no_point]).enumerate() {
        given_keys.push(place, row(halves(key), &[slots[place]]));
    }
    let judge = |session: &mut Session<'_>| {
        session.load("p256")?;
        let base_comb = session.queue().allocate(COMB_BYTES)?;
        session.queue().launch("p256_tables", 4, 8, &[Argument::Buffer(&base_comb, 0)])?;
        let count = given_keys.len();
        let combs = session.queue().allocate(COMB_BYTES * count)?;
        let of_keys = session.queue().allocate(8 * count)?;
        let uploaded = given_keys.upload(session)?;
        let arguments = [
            Argument::Buffer(&uploaded, 0),
            Argument::Buffer(&combs, 0),
            Argument::Buffer(&of_keys, 0),
            Argument::Number(count as u32),
            Argument::Number(1),
            Argument::Number(2),
        ];
        session.queue().launch("p256_signer_tables", (WINDOWS * count / 8) as u32, 8, &arguments)?;
        let mut verdicts = vec![0; 4 * count];
        session.queue().read(&of_keys, 0, &mut verdicts)?;
        let verdicts: Vec<u8> = verdicts.iter().step_by(4).copied().collect();
        assert_eq!(verdicts, [&vec![1; count - 1][..], &[3]].concat());
        let uploaded = rows.upload(session)?;
        let given = [Given::Buffer(&base_comb), Given::Buffer(&combs), Given::Buffer(&uploaded)];
        let rest = [Given::Results, Given::Count, Given::NonceLow, Given::NonceHigh];
        session.judge("p256_verify_known", rows.len(), 0, &[&given[..], &rest[..]].concat())
    };
    let results = on_host::with_session(items.len(), judge).expect("the host runs kernels");
    let mut found = vec![Verdict::Unprocessed; items.len()];
    rows.settle("p256_verify_known", &results, &mut found).expect("verdicts");
    for ((signer, digest, signature), found) in items.iter().zip(found) {
        assert_eq!(
            found,
            precompile(&Item { key: keys[*signer].to_vec(), signature: signature.to_vec(), message: digest.to_vec() })
        );
    }
}

/// The two numbers of 64 bytes.
fn halves(bytes: &[u8; 64]) -> [[u32; 8]; 2] {
    let (first, second) = bytes.split_first_chunk().expect("64 bytes");
    [number(first), number(second.try_into().expect("the other 32"))]
}
