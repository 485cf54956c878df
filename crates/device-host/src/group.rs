//! Running a kernel: groups one after another, the work-items of a cooperative kernel as threads with a barrier.

use std::cell::Cell;
use std::ffi::{c_uint, c_void};
use std::ptr;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use crate::Running;
use crate::tables::Entry;

unsafe extern "C" {
    fn outrigger_host_place(group: c_uint, local: c_uint, size: c_uint);
}

/// The work-items of a group did not all reach the same barriers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Diverged;

impl std::fmt::Display for Diverged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a work-item ended, or met a barrier in a kernel without, where others of its group did not")
    }
}

/// Runs all groups of a launch.
///
/// # Safety
/// `arguments` are those that the entry's kernel declares, and valid until this returns.
pub(crate) unsafe fn run(
    _: &Running,
    entry: Entry,
    cooperative: bool,
    groups: u32,
    group_size: u32,
    arguments: &[*mut c_void],
) -> Result<(), Diverged> {
    let arguments = Arguments(arguments);
    if !cooperative || group_size == 1 {
        let meeting = Meeting::new(1);
        // SAFETY: by the caller.
        meeting.attend(|| unsafe { work(entry, groups, 0..group_size, group_size, &arguments, |_| ()) });
        return if cooperative || !meeting.was_used() { Ok(()) } else { Err(Diverged) };
    }
    let meeting = Meeting::new(group_size);
    thread::scope(|scope| {
        for local in 0..group_size {
            let (meeting, arguments) = (&meeting, &arguments);
            // SAFETY: by the caller.
            let item = move || unsafe {
                work(entry, groups, local..local + 1, group_size, arguments, |_| meeting.wait(Place::End));
            };
            scope.spawn(move || meeting.attend(item));
        }
    });
    if meeting.has_diverged() { Err(Diverged) } else { Ok(()) }
}

/// Runs the work-items `locals` of each group in turn, and `after` once each group.
///
/// # Safety
/// As for [`run`].
unsafe fn work(
    entry: Entry,
    groups: u32,
    locals: std::ops::Range<u32>,
    group_size: u32,
    arguments: &Arguments<'_>,
    after: impl Fn(u32),
) {
    for group in 0..groups {
        for local in locals.clone() {
            // SAFETY: it sets three words of this thread.
            unsafe { outrigger_host_place(group, local, group_size) };
            // SAFETY: by the caller.
            unsafe { entry(arguments.0.as_ptr()) };
        }
        after(group);
    }
}

/// Arguments of a kernel, shared by the threads of a group.
struct Arguments<'a>(&'a [*mut c_void]);

// SAFETY: the threads read the pointers; what they point to is memory of the device, which a kernel's work-items may
// touch at the same time by the rules that the kernel keeps.
unsafe impl Sync for Arguments<'_> {}

/// Where a thread of a group waits for the others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At a barrier in the kernel.
    Barrier,
    /// At the end of the kernel.
    End,
}

/// Where the threads of a group meet: a barrier that also notices when not all of them came to the same one. Then they
/// all go on, so that the launch ends, and the launch is a failure.
struct Meeting {
    size: u32,
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Default)]
struct State {
    at_barrier: u32,
    at_end: u32,
    round: u64,
    used: bool,
    diverged: bool,
}

thread_local! {
    /// Where this thread meets the others of its group; null outside of a kernel.
    static MEETING: Cell<*const Meeting> = const { Cell::new(ptr::null()) };
}

impl Meeting {
    fn new(size: u32) -> Self {
        Self { size, state: Mutex::default(), released: Condvar::new() }
    }

    /// Lets this thread's calls of `host_barrier` come here while `work` runs.
    fn attend(&self, work: impl FnOnce()) {
        MEETING.set(self);
        work();
        MEETING.set(ptr::null());
    }

    fn wait(&self, place: Place) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that are still running may have more meetings before them than those that have ended.
        if state.diverged {
            return;
        }
        match place {
            Place::Barrier => {
                state.at_barrier += 1;
                state.used = true;
            }
            Place::End => state.at_end += 1,
        }
        if state.at_barrier + state.at_end == self.size {
            state.diverged |= state.at_barrier > 0 && state.at_end > 0;
            state.at_barrier = 0;
            state.at_end = 0;
            state.round += 1;
            self.released.notify_all();
            return;
        }
        let round = state.round;
        while state.round == round {
            state = self.released.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn was_used(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).used
    }

    fn has_diverged(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).diverged
    }
}

/// BARRIER_LOCAL() of the host build: the calling thread waits for the others of its group.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn host_barrier() {
    let meeting = MEETING.get();
    // SAFETY: not null only while `attend` runs on this thread, and then the meeting is alive.
    if let Some(meeting) = unsafe { meeting.as_ref() } {
        meeting.wait(Place::Barrier);
    }
}
