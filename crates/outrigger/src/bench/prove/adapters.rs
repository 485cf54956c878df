//! Peers that prove: executables `prove-NAME KEY WTNS THREADS` that speak the second line protocol of
//! `benches/peers/README.md`.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use outrigger_groth16::Proof;
use outrigger_groth16::formats::json::read_proof;
use tempfile::TempDir;

use crate::cli::Failure;
use crate::items;

/// A running adapter; killed when dropped.
pub(super) struct Prover {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    name: String,
    version: String,
    first: First,
}

/// What an adapter says first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum First {
    /// The key is read and prepared, after so long; proofs come on request.
    Ready(Duration),
    /// It cannot keep a key: this long took the first proof from the key's file on, and so will each.
    Cold(Duration),
}

impl Prover {
    /// Starts an adapter and waits until it has said that it is ready.
    pub(super) fn start(program: &Path, key: &Path, wtns: &Path, threads: usize) -> Result<Self, Failure> {
        let file = program.file_name().unwrap_or_default().to_string_lossy();
        let name = file.trim_start_matches("prove-").to_owned();
        let fail = |what: &dyn Display| Failure::work(format_args!("peer {name}: {what}"));
        let mut child = Command::new(program)
            .args([key, wtns])
            .arg(threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| fail(&error))?;
        let input = child.stdin.take().expect("a piped stdin");
        let mut output = BufReader::new(child.stdout.take().expect("a piped stdout"));
        let mut line = String::new();
        output.read_line(&mut line).map_err(|error| fail(&error))?;
        let said = first(&line).ok_or_else(|| fail(&format!("its first line is {line:?}, not `ready MS`")));
        if said.is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let (first, version) = said?;
        Ok(Self { child, input, output, version, first, name })
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its version, where it says one.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Whether it can prove again and again with a key that it has read once.
    pub(super) const fn keeps_its_key(&self) -> bool {
        matches!(self.first, First::Ready(_))
    }

    /// One more proof: the time of it alone, by the adapter's own clock.
    pub(super) fn prove(&mut self) -> Result<Duration, Failure> {
        let line = self.ask("prove")?;
        let answer = line.trim().strip_prefix("cold ").unwrap_or(&line);
        milliseconds(answer).ok_or_else(|| self.fail(&format!("{line:?} is no time")))
    }

    /// The time from the key's file to the first proof.
    pub(super) fn cold(&mut self) -> Result<Duration, Failure> {
        match self.first {
            First::Ready(load) => Ok(load + self.prove()?),
            First::Cold(whole) => Ok(whole),
        }
    }

    /// Its last proof.
    pub(super) fn last_proof(&mut self) -> Result<Proof, Failure> {
        let folder = TempDir::new().map_err(Failure::work)?;
        let [proof, public]: [PathBuf; 2] = ["proof.json", "public.json"].map(|name| folder.path().join(name));
        let answer = self.ask(&format!("verify {} {}", proof.display(), public.display()))?;
        if answer.trim() != "ok" {
            return Err(self.fail(&format!("{answer:?}, not `ok`")));
        }
        read_proof(&items::read(&proof)?, &items::read(&public)?).map_err(|error| self.fail(&error))
    }

    fn ask(&mut self, command: &str) -> Result<String, Failure> {
        let mut line = String::new();
        let answered = writeln!(self.input, "{command}")
            .and_then(|()| self.input.flush())
            .and_then(|()| self.output.read_line(&mut line));
        match answered {
            Ok(0) => Err(self.fail(&"it ended; what it said stands above")),
            Ok(_) => Ok(line),
            Err(error) => Err(self.fail(&error)),
        }
    }

    fn fail(&self, what: &dyn Display) -> Failure {
        Failure::work(format_args!("peer {}: {what}", self.name))
    }
}

impl Drop for Prover {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first line: `ready MS` or `cold MS`, then the version where the adapter says one.
fn first(line: &str) -> Option<(First, String)> {
    let (kind, rest) = line.trim().split_once(' ')?;
    let (time, version) = rest.split_once(' ').unwrap_or((rest, ""));
    let time = milliseconds(time)?;
    let first = match kind {
        "ready" => First::Ready(time),
        "cold" => First::Cold(time),
        _ => return None,
    };
    Some((first, version.trim().to_owned()))
}

fn milliseconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.trim().parse::<f64>().ok()? / 1e3).ok()
}

#[cfg(test)]
mod tests;
