use std::collections::{HashMap, HashSet};

use super::assembly::{AssemblyError, assemble};
use super::declarations::{code, next_word, read, without_comments};
use super::{INCLUDED, Included, Kernel, Parameter, Program, Word, programs};

mod constants;
mod constants_25519;
mod curves;
mod primes;

/// Bytes of constant tables that every OpenCL device has room for, with a margin for what compilers add.
const CONSTANT_BYTES_MAX: usize = 32 << 10;

/// Files that may say what the others may not.
const OF_LANGUAGES: [&str; 3] = ["dialect/platform.h", "dialect/int.h", "dialect/memory.h"];

/// All files: names as in this folder, and texts.
fn files() -> impl Iterator<Item = (String, &'static str)> {
    let programs = programs().iter().map(|program| (format!("{}.cl", program.name), program.text));
    programs.chain(INCLUDED.iter().map(|file| (file.name.to_owned(), file.text)))
}

/// The words of a text, without those in comments.
fn words(text: &str) -> Vec<String> {
    let text = without_comments(text);
    let mut rest = text.as_str();
    let mut words = Vec::new();
    while let Some((at, word)) = next_word(rest) {
        words.push(word.to_owned());
        rest = &rest[at + word.len()..];
    }
    words
}

#[test]
fn every_program_assembles_and_declares() {
    let mut seen = HashMap::new();
    for program in programs() {
        let source = program.source();
        let has_include = |line: &str| line.trim_start().starts_with('#') && line.contains("include \"");
        assert!(!without_comments(&source).lines().any(has_include), "{}.cl has an include left", program.name);
        let kernels = program.kernels();
        assert!(!kernels.is_empty(), "{}.cl declares no kernel", program.name);
        for kernel in kernels {
            assert!(!kernel.parameters.is_empty());
            let other = seen.insert(kernel.name.clone(), program.name);
            assert_eq!(other, None, "{}.cl has a kernel {} of another program", program.name, kernel.name);
        }
        assert_eq!(Program::find(program.name).expect("it is there").text, program.text);
    }
}

/// Results carry tags, which need the nonce, which comes last.
#[test]
fn nonces_come_last() {
    for program in programs() {
        for declaration in code(&program.source()).split("KERNEL").skip(1) {
            let arguments = declaration.split('{').next().expect("a declaration");
            if arguments.contains("results") {
                let words = words(arguments);
                let last: Vec<_> = words[words.len() - 4..].iter().map(String::as_str).collect();
                assert_eq!(last, ["u32", "nonce_low", "u32", "nonce_high"], "{}.cl:{arguments}", program.name);
            }
        }
    }
}

/// A header may come twice into a program; a piece of text is meant to.
#[test]
fn headers_have_guards_and_pieces_have_none() {
    let mut guards = HashSet::new();
    for file in INCLUDED {
        let text = without_comments(file.text);
        let directives: Vec<&str> = text.lines().map(str::trim).filter(|line| line.starts_with('#')).collect();
        let guard = directives.first().and_then(|line| line.strip_prefix("#ifndef "));
        let defined = directives.get(1).and_then(|line| line.strip_prefix("#define "));
        let is_guarded = guard.is_some() && guard == defined;
        if file.name.ends_with(".h") {
            assert!(is_guarded, "{} has no guard", file.name);
            assert!(guards.insert(guard.map(str::to_owned)), "{} has the guard of another header", file.name);
            assert_eq!(
                text.lines().rev().map(str::trim).find(|line| !line.is_empty()),
                Some("#endif"),
                "{}",
                file.name
            );
        } else {
            assert!(!is_guarded, "{} has a guard, but is included more than once", file.name);
        }
    }
}

#[test]
fn only_the_dialect_knows_languages() {
    let forbidden = ["long", "size_t", "__int128", "printf", "goto", "double", "float"];
    // Good names in C that OpenCL C or C++ keep for themselves.
    let kept = "half quad complex imaginary pipe kernel global local constant private bool class template this new \
        delete operator typename namespace public using virtual try catch throw and or not xor export mutable";
    let bases = ["char", "uchar", "short", "ushort", "int", "uint", "long", "ulong", "half", "float", "double"];
    let vectors: HashSet<String> =
        bases.iter().flat_map(|base| [2, 3, 4, 8, 16].map(|lanes| format!("{base}{lanes}"))).collect();
    let languages = ["__OPENCL_VERSION__", "__OPENCL_C_VERSION__", "__CUDACC__", "__CUDA_ARCH__", "KERNEL_HOST", "asm"];
    for (name, text) in files().filter(|(name, _)| !OF_LANGUAGES.contains(&name.as_str())) {
        for word in words(text) {
            assert!(!forbidden.contains(&word.as_str()) && !vectors.contains(&word), "{name} has the word {word}");
            assert!(!kept.split(' ').any(|kept| kept == word), "{name} has the word {word}, kept by a language");
            let of_language = languages.contains(&word.as_str()) && !name.starts_with("dialect/");
            assert!(!of_language, "{name} has the word {word}, which belongs into dialect/");
        }
    }
}

/// Bytes of the constant tables of a program: `CONSTANT_TABLE word NAME[length]…`, lengths being numbers.
fn constant_bytes(source: &str) -> Result<usize, String> {
    let code = code(source);
    let mut total = 0;
    for table in code.split("CONSTANT_TABLE").skip(1) {
        let declaration = table.split(['=', ';']).next().expect("a piece");
        let parts: Vec<&str> = declaration.split(['[', ']']).map(str::trim).filter(|part| !part.is_empty()).collect();
        let word = words(parts[0]).into_iter().find(|word| word != "const");
        let mut bytes = match word.as_deref() {
            Some("u8") => 1,
            Some("u16") => 2,
            Some("u32") => 4,
            Some("u64") => 8,
            _ => return Err(format!("a table of u8, u16, u32 or u64:{declaration}")),
        };
        for length in &parts[1..] {
            let length: usize = length.parse().map_err(|_| format!("lengths in plain numbers:{declaration}"))?;
            bytes *= length;
        }
        total += bytes;
    }
    Ok(total)
}

#[test]
fn constant_tables_are_small() {
    for program in programs() {
        let bytes = constant_bytes(&program.source()).unwrap_or_else(|error| panic!("{}.cl: {error}", program.name));
        assert!(bytes <= CONSTANT_BYTES_MAX, "{}.cl has {bytes} bytes of constant tables", program.name);
    }
    let source = "#define CONSTANT_TABLE\nCONSTANT_TABLE u32 A[64] = {1};\nCONSTANT_TABLE u8 B[2][3] = {{1}};";
    assert_eq!(constant_bytes(source), Ok(256 + 6));
    assert!(constant_bytes("CONSTANT_TABLE u32 A[N];").is_err());
    assert!(constant_bytes("CONSTANT_TABLE struct point A[2];").is_err());
}

#[test]
fn texts_are_plain_and_open_with_their_purpose() {
    for (name, text) in files() {
        assert!(text.starts_with("/* "), "{name} opens with no comment");
        assert!(text.is_ascii(), "{name}: not every OpenCL compiler reads more than ASCII");
        assert!(text.ends_with('\n') && !text.contains('\t') && !text.contains('\r'), "{name}: plain lines");
    }
}

const FILES: [Included; 6] = [
    Included { name: "dialect/a.h", text: "A\n#include \"b.h\"\n" },
    Included { name: "dialect/b.h", text: "B" },
    Included { name: "fields/b.inc", text: "field" },
    Included { name: "hashes/b.inc", text: "hash" },
    Included { name: "hashes/self.inc", text: "#include \"back.inc\"" },
    Included { name: "hashes/back.inc", text: "#include \"self.inc\"" },
];

#[test]
fn includes_are_put_in() {
    let text = "1\n#include \"a.h\"\n  # include \"fields/b.inc\"\n#include <stdint.h>\n#include \"b.h\"\n2";
    assert_eq!(assemble(text, &FILES).expect("a text"), "1\nA\nB\nfield\n#include <stdint.h>\nB\n2\n");
    let error = |text| assemble(text, &FILES).expect_err("no text");
    assert_eq!(error("#include \"b.inc\""), AssemblyError::Ambiguous("b.inc".into()));
    assert_eq!(error("#include \"c.h\""), AssemblyError::Missing("c.h".into()));
    assert_eq!(error("#include FIELD"), AssemblyError::Unreadable("#include FIELD".into()));
    assert_eq!(error("#include \"self.inc\""), AssemblyError::Circle("hashes/self.inc".into()));
}

#[test]
fn declarations_are_read() {
    let source = "#define KERNEL __kernel\n#define KERNEL_COOPERATIVE \\\n KERNEL void no(\n\
        /* KERNEL void no(u32 a) { */ // KERNEL void no(u32 a) {\n\
        KERNEL void first(const GLOBAL u8 *bytes, GLOBAL u32 * results,\n    GLOBAL const u64 *more /* why */, u32 count) {\n}\n\
        static void helper(u32 a) { }\n\
        KERNEL_COOPERATIVE void second(u32 count) { }";
    let first =
        vec![Parameter::Input(Word::U8), Parameter::Output(Word::U32), Parameter::Input(Word::U64), Parameter::Number];
    let second = vec![Parameter::Number];
    let expected = [("first", false, first), ("second", true, second)].map(|(name, cooperative, parameters)| Kernel {
        name: name.into(),
        cooperative,
        parameters,
    });
    assert_eq!(read(source).expect("two kernels"), expected);
}

#[test]
fn other_declarations_are_refused() {
    for source in [
        "KERNEL void a(u32 count);",
        "KERNEL void a(u64 count) { }",
        "KERNEL void a(GLOBAL u16 *halves) { }",
        "KERNEL void a(GLOBAL u32 words[4]) { }",
        "KERNEL void a(const u32 *words) { }",
        "KERNEL void a() { }",
        "KERNEL u32 a(u32 count) { }",
        "KERNEL void NAME(a)(u32 count) { }",
        "KERNEL void",
    ] {
        assert!(read(source).is_err(), "{source}");
    }
}
