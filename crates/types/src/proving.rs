//! The vocabulary of Groth16: curves, circuits, what is needed to verify a proof.

use std::any::Any;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use bytes::Bytes;

/// A pairing-friendly curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Curve {
    /// BN254 (alt_bn128 of EIP-196 and EIP-197), circom's default.
    Bn254,
    /// BLS12-381.
    Bls12_381,
}

impl Curve {
    /// All curves.
    pub const ALL: [Self; 2] = [Self::Bn254, Self::Bls12_381];

    /// The name used on the command line and in metrics labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bn254 => "bn254",
            Self::Bls12_381 => "bls12-381",
        }
    }

    /// Bytes of an element of the base field.
    pub const fn base_bytes(self) -> usize {
        match self {
            Self::Bn254 => 32,
            Self::Bls12_381 => 48,
        }
    }

    /// Bytes of an uncompressed proof, A ‖ B ‖ C, each coordinate big-endian.
    pub const fn proof_bytes(self) -> usize {
        8 * self.base_bytes()
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Curve {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|curve| curve.name() == name);
        known.ok_or_else(|| format!("unknown curve {name:?}; one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// Names a circuit: the SHA-256 of its proving key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CircuitId(pub [u8; 32]);

impl fmt::Display for CircuitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CircuitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CircuitId({self})")
    }
}

impl FromStr for CircuitId {
    type Err = String;

    /// Reads 64 hexadecimal digits, of either case, with or without 0x.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let bad = || format!("{text:?} is no circuit: write the SHA-256 of its proving key, 64 hexadecimal digits");
        if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

/// A verifying key, in bytes, with a place for what an engine prepares from it once.
///
/// The bytes are `alpha1 ‖ beta2 ‖ gamma2 ‖ delta2 ‖ IC[0] ‖ … ‖ IC[public signals]`, uncompressed affine points,
/// coordinates big-endian, those of G2 as (c1, c0): EIP-197's order. The point at infinity is all zeros.
pub struct ProofKey {
    /// The curve.
    pub curve: Curve,
    /// The points.
    pub bytes: Bytes,
    prepared: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl ProofKey {
    /// A key that nothing was prepared from yet.
    pub fn new(curve: Curve, bytes: Bytes) -> Self {
        Self { curve, bytes, prepared: OnceLock::new() }
    }

    /// The number of public signals, by the length of the key; `None` where no number of them has this length.
    pub fn public_signals(&self) -> Option<usize> {
        let base = self.curve.base_bytes();
        let points = self.bytes.len().checked_sub(14 * base)?;
        (points % (2 * base) == 0).then_some(())?;
        (points / (2 * base)).checked_sub(1)
    }

    /// What an engine of this process prepared from the bytes, made by `prepare` the first time.
    pub fn prepared<T: Any + Send + Sync>(&self, prepare: impl FnOnce(&Self) -> T) -> Option<&T> {
        self.prepared.get_or_init(|| Box::new(prepare(self))).downcast_ref()
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofKey").field("curve", &self.curve).field("bytes", &self.bytes.len()).finish()
    }
}

#[cfg(test)]
mod tests;
