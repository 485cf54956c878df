//! The CUDA worker on the double of its driver: what a program must be told to find both, and the double's faults.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::command::PROGRAM;

/// Variables of the environment.
pub(crate) type Environment = Vec<(&'static str, OsString)>;

/// What lets a program drive so many doubles of a GPU.
pub(crate) fn doubles(count: usize) -> Environment {
    let folder = beside("cuda-double");
    assert!(folder.join("libcuda.so.1").exists(), "no double in {}: {BUILD}", folder.display());
    let mut environment = with_driver(&folder);
    environment.push(("CUDA_DOUBLE_DEVICES", count.to_string().into()));
    environment
}

/// What makes the loader find something that is no driver before any driver of this machine.
pub(crate) fn no_driver() -> Environment {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-driver");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("libcuda.so.1"), "").expect("an empty file");
    with_driver(&folder)
}

const BUILD: &str = "build it with cargo build -p outrigger-cuda in the profile of the tests; \
    cargo test --workspace does";

fn with_driver(folder: &Path) -> Environment {
    let worker = beside("outrigger-cuda");
    assert!(worker.exists(), "{} is not built: {BUILD}", worker.display());
    vec![
        ("OUTRIGGER_ENGINES__CUDA", "auto".into()),
        ("OUTRIGGER_DEVICES__CUDA_WORKER", worker.into()),
        ("LD_LIBRARY_PATH", folder.into()),
    ]
}

/// A file beside the program under test.
fn beside(name: &str) -> PathBuf {
    Path::new(PROGRAM).with_file_name(name)
}

/// The file of the double's faults, which `crates/device-cuda/double/driver.c` lists: they begin and end while the
/// processes run.
pub(crate) struct Faults {
    folder: TempDir,
}

impl Faults {
    /// None yet.
    pub(crate) fn none() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// The variable that names the file, for whoever is to have these faults.
    pub(crate) fn variable(&self) -> (&'static str, OsString) {
        ("CUDA_DOUBLE_FAULTS", self.file().into())
    }

    /// From now on there are these, a line each, and no others.
    pub(crate) fn begin(&self, lines: &str) {
        // Renamed into its place: nobody reads a part of it.
        let new = self.folder.path().join("new");
        std::fs::write(&new, lines).expect("a file");
        std::fs::rename(new, self.file()).expect("it takes its place");
    }

    /// From now on there are none.
    pub(crate) fn end(&self) {
        self.begin("");
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("faults")
    }
}
