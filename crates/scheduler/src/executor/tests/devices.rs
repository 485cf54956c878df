//! Engines beside the CPU that are slow, mad or broken: no item is lost, and no verdict comes from a fault.

use outrigger_types::{Completion, Engine, EngineError, Job, JobId, Outcome, Piece};
use proptest::prelude::*;

use super::*;

/// What a device does to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// Answers in pieces, in an order made from the number.
    Well(u64),
    /// Fails after answering some.
    FaultAfter(usize),
    /// Says that it is done without answering some.
    Forgets,
    /// Leaves items unprocessed, as zeroed memory would.
    Zeroed,
    /// Answers an item twice.
    Stutters,
    /// Gives a piece whose bytes do not reach for all its items.
    Truncates,
    /// Takes nothing.
    Busy,
    /// Takes work and is never heard of again.
    Hangs,
    /// Answers well, but after so many milliseconds.
    Late(u64),
}

type Jobs = HashMap<JobId, Vec<Outcome>>;

struct Device {
    mood: Mutex<Mood>,
    jobs: Mutex<(JobId, Jobs)>,
    to_tell: mpsc::Sender<(Completion, JobId, Duration)>,
}

impl Device {
    fn new(mood: Mood) -> Arc<Self> {
        let (to_tell, told) = mpsc::channel::<(Completion, JobId, Duration)>();
        std::thread::spawn(move || {
            for (completion, job, after) in told {
                std::thread::sleep(after);
                completion(job);
                completion(job);
            }
        });
        Arc::new(Self { mood: Mutex::new(mood), jobs: Mutex::default(), to_tell })
    }

    fn answer(job: &Job, mood: Mood) -> Vec<Outcome> {
        let mut pieces = Vec::new();
        let mut start = 0;
        for (work, range) in &job.segments {
            let output = echo(work, range.clone());
            let half = output.verdicts.len() / 2;
            for part in [half..output.verdicts.len(), 0..half] {
                let piece = output.slice(work.operation(), part.clone());
                pieces.push(Piece { start: start + part.start, output: piece, compute: Duration::from_micros(5) });
            }
            start += output.verdicts.len();
        }
        match mood {
            Mood::Well(seed) => {
                let turn = seed as usize % pieces.len();
                pieces.rotate_left(turn);
                let later = pieces.split_off(pieces.len() / 2);
                vec![Outcome::Running(pieces), Outcome::Done(later)]
            }
            Mood::FaultAfter(count) => {
                pieces.truncate(count);
                vec![Outcome::Failed(pieces, EngineError::Fault("xid 79".into()))]
            }
            Mood::Forgets => {
                pieces.pop();
                vec![Outcome::Done(pieces)]
            }
            Mood::Zeroed => {
                for piece in &mut pieces {
                    piece.output.verdicts.iter_mut().skip(1).for_each(|verdict| *verdict = Verdict::Unprocessed);
                    let stride = job.operation().output_shape().stride;
                    piece.output.fixed.iter_mut().skip(stride).for_each(|byte| *byte = 0);
                }
                vec![Outcome::Done(pieces)]
            }
            Mood::Stutters => {
                let output = pieces[0].output.clone();
                pieces.push(Piece { start: pieces[0].start, output, compute: Duration::ZERO });
                vec![Outcome::Done(pieces)]
            }
            Mood::Truncates => {
                for piece in &mut pieces {
                    piece.output.fixed.pop();
                }
                vec![Outcome::Done(pieces)]
            }
            Mood::Late(_) => vec![Outcome::Done(pieces)],
            Mood::Busy | Mood::Hangs => Vec::new(),
        }
    }
}

impl Engine for Device {
    fn backend(&self) -> Backend {
        Backend::Cuda
    }

    fn device(&self) -> &str {
        "a device made for tests"
    }

    fn supports(&self, operation: Operation) -> bool {
        matches!(operation, Operation::Hash(_))
    }

    fn parallelism(&self, _: Operation) -> usize {
        1_000
    }

    /// So cheap that placement always prefers it.
    fn predicted_cost(&self, _: Operation, items: usize, _: usize) -> Option<Duration> {
        Some(Duration::from_nanos(items as u64))
    }

    fn submit(&self, job: Job) -> Result<JobId, (EngineError, Box<Job>)> {
        let mood = *self.mood.lock().expect("unpoisoned");
        if mood == Mood::Busy {
            return Err((EngineError::Busy, Box::new(job)));
        }
        let outcomes = Self::answer(&job, mood);
        let calls = outcomes.len();
        let mut jobs = self.jobs.lock().expect("unpoisoned");
        jobs.0 += 1;
        let id = jobs.0;
        jobs.1.insert(id, outcomes);
        drop(jobs);
        for _ in 0..calls {
            let after = Duration::from_millis(if let Mood::Late(ms) = mood { ms } else { 0 });
            self.to_tell.send((job.completion.clone(), id, after)).expect("the thread lives");
        }
        Ok(id)
    }

    fn poll(&self, job: JobId) -> Outcome {
        let mut jobs = self.jobs.lock().expect("unpoisoned");
        match jobs.1.get_mut(&job) {
            Some(outcomes) if !outcomes.is_empty() => outcomes.remove(0),
            Some(_) if *self.mood.lock().expect("unpoisoned") == Mood::Hangs => Outcome::Running(Vec::new()),
            _ => Outcome::Failed(Vec::new(), EngineError::UnknownJob),
        }
    }

    fn cancel(&self, _: JobId) {}
}

fn scheduler(device: Arc<Device>) -> Scheduler {
    Scheduler::new(options(), vec![cpu(2, echo), device])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_device_does_every_item_is_answered_right() {
    let moods = [
        Mood::Well(1),
        Mood::FaultAfter(0),
        Mood::FaultAfter(1),
        Mood::Forgets,
        Mood::Zeroed,
        Mood::Stutters,
        Mood::Truncates,
        Mood::Busy,
    ];
    for mood in moods {
        let device = Device::new(mood);
        let scheduler = scheduler(device);
        let mut waiting = Vec::new();
        for i in 0..40_u64 {
            let request = request(hashes(i * 100, 1 + (i as usize * 7) % 90));
            let scheduler = scheduler.clone();
            waiting.push(tokio::spawn(async move { (request.work.clone(), scheduler.submit(request).await) }));
        }
        for waiting in waiting {
            let (work, answer) = waiting.await.expect("no panic");
            assert!(is_echo(&work, &answer.unwrap_or_else(|rejection| panic!("{mood:?}: {rejection}"))), "{mood:?}");
        }
        until(|| is_empty(&scheduler)).await;
    }
}

#[tokio::test]
async fn a_device_that_keeps_failing_is_taken_out() {
    let device = Device::new(Mood::FaultAfter(0));
    let scheduler = scheduler(device.clone());
    for i in 0..10 {
        scheduler.submit(request(hashes(i, 5))).await.expect("an answer");
    }
    assert!(!scheduler.stats().engines[1].healthy);
    assert_eq!(device.jobs.lock().expect("unpoisoned").0, 3, "it is left alone after three faults");
    // Back after a probe that goes well.
    *device.mood.lock().expect("unpoisoned") = Mood::Well(0);
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    scheduler.submit(request(hashes(0, 5))).await.expect("an answer");
    assert!(scheduler.stats().engines[1].healthy);
}

#[tokio::test]
async fn pieces_of_the_wrong_shape_are_faults() {
    let scheduler = scheduler(Device::new(Mood::Truncates));
    for i in 0..10 {
        let request = request(hashes(i, 5));
        let work = request.work.clone();
        let answer = tokio::time::timeout(Duration::from_secs(5), scheduler.submit(request)).await;
        assert!(is_echo(&work, &answer.expect("not lost").expect("an answer")));
    }
    assert!(!scheduler.stats().engines[1].healthy);
}

#[tokio::test]
async fn a_device_that_cannot_process_an_item_is_not_blamed() {
    let scheduler = scheduler(Device::new(Mood::Zeroed));
    for i in 0..10 {
        scheduler.submit(request(hashes(i, 5))).await.expect("an answer");
    }
    assert!(scheduler.stats().engines[1].healthy);
}

#[tokio::test]
async fn a_forced_backend_fails_rather_than_being_replaced() {
    let forced = || Request { backend: Some(Backend::Cuda), ..request(hashes(0, 5)) };
    let faulty = scheduler(Device::new(Mood::FaultAfter(0))).submit(forced()).await;
    assert!(matches!(faulty, Err(Rejection::Internal(_))), "{faulty:?}");
    let busy = scheduler(Device::new(Mood::Busy)).submit(forced()).await;
    assert!(matches!(busy, Err(Rejection::BackendUnavailable(_))), "{busy:?}");
    let absent = Scheduler::new(options(), vec![cpu(1, echo)]).submit(forced()).await;
    assert!(matches!(absent, Err(Rejection::BackendUnavailable(_))), "{absent:?}");
    scheduler(Device::new(Mood::Well(0))).submit(forced()).await.expect("an answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_costs_only_the_request_that_caused_it() {
    let touchy = |work: &Work, range: Range<usize>| {
        if let Work::Hash(work) = work {
            assert!(range.clone().all(|i| number(work.messages.view().item(i)) != 666), "an item that kills");
        }
        echo(work, range)
    };
    let scheduler = Scheduler::new(options(), vec![cpu(1, touchy)]);
    let mut waiting = Vec::new();
    for i in 0..30_u64 {
        let seed = if i == 13 { 660 } else { 10_000 * (i + 1) };
        let request = request(hashes(seed, 10));
        let scheduler = scheduler.clone();
        waiting.push(tokio::spawn(async move { (i, scheduler.submit(request).await) }));
    }
    for waiting in waiting {
        let (i, answer) = waiting.await.expect("no panic");
        match answer {
            Ok(_) => assert_ne!(i, 13),
            Err(Rejection::Internal(why)) => assert!(i == 13 && why.contains("an item that kills"), "{i}: {why}"),
            Err(other) => panic!("{other}"),
        }
    }
    assert!(scheduler.stats().engines[0].healthy, "plain cores are never taken out");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_order_of_pieces_and_any_mixture_comes_back_in_order(
        seed in any::<u64>(),
        sizes in prop::collection::vec(1_usize..200, 1..20),
        items_max in 1_usize..300,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let batch = BatchOptions { items_max, ..options().batch };
            let options = SchedulerOptions { batch, ..options() };
            let scheduler = Scheduler::new(options, vec![cpu(2, echo), Device::new(Mood::Well(seed))]);
            let calls = sizes.iter().enumerate().map(|(i, &items)| {
                let request = request(hashes(i as u64 * 1_000, items));
                let scheduler = scheduler.clone();
                tokio::spawn(async move { (request.work.clone(), scheduler.submit(request).await) })
            });
            for call in calls.collect::<Vec<_>>() {
                let (work, answer) = call.await.expect("no panic");
                assert!(is_echo(&work, &answer.expect("an answer")));
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_device_is_late_with_the_cores_do_too() {
    for mood in [Mood::Hangs, Mood::Late(300)] {
        let scheduler = scheduler(Device::new(mood));
        let mut waiting = Vec::new();
        // The device has two jobs at once; the rest waits for it and must be taken back.
        for i in 0..20_u64 {
            let request = request(hashes(i * 100, 50));
            let scheduler = scheduler.clone();
            waiting.push(tokio::spawn(async move { (request.work.clone(), scheduler.submit(request).await) }));
        }
        let since = Instant::now();
        for waiting in waiting {
            let (work, answer) = waiting.await.expect("no panic");
            assert!(is_echo(&work, &answer.expect("the cores answer")), "{mood:?}");
        }
        assert!(since.elapsed() < Duration::from_secs(10), "{mood:?}: it was given up in good time");
        if mood != Mood::Hangs {
            // What the device says in the end finds nobody, and does no harm.
            until(|| is_empty(&scheduler)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forced_work_is_not_given_to_the_cores_however_late() {
    let scheduler = scheduler(Device::new(Mood::Late(200)));
    let forced = Request { backend: Some(Backend::Cuda), ..request(hashes(7, 40)) };
    let since = Instant::now();
    let answer = scheduler.submit(forced.clone()).await.expect("late, and right");
    assert!(is_echo(&forced.work, &answer));
    assert!(since.elapsed() >= Duration::from_millis(200));
}
