//! Compiles every program of `kernels/` with the host's C compiler, and writes the table of their kernels.
//!
//! Each program is a library of its own, compiled again only when its text or the flags changed.
//! `OUTRIGGER_KERNEL_SANITIZERS=1` compiles with AddressSanitizer and UndefinedBehaviorSanitizer.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use outrigger_kernels::{Kernel, Parameter, Program, Word, programs};

const SANITIZERS: &str = "OUTRIGGER_KERNEL_SANITIZERS";

/// Undefined behaviour ends the process too: a message alone would pass for a test that went well.
const SANITIZER_FLAGS: [&str; 4] =
    ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g1"];

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("OUT_DIR, set by cargo"));
    let kernels = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernels");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/host.c");
    println!("cargo::rerun-if-changed={}", kernels.display());
    println!("cargo::rerun-if-env-changed={SANITIZERS}");
    let sanitizers = env::var(SANITIZERS).is_ok_and(|value| value == "1");

    let host = fs::read_to_string("src/host.c").expect("src/host.c");
    compile(&out, "outrigger_host", &host, &kernels.join("dialect"), sanitizers);
    for program in programs() {
        compile(&out, &format!("outrigger_host_{}", program.name), &host_source(program), &out, sanitizers);
    }
    println!("cargo::metadata=libraries={}", out.display());
    println!("cargo::metadata=sanitizers={sanitizers}");
    println!("cargo::rustc-check-cfg=cfg(kernel_sanitizers)");
    println!("cargo::rustc-check-cfg=cfg(host_fibers)");
    if !sanitizers && env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|processor| processor == "x86_64") {
        println!("cargo::rustc-cfg=host_fibers");
    }
    if sanitizers {
        println!("cargo::rustc-cfg=kernel_sanitizers");
        println!("cargo::rustc-link-lib=asan");
        println!("cargo::rustc-link-lib=ubsan");
    }
    fs::write(out.join("kernels.rs"), table()).expect("the table of kernels is written");
}

/// Compiles one C file into a library, unless the one of an earlier run is from the same text and flags.
fn compile(out: &Path, name: &str, source: &str, include: &Path, sanitizers: bool) {
    let file = out.join(format!("{name}.c"));
    let stamp = out.join(format!("{name}.stamp"));
    let version = format!("sanitizers {sanitizers}, {:?}\n{source}", env::var_os("CC"));
    let unchanged = fs::read_to_string(&stamp).is_ok_and(|before| before == version);
    if unchanged && out.join(format!("lib{name}.a")).exists() {
        println!("cargo::rustc-link-lib=static={name}");
        println!("cargo::rustc-link-search=native={}", out.display());
        return;
    }
    fs::write(&file, source).expect("a C file is written");
    let mut build = cc::Build::new();
    build.file(&file).include(include).std("c11").opt_level(2).warnings(true).extra_warnings(true).pic(true);
    if sanitizers {
        for flag in SANITIZER_FLAGS {
            build.flag(flag);
        }
        // They watch the stacks of threads, and know none of fibers.
        build.define("HOST_THREADS", None);
    }
    build.compile(name);
    fs::write(&stamp, version).expect("a stamp is written");
}

/// The program, its kernels under names that meet no other symbol, and a wrapper for each that takes its arguments as
/// pointers: of a buffer the address of its bytes, of a number where it lies.
fn host_source(program: &Program) -> String {
    let mut text = String::from("#define KERNEL_HOST\n");
    for kernel in program.kernels() {
        writeln!(text, "#define {0} outrigger_kernel_{0}", kernel.name).expect("a line");
    }
    writeln!(text, "#line 1 \"{}.cl\"", program.name).expect("a line");
    text.push_str(&program.source());
    for kernel in program.kernels() {
        text.push_str(&wrapper(kernel));
    }
    text
}

fn wrapper(kernel: &Kernel) -> String {
    let name = format!("outrigger_host_{}", kernel.name);
    let arguments: Vec<String> = kernel
        .parameters
        .iter()
        .enumerate()
        .map(|(place, parameter)| match parameter {
            Parameter::Input(word) => format!("(const {} *)arguments[{place}]", c_type(*word)),
            Parameter::Output(word) => format!("({} *)arguments[{place}]", c_type(*word)),
            Parameter::Number => format!("*(const u32 *)arguments[{place}]"),
        })
        .collect();
    let declaration = format!("void {name}(void *const *arguments)");
    format!(
        "\n{declaration};\n{declaration} {{\n    (void)arguments;\n    {}({});\n}}\n",
        kernel.name,
        arguments.join(", ")
    )
}

const fn c_type(word: Word) -> &'static str {
    match word {
        Word::U8 => "u8",
        Word::U32 => "u32",
        Word::U64 => "u64",
    }
}

/// Rust text: the wrappers' declarations, and a list of name and wrapper.
fn table() -> String {
    let names: Vec<String> =
        programs().iter().flat_map(|program| program.kernels()).map(|kernel| kernel.name.to_string()).collect();
    let mut text = String::from("unsafe extern \"C\" {\n");
    for name in &names {
        writeln!(text, "    fn outrigger_host_{name}(arguments: *const *mut std::ffi::c_void);").expect("a line");
    }
    text.push_str("}\n\npub(crate) static KERNELS: &[(&str, Entry)] = &[\n");
    for name in &names {
        writeln!(text, "    (\"{name}\", outrigger_host_{name}),").expect("a line");
    }
    text.push_str("];\n");
    text
}
