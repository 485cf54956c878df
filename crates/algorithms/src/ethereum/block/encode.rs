//! The canonical encoding of a transaction from its JSON fields.
//!
//! The fields go into the encoding as they are given, with no more said about them than that they fit: a parity of
//! 5 is encoded as 5, and its verdict comes from the rules.

use alloy_primitives::U256;
use alloy_rlp::{Encodable, Header};

use super::error::BlockError;
use super::object::Object;

/// A canonical encoding, and the chain that it names.
pub(super) struct Encoding {
    pub(super) raw: Vec<u8>,
    pub(super) chain_id: Option<u64>,
}

/// Encodes a transaction of this type; `None` where the type is not known.
pub(super) fn encode(transaction: &Object<'_>, transaction_type: u64) -> Result<Option<Encoding>, BlockError> {
    let encoding = match transaction_type {
        0 => encode_legacy(transaction)?,
        1..=4 => encode_typed(transaction, transaction_type as u8)?,
        _ => return Ok(None),
    };
    Ok(Some(encoding))
}

fn encode_legacy(transaction: &Object<'_>) -> Result<Encoding, BlockError> {
    let mut fields = Fields::default();
    fields.quantity(transaction.quantity("nonce", 64)?);
    fields.quantity(transaction.quantity("gasPrice", 128)?);
    fields.call(transaction)?;
    // 35 + 2·chain + parity, of a chain of 64 bits.
    let v = transaction.quantity("v", 128)?;
    fields.quantity(v);
    fields.signature(transaction)?;
    // Not the field `chainId`: some nodes fill it for transactions that name no chain.
    let chain_id = v.checked_sub(U256::from(35)).and_then(|twice| u64::try_from(twice >> 1_usize).ok());
    Ok(Encoding { raw: fields.into_list(), chain_id })
}

fn encode_typed(transaction: &Object<'_>, transaction_type: u8) -> Result<Encoding, BlockError> {
    let mut fields = Fields::default();
    let chain_id = transaction.quantity("chainId", 64)?;
    fields.quantity(chain_id);
    fields.quantity(transaction.quantity("nonce", 64)?);
    if transaction_type == 1 {
        fields.quantity(transaction.quantity("gasPrice", 128)?);
    } else {
        fields.quantity(transaction.quantity("maxPriorityFeePerGas", 128)?);
        fields.quantity(transaction.quantity("maxFeePerGas", 128)?);
    }
    fields.call(transaction)?;
    fields.access_list(transaction)?;
    if transaction_type == 3 {
        fields.quantity(transaction.quantity("maxFeePerBlobGas", 128)?);
        fields.words(&transaction.words("blobVersionedHashes")?);
    }
    if transaction_type == 4 {
        fields.authorizations(transaction)?;
    }
    // A parity of one byte is what authorizations may say too.
    fields.quantity(transaction.quantity(transaction.first_of(["yParity", "v"]), 8)?);
    fields.signature(transaction)?;
    let mut raw = vec![transaction_type];
    raw.extend_from_slice(&fields.into_list());
    Ok(Encoding { raw, chain_id: Some(chain_id.to()) })
}

/// The RLP of fields, one after the other, for the inside of a list.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn quantity(&mut self, quantity: U256) {
        quantity.encode(&mut self.0);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        bytes.encode(&mut self.0);
    }

    fn list(&mut self, fields: Self) {
        self.0.extend_from_slice(&fields.into_list());
    }

    fn words(&mut self, words: &[[u8; 32]]) {
        let mut list = Self::default();
        words.iter().for_each(|word| list.bytes(word));
        self.list(list);
    }

    /// Gas limit, recipient, value and input: what all types have in a row.
    fn call(&mut self, transaction: &Object<'_>) -> Result<(), BlockError> {
        self.quantity(transaction.quantity(transaction.first_of(["gas", "gasLimit"]), 64)?);
        match transaction.optional_bytes("to")?.filter(|to| !to.is_empty()) {
            // Read again for its length's sake, so that a short address is an error with a path.
            Some(_) => self.bytes(&required::<20>(transaction, "to")?),
            None => self.bytes(&[]),
        }
        self.quantity(transaction.quantity("value", 256)?);
        self.bytes(&transaction.bytes(transaction.first_of(["input", "data"]))?);
        Ok(())
    }

    fn access_list(&mut self, transaction: &Object<'_>) -> Result<(), BlockError> {
        let mut list = Self::default();
        for entry in transaction.objects("accessList")? {
            let mut fields = Self::default();
            fields.bytes(&required::<20>(&entry, "address")?);
            fields.words(&entry.words("storageKeys")?);
            list.list(fields);
        }
        self.list(list);
        Ok(())
    }

    fn authorizations(&mut self, transaction: &Object<'_>) -> Result<(), BlockError> {
        let mut list = Self::default();
        for authorization in transaction.objects("authorizationList")? {
            let mut fields = Self::default();
            fields.quantity(authorization.quantity("chainId", 256)?);
            fields.bytes(&required::<20>(&authorization, "address")?);
            fields.quantity(authorization.quantity("nonce", 64)?);
            fields.quantity(authorization.quantity(authorization.first_of(["yParity", "v"]), 8)?);
            fields.signature(&authorization)?;
            list.list(fields);
        }
        self.list(list);
        Ok(())
    }

    fn signature(&mut self, signed: &Object<'_>) -> Result<(), BlockError> {
        self.quantity(signed.quantity("r", 256)?);
        self.quantity(signed.quantity("s", 256)?);
        Ok(())
    }

    fn into_list(self) -> Vec<u8> {
        let header = Header { list: true, payload_length: self.0.len() };
        let mut list = Vec::with_capacity(header.length_with_payload());
        header.encode(&mut list);
        list.extend_from_slice(&self.0);
        list
    }
}

fn required<const N: usize>(object: &Object<'_>, name: &str) -> Result<[u8; N], BlockError> {
    object.fixed(name)?.ok_or_else(|| object.missing(name))
}
