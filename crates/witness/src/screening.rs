//! What a program must be before anything of it is compiled or run.

use std::collections::{HashMap, HashSet};

use wasmparser::{ExternalKind, FuncType, Parser, Payload, TypeRef, ValType, Validator, WasmFeatures};

/// The greatest program, in bytes. Those of 10^4 to 10^5 constraints have 0.1 to 2 MB.
pub(crate) const PROGRAM_BYTES_MAX: usize = 128 << 20;

/// Entries of its function table; circom's has a few for each template instance.
pub(crate) const TABLE_ENTRIES_MAX: usize = 1 << 20;

/// The module that circom's programs import from.
pub(crate) const IMPORT_MODULE: &str = "runtime";

const I32: ValType = ValType::I32;

/// What a program may import, with the parameters; nothing is returned. The first four since circom 2.0.7, the rest
/// before.
pub(crate) const IMPORTS: [(&str, &[ValType]); 11] = [
    ("exceptionHandler", &[I32]),
    ("printErrorMessage", &[]),
    ("writeBufferMessage", &[]),
    ("showSharedRWMemory", &[]),
    ("printDebug", &[I32]),
    ("error", &[I32; 6]),
    ("log", &[I32]),
    ("logGetSignal", &[I32; 2]),
    ("logSetSignal", &[I32; 2]),
    ("logStartComponent", &[I32]),
    ("logFinishComponent", &[I32]),
];

/// What it must export: functions with their parameters and results.
const EXPORTS: [(&str, &[ValType], &[ValType]); 10] = [
    ("getVersion", &[], &[I32]),
    ("getFieldNumLen32", &[], &[I32]),
    ("getRawPrime", &[], &[]),
    ("getInputSize", &[], &[I32]),
    ("getWitnessSize", &[], &[I32]),
    ("init", &[I32], &[]),
    ("writeSharedRWMemory", &[I32; 2], &[]),
    ("setInputSignal", &[I32; 3], &[]),
    ("getWitness", &[I32], &[]),
    ("readSharedRWMemory", &[I32], &[I32]),
];

/// What it may export.
const OPTIONAL_EXPORTS: [(&str, &[ValType], &[ValType]); 2] =
    [("getInputSignalSize", &[I32; 2], &[I32]), ("getMessageChar", &[], &[I32])];

/// What screening learns of a program.
#[derive(Debug, Default)]
pub(crate) struct Screened {
    /// The places that its error messages name, "Error in template Name_0", as they stand in its constant data. Only
    /// these are shown, so that no error shows a value.
    pub(crate) places: HashSet<String>,
}

/// Validates a program and looks at its imports, exports and sizes.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn screen(wasm: &[u8]) -> Result<Screened, String> {
    if wasm.len() > PROGRAM_BYTES_MAX {
        return Err(format!("{} bytes are more than {PROGRAM_BYTES_MAX}", wasm.len()));
    }
    if !wasm.starts_with(b"\0asm") {
        return Err("not WebAssembly: give the .wasm that circom writes with --wasm".into());
    }
    // WebAssembly 1.0 is all that circom needs.
    let not_valid = |error: wasmparser::BinaryReaderError| {
        format!("not valid WebAssembly 1.0: {} (at byte {})", error.message(), error.offset())
    };
    Validator::new_with_features(WasmFeatures::WASM1).validate_all(wasm).map_err(not_valid)?;
    let mut outline = Outline::default();
    let mut screened = Screened::default();
    for payload in Parser::new(0).parse_all(wasm) {
        outline.take(payload.map_err(not_valid)?, &mut screened).map_err(not_valid)??;
    }
    outline.check_exports()?;
    Ok(screened)
}

/// The parts of a module that screening looks at.
#[derive(Default)]
struct Outline<'a> {
    types: Vec<FuncType>,
    /// The type of each function, imported ones first.
    functions: Vec<u32>,
    exports: HashMap<&'a str, (ExternalKind, u32)>,
}

impl<'a> Outline<'a> {
    /// Takes in a section. The outer error is that it cannot be read, the inner one that it is not allowed.
    fn take(
        &mut self,
        payload: Payload<'a>,
        screened: &mut Screened,
    ) -> Result<Result<(), String>, wasmparser::BinaryReaderError> {
        match payload {
            Payload::TypeSection(types) => {
                for function in types.into_iter_err_on_gc_types() {
                    self.types.push(function?);
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    if let Err(refused) = self.take_import(import.module, import.name, import.ty) {
                        return Ok(Err(refused));
                    }
                }
            }
            Payload::FunctionSection(functions) => {
                for function in functions {
                    self.functions.push(function?);
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    if table?.ty.initial > TABLE_ENTRIES_MAX as u64 {
                        return Ok(Err(format!("its function table has more than {TABLE_ENTRIES_MAX} entries")));
                    }
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    self.exports.insert(export.name, (export.kind, export.index));
                }
            }
            Payload::StartSection { .. } => {
                return Ok(Err("it has a start function; circom's programs have none".into()));
            }
            Payload::DataSection(data) => {
                for segment in data {
                    screened.places.extend(place(segment?.data));
                }
            }
            _ => {}
        }
        Ok(Ok(()))
    }

    fn take_import(&mut self, module: &str, name: &str, kind: TypeRef) -> Result<(), String> {
        let known = IMPORTS.iter().find(|(known, _)| module == IMPORT_MODULE && *known == name);
        let (Some((_, parameters)), TypeRef::Func(function)) = (known, kind) else {
            return Err(format!("it imports {:?}, which no program of circom 2 does", format!("{module}.{name}")));
        };
        self.functions.push(function);
        let function = &self.types[function as usize];
        if function.params() != *parameters || !function.results().is_empty() {
            return Err(format!("it imports {module}.{name} with other parameters than circom 2"));
        }
        Ok(())
    }

    fn check_exports(&self) -> Result<(), String> {
        for (name, parameters, results) in EXPORTS {
            match self.exported_function(name) {
                Some(function) if function.params() == parameters && function.results() == results => {}
                Some(_) => return Err(format!("its function {name} has other parameters than circom 2 gives it")),
                None => {
                    return Err(format!("it exports no function {name}: not a witness program of circom 2"));
                }
            }
        }
        for (name, parameters, results) in OPTIONAL_EXPORTS {
            if self.exported_function(name).is_some_and(|it| it.params() != parameters || it.results() != results) {
                return Err(format!("its function {name} has other parameters than circom 2 gives it"));
            }
        }
        match self.exports.get("memory") {
            Some((ExternalKind::Memory, _)) => Ok(()),
            _ => Err("it exports no memory: not a witness program of circom 2".into()),
        }
    }

    fn exported_function(&self, name: &str) -> Option<&FuncType> {
        match self.exports.get(name) {
            Some((ExternalKind::Func, index)) => {
                let function = self.functions.get(*index as usize)?;
                self.types.get(*function as usize)
            }
            _ => None,
        }
    }
}

/// The place that a data segment names, where it is the text of an error message.
fn place(data: &[u8]) -> Option<String> {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let text = str::from_utf8(&data[..end]).ok()?;
    let name = ["Error in template ", "Error in function "].iter().find_map(|start| text.strip_prefix(start))?;
    let is_identifier = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$');
    (is_identifier && name.len() <= 200).then(|| text.to_owned())
}
