//! Tables of roots of unity on a device.

use std::marker::PhantomData;

use ark_ff::Field;
use outrigger_device::{Buffer, DeviceError, Queue};

use super::super::memory::{groups_for, program};
use super::elements::{ELEMENT_BYTES, write_elements};
use super::{LOG_SIZE_MAX, network};
use crate::curve::{Curve, RawScalar};
use crate::engine::domain::Domain;

/// The roots of unity that transforms over the scalars of a curve need, on a device. The tables for one length hold those of
/// all shorter ones: one is enough for a device. They are no secret.
pub struct Roots<E: Curve> {
    log_size_max: u32,
    pub(super) plain: Buffer,
    pub(super) coset: Buffer,
    /// For each logarithm of a length n, 1/n as an element and as a plain number.
    pub(super) fractions: Buffer,
    curve: PhantomData<fn() -> E>,
}

impl<E: Curve> Roots<E> {
    /// Bytes of device memory for transforms of up to so many elements: 48 for each, and some.
    pub const fn bytes(length_max: usize) -> usize {
        length_max * ELEMENT_BYTES + length_max / 2 * ELEMENT_BYTES + FRACTIONS * ELEMENT_BYTES
    }

    /// The tables for transforms of up to so many elements. They are computed on the device, which is waited for; besides
    /// their own memory that takes up to 768 KiB for a moment.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where the length is no power of two from 2 to 2^26; what the device reports.
    pub fn new(queue: &mut dyn Queue, length_max: usize) -> Result<Self, DeviceError> {
        let log_size = log_size_of(length_max)?;
        queue.load(program(network::program_name::<E>())?)?;
        let plain = queue.allocate(length_max / 2 * ELEMENT_BYTES)?;
        let coset = queue.allocate(length_max * ELEMENT_BYTES)?;
        let fractions = fractions::<E>(queue)?;
        // Any root is the product of one of the first 2^low_bits powers and one of the multiples of 2^low_bits.
        let low_bits = (log_size + 1).div_ceil(2);
        let domain = Domain::<E::ScalarField>::new::<E>(length_max);
        let base = domain.and_then(|domain| domain.shift()).map_err(|why| DeviceError::Misuse(why.to_string()))?;
        let low = powers(queue, base, 1 << low_bits)?;
        let high = powers(queue, base.pow([1 << low_bits]), 1 << (log_size + 1 - low_bits))?;
        let (groups, size) = groups_for(queue, 1 << log_size);
        let arguments =
            [(&low).into(), (&high).into(), (&plain).into(), (&coset).into(), log_size.into(), low_bits.into()];
        queue.launch(&network::kernel_name::<E>("transform_roots"), groups, size, &arguments)?;
        // Until then the powers must not go.
        queue.finish()?;
        Ok(Self { log_size_max: log_size, plain, coset, fractions, curve: PhantomData })
    }

    /// The longest transforms that the tables are for.
    pub const fn length_max(&self) -> usize {
        1 << self.log_size_max
    }

    /// The logarithm of a length.
    ///
    /// # Errors
    /// [`DeviceError::Misuse`] where it is no power of two from 2 to what the tables are for.
    pub(super) fn log_size_of(&self, length: usize) -> Result<u32, DeviceError> {
        let log_size = log_size_of(length)?;
        if log_size > self.log_size_max {
            let what = format!("a transform of 2^{log_size} elements with roots for 2^{}", self.log_size_max);
            return Err(DeviceError::Misuse(what));
        }
        Ok(log_size)
    }
}

fn log_size_of(length: usize) -> Result<u32, DeviceError> {
    let log_size = length.trailing_zeros();
    if length.is_power_of_two() && (1..=LOG_SIZE_MAX).contains(&log_size) {
        return Ok(log_size);
    }
    Err(DeviceError::Misuse(format!("a transform of {length} elements: a power of two from 2 to 2^{LOG_SIZE_MAX}")))
}

/// Elements in the table of fractions.
const FRACTIONS: usize = 2 * (LOG_SIZE_MAX as usize + 1);

fn fractions<E: Curve>(queue: &mut dyn Queue) -> Result<Buffer, DeviceError> {
    let half = E::ScalarField::from(2u64).inverse().expect("2 is not 0");
    let mut fraction = E::ScalarField::ONE;
    let mut fractions = Vec::with_capacity(FRACTIONS);
    for _ in 0..=LOG_SIZE_MAX {
        fractions.extend([fraction, E::ScalarField::from_raw_limbs(fraction.plain_limbs())]);
        fraction *= half;
    }
    uploaded(queue, &fractions)
}

fn powers<F: RawScalar>(queue: &mut dyn Queue, base: F, count: usize) -> Result<Buffer, DeviceError> {
    let mut powers = vec![F::ONE; count];
    let mut power = F::ONE;
    for next in &mut powers[1..] {
        power *= base;
        *next = power;
    }
    uploaded(queue, &powers)
}

fn uploaded<F: RawScalar>(queue: &mut dyn Queue, elements: &[F]) -> Result<Buffer, DeviceError> {
    let buffer = queue.allocate(elements.len() * ELEMENT_BYTES)?;
    write_elements(queue, &buffer, 0, elements)?;
    Ok(buffer)
}
