//! Which services there are.

use std::sync::Arc;

use outrigger_proto::v1::admin_service_server::AdminServiceServer;
use outrigger_proto::v1::hash_service_server::HashServiceServer;
use outrigger_proto::v1::proof_service_server::ProofServiceServer;
use outrigger_proto::v1::signature_service_server::SignatureServiceServer;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use crate::admin::Admin;
use crate::hash::Hashes;
use crate::proof::Proofs;
use crate::signature::Signatures;
use crate::state::State;

/// The health service that all versions of the routes share.
pub(crate) type Health = HealthServer<HealthService>;

/// Names that health watchers ask for; the empty one means the whole server.
const NAMES: [&str; 5] = [
    "",
    AdminServiceServer::<Admin>::NAME,
    HashServiceServer::<Hashes>::NAME,
    ProofServiceServer::<Proofs>::NAME,
    SignatureServiceServer::<Signatures>::NAME,
];

/// All services, made for the limits in force.
pub(crate) fn build(state: &Arc<State>, health: &Health) -> Routes {
    let bytes_max = state.limits.load().message_bytes_max;
    let signatures = SignatureServiceServer::new(Signatures::new(state.clone()));
    let hashes = HashServiceServer::new(Hashes::new(state.clone()));
    let proofs = ProofServiceServer::new(Proofs::new(state.clone()));
    let admin = AdminServiceServer::new(Admin::new(state.clone()));
    let mut builder = Routes::builder();
    builder
        .add_service(signatures.max_decoding_message_size(bytes_max))
        .add_service(hashes.max_decoding_message_size(bytes_max))
        .add_service(proofs.max_decoding_message_size(bytes_max))
        .add_service(admin.max_decoding_message_size(bytes_max))
        .add_service(health.clone());
    add_reflection(&mut builder);
    builder.routes().prepare()
}

/// Reflection in both versions: older tools know the alpha only.
fn add_reflection(builder: &mut tonic::service::RoutesBuilder) {
    let make = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(outrigger_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    match (make().build_v1(), make().build_v1alpha()) {
        (Ok(current), Ok(alpha)) => {
            builder.add_service(current).add_service(alpha);
        }
        (Err(error), _) | (_, Err(error)) => tracing::error!(%error, "no reflection: the descriptors do not decode"),
    }
}

/// A health service that says *serving*.
pub(crate) async fn health() -> (HealthReporter, Health) {
    let reporter = HealthReporter::new();
    for name in NAMES {
        reporter.set_service_status(name, ServingStatus::Serving).await;
    }
    let service = HealthServer::new(HealthService::from_health_reporter(reporter.clone()));
    (reporter, service)
}

/// Says *not serving* from now on.
pub(crate) async fn set_not_serving(reporter: &HealthReporter) {
    for name in NAMES {
        reporter.set_service_status(name, ServingStatus::NotServing).await;
    }
}
