//! Proofs and circuits: what is asked for, and what the crates beneath say when they refuse.

use std::sync::Arc;

use bytes::Bytes;
use outrigger_groth16::engine::Failure;
use outrigger_groth16::engine::operations::{Group, OperationError};
use outrigger_groth16::store::{CircuitInfo, StoreError};
use outrigger_groth16::{KeyError, Proof, Stop};
use outrigger_proto::v1;
use outrigger_types::{Backend, Call, CircuitId, CircuitRule, Curve, Priority, ProofKey, ProofWork, Rejection, Work};

use super::{Ask, Context, Violations, backend_of, column};
use crate::tenants;

/// Bytes of a circuit's name.
const NAME_BYTES_MAX: usize = 128;
/// Public signals of a verifying key that comes with a request: each costs tens of microseconds to check. The keys of
/// circuits in the store may have any number.
const INLINE_SIGNALS_MAX: usize = 4_096;
/// Bytes of a public signal.
const SIGNAL_BYTES: usize = 32;

/// The proof that a stream of chunks is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProofTerms {
    pub(crate) circuit: CircuitId,
    pub(crate) priority: Priority,
    pub(crate) backend: Option<Backend>,
}

/// The circuit that a stream of chunks is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CircuitTerms {
    pub(crate) name: String,
    pub(crate) announced: Option<CircuitId>,
}

/// The multi-scalar multiplication that a stream of chunks is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MsmTerms {
    pub(crate) curve: Curve,
    pub(crate) group: Group,
    pub(crate) backend: Option<Backend>,
}

/// The transform that a stream of chunks is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NttTerms {
    pub(crate) curve: Curve,
    pub(crate) inverse: bool,
    pub(crate) coset: bool,
    pub(crate) backend: Option<Backend>,
}

/// What verifies the proofs of a request.
#[derive(Debug)]
pub(crate) enum KeyChoice {
    /// The key of a circuit of the store.
    Stored(CircuitId),
    /// The request's own.
    Inline(ProofKey),
}

/// Proofs to verify, all but their key.
#[derive(Debug)]
pub(crate) struct ProofBatch {
    count: usize,
    proofs: Option<v1::Column>,
    public_signals: Option<v1::Column>,
    priority: Priority,
    backend: Option<Backend>,
}

impl ProofBatch {
    /// The work, with the key that was found: it says how long a proof and its public signals are.
    pub(crate) fn ask(self, key: Arc<ProofKey>) -> Result<Ask, Rejection> {
        let signals = key.public_signals().unwrap_or_default();
        let mut violations = Violations::default();
        let proofs = violations.take(column("proofs", self.proofs, self.count, &[key.curve.proof_bytes()]));
        let public_signals =
            violations.take(column("public_signals", self.public_signals, self.count, &[SIGNAL_BYTES * signals]));
        let (Some(proofs), Some(public_signals)) = (proofs, public_signals) else { return Err(violations.reject()) };
        let work = Work::VerifyProofs(ProofWork { key, proofs, public_signals });
        Ok(Ask { work, priority: self.priority, backend: self.backend })
    }
}

impl Context<'_> {
    /// The header of `Prove` and `SubmitProof`.
    pub(crate) fn proof(&self, header: &v1::ProofHeader) -> Result<ProofTerms, Rejection> {
        let (priority, backend) = self.terms(Call::Prove, header.priority, header.backend)?;
        let circuit = self.circuit("header.circuit", &header.circuit)?;
        Ok(ProofTerms { circuit, priority, backend })
    }

    /// A circuit that the tenant may use. Whether it is in the store is not looked at, so that the answer for one that
    /// it may not use tells nothing.
    pub(crate) fn circuit(&self, field: &str, text: &str) -> Result<CircuitId, Rejection> {
        let circuit = text.parse().map_err(|error: String| Rejection::field(field, error))?;
        tenants::check_circuit(self.tenant, circuit)?;
        Ok(circuit)
    }

    /// Whether the tenant may look at circuits.
    pub(crate) fn may_see_circuits(&self) -> Result<(), Rejection> {
        tenants::check_call(self.tenant, Call::Prove).or_else(|_| tenants::check_call(self.tenant, Call::Circuits))
    }

    /// `RemoveCircuit`.
    pub(crate) fn circuit_to_remove(&self, request: &v1::RemoveCircuitRequest) -> Result<CircuitId, Rejection> {
        tenants::check_call(self.tenant, Call::Circuits)?;
        self.circuit("sha256", &request.sha256)
    }

    /// The header of `AddCircuit`. A tenant that may use certain circuits only may add only these, and says which it
    /// is: else it could lend its files to a circuit of others.
    pub(crate) fn circuit_to_add(&self, header: v1::AddCircuitHeader) -> Result<CircuitTerms, Rejection> {
        tenants::check_call(self.tenant, Call::Circuits)?;
        let name = header.name;
        if name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
            let description = format!("a name has {NAME_BYTES_MAX} bytes at most and no control characters");
            return Err(Rejection::field("header.name", description));
        }
        let announced = Some(header.sha256).filter(|text| !text.is_empty());
        let announced = announced.map(|text| text.parse()).transpose();
        let announced = announced.map_err(|error: String| Rejection::field("header.sha256", error))?;
        match announced {
            Some(circuit) => tenants::check_circuit(self.tenant, circuit)?,
            None if self.tenant.circuits == CircuitRule::All => {}
            None => return Err(Rejection::field("header.sha256", "announce the circuit: this tenant may not add any")),
        }
        Ok(CircuitTerms { name, announced })
    }

    /// `VerifyProofBatch`.
    pub(crate) fn proofs(&self, request: v1::VerifyProofBatchRequest) -> Result<(KeyChoice, ProofBatch), Rejection> {
        let (priority, backend) = self.terms(Call::Prove, request.priority, request.backend)?;
        let count = self.count(request.count)?;
        let key = match (request.circuit.as_str(), request.verifying_key) {
            ("", Some(key)) => KeyChoice::Inline(inline_key(key)?),
            ("", None) => return Err(Rejection::field("circuit", "name a circuit or send a verifying_key")),
            (_, Some(_)) => return Err(Rejection::field("verifying_key", "name a circuit or send a key, not both")),
            (text, None) => KeyChoice::Stored(self.circuit("circuit", text)?),
        };
        let v1::VerifyProofBatchRequest { proofs, public_signals, .. } = request;
        Ok((key, ProofBatch { count, proofs, public_signals, priority, backend }))
    }

    /// The header of `Msm`.
    pub(crate) fn msm(&self, header: v1::MsmHeader) -> Result<MsmTerms, Rejection> {
        tenants::check_call(self.tenant, Call::Prove)?;
        let group = match v1::Group::try_from(header.group) {
            Ok(v1::Group::G1) => Group::G1,
            Ok(v1::Group::G2) => Group::G2,
            _ => return Err(Rejection::field("header.group", format!("{} is no group; 1 and 2 are", header.group))),
        };
        let (curve, backend) = (curve_of("header.curve", header.curve)?, backend_of(header.backend)?);
        Ok(MsmTerms { curve, group, backend })
    }

    /// The header of `Ntt`.
    pub(crate) fn ntt(&self, header: v1::NttHeader) -> Result<NttTerms, Rejection> {
        tenants::check_call(self.tenant, Call::Prove)?;
        let (curve, backend) = (curve_of("header.curve", header.curve)?, backend_of(header.backend)?);
        Ok(NttTerms { curve, inverse: header.inverse, coset: header.coset, backend })
    }
}

fn inline_key(key: v1::VerifyingKey) -> Result<ProofKey, Rejection> {
    let key = ProofKey::new(curve_of("verifying_key.curve", key.curve)?, key.points);
    match key.public_signals() {
        Some(count) if count <= INLINE_SIGNALS_MAX => Ok(key),
        Some(count) => {
            let limit =
                format!("{INLINE_SIGNALS_MAX} public signals of a key in a request, not {count}; add its circuit");
            Err(Rejection::TooLarge { limit })
        }
        None => {
            let description = format!(
                "{} bytes are no key on {}: alpha1, beta2, gamma2, delta2 and at least one IC point, uncompressed",
                key.bytes.len(),
                key.curve
            );
            Err(Rejection::field("verifying_key.points", description))
        }
    }
}

fn curve_of(field: &str, number: i32) -> Result<Curve, Rejection> {
    match v1::Curve::try_from(number) {
        Ok(v1::Curve::Bn254) => Ok(Curve::Bn254),
        Ok(v1::Curve::Bls12381) => Ok(Curve::Bls12_381),
        _ => Err(Rejection::field(field, format!("{number} is no curve; 1 and 2 are"))),
    }
}

/// The number of a curve on the wire.
pub(crate) const fn curve_number(curve: Curve) -> i32 {
    match curve {
        Curve::Bn254 => v1::Curve::Bn254 as i32,
        Curve::Bls12_381 => v1::Curve::Bls12381 as i32,
    }
}

/// A proof for the wire.
pub(crate) fn wire_proof(proof: &Proof) -> v1::Proof {
    v1::Proof {
        curve: curve_number(proof.curve),
        proof: Bytes::copy_from_slice(&proof.bytes),
        public_signals: Bytes::copy_from_slice(&proof.public_signals),
    }
}

/// A verifying key for the wire.
pub(crate) fn wire_key(key: &ProofKey) -> v1::VerifyingKey {
    v1::VerifyingKey { curve: curve_number(key.curve), points: key.bytes.clone() }
}

/// A circuit for the wire.
pub(crate) fn wire_circuit(info: CircuitInfo) -> v1::Circuit {
    let summary = info.summary;
    v1::Circuit {
        sha256: info.id.to_string(),
        name: info.name,
        curve: curve_number(summary.curve),
        constraints: summary.constraints as u64,
        public_signals: summary.public_signals as u64,
        proving_key_bytes: summary.bytes as u64,
        has_r1cs: info.has_r1cs,
        has_wasm: info.has_wasm,
        ready: info.is_ready,
        wires: summary.wires as u64,
        domain: summary.domain as u64,
    }
}

/// What a store says of files that were sent to it.
pub(crate) fn of_upload(error: StoreError) -> Rejection {
    match error {
        StoreError::Io(what) => Rejection::Internal(what),
        StoreError::Unknown(_) => Rejection::NotFound(error.to_string()),
        StoreError::TooLarge(limit) => Rejection::TooLarge { limit },
        StoreError::Key(KeyError::Io(what)) => Rejection::Internal(what),
        StoreError::Key(KeyError::Stopped(stop)) | StoreError::Stopped(stop) => of_stop(stop),
        StoreError::Key(error) => Rejection::field("proving_key", error.to_string()),
        StoreError::Part(what) => Rejection::field("part", what),
        StoreError::Hash { .. } => Rejection::field("header.sha256", error.to_string()),
        StoreError::Damaged(what) => Rejection::DataLoss(what),
    }
}

/// What a store says of files that it has: a key that was good and is not any more was damaged.
pub(crate) fn of_store(error: StoreError) -> Rejection {
    match error {
        StoreError::Key(error @ (KeyError::Format(_) | KeyError::Unsound(_))) => Rejection::DataLoss(error.to_string()),
        StoreError::Part(what) => Rejection::DataLoss(what),
        other => of_upload(other),
    }
}

/// What an operation says of its input, or of itself.
pub(crate) fn of_operation(error: OperationError) -> Rejection {
    match error {
        OperationError::Format(error) => Rejection::field("chunk", error.to_string()),
        OperationError::Engine(Failure::Stopped(stop)) => of_stop(stop),
        OperationError::Engine(Failure::Fault(what) | Failure::Unavailable(what)) => Rejection::Internal(what),
    }
}

/// What a verifying key says of itself.
pub(crate) fn of_key(error: &KeyError) -> Rejection {
    Rejection::field("verifying_key.points", error.to_string())
}

const fn of_stop(stop: Stop) -> Rejection {
    match stop {
        Stop::Cancelled => Rejection::Cancelled,
        Stop::Expired => Rejection::DeadlineExceeded { predicted: None },
    }
}
