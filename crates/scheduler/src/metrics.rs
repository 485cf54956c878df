//! The scheduler's metrics: names, what they mean, and handles that are looked up once.
//!
//! Labels are bounded: operations, rulesets, backends and priorities are closed lists, and tenants are those that
//! the configuration names, all others being `other`. Nothing is looked up for an item.

mod standing;

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use outrigger_algorithms::known_keys;
use outrigger_device::{Timing, WorkerStats};
use outrigger_types::{Backend, Operation, Priority, Rejection, Verdict};

use crate::limits::Load;

pub use standing::{
    CACHE_ENTRIES, CACHE_ENTRIES_LIMIT, DEVICE_MEMORY_LIMIT, DEVICE_STATE, TENANT_BYTES, TENANT_BYTES_LIMIT,
    TENANT_COMPUTE, TENANT_COMPUTE_LIMIT, TENANT_ITEMS, TENANT_ITEMS_LIMIT, TENANT_REQUESTS, TENANT_REQUESTS_LIMIT,
};
pub(crate) use standing::{cache, device, device_memory, tenants};

/// Requests by `operation`, `ruleset`, `priority` and `result` (`ok` or the reason of the rejection).
pub const REQUESTS: &str = "outrigger_requests_total";
/// Time from arrival to answer of the requests that were answered, by `operation` and `ruleset`.
pub const REQUEST_SECONDS: &str = "outrigger_request_seconds";
/// Items by `operation`, `ruleset`, `backend` and `verdict`.
pub const ITEMS: &str = "outrigger_items_total";
/// Items of each batch, by `backend` and `operation`.
pub const BATCH_ITEMS: &str = "outrigger_batch_items";
/// Time from arrival to dispatch, by `operation`.
pub const QUEUE_SECONDS: &str = "outrigger_queue_seconds";
/// Compute time of each batch, summed over cores, by `backend` and `operation`.
pub const COMPUTE_SECONDS: &str = "outrigger_compute_seconds";
/// Rejections by `reason` and `tenant`.
pub const REJECTIONS: &str = "outrigger_rejections_total";
/// Batches by the `backend` that was chosen.
pub const BACKEND_CHOICE: &str = "outrigger_backend_choice_total";
/// Items that the cache was asked for, by `result`: `hit`, `miss`, or `shared` with equal work in flight.
pub const CACHE: &str = "outrigger_cache_total";
/// Items that were repeated on the CPU after a fault, by the `backend` that failed.
pub const FALLBACK_ITEMS: &str = "outrigger_fallback_items_total";
/// Time of batches on devices, by `backend`, `device` and `part`: `waited` for the worker, `worked` (its rate is how many
/// of a worker's two queues are busy), and of that `copied_in`, `kernels`, `copied_out` (kernels included where the
/// driver gives no time of its own).
pub const DEVICE_MICROSECONDS: &str = "outrigger_device_microseconds_total";
/// Bytes copied, by `backend`, `device` and `direction`: `in` or `out`.
pub const DEVICE_BYTES: &str = "outrigger_device_bytes_total";
/// Processes of workers, by `backend`, `device` and `event`: `started`, `failed_to_start`, `hung`, `died`.
pub const DEVICE_WORKERS: &str = "outrigger_device_workers_total";
/// Batches in the hands of a device's worker, by `backend` and `device`.
pub const DEVICE_BATCHES: &str = "outrigger_device_batches";
/// Items that the CPU was asked for as well because a device was late with them, by its `backend`.
pub const HEDGED_ITEMS: &str = "outrigger_hedged_items_total";
/// What went wrong on devices, by `backend`, `device` and `event`: see [`DeviceEvent`].
pub const DEVICE_EVENTS: &str = "outrigger_device_events_total";
/// Items whose key was looked for among the tables of known keys, by `result`: `hit` or `miss`.
pub const KNOWN_KEYS: &str = "outrigger_known_keys_total";
/// Tables of known keys, by `event`: `built`, `evicted` to make room, or dropped as `damaged`.
pub const KNOWN_KEY_TABLES_EVENTS: &str = "outrigger_known_key_tables_total";
/// Tables of known keys that there are.
pub const KNOWN_KEY_TABLES: &str = "outrigger_known_key_tables";
/// Bytes of these tables.
pub const KNOWN_KEY_BYTES: &str = "outrigger_known_key_bytes";
/// Requests that are admitted and not answered.
pub const INFLIGHT_REQUESTS: &str = "outrigger_inflight_requests";
/// Items of these requests.
pub const INFLIGHT_ITEMS: &str = "outrigger_inflight_items";
/// Bytes of these requests.
pub const INFLIGHT_BYTES: &str = "outrigger_inflight_bytes";

/// What went wrong on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceEvent {
    /// An answer whose tag was wrong: it was damaged on its way.
    Damaged,
    /// A planted item that was answered wrongly.
    Planted,
    /// An answer that the CPU, asked again, does not give.
    Audit,
    /// No memory for a batch.
    OutOfMemory,
    /// The driver or the worker failed, or the worker is gone.
    Fault,
}

impl DeviceEvent {
    /// The value of the label `event`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Planted => "planted",
            Self::Audit => "audit",
            Self::OutOfMemory => "out_of_memory",
            Self::Fault => "fault",
        }
    }

    /// Counts it. Devices are few, so a label for each is bounded.
    pub(crate) fn count(self, backend: Backend, device: &str) {
        let labels =
            [("backend", backend.name().to_owned()), ("device", device.to_owned()), ("event", self.name().to_owned())];
        counter!(DEVICE_EVENTS, &labels).increment(1);
    }
}

/// Counts where the time of a batch went.
pub(crate) fn device_timing(backend: Backend, device: &str, timing: &Timing) {
    let labels = |name: &'static str, value: &'static str| {
        [("backend", backend.name().to_owned()), ("device", device.to_owned()), (name, value.to_owned())]
    };
    let parts = [
        ("waited", timing.waited),
        ("worked", timing.worked),
        ("copied_in", timing.copy_in),
        ("kernels", timing.kernels),
        ("copied_out", timing.copy_out),
    ];
    for (part, time) in parts {
        counter!(DEVICE_MICROSECONDS, &labels("part", part)).increment(time.as_micros() as u64);
    }
    for (direction, bytes) in [("in", timing.bytes_in), ("out", timing.bytes_out)] {
        counter!(DEVICE_BYTES, &labels("direction", direction)).increment(bytes);
    }
}

/// Tells the recorder how the process of a device's worker fares. To be called before metrics are shown.
pub(crate) fn record_worker(backend: Backend, device: &str, stats: &WorkerStats) {
    let named = |event: &'static str| {
        [("backend", backend.name().to_owned()), ("device", device.to_owned()), ("event", event.to_owned())]
    };
    let events = [
        ("started", stats.starts),
        ("failed_to_start", stats.failed_starts),
        ("hung", stats.hung),
        ("died", stats.died),
    ];
    for (event, count) in events {
        counter!(DEVICE_WORKERS, &named(event)).absolute(count);
    }
    let labels = [("backend", backend.name().to_owned()), ("device", device.to_owned())];
    gauge!(DEVICE_BATCHES, &labels).set(stats.in_flight as f64);
}

/// Tells the recorder what each metric means.
pub fn describe() {
    describe_counter!(REQUESTS, "Requests answered or rejected");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "Time from arrival to answer");
    describe_counter!(ITEMS, "Items judged, by verdict");
    describe_histogram!(BATCH_ITEMS, "Items of one batch");
    describe_histogram!(QUEUE_SECONDS, Unit::Seconds, "Time from arrival to dispatch");
    describe_histogram!(COMPUTE_SECONDS, Unit::Seconds, "Compute time of one batch, summed over cores");
    describe_counter!(REJECTIONS, "Requests rejected, by reason and tenant");
    describe_counter!(BACKEND_CHOICE, "Batches by the backend that was chosen");
    describe_counter!(CACHE, "Items looked up in the verdict cache");
    describe_counter!(FALLBACK_ITEMS, "Items repeated on the CPU after another backend failed");
    describe_counter!(HEDGED_ITEMS, "Items that the CPU was asked for as well because a device was late");
    describe_counter!(DEVICE_MICROSECONDS, Unit::Microseconds, "Time of batches on devices, by what it went to");
    describe_counter!(DEVICE_BYTES, Unit::Bytes, "Bytes copied to and from devices");
    describe_counter!(DEVICE_WORKERS, "Processes of device workers: started, failed to start, hung, died");
    describe_gauge!(DEVICE_BATCHES, "Batches in the hands of a device's worker");
    describe_counter!(DEVICE_EVENTS, "What went wrong on devices");
    describe_counter!(KNOWN_KEYS, "Items whose key was looked for among the tables of known keys");
    describe_counter!(KNOWN_KEY_TABLES_EVENTS, "Tables of known keys that were built, evicted, or found damaged");
    describe_gauge!(KNOWN_KEY_TABLES, "Tables of known keys");
    describe_gauge!(KNOWN_KEY_BYTES, Unit::Bytes, "Bytes of the tables of known keys");
    describe_gauge!(INFLIGHT_REQUESTS, "Requests admitted and not answered");
    describe_gauge!(INFLIGHT_ITEMS, "Items admitted and not answered");
    describe_gauge!(INFLIGHT_BYTES, Unit::Bytes, "Bytes admitted and not answered");
    standing::describe();
}

/// Tells the recorder how the tables of known keys stand; nothing where this process keeps none. To be called before
/// metrics are shown: lanes count for themselves.
pub fn record_known_keys() {
    let Some(known) = known_keys::shared() else { return };
    let stats = known.stats();
    counter!(KNOWN_KEYS, "result" => "hit").absolute(stats.hits);
    counter!(KNOWN_KEYS, "result" => "miss").absolute(stats.misses);
    for (event, count) in [("built", stats.builds), ("evicted", stats.evictions), ("damaged", stats.damaged)] {
        counter!(KNOWN_KEY_TABLES_EVENTS, "event" => event).absolute(count);
    }
    gauge!(KNOWN_KEY_TABLES).set(stats.tables as f64);
    gauge!(KNOWN_KEY_BYTES).set(stats.bytes as f64);
}

/// Gauges of what is held. Looked up at first use, so that a recorder installed at start-up gets them.
#[derive(Default)]
pub(crate) struct InFlight {
    gauges: OnceLock<[Gauge; 3]>,
}

impl InFlight {
    pub(crate) fn add(&self, load: Load) {
        for (gauge, value) in self.pairs(load) {
            gauge.increment(value);
        }
    }

    pub(crate) fn subtract(&self, load: Load) {
        for (gauge, value) in self.pairs(load) {
            gauge.decrement(value);
        }
    }

    fn pairs(&self, load: Load) -> impl Iterator<Item = (&Gauge, f64)> {
        let gauges =
            self.gauges.get_or_init(|| [gauge!(INFLIGHT_REQUESTS), gauge!(INFLIGHT_ITEMS), gauge!(INFLIGHT_BYTES)]);
        gauges.iter().zip([load.requests as f64, load.items as f64, load.bytes as f64])
    }
}

struct BackendHandles {
    verdicts: [Counter; 4],
    batch_items: Histogram,
    compute: Histogram,
    choice: Counter,
}

struct OperationHandles {
    answered: [Counter; Priority::ALL.len()],
    seconds: Histogram,
    queue: Histogram,
    backends: [OnceLock<BackendHandles>; Backend::ALL.len()],
}

/// Operations, densely numbered: see [`number`].
const OPERATIONS: usize = 96;

/// Handles of all operations, each looked up at its first use.
pub(crate) struct Handles {
    operations: Box<[OnceLock<OperationHandles>]>,
    cache: OnceLock<[Counter; 3]>,
}

/// What one dispatched batch, or a part of it, came to.
pub(crate) struct Judged {
    pub(crate) operation: Operation,
    pub(crate) backend: Backend,
    pub(crate) verdicts: [u64; 4],
}

impl Handles {
    pub(crate) fn new() -> Self {
        Self { operations: (0..OPERATIONS).map(|_| OnceLock::new()).collect(), cache: OnceLock::new() }
    }

    pub(crate) fn answered(&self, operation: Operation, priority: Priority, took: Duration) {
        let handles = self.of(operation);
        handles.answered[priority as usize].increment(1);
        handles.seconds.record(took.as_secs_f64());
    }

    /// Rejections are rare enough to be looked up each time, and must be bounded in labels, not in time.
    pub(crate) fn rejected(&self, operation: Operation, priority: Priority, tenant: &str, rejection: &Rejection) {
        let reason = rejection.reason();
        counter!(REQUESTS, "operation" => operation.kind(), "ruleset" => operation.label(),
            "priority" => priority.name(), "result" => reason)
        .increment(1);
        counter!(REJECTIONS, "reason" => reason, "tenant" => tenant.to_owned()).increment(1);
    }

    pub(crate) fn queued(&self, operation: Operation, waited: Duration) {
        self.of(operation).queue.record(waited.as_secs_f64());
    }

    pub(crate) fn dispatched(&self, operation: Operation, backend: Backend, items: usize) {
        let handles = self.on(operation, backend);
        handles.batch_items.record(items as f64);
        handles.choice.increment(1);
    }

    pub(crate) fn computed(&self, operation: Operation, backend: Backend, compute: Duration) {
        self.on(operation, backend).compute.record(compute.as_secs_f64());
    }

    pub(crate) fn judged(&self, judged: &Judged) {
        let counters = &self.on(judged.operation, judged.backend).verdicts;
        for (counter, count) in counters.iter().zip(judged.verdicts).filter(|(_, count)| *count > 0) {
            counter.increment(count);
        }
    }

    pub(crate) fn fell_back(&self, backend: Backend, items: usize) {
        counter!(FALLBACK_ITEMS, "backend" => backend.name()).increment(items as u64);
    }

    pub(crate) fn hedged(&self, backend: Backend, items: usize) {
        counter!(HEDGED_ITEMS, "backend" => backend.name()).increment(items as u64);
    }

    pub(crate) fn looked_up(&self, hits: usize, misses: usize, shared: usize) {
        let counters =
            self.cache.get_or_init(|| ["hit", "miss", "shared"].map(|result| counter!(CACHE, "result" => result)));
        for (counter, count) in counters.iter().zip([hits, misses, shared]) {
            counter.increment(count as u64);
        }
    }

    fn of(&self, operation: Operation) -> &OperationHandles {
        self.operations[number(operation)].get_or_init(|| OperationHandles {
            answered: Priority::ALL.map(|priority| {
                counter!(REQUESTS, "operation" => operation.kind(), "ruleset" => operation.label(),
                    "priority" => priority.name(), "result" => "ok")
            }),
            seconds: histogram!(REQUEST_SECONDS, "operation" => operation.kind(), "ruleset" => operation.label()),
            queue: histogram!(QUEUE_SECONDS, "operation" => operation.kind()),
            backends: Default::default(),
        })
    }

    fn on(&self, operation: Operation, backend: Backend) -> &BackendHandles {
        self.of(operation).backends[backend as usize].get_or_init(|| BackendHandles {
            verdicts: [Verdict::Unprocessed, Verdict::Valid, Verdict::Invalid, Verdict::Malformed].map(|verdict| {
                counter!(ITEMS, "operation" => operation.kind(), "ruleset" => operation.label(),
                    "backend" => backend.name(), "verdict" => verdict.name())
            }),
            batch_items: histogram!(BATCH_ITEMS, "backend" => backend.name(), "operation" => operation.kind()),
            compute: histogram!(COMPUTE_SECONDS, "backend" => backend.name(), "operation" => operation.kind()),
            choice: counter!(BACKEND_CHOICE, "backend" => backend.name()),
        })
    }
}

/// A number below [`OPERATIONS`] for each pair of labels: rulesets and hash functions are numbered from 1 to 15,
/// and trees share a number whatever their hash, as they share a label.
const fn number(operation: Operation) -> usize {
    match operation {
        Operation::Verify(ruleset) => ruleset.number() as usize % 16,
        Operation::Recover(ruleset) => 16 + ruleset.number() as usize % 16,
        Operation::VerifySets(ruleset) => 32 + ruleset.number() as usize % 16,
        Operation::Hash(algorithm) => 48 + algorithm.number() as usize % 16,
        Operation::Merkle(tree, _) => 64 + tree.number() as usize % 16,
        Operation::EthereumTransactions => 80,
        Operation::VerifyProofs(curve) => 81 + curve as usize,
    }
}

/// How many of each verdict, in the order of their bytes.
pub(crate) fn count(verdicts: &[Verdict]) -> [u64; 4] {
    let mut counts = [0; 4];
    for verdict in verdicts {
        counts[*verdict as usize] += 1;
    }
    counts
}
