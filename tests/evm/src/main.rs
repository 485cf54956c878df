//! What an EVM says of calls to a contract: `evm-judge CODE CALLS` deploys the creation code in the file CODE and makes
//! each call of the file CALLS, one a line. Everything is hex. Prints one line a call: the returned data in hex, or
//! `reverted`.

use revm::context::TxEnv;
use revm::context::result::{ExecutionResult, Output};
use revm::database::{CacheDB, EmptyDB};
use revm::primitives::{Bytes, TxKind};
use revm::{Context, ExecuteCommitEvm, MainBuilder, MainContext};
use std::error::Error;
use std::process::ExitCode;

/// More than a verification takes (about 250,000), less than the cap on a transaction.
const GAS: u64 = 10_000_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [code, calls] = arguments.as_slice() else {
        eprintln!("usage: evm-judge CODE CALLS");
        return 2.into();
    };
    match judge(code, calls) {
        Ok(answers) => {
            println!("{}", answers.join("\n"));
            0.into()
        }
        Err(error) => {
            eprintln!("error: {error}");
            1.into()
        }
    }
}

fn judge(code: &str, calls: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let mut chain = Context::mainnet().with_db(CacheDB::<EmptyDB>::default()).build_mainnet();
    let mut send = |to: TxKind, data: &str, nonce: u64| -> Result<ExecutionResult, Box<dyn Error>> {
        let data = Bytes::from(hex::decode(data.trim().trim_start_matches("0x"))?);
        let transaction = TxEnv::builder().kind(to).data(data).nonce(nonce).gas_limit(GAS).build();
        Ok(chain.transact_commit(transaction.map_err(|error| format!("{error:?}"))?)?)
    };
    let deployed = send(TxKind::Create, &std::fs::read_to_string(code)?, 0)?;
    let ExecutionResult::Success { output: Output::Create(_, Some(contract)), .. } = deployed else {
        return Err(format!("the contract was not deployed: {deployed:?}").into());
    };
    let mut answers = Vec::new();
    for (call, nonce) in std::fs::read_to_string(calls)?.lines().zip(1..) {
        answers.push(match send(TxKind::Call(contract), call, nonce)? {
            ExecutionResult::Success { output, .. } => hex::encode(output.data()),
            ExecutionResult::Revert { .. } => "reverted".into(),
            ExecutionResult::Halt { reason, .. } => return Err(format!("the machine halted: {reason:?}").into()),
        });
    }
    Ok(answers)
}
