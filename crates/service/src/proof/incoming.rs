//! Requests that come as a header and chunks.

use bytes::Bytes;
use outrigger_proto::v1;
use outrigger_proto::v1::secret_chunk::Content;
use outrigger_proving::Secret;
use outrigger_types::Rejection;
use tonic::{Status, Streaming};
use zeroize::{Zeroize, Zeroizing};

use super::{blocking, refuse};
use crate::status;

/// A message of a stream of chunks.
pub(super) enum Piece<H, C> {
    /// Comes first, and once.
    Header(H),
    /// Comes after it, as often as it takes.
    Chunk(C),
}

/// How the messages of a stream are told apart; `None` for one that holds nothing.
pub(super) type Split<M, H, C> = fn(M) -> Option<Piece<H, C>>;

/// A stream of a header and chunks.
pub(super) struct Incoming<M, H, C> {
    stream: Streaming<M>,
    split: Split<M, H, C>,
    message_bytes_max: usize,
}

impl<M, H, C> Incoming<M, H, C> {
    pub(super) const fn new(stream: Streaming<M>, split: Split<M, H, C>, message_bytes_max: usize) -> Self {
        Self { stream, split, message_bytes_max }
    }

    /// The header.
    ///
    /// # Errors
    /// Where the stream does not begin with it, or breaks.
    pub(super) async fn header(&mut self) -> Result<H, Status> {
        match self.next().await? {
            Some(Piece::Header(header)) => Ok(header),
            Some(Piece::Chunk(_)) | None => Err(refuse(Rejection::field("header", "the first message must hold it"))),
        }
    }

    /// The next chunk, `None` after the last.
    ///
    /// # Errors
    /// Where there is a second header, or the stream breaks.
    pub(super) async fn chunk(&mut self) -> Result<Option<C>, Status> {
        match self.next().await? {
            Some(Piece::Chunk(chunk)) => Ok(Some(chunk)),
            Some(Piece::Header(_)) => Err(refuse(Rejection::field("header", "it comes once, first"))),
            None => Ok(None),
        }
    }

    async fn next(&mut self) -> Result<Option<Piece<H, C>>, Status> {
        let transport = |status: Status| status::of_transport(status, self.message_bytes_max);
        let Some(message) = self.stream.message().await.map_err(transport)? else { return Ok(None) };
        // A sender that cannot go on says so by a message of nothing; its stream must not pass for a whole one.
        let piece = (self.split)(message).ok_or_else(|| refuse(Rejection::field("part", "a message holds nothing")));
        piece.map(Some)
    }
}

/// Reads the witness or the inputs of a proof.
///
/// # Errors
/// Where there is none, both kinds come, or they pass the limit.
pub(super) async fn secret<M, H>(
    incoming: &mut Incoming<M, H, v1::SecretChunk>,
    bytes_max: usize,
) -> Result<Secret, Status> {
    let mut kind: Option<Kind> = None;
    let mut buffer = SecretBuffer::default();
    while let Some(chunk) = incoming.chunk().await? {
        let Some((of, bytes)) = Kind::of(chunk) else {
            return Err(refuse(Rejection::field("chunk", "it holds neither witness nor inputs_json")));
        };
        if *kind.get_or_insert(of) != of {
            wipe(bytes);
            return Err(refuse(Rejection::field("chunk", "send a witness or inputs_json, not both")));
        }
        buffer.push(bytes, bytes_max).await.map_err(refuse)?;
    }
    match kind {
        Some(_) if buffer.bytes.is_empty() => Err(refuse(Rejection::field("chunk", "the chunks are empty"))),
        Some(Kind::Witness) => Ok(Secret::Witness(buffer.bytes)),
        Some(Kind::Inputs) => Ok(Secret::Inputs(buffer.bytes)),
        None => Err(refuse(Rejection::field("chunk", "a witness or inputs_json must follow the header"))),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Witness,
    Inputs,
}

impl Kind {
    fn of(chunk: v1::SecretChunk) -> Option<(Self, Bytes)> {
        chunk.content.map(|content| match content {
            Content::Witness(bytes) => (Self::Witness, bytes),
            Content::InputsJson(bytes) => (Self::Inputs, bytes),
        })
    }
}

/// Bytes that leave no copy behind when they need more room.
#[derive(Default)]
struct SecretBuffer {
    bytes: Zeroizing<Vec<u8>>,
}

impl SecretBuffer {
    /// Adds a chunk, and wipes it.
    async fn push(&mut self, chunk: Bytes, bytes_max: usize) -> Result<(), Rejection> {
        let needed = self.bytes.len() + chunk.len();
        if needed > bytes_max {
            wipe(chunk);
            return Err(Rejection::TooLarge { limit: format!("{bytes_max} bytes of witness or inputs a proof") });
        }
        if needed > self.bytes.capacity() {
            self.grow(needed.max(2 * self.bytes.capacity()).min(bytes_max)).await?;
        }
        self.bytes.extend_from_slice(&chunk);
        wipe(chunk);
        Ok(())
    }

    /// Moves to a larger buffer; the old one is wiped. A large one takes its time, which a thread that others wait for
    /// does not have.
    async fn grow(&mut self, capacity: usize) -> Result<(), Rejection> {
        const AT_ONCE: usize = 4 * 1024 * 1024;
        let old = std::mem::take(&mut self.bytes);
        let larger = move || {
            let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
            larger.extend_from_slice(&old);
            larger
        };
        self.bytes = if capacity <= AT_ONCE { larger() } else { blocking(larger).await? };
        Ok(())
    }
}

/// Wipes bytes where nobody shares their buffer. The transport's own buffers are out of reach.
fn wipe(bytes: Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        bytes.as_mut().zeroize();
    }
}

pub(super) fn prove(message: v1::ProveRequest) -> Option<Piece<v1::ProofHeader, v1::SecretChunk>> {
    use v1::prove_request::Part;
    message.part.map(|part| match part {
        Part::Header(header) => Piece::Header(header),
        Part::Chunk(chunk) => Piece::Chunk(chunk),
    })
}

pub(super) fn submit(message: v1::SubmitProofRequest) -> Option<Piece<v1::ProofHeader, v1::SecretChunk>> {
    use v1::submit_proof_request::Part;
    message.part.map(|part| match part {
        Part::Header(header) => Piece::Header(header),
        Part::Chunk(chunk) => Piece::Chunk(chunk),
    })
}

/// Bytes of one of a circuit's files.
pub(super) type FileChunk = (outrigger_groth16::store::Part, Bytes);

pub(super) fn circuit(message: v1::AddCircuitRequest) -> Option<Piece<v1::AddCircuitHeader, FileChunk>> {
    use outrigger_groth16::store::Part as File;
    use v1::add_circuit_request::Part;
    message.part.map(|part| match part {
        Part::Header(header) => Piece::Header(header),
        Part::ProvingKey(bytes) => Piece::Chunk((File::Zkey, bytes)),
        Part::R1cs(bytes) => Piece::Chunk((File::R1cs, bytes)),
        Part::Wasm(bytes) => Piece::Chunk((File::Wasm, bytes)),
    })
}

pub(super) fn msm(message: v1::MsmRequest) -> Option<Piece<v1::MsmHeader, v1::MsmChunk>> {
    use v1::msm_request::Part;
    message.part.map(|part| match part {
        Part::Header(header) => Piece::Header(header),
        Part::Chunk(chunk) => Piece::Chunk(chunk),
    })
}

pub(super) fn ntt(message: v1::NttRequest) -> Option<Piece<v1::NttHeader, Bytes>> {
    use v1::ntt_request::Part;
    message.part.map(|part| match part {
        Part::Header(header) => Piece::Header(header),
        Part::Elements(elements) => Piece::Chunk(elements),
    })
}
