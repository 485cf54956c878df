//! Proving in this process.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use outrigger_groth16::engine::EngineChoice;
use outrigger_groth16::formats::wtns;
use outrigger_groth16::store::{Circuit, Part};
use outrigger_groth16::{Control, KeyError, ProveError, R1cs, ReadyKey, Stage, Stop, Witness};
use outrigger_types::{Backend, CircuitId};
use outrigger_witness::{WitnessError, WitnessLimits, WitnessProgram};

use super::{Made, Progress};
use crate::cli::{Failure, ProveArgs};
use crate::{files, items, store};

/// What a proof is made with.
enum Held {
    /// A key from a file, checked for this one proof.
    File { key: ReadyKey, r1cs: Option<Arc<R1cs>> },
    /// A circuit of the store, checked when it was added.
    Stored { circuit: Arc<Circuit>, r1cs: Option<Arc<R1cs>> },
}

/// Proves on all cores.
pub(super) fn prove(args: &ProveArgs, progress: &Progress) -> Result<Made, Failure> {
    let engine = match args.target.backend {
        None => EngineChoice::fastest(),
        Some(Backend::Cpu) => EngineChoice::Cpu,
        Some(Backend::Vector) if EngineChoice::fastest() == EngineChoice::Vector => EngineChoice::Vector,
        Some(backend) => {
            return Err(Failure::work(format_args!(
                "backend {backend} proves in a sidecar alone: leave --local out, or name cpu"
            )));
        }
    };
    let deadline = args.target.timeout().map(|timeout| Instant::now() + timeout);
    let bar = progress.clone();
    let control = Control::default()
        .with_deadline(deadline)
        .with_report(move |progress| bar.tell(progress.stage.name(), progress.percent.into()));
    let (id, held, program) = hold(args, progress, &control)?;
    let since = Instant::now();
    let witness = witness(args, program.as_deref(), &control)?;
    let witness_time = args.input.is_some().then(|| since.elapsed());
    let (key, r1cs) = match &held {
        Held::File { key, r1cs } => (key, r1cs),
        Held::Stored { circuit, r1cs } => (&circuit.key, r1cs),
    };
    let proved = key.prove(&witness, r1cs.as_deref(), &engine, &control).map_err(blame)?;
    let own = witness_time.map(|time| (Stage::Witness.name().to_owned(), time));
    let rest = proved.timings.iter().map(|(stage, time)| (stage.name().to_owned(), time));
    let stages = own.into_iter().chain(rest).collect();
    Ok(Made { circuit: id, proof: proved.proof, stages, repeated: Some(proved.repeated.is_some()) })
}

/// The key, and the witness program of a stored circuit where one is needed.
fn hold(
    args: &ProveArgs,
    progress: &Progress,
    control: &Control,
) -> Result<(CircuitId, Held, Option<Vec<u8>>), Failure> {
    if let Some(path) = &args.key {
        let named = |error: KeyError| match error {
            KeyError::Stopped(stop) => Failure::work(stop),
            error => Failure::input(format_args!("{}: {error}", path.display())),
        };
        let key = ReadyKey::open(path).map_err(named)?;
        // A file from anywhere. In a store it would be checked once.
        progress.tell("checking the key", 0);
        key.check(control).map_err(named)?;
        let r1cs = args.r1cs.as_deref().map(read_r1cs).transpose()?.map(Arc::new);
        return Ok((files::circuit_id(path)?, Held::File { key, r1cs }, None));
    }
    let id = args.circuit.ok_or_else(|| Failure::input("name a circuit: --key or --circuit"))?;
    let store = store::open_configured()?;
    let circuit = store.ready(id).map_err(store::blame)?;
    let r1cs = circuit.r1cs().map_err(store::blame)?;
    let needs_program = args.input.is_some() && args.wasm.is_none();
    if needs_program && !circuit.info.has_wasm {
        return Err(Failure::input(format_args!(
            "circuit {id} has no witness program: name one with --wasm, or add it with `outrigger circuits add`"
        )));
    }
    let program = needs_program.then(|| items::read(&store.path(id, Part::Wasm))).transpose()?;
    Ok((id, Held::Stored { circuit, r1cs }, program))
}

fn read_r1cs(path: &Path) -> Result<R1cs, Failure> {
    R1cs::parse(&items::read(path)?).map_err(|error| Failure::input(format_args!("{}: {error}", path.display())))
}

/// The witness: read, or made from inputs by the program of the flags or of the circuit.
fn witness(args: &ProveArgs, program: Option<&[u8]>, control: &Control) -> Result<Witness, Failure> {
    match (&args.witness, &args.wasm, program) {
        (Some(path), ..) => wtns::parse(&files::read_secret(path)?)
            .map_err(|error| Failure::input(format_args!("{}: {error}", path.display()))),
        (None, Some(path), _) => calculate(args, &items::read(path)?, control),
        (None, None, Some(program)) => calculate(args, program, control),
        (None, None, None) => Err(Failure::input("name a witness, or inputs and a witness program")),
    }
}

/// Runs a witness program on the inputs of the flags.
pub(super) fn calculate(args: &ProveArgs, program: &[u8], control: &Control) -> Result<Witness, Failure> {
    let path = args.input.as_deref().ok_or_else(|| Failure::input("name the inputs with --input"))?;
    let inputs = files::read_secret(path)?;
    control.tell(Stage::Witness, 0);
    let program = WitnessProgram::compile(program).map_err(blame_witness)?;
    let witness = program.calculate(&inputs, &WitnessLimits::default(), control).map_err(blame_witness)?;
    if let Some(path) = &args.save_witness {
        files::write_secret(path, &wtns::write(&witness))?;
    }
    Ok(witness)
}

fn blame_witness(error: WitnessError) -> Failure {
    match error {
        WitnessError::Program(_) | WitnessError::Inputs(_) => Failure::input(error),
        WitnessError::Limit(_) | WitnessError::Stopped(_) => Failure::work(error),
    }
}

/// A witness that does not satisfy the circuit is input; all else is work that was not done.
fn blame(error: ProveError) -> Failure {
    match error {
        ProveError::Witness(_) | ProveError::Unsatisfied(_) => Failure::input(error),
        ProveError::Stopped(Stop::Expired) => Failure::work("the time of --timeout-ms is over"),
        ProveError::Stopped(Stop::Cancelled) | ProveError::Internal(_) => Failure::work(error),
    }
}
