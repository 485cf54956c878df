//! The calls that make a witness, in circom 2's order.

use outrigger_groth16::Witness;
use outrigger_groth16::curve::{SCALAR_BYTES, SCALAR_LIMBS};
use wasmtime::{TypedFunc, WasmParams, WasmResults};
use zeroize::Zeroizing;

use crate::inputs::{Inputs, Signal};
use crate::modulus::{Limbs, Modulus};
use crate::sandbox::{Halt, Running};

/// Words of 32 bits in a number.
const WORDS: i32 = (SCALAR_BYTES / 4) as i32;

/// The one major version of circom whose programs these are.
const VERSION: i32 = 2;

/// Which field a program computes in.
pub(crate) fn field(running: &mut Running) -> Result<Modulus, Halt> {
    let version = running.ask("getVersion", ())?;
    if version != VERSION {
        return Err(Halt::Program(format!("it is of circom {version}, not {VERSION}")));
    }
    let words = running.ask("getFieldNumLen32", ())?;
    running.order("getRawPrime", ())?;
    let shared = Shared::of(running)?;
    let prime = if words == WORDS { Modulus::of(&shared.read(running)?) } else { None };
    prime.ok_or_else(|| Halt::Program("its prime is of neither BN254 nor BLS12-381: compile with -p bn128".into()))
}

/// The witness of inputs.
pub(crate) fn calculate(running: &mut Running, modulus: &Modulus, inputs: &Inputs) -> Result<Witness, Halt> {
    running.order("init", 0)?;
    running.holds_secrets = true;
    set_inputs(running, modulus, inputs)?;
    Ok(Witness::new(modulus.curve, read_witness(running, modulus)?))
}

fn set_inputs(running: &mut Running, modulus: &Modulus, inputs: &Inputs) -> Result<(), Halt> {
    let takes = running.ask("getInputSize", ())? as u32 as usize;
    let set = running.function::<(i32, i32, i32), ()>("setInputSignal")?;
    let shared = Shared::of(running)?;
    let mut given = 0;
    for signal in inputs.signals() {
        let (high, low) = halves(signal.hash());
        check_size(running, &signal, takes - given)?;
        for (place, value) in signal.values(modulus)?.iter().enumerate() {
            shared.write(running, value)?;
            set.call(&mut *running.store, (high, low, place as i32)).map_err(|error| match Halt::from(error) {
                Halt::Exception(1) => signal.error("the circuit has no such input").into(),
                halt => halt,
            })?;
            given += 1;
        }
    }
    if given < takes {
        let what = format!("the circuit takes {takes} values in all, and {given} are given: signals are missing");
        return Err(crate::WitnessError::Inputs(what).into());
    }
    Ok(())
}

/// Refuses a signal that the circuit does not have, or not of this size. Programs of the first versions of circom 2
/// cannot say its size: there, what is left of all inputs is the bound.
fn check_size(running: &mut Running, signal: &Signal, left: usize) -> Result<(), Halt> {
    let values = signal.len();
    if running.has("getInputSignalSize") {
        let size = running.ask("getInputSignalSize", halves(signal.hash()))?;
        // Newer programs answer 0 for a signal that they do not have, older ones −1.
        let size = usize::try_from(size).unwrap_or(0);
        if size == 0 && values > 0 {
            return Err(signal.error("the circuit has no such input").into());
        }
        if values != size {
            return Err(signal.error(&format!("the circuit takes {size} values, and {values} are given")).into());
        }
    }
    if values > left {
        return Err(signal.error("there are more values than the circuit takes in all").into());
    }
    Ok(())
}

fn read_witness(running: &mut Running, modulus: &Modulus) -> Result<Zeroizing<Vec<Limbs>>, Halt> {
    let count = running.ask("getWitnessSize", ())? as u32 as usize;
    // Each wire is a signal, which takes 40 bytes of the program's memory, so this refuses no honest program.
    if count.saturating_mul(SCALAR_BYTES) > running.memory.data_size(&*running.store) {
        return Err(Halt::Program(format!("it says that it has {count} wires, which its memory cannot hold")));
    }
    let get = running.function::<i32, ()>("getWitness")?;
    let shared = Shared::of(running)?;
    let mut values = Zeroizing::new(Vec::with_capacity(count));
    for wire in 0..count {
        get.call(&mut *running.store, wire as i32)?;
        let value = shared.read(running)?;
        if !modulus.contains(&value) {
            return Err(Halt::Program(format!("the value of wire {wire} is not below the prime")));
        }
        values.push(value);
    }
    if values.first() != Some(&[1, 0, 0, 0]) {
        return Err(Halt::Program("its wire 0 is not the constant 1".into()));
    }
    Ok(values)
}

/// The words through which numbers go in and out.
struct Shared {
    read: TypedFunc<i32, i32>,
    write: TypedFunc<(i32, i32), ()>,
}

impl Shared {
    fn of(running: &mut Running) -> Result<Self, Halt> {
        Ok(Self { read: running.function("readSharedRWMemory")?, write: running.function("writeSharedRWMemory")? })
    }

    fn read(&self, running: &mut Running) -> Result<Limbs, Halt> {
        let mut value = [0; SCALAR_LIMBS];
        for word in 0..WORDS {
            let bits = self.read.call(&mut *running.store, word)? as u32;
            value[word as usize / 2] |= u64::from(bits) << (32 * (word % 2));
        }
        Ok(value)
    }

    fn write(&self, running: &mut Running, value: &Limbs) -> Result<(), Halt> {
        for word in 0..WORDS {
            let bits = (value[word as usize / 2] >> (32 * (word % 2))) as i32;
            self.write.call(&mut *running.store, (word, bits))?;
        }
        Ok(())
    }
}

impl Running<'_> {
    fn has(&mut self, name: &str) -> bool {
        self.instance.get_func(&mut *self.store, name).is_some()
    }

    fn function<P: WasmParams, R: WasmResults>(&mut self, name: &str) -> Result<TypedFunc<P, R>, Halt> {
        Ok(self.instance.get_typed_func(&mut *self.store, name)?)
    }

    fn ask(&mut self, name: &str, parameters: impl WasmParams) -> Result<i32, Halt> {
        Ok(self.function::<_, i32>(name)?.call(&mut *self.store, parameters)?)
    }

    fn order(&mut self, name: &str, parameters: impl WasmParams) -> Result<(), Halt> {
        Ok(self.function::<_, ()>(name)?.call(&mut *self.store, parameters)?)
    }
}

fn halves(hash: u64) -> (i32, i32) {
    ((hash >> 32) as i32, hash as i32)
}
