use std::time::Duration;

use outrigger_algorithms::ethereum;
use outrigger_types::{Output, Verdict, Work};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::Sizes;
use super::ethereum::{Account, part};
use crate::cli::ChainBenchArgs;

fn asked(block_ms: u32, seconds: u32) -> ChainBenchArgs {
    ChainBenchArgs {
        mix: Vec::new(),
        rate: None,
        block_ms,
        seconds,
        deadline_ms: 100,
        bad_per_mille: 10,
        burst: 1,
        catch_up: 0,
        proofs_beside: 0,
    }
}

#[test]
fn a_burst_brings_blocks_together_and_changes_no_rate() {
    let sizes = Sizes::new(&asked(100, 60), 10_000).map_err(|error| error.to_string()).expect("a good plan");
    assert_eq!((sizes.transactions, sizes.distinct), (1_000, 100));
    let dues = |burst| -> Vec<u128> {
        let plan = sizes.plan(&[], Duration::from_secs(2), burst);
        assert_eq!(plan.length, Duration::from_secs(2));
        plan.dues.iter().map(Duration::as_millis).collect()
    };
    assert_eq!(dues(1), (0..20).map(|block| block * 100).collect::<Vec<_>>());
    let together = dues(3);
    assert_eq!(together[..5], [200, 200, 200, 300, 400]);
    assert_eq!(together[10..14], [1_200, 1_200, 1_200, 1_300]);
}

#[test]
fn a_rate_below_a_transaction_a_block_is_refused_with_what_would_do() {
    let error = Sizes::new(&asked(100, 60), 9).map(|_| ()).expect_err("no transaction in a block");
    assert!(error.to_string().contains("at least 10"), "{error}");
}

#[test]
fn raw_transactions_have_the_senders_and_the_verdicts_that_they_say() {
    let mut rng = StdRng::seed_from_u64(8);
    let accounts: Vec<_> = (0..3).map(|_| Account::draw(&mut rng)).collect();
    let bad: Vec<bool> = (0..60).map(|i| i % 3 == 0).collect();
    let part = part(&accounts, &bad, &mut rng);
    let Work::EthereumTransactions(work) = part.work.as_ref() else { panic!("raw transactions") };
    let mut output = Output::unprocessed(part.work.operation(), bad.len());
    ethereum::verify(work, 0..bad.len(), &mut output);
    assert_eq!(output.verdicts, part.expected);
    for verdict in [Verdict::Valid, Verdict::Invalid, Verdict::Malformed] {
        assert!(part.expected.contains(&verdict), "{verdict:?}");
    }
    let found = part.found.expect("senders");
    for (i, sender) in found.bytes.iter().enumerate().filter(|(i, _)| !bad[*i]) {
        let begin = i * 53 + found.at;
        assert_eq!(output.fixed[begin..begin + 20], sender[..], "transaction {i}");
    }
}
