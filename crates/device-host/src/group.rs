//! Running a kernel, by `host.c`: groups one after another, the work-items of a cooperative one by turns.

use std::ffi::{c_int, c_uint, c_void};
use std::fmt;

use crate::Running;
use crate::tables::Entry;

/// How a launch ends: as in `host.c`.
const DONE: c_int = 0;
const DIVERGED: c_int = 1;

unsafe extern "C" {
    fn outrigger_host_run(
        entry: Entry,
        arguments: *const *mut c_void,
        groups: c_uint,
        size: c_uint,
        cooperative: c_int,
    ) -> c_int;

    /// BARRIER_LOCAL() of the host build.
    #[cfg(test)]
    pub(crate) safe fn host_barrier();
}

/// Why a launch failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The work-items of a group did not all reach the same barriers.
    Diverged,
    /// There is no memory for their stacks.
    NoMemory,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Diverged => {
                "a work-item ended, or met a barrier in a kernel without, where others of its group did not"
            }
            Self::NoMemory => "no memory for the stacks of a group",
        })
    }
}

/// Runs all groups of a launch.
///
/// # Safety
/// `arguments` are those that the entry's kernel declares, and valid until this returns.
pub(crate) unsafe fn run(
    _: &Running<'_>,
    entry: Entry,
    cooperative: bool,
    groups: u32,
    group_size: u32,
    arguments: &[*mut c_void],
) -> Result<(), Broken> {
    // SAFETY: by the caller; who holds `Running` is alone with the kernels' memory.
    match unsafe { outrigger_host_run(entry, arguments.as_ptr(), groups, group_size, cooperative.into()) } {
        DONE => Ok(()),
        DIVERGED => Err(Broken::Diverged),
        _ => Err(Broken::NoMemory),
    }
}
