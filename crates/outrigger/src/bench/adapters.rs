//! Peers that are not crates: executables that speak a line protocol, so that product and peer alternate in one
//! run. The protocol stands in `benches/peers/README.md`.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use outrigger_types::Ruleset;
use serde::Deserialize;
use serde_json::json;

use crate::cli::Failure;
use crate::workload::Signed;

/// What an adapter says of itself.
#[derive(Deserialize)]
struct Hello {
    name: String,
    version: String,
    rulesets: Vec<String>,
}

/// What it answers to a command.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    valid: usize,
}

/// All adapters of a folder.
pub(super) struct Adapters {
    programs: Vec<PathBuf>,
}

impl Adapters {
    /// The executables of a folder that verify; none without one.
    pub(super) fn find(folder: Option<&Path>) -> Result<Self, Failure> {
        Ok(Self { programs: programs(folder, false)? })
    }

    /// Those that know a ruleset, loaded with these items.
    pub(super) fn for_ruleset(
        &mut self,
        ruleset: Ruleset,
        items: &[Signed],
        threads: usize,
    ) -> Result<Vec<Adapter>, Failure> {
        let mut ready = Vec::new();
        for program in &self.programs {
            let mut adapter = Adapter::start(program)?;
            if adapter.hello.rulesets.iter().any(|name| name == ruleset.name()) {
                adapter.load(ruleset, items, threads)?;
                ready.push(adapter);
            }
        }
        Ok(ready)
    }
}

/// What the names of adapters that prove begin with: they speak another protocol.
const PROVERS: &str = "prove-";

/// The adapters of a folder in the order of their names: those that prove, or those that verify.
pub(super) fn programs(folder: Option<&Path>, prove: bool) -> Result<Vec<PathBuf>, Failure> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let entries = std::fs::read_dir(folder)
        .map_err(|error| Failure::input(format_args!("--peers {}: {error}", folder.display())))?;
    let is_program = |path: &PathBuf| {
        use std::os::unix::fs::PermissionsExt;
        path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    };
    let mut programs: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_program).collect();
    if programs.is_empty() {
        return Err(Failure::input(format_args!("--peers {}: no executable in it", folder.display())));
    }
    let proves = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PROVERS));
    programs.retain(|path| proves(path) == prove);
    programs.sort();
    Ok(programs)
}

/// One running adapter; killed when dropped.
pub(super) struct Adapter {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    hello: Hello,
    items: usize,
}

impl Adapter {
    fn start(program: &Path) -> Result<Self, Failure> {
        let fail = |what: &dyn std::fmt::Display| Failure::work(format_args!("peer {}: {what}", program.display()));
        let mut child =
            Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|error| fail(&error))?;
        let input = child.stdin.take().expect("a piped stdin");
        let mut output = BufReader::new(child.stdout.take().expect("a piped stdout"));
        let mut line = String::new();
        output.read_line(&mut line).map_err(|error| fail(&error))?;
        let hello = serde_json::from_str(&line).map_err(|error| fail(&format!("its first line: {error}")))?;
        Ok(Self { child, input, output, hello, items: 0 })
    }

    fn load(&mut self, ruleset: Ruleset, items: &[Signed], threads: usize) -> Result<(), Failure> {
        let list: Vec<_> = items
            .iter()
            .map(|item| {
                let (key, signature, message) = (&item.key, &item.signature, &item.message);
                json!({"public_key": hex::encode(key), "signature": hex::encode(signature), "message": hex::encode(message)})
            })
            .collect();
        self.items = items.len();
        self.ask(&json!({"command": "load", "ruleset": ruleset.name(), "threads": threads, "items": list}))?;
        Ok(())
    }

    /// Verifies what was loaded, once.
    pub(super) fn run(&mut self) -> Result<(), Failure> {
        let valid = self.ask(&json!({"command": "run"}))?.valid;
        if valid == self.items {
            return Ok(());
        }
        Err(Failure::work(format_args!("peer {}: {valid} of {} good signatures accepted", self.hello.name, self.items)))
    }

    /// Its name.
    pub(super) fn name(&self) -> String {
        self.hello.name.clone()
    }

    /// Its version.
    pub(super) fn version(&self) -> String {
        self.hello.version.clone()
    }

    fn ask(&mut self, command: &serde_json::Value) -> Result<Answer, Failure> {
        let name = self.hello.name.clone();
        let fail = move |what: &dyn std::fmt::Display| Failure::work(format_args!("peer {name}: {what}"));
        writeln!(self.input, "{command}").and_then(|()| self.input.flush()).map_err(|error| fail(&error))?;
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| fail(&error))?;
        let answer: Answer = serde_json::from_str(&line).map_err(|error| fail(&error))?;
        match answer.error {
            Some(error) => Err(fail(&error)),
            None => Ok(answer),
        }
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
