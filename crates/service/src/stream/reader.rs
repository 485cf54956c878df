//! The reading side of a stream.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use outrigger_proto::v1;
use outrigger_types::Rejection;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tokio_stream::Stream;
use tonic::{Status, Streaming};

use super::group::Group;
use super::{Event, Window, failed};
use crate::body::Held;
use crate::connection::{self, Phase};
use crate::convert::Ask;
use crate::front::Caller;
use crate::options::ServiceLimits;
use crate::state::State;
use crate::status;

/// Messages of one gathering: a job of a few hundred items hides what it costs to submit it, and a longer
/// gathering would keep the first message waiting.
const GATHER_MAX: usize = 512;

type Inbound = Streaming<v1::VerifyStreamRequest>;

/// Reads messages and has them carried out.
pub(super) struct Reader {
    state: Arc<State>,
    caller: Caller,
    window: Arc<Window>,
    /// What the body has counted of the message that is arriving.
    held: Option<Arc<Held>>,
    sender: UnboundedSender<Event>,
    /// Jobs in flight. Dropped with the reader, which ends them.
    jobs: JoinSet<()>,
}

/// How a gathering ended.
enum Next {
    /// There may be more.
    More,
    /// The client has said everything.
    Finished,
    /// The transport failed or a message was too large.
    Failed(Status),
}

/// A message and the places that it takes.
struct Taken {
    message: v1::VerifyStreamRequest,
    places: usize,
}

impl Reader {
    pub(super) fn new(
        state: Arc<State>,
        caller: Caller,
        window: Arc<Window>,
        held: Option<Arc<Held>>,
        sender: UnboundedSender<Event>,
    ) -> Self {
        Self { state, caller, window, held, sender, jobs: JoinSet::new() }
    }

    /// Reads until the client has finished, its deadline has passed, or the server goes.
    pub(super) async fn run(mut self, mut inbound: Inbound) {
        let mut phase = self.state.phase.clone();
        let deadline = self.caller.deadline;
        let expired = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        let end = tokio::select! {
            biased;
            () = expired => {
                // Dropping the reader ends what is in flight: nobody waits for it.
                return self.end(&status::of(&Rejection::DeadlineExceeded { predicted: None }));
            }
            () = connection::reached(&mut phase, Phase::Draining) => Some(status::of(&status::DRAINING)),
            end = self.read(&mut inbound) => end,
        };
        while self.jobs.join_next().await.is_some() {}
        if let Some(status) = end {
            self.end(&status);
        }
    }

    fn end(&self, status: &Status) {
        // An error means that the client is gone.
        let _ = self.sender.send(Event::Ended(status.clone()));
    }

    /// Reads until there is no more. A status where that is not the client's own end.
    async fn read(&mut self, inbound: &mut Inbound) -> Option<Status> {
        loop {
            let (gathered, next) = self.gather(inbound).await;
            self.dispatch(gathered);
            match next {
                Next::More => {}
                Next::Finished => return None,
                Next::Failed(status) => {
                    let bytes_max = self.state.limits.load().message_bytes_max;
                    return Some(status::of_transport(status, bytes_max));
                }
            }
        }
    }

    /// Waits for one message, then takes what else has arrived, as far as the window lets it.
    async fn gather(&mut self, inbound: &mut Inbound) -> (Vec<Taken>, Next) {
        let mut gathered = Vec::new();
        if !self.take_places(1).await {
            return (gathered, Next::Finished);
        }
        match inbound.message().await {
            Ok(Some(message)) => gathered.push(self.weigh(message)),
            Ok(None) => return (gathered, Next::Finished),
            Err(status) => return (gathered, Next::Failed(status)),
        }
        while gathered.len() < GATHER_MAX {
            if let Some(last) = gathered.last()
                && last.places > 1
            {
                // A large message: its further places may have to wait for answers, so what came before must not
                // wait for it.
                let further = last.places - 1;
                if !self.try_places(further) {
                    let large = gathered.pop();
                    self.dispatch(std::mem::take(&mut gathered));
                    self.take_places(further).await;
                    gathered.extend(large);
                }
                return (gathered, Next::More);
            }
            if !self.try_places(1) {
                break;
            }
            match poll_fn(|cx| Poll::Ready(Pin::new(&mut *inbound).poll_next(cx))).await {
                Poll::Ready(Some(Ok(message))) => gathered.push(self.weigh(message)),
                Poll::Ready(Some(Err(status))) => return (gathered, Next::Failed(status)),
                Poll::Ready(None) => return (gathered, Next::Finished),
                Poll::Pending => {
                    self.window.places.add_permits(1);
                    break;
                }
            }
        }
        (gathered, Next::More)
    }

    fn weigh(&self, message: v1::VerifyStreamRequest) -> Taken {
        if let Some(held) = &self.held {
            held.release();
        }
        let places = self.window.cost(size(&message));
        Taken { message, places }
    }

    async fn take_places(&self, places: usize) -> bool {
        // The window is never closed; an error would mean that there is nothing left to wait for.
        match self.window.places.acquire_many(places as u32).await {
            Ok(permit) => {
                permit.forget();
                true
            }
            Err(_) => false,
        }
    }

    fn try_places(&self, places: usize) -> bool {
        match self.window.places.try_acquire_many(places as u32) {
            Ok(permit) => {
                permit.forget();
                true
            }
            Err(_) => false,
        }
    }

    /// Turns messages into jobs. Those that are rejected are answered at once.
    fn dispatch(&mut self, gathered: Vec<Taken>) {
        while self.jobs.try_join_next().is_some() {}
        if gathered.is_empty() {
            return;
        }
        // Tenants may have changed since the stream began.
        let tenant = self.state.tenants.load().find(&self.caller.peer).cloned();
        let limits = self.state.limits.load();
        let mut groups: Vec<Group> = Vec::new();
        let mut rejected = (Vec::new(), 0);
        for Taken { message, places } in gathered {
            let id = message.id;
            let ask = match &tenant {
                Ok(tenant) => self.state.context(&limits, tenant).verify(message.batch.unwrap_or_default()),
                Err(rejection) => Err(rejection.clone()),
            };
            match ask {
                Ok(ask) => join(&mut groups, id, ask, places, &limits),
                Err(rejection) => {
                    rejected.0.push(failed(id, &rejection));
                    rejected.1 += places;
                }
            }
        }
        if !rejected.0.is_empty() {
            let _ = self.sender.send(Event::Answered(rejected.0, rejected.1));
        }
        let tenant = tenant.unwrap_or_else(|_| self.caller.tenant.clone());
        let caller = Caller { tenant, ..self.caller.clone() };
        for group in groups {
            self.jobs.spawn(carry_out(self.state.clone(), caller.clone(), group, self.sender.clone()));
        }
    }
}

/// Puts a message into the latest group that takes it, or into one of its own.
fn join(groups: &mut Vec<Group>, id: u64, ask: Ask, places: usize, limits: &ServiceLimits) {
    match groups.iter_mut().rev().find(|group| group.takes(&ask, limits)) {
        Some(group) => group.push(id, ask, places),
        None => groups.push(Group::new(id, ask, places)),
    }
}

async fn carry_out(state: Arc<State>, caller: Caller, group: Group, sender: UnboundedSender<Event>) {
    let (ask, members) = group.into_job();
    let result = match ask {
        Ok(ask) => state.carry_out(&caller, ask).await,
        Err(rejection) => Err(rejection),
    };
    let places = members.places;
    // An error means that the client is gone.
    let _ = sender.send(Event::Answered(members.answers(result), places));
}

/// What a message holds in memory, near enough.
fn size(message: &v1::VerifyStreamRequest) -> usize {
    let column =
        |column: &Option<v1::Column>| column.as_ref().map_or(0, |column| column.data.len() + 4 * column.lengths.len());
    let Some(batch) = &message.batch else { return 0 };
    let keys = match &batch.keys {
        Some(v1::verify_batch_request::Keys::PublicKeys(keys)) => keys.data.len() + 4 * keys.lengths.len(),
        Some(v1::verify_batch_request::Keys::KeyIndices(keys)) => 4 * keys.indices.len(),
        None => 0,
    };
    keys + column(&batch.signatures) + column(&batch.messages) + batch.identity.len()
}
