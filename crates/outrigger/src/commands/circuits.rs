//! `outrigger circuits`: the circuits of a store.

use std::process::ExitCode;
use std::sync::Arc;

use outrigger_client::{CircuitDescription, CircuitFiles};
use outrigger_groth16::formats::json::write_verifying_key;
use outrigger_groth16::store::CircuitInfo;
use outrigger_groth16::{CircuitStore, Control};
use outrigger_types::{CircuitId, ProofKey};
use serde::Serialize;
use serde_json::json;

use crate::cli::{AddArgs, CircuitsArgs, CircuitsCommand, Failure, ListArgs, NamedArgs, ShowArgs, TargetArgs};
use crate::runner::Caller;
use crate::{files, print, store};

/// A circuit as it is printed.
#[derive(Serialize)]
struct Circuit {
    circuit: String,
    name: String,
    curve: &'static str,
    constraints: u64,
    public_signals: u64,
    wires: u64,
    domain: u64,
    proving_key_bytes: u64,
    has_r1cs: bool,
    has_wasm: bool,
    /// Whether its key is in the sidecar's memory now.
    ready: bool,
}

impl From<CircuitDescription> for Circuit {
    fn from(circuit: CircuitDescription) -> Self {
        Self {
            circuit: circuit.id.to_string(),
            name: circuit.name,
            curve: circuit.curve.name(),
            constraints: circuit.constraints,
            public_signals: circuit.public_signals,
            wires: circuit.wires,
            domain: circuit.domain,
            proving_key_bytes: circuit.proving_key_bytes,
            has_r1cs: circuit.has_r1cs,
            has_wasm: circuit.has_wasm,
            ready: circuit.ready,
        }
    }
}

impl From<CircuitInfo> for Circuit {
    fn from(info: CircuitInfo) -> Self {
        let summary = info.summary;
        Self {
            circuit: info.id.to_string(),
            name: info.name,
            curve: summary.curve.name(),
            constraints: summary.constraints as u64,
            public_signals: summary.public_signals as u64,
            wires: summary.wires as u64,
            domain: summary.domain as u64,
            proving_key_bytes: summary.bytes as u64,
            has_r1cs: info.has_r1cs,
            has_wasm: info.has_wasm,
            ready: info.is_ready,
        }
    }
}

/// Where the circuits are.
pub(super) enum Circuits {
    /// With a sidecar.
    Sidecar(Caller),
    /// In this machine's store.
    Store(CircuitStore),
}

impl Circuits {
    /// Those that the flags name.
    pub(super) fn of(target: &TargetArgs) -> Result<Self, Failure> {
        if target.local {
            store::open_configured().map(Self::Store)
        } else {
            Caller::connect(target).map(Self::Sidecar)
        }
    }

    fn add(&self, args: &AddArgs) -> Result<Circuit, Failure> {
        match self {
            Self::Sidecar(caller) => {
                let (r1cs, wasm) = (args.r1cs.as_deref(), args.wasm.as_deref());
                let files = CircuitFiles { name: &args.name, zkey: &args.key, r1cs, wasm };
                caller.wait(caller.client.add_circuit(files)).map(Circuit::from)
            }
            Self::Store(store) => {
                let (r1cs, wasm) = (args.r1cs.as_deref(), args.wasm.as_deref());
                let added = store.add_files(&args.name, &args.key, r1cs, wasm, &Control::default());
                added.map(Circuit::from).map_err(store::blame)
            }
        }
    }

    fn list(&self) -> Result<Vec<Circuit>, Failure> {
        match self {
            Self::Sidecar(caller) => {
                Ok(caller.wait(caller.client.circuits())?.into_iter().map(Circuit::from).collect())
            }
            Self::Store(store) => Ok(store.list().into_iter().map(Circuit::from).collect()),
        }
    }

    fn show(&self, id: CircuitId) -> Result<(Circuit, Arc<ProofKey>), Failure> {
        match self {
            Self::Sidecar(caller) => {
                let (circuit, key) = caller.wait(caller.client.circuit(id))?;
                Ok((circuit.into(), Arc::new(key)))
            }
            Self::Store(store) => {
                let circuit = store.ready(id).map_err(store::blame)?;
                Ok((circuit.info.clone().into(), circuit.key.verifying_key().clone()))
            }
        }
    }

    /// What verifies the proofs of a circuit.
    pub(super) fn verifying_key(&self, id: CircuitId) -> Result<Arc<ProofKey>, Failure> {
        self.show(id).map(|(_, key)| key)
    }

    fn remove(&self, id: CircuitId) -> Result<(), Failure> {
        match self {
            Self::Sidecar(caller) => caller.wait(caller.client.remove_circuit(id)),
            Self::Store(store) => store.remove(id).map_err(store::blame),
        }
    }
}

/// Does what is asked with the circuits of the place that the flags name.
pub(crate) fn run(args: &CircuitsArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        CircuitsCommand::Add(args) => add(args),
        CircuitsCommand::List(args) => list(args),
        CircuitsCommand::Show(args) => show(args),
        CircuitsCommand::Remove(args) => remove(args),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn add(args: &AddArgs) -> Result<(), Failure> {
    let circuit = Circuits::of(&args.target)?.add(args)?;
    if args.target.json {
        print::json(&circuit);
    } else {
        println!("{}", circuit.circuit);
    }
    Ok(())
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let circuits = Circuits::of(&args.target)?.list()?;
    if args.target.json {
        print::json(&json!({"circuits": circuits}));
        return Ok(());
    }
    let mut table = print::table(&["circuit", "name", "curve", "constraints", "key", "beside the key", "ready"]);
    for circuit in &circuits {
        let beside: Vec<_> = [(circuit.has_r1cs, "r1cs"), (circuit.has_wasm, "wasm")]
            .iter()
            .filter(|one| one.0)
            .map(|one| one.1)
            .collect();
        table.add_row([
            circuit.circuit.clone(),
            circuit.name.clone(),
            circuit.curve.to_owned(),
            circuit.constraints.to_string(),
            print::bytes(circuit.proving_key_bytes),
            beside.join(", "),
            if circuit.ready { "yes" } else { "no" }.to_owned(),
        ]);
    }
    println!("{table}");
    Ok(())
}

fn show(args: &ShowArgs) -> Result<(), Failure> {
    let (circuit, key) = Circuits::of(&args.target)?.show(args.circuit)?;
    if let Some(path) = &args.vk {
        files::write(path, write_verifying_key(&key).map_err(Failure::work)?.as_bytes())?;
    }
    if args.target.json {
        print::json(&circuit);
        return Ok(());
    }
    let has = |it: bool| if it { "yes" } else { "no" }.to_owned();
    let mut table = print::table(&["circuit", &circuit.circuit]);
    table.add_row(["name", &circuit.name]);
    table.add_row(["curve", circuit.curve]);
    table.add_row(["constraints", &circuit.constraints.to_string()]);
    table.add_row(["public signals", &circuit.public_signals.to_string()]);
    table.add_row(["wires", &circuit.wires.to_string()]);
    table.add_row(["domain", &circuit.domain.to_string()]);
    table.add_row(["proving key", &print::bytes(circuit.proving_key_bytes)]);
    table.add_row(["constraints known", &has(circuit.has_r1cs)]);
    table.add_row(["witness program", &has(circuit.has_wasm)]);
    table.add_row(["ready", &has(circuit.ready)]);
    println!("{table}");
    Ok(())
}

fn remove(args: &NamedArgs) -> Result<(), Failure> {
    Circuits::of(&args.target)?.remove(args.circuit)?;
    if args.target.json {
        print::json(&json!({"circuit": args.circuit.to_string(), "removed": true}));
    } else {
        println!("removed {}", args.circuit);
    }
    Ok(())
}
