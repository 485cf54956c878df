//! Where a program runs: the engine, the functions that it may call, and what stops it.

use std::fmt;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use outrigger_groth16::{Control, Stop};
use wasmtime::{
    Caller, Config, Engine, Instance, InstancePre, Linker, Memory, Module, ResourceLimiter, Store, Trap, UpdateDeadline,
};

use crate::screening::{IMPORT_MODULE, Screened, TABLE_ENTRIES_MAX};
use crate::{WitnessError, WitnessLimits};

/// How often a running program looks whether to go on.
const TICK: Duration = Duration::from_millis(10);

/// Stack of a program: template instances call one another, so its depth is that of the circuit. Rayon's threads have
/// 2 MiB.
const STACK_BYTES_MAX: usize = 512 << 10;

/// Lines of a program's error message that are kept: one for each template from the failed one outwards.
const PLACES_MAX: usize = 8;

/// Characters of a line of it.
const PLACE_CHARACTERS_MAX: usize = 300;

/// A program with the functions that it imports, compiled.
pub(crate) struct Sandbox {
    engine: Engine,
    program: InstancePre<Session>,
    screened: Arc<Screened>,
}

impl Sandbox {
    /// Compiles a program that was screened.
    pub(crate) fn compile(wasm: &[u8], screened: Screened) -> Result<Self, String> {
        let short = |error: wasmtime::Error| format!("it does not compile: {error}");
        let engine = Engine::new(&configuration()).map_err(short)?;
        let module = Module::from_binary(&engine, wasm).map_err(short)?;
        let mut linker = Linker::new(&engine);
        define_imports(&mut linker).map_err(short)?;
        let program = linker.instantiate_pre(&module).map_err(short)?;
        Ok(Self { engine, program, screened: Arc::new(screened) })
    }

    /// Makes an instance and does `work` with it within `limits`. Its memory is wiped afterwards.
    pub(crate) fn run<T>(
        &self,
        limits: &WitnessLimits,
        control: &Control,
        work: impl FnOnce(&mut Running) -> Result<T, Halt>,
    ) -> Result<T, WitnessError> {
        control.check().map_err(WitnessError::Stopped)?;
        with_ticks(&self.engine, || {
            let mut store = self.store(limits, control);
            let outcome = match self.start(&mut store) {
                Ok((instance, memory)) => {
                    work(&mut Running { instance, memory, store: &mut store, holds_secrets: false })
                }
                Err(halt) => Err(halt),
            };
            outcome.map_err(|halt| halt.explain(limits, store.data()))
        })?
    }

    fn store(&self, limits: &WitnessLimits, control: &Control) -> Store<Session> {
        let session = Session {
            limits: *limits,
            screened: Arc::clone(&self.screened),
            places: Vec::new(),
            is_reading_message: false,
        };
        let mut store = Store::new(&self.engine, session);
        store.limiter(|session| session);
        store.set_epoch_deadline(1);
        let (control, end) = (control.clone(), Instant::now().checked_add(limits.time_max));
        store.epoch_deadline_callback(move |_| {
            control.check().map_err(Halt::Stopped)?;
            if end.is_some_and(|end| Instant::now() >= end) {
                return Err(Halt::Time.into());
            }
            Ok(UpdateDeadline::Continue(1))
        });
        store
    }

    fn start(&self, store: &mut Store<Session>) -> Result<(Instance, Memory), Halt> {
        store.set_fuel(store.data().limits.fuel_max)?;
        let instance = self.program.instantiate(&mut *store)?;
        let memory = instance.get_memory(store, "memory").ok_or(Halt::Program("it exports no memory".into()))?;
        Ok((instance, memory))
    }
}

fn configuration() -> Config {
    let mut config = Config::new();
    config.consume_fuel(true).epoch_interruption(true).max_wasm_stack(STACK_BYTES_MAX);
    // What screening refuses, the engine does without as well.
    config.wasm_simd(false).wasm_relaxed_simd(false).wasm_tail_call(false);
    config.wasm_multi_memory(false).wasm_memory64(false).wasm_extended_const(false);
    // Nothing of a trap is shown but its kind.
    config.wasm_backtrace_max_frames(None).generate_address_map(false);
    config
}

/// Does `work` while the engine's epoch moves on.
fn with_ticks<T>(engine: &Engine, work: impl FnOnce() -> T) -> Result<T, WitnessError> {
    // Dropped at the end of the work, in a panic too, which ends the ticking.
    let (done, ticks) = mpsc::channel::<()>();
    thread::scope(move |scope| {
        let tick = move || {
            while ticks.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                engine.increment_epoch();
            }
        };
        thread::Builder::new()
            .name("witness-ticks".into())
            .spawn_scoped(scope, tick)
            .map_err(|error| WitnessError::Limit(format!("no thread to watch it: {error}")))?;
        let outcome = work();
        drop(done);
        Ok(outcome)
    })
}

/// An instance at work.
pub(crate) struct Running<'a> {
    /// The instance.
    pub(crate) instance: Instance,
    /// Its memory.
    pub(crate) memory: Memory,
    /// What holds it.
    pub(crate) store: &'a mut Store<Session>,
    /// Whether its memory has to be wiped in the end.
    pub(crate) holds_secrets: bool,
}

impl Drop for Running<'_> {
    /// Wipes the memory. With `fill` and not `zeroize`, which writes byte for byte, as a program may have gigabytes; the
    /// memory is read by others afterwards as far as the compiler knows, so it cannot leave this out.
    fn drop(&mut self) {
        if !self.holds_secrets {
            return;
        }
        let memory = self.memory.data_mut(&mut *self.store);
        memory.fill(0);
        black_box(memory);
    }
}

/// What belongs to one call.
pub(crate) struct Session {
    limits: WitnessLimits,
    screened: Arc<Screened>,
    /// Where the program says that it failed, innermost first.
    places: Vec<String>,
    is_reading_message: bool,
}

impl ResourceLimiter for Session {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.limits.memory_bytes_max { Err(Halt::Memory.into()) } else { Ok(true) }
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > TABLE_ENTRIES_MAX { Err(Halt::Memory.into()) } else { Ok(true) }
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }
}

/// Why a program was stopped.
#[derive(Debug)]
pub(crate) enum Halt {
    /// From outside.
    Stopped(Stop),
    /// It took too long.
    Time,
    /// It wanted too much memory.
    Memory,
    /// It called `exceptionHandler` with this code.
    Exception(i32),
    /// It is not what circom writes.
    Program(String),
    /// It trapped.
    Trap(Trap),
    /// It could not be run.
    Failed,
    /// Something is wrong with its inputs.
    Refused(WitnessError),
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the witness program was stopped")
    }
}

impl std::error::Error for Halt {}

impl From<wasmtime::Error> for Halt {
    fn from(error: wasmtime::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(halt) => halt,
            Err(error) => error.downcast_ref::<Trap>().map_or(Self::Failed, |trap| Self::Trap(*trap)),
        }
    }
}

impl From<WitnessError> for Halt {
    fn from(error: WitnessError) -> Self {
        Self::Refused(error)
    }
}

impl Halt {
    fn explain(self, limits: &WitnessLimits, session: &Session) -> WitnessError {
        use WitnessError::{Inputs, Limit, Program, Stopped};
        match self {
            Self::Refused(error) => error,
            Self::Stopped(stop) => Stopped(stop),
            Self::Time => Limit(format!("it ran for more than {:?}", limits.time_max)),
            Self::Memory | Self::Exception(5) => {
                Limit(format!("it needs more than {} bytes of memory", limits.memory_bytes_max))
            }
            Self::Trap(Trap::OutOfFuel) => Limit(format!("it used up {} units of fuel", limits.fuel_max)),
            Self::Trap(Trap::StackOverflow) => Limit(format!("it needs more than {STACK_BYTES_MAX} bytes of stack")),
            Self::Exception(1) => Inputs("a signal is not an input of the circuit".into()),
            Self::Exception(2) => Inputs("more signals are set than the circuit has inputs".into()),
            Self::Exception(3) => Inputs("a signal is set twice".into()),
            Self::Exception(4) => Inputs(format!("an assertion of the circuit fails{}", session.place())),
            Self::Exception(6) => Inputs("a signal has more values than the circuit takes".into()),
            Self::Exception(code) => Program(format!("it reports the unknown exception {code}{}", session.place())),
            Self::Trap(trap) => Program(format!("it failed: {trap}")),
            Self::Program(what) => Program(what),
            Self::Failed => Program("it could not be run".into()),
        }
    }
}

impl Session {
    fn place(&self) -> String {
        if self.places.is_empty() { String::new() } else { format!(": {}", self.places.join(", from ")) }
    }

    /// Keeps a line of an error message if all that it says is a place in the source: a text of the program's
    /// constant data, and the number of a line.
    fn keep(&mut self, message: &str) {
        let (place, line) = message.split_once(" line: ").unwrap_or((message, "0"));
        let is_line = line.len() <= 6 && line.trim_end().bytes().all(|byte| byte.is_ascii_digit());
        if self.places.len() < PLACES_MAX && is_line && self.screened.places.contains(place.trim_end()) {
            self.places.push(message.trim_end().to_owned());
        }
    }
}

/// All that a program may call. What it would log is dropped: the values of signals.
fn define_imports(linker: &mut Linker<Session>) -> wasmtime::Result<()> {
    linker.func_wrap(IMPORT_MODULE, "exceptionHandler", |code: i32| -> wasmtime::Result<()> {
        Err(Halt::Exception(code).into())
    })?;
    linker.func_wrap(
        IMPORT_MODULE,
        "error",
        |_: i32, _: i32, _: i32, _: i32, _: i32, _: i32| -> wasmtime::Result<()> { Err(Halt::Exception(4).into()) },
    )?;
    linker.func_wrap(IMPORT_MODULE, "printErrorMessage", read_message)?;
    for name in ["writeBufferMessage", "showSharedRWMemory"] {
        linker.func_wrap(IMPORT_MODULE, name, || ())?;
    }
    for name in ["printDebug", "log", "logStartComponent", "logFinishComponent"] {
        linker.func_wrap(IMPORT_MODULE, name, |_: i32| ())?;
    }
    for name in ["logGetSignal", "logSetSignal"] {
        linker.func_wrap(IMPORT_MODULE, name, |_: i32, _: i32| ())?;
    }
    Ok(())
}

/// `printErrorMessage`: a line of an error message is ready, character for character.
fn read_message(mut caller: Caller<'_, Session>) -> wasmtime::Result<()> {
    let Some(next) = caller.get_export("getMessageChar").and_then(|export| export.into_func()) else {
        return Ok(());
    };
    let next = next.typed::<(), i32>(&caller)?;
    if std::mem::replace(&mut caller.data_mut().is_reading_message, true) {
        return Err(Halt::Program("it prints a message while it prints one".into()).into());
    }
    let mut message = String::new();
    for _ in 0..PLACE_CHARACTERS_MAX {
        match u8::try_from(next.call(&mut caller, ())?) {
            Ok(character) if character.is_ascii() && character != 0 => message.push(character.into()),
            _ => break,
        }
    }
    caller.data_mut().is_reading_message = false;
    caller.data_mut().keep(&message);
    Ok(())
}

#[cfg(test)]
mod tests;
