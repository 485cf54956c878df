//! Passes in pieces that threads share.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut, Range};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::arithmetic::Vector;

/// Who runs the pieces of a pass: the caller's threads, and its reasons to stop.
pub trait Schedule {
    /// Why not all pieces were run.
    type Stop;

    /// Runs `piece(i)` for each i < `count` once, in any order and on any threads, and returns when all have ended;
    /// or, between pieces, stops. A piece takes some 0.1 to 1 ms.
    ///
    /// # Errors
    /// The reason to stop.
    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) -> Result<(), Self::Stop>;
}

/// All pieces one after the other, on the calling thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct InOrder;

impl Schedule for InOrder {
    type Stop = Infallible;

    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) -> Result<(), Infallible> {
        (0..count).for_each(piece);
        Ok(())
    }
}

/// Runs a pass, and sees to it that each piece runs once: memory is divided among them.
pub(super) fn run_each<S: Schedule>(schedule: &S, count: usize, piece: impl Fn(usize) + Sync) -> Result<(), S::Stop> {
    let claims: Vec<AtomicBool> = (0..count).map(|_| AtomicBool::new(false)).collect();
    schedule.run(count, &|i| {
        assert!(!claims[i].swap(true, Ordering::Relaxed), "piece {i} was run twice");
        piece(i);
    })?;
    assert!(claims.iter().all(|claim| claim.load(Ordering::Relaxed)), "a piece was not run");
    Ok(())
}

/// Memory that pieces divide among them.
pub(super) struct Shared<'a, T> {
    start: *mut T,
    length: usize,
    memory: PhantomData<&'a mut [T]>,
}

// SAFETY: as a mutable slice that threads have parts of; who takes a part sees to it that no other has it.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(super) fn new(memory: &'a mut [T]) -> Self {
        Self { start: memory.as_mut_ptr(), length: memory.len(), memory: PhantomData }
    }

    /// A part of it.
    ///
    /// # Safety
    /// While the part is in use, nothing else that overlaps it is.
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.length, "a part beyond the end");
        // SAFETY: in bounds of a slice that is borrowed for as long as this is; and the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

/// Memory of transforms, for one at a time: kept from one to the next, since fresh memory costs a fault a page. Zeroed
/// when dropped, as it may hold a witness.
#[derive(Default)]
pub struct Workspace {
    vectors: Vec<Vector>,
    scratch: Mutex<Vec<Cleared>>,
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace").field("vectors", &self.vectors.len()).finish_non_exhaustive()
    }
}

impl Workspace {
    /// None yet: it grows with its first transform.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many vectors, what they are at first being anything, and more memory for each piece that runs.
    pub(super) fn divide(&mut self, count: usize) -> (&mut [Vector], Scratch<'_>) {
        if self.vectors.len() < count {
            clear(&mut self.vectors);
            // Dropped first, so that both are never there together.
            self.vectors = Vec::new();
            self.vectors = vec![Vector::ZERO; count];
        }
        (&mut self.vectors[..count], Scratch(&self.scratch))
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        clear(&mut self.vectors);
    }
}

/// Overwrites what vectors were.
fn clear(vectors: &mut [Vector]) {
    vectors.fill(Vector::ZERO);
    // What is looked at afterwards is not left out.
    std::hint::black_box(vectors);
}

/// Vectors that are zeroed when dropped.
struct Cleared(Vec<Vector>);

impl Drop for Cleared {
    fn drop(&mut self) {
        clear(&mut self.0);
    }
}

/// Memory for pieces, as many as run at a time.
#[derive(Clone, Copy)]
pub(super) struct Scratch<'a>(&'a Mutex<Vec<Cleared>>);

impl<'a> Scratch<'a> {
    /// So many vectors; what they are at first is anything.
    pub(super) fn take(&self, count: usize) -> Lent<'a> {
        // A piece that panicked has left the list as it was.
        let kept = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).pop();
        let vectors = match kept {
            Some(kept) if kept.0.len() >= count => kept,
            _ => Cleared(vec![Vector::ZERO; count]),
        };
        Lent { vectors: Some(vectors), count, home: self.0 }
    }
}

/// Memory of one piece, which goes back to where it came from.
pub(super) struct Lent<'a> {
    vectors: Option<Cleared>,
    count: usize,
    home: &'a Mutex<Vec<Cleared>>,
}

impl Deref for Lent<'_> {
    type Target = [Vector];

    fn deref(&self) -> &[Vector] {
        self.vectors.as_ref().map_or(&[], |vectors| &vectors.0[..self.count])
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut [Vector] {
        self.vectors.as_mut().map_or(&mut [], |vectors| &mut vectors.0[..self.count])
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let (Some(vectors), Ok(mut home)) = (self.vectors.take(), self.home.lock()) {
            home.push(vectors);
        }
    }
}
