use clap::Parser;

use super::*;
use crate::cli::{Cli, Command};

fn refusal(arguments: &[&str]) -> String {
    let line = [&["outrigger", "verify", "--local"], arguments].concat();
    let cli = Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{error}"));
    let Command::Verify(args) = cli.command else { panic!("verify") };
    run(&args).expect_err("refused").to_string()
}

#[test]
fn a_chain_id_that_would_be_ignored_is_refused() {
    assert!(refusal(&["--ethereum-transactions", "/nowhere", "--chain-id", "0"]).contains("--chain-id 0"));
    assert!(refusal(&["--ethereum-block", "/nowhere", "--chain-id", "0"]).contains("--chain-id 0"));
    let items = ["--items", "/nowhere", "--ruleset", "ethereum-transaction", "--chain-id", "1"];
    assert!(refusal(&items).contains("--chain-id belongs"));
    assert!(refusal(&["--ethereum-transactions", "/nowhere", "--chain-id", "1"]).contains("cannot read"));
}
