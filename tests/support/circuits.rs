//! Circuits to prove, with their keys and secrets as files.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ark_bn254::Fr;
use ark_ff::PrimeField;
use light_poseidon::{Poseidon, PoseidonHasher};
use outrigger_client::{CircuitFiles, Client, ProofEvent, ProofStream};
use outrigger_groth16::formats::wtns;
use outrigger_groth16::setup::{insecure_setup, synthetic};
use outrigger_groth16::{Control, Proof, R1cs, Witness};
use outrigger_types::{CircuitId, Curve, ProofKey};
use rand::{Rng, RngExt};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// Levels of the tree of [`membership_inputs`].
const DEPTH: usize = 32;

/// The constraints of `crates/groth16/circuits`.
const MEMBERSHIP_R1CS: &[u8] = include_bytes!("../../crates/groth16/circuits/merkle-membership.r1cs");
/// Its witness program.
const MEMBERSHIP_WASM: &[u8] = include_bytes!("../../crates/groth16/circuits/merkle-membership.wasm");

/// The files of a circuit.
#[derive(Clone, Debug)]
pub(crate) struct Circuit {
    pub(crate) r1cs: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) wasm: Option<PathBuf>,
}

impl Circuit {
    /// Somebody knows a cube root of a public number: y = x³ in two constraints over the wires 1, y, x, x².
    pub(crate) fn cube(folder: &Path) -> Self {
        const ONE: [u64; 4] = [1, 0, 0, 0];
        let mut r1cs = R1cs::new(Curve::Bn254, 4, 1, 0, 1).expect("four wires");
        r1cs.push(&[(2, ONE)], &[(2, ONE)], &[(3, ONE)]).expect("x · x = x²");
        r1cs.push(&[(3, ONE)], &[(2, ONE)], &[(1, ONE)]).expect("x² · x = y");
        Self::of(&r1cs, folder, "cube")
    }

    /// A chain of 2^`log2_size` − 2 multiplications, and its witness.
    pub(crate) fn chain(folder: &Path, log2_size: u32) -> (Self, PathBuf) {
        let (r1cs, witness) = synthetic::synthetic(log2_size, Curve::Bn254);
        let path = folder.join("chain.wtns");
        std::fs::write(&path, &*wtns::write(&witness)).expect("a witness");
        (Self::of(&r1cs, folder, "chain"), path)
    }

    /// The membership of a leaf in a Poseidon tree, with its witness program.
    pub(crate) fn membership(folder: &Path) -> Self {
        let wasm = folder.join("membership.wasm");
        std::fs::write(&wasm, MEMBERSHIP_WASM).expect("a witness program");
        let r1cs = R1cs::parse(MEMBERSHIP_R1CS).expect("the constraints");
        Self { wasm: Some(wasm), ..Self::of(&r1cs, folder, "membership") }
    }

    /// Writes the constraints and makes a key.
    fn of(r1cs: &R1cs, folder: &Path, name: &str) -> Self {
        let file = |end: &str| folder.join(format!("{name}.{end}"));
        let create = |path: &Path| BufWriter::new(File::create(path).expect("a file"));
        let circuit = Self { r1cs: file("r1cs"), key: file("zkey"), wasm: None };
        r1cs.write(&mut create(&circuit.r1cs)).expect("the constraints are written");
        insecure_setup(r1cs, &mut create(&circuit.key), &Control::default()).expect("a key");
        circuit
    }
}

/// The witness of the cube of a small number, as a `.wtns`.
pub(crate) fn cube_witness(x: u64) -> Zeroizing<Vec<u8>> {
    small_witness(&[1, x * x * x, x, x * x])
}

/// A `.wtns` of these values.
pub(crate) fn small_witness(values: &[u64]) -> Zeroizing<Vec<u8>> {
    let values = values.iter().map(|value| [*value, 0, 0, 0]).collect();
    wtns::write(&Witness::new(Curve::Bn254, Zeroizing::new(values)))
}

/// A leaf with its way to the root, drawn at random: the inputs in JSON, and the root as snarkjs writes it. The hash is
/// not the one that the sidecar has.
pub(crate) fn membership_inputs(random: &mut impl Rng) -> (Value, String) {
    let mut poseidon = Poseidon::<Fr>::new_circom(2).expect("a hash of two");
    let mut draw = || Fr::from_le_bytes_mod_order(&random.random::<[u8; 32]>());
    let (leaf, siblings) = (draw(), (0..DEPTH).map(|_| draw()).collect::<Vec<_>>());
    let path: Vec<u8> = (0..DEPTH).map(|_| random.random_range(0..2)).collect();
    let root = siblings.iter().zip(&path).fold(leaf, |node, (sibling, is_right)| {
        let pair = if *is_right == 1 { [*sibling, node] } else { [node, *sibling] };
        poseidon.hash(&pair).expect("two elements")
    });
    let text = |element: &Fr| element.into_bigint().to_string();
    let siblings: Vec<_> = siblings.iter().map(text).collect();
    let inputs = json!({"root": text(&root), "leaf": text(&leaf), "siblings": siblings, "path": path});
    (inputs, text(&root))
}

/// Adds a circuit to a sidecar; gives its name and what verifies its proofs.
pub(crate) async fn add(client: &Client, circuit: &Circuit) -> (CircuitId, ProofKey) {
    let (r1cs, wasm) = (Some(circuit.r1cs.as_path()), circuit.wasm.as_deref());
    let files = CircuitFiles { name: "test", zkey: &circuit.key, r1cs, wasm };
    let added = client.add_circuit(files).await.expect("the sidecar takes a good circuit");
    let (_, key) = client.circuit(added.id).await.expect("it is there");
    (added.id, key)
}

/// Waits for a proof; the error says in words why there is none.
pub(crate) async fn proved(stream: ProofStream) -> Result<Proof, String> {
    proved_in_stages(stream, |_| ()).await.map(|(proof, _)| proof)
}

/// The same, and what each stage took; `begins` hears of each as it begins, and again as it goes on.
pub(crate) async fn proved_in_stages(
    mut stream: ProofStream,
    mut begins: impl FnMut(&str),
) -> Result<(Proof, Vec<(String, Duration)>), String> {
    loop {
        match stream.next().await.map_err(|error| error.to_string())? {
            Some(ProofEvent::Done { proof, stages }) => return Ok((proof, stages)),
            Some(ProofEvent::Running { stage, .. }) => begins(&stage),
            Some(ProofEvent::Queued { .. }) => {}
            Some(ProofEvent::Failed(error)) => return Err(error.to_string()),
            Some(ProofEvent::Cancelled) | None => return Err("the proof was given up".to_owned()),
        }
    }
}
