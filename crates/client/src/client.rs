//! The client: what callers hold.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use outrigger_proto::v1;
use outrigger_types::{Backend, ColumnBuf, Output, Priority, Ruleset, SignatureOptions, Verdict, Work};
use tokio::time::Instant;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::call::Core;
use crate::coalesce::Lanes;
use crate::{ClientError, ClientOptions, Fallback, LocalRunner, Stats};

/// Speaks to one sidecar. Cheap to clone; clones share connections, breaker and counters.
#[derive(Clone)]
pub struct Client {
    pub(crate) core: Arc<Core>,
    lanes: Arc<Lanes>,
}

/// What a call says beside its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallOptions {
    /// How urgent it is; a tenant has a ceiling.
    pub priority: Priority,
    /// When the answer is worthless, from now; `None` takes [`ClientOptions::deadline`].
    pub deadline: Option<Duration>,
    /// Run there or nowhere: for benches and tests. A call that forces a backend never falls back.
    pub backend: Option<Backend>,
}

impl Default for CallOptions {
    /// Mempool class, the client's deadline, whatever backend the sidecar chooses.
    fn default() -> Self {
        Self { priority: Priority::Mempool, deadline: None, backend: None }
    }
}

/// Who answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The sidecar.
    Sidecar,
    /// This process, all of it or a part.
    Local,
}

impl Origin {
    /// The name used in metrics and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::Local => "local",
        }
    }
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// One item for each of the work's, as an engine would give it. The type of an Ethereum transaction is read from
    /// its encoding.
    pub output: Output,
    /// Who gave it.
    pub origin: Origin,
}

/// How the sidecar says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It takes work.
    Serving,
    /// It runs, but takes no work: it starts up or shuts down.
    NotServing,
    /// It does not say.
    Unknown,
}

impl Client {
    /// A client of the sidecar at `options.endpoint`. With [`Fallback::Local`] nothing is sent before the first call,
    /// so a sidecar that is away is no error; with [`Fallback::None`] it is looked for at once.
    ///
    /// Must be called within a tokio runtime, whose tasks drive the connections.
    ///
    /// # Errors
    /// [`ClientError::InvalidArgument`] for options that cannot hold (a certificate that cannot be read);
    /// [`ClientError::Unavailable`] with [`Fallback::None`] where no sidecar answers.
    pub async fn connect(options: ClientOptions) -> Result<Self, ClientError> {
        let runner = LocalRunner::new(options.local_threads);
        Self::connect_with_runner(options, runner).await
    }

    /// As [`Self::connect`], with another runner for work in this process.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_with_runner(options: ClientOptions, runner: LocalRunner) -> Result<Self, ClientError> {
        let looks_at_once = options.fallback == Fallback::None;
        let core = Arc::new(Core::new(options, runner)?);
        let client = Self { lanes: Arc::new(Lanes::new(&core)), core };
        if looks_at_once {
            match client.capabilities().await {
                // A sidecar that refuses the question is there all the same.
                Ok(_) | Err(ClientError::PermissionDenied(_) | ClientError::FailedPrecondition(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(client)
    }

    /// Carries out any work. Work above the limits of one message is split, and its answer joined.
    ///
    /// # Errors
    /// A [`ClientError`]; then no item was judged. With [`Fallback::Local`] a sidecar that is away, overloaded or at
    /// fault is none.
    pub async fn run(&self, work: impl Into<Arc<Work>>, call: CallOptions) -> Result<Answer, ClientError> {
        self.core.run(work.into(), call).await
    }

    /// Verifies one signature, gathered with those of other callers into batches of mempool class on a stream.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn verify_one(
        &self,
        ruleset: Ruleset,
        options: &SignatureOptions,
        key: &[u8],
        signature: &[u8],
        message: &[u8],
    ) -> Result<Verdict, ClientError> {
        self.lanes.verify_one(ruleset, options, [key, signature, message]).await
    }

    /// Registers a key set, so that work with [`Keys::Indexed`](outrigger_types::Keys::Indexed) over this very `Arc`
    /// sends indices; returns its name. Calls register sets by themselves: this one moves the cost to a time of the
    /// caller's choosing.
    ///
    /// # Errors
    /// As [`Self::run`], but never falls back.
    pub async fn put_key_set(&self, ruleset: Ruleset, keys: &Arc<ColumnBuf>) -> Result<String, ClientError> {
        self.core.put_key_set(ruleset, keys, self.core.default_deadline()).await.map(|name| name.to_string())
    }

    /// Makes the sidecar forget a key set that this client registered. Does nothing where it registered none.
    ///
    /// # Errors
    /// As [`Self::run`], but never falls back.
    pub async fn drop_key_set(&self, ruleset: Ruleset, keys: &Arc<ColumnBuf>) -> Result<(), ClientError> {
        self.core.drop_key_set(ruleset, keys, self.core.default_deadline()).await
    }

    /// What the sidecar is and can do.
    ///
    /// # Errors
    /// As [`Self::run`], but never falls back.
    pub async fn capabilities(&self) -> Result<v1::GetCapabilitiesResponse, ClientError> {
        self.core.capabilities(self.core.default_deadline()).await
    }

    /// How the sidecar says it is.
    ///
    /// # Errors
    /// [`ClientError::Unavailable`] where it does not answer.
    pub async fn health(&self) -> Result<Health, ClientError> {
        let status = self.core.health(self.core.default_deadline()).await?;
        Ok(match status {
            ServingStatus::Serving => Health::Serving,
            ServingStatus::NotServing => Health::NotServing,
            ServingStatus::Unknown | ServingStatus::ServiceUnknown => Health::Unknown,
        })
    }

    /// What this client has done so far.
    pub fn stats(&self) -> Stats {
        self.core.stats()
    }

    /// The options that it was made with.
    pub fn options(&self) -> &ClientOptions {
        self.core.options()
    }

    /// The runner of work in this process.
    pub fn local(&self) -> &LocalRunner {
        self.core.local()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.options().endpoint).finish_non_exhaustive()
    }
}

/// When something that may take `wait` at most is late.
pub(crate) fn instant_after(wait: Option<Duration>) -> Option<Instant> {
    // A wait beyond what the clock can count is no deadline.
    wait.and_then(|wait| Instant::now().checked_add(wait))
}
