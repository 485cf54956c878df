use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};

use bytes::Bytes;
use outrigger_types::{ColumnBuf, HashAlgorithm, HashWork, Piece, Priority, Verdict};

use super::*;

fn work(items: usize) -> Arc<Work> {
    let messages = ColumnBuf::with_count(Bytes::from(vec![7; items]), items).expect("one byte an item");
    Arc::new(Work::Hash(HashWork { algorithm: HashAlgorithm::Sha256, messages }))
}

/// Answers each item with its own number.
fn echo(work: &Work, range: Range<usize>) -> Output {
    let mut output = Output::unprocessed(work.operation(), range.len());
    for (place, item) in range.enumerate() {
        output.verdicts[place] = Verdict::Valid;
        output.fixed[place * 32..place * 32 + 8].copy_from_slice(&(item as u64).to_le_bytes());
    }
    output
}

fn engine(threads: usize, runner: impl Fn(&Work, Range<usize>) -> Output + Send + Sync + 'static) -> CoreEngine {
    let options = CoreOptions {
        threads: NonZeroUsize::new(threads),
        piece_items: NonZeroUsize::new(8),
        ..CoreOptions::default()
    };
    CoreEngine::with_runner(options, runner)
}

fn job(segments: Vec<(Arc<Work>, Range<usize>)>, priority: Priority) -> (Job, Receiver<JobId>) {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let completion: outrigger_types::Completion = Arc::new(move |id| {
        let _ = sender.lock().expect("unpoisoned").send(id);
    });
    let items = segments.iter().map(|(_, range)| range.len()).sum();
    let output = Output::unprocessed(segments[0].0.operation(), items);
    (Job { segments, output, deadline: None, priority, completion }, receiver)
}

/// Polls at each callback until the job ends.
fn finish(engine: &CoreEngine, told: &Receiver<JobId>) -> (Vec<Piece>, Option<EngineError>) {
    let mut all = Vec::new();
    loop {
        let id = told.recv_timeout(Duration::from_secs(10)).expect("a callback");
        match engine.poll(id) {
            Outcome::Running(pieces) => all.extend(pieces),
            Outcome::Done(pieces) => {
                all.extend(pieces);
                return (all, None);
            }
            Outcome::Failed(_, EngineError::UnknownJob) => panic!("the job was forgotten"),
            Outcome::Failed(pieces, error) => {
                all.extend(pieces);
                return (all, Some(error));
            }
        }
    }
}

/// Long messages hold a thread no longer than short ones: their pieces are bounded by bytes, to a multiple of the lanes.
#[test]
fn pieces_of_long_messages_are_small() {
    let cores = CoreEngine::with_runner(
        CoreOptions { threads: NonZeroUsize::new(1), piece_items: None, ..CoreOptions::default() },
        echo,
    );
    for (length, of_cores, of_lanes) in [(64, 256, 256), (PIECE_BYTES / 64, 64, 64), (PIECE_BYTES / 3, 3, 8)] {
        for (engine, expected) in [(cores.clone(), of_cores), (cores.with_lanes_runner(echo), of_lanes)] {
            let messages = ColumnBuf::with_count(Bytes::from(vec![7; 256 * length]), 256).expect("of one length");
            let work = Arc::new(Work::Hash(HashWork { algorithm: HashAlgorithm::Sha256, messages }));
            let (job, told) = job(vec![(work, 0..256)], Priority::Block);
            engine.submit(job).map_err(|(error, _)| error).expect("taken");
            let (pieces, error) = finish(&engine, &told);
            assert_eq!(error, None);
            let longest = pieces.iter().map(|piece| piece.output.verdicts.len()).max();
            assert_eq!(longest, Some(expected), "of {length} bytes each");
        }
    }
}

#[test]
fn pieces_cover_every_segment_in_its_place() {
    let engine = engine(3, echo);
    for lengths in [vec![1], vec![8], vec![9, 0, 1, 100], vec![7, 8, 9], vec![0, 1]] {
        let segments = lengths.iter().map(|&items| (work(items + 5), 5..items + 5)).collect();
        let (job, told) = job(segments, Priority::Block);
        engine.submit(job).map_err(|(error, _)| error).expect("taken");
        let (mut pieces, error) = finish(&engine, &told);
        assert_eq!(error, None);
        pieces.sort_by_key(|piece| piece.start);
        let given: Vec<u64> = pieces
            .iter()
            .flat_map(|piece| piece.output.fixed.chunks(32))
            .map(|item| u64::from_le_bytes(item[..8].try_into().expect("8 bytes")))
            .collect();
        let expected: Vec<u64> = lengths.iter().flat_map(|&items| 5..items as u64 + 5).collect();
        assert_eq!(given, expected);
    }
}

#[test]
fn a_panic_is_a_fault_and_the_thread_survives() {
    let engine = engine(1, |work, range| {
        assert!(!range.contains(&20), "boom");
        echo(work, range)
    });
    for _ in 0..3 {
        let (job, told) = job(vec![(work(40), 0..40)], Priority::Block);
        engine.submit(job).map_err(|(error, _)| error).expect("taken");
        let (pieces, error) = finish(&engine, &told);
        let Some(EngineError::Fault(why)) = error else { panic!("{error:?}") };
        assert!(why.contains("boom"), "{why}");
        assert!(pieces.iter().all(|piece| !(piece.start..piece.start + 8).contains(&20)));
        assert_eq!(pieces.iter().map(|piece| piece.output.verdicts.len()).sum::<usize>(), 32);
    }
}

#[test]
fn an_answer_of_the_wrong_length_is_a_fault() {
    let engine = engine(1, |work, _| Output::unprocessed(work.operation(), 1));
    let (job, told) = job(vec![(work(3), 0..3)], Priority::Block);
    engine.submit(job).map_err(|(error, _)| error).expect("taken");
    assert!(matches!(finish(&engine, &told), (pieces, Some(EngineError::Fault(_))) if pieces.is_empty()));
}

#[test]
fn late_and_cancelled_jobs_are_not_run() {
    let (hold, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let engine = engine(1, move |work, range| {
        if range.len() == 1 {
            let _ = held.lock().expect("unpoisoned").recv();
            return echo(work, range);
        }
        panic!("this job must not run");
    });
    let (blocker, blocked) = job(vec![(work(1), 0..1)], Priority::Consensus);
    engine.submit(blocker).map_err(|(error, _)| error).expect("taken");
    let (mut late, late_told) = job(vec![(work(2), 0..2)], Priority::Block);
    late.deadline = Some(Instant::now());
    engine.submit(late).map_err(|(error, _)| error).expect("taken");
    let (dropped, dropped_told) = job(vec![(work(2), 0..2)], Priority::Block);
    let id = engine.submit(dropped).map_err(|(error, _)| error).expect("taken");
    engine.cancel(id);
    drop(hold);
    assert_eq!(finish(&engine, &blocked).1, None);
    assert_eq!(finish(&engine, &late_told).1, Some(EngineError::Expired));
    assert_eq!(finish(&engine, &dropped_told).1, Some(EngineError::Cancelled));
    assert!(matches!(engine.poll(id), Outcome::Failed(_, EngineError::UnknownJob)));
}

#[test]
fn urgent_jobs_overtake() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let (hold, held) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel::<()>();
    let (held, begin) = (Mutex::new(held), Mutex::new(begin));
    let seen = order.clone();
    let engine = engine(1, move |work, range| {
        if range.len() == 1 {
            begin.lock().expect("unpoisoned").send(()).expect("the test waits");
            let _ = held.lock().expect("unpoisoned").recv();
        }
        seen.lock().expect("unpoisoned").push(range.len());
        echo(work, range)
    });
    let jobs = [(1, Priority::Bulk), (2, Priority::Bulk), (3, Priority::Block), (4, Priority::Consensus)];
    let mut told = Vec::new();
    for (items, priority) in jobs {
        let (job, receiver) = job(vec![(work(items), 0..items)], priority);
        engine.submit(job).map_err(|(error, _)| error).expect("taken");
        told.push(receiver);
        if items == 1 {
            begun.recv_timeout(Duration::from_secs(10)).expect("the blocker runs before the others queue up");
        }
    }
    drop(hold);
    for receiver in &told {
        assert_eq!(finish(&engine, receiver).1, None);
    }
    assert_eq!(*order.lock().expect("unpoisoned"), [1, 4, 3, 2]);
}

#[test]
fn costs_become_known() {
    let engine = engine(2, |work, range| {
        std::thread::sleep(Duration::from_micros(100) * range.len() as u32);
        echo(work, range)
    });
    let operation = work(1).operation();
    assert_eq!(engine.predicted_cost(operation, 10, 10), None);
    let (job, told) = job(vec![(work(64), 0..64)], Priority::Block);
    engine.submit(job).map_err(|(error, _)| error).expect("taken");
    finish(&engine, &told);
    let predicted = engine.predicted_cost(operation, 64, 64).expect("known");
    assert!((Duration::from_millis(3)..Duration::from_millis(500)).contains(&predicted), "{predicted:?}");
    assert!(!engine.device().is_empty());
}

/// Each thread says on which cores it may run while it works.
#[test]
fn pinned_threads_stay_on_a_core_each() {
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    let seen = Arc::new(Mutex::new(std::collections::HashMap::new()));
    let told = seen.clone();
    let runner = move |work: &Work, range: Range<usize>| {
        let set = rustix::thread::sched_getaffinity(None).expect("its cores");
        told.lock().expect("unpoisoned").insert(std::thread::current().id(), set.count());
        std::thread::sleep(Duration::from_millis(5));
        echo(work, range)
    };
    for (pin, expected) in [(true, 1), (false, allowed as u32)] {
        seen.lock().expect("unpoisoned").clear();
        let options = CoreOptions { threads: NonZeroUsize::new(2), piece_items: NonZeroUsize::new(8), pin };
        let engine = CoreEngine::with_runner(options, runner.clone());
        let (job, told) = job(vec![(work(64), 0..64)], Priority::Block);
        engine.submit(job).map_err(|(error, _)| error).expect("taken");
        assert_eq!(finish(&engine, &told).1, None);
        let seen = seen.lock().expect("unpoisoned");
        assert!(!seen.is_empty() && seen.values().all(|cores| *cores == expected), "{seen:?}");
    }
}
