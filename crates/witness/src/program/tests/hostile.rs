//! Programs that circom did not write. Each is an honest one with some parts exchanged.

use std::time::{Duration, Instant};

use outrigger_groth16::Stop;

use super::*;

/// BN254's order, as WebAssembly's text format writes bytes.
const BN254_BYTES: &str =
    r"\01\00\00\f0\93\f5\e1\43\91\70\b9\79\48\e8\33\28\5d\58\81\81\b6\45\50\b8\29\a0\31\e1\72\4e\64\30";
const BLS12_381_BYTES: &str =
    r"\01\00\00\00\ff\ff\ff\ff\fe\5b\fe\ff\02\a4\bd\53\05\d8\a1\09\08\d8\39\33\48\7d\9d\29\53\a7\ed\73";

/// The parts of a program that makes the witness (1, x) of its input x. Numbers go in and out at 0, the prime is at
/// 1024, and the witness at 2048.
const PARTS: [(&str, &str); 17] = [
    ("imports", ""),
    ("memory", r#"(memory (export "memory") 1)"#),
    ("prime", BN254_BYTES),
    ("one", r"\01"),
    ("more", ""),
    ("getVersion", "(result i32) i32.const 2"),
    ("getFieldNumLen32", "(result i32) i32.const 8"),
    ("getRawPrime", "i32.const 0 i32.const 1024 call $copy"),
    ("getInputSize", "(result i32) i32.const 1"),
    (
        "getInputSignalSize",
        "(param i32 i32) (result i32) (select (i32.const 1) (i32.const -1) (i32.eq (local.get 0) (i32.const 0xaf63f54c)))",
    ),
    ("getWitnessSize", "(result i32) i32.const 2"),
    ("init", "(param i32)"),
    ("writeSharedRWMemory", "(param i32 i32) (i32.store (i32.shl (local.get 0) (i32.const 2)) (local.get 1))"),
    ("readSharedRWMemory", "(param i32) (result i32) (i32.load (i32.shl (local.get 0) (i32.const 2)))"),
    ("setInputSignal", "(param i32 i32 i32) i32.const 2080 i32.const 0 call $copy"),
    (
        "getWitness",
        "(param i32) i32.const 0 (i32.add (i32.const 2048) (i32.shl (local.get 0) (i32.const 5))) call $copy",
    ),
    ("getMessageChar", "(result i32) i32.const 0"),
];

/// The program with the changes. A function whose part is `-` is left out.
fn wasm(changes: &[(&str, &str)]) -> Vec<u8> {
    for (name, _) in changes {
        assert!(PARTS.iter().any(|(known, _)| known == name), "no part is called {name}");
    }
    let part = |name: &str| {
        let changed = changes.iter().find(|(changed, _)| *changed == name);
        changed.or_else(|| PARTS.iter().find(|(known, _)| *known == name)).unwrap().1
    };
    let functions: String = PARTS[5..]
        .iter()
        .filter(|(name, _)| part(name) != "-")
        .map(|(name, _)| format!("(func (export \"{name}\") {})\n", part(name)))
        .collect();
    let text = format!(
        "(module {} {} (data (i32.const 1024) \"{}\") (data (i32.const 2048) \"{}\")
         (func $copy (param i32 i32) (local i32)
           (loop $next
             (i64.store (i32.add (local.get 0) (local.get 2)) (i64.load (i32.add (local.get 1) (local.get 2))))
             (local.set 2 (i32.add (local.get 2) (i32.const 8)))
             (br_if $next (i32.lt_u (local.get 2) (i32.const 32)))))
         {functions} {})",
        part("imports"),
        part("memory"),
        part("prime"),
        part("one"),
        part("more"),
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn limits() -> WitnessLimits {
    WitnessLimits { fuel_max: 100_000_000, memory_bytes_max: 1 << 20, time_max: Duration::from_secs(60) }
}

fn run_within(changes: &[(&str, &str)], limits: &WitnessLimits, control: &Control) -> Result<Witness, WitnessError> {
    WitnessProgram::compile(&wasm(changes))?.calculate(br#"{"x": 3141592}"#, limits, control)
}

fn run(changes: &[(&str, &str)]) -> Result<Witness, WitnessError> {
    run_within(changes, &limits(), &Control::default())
}

#[track_caller]
fn refused_as_program(changes: &[(&str, &str)], expected: &str) {
    match run(changes) {
        Err(WitnessError::Program(message)) => assert!(message.contains(expected), "{message}"),
        other => panic!("{changes:?}: {other:?}"),
    }
}

#[track_caller]
fn limited(changes: &[(&str, &str)], expected: &str) {
    match run(changes) {
        Err(WitnessError::Limit(message)) => assert!(message.contains(expected), "{message}"),
        other => panic!("{changes:?}: {other:?}"),
    }
}

/// Otherwise the tests below show nothing.
#[test]
fn the_unchanged_program_works() {
    for (prime, curve) in [(BN254_BYTES, Curve::Bn254), (BLS12_381_BYTES, Curve::Bls12_381)] {
        let witness = run(&[("prime", prime)]).unwrap();
        assert_eq!(witness.curve(), curve);
        assert_eq!(witness.values(), [[1, 0, 0, 0], [3_141_592, 0, 0, 0]]);
    }
    // The first versions of circom 2 have neither of these.
    assert!(run(&[("getInputSignalSize", "-"), ("getMessageChar", "-")]).is_ok());
}

#[test]
fn loops_end() {
    const FOREVER: &str = "(loop (br 0))";
    limited(&[("init", "(param i32) (loop (br 0))")], "used up 100000000 units of fuel");
    limited(&[("getWitness", "(param i32) (loop (br 0))")], "fuel");
    limited(&[("getRawPrime", FOREVER)], "fuel");

    let patient = WitnessLimits { fuel_max: u64::MAX, ..limits() };
    let looping = [("init", "(param i32) (loop (br 0))")];
    let short = WitnessLimits { time_max: Duration::from_millis(50), ..patient };
    let expected = Err(WitnessError::Limit("it ran for more than 50ms".into()));
    assert_eq!(run_within(&looping, &short, &Control::default()).map(drop), expected);

    let deadline = Control::default().with_deadline(Some(Instant::now() + Duration::from_millis(100)));
    assert_eq!(run_within(&looping, &patient, &deadline).map(drop), Err(WitnessError::Stopped(Stop::Expired)));
}

#[test]
fn cancelling_ends_a_loop_at_once() {
    let program = WitnessProgram::compile(&wasm(&[("init", "(param i32) (loop (br 0))")])).unwrap();
    let patient = WitnessLimits { fuel_max: u64::MAX, ..limits() };
    let control = Control::default();
    thread::scope(|scope| {
        let call = scope.spawn(|| program.calculate(b"{\"x\": 1}", &patient, &control).map(drop));
        thread::sleep(Duration::from_millis(100));
        assert!(!call.is_finished());
        let cancelled = Instant::now();
        control.cancel();
        assert_eq!(call.join().unwrap(), Err(WitnessError::Stopped(Stop::Cancelled)));
        // A tick is 10 ms; the rest is for a busy machine.
        assert!(cancelled.elapsed() < Duration::from_secs(2));
    });
}

#[test]
fn memory_and_stack_are_bounded() {
    let grow = "(param i32) (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))";
    limited(&[("init", grow)], "more than 1048576 bytes of memory");
    limited(&[("memory", r#"(memory (export "memory") 17)"#)], "more than 1048576 bytes of memory");
    limited(&[("memory", r#"(memory (export "memory") 65536)"#)], "memory");
    limited(
        &[("init", "(param i32) local.get 0 call $deep"), ("more", "(func $deep (param i32) local.get 0 call $deep)")],
        "bytes of stack",
    );
    refused_as_program(&[("more", "(table 1048577 funcref)")], "function table");
    // Its own maximum is no error of the sandbox: memory.grow answers −1.
    assert!(run(&[("init", grow), ("memory", r#"(memory (export "memory") 1 2)"#)]).is_ok());
}

#[test]
fn a_program_reaches_nothing_outside() {
    for (module, name) in [
        ("wasi_snapshot_preview1", "fd_write"),
        ("env", "exceptionHandler"),
        ("runtime", "system"),
        ("", ""),
        ("runtime", "exceptionHandler2"),
    ] {
        let import = format!("(import \"{module}\" \"{name}\" (func (param i32)))");
        refused_as_program(&[("imports", &import)], &format!("it imports \"{module}.{name}\""));
    }
    refused_as_program(&[("imports", r#"(import "runtime" "log" (global i32))"#)], "it imports \"runtime.log\"");
    refused_as_program(&[("imports", r#"(import "runtime" "log" (func (param i64)))"#)], "other parameters");
    refused_as_program(
        &[("imports", r#"(import "runtime" "log" (func (param i32) (result i32)))"#)],
        "other parameters",
    );
    let memory = [("imports", r#"(import "env" "memory" (memory 1))"#), ("memory", r#"(export "memory" (memory 0))"#)];
    refused_as_program(&memory, "it imports \"env.memory\"");
}

#[test]
fn all_known_imports_are_there() {
    let parameters = |name| match name {
        "error" => "(param i32 i32 i32 i32 i32 i32)",
        "logGetSignal" | "logSetSignal" => "(param i32 i32)",
        "printErrorMessage" | "writeBufferMessage" | "showSharedRWMemory" => "",
        _ => "(param i32)",
    };
    let imports: String = crate::screening::IMPORTS
        .iter()
        .map(|(name, _)| format!("(import \"runtime\" \"{name}\" (func {}))\n", parameters(*name)))
        .collect();
    assert!(run(&[("imports", &imports)]).is_ok());
}

#[test]
fn what_is_missing_is_named() {
    for (name, _) in &PARTS[5..] {
        if !["getInputSignalSize", "getMessageChar"].contains(name) {
            refused_as_program(&[(name, "-")], &format!("it exports no function {name}"));
        }
        let other = [(*name, "(param i64) (result i64) local.get 0")];
        refused_as_program(&other, &format!("its function {name} has other parameters"));
    }
    refused_as_program(&[("memory", "(memory 1)")], "it exports no memory");
    refused_as_program(
        &[("getVersion", "-"), ("more", r#"(global (export "getVersion") i32 (i32.const 2))"#)],
        "getVersion",
    );
    refused_as_program(&[("more", "(func $start) (start $start)")], "start function");
    refused_as_program(&[("more", "(func $start (loop (br 0))) (start $start)")], "start function");
}

#[test]
fn what_is_not_webassembly_1_is_refused() {
    let honest = wasm(&[]);
    // Without the names at its end it is whole.
    let names = honest.windows(5).position(|bytes| bytes == b"\x04name").unwrap();
    for end in (0..names - 3).step_by(3) {
        assert!(matches!(WitnessProgram::compile(&honest[..end]), Err(WitnessError::Program(_))), "{end} bytes");
        assert!(check(&honest[..end]).is_err());
    }
    // A component without anything in it.
    let refused = check(b"\0asm\x0d\0\x01\0").unwrap_err();
    assert!(refused.starts_with("not valid WebAssembly 1.0"), "{refused}");
    for text in [
        "(module (memory 1 1 shared))",
        "(module (memory i64 1))",
        "(module (memory 1) (memory 1))",
        "(module (func (drop (v128.const i64x2 0 0))))",
        "(module (func (result i32 i32) i32.const 0 i32.const 0))",
        "(module (func $f return_call $f))",
        "(module (table 1 externref))",
    ] {
        let refused = check(&wat::parse_str(text).unwrap()).unwrap_err();
        assert!(refused.starts_with("not valid WebAssembly 1.0"), "{text}: {refused}");
    }
    assert!(check(b"{}").unwrap_err().starts_with("not WebAssembly: give the .wasm"));
    check(&honest).unwrap();
    check(MERKLE).unwrap();
}

#[test]
fn other_fields_and_versions_are_refused() {
    refused_as_program(&[("prime", r"\07")], "neither BN254 nor BLS12-381");
    refused_as_program(&[("getFieldNumLen32", "(result i32) i32.const 12")], "neither BN254 nor BLS12-381");
    refused_as_program(&[("getVersion", "(result i32) i32.const 1")], "it is of circom 1, not 2");
}

#[test]
fn witnesses_that_are_none_are_refused() {
    refused_as_program(&[("getWitnessSize", "(result i32) i32.const -1")], "4294967295 wires");
    refused_as_program(&[("getWitnessSize", "(result i32) i32.const 0")], "wire 0");
    refused_as_program(&[("one", r"\02")], "wire 0 is not the constant 1");
    refused_as_program(
        &[("setInputSignal", "(param i32 i32 i32) i32.const 2080 i32.const 1024 call $copy")],
        "wire 1 is not below",
    );
}

#[test]
fn traps_are_named() {
    refused_as_program(&[("getWitness", "(param i32) unreachable")], "it failed: wasm trap: wasm `unreachable`");
    refused_as_program(&[("getWitness", "(param i32) (i32.store (i32.const -4) (i32.const 0))")], "out of bounds");
    refused_as_program(&[("init", "(param i32) (drop (i32.div_u (i32.const 1) (i32.const 0)))")], "divide by zero");
    refused_as_program(&[("getRawPrime", "unreachable")], "unreachable");
    refused_as_program(&[("more", r#"(data (i32.const 65535) "\00\00")"#)], "out of bounds");
}

#[test]
fn lies_about_inputs_end_in_errors() {
    let inputs = |changes: &[(&str, &str)]| match run(changes) {
        Err(WitnessError::Inputs(message)) => message,
        other => panic!("{changes:?}: {other:?}"),
    };
    assert!(inputs(&[("getInputSize", "(result i32) i32.const -1")]).contains("takes 4294967295 values in all, and 1"));
    assert!(inputs(&[("getInputSize", "(result i32) i32.const 0")]).contains("more values than the circuit takes"));
    let size = ("getInputSignalSize", "(param i32 i32) (result i32) i32.const 0x7fffffff");
    assert!(inputs(&[size]).contains("\"x\": the circuit takes 2147483647 values, and 1"));
}

#[test]
fn exceptions_say_whose_fault_they_are() {
    for (code, is_limit, expected) in [
        (1, false, "input signal \"x\": the circuit has no such input"),
        (2, false, "more signals"),
        (3, false, "twice"),
        (4, false, "an assertion of the circuit fails"),
        (5, true, "memory"),
        (6, false, "more values"),
    ] {
        let body = format!("(param i32 i32 i32) i32.const {code} call $exception");
        let import = r#"(import "runtime" "exceptionHandler" (func $exception (param i32)))"#;
        match run(&[("imports", import), ("setInputSignal", &body)]).unwrap_err() {
            WitnessError::Inputs(message) if !is_limit => assert!(message.contains(expected), "{message}"),
            WitnessError::Limit(message) if is_limit => assert!(message.contains(expected), "{message}"),
            other => panic!("exception {code}: {other:?}"),
        }
    }
    let import = r#"(import "runtime" "exceptionHandler" (func $exception (param i32)))"#;
    refused_as_program(&[("imports", import), ("init", "(param i32) i32.const -7 call $exception")], "exception -7");
}

/// A program prints a value as its error message, then one that never ends, then from within the printing.
#[test]
fn messages_of_a_program_are_not_believed() {
    let imports = r#"(import "runtime" "exceptionHandler" (func $exception (param i32)))
                     (import "runtime" "printErrorMessage" (func $print))"#;
    let fail = ("init", "(param i32) call $print i32.const 4 call $exception");
    let expected = Err(WitnessError::Inputs("an assertion of the circuit fails".into()));
    for character in ["(result i32) i32.const 51", "(result i32) i32.const -1", "(result i32) i32.const 0x1F600"] {
        assert_eq!(run(&[("imports", imports), fail, ("getMessageChar", character)]).map(drop), expected);
    }
    let nested = ("getMessageChar", "(result i32) call $print i32.const 0");
    refused_as_program(&[("imports", imports), fail, nested], "while it prints one");
}
