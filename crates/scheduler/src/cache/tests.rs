use outrigger_types::Ruleset;

use super::*;

const VERIFY: Operation = Operation::Verify(Ruleset::Bitcoin);

fn keys(range: Range<u64>) -> Vec<Key> {
    range.map(|number| *blake3::hash(&number.to_le_bytes()).as_bytes()).collect()
}

fn all(keys: &[Key]) -> Vec<usize> {
    (0..keys.len()).collect()
}

fn valid(count: usize) -> Output {
    Output { verdicts: vec![Verdict::Valid; count], ..Output::default() }
}

fn claim(cache: &Arc<VerdictCache>, keys: &[Key], output: &mut Output) -> Claim {
    cache.claim(keys, &all(keys), output, Priority::Block)
}

#[test]
fn the_cache_is_bounded_and_keeps_what_is_asked_for() {
    let cache = Arc::new(VerdictCache::new(1_000));
    let wanted = keys(0..10);
    for round in 0..100 {
        let mut output = Output::unprocessed(VERIFY, 10);
        let claimed = claim(&cache, &wanted, &mut output);
        assert_eq!(claimed.hits, if round == 0 { 0 } else { 10 }, "round {round}");
        let count = claimed.mine.len();
        claimed.publish(&valid(count), &mut output);
        let others = keys(1_000 * (round + 1)..1_000 * (round + 1) + 100);
        let mut output = Output::unprocessed(VERIFY, 100);
        claim(&cache, &others, &mut output).publish(&valid(100), &mut output);
        assert!(cache.len() <= cache.len_max(), "{}", cache.len());
    }
    assert!(cache.len() > 400 && !cache.is_empty());
    assert_eq!(cache.len_max(), 1_024);
}

#[test]
fn only_verdicts_are_kept() {
    let cache = Arc::new(VerdictCache::new(100));
    let keys = keys(0..3);
    let mut output = Output::unprocessed(VERIFY, 3);
    let answers =
        Output { verdicts: vec![Verdict::Malformed, Verdict::Unprocessed, Verdict::Invalid], ..Output::default() };
    claim(&cache, &keys, &mut output).publish(&answers, &mut output);
    assert_eq!(output.verdicts, answers.verdicts);
    assert_eq!(cache.len(), 2);
    assert_eq!(claim(&cache, &keys, &mut output).mine, [1]);
}

#[test]
fn a_claim_that_is_dropped_leaves_nothing_pending() {
    let cache = Arc::new(VerdictCache::new(100));
    let keys = keys(0..3);
    let mut output = Output::unprocessed(VERIFY, 3);
    let first = claim(&cache, &keys, &mut output);
    let second = claim(&cache, &keys, &mut output);
    assert_eq!((second.mine.len(), second.theirs.len(), second.flights.len()), (0, 3, 1));
    drop(first);
    assert!(second.flights[0].ended.is_closed());
    assert_eq!(claim(&cache, &keys, &mut output).mine, [0, 1, 2]);
    assert!(cache.shards.iter().all(|shard| lock(shard).pending.is_empty()));
}

#[test]
fn twins_within_a_request_are_done_once() {
    let cache = Arc::new(VerdictCache::new(100));
    let one = keys(0..1)[0];
    let mut output = Output::unprocessed(VERIFY, 3);
    let claimed = claim(&cache, &[one, one, one], &mut output);
    assert_eq!((claimed.mine.as_slice(), claimed.twins.as_slice()), (&[0][..], &[(1, 0), (2, 0)][..]));
    claimed.publish(&valid(1), &mut output);
    assert_eq!(output.verdicts, [Verdict::Valid; 3]);
}
