//! Between the vocabulary and the wire: ranges of work to requests, responses to outputs. Bytes are shared, not
//! copied, wherever a range of items lies together.

mod request;
mod response;
mod split;

pub(crate) use request::{
    Wire, curve, ethereum_request, hash_request, leaf_chunks, proofs_request, put_key_set_request, recover_request,
    sets_request, tree_header, verify_request,
};
pub(crate) use response::{ethereum_output, hash_output, proof_output, recover_output, root_output, verdicts_output};
pub(crate) use split::{MESSAGE_BYTES_USED, split};
