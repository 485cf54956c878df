//! From identity, key and message to e: the hashing of GB/T 32918.2, sections 5.5 and 7.1.

use outrigger_types::limits::IDENTITY_BYTES_MAX;
use sm3::{Digest, Sm3};

/// The identity that the standard gives as default, and FISCO BCOS fixes.
pub const DEFAULT: &[u8] = b"1234567812345678";

/// a ‖ b ‖ x_G ‖ y_G: what stands between identity and key in every Z.
const CURVE: [[u8; 32]; 4] = [
    *b"\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xfc",
    *b"\x28\xe9\xfa\x9e\x9d\x9f\x5e\x34\x4d\x5a\x9e\x4b\xcf\x65\x09\xa7\xf3\x97\x89\xf5\x15\xab\x8f\x92\xdd\xbc\xbd\x41\x4d\x94\x0e\x93",
    *b"\x32\xc4\xae\x2c\x1f\x19\x81\x19\x5f\x99\x04\x46\x6a\x39\xc9\x94\x8f\xe3\x0b\xbf\xf2\x66\x0b\xe1\x71\x5a\x45\x89\x33\x4c\x74\xc7",
    *b"\xbc\x37\x36\xa2\xf4\xf6\x77\x9c\x59\xbd\xce\xe3\x6b\x69\x21\x53\xd0\xa9\x87\x7c\xc6\x2a\x47\x40\x02\xdf\x32\xe5\x21\x39\xf0\xa0",
];

/// The signers' identity, hashed as far as it is the same for all items of a request.
#[derive(Clone, Debug)]
pub struct Identity {
    /// What stands before the key in every Z.
    prefix: Box<[u8]>,
    hash: Sm3,
}

impl Identity {
    /// An identity; `None` where it is longer than [`IDENTITY_BYTES_MAX`], for its bits are counted in 16 bits.
    /// Empty means the default: the hash cannot tell a caller who left it out from one who wants none.
    pub fn new(identity: &[u8]) -> Option<Self> {
        let identity = if identity.is_empty() { DEFAULT } else { identity };
        if identity.len() > IDENTITY_BYTES_MAX {
            return None;
        }
        let bits = (identity.len() * 8) as u16;
        let prefix = [&bits.to_be_bytes(), identity, CURVE.as_flattened()].concat();
        Some(Self { hash: Sm3::new_with_prefix(&prefix), prefix: prefix.into() })
    }

    /// Whether it is [`DEFAULT`].
    pub fn is_default(&self) -> bool {
        self.prefix[2..].strip_prefix(DEFAULT) == Some(CURVE.as_flattened())
    }

    /// What is hashed before a key to make its Z.
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Z of a key x‖y.
    pub fn z(&self, key: &[u8; 64]) -> [u8; 32] {
        self.hash.clone().chain_update(key).finalize().into()
    }

    /// e = SM3(Z ‖ message), where Z = SM3(bits of the identity ‖ identity ‖ curve ‖ key) and the key is x‖y.
    pub fn digest(&self, key: &[u8; 64], message: &[u8]) -> [u8; 32] {
        Sm3::new_with_prefix(self.z(key)).chain_update(message).finalize().into()
    }
}
