//! From the witness to the scalars of the H points: sparse products and transforms.
//!
//! A batch of proofs of one circuit goes through the same launches. Its polynomials lie in one buffer, each as many elements
//! as the domain: a of every proof, then b of every proof, then c. The sparse products write a and b; c = a∘b is made where
//! its transform loads it. Three inverse transforms lead to coefficients in bit-reversed order, three forward ones back to
//! natural order, on the coset; the last one writes A·B − C, as plain numbers, over A. `kernels/README.md` says how the
//! passes through memory fit together, and what they cost.

mod elements;
mod network;
mod passes;
mod roots;
mod rows;
mod transform;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use outrigger_device::{Buffer, DeviceError, Queue};

pub use elements::{read_elements, read_scalars, write_elements, write_scalars};
pub use roots::Roots;
pub use rows::{CutRows, DeviceRows};
pub use transform::DeviceTransform;

use self::elements::ELEMENT_BYTES;
use self::network::{Mode, Network};
use self::passes::Pass;
use super::memory::wipe_start;
use crate::curve::Curve;

/// Logarithm of the most elements a domain may have.
pub const LOG_SIZE_MAX: u32 = 26;

/// What the quotients of a batch of proofs of one circuit need beside the matrices: memory of the device, and the order of
/// launches. It is made once; a run allocates nothing on the device. One run at a time.
pub struct QuotientPlan<E: Curve> {
    network: Network<E>,
    batch: u32,
    /// Polynomials a, b and c of each proof.
    values: Buffer,
    /// Sums of pieces of long rows.
    sums: Buffer,
}

/// Which polynomials of a batch a launch is about.
#[derive(Clone, Copy)]
enum Which {
    AandB,
    C,
    All,
}

impl<E: Curve> QuotientPlan<E> {
    /// Bytes of device memory that a plan holds: for a domain of so many elements, batches of so many proofs, and matrices
    /// that have at most so many pieces of long rows ([`CutRows::pieces`]).
    pub const fn bytes(domain: usize, batch: usize, pieces: usize) -> usize {
        3 * batch * domain * ELEMENT_BYTES + elements::not_empty(batch * pieces * ELEMENT_BYTES)
    }

    /// A plan for a domain of so many elements, batches of so many proofs at most, and matrices that have so many pieces of
    /// long rows at most.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where the domain is no power of two from 2 to 2^[`LOG_SIZE_MAX`] or larger than the tables of
    /// roots are for, where the batch is empty, or has 2^32 elements or more; what the device reports.
    pub fn new(
        queue: &mut dyn Queue,
        roots: Arc<Roots<E>>,
        domain: usize,
        batch: usize,
        pieces: usize,
    ) -> Result<Self, DeviceError> {
        let log_size = roots.log_size_of(domain)?;
        let tile = passes::tile_log(log_size, 3 * batch, queue.info().compute_units);
        Self::with_tile(queue, roots, domain, batch, pieces, tile)
    }

    /// With tiles of 2^`tile_log` elements at most.
    fn with_tile(
        queue: &mut dyn Queue,
        roots: Arc<Roots<E>>,
        domain: usize,
        batch: usize,
        pieces: usize,
        tile_log: u32,
    ) -> Result<Self, DeviceError> {
        let log_size = roots.log_size_of(domain)?;
        let fits = |count: usize| count.checked_mul(batch).is_some_and(|count| u32::try_from(count).is_ok());
        if batch == 0 || !fits(3 * domain) || !fits(pieces) {
            return Err(DeviceError::Misuse(format!("a batch of {batch} proofs on a domain of {domain} elements")));
        }
        let network = Network::new(queue, roots, log_size, tile_log)?;
        let values = queue.allocate(3 * batch * domain * ELEMENT_BYTES)?;
        let sums = queue.allocate(elements::not_empty(batch * pieces * ELEMENT_BYTES))?;
        Ok(Self { network, batch: u32::try_from(batch).expect("checked"), values, sums })
    }

    /// Elements of the domain.
    pub const fn domain(&self) -> usize {
        1 << self.network.log_size
    }

    /// The polynomials, as the module describes them.
    pub const fn values(&self) -> &Buffer {
        &self.values
    }

    /// Starts the quotients of so many proofs. `witnesses` holds a plain number below r for every wire, one proof after the
    /// other. What comes back holds, once the queue has got there, as many plain numbers as the domain has elements for each
    /// proof, one proof after the other, until the next run. Nothing waits for the device.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where there are more proofs than the plan is for or none, where witnesses or rows do not fit
    /// it; what the device reports.
    pub fn run(
        &self,
        queue: &mut dyn Queue,
        [a, b]: [&DeviceRows<E>; 2],
        witnesses: &Buffer,
        proofs: usize,
    ) -> Result<&Buffer, DeviceError> {
        self.products(queue, [a, b], witnesses, proofs)?;
        self.transforms(queue, proofs)?;
        Ok(&self.values)
    }

    /// The first half of [`QuotientPlan::run`]: a and b.
    ///
    /// # Errors
    /// As there.
    pub fn products(
        &self,
        queue: &mut dyn Queue,
        matrices: [&DeviceRows<E>; 2],
        witnesses: &Buffer,
        proofs: usize,
    ) -> Result<(), DeviceError> {
        let proofs = self.proofs(proofs)?;
        for (matrix, first) in matrices.into_iter().zip([0, proofs]) {
            let into = rows::Into { values: &self.values, sums: &self.sums, log_size: self.network.log_size, first };
            matrix.multiply(queue, witnesses, proofs, into)?;
        }
        Ok(())
    }

    /// The second half of [`QuotientPlan::run`]: from a and b to the plain numbers.
    ///
    /// # Errors
    /// As there.
    pub fn transforms(&self, queue: &mut dyn Queue, proofs: usize) -> Result<(), DeviceError> {
        let proofs = self.proofs(proofs)?;
        // c is made of a and b before they are overwritten, and ends when they have ended.
        let passes = &self.network.passes;
        let (first, between) = passes.split_first().expect("a pass at least");
        let Some((last, between)) = between.split_last() else {
            self.launch(queue, *first, Which::C, proofs, Mode::DOWN | Mode::LOAD_PRODUCT)?;
            self.launch(queue, *first, Which::AandB, proofs, Mode::DOWN | Mode::UP)?;
            return self.launch(queue, *first, Which::C, proofs, Mode::UP | Mode::STORE_QUOTIENT);
        };
        self.launch(queue, *last, Which::C, proofs, Mode::DOWN | Mode::LOAD_PRODUCT)?;
        self.launch(queue, *last, Which::AandB, proofs, Mode::DOWN)?;
        for pass in between.iter().rev() {
            self.launch(queue, *pass, Which::All, proofs, Mode::DOWN)?;
        }
        self.launch(queue, *first, Which::All, proofs, Mode::DOWN | Mode::UP)?;
        for pass in between {
            self.launch(queue, *pass, Which::All, proofs, Mode::UP)?;
        }
        self.launch(queue, *last, Which::AandB, proofs, Mode::UP)?;
        self.launch(queue, *last, Which::C, proofs, Mode::UP | Mode::STORE_QUOTIENT)
    }

    /// Overwrites all that runs of at most so many proofs have left of witnesses.
    ///
    /// # Errors
    /// What the device reports.
    pub fn wipe(&self, queue: &mut dyn Queue, proofs: usize) -> Result<(), DeviceError> {
        wipe_start(queue, &self.values, 3 * proofs * self.domain() * ELEMENT_BYTES)?;
        wipe_start(queue, &self.sums, self.sums.bytes() / self.batch as usize * proofs)
    }

    fn launch(
        &self,
        queue: &mut dyn Queue,
        pass: Pass,
        which: Which,
        proofs: u32,
        mode: Mode,
    ) -> Result<(), DeviceError> {
        let polynomials = match which {
            Which::AandB => 0..2 * proofs,
            Which::C => 2 * proofs..3 * proofs,
            Which::All => 0..3 * proofs,
        };
        self.network.launch(queue, &self.values, pass, polynomials, proofs, mode)
    }

    fn proofs(&self, proofs: usize) -> Result<u32, DeviceError> {
        let batch = self.batch;
        u32::try_from(proofs)
            .ok()
            .filter(|proofs| (1..=batch).contains(proofs))
            .ok_or_else(|| DeviceError::Misuse(format!("{proofs} proofs in a plan for batches of {batch}")))
    }
}
