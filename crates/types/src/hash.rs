//! Hash functions and Merkle trees by name.

use std::fmt;
use std::str::FromStr;

macro_rules! named {
    ($(#[$outer:meta])* $type:ident, $what:literal { $($(#[$doc:meta])* $variant:ident = $name:literal, $number:literal;)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $type {
            $($(#[$doc])* $variant = $number,)*
        }

        impl $type {
            /// All of them, in the order of their wire numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name used on the command line, in configuration, metrics and records.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The number on the wire.
            pub const fn number(self) -> i32 {
                self as i32
            }

            /// The one with a wire number, if there is one.
            pub const fn from_number(number: i32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(name: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|one| one.name() == name).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|one| one.name()).collect();
                    format!("unknown {} {name:?}; one of {}", $what, known.join(", "))
                })
            }
        }
    };
}

named! {
    /// A hash function with a digest of 32 bytes.
    HashAlgorithm, "hash algorithm" {
        /// SHA-256 (FIPS 180-4).
        Sha256 = "sha256", 1;
        /// SHA-256 applied twice, as in Bitcoin.
        Sha256d = "sha256d", 2;
        /// Keccak-256 with the original padding (0x01), as in Ethereum.
        Keccak256 = "keccak256", 3;
        /// SHA3-256 (FIPS 202, padding 0x06).
        Sha3_256 = "sha3-256", 4;
        /// SM3 (GB/T 32905).
        Sm3 = "sm3", 5;
        /// BLAKE2b with a digest of 32 bytes, no key (RFC 7693).
        Blake2b256 = "blake2b-256", 6;
        /// BLAKE3, 32 bytes, no key.
        Blake3 = "blake3", 7;
        /// Poseidon over the scalar field of BN254 with circomlib's parameters: 1 to 16 big-endian elements < r.
        PoseidonBn254 = "poseidon-bn254", 8;
    }
}

named! {
    /// A way to build a Merkle tree.
    MerkleTree, "Merkle tree" {
        /// Plain binary: leaves hashed, nodes hash(left ‖ right), a lone node passes up unhashed.
        Binary = "binary", 1;
        /// RFC 6962: leaves prefixed with 0x00, nodes with 0x01, split at the largest power of two below n.
        Rfc6962 = "rfc6962", 2;
        /// Bitcoin: leaves are digests already, an odd level repeats its last node.
        Bitcoin = "bitcoin", 3;
        /// A binary tree of Poseidon over BN254, padded with zeros to a power of two.
        Poseidon = "poseidon", 4;
        /// Semaphore's LeanIMT: Poseidon, a lone left child passes up unhashed.
        LeanImt = "lean-imt", 5;
        /// Ethereum's ordered trie, keyed by the RLP of the index: the transactions root of a block. No proofs.
        EthereumTrie = "ethereum-trie", 6;
    }
}
