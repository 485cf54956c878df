//! `outrigger merkle`.

use std::process::ExitCode;

use outrigger_algorithms::merkle;
use outrigger_types::{HashAlgorithm, MerkleTree, MerkleWork, Verdict, Work};
use serde::Serialize;

use crate::cli::{Failure, MerkleArgs};
use crate::runner::Runner;
use crate::{items, print};

#[derive(Serialize)]
struct Report {
    verdict: &'static str,
    root: Option<String>,
    leaves: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<Proof>,
}

#[derive(Serialize)]
struct Proof {
    index: usize,
    leaf_hash: String,
    siblings: Vec<Sibling>,
}

#[derive(Serialize)]
struct Sibling {
    side: &'static str,
    hash: String,
}

/// Builds the tree of a file of leaves.
pub(crate) fn run(args: &MerkleArgs) -> Result<ExitCode, Failure> {
    let leaves = items::hex_list(&items::read(&args.items)?)?;
    let algorithm = algorithm(args.tree, args.algorithm)?;
    let count = leaves.len();
    if let Some(index) = args.prove {
        if args.tree == MerkleTree::EthereumTrie {
            return Err(Failure::input("--prove: ethereum-trie has no proofs here"));
        }
        if index >= count {
            return Err(Failure::input(format_args!("--prove {index}: there are {count} leaves, numbered from 0")));
        }
    }
    let runner = Runner::new(&args.target)?;
    let output = runner.run(Work::Merkle(MerkleWork { tree: args.tree, algorithm, leaves, prove: args.prove }))?;
    let verdict = output.verdicts[0];
    let is_built = verdict == Verdict::Valid;
    let report = Report {
        verdict: verdict.name(),
        root: is_built.then(|| print::hex(&output.fixed)),
        leaves: count,
        proof: args.prove.filter(|_| is_built).map(|index| proof(index, output.variable_item(0))),
    };
    if args.target.json {
        print::json(&report);
    } else {
        print_tree(&report, verdict);
    }
    Ok(super::processed(&output.verdicts))
}

fn algorithm(tree: MerkleTree, asked: Option<HashAlgorithm>) -> Result<HashAlgorithm, Failure> {
    let taken: Vec<_> =
        HashAlgorithm::ALL.iter().copied().filter(|algorithm| merkle::takes(tree, *algorithm)).collect();
    match asked {
        Some(algorithm) if taken.contains(&algorithm) => Ok(algorithm),
        Some(algorithm) => {
            let names: Vec<_> = taken.iter().map(|algorithm| algorithm.name()).collect();
            Err(Failure::input(format_args!("--algorithm {algorithm}: a {tree} tree takes {}", names.join(", "))))
        }
        None => taken.first().copied().ok_or_else(|| Failure::input(format_args!("no engine builds {tree} trees"))),
    }
}

/// The proof as [`outrigger_types::Operation::output_shape`] lays it out.
fn proof(index: usize, bytes: &[u8]) -> Proof {
    let (leaf_hash, steps) = bytes.split_at(32);
    let sibling =
        |step: &[u8]| Sibling { side: if step[0] == 0 { "left" } else { "right" }, hash: print::hex(&step[1..]) };
    Proof { index, leaf_hash: print::hex(leaf_hash), siblings: steps.chunks(33).map(sibling).collect() }
}

fn print_tree(report: &Report, verdict: Verdict) {
    match &report.root {
        Some(root) => println!("root of {} leaves: {root}", report.leaves),
        None => println!("{}: these leaves make no tree of this kind", print::verdict(verdict)),
    }
    if let Some(proof) = &report.proof {
        println!("leaf {}: {}", proof.index, proof.leaf_hash);
        let mut table = print::table(&["step", "side", "sibling"]);
        for (step, sibling) in proof.siblings.iter().enumerate() {
            table.add_row([step.to_string(), sibling.side.into(), sibling.hash.clone()]);
        }
        println!("{table}");
    }
}
