//! What snarkjs made of a small circuit, for tests: see `vectors/product/README.md`.

use outrigger_types::Curve;

pub(crate) struct Vectors {
    pub curve: Curve,
    pub zkey: &'static [u8],
    pub fresh_zkey: &'static [u8],
    pub wtns: &'static [u8],
    pub verifying_key: &'static str,
    pub proof: &'static str,
    pub public: &'static str,
    pub calldata: &'static str,
}

macro_rules! vectors {
    ($curve:expr, $folder:literal) => {
        Vectors {
            curve: $curve,
            zkey: include_bytes!(concat!("../../vectors/product/", $folder, "/product.zkey")),
            fresh_zkey: include_bytes!(concat!("../../vectors/product/", $folder, "/fresh.zkey")),
            wtns: include_bytes!(concat!("../../vectors/product/", $folder, "/product.wtns")),
            verifying_key: include_str!(concat!("../../vectors/product/", $folder, "/verification_key.json")),
            proof: include_str!(concat!("../../vectors/product/", $folder, "/proof.json")),
            public: include_str!(concat!("../../vectors/product/", $folder, "/public.json")),
            calldata: include_str!(concat!("../../vectors/product/", $folder, "/calldata.txt")),
        }
    };
}

pub(crate) const BN254: Vectors = vectors!(Curve::Bn254, "bn128");
pub(crate) const BLS12_381: Vectors = vectors!(Curve::Bls12_381, "bls12381");
pub(crate) const ALL: [Vectors; 2] = [BN254, BLS12_381];
