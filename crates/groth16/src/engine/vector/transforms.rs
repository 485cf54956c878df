//! The tables of transforms, and their memory: kept, since to make them takes as long as some transforms.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outrigger_vector::Unit;
use outrigger_vector::ntt::{Form, Number, Quotient, ScalarField, SizeError, Transform, Values, Workspace};

use super::super::Failure;
use super::Pool;
use crate::Control;

/// Tables of one kind that are kept: the least recently used gives way. A machine proves circuits of a few sizes.
const KEPT: usize = 4;

/// Memory of transforms that is kept for the next: that of so many at a time, of at most so many values each. That of
/// larger ones is made anew, in a hundredth of the time of a proof that needs it.
const WORKSPACES: usize = 2;
const VALUES_KEPT: usize = 1 << 18;

/// What transforms over one field share.
#[derive(Debug)]
pub struct Transforms<M> {
    quotients: Mutex<Vec<Kept<QuotientShape, Quotient<M>>>>,
    transforms: Mutex<Vec<Kept<TransformShape, Transform<M>>>>,
    workspaces: Mutex<Vec<Workspace>>,
}

#[derive(Debug)]
struct Kept<S, T> {
    shape: S,
    tables: Arc<T>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct QuotientShape {
    unit: Unit,
    log_size: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TransformShape {
    unit: Unit,
    log_size: u32,
    inverse: bool,
    coset: bool,
}

impl<M: ScalarField> Transforms<M> {
    /// None yet.
    #[expect(clippy::new_without_default, reason = "only for a static of each field")]
    pub const fn new() -> Self {
        Self {
            quotients: Mutex::new(Vec::new()),
            transforms: Mutex::new(Vec::new()),
            workspaces: Mutex::new(Vec::new()),
        }
    }

    /// See [`Quotient::run_from`]: from Montgomery forms to plain values.
    pub(super) fn quotient(
        &self,
        unit: Unit,
        values: Values<'_>,
        quotient: &mut [Number],
        control: &Control,
    ) -> Result<(), Failure> {
        let shape = QuotientShape { unit, log_size: log_size(quotient.len())? };
        let make = || Quotient::new(unit, shape.log_size, Form::Montgomery, Form::Plain);
        let tables = found(&self.quotients, shape, make)?;
        let mut workspace = self.workspace();
        tables.run_from(values, quotient, &mut workspace, &Pool { control })?;
        self.keep(workspace, quotient.len());
        Ok(())
    }

    /// See [`Transform::run`].
    pub(super) fn transform(
        &self,
        unit: Unit,
        values: &mut [Number],
        inverse: bool,
        coset: bool,
        control: &Control,
    ) -> Result<(), Failure> {
        let shape = TransformShape { unit, log_size: log_size(values.len())?, inverse, coset };
        let make = || Transform::new(unit, shape.log_size, inverse, coset);
        let tables = found(&self.transforms, shape, make)?;
        let mut workspace = self.workspace();
        tables.run(values, &mut workspace, &Pool { control })?;
        self.keep(workspace, values.len());
        Ok(())
    }

    fn workspace(&self) -> Workspace {
        locked(&self.workspaces).pop().unwrap_or_default()
    }

    fn keep(&self, workspace: Workspace, values: usize) {
        let mut workspaces = locked(&self.workspaces);
        if workspaces.len() < WORKSPACES && values <= VALUES_KEPT {
            workspaces.push(workspace);
        }
    }
}

/// The tables of a shape, made where they are not kept. Whoever comes at the same time waits: they would take twice
/// as long otherwise.
fn found<S: Copy + PartialEq, T>(
    kept: &Mutex<Vec<Kept<S, T>>>,
    shape: S,
    make: impl FnOnce() -> Result<T, SizeError>,
) -> Result<Arc<T>, Failure> {
    let mut kept = locked(kept);
    if let Some(place) = kept.iter().position(|kept| kept.shape == shape) {
        // The most recent last.
        kept[place..].rotate_left(1);
    } else {
        let tables = Arc::new(make().map_err(|error| Failure::Fault(error.to_string()))?);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(Kept { shape, tables });
    }
    Ok(kept[kept.len() - 1].tables.clone())
}

fn log_size(length: usize) -> Result<u32, Failure> {
    if length.is_power_of_two() {
        Ok(length.trailing_zeros())
    } else {
        Err(Failure::Fault(format!("a transform of {length} values: the length must be a power of two")))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
