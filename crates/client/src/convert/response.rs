//! Responses to outputs. A response of another shape than its request asks for is an error, whole: no part of it
//! counts as judged.

use outrigger_proto::v1;
use outrigger_types::{EthereumWork, MerkleWork, Operation, Output, Verdict};

use crate::ClientError;

type Converted = Result<Output, ClientError>;

fn broken(what: impl Into<String>) -> ClientError {
    ClientError::Protocol(what.into())
}

fn verdicts(bytes: &[u8], count: usize) -> Result<Vec<Verdict>, ClientError> {
    if bytes.len() != count {
        return Err(broken(format!("{} verdicts for {count} items", bytes.len())));
    }
    if let Some(byte) = bytes.iter().find(|byte| **byte > Verdict::Malformed as u8) {
        return Err(broken(format!("{byte} is not the number of a verdict")));
    }
    Ok(bytes.iter().copied().map(Verdict::from_byte).collect())
}

fn exactly<'a>(name: &str, bytes: &'a [u8], expected: usize) -> Result<&'a [u8], ClientError> {
    if bytes.len() == expected {
        Ok(bytes)
    } else {
        Err(broken(format!("{} bytes of {name} where there must be {expected}", bytes.len())))
    }
}

/// For answers that are verdicts alone: verification of signatures and of sets.
pub(crate) fn verdicts_output(bytes: &[u8], count: usize) -> Converted {
    Ok(Output { verdicts: verdicts(bytes, count)?, ..Output::default() })
}

pub(crate) fn recover_output(response: &v1::RecoverBatchResponse, count: usize) -> Converted {
    let verdicts = verdicts(&response.verdicts, count)?;
    let keys = exactly("public_keys", &response.public_keys, 64 * count)?;
    let addresses = exactly("addresses", &response.addresses, 20 * count)?;
    let mut fixed = Vec::with_capacity(84 * count);
    for (key, address) in keys.chunks_exact(64).zip(addresses.chunks_exact(20)) {
        fixed.extend_from_slice(key);
        fixed.extend_from_slice(address);
    }
    Ok(Output { verdicts, fixed, ..Output::default() })
}

pub(crate) fn hash_output(response: &v1::HashBatchResponse, count: usize) -> Converted {
    let verdicts = verdicts(&response.verdicts, count)?;
    let fixed = exactly("digests", &response.digests, 32 * count)?.to_vec();
    Ok(Output { verdicts, fixed, ..Output::default() })
}

pub(crate) fn root_output(response: &v1::MerkleRootResponse, work: &MerkleWork) -> Converted {
    check_leaves(response.leaves, work)?;
    let fixed = exactly("root", &response.root, 32)?.to_vec();
    Ok(tree_output(tree_verdict(response.verdict)?, fixed, Vec::new()))
}

pub(crate) fn proof_output(response: &v1::MerkleProofResponse, work: &MerkleWork) -> Converted {
    check_leaves(response.leaves, work)?;
    let fixed = exactly("root", &response.root, 32)?.to_vec();
    let verdict = tree_verdict(response.verdict)?;
    if verdict != Verdict::Valid {
        return Ok(tree_output(verdict, fixed, Vec::new()));
    }
    let leaf_hash = exactly("leaf_hash", &response.leaf_hash, 32)?;
    let siblings = exactly("siblings", &response.siblings, 32 * response.sides.len())?;
    if response.sides.iter().any(|side| *side > 1) {
        return Err(broken("a side that is neither 0 nor 1"));
    }
    let mut variable = leaf_hash.to_vec();
    for (side, sibling) in response.sides.iter().zip(siblings.chunks_exact(32)) {
        variable.push(*side);
        variable.extend_from_slice(sibling);
    }
    Ok(tree_output(verdict, fixed, variable))
}

fn check_leaves(leaves: u64, work: &MerkleWork) -> Result<(), ClientError> {
    if leaves == work.leaves.len() as u64 {
        Ok(())
    } else {
        Err(broken(format!("a tree of {leaves} leaves where {} were sent", work.leaves.len())))
    }
}

/// What the sidecar says of a tree; anything but an answer is a broken response.
fn tree_verdict(number: i32) -> Result<Verdict, ClientError> {
    match u8::try_from(number).map(Verdict::from_byte) {
        Ok(verdict) if verdict != Verdict::Unprocessed => Ok(verdict),
        _ => Err(broken("a tree without a verdict")),
    }
}

fn tree_output(verdict: Verdict, fixed: Vec<u8>, variable: Vec<u8>) -> Output {
    let variable_ends = vec![variable.len() as u32];
    Output { verdicts: vec![verdict], fixed, variable, variable_ends, reasons: Vec::new() }
}

/// `start` is the number of the first transaction of this response in `work`.
pub(crate) fn ethereum_output(
    response: &v1::VerifyEthereumTransactionsResponse,
    work: &EthereumWork,
    start: usize,
    count: usize,
) -> Converted {
    let mut output = Output::unprocessed(Operation::EthereumTransactions, count);
    output.verdicts = verdicts(&response.verdicts, count)?;
    output.reasons = exactly("reasons", &response.reasons, count)?.to_vec();
    let hashes = exactly("hashes", &response.hashes, 32 * count)?;
    let senders = exactly("senders", &response.senders, 20 * count)?;
    for (i, item) in output.fixed.chunks_exact_mut(53).enumerate() {
        item[..32].copy_from_slice(&hashes[32 * i..32 * (i + 1)]);
        item[32..52].copy_from_slice(&senders[20 * i..20 * (i + 1)]);
        // The type does not travel: it is the first byte of an envelope, and 0 for a legacy list.
        item[52] = match work.transactions.view().item(start + i).first() {
            Some(&first) if first < 0x80 && item[..32] != [0; 32] => first,
            _ => 0,
        };
    }
    append_authorities(&mut output, &response.authorities, count)?;
    Ok(output)
}

fn append_authorities(output: &mut Output, all: &[v1::Authorities], count: usize) -> Result<(), ClientError> {
    let mut remaining = all.iter().peekable();
    for i in 0..count {
        if let Some(authorities) = remaining.next_if(|authorities| authorities.index as usize == i) {
            let addresses = exactly("authorities", &authorities.addresses, 20 * authorities.verdicts.len())?;
            for (verdict, address) in authorities.verdicts.iter().zip(addresses.chunks_exact(20)) {
                output.variable.push(u8::from(*verdict == Verdict::Valid as u8));
                output.variable.extend_from_slice(address);
            }
        }
        output.variable_ends[i] = output.variable.len() as u32;
    }
    match remaining.next() {
        None => Ok(()),
        Some(left) => Err(broken(format!("authorities of transaction {} out of order or range", left.index))),
    }
}
