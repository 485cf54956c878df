//! What happens to every call before and after its service: who calls, until when, how much memory, how it ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use outrigger_types::{Rejection, TenantPolicy};
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tonic_health::server::HealthReporter;
use tower_service::Service;

use crate::body::{Budget, Held, Metered, Watch};
use crate::connection::{self, Phase};
use crate::meters::Method;
use crate::options::ServiceLimits;
use crate::routes::{self, Health};
use crate::state::State;
use crate::status;
use crate::tenants::{Peer, TenantTable};
use crate::trace;

/// A deadline further off than this is no deadline: clocks overflow before it.
const TIMEOUT_MAX: Duration = Duration::from_secs(366 * 86_400);

/// Who calls, and until when. Every service finds it in the extensions of its request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) tenant: Arc<TenantPolicy>,
    pub(crate) peer: Arc<Peer>,
    pub(crate) deadline: Option<Instant>,
    /// The span of the call, which lasts as long as somebody has it.
    pub(crate) span: tracing::Span,
}

/// The entrance of all calls.
pub(crate) struct Front {
    pub(crate) state: Arc<State>,
    /// The services, made for the limits in force.
    routes: ArcSwap<Routes>,
    health: Health,
    reporter: HealthReporter,
    nobody: Arc<str>,
}

impl Front {
    pub(crate) async fn new(state: Arc<State>) -> Arc<Self> {
        let (reporter, health) = routes::health().await;
        let routes = ArcSwap::from_pointee(routes::build(&state, &health));
        Arc::new(Self { state, routes, health, reporter, nobody: "".into() })
    }

    /// Puts other limits and tenants in force.
    pub(crate) fn replace(&self, limits: ServiceLimits, tenants: TenantTable) {
        self.state.limits.store(Arc::new(limits));
        self.routes.store(Arc::new(routes::build(&self.state, &self.health)));
        self.state.tenants.store(Arc::new(tenants));
    }

    /// Tells health watchers that this server is going.
    pub(crate) async fn set_draining(&self) {
        routes::set_not_serving(&self.reporter).await;
    }

    /// Takes one call to its answer (or, for a stream, to the beginning of its answer).
    pub(crate) async fn handle(&self, peer: &Arc<Peer>, request: Request<Incoming>) -> Response<Body> {
        let started = Instant::now();
        let method = Method::of_path(request.uri().path());
        let found = self.state.tenants.load().find(peer).cloned();
        let tenant = found.as_ref().map_or_else(|_| self.nobody.clone(), |policy| policy.name.clone());
        let call = trace::Call::begin(method, &tenant, request.headers());
        let response = match self.admit(&call, method, peer, found, request) {
            Ok((caller_deadline, request)) => self.call(caller_deadline, request).await,
            Err(rejection) => status::of(&rejection).into_http(),
        };
        let mut response = self.normalise(response);
        if method == Method::HEALTH_WATCH {
            let mut phase = self.state.phase.clone();
            let draining = async move { connection::reached(&mut phase, Phase::Draining).await };
            response = response.map(|body| Body::new(Watch::new(body, draining)));
        }
        let code = code_of(&response);
        // A stream that has begun well is counted where it ends.
        if !method.counts_itself() || code != Code::Ok {
            self.state.meters.ended(method, &tenant, code, started.elapsed());
            call.end(code);
        } else {
            call.go_on();
        }
        response
    }

    fn admit(
        &self,
        call: &trace::Call,
        method: Method,
        peer: &Arc<Peer>,
        found: Result<Arc<TenantPolicy>, Rejection>,
        request: Request<Incoming>,
    ) -> Result<(Option<Instant>, Request<Body>), Rejection> {
        let deadline = deadline(request.headers())?;
        let budget = Budget {
            all: self.state.body_bytes.clone(),
            all_max: self.state.limits.load().body_bytes_max as u64,
            tenant: found.as_ref().ok().map(|tenant| self.state.body_bytes_of(&tenant.name)),
        };
        let held = Arc::new(Held::new(budget));
        let mut request = request.map(|body| Body::new(Metered::new(body, held.clone())));
        if method.holds_its_body() {
            request.extensions_mut().insert(held);
        }
        match found {
            Ok(tenant) => {
                let caller = Caller { tenant, peer: peer.clone(), deadline, span: call.span().clone() };
                request.extensions_mut().insert(caller);
            }
            Err(_) if method.is_open() => {}
            Err(rejection) => return Err(rejection),
        }
        Ok((deadline, request))
    }

    async fn call(&self, deadline: Option<Instant>, request: Request<Body>) -> Response<Body> {
        let mut routes = Routes::clone(&self.routes.load());
        let call = routes.call(request);
        let result = match deadline {
            None => call.await,
            Some(deadline) => match tokio::time::timeout_at(deadline.into(), call).await {
                Ok(result) => result,
                Err(_) => return status::of(&Rejection::DeadlineExceeded { predicted: None }).into_http(),
            },
        };
        result.unwrap_or_else(|never| match never {})
    }

    /// Puts the statuses that the transport makes by itself into our words.
    fn normalise(&self, response: Response<Body>) -> Response<Body> {
        if !response.headers().contains_key("grpc-status") {
            return response;
        }
        match Status::from_header_map(response.headers()) {
            Some(status) if matches!(status.code(), Code::OutOfRange | Code::Internal) => {
                status::of_transport(status, self.state.limits.load().message_bytes_max).into_http()
            }
            _ => response,
        }
    }
}

/// The code of an answer as far as it is known: a body follows only where things went well.
fn code_of(response: &Response<Body>) -> Code {
    match response.headers().get("grpc-status") {
        Some(code) => Code::from_bytes(code.as_bytes()),
        None => Code::Ok,
    }
}

/// When the caller stops waiting, by its `grpc-timeout`.
///
/// # Errors
/// [`Rejection::InvalidArgument`] where the header is not what the specification says.
fn deadline(headers: &HeaderMap) -> Result<Option<Instant>, Rejection> {
    let Some(value) = headers.get("grpc-timeout") else { return Ok(None) };
    let timeout = value.to_str().ok().and_then(timeout).ok_or_else(|| {
        Rejection::field("grpc-timeout", "not a timeout: 1 to 8 digits and one of H, M, S, m, u, n are needed")
    })?;
    Ok(Instant::now().checked_add(timeout).filter(|_| timeout < TIMEOUT_MAX))
}

fn timeout(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let is_number = (1..=8).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| is_number)?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
