//! Groth16 in the suite `verify`: proofs of one key in batches, beside ark-groth16, which verifies them one by one.

use std::sync::Arc;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ff::PrimeField;
use ark_groth16::{Groth16, PreparedVerifyingKey, VerifyingKey, prepare_verifying_key};
use outrigger_groth16::curve::{Curve, RawPoint, SCALAR_BYTES};
use outrigger_groth16::engine::EngineChoice;
use outrigger_groth16::formats::encoding::{g1_from_bytes, g2_from_bytes};
use outrigger_groth16::setup::{insecure_setup, synthetic};
use outrigger_groth16::{Control, Proof, ReadyKey};
use outrigger_types::{ColumnBuf, ProofKey, ProofWork, Work};

use super::{Record, announce, cpu, pairs, thread_counts, verify};
use crate::cli::{BenchArgs, Failure};

/// What the suite calls the algorithm.
pub(super) const NAME: &str = "groth16";
/// Proofs of a batch, unless the command line says otherwise: what one request brings, and what a block may.
const BATCHES: [usize; 4] = [1, 4, 16, 64];
/// A circuit of four constraints: what verification costs depends on the public signals alone.
const LOG2_SIZE: u32 = 2;

/// Both curves, in batches of each size.
pub(super) fn run(args: &BenchArgs) -> Result<Vec<Record>, Failure> {
    Ok([over::<Bn254>(args)?, over::<Bls12_381>(args)?].concat())
}

fn over<E: Curve>(args: &BenchArgs) -> Result<Vec<Record>, Failure> {
    let algorithm = format!("{NAME}-{}", E::ID);
    announce(args, &algorithm);
    let sizes = args.batch.map_or(BATCHES.to_vec(), |batch| vec![batch]);
    let (key, proofs) = proofs(E::ID, sizes.iter().copied().max().unwrap_or(1))?;
    let peer = Arkworks::<E>::new(&key, &proofs)?;
    let mut records = Vec::new();
    for batch in sizes {
        let work = Arc::new(pack(&key, &proofs[..batch]));
        for threads in thread_counts(args) {
            let engine = cpu(threads);
            let mut record = Record::of(&engine, "verify", &algorithm, batch, threads);
            let other = pairs::Other {
                name: "ark-groth16".into(),
                version: "0.6".into(),
                run: pairs::clocked(|| {
                    pairs::stripes(threads, batch, |range| {
                        assert!(peer.verify(range), "the peer refuses a good proof");
                    });
                    Ok(())
                }),
            };
            let product = pairs::clocked(|| verify::good(&engine, &work));
            pairs::measure(&mut record, args.pairs, product, Some(other))?;
            records.push(record);
        }
    }
    Ok(records)
}

/// Proofs of one witness, each with its own randomness.
fn proofs(curve: outrigger_types::Curve, count: usize) -> Result<(Arc<ProofKey>, Vec<Proof>), Failure> {
    let folder = tempfile::tempdir().map_err(Failure::work)?;
    let path = folder.path().join("chain.zkey");
    let (r1cs, witness) = synthetic(LOG2_SIZE, curve);
    let mut file = std::fs::File::create(&path).map_err(Failure::work)?;
    insecure_setup(&r1cs, &mut file, &Control::default()).map_err(Failure::work)?;
    let key = ReadyKey::open(&path).map_err(Failure::work)?;
    let prove = |_| key.prove(&witness, None, &EngineChoice::fastest(), &Control::default()).map(|proved| proved.proof);
    let proofs: Result<_, _> = (0..count).map(prove).collect();
    Ok((key.verifying_key().clone(), proofs.map_err(Failure::work)?))
}

fn pack(key: &Arc<ProofKey>, proofs: &[Proof]) -> Work {
    let bytes: Vec<_> = proofs.iter().map(|proof| &proof.bytes).collect();
    let signals: Vec<_> = proofs.iter().map(|proof| &proof.public_signals).collect();
    Work::VerifyProofs(ProofWork {
        key: key.clone(),
        proofs: ColumnBuf::from_items(&bytes),
        public_signals: ColumnBuf::from_items(&signals),
    })
}

/// The same proofs for ark-groth16, from the same bytes: decoding them, subgroups included, is part of its time.
struct Arkworks<'a, E: Curve> {
    key: PreparedVerifyingKey<E>,
    proofs: &'a [Proof],
}

impl<'a, E: Curve> Arkworks<'a, E> {
    fn new(key: &ProofKey, proofs: &'a [Proof]) -> Result<Self, Failure> {
        let size = E::ID.base_bytes();
        let (alpha, rest) = key.bytes.split_at(2 * size);
        let (g2, ic) = rest.split_at(12 * size);
        let of_g2: Option<Vec<_>> = g2.chunks(4 * size).map(g2_from_bytes::<E>).collect();
        let gamma_abc_g1: Option<Vec<_>> = ic.chunks(2 * size).map(g1_from_bytes::<E>).collect();
        let bad = || Failure::work("the key cannot be read");
        let of_g2 = of_g2.ok_or_else(bad)?;
        let key = VerifyingKey {
            alpha_g1: g1_from_bytes::<E>(alpha).ok_or_else(bad)?,
            beta_g2: of_g2[0],
            gamma_g2: of_g2[1],
            delta_g2: of_g2[2],
            gamma_abc_g1: gamma_abc_g1.ok_or_else(bad)?,
        };
        Ok(Self { key: prepare_verifying_key(&key), proofs })
    }

    /// Whether all of these hold.
    fn verify(&self, range: std::ops::Range<usize>) -> bool {
        self.proofs[range].iter().all(|proof| self.holds(proof).unwrap_or(false))
    }

    fn holds(&self, proof: &Proof) -> Option<bool> {
        let size = E::ID.base_bytes();
        let (a, rest) = proof.bytes.split_at(2 * size);
        let (b, c) = rest.split_at(4 * size);
        let (a, b, c) = (g1_from_bytes::<E>(a)?, g2_from_bytes::<E>(b)?, g1_from_bytes::<E>(c)?);
        if !(a.is_valid() && b.is_valid() && c.is_valid()) {
            return Some(false);
        }
        let scalar = E::ScalarField::from_be_bytes_mod_order;
        let signals: Vec<_> = proof.public_signals.chunks(SCALAR_BYTES).map(scalar).collect();
        Groth16::<E>::verify_proof(&self.key, &ark_groth16::Proof { a, b, c }, &signals).ok()
    }
}
