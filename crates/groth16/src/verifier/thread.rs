//! Verification on one thread.

use std::cell::OnceCell;

use rayon::{ThreadPool, ThreadPoolBuilder};

thread_local! {
    static ALONE: OnceCell<Option<ThreadPool>> = const { OnceCell::new() };
}

/// From now on, what the current thread verifies (or computes with arkworks) stays on it. On other threads arkworks
/// hands its loops to rayon's global pool, which would fight a scheduler that has given each of its cores a thread.
///
/// The thread becomes a rayon pool of one, for as long as it lives. One that is in a pool already stays there.
pub fn keep_to_this_thread() {
    if rayon::current_thread_index().is_none() {
        let alone = || ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().ok();
        ALONE.with(|pool| {
            pool.get_or_init(alone);
        });
    }
}
