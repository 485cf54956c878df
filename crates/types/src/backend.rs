//! Where work can run.

use std::fmt;
use std::str::FromStr;

/// A kind of engine. Every backend gives the same answer; they differ in speed alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Backend {
    /// Plain cores, one item at a time, on the reference library of each algorithm.
    Cpu,
    /// A GPU through CUDA.
    Cuda,
    /// A GPU or other device through OpenCL.
    Opencl,
    /// AVX-512 IFMA lanes.
    Vector,
}

impl Backend {
    /// All backends, alphabetically.
    pub const ALL: [Self; 4] = [Self::Cpu, Self::Cuda, Self::Opencl, Self::Vector];

    /// The name used on the command line, in metrics and in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Opencl => "opencl",
            Self::Vector => "vector",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.name() == name)
            .ok_or_else(|| format!("unknown backend {name:?}; one of cpu, vector, opencl, cuda"))
    }
}
