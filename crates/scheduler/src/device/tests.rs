use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use outrigger_algorithms::planted::{self, Plant};
use outrigger_algorithms::registry;
use outrigger_types::packed::Marks;
use outrigger_types::{HashAlgorithm, Priority, Ruleset, Verdict, Work};

use super::*;

mod host;

const VERIFY: Operation = Operation::Verify(Ruleset::EthereumTransaction);
const RECOVER: Operation = Operation::Recover(Ruleset::EthereumTransaction);
const HASH: Operation = Operation::Hash(HashAlgorithm::Sha256);
const PATIENCE: Duration = Duration::from_secs(20);

/// What a double of a worker does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Nothing,
    /// Bits of the answer flip behind the kernel.
    Damage {
        byte: usize,
        bit: u8,
    },
    /// The kernel says of every so manieth item the opposite, under right tags.
    Verdict {
        every: usize,
    },
    /// The kernel gives a wrong byte of output, under right tags.
    Output,
    /// The same, but only where the right byte is a multiple of this.
    OutputOfSome {
        multiple: u8,
    },
    /// Memory that nobody wrote.
    Zeros,
    /// The answer to a batch before.
    Stale,
    Memory,
    Gone,
}

/// Answers as the CPU does, but for what it is told to do wrong.
struct Double {
    wrong: Mutex<Wrong>,
    life: AtomicU64,
    is_up: AtomicBool,
    /// The machine is busy: a batch takes a tenth of a second more.
    is_slow: AtomicBool,
    /// Hashes are not tested yet.
    tests_still: AtomicBool,
    batches: AtomicU64,
    last: Mutex<Vec<u8>>,
}

use std::sync::Mutex;

impl Double {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            wrong: Mutex::new(Wrong::Nothing),
            life: AtomicU64::new(1),
            is_up: AtomicBool::new(true),
            is_slow: AtomicBool::new(false),
            tests_still: AtomicBool::new(false),
            batches: AtomicU64::new(0),
            last: Mutex::default(),
        })
    }

    fn does(&self, wrong: Wrong) {
        *self.wrong.lock().unwrap() = wrong;
    }
}

impl Worker for Double {
    fn backend(&self) -> Backend {
        Backend::Opencl
    }

    fn device(&self) -> &str {
        "a double"
    }

    fn life(&self) -> Option<u64> {
        self.is_up.load(Ordering::SeqCst).then(|| self.life.load(Ordering::SeqCst))
    }

    fn operations(&self) -> Vec<Operation> {
        if self.is_testing() { vec![VERIFY, RECOVER] } else { vec![VERIFY, RECOVER, HASH] }
    }

    fn is_testing(&self) -> bool {
        self.tests_still.load(Ordering::SeqCst)
    }

    fn batch_bytes_max(&self) -> usize {
        1 << 20
    }

    fn run(&self, batch: Batch<'_>) -> Result<Vec<u8>, DeviceError> {
        self.batches.fetch_add(1, Ordering::SeqCst);
        let wrong = *self.wrong.lock().unwrap();
        if self.is_slow.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(100));
        }
        match wrong {
            Wrong::Memory => return Err(DeviceError::OutOfMemory { wanted: 1, left: 0 }),
            Wrong::Gone => return Err(DeviceError::Lost("killed".to_owned())),
            Wrong::Zeros => return Ok(vec![0; batch.output_len]),
            Wrong::Stale => return Ok(self.last.lock().unwrap().clone()),
            _ => {}
        }
        let mut input = vec![0; batch.input_len];
        (batch.fill)(&mut input);
        let works = packed::unpack(&input).expect("what was packed");
        let stride = works[0].0.operation().output_shape().stride;
        let mut output = Output::default();
        works.iter().for_each(|(work, _)| output.append(registry::run(work, 0..work.items())));
        match wrong {
            Wrong::Verdict { every } => output.verdicts.iter_mut().step_by(every).for_each(|verdict| {
                *verdict = if *verdict == Verdict::Valid { Verdict::Invalid } else { Verdict::Valid };
            }),
            Wrong::Output => output.fixed.iter_mut().step_by(stride.max(1)).for_each(|byte| *byte ^= 0x10),
            Wrong::OutputOfSome { multiple } => {
                let wrong = output.fixed.iter_mut().step_by(stride.max(1)).filter(|byte| **byte % multiple == 0);
                wrong.for_each(|byte| *byte ^= 0x10);
            }
            _ => {}
        }
        let mut bytes = vec![0; batch.output_len];
        let length = packed::write_answer(batch.nonce, &output, stride, &mut bytes).expect("room");
        bytes.truncate(length);
        if let Wrong::Damage { byte, bit } = wrong {
            let at = byte % length;
            bytes[at] ^= 1 << bit;
        }
        self.last.lock().unwrap().clone_from(&bytes);
        Ok(bytes)
    }
}

fn engine(double: &Arc<Double>, audit_rate: f64) -> DeviceEngine {
    let quarantine = Duration::from_millis(50);
    let options = DeviceOptions { audit_rate, quarantine, measured_again: Duration::from_millis(200) };
    let engine = DeviceEngine::new(double.clone(), options);
    assert!(engine.warm_up(PATIENCE), "the trials end");
    engine
}

/// So many items, every fifth of them bad.
fn work(operation: Operation, items: usize) -> Arc<Work> {
    let plants: Vec<Plant> = (0..items).map(|i| if i % 5 == 3 { Plant::OtherMessage } else { Plant::Good }).collect();
    Arc::new(planted::work(operation, &plants).expect("planted"))
}

fn carry_out(engine: &DeviceEngine, work: &Arc<Work>, deadline: Option<Instant>) -> Result<Output, EngineError> {
    let (sender, receiver) = mpsc::channel();
    let items = work.items();
    let job = Job {
        // Two requests, the second of one item.
        segments: vec![(work.clone(), 0..items - 1), (work.clone(), items - 1..items)],
        output: Output::unprocessed(work.operation(), items),
        deadline,
        priority: Priority::Block,
        completion: Arc::new(move |id| {
            let _ = sender.send(id);
        }),
    };
    let id = engine.submit(job).map_err(|(error, _)| error)?;
    assert_eq!(receiver.recv_timeout(PATIENCE), Ok(id));
    match engine.poll(id) {
        Outcome::Done(mut pieces) => Ok(pieces.remove(0).output),
        Outcome::Failed(pieces, error) => {
            assert!(pieces.is_empty(), "nothing of a batch that failed is believed");
            Err(error)
        }
        Outcome::Running(_) => panic!("it said that it had ended"),
    }
}

fn right(work: &Work) -> Output {
    registry::run(work, 0..work.items())
}

#[test]
fn answers_are_those_of_the_cpu_and_planted_items_leave_no_trace() {
    let engine = engine(&Double::new(), 0.0);
    assert!(engine.failures().is_empty());
    assert!(engine.supports(VERIFY) && !engine.supports(Operation::Verify(Ruleset::Fabric)));
    assert!(engine.predicted_cost(VERIFY, 100, 10_000).is_some(), "the trials measured it");
    for operation in [VERIFY, RECOVER, HASH] {
        for items in [2, 3, 8, 61] {
            let work = work(operation, items);
            assert_eq!(carry_out(&engine, &work, None).unwrap(), right(&work), "{operation:?} of {items}");
        }
    }
}

/// Which items are marked.
type IsMarked = fn(usize) -> bool;

/// Marked or not, items are judged in two ways: each of them that a batch takes has a good item planted and a bad one.
#[test]
fn planted_items_are_marked_as_the_others_are() {
    let (pools, mut random) = (Pools::default(), rand::rng());
    let work = work(VERIFY, 30);
    let parts = [(work.clone(), 4..30), (work, 0..4)];
    let sorts: [(IsMarked, usize, usize); 4] =
        [(|_| false, 0, 2), (|_| true, 2, 0), (|item| item % 3 == 0, 2, 2), (|item| item == 7, 2, 2)];
    for (is_marked, with_mark, without) in sorts {
        for _ in 0..20 {
            let marks: Marks = (0..30).map(is_marked).collect();
            let batch = pools.with_planted(VERIFY, &parts, marks, &mut random);
            let mut input = vec![0; packed::packed_len(&batch.parts, &batch.marks)];
            packed::pack(&batch.parts, &batch.marks, &mut input);
            let groups = packed::unpack(&input).expect("what was packed");
            let [(Work::Verify(packed), marks)] = &groups[..] else { panic!("one group") };
            let (mut own, mut planted) = (0, [0, 0]);
            let mut place = 0;
            for (part, range) in &batch.parts {
                for item in range.clone() {
                    let is_own = parts.iter().any(|(work, _)| Arc::ptr_eq(work, part));
                    if is_own {
                        assert_eq!(marks.is_marked(place), is_marked(own), "item {own}");
                        own += 1;
                    } else {
                        planted[usize::from(marks.is_marked(place))] += 1;
                    }
                    let Work::Verify(work) = &**part else { panic!("signatures") };
                    assert_eq!(packed.signature(place), work.signature(item));
                    place += 1;
                }
            }
            assert_eq!((own, planted), (30, [without, with_mark]));
        }
    }
}

#[test]
fn one_flipped_bit_anywhere_is_always_seen() {
    let double = Double::new();
    let engine = engine(&double, 0.0);
    for operation in [VERIFY, RECOVER, HASH] {
        let work = work(operation, 7);
        for byte in (0..9 * (1 + 4 + operation.output_shape().stride)).step_by(3) {
            double.does(Wrong::Damage { byte, bit: (byte % 8) as u8 });
            let error = carry_out(&engine, &work, None).expect_err("a flipped bit");
            assert!(matches!(error, EngineError::Fault(_)), "byte {byte}: {error}");
        }
        double.does(Wrong::Nothing);
        assert!(engine.supports(operation), "damage on the way does not speak against the kernels");
        assert_eq!(carry_out(&engine, &work, None).unwrap(), right(&work));
    }
}

#[test]
fn zeroed_and_stale_memory_says_nothing() {
    let double = Double::new();
    let engine = engine(&double, 0.0);
    let work = work(VERIFY, 30);
    carry_out(&engine, &work, None).unwrap();
    for wrong in [Wrong::Zeros, Wrong::Stale] {
        double.does(wrong);
        assert!(matches!(carry_out(&engine, &work, None), Err(EngineError::Fault(_))), "{wrong:?}");
    }
}

#[test]
fn a_kernel_that_computes_wrong_is_caught_quarantined_and_comes_back() {
    for (operation, wrong) in [(VERIFY, Wrong::Verdict { every: 40 }), (RECOVER, Wrong::Output), (HASH, Wrong::Output)]
    {
        let double = Double::new();
        let engine = engine(&double, 1.0);
        let work = work(operation, 80);
        double.does(wrong);
        assert!(matches!(carry_out(&engine, &work, None), Err(EngineError::Fault(_))), "{operation:?}");
        assert!(!engine.supports(operation), "in quarantine");
        // It stays there while its trials fail, and comes back by itself.
        std::thread::sleep(Duration::from_millis(200));
        assert!(!engine.supports(operation), "its trials fail");
        double.does(Wrong::Nothing);
        assert!(engine.warm_up(PATIENCE) && engine.supports(operation));
        assert_eq!(carry_out(&engine, &work, None).unwrap(), right(&work));
    }
}

/// A sixteenth of 400 answers is wrong: by the bound of `audit`, a batch passes with a chance of 0.999^25 at most, and
/// all of 1,000 with one of 10^-11.
#[test]
fn a_kernel_that_is_sometimes_wrong_is_caught_at_the_default_rate() {
    let double = Double::new();
    let engine = engine(&double, DeviceOptions::default().audit_rate);
    let work = work(HASH, 400);
    double.does(Wrong::OutputOfSome { multiple: 16 });
    let caught = (0..1_000).position(|_| carry_out(&engine, &work, None).is_err());
    assert!(caught.is_some(), "the audit sees it");
    println!("caught in batch {}", caught.map_or(0, |batch| batch + 1));
}

/// What cannot be tried now, as for want of memory, is tried again without a new life of the worker.
#[test]
fn a_trial_that_could_not_be_carried_out_is_repeated() {
    let double = Double::new();
    double.does(Wrong::Memory);
    let engine = engine(&double, 0.0);
    assert_eq!(engine.failures().len(), 3);
    assert!(!engine.supports(VERIFY));
    double.does(Wrong::Nothing);
    let until = Instant::now() + PATIENCE;
    while !(engine.supports(VERIFY) && engine.supports(RECOVER) && engine.supports(HASH)) {
        assert!(Instant::now() < until, "it comes back");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(engine.failures(), []);
}

/// A device that was first measured on a busy machine is never chosen, and would never be measured again.
#[test]
fn what_is_asked_for_and_not_used_is_measured_again() {
    let double = Double::new();
    double.is_slow.store(true, Ordering::SeqCst);
    let engine = engine(&double, 0.0);
    let cost = || engine.predicted_cost(HASH, 1, 100).expect("the trials measured it");
    assert!(cost() > Duration::from_millis(50));
    double.is_slow.store(false, Ordering::SeqCst);
    let until = Instant::now() + PATIENCE;
    while engine.predicted_cost(HASH, 1, 100).is_none_or(|cost| cost > Duration::from_millis(20)) {
        assert!(Instant::now() < until, "it stays dear");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_was_tried_serves_while_the_rest_is_tested() {
    let double = Double::new();
    double.tests_still.store(true, Ordering::SeqCst);
    let engine = DeviceEngine::new(double.clone(), DeviceOptions::default());
    let until = Instant::now() + PATIENCE;
    while !engine.supports(VERIFY) {
        assert!(Instant::now() < until, "its self-test has passed");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(!engine.supports(HASH) && !engine.warm_up(Duration::from_millis(50)));
    double.tests_still.store(false, Ordering::SeqCst);
    assert!(engine.warm_up(PATIENCE) && engine.supports(HASH));
    let until = Instant::now() + PATIENCE;
    while engine.predicted_cost(VERIFY, 10, 1_000).is_none() {
        assert!(Instant::now() < until, "measured again, undisturbed");
        thread::sleep(Duration::from_millis(5));
    }
}

fn until_it_is(engine: &DeviceEngine, state: DeviceState) {
    let until = Instant::now() + PATIENCE;
    while engine.state() != state {
        assert!(Instant::now() < until, "it stays {:?} and never is {state:?}", engine.state());
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_device_is_in_the_state_that_its_trials_say() {
    let double = Double::new();
    double.tests_still.store(true, Ordering::SeqCst);
    let engine = DeviceEngine::new(double.clone(), DeviceOptions { audit_rate: 1.0, ..DeviceOptions::default() });
    assert_eq!(engine.state(), DeviceState::Testing);
    double.tests_still.store(false, Ordering::SeqCst);
    until_it_is(&engine, DeviceState::Up);
    double.does(Wrong::Output);
    assert!(carry_out(&engine, &work(HASH, 80), None).is_err());
    assert_eq!(engine.state(), DeviceState::Quarantined, "for a second at least, and while its trials fail");
    double.does(Wrong::Nothing);
    until_it_is(&engine, DeviceState::Up);
    double.is_up.store(false, Ordering::SeqCst);
    assert_eq!(engine.state(), DeviceState::Down);
    double.life.store(2, Ordering::SeqCst);
    double.is_up.store(true, Ordering::SeqCst);
    assert_ne!(engine.state(), DeviceState::Down);
    until_it_is(&engine, DeviceState::Up);
}

#[test]
fn a_kernel_that_refuses_everything_is_caught_at_any_rate() {
    let double = Double::new();
    let engine = engine(&double, 0.0);
    let work = work(VERIFY, 200);
    double.does(Wrong::Verdict { every: 1 });
    assert!(carry_out(&engine, &work, None).is_err(), "planted items see to it");
}

#[test]
fn failures_of_the_worker_are_named_and_no_verdicts() {
    let double = Double::new();
    let engine = engine(&double, 0.0);
    let work = work(VERIFY, 9);
    double.does(Wrong::Memory);
    assert_eq!(carry_out(&engine, &work, None), Err(EngineError::Busy), "memory comes back");
    double.does(Wrong::Gone);
    assert!(matches!(carry_out(&engine, &work, None), Err(EngineError::Fault(_))));
    let late = Some(Instant::now() - Duration::from_millis(1));
    assert_eq!(carry_out(&engine, &work, late), Err(EngineError::Expired));
}

#[test]
fn a_worker_that_was_restarted_is_tried_before_it_serves() {
    let double = Double::new();
    let engine = engine(&double, 0.0);
    double.is_up.store(false, Ordering::SeqCst);
    assert!(!engine.supports(VERIFY), "nobody is there");
    double.does(Wrong::Gone);
    double.life.store(2, Ordering::SeqCst);
    double.is_up.store(true, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(200));
    assert!(!engine.supports(VERIFY), "it was not tried in this life");
    double.does(Wrong::Nothing);
    double.life.store(3, Ordering::SeqCst);
    assert!(engine.warm_up(PATIENCE));
    let until = Instant::now() + PATIENCE;
    while !engine.supports(VERIFY) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(engine.supports(VERIFY));
}

#[test]
fn jobs_that_nobody_wants_are_not_run_and_unknown_ones_are_named() {
    let double = Double::new();
    let engine = engine(&double, 0.0);
    assert!(matches!(engine.poll(77), Outcome::Failed(_, EngineError::UnknownJob)));
    let unsupported = work(Operation::Verify(Ruleset::Fabric), 2);
    assert_eq!(carry_out(&engine, &unsupported, None), Err(EngineError::Unsupported));
    let (sender, receiver) = mpsc::channel();
    let work = work(VERIFY, 64);
    let before = double.batches.load(Ordering::SeqCst);
    let ids: Vec<JobId> = (0..6)
        .map(|_| {
            let sender = sender.clone();
            let job = Job {
                segments: vec![(work.clone(), 0..64)],
                output: Output::unprocessed(VERIFY, 64),
                deadline: None,
                priority: Priority::Bulk,
                completion: Arc::new(move |id| {
                    let _ = sender.send(id);
                }),
            };
            engine.submit(job).map_err(|(error, _)| error).expect("room")
        })
        .collect();
    engine.cancel(ids[5]);
    let mut cancelled = 0;
    for _ in &ids {
        let id = receiver.recv_timeout(PATIENCE).expect("every job is reported");
        cancelled += u64::from(matches!(engine.poll(id), Outcome::Failed(_, EngineError::Cancelled)));
    }
    assert_eq!(double.batches.load(Ordering::SeqCst) - before, 6 - cancelled);
}
