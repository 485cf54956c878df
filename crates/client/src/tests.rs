//! The client against a fake sidecar over a real Unix socket.

mod fake;
mod faults;
mod proofs;
pub(crate) mod rule;
mod singles;
mod sockets;
mod work;

use std::time::Duration;

use outrigger_types::{ColumnBuf, Keys, MessageForm, Ruleset, SignatureOptions, SignatureWork, Work};

use self::fake::Fake;
use crate::{BreakerOptions, Client, ClientOptions, Endpoint, Fallback, RetryOptions};

/// Options for tests: errors show, and waits are short.
fn options(fake: &Fake) -> ClientOptions {
    ClientOptions {
        fallback: Fallback::None,
        deadline: Some(Duration::from_secs(20)),
        retry: RetryOptions {
            attempts_max: 3,
            backoff_base: Duration::from_millis(2),
            backoff_max: Duration::from_millis(10),
        },
        breaker: BreakerOptions { failures_max: 5, probe_interval: Duration::from_millis(100) },
        ..ClientOptions::new(Endpoint::Unix(fake.path.clone()))
    }
}

async fn client(options: ClientOptions) -> Client {
    Client::connect_with_runner(options, rule::runner()).await.expect("a client")
}

/// An item that no other number gives: key, signature, digest.
fn item(i: usize) -> [Vec<u8>; 3] {
    let mut parts = [vec![2; 33], vec![3; 64], vec![5; 32]];
    for part in &mut parts {
        part[..8].copy_from_slice(&(i as u64).to_be_bytes());
    }
    parts
}

fn verify_work(count: usize) -> Work {
    let items: Vec<_> = (0..count).map(item).collect();
    let column = |part: usize| ColumnBuf::from_items(&items.iter().map(|item| &item[part]).collect::<Vec<_>>());
    Work::Verify(SignatureWork {
        ruleset: Ruleset::Bip340,
        options: SignatureOptions::new(MessageForm::Digest),
        keys: Keys::Inline(column(0)),
        signatures: column(1),
        messages: column(2),
    })
}
