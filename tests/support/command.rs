//! The command line as scripts see it: arguments in; exit status, standard output and standard error out.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_outrigger");

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Standard output as JSON, of a command that went well.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 0, "{}", self.stderr);
        self.json_whatever_the_status()
    }

    /// Standard output as JSON: one line, and nothing beside it.
    #[track_caller]
    pub(crate) fn json_whatever_the_status(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "one line of JSON: {}{}", self.stdout, self.stderr);
        serde_json::from_str(&self.stdout).expect("JSON on standard output")
    }
}

/// What PoCL adds to the options of each program that it builds.
const POCL_FLAGS: &str = "POCL_EXTRA_BUILD_FLAGS";

/// The program with an environment that says nothing to it; what it keeps by itself, it keeps in the build folder.
pub(crate) fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    for (name, folder) in [("XDG_CACHE_HOME", "cache"), ("XDG_STATE_HOME", "state")] {
        command.env(name, Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder));
    }
    command.env_remove("STATE_DIRECTORY").env_remove("CREDENTIALS_DIRECTORY");
    if std::env::var_os(POCL_FLAGS).is_none() {
        // PoCL compiles all kernels in a minute then, and in ten without.
        command.env(POCL_FLAGS, "-cl-opt-disable");
    }
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OUTRIGGER_")) {
        command.env_remove(name);
    }
    // Cargo names the folders of all libraries that it has built there, the double of the CUDA driver's too, and a sidecar
    // that the program starts by itself would take that for a GPU.
    command.env_remove("LD_LIBRARY_PATH");
    // No GPU of this machine: `support::cuda` says otherwise where one is wanted.
    command.env("OUTRIGGER_ENGINES__CUDA", "off").env("OUTRIGGER_DEVICES__CUDA_WORKER", "/nowhere/outrigger-cuda");
    command
}

/// Runs the program with `input` on its standard input.
pub(crate) fn outrigger(arguments: &[&str], input: &str) -> Ran {
    run(program().args(arguments), input)
}

/// Runs a command with `input` on its standard input.
pub(crate) fn run(command: &mut Command, input: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    // A program that refuses its arguments reads nothing: that its end of the pipe is closed is no failure.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let status = output.status.code().expect("an exit status, not a signal");
    Ran { status, stdout: text(output.stdout), stderr: text(output.stderr) }
}
