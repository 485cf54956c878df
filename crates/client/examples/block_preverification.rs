//! How a node has a block checked before it executes it: one call for the whole block, from then on the node's own check of a
//! transaction is a lookup. Where the sidecar is away, the same rules run in this process: the node goes on, slower, and says
//! so.
//!
//! ```sh
//! cargo run -p outrigger-client --example block_preverification -- unix:/run/outrigger/outrigger.sock transactions.json
//! ```
//!
//! The file is a JSON array of raw transactions in hex, as `eth_getRawTransactionByHash` gives each.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use outrigger_algorithms::ethereum::block;
use outrigger_client::{CallOptions, Client, ClientOptions, Fallback, Origin};
use outrigger_types::{ColumnBuf, EthereumWork, Priority, Verdict, Work};

/// A block is worthless to a validator after this.
const DEADLINE: Duration = Duration::from_millis(500);

type Hash = [u8; 32];
type Address = [u8; 20];

/// Senders of the transactions whose signatures hold, by transaction hash.
struct Preverified {
    senders: HashMap<Hash, Address>,
    origin: Origin,
}

impl Preverified {
    /// Has all of a block checked in one call.
    async fn of(client: &Client, chain_id: u64, raw: &[Vec<u8>]) -> Result<Self, Box<dyn Error>> {
        let work =
            EthereumWork { transactions: ColumnBuf::from_items(raw), chain_id: Some(chain_id), allow_high_s: false };
        let options = CallOptions { priority: Priority::Block, deadline: Some(DEADLINE), backend: None };
        let answer = client.run(Work::EthereumTransactions(work), options).await?;
        // An answer of a transaction: its hash, its sender, its type.
        let found = answer.output.fixed.chunks_exact(53).zip(&answer.output.verdicts);
        let valid = found.filter(|(_, verdict)| **verdict == Verdict::Valid);
        let senders = valid.map(|(found, _)| Ok((found[..32].try_into()?, found[32..52].try_into()?)));
        let senders = senders.collect::<Result<_, std::array::TryFromSliceError>>()?;
        Ok(Self { senders, origin: answer.origin })
    }

    /// What the node asks when it executes: no curve is touched. `None` rejects the transaction.
    fn sender(&self, hash: &Hash) -> Option<&Address> {
        self.senders.get(hash)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, file] = &arguments[..] else {
        return Err("usage: block_preverification ENDPOINT TRANSACTIONS.json".into());
    };
    let raw = block::parse_raw_list(&std::fs::read(file)?)?;
    let options = ClientOptions { fallback: Fallback::Local, ..ClientOptions::new(endpoint.parse()?) };
    let client = Client::connect(options).await?;

    let preverified = Preverified::of(&client, 1, &raw).await?;
    if preverified.origin == Origin::Local {
        eprintln!("the sidecar did not answer: checked in this process");
    }
    for transaction in &raw {
        let hash: Hash = outrigger_algorithms::keccak::keccak256(transaction);
        match preverified.sender(&hash) {
            Some(sender) => println!("{} from {}", hex(&hash), hex(sender)),
            None => println!("{} rejected", hex(&hash)),
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("0x"), |text, byte| text + &format!("{byte:02x}"))
}
