//! Generates the contract from `proto/` with a pure Rust compiler, so that a build needs no protoc.

use std::error::Error;
use std::path::Path;

use prost::Message;

const FILES: [&str; 4] =
    ["outrigger/v1/admin.proto", "outrigger/v1/hash.proto", "outrigger/v1/proof.proto", "outrigger/v1/signature.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    let include = Path::new("../../proto");
    println!("cargo::rerun-if-changed={}", include.display());
    let descriptors = protox::compile(FILES, [include])?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("descriptors.bin"), descriptors.encode_to_vec())?;
    // Columns are shared with the buffer that they arrived in instead of being copied.
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    Ok(())
}
