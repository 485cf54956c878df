//! Metrics of calls: how many, how they ended, how long they took.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use metrics::{Counter, Histogram};
use tonic::Code;

/// The methods that have their own label; all others share one, so that callers cannot make labels up.
const METHODS: &[&str] = &[
    "/outrigger.v1.AdminService/GetCapabilities",
    "/outrigger.v1.HashService/HashBatch",
    "/outrigger.v1.HashService/MerkleProof",
    "/outrigger.v1.HashService/MerkleRoot",
    "/outrigger.v1.ProofService/AddCircuit",
    "/outrigger.v1.ProofService/CancelProof",
    "/outrigger.v1.ProofService/GetCircuit",
    "/outrigger.v1.ProofService/GetProof",
    "/outrigger.v1.ProofService/ListCircuits",
    "/outrigger.v1.ProofService/Msm",
    "/outrigger.v1.ProofService/Ntt",
    "/outrigger.v1.ProofService/Prove",
    "/outrigger.v1.ProofService/RemoveCircuit",
    "/outrigger.v1.ProofService/SubmitProof",
    "/outrigger.v1.ProofService/VerifyProofBatch",
    "/outrigger.v1.ProofService/WatchProof",
    "/outrigger.v1.SignatureService/DropKeySet",
    "/outrigger.v1.SignatureService/PutKeySet",
    "/outrigger.v1.SignatureService/RecoverBatch",
    "/outrigger.v1.SignatureService/VerifyBatch",
    "/outrigger.v1.SignatureService/VerifyEthereumTransactions",
    "/outrigger.v1.SignatureService/VerifySets",
    "/outrigger.v1.SignatureService/VerifyStream",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
];

/// A method that is known, or any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Method(u8);

impl Method {
    pub(crate) const ADD_CIRCUIT: Self = Self(4);
    pub(crate) const MSM: Self = Self(9);
    pub(crate) const NTT: Self = Self(10);
    pub(crate) const PROVE: Self = Self(11);
    pub(crate) const SUBMIT_PROOF: Self = Self(13);
    pub(crate) const WATCH_PROOF: Self = Self(15);
    pub(crate) const VERIFY_STREAM: Self = Self(22);
    pub(crate) const HEALTH_WATCH: Self = Self(24);

    /// The method of a path.
    pub(crate) fn of_path(path: &str) -> Self {
        Self(METHODS.iter().position(|method| *method == path).unwrap_or(METHODS.len()) as u8)
    }

    /// The label: service and method without the package.
    pub(crate) fn name(self) -> &'static str {
        self.full_name().trim_start_matches("outrigger.v1.")
    }

    /// The service and the method, as a path has them.
    pub(crate) fn full_name(self) -> &'static str {
        METHODS.get(usize::from(self.0)).map_or("other", |path| path.trim_start_matches('/'))
    }

    /// The service with its package, and the method.
    pub(crate) fn parts(self) -> (&'static str, &'static str) {
        self.full_name().split_once('/').unwrap_or(("other", "other"))
    }

    /// Whether its answer is counted where it ends, not where it begins.
    pub(crate) fn counts_itself(self) -> bool {
        [Self::VERIFY_STREAM, Self::PROVE, Self::WATCH_PROOF].contains(&self)
    }

    /// Whether it says itself how long its body counts: shorter than the body lasts, or longer.
    pub(crate) fn holds_its_body(self) -> bool {
        let methods = [Self::VERIFY_STREAM, Self::ADD_CIRCUIT, Self::PROVE, Self::SUBMIT_PROOF, Self::MSM, Self::NTT];
        methods.contains(&self)
    }

    /// Whether callers who are of no tenant may call it.
    pub(crate) fn is_open(self) -> bool {
        self.name().starts_with("grpc.health.v1.")
    }
}

/// A counter for each method, tenant and code.
type Counters = HashMap<(Method, Arc<str>, Code), Counter>;

/// Handles of the metrics that were used before: asking the recorder costs more than counting.
#[derive(Default)]
pub(crate) struct Meters {
    requests: RwLock<Counters>,
    seconds: RwLock<HashMap<Method, Histogram>>,
}

impl Meters {
    /// Counts a call that has ended.
    pub(crate) fn ended(&self, method: Method, tenant: &Arc<str>, code: Code, took: Duration) {
        self.count(method, tenant, code);
        let seconds = took.as_secs_f64();
        if let Some(histogram) = self.seconds.read().unwrap_or_else(PoisonError::into_inner).get(&method) {
            return histogram.record(seconds);
        }
        let histogram = metrics::histogram!("outrigger_rpc_seconds", "method" => method.name());
        histogram.record(seconds);
        self.seconds.write().unwrap_or_else(PoisonError::into_inner).insert(method, histogram);
    }

    /// Counts a call without its time.
    pub(crate) fn count(&self, method: Method, tenant: &Arc<str>, code: Code) {
        let key = (method, tenant.clone(), code);
        if let Some(counter) = self.requests.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return counter.increment(1);
        }
        let counter = metrics::counter!(
            "outrigger_rpc_requests_total",
            "method" => method.name(), "tenant" => tenant.to_string(), "code" => label(code)
        );
        counter.increment(1);
        self.requests.write().unwrap_or_else(PoisonError::into_inner).insert(key, counter);
    }
}

/// The code as a label, in the words of the specification.
const fn label(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn methods_have_labels_and_strangers_share_one() {
        let stream = Method::of_path("/outrigger.v1.SignatureService/VerifyStream");
        assert_eq!(stream, Method::VERIFY_STREAM);
        assert_eq!(stream.name(), "SignatureService/VerifyStream");
        let numbered = [
            (Method::ADD_CIRCUIT, "ProofService/AddCircuit"),
            (Method::MSM, "ProofService/Msm"),
            (Method::NTT, "ProofService/Ntt"),
            (Method::PROVE, "ProofService/Prove"),
            (Method::SUBMIT_PROOF, "ProofService/SubmitProof"),
            (Method::WATCH_PROOF, "ProofService/WatchProof"),
            (Method::HEALTH_WATCH, "grpc.health.v1.Health/Watch"),
        ];
        for (method, name) in numbered {
            assert_eq!(method.name(), name);
        }
        assert_eq!(Method::of_path("/x/y").name(), "other");
        assert_eq!(Method::of_path("/x/y").parts(), ("other", "other"));
        assert_eq!(Method::PROVE.full_name(), "outrigger.v1.ProofService/Prove");
        assert_eq!(Method::PROVE.parts(), ("outrigger.v1.ProofService", "Prove"));
        assert_eq!(Method::HEALTH_WATCH.parts(), ("grpc.health.v1.Health", "Watch"));
        assert!(Method::of_path("/grpc.health.v1.Health/Check").is_open());
        assert!(!Method::of_path("/x/y").is_open());
    }
}
