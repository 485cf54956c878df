//! Named rules of what counts as valid. The rules themselves stand in the rooms of `outrigger-algorithms`.

use std::fmt;
use std::str::FromStr;

macro_rules! rulesets {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $number:literal;)*) => {
        /// What counts as a valid signature: named by the request, never guessed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Ruleset {
            $($(#[$doc])* $variant = $number,)*
        }

        impl Ruleset {
            /// All rulesets, in the order of their wire numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name used on the command line, in configuration, metrics and records.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The ruleset of a wire number (the `Ruleset` enum of the proto), if there is one.
            pub const fn from_number(number: i32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

rulesets! {
    /// Ethereum transactions: recoverable ECDSA on secp256k1, low-S.
    EthereumTransaction = "ethereum-transaction", 1;
    /// Ethereum's ecrecover precompile: as above, high-S is valid.
    EthereumPrecompile = "ethereum-precompile", 2;
    /// Ethereum's P256VERIFY precompile (EIP-7951).
    EthereumP256Verify = "ethereum-p256verify", 3;
    /// Bitcoin's consensus rule since BIP 66.
    Bitcoin = "bitcoin", 4;
    /// Schnorr signatures of BIP 340.
    Bip340 = "bip340", 5;
    /// Hyperledger Fabric: ECDSA on P-256, low-S, DER by Go's rules.
    Fabric = "fabric", 6;
    /// FISCO BCOS, standard: recoverable ECDSA on secp256k1.
    FiscoSecp256k1 = "fisco-secp256k1", 7;
    /// FISCO BCOS, national cryptography: SM2 over a 32-byte hash as message.
    FiscoSm2 = "fisco-sm2", 8;
    /// SM2 over a message, with an identity (GB/T 32918).
    Sm2Message = "sm2-message", 9;
    /// SM2 over e itself.
    Sm2Digest = "sm2-digest", 10;
    /// Libra and its descendants: strict Ed25519.
    LibraEd25519 = "libra-ed25519", 11;
    /// Solana: strict Ed25519.
    SolanaEd25519 = "solana-ed25519", 12;
    /// Ed25519 by ZIP 215.
    Ed25519Zip215 = "ed25519-zip215", 13;
    /// BLS12-381 of Ethereum's consensus layer: keys in G1, signatures in G2.
    EthereumConsensus = "ethereum-consensus", 14;
    /// BLS12-381 with signatures in G1 and keys in G2.
    BlsMinSig = "bls-min-sig", 15;
}

impl Ruleset {
    /// The number of this ruleset on the wire.
    pub const fn number(self) -> i32 {
        self as i32
    }
}

impl fmt::Display for Ruleset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Ruleset {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|ruleset| ruleset.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|ruleset| ruleset.name()).collect();
            format!("unknown ruleset {name:?}; one of {}", known.join(", "))
        })
    }
}
