//! The plain transform, for those who want nothing else.

use std::sync::Arc;

use outrigger_device::{Buffer, DeviceError, Queue};

use super::super::memory::{groups_for, wipe};
use super::elements::{ELEMENT_BYTES, read_elements, write_elements};
use super::network::{Mode, Network, kernel_name};
use super::passes;
use super::roots::Roots;
use crate::curve::Curve;

/// What the reordering does beside: see `kernels/proving/transform.h`.
const MIRROR: u32 = 1;
const DIVIDE: u32 = 2;
const UNSHIFT: u32 = 4;

/// Transforms of one length on a device: natural order in and out.
pub struct DeviceTransform<E: Curve> {
    network: Network<E>,
    values: Buffer,
    reordered: Buffer,
    reorder: String,
}

impl<E: Curve> DeviceTransform<E> {
    /// Bytes of device memory for transforms of so many elements.
    pub const fn bytes(length: usize) -> usize {
        2 * length * ELEMENT_BYTES
    }

    /// For transforms of so many elements.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where the length is no power of two from 2 to what the roots are for; what the device reports.
    pub fn new(queue: &mut dyn Queue, roots: Arc<Roots<E>>, length: usize) -> Result<Self, DeviceError> {
        let tile = passes::tile_log(roots.log_size_of(length)?, 1, queue.info().compute_units);
        Self::with_tile(queue, roots, length, tile)
    }

    /// With tiles of 2^`tile_log` elements at most.
    pub(super) fn with_tile(
        queue: &mut dyn Queue,
        roots: Arc<Roots<E>>,
        length: usize,
        tile_log: u32,
    ) -> Result<Self, DeviceError> {
        let log_size = roots.log_size_of(length)?;
        let network = Network::new(queue, roots, log_size, tile_log)?;
        let [values, reordered] = [queue.allocate(length * ELEMENT_BYTES)?, queue.allocate(length * ELEMENT_BYTES)?];
        Ok(Self { network, values, reordered, reorder: kernel_name::<E>("transform_reorder") })
    }

    /// The transform, in natural order in and out, in place; the inverse divides by the length. With `coset`, values are
    /// those on the coset w·H, w a root of unity of twice the order. Waits for the device, and leaves nothing there.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where there are not as many values as this is for; what the device reports, after which
    /// values may have stayed on it until [`DeviceTransform::wipe`].
    pub fn ntt(
        &self,
        queue: &mut dyn Queue,
        values: &mut [E::ScalarField],
        inverse: bool,
        coset: bool,
    ) -> Result<(), DeviceError> {
        let length = 1usize << self.network.log_size;
        if values.len() != length {
            return Err(DeviceError::Misuse(format!("{} values for a transform of {length}", values.len())));
        }
        write_elements(queue, &self.values, 0, values)?;
        if coset && !inverse {
            self.reorder(queue, 0)?;
            self.up(queue)?;
        } else {
            self.down(queue)?;
            let direction = if inverse { DIVIDE } else { MIRROR };
            self.reorder(queue, if coset { direction | UNSHIFT } else { direction })?;
        }
        read_elements(queue, &self.reordered, 0, values)?;
        self.wipe(queue)
    }

    /// Overwrites what a transform has left.
    ///
    /// # Errors
    /// What the device reports.
    pub fn wipe(&self, queue: &mut dyn Queue) -> Result<(), DeviceError> {
        wipe(queue, &self.values)?;
        wipe(queue, &self.reordered)?;
        queue.finish()
    }

    /// All that it holds.
    #[cfg(test)]
    pub(super) const fn buffers(&self) -> [&Buffer; 2] {
        [&self.values, &self.reordered]
    }

    fn down(&self, queue: &mut dyn Queue) -> Result<(), DeviceError> {
        let passes = self.network.passes.iter().rev();
        passes.copied().try_for_each(|pass| self.network.launch(queue, &self.values, pass, 0..1, 1, Mode::DOWN))
    }

    fn up(&self, queue: &mut dyn Queue) -> Result<(), DeviceError> {
        let passes = self.network.passes.iter();
        passes.copied().try_for_each(|pass| self.network.launch(queue, &self.reordered, pass, 0..1, 1, Mode::UP))
    }

    fn reorder(&self, queue: &mut dyn Queue, mode: u32) -> Result<(), DeviceError> {
        let log_size = self.network.log_size;
        let (groups, size) = groups_for(queue, 1 << log_size);
        let Roots { coset, fractions, .. } = &*self.network.roots;
        let arguments = [
            (&self.values).into(),
            (&self.reordered).into(),
            coset.into(),
            fractions.into(),
            log_size.into(),
            mode.into(),
        ];
        queue.launch(&self.reorder, groups, size, &arguments)
    }
}
