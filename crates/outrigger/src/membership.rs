//! The circuit that is built in: a leaf is in a Poseidon tree of depth 32, and neither leaf nor place is shown. What
//! `demo` and `bench prove` prove. Its source stands in `crates/groth16/circuits`.

use std::path::{Path, PathBuf};

use outrigger_algorithms::poseidon_bn254::{ELEMENT_BYTES, element, element_bytes, hash_elements};
use outrigger_groth16::setup::insecure_setup;
use outrigger_groth16::{Control, R1cs};
use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::Failure;
use crate::{files, print};

/// What people call it.
pub(crate) const NAME: &str = "merkle-membership";
/// Its constraints.
pub(crate) const R1CS: &[u8] = include_bytes!("../../groth16/circuits/merkle-membership.r1cs");
/// Its witness program.
pub(crate) const WASM: &[u8] = include_bytes!("../../groth16/circuits/merkle-membership.wasm");
/// Levels of the tree.
const DEPTH: usize = 32;

/// A leaf of a tree with its way to the root: what the witness program takes, and the root that everybody may know.
pub(crate) struct Membership {
    /// The inputs in JSON. Secret.
    pub(crate) inputs: Zeroizing<Vec<u8>>,
    /// The root, 32 bytes big-endian: the only public signal.
    pub(crate) root: [u8; ELEMENT_BYTES],
}

impl Membership {
    /// A leaf, its place and the siblings on its way, drawn from the operating system.
    pub(crate) fn draw() -> Result<Self, Failure> {
        let leaf = draw_element()?;
        let siblings = (0..DEPTH).map(|_| draw_element()).collect::<Result<Vec<_>, _>>()?;
        let mut place = [0; DEPTH / 8];
        getrandom::fill(&mut place).map_err(Failure::work)?;
        let path: Vec<u8> = (0..DEPTH).map(|level| place[level / 8] >> (level % 8) & 1).collect();
        let known = |bytes: &[u8; ELEMENT_BYTES]| element(bytes).ok_or_else(|| Failure::work("an element ≥ r"));
        let mut node = known(&leaf)?;
        for (sibling, is_right) in siblings.iter().zip(&path) {
            let sibling = known(sibling)?;
            node = hash_elements(&if *is_right == 1 { [sibling, node] } else { [node, sibling] });
        }
        let root = element_bytes(node);
        let siblings: Vec<_> = siblings.iter().map(|sibling| print::hex(sibling)).collect();
        let inputs = json!({
            "root": print::hex(&root),
            "leaf": print::hex(&leaf),
            "siblings": siblings,
            "path": path,
        });
        Ok(Self { inputs: Zeroizing::new(inputs.to_string().into_bytes()), root })
    }
}

/// A field element, uniform below 2^253, which is below r.
fn draw_element() -> Result<[u8; ELEMENT_BYTES], Failure> {
    let mut bytes = [0; ELEMENT_BYTES];
    getrandom::fill(&mut bytes).map_err(Failure::work)?;
    bytes[0] &= 0x1f;
    Ok(bytes)
}

/// A proving key for the circuit in `folder`, made there where it is missing or damaged. For development: whoever made
/// it could forge proofs.
pub(crate) fn key(folder: &Path) -> Result<PathBuf, Failure> {
    let (key, seal) = (folder.join(format!("{NAME}.zkey")), folder.join(format!("{NAME}.zkey.sha256")));
    let sealed = std::fs::read_to_string(&seal).unwrap_or_default();
    if key.exists() && files::circuit_id(&key)?.to_string() == sealed.trim() {
        return Ok(key);
    }
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::work(format_args!("cannot make {}: {error}", folder.display())))?;
    let r1cs = R1cs::parse(R1CS).map_err(Failure::work)?;
    files::write_with(&key, |file| insecure_setup(&r1cs, file, &Control::default()))?;
    // Two processes that make the key at once leave that of one and, for a moment, the seal of the other: then it is
    // made again.
    files::write(&seal, format!("{}\n", files::circuit_id(&key)?).as_bytes())?;
    Ok(key)
}

/// Where the key stays from run to run, so that only the first makes it: a folder of the user's cache, by the hash of
/// the circuit. `None` where the system has none.
pub(crate) fn cache() -> Option<PathBuf> {
    use sha2::{Digest, Sha256};
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")))?;
    let hash = hex::encode(Sha256::digest(R1CS));
    Some(cache.join("outrigger").join(format!("{NAME}-{}", &hash[..16])))
}

/// The key from the user's cache, or in `folder` where there is no cache to write to.
pub(crate) fn cached_key(folder: &Path) -> Result<PathBuf, Failure> {
    cache().and_then(|cache| key(&cache).ok()).map_or_else(|| key(folder), Ok)
}

#[cfg(test)]
mod tests;
