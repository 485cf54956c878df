//! The HTTP port for probes and metrics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::connection::{self, Phase};
use crate::state::State;

/// Serves until the server stops; while it drains, probes are still answered.
pub(crate) async fn serve(listener: TcpListener, state: Arc<State>, mut phase: watch::Receiver<Phase>) {
    let router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/version", get(version))
        .with_state(state);
    let mut ending = phase.clone();
    tokio::select! {
        result = axum::serve(listener, router) => {
            if let Err(error) = result {
                tracing::error!(%error, "the admin listener failed");
            }
        }
        () = connection::reached(&mut ending, Phase::Stopped) => {}
    }
    connection::reached(&mut phase, Phase::Stopped).await;
}

async fn ready(Shared(state): Shared<Arc<State>>) -> Response {
    if state.is_ready() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response()
}

async fn metrics(Shared(state): Shared<Arc<State>>) -> Response {
    let Some(metrics) = &state.metrics else {
        return (StatusCode::NOT_FOUND, "no metrics are recorded\n").into_response();
    };
    outrigger_scheduler::metrics::record_known_keys();
    if let Some(refresh) = &state.refresh {
        refresh();
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render()).into_response()
}

async fn version(Shared(state): Shared<Arc<State>>) -> Response {
    let body = serde_json::json!({ "name": "outrigger", "version": state.version });
    ([(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}
