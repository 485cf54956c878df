//! The way of work from admission to verdicts: limits, batching, placement, execution, fallback.
//!
//! Policy is pure and takes the clock as an argument: [`limits`] (who may hold how much), [`placement`] (which
//! engine finishes first), [`batcher`] (what goes next), [`cost`] (what work costs here), [`breaker`] and
//! [`fallback`] (what a failing engine means). The mechanism that carries it out is thin: a request is admitted,
//! placed and handed to an engine in its caller's own task, with no thread between; an engine's thread that
//! finishes a batch answers the callers and feeds the engine again.

use std::sync::Arc;
use std::time::Instant;

use outrigger_types::{Backend, Engine, Output, Priority, Rejection, SchedulerOptions, Work};

pub mod audit;
pub mod batcher;
pub mod breaker;
pub mod cache;
pub mod cores;
pub mod cost;
pub mod device;
pub mod fallback;
pub mod limits;
pub mod metrics;
pub mod placement;

mod executor;
mod stats;

pub use cores::{CoreEngine, CoreOptions};
pub use stats::{EngineStats, Stats};

use executor::Core;

/// A piece of work and who asks for it.
#[derive(Clone, Debug)]
pub struct Request {
    /// What to do.
    pub work: Arc<Work>,
    /// Who asks: the name of a tenant.
    pub tenant: Arc<str>,
    /// How urgent it is.
    pub priority: Priority,
    /// When the answer is worthless.
    pub deadline: Option<Instant>,
    /// Run here or nowhere.
    pub backend: Option<Backend>,
}

/// Takes requests and gives back answers. Cheap to clone.
#[derive(Clone)]
pub struct Scheduler {
    core: Arc<Core>,
}

impl Scheduler {
    /// A scheduler over these engines.
    pub fn new(options: SchedulerOptions, engines: Vec<Arc<dyn Engine>>) -> Self {
        Self { core: Arc::new(Core::new(options, engines)) }
    }

    /// Carries out a request. Items come back in the order in which they were asked. Dropping the future gives
    /// the request up: what was not begun is not run, and its permit is free at once.
    ///
    /// Needs a tokio runtime with its timer on where the request has a deadline.
    ///
    /// # Errors
    /// A [`Rejection`] where it is refused or fails; then no item was judged.
    pub async fn submit(&self, request: Request) -> Result<Output, Rejection> {
        self.core.submit(request).await
    }

    /// Obeys new options from now on. Work in flight is not touched.
    pub fn reload(&self, options: SchedulerOptions) {
        self.core.reload(options);
    }

    /// Refuses new work from now on and waits until all that was admitted is answered.
    pub async fn drain(&self) {
        self.core.drain().await;
    }

    /// The engines, for capabilities and `outrigger devices`.
    pub fn engines(&self) -> &[Arc<dyn Engine>] {
        self.core.engines()
    }

    /// How things stand now.
    pub fn stats(&self) -> Stats {
        self.core.stats()
    }

    /// Tells the recorder of metrics what tenants hold of their quotas and what the cache keeps. To be called before
    /// metrics are shown.
    pub fn record(&self) {
        self.core.record();
    }
}
