//! Raw Ethereum transactions of type 2 (EIP-1559), signed, with the senders that must come out.

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use outrigger_types::{ColumnBuf, EthereumWork, Verdict, Work};
use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use sha3::{Digest, Keccak256};

use crate::play::{Found, Part};

/// The chain that the transactions are for.
const CHAIN_ID: u64 = 1;
/// The order of secp256k1's group (SEC 2, section 2.4.1).
const ORDER: U256 = U256::from_limbs([0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, u64::MAX]);
/// Where an answer has the sender: after the hash.
const SENDER_AT: usize = 32;
/// A transfer of a token: selector, address, amount.
const TRANSFER_BYTES: usize = 68;

/// An account that sends.
pub(super) struct Account {
    key: secp256k1::Keypair,
    address: [u8; 20],
}

impl Account {
    pub(super) fn draw(rng: &mut impl Rng) -> Self {
        let mut seed = [0; 32];
        rng.fill(&mut seed[..]);
        // Below the order for certain.
        seed[0] &= 0x7f;
        let key = secp256k1::Keypair::from_secret_bytes(seed).expect("a scalar below the order");
        let hash = Keccak256::digest(&key.public_key().serialize_uncompressed()[1..]);
        Self { key, address: hash[12..].try_into().expect("20 bytes") }
    }

    /// A signed transaction, canonical; with S in the upper half where it is to be high.
    fn send(&self, nonce: u64, is_high: bool, rng: &mut StdRng) -> Vec<u8> {
        let mut to = [0; 20];
        rng.fill(&mut to[..]);
        let mut input = vec![0; if rng.random_bool(0.5) { TRANSFER_BYTES } else { 0 }];
        rng.fill(&mut input[..]);
        let transaction = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit: 65_000,
            max_fee_per_gas: 30_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
            to: TxKind::Call(Address::from(to)),
            value: U256::from(rng.random::<u64>()),
            access_list: Default::default(),
            input: Bytes::from(input),
        };
        let digest = secp256k1::Message::from_digest(transaction.signature_hash().0);
        let signature = secp256k1::ecdsa::RecoverableSignature::sign_ecdsa_recoverable(digest, &self.key.secret_key());
        let (recovery, rs) = signature.serialize_compact();
        let (r, s) = (U256::from_be_slice(&rs[..32]), U256::from_be_slice(&rs[32..]));
        let is_odd = recovery.to_u8() & 1 == 1;
        let signature = if is_high { Signature::new(r, ORDER - s, !is_odd) } else { Signature::new(r, s, is_odd) };
        transaction.into_signed(signature).encoded_2718()
    }
}

/// One transaction an entry of `bad`: those have a high S, or their last byte is missing.
pub(super) fn part(accounts: &[Account], bad: &[bool], rng: &mut StdRng) -> Part {
    let mut raw = Vec::with_capacity(bad.len());
    let mut expected = Vec::with_capacity(bad.len());
    let mut senders = Vec::with_capacity(bad.len());
    for (nonce, is_bad) in bad.iter().enumerate() {
        let account = &accounts[rng.random_range(0..accounts.len())];
        let is_cut = *is_bad && rng.random_bool(0.5);
        let mut transaction = account.send(nonce as u64, *is_bad && !is_cut, rng);
        if is_cut {
            transaction.pop();
        }
        expected.push(match (is_bad, is_cut) {
            (false, _) => Verdict::Valid,
            (true, true) => Verdict::Malformed,
            (true, false) => Verdict::Invalid,
        });
        raw.push(transaction);
        senders.push(account.address.to_vec());
    }
    let work =
        EthereumWork { transactions: ColumnBuf::from_items(&raw), chain_id: Some(CHAIN_ID), allow_high_s: false };
    let found = Some(Found { at: SENDER_AT, bytes: senders });
    Part { work: Arc::new(Work::EthereumTransactions(work)), expected, found }
}
