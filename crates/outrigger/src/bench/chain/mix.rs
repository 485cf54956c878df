//! What the blocks of a chain are made of.

use std::sync::Arc;

use clap::ValueEnum;
use outrigger_groth16::Proof;
use outrigger_types::{ColumnBuf, ProofKey, ProofWork, Ruleset, Verdict, Work};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{beside, ethereum};
use crate::cli::Failure;
use crate::demo::Sidecar;
use crate::play::signing::{self, MESSAGE_BYTES};
use crate::play::{Block, Part};
use crate::workload::{self, Fault, Signed, Signer};

/// Accounts that send transactions.
const ACCOUNTS: usize = 1_024;
/// Peers of Fabric that endorse, and how many of them each transaction needs.
const PEERS: usize = 8;
const ENDORSEMENTS: usize = 4;
/// Proofs that differ.
const PROOFS: usize = 16;

/// A kind of chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mix {
    /// Raw transactions of type 2, from bytes to hash and sender
    Ethereum,
    /// Each transaction with a creator's signature and four endorsements of eight peers
    Fabric,
    /// One signature of SM2 a transaction
    FiscoSm2,
    /// One signature of Ed25519 a transaction
    Libra,
    /// One Groth16 proof to verify a transaction
    Proofs,
    /// A quarter each of the first four
    Mixed,
}

impl Mix {
    /// Those of signatures: what is played where none is named.
    pub(crate) const SIGNATURES: [Self; 4] = [Self::Ethereum, Self::Fabric, Self::FiscoSm2, Self::Libra];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ethereum => "ethereum",
            Self::Fabric => "fabric",
            Self::FiscoSm2 => "fisco-sm2",
            Self::Libra => "libra",
            Self::Proofs => "proofs",
            Self::Mixed => "mixed",
        }
    }

    /// The ruleset, where there is one.
    pub(crate) const fn ruleset(self) -> Option<Ruleset> {
        match self {
            Self::Ethereum => Some(Ruleset::EthereumTransaction),
            Self::Fabric => Some(Ruleset::Fabric),
            Self::FiscoSm2 => Some(Ruleset::FiscoSm2),
            Self::Libra => Some(Ruleset::LibraEd25519),
            Self::Proofs | Self::Mixed => None,
        }
    }

    /// Transactions a second where nothing names a number.
    pub(crate) const fn rate(self) -> u32 {
        match self {
            Self::Proofs => 500,
            _ => 10_000,
        }
    }
}

/// Makes blocks of a mix: the same for the same number.
pub(crate) struct Maker {
    sources: Vec<Source>,
}

/// Where transactions of one kind come from.
enum Source {
    Ethereum(Vec<ethereum::Account>),
    Signed { ruleset: Ruleset, accounts: Vec<Signer>, endorsers: Vec<Signer> },
    Proofs { key: Arc<ProofKey>, proofs: Vec<Proof> },
}

impl Maker {
    /// Draws the accounts; has proofs made where the mix is of proofs.
    pub(crate) fn new(mix: Mix, sidecar: &Sidecar) -> Result<Self, Failure> {
        if mix == Mix::Proofs {
            let (key, proofs) = beside::some_proofs(sidecar, PROOFS)?;
            return Ok(Self { sources: vec![Source::Proofs { key: Arc::new(key), proofs }] });
        }
        Ok(Self::of_signatures(mix))
    }

    /// Draws the accounts of a mix; of the mix `proofs` there are none.
    pub(crate) fn of_signatures(mix: Mix) -> Self {
        let mixes = if mix == Mix::Mixed { Mix::SIGNATURES.to_vec() } else { vec![mix] };
        Self { sources: mixes.into_iter().filter_map(source).collect() }
    }

    /// Block `number`, in which so many of a thousand transactions are bad.
    pub(crate) fn block(&self, number: u64, transactions: usize, bad_per_mille: u32) -> Block {
        let mut rng = StdRng::seed_from_u64(number);
        let of = self.sources.len();
        let parts: Vec<Part> = self
            .sources
            .iter()
            .enumerate()
            .map(|(i, source)| (source, transactions / of + usize::from(i < transactions % of)))
            .filter(|(_, count)| *count > 0)
            .map(|(source, count)| source.part(count, bad_per_mille, &mut rng))
            .collect();
        Block { parts, transactions: transactions as u64 }
    }
}

fn source(mix: Mix) -> Option<Source> {
    let mut rng = StdRng::seed_from_u64(mix as u64);
    let ruleset = mix.ruleset()?;
    if mix == Mix::Ethereum {
        return Some(Source::Ethereum((0..ACCOUNTS).map(|_| ethereum::Account::draw(&mut rng)).collect()));
    }
    let mut signers = |count: usize| (0..count).map(|_| Signer::new(ruleset, &mut rng)).collect::<Vec<_>>();
    let endorsers = if mix == Mix::Fabric { signers(PEERS) } else { Vec::new() };
    Some(Source::Signed { ruleset, accounts: signers(ACCOUNTS), endorsers })
}

impl Source {
    fn part(&self, count: usize, bad_per_mille: u32, rng: &mut StdRng) -> Part {
        let bad: Vec<bool> = (0..count).map(|_| rng.random_range(0..1_000) < bad_per_mille).collect();
        match self {
            Self::Ethereum(accounts) => ethereum::part(accounts, &bad, rng),
            Self::Signed { ruleset, accounts, endorsers } => {
                let items: Vec<Signed> =
                    bad.iter().flat_map(|is_bad| transaction(*ruleset, accounts, endorsers, *is_bad, rng)).collect();
                signing::part(*ruleset, &items)
            }
            Self::Proofs { key, proofs } => verification(key, proofs, &bad),
        }
    }
}

/// The signatures of one transaction, one of them bad where it is to be.
fn transaction(
    ruleset: Ruleset,
    accounts: &[Signer],
    endorsers: &[Signer],
    is_bad: bool,
    rng: &mut StdRng,
) -> Vec<Signed> {
    let account = rng.random_range(0..accounts.len());
    let mut signed = vec![accounts[account].sign(workload::message(ruleset, MESSAGE_BYTES, rng))];
    if !endorsers.is_empty() {
        let first = rng.random_range(0..endorsers.len());
        let answer = workload::message(ruleset, MESSAGE_BYTES, rng);
        signed.extend((0..ENDORSEMENTS).map(|i| endorsers[(first + i) % endorsers.len()].sign(answer.clone())));
    }
    if is_bad {
        let which = rng.random_range(0..signed.len());
        let other = accounts[(account + 1) % accounts.len()].key();
        Fault::ALL[rng.random_range(0..Fault::ALL.len())].apply(&mut signed[which], other);
    }
    signed
}

/// Proofs to verify; a bad one has another public signal.
fn verification(key: &Arc<ProofKey>, proofs: &[Proof], bad: &[bool]) -> Part {
    let chosen: Vec<&Proof> = proofs.iter().cycle().take(bad.len()).collect();
    let signals = chosen.iter().zip(bad).map(|(proof, is_bad)| {
        let mut signals = proof.public_signals.clone();
        if let Some(last) = signals.last_mut().filter(|_| *is_bad) {
            *last ^= 1;
        }
        signals
    });
    let work = ProofWork {
        key: key.clone(),
        proofs: ColumnBuf::from_items(&chosen.iter().map(|proof| &proof.bytes).collect::<Vec<_>>()),
        public_signals: ColumnBuf::from_items(&signals.collect::<Vec<_>>()),
    };
    let verdict = |is_bad: &bool| if *is_bad { Verdict::Invalid } else { Verdict::Valid };
    Part { work: Arc::new(Work::VerifyProofs(work)), expected: bad.iter().map(verdict).collect(), found: None }
}
