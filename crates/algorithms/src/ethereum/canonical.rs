//! Canonical encodings, read in place: what is signed of a transaction lies in it in one piece, so neither is anything
//! copied nor encoded anew.
//!
//! [`read`] takes an encoding only where it is canonical beyond doubt, and then says what the general decoder says.
//! What it does not take is not malformed for that: it is for [`super::transaction::decode`], which names the reason.

/// The first byte of what an authorization signs (EIP-7702).
const AUTHORIZATION_MAGIC: u8 = 5;

/// Bytes before the fields that are signed: a type, the header of a list.
const HEAD_BYTES: usize = 10;

/// Bytes behind them in legacy transactions: a chain, two zeros.
const TAIL_BYTES: usize = 11;

/// A transaction whose encoding is canonical.
pub(super) struct Canonical<'a> {
    /// The whole encoding.
    pub(super) raw: &'a [u8],
    /// 0 for legacy transactions.
    pub(super) transaction_type: u8,
    /// `None` for legacy transactions without a chain.
    pub(super) chain_id: Option<u64>,
    /// What the sender signed.
    pub(super) sender: Signed<'a>,
    /// What each authorization signed; `None` where its parity is none.
    pub(super) authorizations: Vec<Option<Signed<'a>>>,
}

impl<'a> Canonical<'a> {
    /// What is signed in it: by the sender first, then by the authorities that have a signature.
    pub(super) fn payloads(&self) -> impl Iterator<Item = &Payload<'a>> {
        std::iter::once(&self.sender).chain(self.authorizations.iter().flatten()).map(|signed| &signed.payload)
    }
}

/// What somebody signed, and the signature.
pub(super) struct Signed<'a> {
    pub(super) payload: Payload<'a>,
    pub(super) r: [u8; 32],
    pub(super) s: [u8; 32],
    pub(super) y_is_odd: bool,
}

/// The bytes whose Keccak-256 is signed: fields of the encoding between a head and a tail that are not in it.
pub(super) struct Payload<'a> {
    head: Short<HEAD_BYTES>,
    fields: &'a [u8],
    tail: Short<TAIL_BYTES>,
}

impl Payload<'_> {
    /// The bytes, one part after the other.
    pub(super) fn parts(&self) -> [&[u8]; 3] {
        [self.head.bytes(), self.fields, self.tail.bytes()]
    }
}

/// At most `N` bytes.
struct Short<const N: usize> {
    bytes: [u8; N],
    length: u8,
}

impl<const N: usize> Short<N> {
    const EMPTY: Self = Self { bytes: [0; N], length: 0 };

    fn push(&mut self, byte: u8) {
        self.bytes[usize::from(self.length)] = byte;
        self.length += 1;
    }

    /// A number without its leading zeros.
    fn push_digits(&mut self, number: u64) {
        let digits = number.to_be_bytes();
        for byte in &digits[number.leading_zeros() as usize / 8..] {
            self.push(*byte);
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// A field of a transaction, before its signature.
#[derive(Clone, Copy)]
enum Field {
    /// A number of at most so many bytes.
    Number(usize),
    /// The recipient, or nothing where a contract is created.
    Recipient,
    /// An address.
    Address,
    /// Bytes of any number.
    Bytes,
    /// Addresses, each with keys of 32 bytes (EIP-2930).
    AccessList,
    /// Hashes of 32 bytes.
    Hashes,
    /// Authorizations (EIP-7702).
    Authorizations,
}

use Field::{AccessList, Address, Authorizations, Bytes, Hashes, Number, Recipient};

/// Nonce, price, limit of gas, recipient, value, input.
const LEGACY: &[Field] = &[Number(8), Number(16), Number(8), Recipient, Number(32), Bytes];

/// The fields of a type behind the chain.
const fn fields(transaction_type: u8) -> &'static [Field] {
    match transaction_type {
        1 => &[Number(8), Number(16), Number(8), Recipient, Number(32), Bytes, AccessList],
        2 => &[Number(8), Number(16), Number(16), Number(8), Recipient, Number(32), Bytes, AccessList],
        3 => {
            &[Number(8), Number(16), Number(16), Number(8), Address, Number(32), Bytes, AccessList, Number(16), Hashes]
        }
        _ => &[Number(8), Number(16), Number(16), Number(8), Address, Number(32), Bytes, AccessList, Authorizations],
    }
}

/// Reads a transaction of a known type; `None` where it is not canonical, or not surely.
pub(super) fn read(raw: &[u8]) -> Option<Canonical<'_>> {
    match raw {
        [0xc0..=0xff, ..] => read_legacy(raw),
        [transaction_type @ 1..=4, list @ ..] => read_typed(raw, *transaction_type, list),
        _ => None,
    }
}

fn read_legacy(raw: &[u8]) -> Option<Canonical<'_>> {
    let body = whole_list(raw)?;
    let mut items = Items(body);
    for field in LEGACY {
        items.take(*field, &mut Vec::new())?;
    }
    let fields = &body[..body.len() - items.0.len()];
    let v = number(items.digits(16)?)?;
    let (r, s) = (items.scalar()?, items.scalar()?);
    items.is_empty().then_some(())?;
    let mut tail = Short::EMPTY;
    let (chain_id, y_is_odd) = match v {
        27 | 28 => (None, v == 28),
        35.. => {
            let chain_id = u64::try_from((v - 35) / 2).ok()?;
            push_number(&mut tail, chain_id);
            tail.push(0x80);
            tail.push(0x80);
            (Some(chain_id), (v - 35) % 2 == 1)
        }
        _ => return None,
    };
    let mut head = Short::EMPTY;
    push_list_header(&mut head, fields.len() + usize::from(tail.length));
    let sender = Signed { payload: Payload { head, fields, tail }, r, s, y_is_odd };
    Some(Canonical { raw, transaction_type: 0, chain_id, sender, authorizations: Vec::new() })
}

fn read_typed<'a>(raw: &'a [u8], transaction_type: u8, list: &'a [u8]) -> Option<Canonical<'a>> {
    let body = whole_list(list)?;
    let mut items = Items(body);
    let chain_id = items.word()?;
    let mut authorizations = Vec::new();
    for field in fields(transaction_type) {
        items.take(*field, &mut authorizations)?;
    }
    let fields = &body[..body.len() - items.0.len()];
    let y_is_odd = items.bit()?;
    let (r, s) = (items.scalar()?, items.scalar()?);
    items.is_empty().then_some(())?;
    let sender = Signed { payload: payload(transaction_type, fields), r, s, y_is_odd };
    Some(Canonical { raw, transaction_type, chain_id: Some(chain_id), sender, authorizations })
}

/// Fields as a list of their own behind a byte.
fn payload(first: u8, fields: &[u8]) -> Payload<'_> {
    let mut head = Short::EMPTY;
    head.push(first);
    push_list_header(&mut head, fields.len());
    Payload { head, fields, tail: Short::EMPTY }
}

fn push_list_header(head: &mut Short<HEAD_BYTES>, length: usize) {
    if length < 56 {
        head.push(0xc0 + length as u8);
    } else {
        let length = length as u64;
        head.push(0xf7 + (8 - length.leading_zeros() as u8 / 8));
        head.push_digits(length);
    }
}

fn push_number(tail: &mut Short<TAIL_BYTES>, number: u64) {
    if number == 0 || number >= 0x80 {
        tail.push(0x80 + (8 - number.leading_zeros() as u8 / 8));
    }
    tail.push_digits(number);
}

/// The payload of the one list that `bytes` are.
fn whole_list(bytes: &[u8]) -> Option<&[u8]> {
    let mut items = Items(bytes);
    let list = items.list()?;
    items.is_empty().then_some(list)
}

/// RLP items that are left.
struct Items<'a>(&'a [u8]);

impl<'a> Items<'a> {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a field off; what authorizations are in it is added to `authorizations`.
    fn take(&mut self, field: Field, authorizations: &mut Vec<Option<Signed<'a>>>) -> Option<()> {
        match field {
            Number(bytes_max) => self.digits(bytes_max).map(|_| ())?,
            Recipient if self.0.first() == Some(&0x80) => self.0 = &self.0[1..],
            Recipient | Address => self.string_of(20)?,
            Bytes => self.string().map(|_| ())?,
            AccessList => {
                let mut entries = Items(self.list()?);
                while !entries.is_empty() {
                    let mut entry = Items(entries.list()?);
                    entry.string_of(20)?;
                    entry.take(Hashes, authorizations)?;
                    entry.is_empty().then_some(())?;
                }
            }
            Hashes => {
                let mut hashes = Items(self.list()?);
                while !hashes.is_empty() {
                    hashes.string_of(32)?;
                }
            }
            Authorizations => {
                let mut entries = Items(self.list()?);
                while !entries.is_empty() {
                    authorizations.push(read_authorization(entries.list()?)?);
                }
            }
        }
        Some(())
    }

    /// Takes off a header whose first byte is `base` + the length, or `base` + 55 + the bytes of the length.
    fn header(&mut self, base: u8) -> Option<&'a [u8]> {
        let (&first, rest) = self.0.split_first()?;
        let short = first.checked_sub(base)?;
        let (length, rest) = match short {
            0..=55 => (usize::from(short), rest),
            56..=63 => {
                let (digits, rest) = rest.split_at_checked(usize::from(short - 55))?;
                (usize::try_from(number(digits)?).ok().filter(|length| *length > 55)?, rest)
            }
            _ => return None,
        };
        let (payload, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(payload)
    }

    /// Takes a list off.
    fn list(&mut self) -> Option<&'a [u8]> {
        self.header(0xc0)
    }

    /// Takes a string off.
    fn string(&mut self) -> Option<&'a [u8]> {
        if let Some((byte @ [0..0x80], rest)) = self.0.split_at_checked(1) {
            self.0 = rest;
            return Some(byte);
        }
        // A byte that stands for itself has no header.
        self.header(0x80).filter(|bytes| !matches!(bytes, [0..0x80]))
    }

    /// Takes a string of so many bytes off.
    fn string_of(&mut self, length: usize) -> Option<()> {
        (self.string()?.len() == length).then_some(())
    }

    /// Takes off a number of at most so many bytes: without leading zeros.
    fn digits(&mut self, bytes_max: usize) -> Option<&'a [u8]> {
        self.string().filter(|digits| digits.len() <= bytes_max && digits.first() != Some(&0))
    }

    /// Takes off a number of 64 bits.
    fn word(&mut self) -> Option<u64> {
        number(self.digits(8)?)?.try_into().ok()
    }

    /// Takes off a number that is 0 or 1.
    fn bit(&mut self) -> Option<bool> {
        match self.digits(1)? {
            [] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    /// Takes off a number of 256 bits.
    fn scalar(&mut self) -> Option<[u8; 32]> {
        let digits = self.digits(32)?;
        let mut scalar = [0; 32];
        scalar[32 - digits.len()..].copy_from_slice(digits);
        Some(scalar)
    }
}

/// A number of at most sixteen digits in base 256, without leading zeros.
fn number(digits: &[u8]) -> Option<u128> {
    if digits.len() > 16 || digits.first() == Some(&0) {
        return None;
    }
    Some(digits.iter().fold(0, |number, digit| number << 8 | u128::from(*digit)))
}

/// Reads an authorization: chain, address and nonce, and the signature. The outer `None`: it is not canonical; the
/// inner one: it has no signature in form, since its parity is neither 0 nor 1.
fn read_authorization(body: &[u8]) -> Option<Option<Signed<'_>>> {
    let mut items = Items(body);
    items.digits(32)?;
    items.string_of(20)?;
    items.digits(8)?;
    let fields = &body[..body.len() - items.0.len()];
    let parity = number(items.digits(1)?)?;
    let (r, s) = (items.scalar()?, items.scalar()?);
    items.is_empty().then_some(())?;
    let payload = payload(AUTHORIZATION_MAGIC, fields);
    Some((parity <= 1).then_some(Signed { payload, r, s, y_is_odd: parity == 1 }))
}
