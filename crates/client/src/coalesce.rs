//! Single calls, gathered into batches: callers write their item straight into the columns of the batch that is open,
//! and a pump a connection sends batches on a stream.

mod batch;
mod pump;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outrigger_types::{ColumnBuf, Keys, Ruleset, SignatureOptions, SignatureWork, Verdict, Work};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use self::batch::{Answered, Batch, Open};
use self::pump::Pump;
use crate::call::Core;
use crate::{CallOptions, ClientError};

/// Bytes of one item that may be gathered; a larger one gains nothing by company and goes alone.
const ITEM_BYTES_MAX: usize = 64 * 1024;

/// A lane a connection.
pub(crate) struct Lanes {
    core: Arc<Core>,
    lanes: Vec<Arc<Lane>>,
    next: AtomicUsize,
}

impl Lanes {
    pub(crate) fn new(core: &Arc<Core>) -> Self {
        let lanes = core.channels().iter().map(|_| Arc::default()).collect();
        Self { core: Arc::clone(core), lanes, next: AtomicUsize::new(0) }
    }

    /// Puts one item into a batch and waits for its answer.
    pub(crate) async fn verify_one(
        &self,
        ruleset: Ruleset,
        options: &SignatureOptions,
        item: [&[u8]; 3],
    ) -> Result<Verdict, ClientError> {
        if item.iter().map(|part| part.len()).sum::<usize>() > ITEM_BYTES_MAX {
            return self.alone(ruleset, options, item).await;
        }
        let items_max = self.core.options().coalesce.items_max;
        // Neighbours share a lane, or two connections would halve every batch.
        let index = self.next.fetch_add(1, Ordering::Relaxed) / items_max % self.lanes.len();
        let lane = &self.lanes[index];
        let (receiver, needs_pump) = lane.push(ruleset, options, item, items_max);
        if needs_pump {
            tokio::spawn(Pump::new(Arc::clone(&self.core), Arc::clone(lane), index).run());
        }
        match receiver.await {
            Ok(result) => result,
            // The pump ended with its runtime; nothing was answered.
            Err(_) => self.alone(ruleset, options, item).await,
        }
    }

    async fn alone(
        &self,
        ruleset: Ruleset,
        options: &SignatureOptions,
        [key, signature, message]: [&[u8]; 3],
    ) -> Result<Verdict, ClientError> {
        let work = Work::Verify(SignatureWork {
            ruleset,
            options: options.clone(),
            keys: Keys::Inline(ColumnBuf::from_items(&[key])),
            signatures: ColumnBuf::from_items(&[signature]),
            messages: ColumnBuf::from_items(&[message]),
        });
        let answer = self.core.run(Arc::new(work), CallOptions::default()).await?;
        Ok(answer.output.verdicts[0])
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        for lane in &self.lanes {
            lane.lock().is_closed = true;
            lane.wake.notify_one();
        }
    }
}

/// Where callers and a pump meet.
#[derive(Default)]
struct Lane {
    queue: Mutex<Queue>,
    /// Tells the pump that a first item or a full batch is there.
    wake: Notify,
}

#[derive(Default)]
struct Queue {
    /// At most one a kind: ruleset and options.
    open: Vec<Open>,
    full: VecDeque<Batch>,
    has_pump: bool,
    /// The client is gone: the pump ends.
    is_closed: bool,
}

impl Lane {
    /// Adds an item; says whether the caller must start a pump.
    fn push(
        &self,
        ruleset: Ruleset,
        options: &SignatureOptions,
        item: [&[u8]; 3],
        items_max: usize,
    ) -> (oneshot::Receiver<Answered>, bool) {
        let (sender, receiver) = oneshot::channel();
        let mut queue = self.lock();
        let was_empty = queue.open.is_empty() && queue.full.is_empty();
        let i = match queue.open.iter().position(|open| open.is_of(ruleset, options)) {
            Some(i) => i,
            None => {
                queue.open.push(Open::new(ruleset, options.clone(), Instant::now()));
                queue.open.len() - 1
            }
        };
        queue.open[i].push(item, sender);
        let is_full = queue.open[i].is_full(items_max);
        if is_full {
            let batch = queue.open.remove(i).close();
            queue.full.push_back(batch);
        }
        let needs_pump = !std::mem::replace(&mut queue.has_pump, true);
        drop(queue);
        if was_empty || is_full {
            self.wake.notify_one();
        }
        (receiver, needs_pump)
    }

    /// The next batch to send: a full one, or one that was opened at or before `opened_by`.
    fn take(&self, opened_by: Instant) -> Option<Batch> {
        let mut queue = self.lock();
        if let Some(batch) = queue.full.pop_front() {
            return Some(batch);
        }
        // Batches are opened in time order, and removal keeps the order.
        if queue.open.first()?.since() > opened_by {
            return None;
        }
        Some(queue.open.remove(0).close())
    }

    /// When the oldest batch that still gathers was opened.
    fn oldest(&self) -> Option<Instant> {
        self.lock().open.first().map(Open::since)
    }

    fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// The pump is gone: callers whose items are still here take another way, and the next one starts a new pump.
    fn abandon(&self) {
        let mut queue = self.lock();
        queue.has_pump = false;
        let (open, full) = (std::mem::take(&mut queue.open), std::mem::take(&mut queue.full));
        drop(queue);
        drop((open, full));
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic while the lock is held can only be one of allocation; the queue is sound at every such point.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
