use std::sync::mpsc;

use super::*;

type Run = Box<dyn FnOnce(&ThreadPool) + Send>;

/// Work that says what happens to it.
struct Told {
    name: &'static str,
    /// Named by its first letter where that is a capital one.
    group: Option<Group>,
    events: mpsc::Sender<String>,
    is_ahead: AtomicBool,
    run: Option<Run>,
}

impl Work for Told {
    fn group(&self) -> Option<Group> {
        self.group
    }

    fn ahead(&self) -> Option<Ahead> {
        let (name, events) = (self.name, self.events.clone());
        let is_first = !self.is_ahead.swap(true, Ordering::Relaxed);
        is_first.then(|| -> Ahead {
            Box::new(move || {
                let _ = events.send(format!("{name} ahead"));
                assert!(name != "panics", "on purpose");
            })
        })
    }

    fn run(mut self: Box<Self>, others: Vec<Box<dyn Work>>, threads: &ThreadPool) {
        let others = others.into_iter().map(|other| other.into_any().downcast::<Self>().expect("of the tests"));
        let names: Vec<_> = others.map(|other| other.name).collect();
        let with = if names.is_empty() { String::new() } else { format!(" with {}", names.join(" ")) };
        let _ = self.events.send(format!("{} runs{with}", self.name));
        if let Some(run) = self.run.take() {
            run(threads);
        }
    }

    fn refuse(self: Box<Self>, why: Rejection) {
        let _ = self.events.send(format!("{} {}", self.name, why.reason()));
    }

    fn moved(&self, ahead: usize) {
        let _ = self.events.send(format!("{} {ahead}", self.name));
    }
}

fn group(name: &str) -> Option<Group> {
    let letter = name.bytes().next().filter(u8::is_ascii_uppercase)?;
    Some(Group { circuit: CircuitId([letter; 32]), backend: None })
}

struct Bench {
    pool: Pool,
    events: mpsc::Receiver<String>,
    told: mpsc::Sender<String>,
    number: u64,
}

impl Bench {
    fn new(concurrency: usize, nice: u8) -> Self {
        let options = PoolOptions { threads: 2, concurrency, together_max: 4, nice, aging: Duration::ZERO };
        let pool = Pool::start(&options, || ()).expect("threads start");
        let (told, events) = mpsc::channel();
        Self { pool, events, told, number: 0 }
    }

    fn push(
        &mut self,
        name: &'static str,
        deadline: Option<Duration>,
        run: impl FnOnce(&ThreadPool) + Send + 'static,
    ) -> u64 {
        self.number += 1;
        let now = Instant::now();
        self.pool.push(Task {
            number: self.number,
            tenant: "t".into(),
            priority: Priority::Block,
            since: now,
            deadline: deadline.map(|after| now + after),
            expected: Some(Duration::from_secs(10)),
            work: Box::new(Told {
                name,
                group: group(name),
                events: self.told.clone(),
                is_ahead: AtomicBool::default(),
                run: Some(Box::new(run)),
            }),
        });
        self.number
    }

    /// Waits until something happens that is told so.
    fn expect(&self, event: &str) {
        loop {
            let next = self.events.recv_timeout(Duration::from_secs(10)).unwrap_or_else(|_| panic!("no {event:?}"));
            if next == event {
                return;
            }
        }
    }
}

/// A job that runs until the sender goes.
fn until(go: mpsc::Receiver<()>) -> impl FnOnce(&ThreadPool) + Send + 'static {
    move |_| {
        let _ = go.recv();
    }
}

#[test]
fn a_stated_number_runs_at_once() {
    let mut bench = Bench::new(2, 0);
    let (go, gates): (Vec<_>, Vec<_>) = (0..3).map(|_| mpsc::channel::<()>()).unzip();
    let mut go = go;
    for (name, gate) in ["a", "b", "c"].into_iter().zip(gates) {
        bench.push(name, None, until(gate));
    }
    bench.expect("b runs");
    let now = Instant::now();
    let wait = bench.pool.predicted_wait(&"t".into(), Priority::Block, now);
    assert!(wait > Duration::from_secs(14) && wait <= Duration::from_secs(15), "three of 10 s, two at once: {wait:?}");
    let state = bench.pool.shared.lock();
    assert_eq!((state.queue.len(), state.running.len()), (1, 2));
    drop(state);
    go.remove(0);
    bench.expect("c runs");
}

#[test]
fn a_panic_does_not_end_the_runner() {
    let mut bench = Bench::new(1, 0);
    bench.push("a", None, |_| panic!("on purpose"));
    bench.push("b", None, |threads| threads.install(|| panic!("on purpose")));
    bench.push("c", None, |_| ());
    bench.expect("c runs");
}

#[test]
fn positions_are_told_as_the_queue_moves() {
    let mut bench = Bench::new(1, 0);
    let (go, gate) = mpsc::channel();
    bench.push("a", None, until(gate));
    bench.expect("a runs");
    let b = bench.push("b", None, |_| ());
    bench.push("c", None, |_| ());
    bench.expect("c 1");
    assert!(bench.pool.remove(b).is_some());
    bench.expect("c 0");
    assert!(bench.pool.remove(b).is_none());
    drop(go);
    bench.expect("c runs");
}

#[test]
fn a_job_that_waits_past_its_deadline_is_refused_on_time() {
    let mut bench = Bench::new(1, 0);
    let (_go, gate) = mpsc::channel();
    bench.push("a", None, until(gate));
    bench.push("b", Some(Duration::from_millis(50)), |_| ());
    let start = Instant::now();
    bench.expect("b deadline_exceeded");
    assert!(start.elapsed() < Duration::from_secs(4), "it did not wait for a tick");
}

#[test]
fn threads_are_nice_and_named() {
    let mut bench = Bench::new(1, 7);
    let (tell, told) = mpsc::channel();
    bench.push("a", None, move |threads| {
        let look = || {
            let thread = Some(rustix::thread::gettid());
            let name = thread::current().name().map(str::to_owned);
            (rustix::process::getpriority_process(thread), name)
        };
        let _ = tell.send([look(), threads.install(look)]);
    });
    let [runner, worker] = told.recv_timeout(Duration::from_secs(10)).expect("it ran");
    assert_eq!((runner.0, worker.0), (Ok(7), Ok(7)));
    assert!(worker.1.is_some_and(|name| name.starts_with("outrigger-proof-")));
}

#[test]
fn neighbours_of_a_group_are_done_together() {
    let mut bench = Bench::new(1, 0);
    let (go, gate) = mpsc::channel();
    bench.push("busy", None, until(gate));
    bench.expect("busy runs");
    // Two groups, one job of none, and more of a group than are done at once.
    for name in ["A1", "A2", "B1", "A3", "x", "y", "B2", "B3", "B4", "B5", "B6"] {
        bench.push(name, None, |_| ());
    }
    drop(go);
    for event in ["A1 runs with A2", "B1 runs", "A3 runs", "x runs", "y runs", "B2 runs with B3 B4 B5", "B6 runs"] {
        bench.expect(event);
    }
    // Nothing runs any more, and none of those that were done together counts as running.
    let deadline = Instant::now() + Duration::from_secs(10);
    while !bench.pool.shared.lock().running.is_empty() {
        assert!(Instant::now() < deadline, "jobs that have ended count as running");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_goes_next_is_begun_while_another_runs() {
    let mut bench = Bench::new(1, 0);
    let (go, gate) = mpsc::channel();
    bench.push("a", None, until(gate));
    bench.expect("a runs");
    for name in ["panics", "c", "d", "e", "f"] {
        bench.push(name, None, |_| ());
    }
    // As many as could be done together, whether they are of one group or not; a panic keeps nobody from going ahead.
    for event in ["panics ahead", "c ahead", "d ahead", "e ahead"] {
        bench.expect(event);
    }
    drop(go);
    // Of the last it depends on who is sooner.
    bench.expect("f runs");
}
