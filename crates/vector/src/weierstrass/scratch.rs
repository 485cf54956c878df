//! Memory for a batch's points that stays with its thread. Fresh memory of a megabyte costs more, in page faults, than
//! the arithmetic on it.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use super::multiples::Packed;

/// Rows that a thread keeps at most in one piece: 4 MiB.
const KEPT_ROWS: usize = 1 << 16;
/// Pieces that a thread keeps at most.
const KEPT: usize = 6;

thread_local! {
    static POOL: RefCell<Vec<Vec<Packed>>> = const { RefCell::new(Vec::new()) };
}

/// What is made of lanes alone.
///
/// # Safety
/// The type has no padding, is aligned to 64 bytes at most, and any bits are a value of it.
pub(crate) unsafe trait Words: Copy {}

// SAFETY: a row is words, aligned as such.
unsafe impl Words for Packed {}

/// Values in memory of this thread; what they are at first is anything.
pub(crate) struct Scratch<T> {
    rows: Vec<Packed>,
    count: usize,
    values: PhantomData<T>,
}

impl<T: Words> Scratch<T> {
    const ROWS: usize = {
        assert!(size_of::<T>() > 0 && size_of::<T>().is_multiple_of(size_of::<Packed>()));
        assert!(align_of::<T>() <= align_of::<Packed>());
        size_of::<T>() / size_of::<Packed>()
    };

    /// So many values.
    pub(crate) fn new(count: usize) -> Self {
        let wanted = count * Self::ROWS;
        let mut rows = POOL.with_borrow_mut(|pool| {
            let sizes = pool.iter().map(Vec::len).enumerate();
            // The smallest that is large enough, else any.
            let best = sizes.min_by_key(|&(_, size)| (size < wanted, size));
            best.map_or_else(Vec::new, |(i, _)| pool.swap_remove(i))
        });
        if rows.len() < wanted {
            rows.clear();
            rows.resize(wanted, Packed::default());
        }
        Self { rows, count, values: PhantomData }
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
