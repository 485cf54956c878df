//! `SignatureService`.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use outrigger_algorithms::known_keys;
use outrigger_proto::v1;
use outrigger_proto::v1::signature_service_server::SignatureService;
use outrigger_types::{Call, HashAlgorithm, MerkleTree, MerkleWork, Output, Rejection, Verdict, Work};
use tonic::{Request, Response, Status, Streaming};

use crate::body::Held;
use crate::calls::{caller, verdict_bytes};
use crate::convert::Ask;
use crate::front::Caller;
use crate::state::State;
use crate::stream::{self, Answers};
use crate::{status, tenants};

/// Recovered keys are x and y; addresses stand behind them.
const KEY_BYTES: usize = 64;
/// As in [`outrigger_types::OutputShape`]: hash, sender, type.
const HASH_BYTES: usize = 32;
const ADDRESS_BYTES: usize = 20;
/// A flag and an address.
const AUTHORITY_BYTES: usize = 1 + ADDRESS_BYTES;

/// The service.
pub(crate) struct Signatures {
    state: Arc<State>,
}

impl Signatures {
    pub(crate) const fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    async fn verify(&self, caller: &Caller, request: v1::VerifyBatchRequest) -> Result<Output, Rejection> {
        let ask = self.state.convert(caller, |context| context.verify(request))?;
        self.state.carry_out(caller, ask).await
    }

    async fn recover(
        &self,
        caller: &Caller,
        request: v1::RecoverBatchRequest,
    ) -> Result<v1::RecoverBatchResponse, Rejection> {
        let (want_keys, want_addresses) = (request.want_public_keys, request.want_addresses);
        let ask = self.state.convert(caller, |context| context.recover(request))?;
        let output = self.state.carry_out(caller, ask).await?;
        let items = || output.fixed.as_chunks::<{ KEY_BYTES + ADDRESS_BYTES }>().0;
        let public_keys = if want_keys { part_of_each(items(), 0..KEY_BYTES) } else { Vec::new() };
        let addresses =
            if want_addresses { part_of_each(items(), KEY_BYTES..KEY_BYTES + ADDRESS_BYTES) } else { Vec::new() };
        Ok(v1::RecoverBatchResponse {
            verdicts: verdict_bytes(&output.verdicts).into(),
            public_keys: public_keys.into(),
            addresses: addresses.into(),
        })
    }

    async fn transactions(
        &self,
        caller: &Caller,
        request: v1::VerifyEthereumTransactionsRequest,
    ) -> Result<v1::VerifyEthereumTransactionsResponse, Rejection> {
        let wants_root = request.want_transactions_root;
        let ask = self.state.convert(caller, |context| context.transactions(request))?;
        let tree = wants_root.then(|| trie_of(&ask)).flatten();
        let output = self.state.carry_out(caller, ask).await?;
        let transactions_root = match tree {
            Some(tree) if output.reasons.iter().all(|reason| is_decoded(*reason)) => {
                let root = self.state.carry_out(caller, tree).await?;
                if root.verdicts == [Verdict::Valid] { root.fixed } else { Vec::new() }
            }
            _ => Vec::new(),
        };
        let (items, _) = output.fixed.as_chunks::<{ HASH_BYTES + ADDRESS_BYTES + 1 }>();
        let hashes = part_of_each(items, 0..HASH_BYTES);
        let senders = part_of_each(items, HASH_BYTES..HASH_BYTES + ADDRESS_BYTES);
        Ok(v1::VerifyEthereumTransactionsResponse {
            verdicts: verdict_bytes(&output.verdicts).into(),
            hashes: hashes.into(),
            senders: senders.into(),
            authorities: authorities(&output),
            reasons: output.reasons.into(),
            transactions_root: transactions_root.into(),
        })
    }

    async fn put_key_set(&self, caller: &Caller, request: v1::PutKeySetRequest) -> Result<String, Rejection> {
        let (ruleset, keys) = self.state.convert(caller, |context| context.key_set(request))?;
        let bytes_max = self.state.limits.load().key_set_bytes_max;
        let (state, tenant) = (self.state.clone(), caller.tenant.name.clone());
        // Naming a set hashes and copies all its keys: too long for a thread that others wait for.
        let put = move || {
            let name = state.key_sets.put(&tenant, ruleset, keys.clone(), bytes_max)?;
            known_keys::register(&tenant, ruleset, &keys);
            Ok(name)
        };
        tokio::task::spawn_blocking(put)
            .await
            .map_err(|_| Rejection::Internal("registering the keys failed".to_owned()))?
    }
}

/// The same part of each item, one after the other.
fn part_of_each<const STRIDE: usize>(items: &[[u8; STRIDE]], part: Range<usize>) -> Vec<u8> {
    let mut parts = Vec::with_capacity(items.len() * part.len());
    for item in items {
        parts.extend_from_slice(&item[part.clone()]);
    }
    parts
}

/// The transactions root as work of its own, over the same bytes.
fn trie_of(ask: &Ask) -> Option<Ask> {
    let Work::EthereumTransactions(work) = &ask.work else { return None };
    let tree = MerkleWork {
        tree: MerkleTree::EthereumTrie,
        algorithm: HashAlgorithm::Keccak256,
        leaves: work.transactions.clone(),
        prove: None,
    };
    Some(Ask { work: Work::Merkle(tree), ..*ask })
}

/// Whether a transaction with this reason was at least decoded, so that its bytes can stand in a trie.
fn is_decoded(reason: u8) -> bool {
    let reason = v1::TransactionReason::try_from(i32::from(reason));
    !matches!(
        reason,
        Err(_)
            | Ok(v1::TransactionReason::Decoding
                | v1::TransactionReason::UnknownType
                | v1::TransactionReason::PooledForm)
    )
}

fn authorities(output: &Output) -> Vec<v1::Authorities> {
    let of_item = |i: usize| {
        let bytes = output.variable_item(i);
        let each = || bytes.chunks_exact(AUTHORITY_BYTES);
        let addresses: Vec<u8> = each().flat_map(|authority| &authority[1..]).copied().collect();
        let verdicts: Vec<u8> = each().map(|authority| Verdict::from_equation(authority[0] == 1) as u8).collect();
        (!bytes.is_empty()).then(|| v1::Authorities {
            index: i as u32,
            addresses: addresses.into(),
            verdicts: verdicts.into(),
        })
    };
    (0..output.variable_ends.len()).filter_map(of_item).collect()
}

fn answer<T>(result: Result<T, Rejection>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(|rejection| status::of(&rejection))
}

#[tonic::async_trait]
impl SignatureService for Signatures {
    type VerifyStreamStream = Answers;

    async fn verify_batch(
        &self,
        mut request: Request<v1::VerifyBatchRequest>,
    ) -> Result<Response<v1::VerifyBatchResponse>, Status> {
        let caller = caller(&mut request)?;
        let result = self.verify(&caller, request.into_inner()).await;
        answer(result.map(|output| v1::VerifyBatchResponse { verdicts: verdict_bytes(&output.verdicts).into() }))
    }

    async fn verify_stream(
        &self,
        mut request: Request<Streaming<v1::VerifyStreamRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let started = Instant::now();
        let caller = caller(&mut request)?;
        tenants::check_call(&caller.tenant, Call::Verify).map_err(|rejection| status::of(&rejection))?;
        let held = request.extensions_mut().remove::<Arc<Held>>();
        Ok(Response::new(stream::open(self.state.clone(), caller, request.into_inner(), held, started)))
    }

    async fn recover_batch(
        &self,
        mut request: Request<v1::RecoverBatchRequest>,
    ) -> Result<Response<v1::RecoverBatchResponse>, Status> {
        let caller = caller(&mut request)?;
        answer(self.recover(&caller, request.into_inner()).await)
    }

    async fn verify_sets(
        &self,
        mut request: Request<v1::VerifySetsRequest>,
    ) -> Result<Response<v1::VerifySetsResponse>, Status> {
        let caller = caller(&mut request)?;
        let request = request.into_inner();
        let result = match self.state.convert(&caller, |context| context.sets(request)) {
            Ok(ask) => self.state.carry_out(&caller, ask).await,
            Err(rejection) => Err(rejection),
        };
        answer(result.map(|output| v1::VerifySetsResponse { verdicts: verdict_bytes(&output.verdicts).into() }))
    }

    async fn verify_ethereum_transactions(
        &self,
        mut request: Request<v1::VerifyEthereumTransactionsRequest>,
    ) -> Result<Response<v1::VerifyEthereumTransactionsResponse>, Status> {
        let caller = caller(&mut request)?;
        answer(self.transactions(&caller, request.into_inner()).await)
    }

    async fn put_key_set(
        &self,
        mut request: Request<v1::PutKeySetRequest>,
    ) -> Result<Response<v1::PutKeySetResponse>, Status> {
        let caller = caller(&mut request)?;
        let result = self.put_key_set(&caller, request.into_inner()).await;
        answer(result.map(|key_set| v1::PutKeySetResponse { key_set }))
    }

    async fn drop_key_set(
        &self,
        mut request: Request<v1::DropKeySetRequest>,
    ) -> Result<Response<v1::DropKeySetResponse>, Status> {
        let caller = caller(&mut request)?;
        tenants::check_call(&caller.tenant, Call::Verify).map_err(|rejection| status::of(&rejection))?;
        self.state.key_sets.forget(&caller.tenant.name, &request.get_ref().key_set);
        Ok(Response::new(v1::DropKeySetResponse {}))
    }
}
