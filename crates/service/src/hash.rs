//! `HashService`.

use std::sync::Arc;

use outrigger_proto::v1;
use outrigger_proto::v1::hash_service_server::HashService;
use outrigger_types::{ColumnBuf, MerkleTree, MerkleWork, Output, Rejection, Verdict, Work};
use tonic::{Request, Response, Status, Streaming};

use crate::calls::{caller, verdict_bytes};
use crate::convert::{self, Ask, TreeHeader, Violations};
use crate::front::Caller;
use crate::options::ServiceLimits;
use crate::state::State;
use crate::status;

/// A leaf counts as at least a digest, whatever its length: empty leaves must not be free.
const LEAF_BYTES_MIN: usize = 32;
/// A step of a proof: the side and the sibling.
const STEP_BYTES: usize = 1 + 32;

/// The service.
pub(crate) struct Hashes {
    state: Arc<State>,
}

impl Hashes {
    pub(crate) const fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    async fn build(
        &self,
        caller: &Caller,
        header: TreeHeader,
        leaves: ColumnBuf,
        prove: Option<usize>,
    ) -> Result<Output, Rejection> {
        let TreeHeader { tree, algorithm, priority, backend } = header;
        let work = Work::Merkle(MerkleWork { tree, algorithm, leaves, prove });
        let output = self.state.carry_out(caller, Ask { work, priority, backend }).await?;
        match output.verdicts[0] {
            Verdict::Unprocessed => Err(Rejection::Internal(format!("the {tree} tree was not built"))),
            Verdict::Valid | Verdict::Invalid | Verdict::Malformed => Ok(output),
        }
    }

    async fn prove(
        &self,
        caller: &Caller,
        (header, index): (TreeHeader, u64),
        leaves: ColumnBuf,
    ) -> Result<v1::MerkleProofResponse, Rejection> {
        let count = leaves.len();
        let Some(prove) = usize::try_from(index).ok().filter(|index| *index < count) else {
            return Err(Rejection::field("header.index", format!("{index} is past the end of {count} leaves")));
        };
        let output = self.build(caller, header, leaves, Some(prove)).await?;
        let verdict = output.verdicts[0];
        if verdict != Verdict::Valid {
            let (root, leaves) = (output.fixed.into(), count as u64);
            return Ok(v1::MerkleProofResponse { root, leaves, verdict: verdict as i32, ..Default::default() });
        }
        let Some((leaf_hash, steps)) = output.variable_item(0).split_at_checked(32) else {
            return Err(Rejection::Internal("the tree came without its proof".to_owned()));
        };
        let sides: Vec<u8> = steps.chunks_exact(STEP_BYTES).map(|step| step[0]).collect();
        let siblings: Vec<u8> = steps.chunks_exact(STEP_BYTES).flat_map(|step| &step[1..]).copied().collect();
        Ok(v1::MerkleProofResponse {
            leaves: count as u64,
            leaf_hash: leaf_hash.to_vec().into(),
            siblings: siblings.into(),
            sides: sides.into(),
            root: output.fixed.into(),
            verdict: verdict as i32,
        })
    }

    fn proof_header(&self, caller: &Caller, header: v1::MerkleProofHeader) -> Result<(TreeHeader, u64), Rejection> {
        let Some(tree) = header.tree else {
            return Err(Rejection::field("header.tree", "say which tree"));
        };
        let tree = self.state.convert(caller, |context| context.tree(tree))?;
        if tree.tree == MerkleTree::EthereumTrie {
            return Err(Rejection::field("header.tree", "there are no proofs in an ethereum-trie; ask for the root"));
        }
        Ok((tree, header.index))
    }

    /// Reads a whole stream: the header, which is judged before any leaf is kept, and the leaves.
    async fn leaves<M, H, T>(
        &self,
        mut stream: Streaming<M>,
        split: fn(M) -> Option<Part<H>>,
        judge: impl FnOnce(H) -> Result<T, Rejection>,
    ) -> Result<(T, ColumnBuf), Status> {
        let limits = **self.state.limits.load();
        let reject = |rejection: Rejection| status::of(&rejection);
        let transport = |status: Status| status::of_transport(status, limits.message_bytes_max);
        let header = match stream.message().await.map_err(transport)?.and_then(split) {
            Some(Part::Header(header)) => judge(header).map_err(reject)?,
            Some(Part::Chunk(_)) | None => {
                return Err(reject(Rejection::field("header", "the first message must hold it")));
            }
        };
        let mut leaves = Leaves::default();
        while let Some(message) = stream.message().await.map_err(transport)? {
            match split(message) {
                Some(Part::Chunk(chunk)) => leaves.push(chunk, &limits).map_err(reject)?,
                Some(Part::Header(_)) => return Err(reject(Rejection::field("header", "it comes once, first"))),
                None => {}
            }
        }
        let leaves = convert::concatenate(leaves.columns)
            .map_err(|error| reject(Rejection::field("chunk.leaves", error.to_string())))?;
        Ok((header, leaves))
    }
}

/// A message of a stream of chunks.
enum Part<H> {
    Header(H),
    Chunk(v1::LeafChunk),
}

/// Leaves so far, within limits.
#[derive(Default)]
struct Leaves {
    columns: Vec<ColumnBuf>,
    cost: usize,
}

impl Leaves {
    fn push(&mut self, chunk: v1::LeafChunk, limits: &ServiceLimits) -> Result<(), Rejection> {
        let count = chunk.count as usize;
        let bytes = chunk.leaves.as_ref().map_or(0, |column| column.data.len());
        self.cost = self.cost.saturating_add(bytes.max(count.saturating_mul(LEAF_BYTES_MIN)));
        if self.cost > limits.merkle_bytes_max {
            let limit = format!(
                "{} bytes of leaves a tree, a leaf counting as {LEAF_BYTES_MIN} at least",
                limits.merkle_bytes_max
            );
            return Err(Rejection::TooLarge { limit });
        }
        let mut violations = Violations::default();
        match violations.take(convert::column("chunk.leaves", chunk.leaves, count, &[])) {
            Some(column) if !column.is_empty() => self.columns.push(column),
            Some(_) => {}
            None => return Err(violations.reject()),
        }
        Ok(())
    }
}

fn root_part(message: v1::MerkleRootRequest) -> Option<Part<v1::MerkleTreeHeader>> {
    message.part.map(|part| match part {
        v1::merkle_root_request::Part::Header(header) => Part::Header(header),
        v1::merkle_root_request::Part::Chunk(chunk) => Part::Chunk(chunk),
    })
}

fn proof_part(message: v1::MerkleProofRequest) -> Option<Part<v1::MerkleProofHeader>> {
    message.part.map(|part| match part {
        v1::merkle_proof_request::Part::Header(header) => Part::Header(header),
        v1::merkle_proof_request::Part::Chunk(chunk) => Part::Chunk(chunk),
    })
}

fn answer<T>(result: Result<T, Rejection>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(|rejection| status::of(&rejection))
}

#[tonic::async_trait]
impl HashService for Hashes {
    async fn hash_batch(
        &self,
        mut request: Request<v1::HashBatchRequest>,
    ) -> Result<Response<v1::HashBatchResponse>, Status> {
        let caller = caller(&mut request)?;
        let request = request.into_inner();
        let result = match self.state.convert(&caller, |context| context.hash(request)) {
            Ok(ask) => self.state.carry_out(&caller, ask).await,
            Err(rejection) => Err(rejection),
        };
        answer(result.map(|output| v1::HashBatchResponse {
            verdicts: verdict_bytes(&output.verdicts).into(),
            digests: output.fixed.into(),
        }))
    }

    async fn merkle_root(
        &self,
        mut request: Request<Streaming<v1::MerkleRootRequest>>,
    ) -> Result<Response<v1::MerkleRootResponse>, Status> {
        let caller = caller(&mut request)?;
        let judge = |header| self.state.convert(&caller, |context| context.tree(header));
        let (header, leaves) = self.leaves(request.into_inner(), root_part, judge).await?;
        let count = leaves.len() as u64;
        let result = self.build(&caller, header, leaves, None).await;
        answer(result.map(|output| v1::MerkleRootResponse {
            verdict: output.verdicts[0] as i32,
            root: output.fixed.into(),
            leaves: count,
        }))
    }

    async fn merkle_proof(
        &self,
        mut request: Request<Streaming<v1::MerkleProofRequest>>,
    ) -> Result<Response<v1::MerkleProofResponse>, Status> {
        let caller = caller(&mut request)?;
        let judge = |header| self.proof_header(&caller, header);
        let (header, leaves) = self.leaves(request.into_inner(), proof_part, judge).await?;
        answer(self.prove(&caller, header, leaves).await)
    }
}
