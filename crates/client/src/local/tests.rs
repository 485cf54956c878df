use std::sync::Arc;

use outrigger_types::{ColumnBuf, EthereumWork, HashAlgorithm, HashWork, Operation, Output, Work};

use super::{LocalRunner, Unit, in_lanes, lanes, run_blocking};
use crate::ClientError;
use crate::tests::rule::{rule, runner};

/// Lengths and authorities vary, so that pieces joined in the wrong order or with the wrong ends show.
fn transactions(count: usize) -> Work {
    let transactions: Vec<Vec<u8>> =
        (0..count).map(|i| [vec![[4, 2, 0xc0][i % 3]], vec![i as u8; i % 9]].concat()).collect();
    Work::EthereumTransactions(EthereumWork {
        transactions: ColumnBuf::from_items(&transactions),
        chain_id: None,
        allow_high_s: false,
    })
}

#[tokio::test]
async fn pieces_join_in_order() {
    // Around one piece of 16, and many.
    for count in [0, 1, 15, 16, 17, 33, 1_000] {
        let work = Arc::new(transactions(count));
        assert_eq!(runner().run(Arc::clone(&work), 0..count).await.unwrap(), rule(&work, 0..count), "{count} items");
        let part = count / 3..count;
        assert_eq!(runner().run_range_blocking(&work, part.clone()), rule(&work, part), "the last of {count} items");
    }
}

#[tokio::test]
async fn a_panic_is_an_error() {
    let runner = LocalRunner::with_functions(1, |_, _| panic!("a bad engine"), |_| true);
    let error = runner.run(Arc::new(transactions(3)), 0..3).await.unwrap_err();
    assert!(matches!(error, ClientError::Internal(_)), "{error}");
}

/// Lanes on plain words, so that this runs anywhere; where they are not faster they do nothing, and answers are the
/// same all the same.
#[test]
fn lanes_give_the_answers_of_the_references() {
    for count in [1, 7, 8, 9, 200] {
        let messages: Vec<Vec<u8>> = (0..count).map(|i| vec![i as u8; i % 150]).collect();
        for &algorithm in HashAlgorithm::ALL.iter().filter(|&&algorithm| algorithm != HashAlgorithm::PoseidonBn254) {
            let work = Work::Hash(HashWork { algorithm, messages: ColumnBuf::from_items(&messages) });
            let expected = outrigger_algorithms::run(&work, 0..count);
            for unit in [Some(Unit::PORTABLE), Unit::detect()] {
                assert_eq!(LocalRunner::with_lanes(2, unit).run_blocking(&work), expected, "{count} of {algorithm}");
                if let Some(unit) = unit.filter(|_| lanes::supports(work.operation())) {
                    assert_eq!(in_lanes(unit, outrigger_algorithms::run, &work, 0..count), expected);
                }
            }
        }
    }
}

#[test]
fn the_references_are_what_runs_by_default() {
    let messages = ColumnBuf::from_items(&[[1; 4]; 3]);
    let work = Work::Hash(HashWork { algorithm: HashAlgorithm::Sha256, messages });
    let expected: Output = outrigger_algorithms::run(&work, 0..3);
    assert_eq!(run_blocking(&work, 1), expected);
    let operation = Operation::Hash(HashAlgorithm::Sha256);
    assert_eq!(LocalRunner::new(1).supports(operation), outrigger_algorithms::supports(operation));
}
