//! Memory for a batch's points that stays with its thread. Fresh memory of a megabyte costs more, in page faults, than
//! the arithmetic on it.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// Rows that a thread keeps at most in one piece: 4 MiB.
const KEPT_ROWS: usize = 1 << 16;
/// Pieces that a thread keeps at most.
const KEPT: usize = 8;

/// Memory comes in cache lines, aligned as such.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Row {
    _words: [u64; 8],
}

thread_local! {
    static POOL: RefCell<Vec<Vec<Row>>> = const { RefCell::new(Vec::new()) };
}

/// What is made of lanes or of integers alone.
///
/// # Safety
/// The type has no padding, and any bits are a value of it.
pub(crate) unsafe trait Words: Copy {}

// SAFETY: integers.
unsafe impl Words for u8 {}
// SAFETY: integers.
unsafe impl Words for u32 {}
// SAFETY: integers.
unsafe impl Words for u64 {}
// SAFETY: arrays have no padding of their own.
unsafe impl<T: Words, const N: usize> Words for [T; N] {}

/// Values in memory of this thread; what they are at first is anything.
pub(crate) struct Scratch<T> {
    rows: Vec<Row>,
    count: usize,
    values: PhantomData<T>,
}

impl<T: Words> Scratch<T> {
    /// So many values.
    pub(crate) fn new(count: usize) -> Self {
        const {
            assert!(size_of::<T>() > 0);
            assert!(align_of::<T>() <= align_of::<Row>());
        }
        let bytes = count.checked_mul(size_of::<T>()).expect("memory for a batch");
        let wanted = bytes.div_ceil(size_of::<Row>());
        let mut rows = POOL.with_borrow_mut(|pool| {
            let sizes = pool.iter().map(Vec::len).enumerate();
            // The smallest that is large enough, else any.
            let best = sizes.min_by_key(|&(_, size)| (size < wanted, size));
            best.map_or_else(Vec::new, |(i, _)| pool.swap_remove(i))
        });
        if rows.len() < wanted {
            rows.clear();
            rows.resize(wanted, Row::default());
        }
        Self { rows, count, values: PhantomData }
    }

    /// Leaves the first `count` values, or all where there are less.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.count = self.count.min(count);
    }
}

impl<T: Words> Deref for Scratch<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: the rows are initialised words, enough for `count` values and aligned for them, and any words are
        // values of a type that is `Words`.
        unsafe { std::slice::from_raw_parts(self.rows.as_ptr().cast(), self.count) }
    }
}

impl<T: Words> DerefMut for Scratch<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`; and the values have no padding, so the rows stay initialised.
        unsafe { std::slice::from_raw_parts_mut(self.rows.as_mut_ptr().cast(), self.count) }
    }
}

impl<T> fmt::Debug for Scratch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").field("count", &self.count).finish_non_exhaustive()
    }
}

impl<T> Drop for Scratch<T> {
    fn drop(&mut self) {
        if self.rows.len() > KEPT_ROWS {
            return;
        }
        let rows = std::mem::take(&mut self.rows);
        // A thread that ends has no pool any more.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT {
                pool.push(rows);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of all sizes that are no multiple of a row, in memory that others had before.
    #[test]
    fn values_lie_in_their_own_memory() {
        for count in [0, 1, 2, 63, 64, 65, 1_000] {
            let mut bytes = Scratch::<u8>::new(count);
            let mut triples = Scratch::<[u32; 3]>::new(count);
            let mut words = Scratch::<[u64; 5]>::new(count);
            for i in 0..count {
                bytes[i] = i as u8;
                triples[i] = [i as u32; 3];
                words[i] = [i as u64; 5];
            }
            assert!(
                (0..count).all(|i| bytes[i] == i as u8 && triples[i] == [i as u32; 3] && words[i] == [i as u64; 5])
            );
            words.truncate(7);
            assert_eq!(words.len(), count.min(7));
        }
    }
}
