use outrigger_proto::v1;
use outrigger_types::{ColumnBuf, Keys, Rejection, Ruleset, TenantPolicy, Work};

use super::{Context, concatenate};
use crate::key_sets::KeySets;
use crate::options::ServiceLimits;
use crate::tests::vocabulary;

fn judge<T>(read: impl FnOnce(&Context<'_>) -> Result<T, Rejection>) -> Result<T, Rejection> {
    let (vocabulary, limits, tenant) = (vocabulary(), ServiceLimits::default(), TenantPolicy::unrestricted("a"));
    let key_sets = KeySets::default();
    read(&Context { vocabulary: &vocabulary, limits: &limits, tenant: &tenant, key_sets: &key_sets })
}

fn sets(mode: i32, count: u32, keys: u32, keys_per_set: &[u32], messages_per_set: &[u32]) -> v1::VerifySetsRequest {
    let column = |length: usize, count: u32| {
        Some(v1::Column { data: vec![1; length * count as usize].into(), lengths: Vec::new() })
    };
    let messages = if mode == 2 { messages_per_set.iter().sum() } else { count };
    v1::VerifySetsRequest {
        ruleset: Ruleset::EthereumConsensus.number(),
        mode,
        count,
        signatures: column(96, count),
        keys: column(48, keys).map(v1::verify_sets_request::Keys::PublicKeys),
        keys_per_set: keys_per_set.to_vec(),
        messages: column(32, messages),
        messages_per_set: messages_per_set.to_vec(),
        ..Default::default()
    }
}

#[test]
fn sets_are_cut_where_their_numbers_say() {
    let ask = judge(|context| context.sets(sets(2, 3, 4, &[3, 0, 1], &[3, 0, 1]))).expect("good sets");
    let Work::VerifySets(work) = ask.work else { panic!("sets") };
    assert_eq!((work.key_ends.as_slice(), work.message_ends.as_slice()), ([3, 3, 4].as_slice(), [3, 3, 4].as_slice()));
    let ask = judge(|context| context.sets(sets(1, 2, 2, &[], &[]))).expect("single keys");
    let Work::VerifySets(work) = ask.work else { panic!("sets") };
    assert_eq!((work.key_ends, work.message_ends), (vec![1, 2], vec![1, 2]));
    let ask = judge(|context| context.sets(sets(3, 2, 5, &[5, 0], &[]))).expect("an empty set is for the engine");
    let Work::VerifySets(work) = ask.work else { panic!("sets") };
    assert_eq!((work.key_ends, work.message_ends), (vec![5, 5], vec![1, 2]));
}

#[test]
fn sets_whose_numbers_contradict_are_refused() {
    let wrong = [
        sets(0, 1, 1, &[1], &[]),
        sets(1, 2, 3, &[1, 2], &[]),
        sets(2, 2, 2, &[1, 1], &[]),
        sets(2, 2, 2, &[1, 1], &[2, 0]),
        sets(3, 2, 2, &[2], &[]),
        sets(3, 2, 2, &[1, 1], &[2, 1]),
        sets(3, 2, 2, &[1, 2], &[]),
        sets(3, 2, 2, &[u32::MAX, u32::MAX], &[]),
        sets(3, 2, 0, &[1 << 20, 1 << 20], &[]),
    ];
    for request in wrong {
        let keys = request.keys_per_set.clone();
        let result = judge(|context| context.sets(request));
        assert!(matches!(result, Err(Rejection::InvalidArgument(_))), "{keys:?}: {result:?}");
    }
}

#[test]
fn columns_share_the_buffer_of_the_request() {
    let request = crate::tests::batch(1_000, 1);
    let arrived = request.signatures.as_ref().expect("a column").data.as_ptr();
    let ask = judge(|context| context.verify(request)).expect("a good request");
    let Work::Verify(work) = ask.work else { panic!("verification") };
    assert_eq!(work.signatures.bytes().as_ptr(), arrived);
}

#[test]
fn trees_know_their_only_algorithm() {
    let header = |tree, algorithm| v1::MerkleTreeHeader { tree, algorithm, ..Default::default() };
    let tree = judge(|context| context.tree(header(6, 0))).expect("a trie takes one");
    assert_eq!(tree.algorithm.name(), "keccak256");
    for (tree, algorithm) in [(1, 0), (1, 8), (6, 1), (3, 1), (3, 0), (0, 1), (1, 99)] {
        assert!(judge(|context| context.tree(header(tree, algorithm))).is_err(), "{tree} with {algorithm}");
    }
    assert!(judge(|context| context.tree(header(1, 1))).is_ok());
}

#[test]
fn an_identity_has_its_ruleset_and_its_limit() {
    let sm2 = |length| v1::VerifyBatchRequest {
        ruleset: Ruleset::Sm2Message.number(),
        identity: vec![b'1'; length].into(),
        ..Default::default()
    };
    assert!(judge(|context| context.verify(sm2(8_191))).is_ok());
    assert!(judge(|context| context.verify(sm2(8_192))).is_err());
}

#[test]
fn columns_are_concatenated_item_by_item() {
    let column = |items: &[&[u8]]| ColumnBuf::from_items(items);
    let ragged = ColumnBuf::with_lengths(vec![1, 2, 3].into(), &[0, 3]).expect("a column");
    let cases = [
        vec![column(&[&[1, 2], &[3, 4]]), column(&[&[5, 6]])],
        vec![column(&[&[1, 2]]), ColumnBuf::empty(), column(&[&[5]])],
        vec![ragged.clone(), column(&[&[5, 6]])],
        vec![column(&[&[], &[]]), column(&[&[]])],
        vec![ragged],
        vec![],
    ];
    for columns in cases {
        let expected: Vec<Vec<u8>> =
            columns.iter().flat_map(|column| column.view().iter().map(<[u8]>::to_vec).collect::<Vec<_>>()).collect();
        let whole = concatenate(columns).expect("small columns");
        assert_eq!(whole.view().iter().map(<[u8]>::to_vec).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn keys_may_be_numbers_of_a_registered_set_of_the_same_ruleset() {
    let (vocabulary, limits, tenant) = (vocabulary(), ServiceLimits::default(), TenantPolicy::unrestricted("a"));
    let key_sets = KeySets::default();
    let context = Context { vocabulary: &vocabulary, limits: &limits, tenant: &tenant, key_sets: &key_sets };
    let keys = ColumnBuf::from_items(&[[1; 48], [2; 48]]);
    let key_set = key_sets.put(&tenant.name, Ruleset::EthereumConsensus, keys, 1_000).expect("a name");
    let mut request = sets(3, 2, 0, &[2, 1], &[]);
    let indices = vec![0, 1, 1];
    request.keys = Some(v1::verify_sets_request::Keys::KeyIndices(v1::KeyIndices { key_set, indices }));
    let ask = context.sets(request).expect("good sets");
    let Work::VerifySets(work) = ask.work else { panic!("sets") };
    let Keys::Indexed { indices, .. } = &work.keys else { panic!("indices") };
    assert_eq!((indices.as_slice(), work.keys.item(2)), ([0, 1, 1].as_slice(), [2; 48].as_slice()));
}
