//! The kernels, embedded.
//!
//! A [`Program`] is one `.cl` file of this folder; [`Program::source`] is its text with every include put in, ready for
//! an OpenCL compiler at run time, for nvcc, or for the host's C compiler. What a caller must know to launch a
//! [`Kernel`] is read from its declaration, so the text is the only place that says it. See the folder's README for
//! the dialect and its rules, which the tests here hold every file to.

mod assembly;
mod declarations;

use std::sync::{LazyLock, OnceLock};

pub use declarations::{Kernel, Parameter, Word};

/// One `.cl` file: it is compiled as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The file's name without its ending, such as `sha256`.
    pub name: &'static str,
    text: &'static str,
}

/// A file that programs include: a header with a guard (`.h`), or a piece of text without one (`.inc`).
#[derive(Clone, Copy, Debug)]
struct Included {
    /// Its path in this folder, such as `dialect/int.h`.
    name: &'static str,
    text: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// All programs, by name.
pub fn programs() -> &'static [Program] {
    PROGRAMS
}

impl Program {
    /// The program with this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        PROGRAMS.iter().find(|program| program.name == name)
    }

    /// The text with every include put in its place.
    ///
    /// # Panics
    /// Where an include names no file; the tests assemble all programs.
    pub fn source(&self) -> String {
        assembly::assemble(self.text, INCLUDED).unwrap_or_else(|error| panic!("{}.cl: {error}", self.name))
    }

    /// The kernels that the program declares, in its order. They are read once: queues ask with every load.
    ///
    /// # Panics
    /// Where a declaration is not of the form that the dialect asks for; the tests read all of them.
    pub fn kernels(&self) -> &'static [Kernel] {
        static DECLARED: LazyLock<Vec<OnceLock<Vec<Kernel>>>> =
            LazyLock::new(|| PROGRAMS.iter().map(|_| OnceLock::new()).collect());
        let place =
            PROGRAMS.iter().position(|program| program.name == self.name).expect("programs are those of the list");
        DECLARED[place].get_or_init(|| {
            declarations::read(&self.source()).unwrap_or_else(|error| panic!("{}.cl: {error}", self.name))
        })
    }
}

#[cfg(test)]
mod tests;
