//! Blocks and raw transactions.

use std::path::Path;
use std::process::ExitCode;

use outrigger_algorithms::ethereum::{Reason, block};
use outrigger_types::{ColumnBuf, EthereumWork, HashAlgorithm, MerkleTree, MerkleWork, Output, Verdict, Work};
use serde::Serialize;

use crate::cli::{Failure, VerifyArgs};
use crate::runner::Runner;
use crate::{items, print};

/// What came out for a list of transactions.
#[derive(Serialize)]
pub(crate) struct Checked {
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) transactions_root: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transactions_root_reason: Option<String>,
    /// What the block's JSON claims and the computation does not confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mismatches: Option<Vec<String>>,
}

/// What came out for one transaction.
#[derive(Serialize)]
pub(crate) struct Transaction {
    pub(crate) hash: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// EIP-7702: the authority of each authorization, null where none can be recovered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) authorities: Vec<Option<String>>,
}

/// Verifies a JSON array of raw transactions.
pub(crate) fn raw(path: &Path, args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let list = block::parse_raw_list(&items::read(path)?).map_err(Failure::input)?;
    let runner = Runner::new(&args.target)?;
    let raw: Vec<Option<Vec<u8>>> = list.into_iter().map(Some).collect();
    let checked = check(&raw, &[], args.chain_id, args.allow_high_s, &runner)?;
    Ok(report(&checked, args.target.json))
}

/// Verifies a block as a node returns it.
pub(crate) fn block(path: &Path, args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let runner = Runner::new(&args.target)?;
    let checked = check_block(&items::read(path)?, args.chain_id, args.allow_high_s, &runner)?;
    Ok(report(&checked, args.target.json))
}

/// Verifies a block's JSON, and compares what it claims with what comes out.
pub(crate) fn check_block(
    json: &[u8],
    chain_id: Option<u64>,
    allow_high_s: bool,
    runner: &Runner,
) -> Result<Checked, Failure> {
    let block = block::parse(json).map_err(Failure::input)?;
    let raw: Vec<_> = block.transactions.iter().map(|transaction| transaction.raw.clone()).collect();
    let reasons: Vec<_> = block.transactions.iter().map(|transaction| transaction.reason).collect();
    let mut checked = check(&raw, &reasons, chain_id, allow_high_s, runner)?;
    let mut mismatches = Vec::new();
    let mut compare = |what: String, claimed: Option<&[u8]>, computed: Option<&String>| {
        if let (Some(claimed), Some(computed)) = (claimed, computed)
            && print::hex(claimed) != *computed
        {
            mismatches.push(format!("{what}: the block says {}, computed {computed}", print::hex(claimed)));
        }
    };
    for (i, (claim, found)) in block.transactions.iter().zip(&checked.transactions).enumerate() {
        compare(
            format!("transaction {i}, hash"),
            claim.claimed_hash.as_ref().map(|hash| &hash[..]),
            found.hash.as_ref(),
        );
        compare(
            format!("transaction {i}, from"),
            claim.claimed_from.as_ref().map(|from| &from[..]),
            found.from.as_ref(),
        );
    }
    compare("transactionsRoot".into(), Some(&block.transactions_root), checked.transactions_root.as_ref());
    checked.mismatches = Some(mismatches);
    Ok(checked)
}

/// Verifies raw transactions; `None` stands for one that has no raw form that this version knows.
fn check(
    raw: &[Option<Vec<u8>>],
    reasons: &[Reason],
    chain_id: Option<u64>,
    allow_high_s: bool,
    runner: &Runner,
) -> Result<Checked, Failure> {
    let known: Vec<&Vec<u8>> = raw.iter().flatten().collect();
    let columns = ColumnBuf::from_items(&known);
    let work = EthereumWork { transactions: columns.clone(), chain_id, allow_high_s };
    let output = runner.run(Work::EthereumTransactions(work))?;
    let mut next = 0;
    let mut transactions = Vec::with_capacity(raw.len());
    for (i, one) in raw.iter().enumerate() {
        if one.is_some() {
            transactions.push(transaction(&output, next));
            next += 1;
        } else {
            let reason = reasons.get(i).map(|reason| reason.name().to_owned());
            let verdict = Verdict::Unprocessed.name();
            transactions.push(Transaction { hash: None, from: None, verdict, reason, authorities: Vec::new() });
        }
    }
    let (transactions_root, transactions_root_reason) = match transactions.iter().position(|one| one.hash.is_none()) {
        None => (root(columns, runner)?, None),
        Some(i) => (None, Some(format!("transaction {i} is of an unknown type or cannot be decoded"))),
    };
    Ok(Checked { transactions, transactions_root, transactions_root_reason, mismatches: None })
}

fn root(leaves: ColumnBuf, runner: &Runner) -> Result<Option<String>, Failure> {
    let (tree, algorithm) = (MerkleTree::EthereumTrie, HashAlgorithm::Keccak256);
    let output = runner.run(Work::Merkle(MerkleWork { tree, algorithm, leaves, prove: None }))?;
    Ok((output.verdicts[0] == Verdict::Valid).then(|| print::hex(&output.fixed)))
}

fn transaction(output: &Output, i: usize) -> Transaction {
    let verdict = output.verdicts[i];
    let reason = Reason::from_byte(output.reasons[i]).unwrap_or_default();
    let bytes = &output.fixed[i * 53..(i + 1) * 53];
    let authority = |one: &[u8]| (one[0] == 1).then(|| print::hex(&one[1..]));
    Transaction {
        hash: is_decoded(reason).then(|| print::hex(&bytes[..32])),
        from: (verdict == Verdict::Valid).then(|| print::hex(&bytes[32..52])),
        verdict: verdict.name(),
        reason: (verdict != Verdict::Valid).then(|| reason.name().to_owned()),
        authorities: output.variable_item(i).chunks(21).map(authority).collect(),
    }
}

/// Whether a transaction with this reason has a hash.
const fn is_decoded(reason: Reason) -> bool {
    !matches!(reason, Reason::Decoding | Reason::UnknownType | Reason::PooledForm)
}

fn report(checked: &Checked, as_json: bool) -> ExitCode {
    let is_whole = checked.transactions.iter().all(|one| one.verdict != Verdict::Unprocessed.name());
    if as_json {
        print::json(checked);
    } else {
        print_people(checked);
    }
    if is_whole { ExitCode::SUCCESS } else { ExitCode::from(3) }
}

fn print_people(checked: &Checked) {
    let mut table = print::table(&["", "verdict", "from", "hash"]);
    for (i, one) in checked.transactions.iter().enumerate() {
        let verdict = match &one.reason {
            Some(reason) => format!("{}: {reason}", one.verdict),
            None => one.verdict.to_owned(),
        };
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".into());
        table.add_row([i.to_string(), verdict, or_dash(&one.from), or_dash(&one.hash)]);
    }
    println!("{table}");
    match (&checked.transactions_root, &checked.transactions_root_reason) {
        (Some(root), _) => println!("transactions root {root}"),
        (None, Some(reason)) => println!("no transactions root: {reason}"),
        (None, None) => println!("no transactions root"),
    }
    match checked.mismatches.as_deref() {
        Some([]) => println!("every sender and hash, and the root, are as the block says"),
        Some(mismatches) => mismatches.iter().for_each(|mismatch| println!("MISMATCH {mismatch}")),
        None => {}
    }
}
