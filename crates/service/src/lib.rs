//! The gRPC service: listeners, tenants, limits, and one file per family of calls.
//!
//! [`Server::start`] takes [`ServiceOptions`] and a scheduler and gives back a [`Running`] server, which can be
//! reloaded and drained.

mod admin;
mod body;
mod calls;
mod connection;
mod convert;
mod front;
mod hash;
mod key_sets;
mod listen;
mod meters;
mod options;
mod proof;
mod routes;
mod server;
mod signature;
mod state;
mod status;
mod stream;
mod tenants;
mod tls;
mod trace;
mod web;

#[cfg(test)]
mod tests;

pub use listen::ListenError;
pub use options::{
    Listeners, Refresh, Reload, ServiceLimits, ServiceOptions, TcpOptions, TenantRule, TlsFiles, UnixOptions,
};
pub use server::{DrainReport, Running, Server, StartError};
pub use tenants::{LOCAL_TENANT, TenantError};
pub use tls::TlsError;
/// The target of the spans of traces: all are of level TRACE, and no log is to show them.
pub use trace::TARGET as TRACE_TARGET;
