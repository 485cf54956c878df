//! Proofs and circuits. Nothing here falls back: a proof takes seconds to minutes and a key that this process does not
//! hold, so the sidecar makes it or nobody does.
//!
//! Calls that carry streams are made again only where nothing of them can have been done: the connection did not
//! stand, or the sidecar said that it took nothing and when to come back.

mod circuits;
mod events;
mod jobs;
mod operations;
mod sending;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use outrigger_groth16::engine::operations::Group;
use outrigger_types::{Backend, CircuitId, Curve, ProofKey};
use zeroize::Zeroizing;

pub use self::events::{ProofEvent, ProofStream};
use crate::{CallOptions, Client, ClientError};

/// The secret part of a proof request. Wiped when dropped; its `Debug` shows lengths only.
pub enum ProofSecret {
    /// A `.wtns` file.
    Witness(Zeroizing<Vec<u8>>),
    /// Inputs in JSON, for the circuit's witness program.
    Inputs(Zeroizing<Vec<u8>>),
}

impl fmt::Debug for ProofSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Witness(bytes) => write!(f, "Witness({} bytes)", bytes.len()),
            Self::Inputs(bytes) => write!(f, "Inputs({} bytes)", bytes.len()),
        }
    }
}

/// The files of a circuit that is to be added.
#[derive(Clone, Copy, Debug)]
pub struct CircuitFiles<'a> {
    /// What people call it; need not be unique.
    pub name: &'a str,
    /// The proving key.
    pub zkey: &'a Path,
    /// The constraints, so that a witness that breaks one is told which.
    pub r1cs: Option<&'a Path>,
    /// The witness program, so that proofs can be asked for by inputs.
    pub wasm: Option<&'a Path>,
}

/// A circuit of the sidecar's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitDescription {
    /// The SHA-256 of its proving key.
    pub id: CircuitId,
    /// What people call it.
    pub name: String,
    /// Its curve.
    pub curve: Curve,
    /// Its constraints.
    pub constraints: u64,
    /// Its public signals.
    pub public_signals: u64,
    /// Its wires, the constant one included: the length of a witness.
    pub wires: u64,
    /// The size of its domain, a power of two.
    pub domain: u64,
    /// Bytes of its proving key.
    pub proving_key_bytes: u64,
    /// Whether its constraints are there.
    pub has_r1cs: bool,
    /// Whether its witness program is there.
    pub has_wasm: bool,
    /// Whether its key is in the sidecar's memory now.
    pub ready: bool,
}

impl Client {
    /// Has a proof made, as long as the stream is held: dropping it gives the proof up. Without a deadline in
    /// `options` there is none, for a proof takes what it takes.
    ///
    /// # Errors
    /// A [`ClientError`] where the sidecar does not take the request; what goes wrong later comes with the stream.
    pub async fn prove(
        &self,
        circuit: CircuitId,
        secret: &ProofSecret,
        options: CallOptions,
    ) -> Result<ProofStream, ClientError> {
        self.core.prove(circuit, secret, options).await
    }

    /// Hands over a job that survives restarts of the sidecar, and gives its name. The deadline is that of handing
    /// over, not of the proof.
    ///
    /// # Errors
    /// A [`ClientError`]; [`ClientError::FailedPrecondition`] where the sidecar has no key to seal what it keeps.
    /// [`ClientError::Unavailable`] without a time to come back may mean that the job was taken nevertheless.
    pub async fn submit_proof(
        &self,
        circuit: CircuitId,
        secret: &ProofSecret,
        options: CallOptions,
    ) -> Result<String, ClientError> {
        self.core.submit_proof(circuit, secret, options).await
    }

    /// How a submitted job stands.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] where this tenant has no such job.
    pub async fn proof(&self, job: &str) -> Result<ProofEvent, ClientError> {
        self.core.proof(job).await
    }

    /// Follows a submitted job to its end. Dropping the stream leaves the job alone.
    ///
    /// # Errors
    /// As [`Self::proof`].
    pub async fn watch_proof(&self, job: &str) -> Result<ProofStream, ClientError> {
        self.core.watch_proof(job).await
    }

    /// Gives a submitted job up; the sidecar wipes what it keeps of it.
    ///
    /// # Errors
    /// As [`Self::proof`].
    pub async fn cancel_proof(&self, job: &str) -> Result<(), ClientError> {
        self.core.cancel_proof(job).await
    }

    /// Adds a circuit from files, read and sent piece by piece. Returns when the sidecar has checked the key, which
    /// for a large one takes minutes: there is no deadline.
    ///
    /// # Errors
    /// [`ClientError::InvalidArgument`] where a file cannot be read or the sidecar cannot use it.
    pub async fn add_circuit(&self, files: CircuitFiles<'_>) -> Result<CircuitDescription, ClientError> {
        self.core.add_circuit(files).await
    }

    /// The circuits that this tenant may use.
    ///
    /// # Errors
    /// A [`ClientError`].
    pub async fn circuits(&self) -> Result<Vec<CircuitDescription>, ClientError> {
        self.core.circuits().await
    }

    /// One circuit, and what verifies its proofs.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] where there is no such circuit, [`ClientError::PermissionDenied`] where this tenant
    /// may not use it.
    pub async fn circuit(&self, id: CircuitId) -> Result<(CircuitDescription, ProofKey), ClientError> {
        self.core.circuit(id).await
    }

    /// Takes a circuit out of the store. Proofs that run with it end well.
    ///
    /// # Errors
    /// As [`Self::circuit`].
    pub async fn remove_circuit(&self, id: CircuitId) -> Result<(), ClientError> {
        self.core.remove_circuit(id).await
    }

    /// A multi-scalar multiplication: points uncompressed with coordinates big-endian (those of G2 as (c1, c0)), and
    /// as many scalars of 32 bytes big-endian. Gives the sum and the time that the sidecar computed.
    ///
    /// # Errors
    /// [`ClientError::InvalidArgument`] where the lengths do not fit or a point or scalar is none.
    pub async fn msm(
        &self,
        curve: Curve,
        group: Group,
        points: &[u8],
        scalars: &[u8],
        backend: Option<Backend>,
    ) -> Result<(Vec<u8>, Duration), ClientError> {
        self.core.msm(curve, group, [points, scalars], backend).await
    }

    /// A number-theoretic transform of a power of two of elements, 32 bytes big-endian each, in natural order; with
    /// `coset` the values are those on the odd coset. Gives the elements and the time that the sidecar computed.
    ///
    /// # Errors
    /// As [`Self::msm`].
    pub async fn ntt(
        &self,
        curve: Curve,
        elements: &[u8],
        inverse: bool,
        coset: bool,
        backend: Option<Backend>,
    ) -> Result<(Vec<u8>, Duration), ClientError> {
        self.core.ntt(curve, elements, inverse, coset, backend).await
    }
}
