//! Single transforms, from natural order to natural order.

use std::fmt;
use std::marker::PhantomData;

use super::arithmetic::{Factor, LaneFactor, Vector, canonical, from_words, multiply, to_words};
use super::factors::{Roots, power_of_two};
use super::levels::across_lanes;
use super::pieces::{Schedule, Scratch, Shared, Workspace, run_each};
use super::shape::{Network, SMALL_BELOW, Shape, reversed};
use super::{Number, ScalarField, SizeError, check_size};
use crate::lanes::{LANES, Lanes};
use crate::unit::{Unit, on_lanes};

/// A transform of 2^k elements: the values of a polynomial from its coefficients, or the inverse of that.
///
/// Takes 19 bytes of tables an element, and 40 of a [`Workspace`].
pub struct Transform<M> {
    unit: Unit,
    log_size: u32,
    network: Network,
    /// 1/n, for an inverse transform.
    scale: Option<Factor>,
    shift: Option<Shift>,
    field: PhantomData<M>,
}

/// The powers of the inverse of the coset's shift.
struct Shift {
    /// For place x after the transform across lanes, the part of the index that is not the unit's.
    lanes: Vec<LaneFactor>,
    /// For each unit, in the order of their results; of a small transform, for each index.
    units: Vec<Factor>,
}

impl<M> fmt::Debug for Transform<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transform").field("log_size", &self.log_size).finish_non_exhaustive()
    }
}

impl<M: ScalarField> Transform<M> {
    /// Makes the tables for 2^`log_size` elements. The values are those at the powers of the domain's generator w,
    /// for a coset times the root of w of twice its order; `inverse` leads from values to coefficients.
    ///
    /// # Errors
    /// The field has no such root.
    pub fn new(unit: Unit, log_size: u32, inverse: bool, coset: bool) -> Result<Self, SizeError> {
        check_size::<M>(log_size, coset)?;
        let roots = Roots::<M>::new(unit, log_size);
        let direction = if inverse { -1 } else { 1 };
        Ok(Self {
            unit,
            log_size,
            network: Network::new(&roots, log_size, direction, coset && !inverse),
            scale: inverse.then(|| power_of_two::<M>(unit, -i64::from(log_size))),
            shift: (inverse && coset).then(|| Shift::new(&roots, log_size)),
            field: PhantomData,
        })
    }

    /// Transforms `values`, which may be in any form that is a multiple of the numbers (plain, or Montgomery's), and
    /// any numbers of four words. The results are below p.
    ///
    /// # Errors
    /// What the schedule stops for; the values are then anything.
    ///
    /// # Panics
    /// Where there are not 2^k values.
    pub fn run<S: Schedule>(
        &self,
        values: &mut [Number],
        workspace: &mut Workspace,
        schedule: &S,
    ) -> Result<(), S::Stop> {
        assert_eq!(values.len(), 1 << self.log_size, "the size of the transform");
        if self.log_size < SMALL_BELOW {
            return run_each(schedule, 1, {
                let (_, scratch) = workspace.divide(0);
                let values = Shared::new(values);
                move |_| {
                    // SAFETY: there is one piece.
                    let values = unsafe { values.part(0..1 << self.log_size) };
                    on_lanes!(self.unit, L => self.small::<L>(values, scratch));
                }
            });
        }
        let shape = Shape::new(self.log_size);
        let (vectors, scratch) = workspace.divide(values.len() / LANES);
        let vectors = Shared::new(vectors);
        let source: &[Number] = values;
        run_each(schedule, 1 << shape.lower, |s| {
            on_lanes!(self.unit, L => self.column::<L>(shape, s, source, &vectors, scratch));
        })?;
        let values = Shared::new(values);
        run_each(schedule, 1 << shape.upper, |u| {
            // SAFETY: each piece has a group of its own.
            let group = unsafe { vectors.part(shape.place(0, u, 0)..shape.place(0, u + 1, 0)) };
            on_lanes!(self.unit, L => self.group::<L>(shape, u, group, &values));
        })
    }

    fn small<L: Lanes>(&self, values: &mut [Number], scratch: Scratch<'_>) {
        let mut vectors = scratch.take(values.len());
        for (vector, value) in vectors.iter_mut().zip(&*values) {
            load::<L>(&[*value; LANES], vector);
        }
        self.network.split_small::<L, M>(&mut vectors);
        for (i, vector) in vectors.iter().enumerate() {
            let index = reversed(i, self.log_size);
            let mut numbers = [[0; 4]; LANES];
            let shift = self.shift.as_ref().map(|shift| &shift.units[index]);
            self.finish::<L>(vector, None, shift, &mut numbers);
            values[index] = numbers[0];
        }
    }

    /// The first pass, on one column.
    fn column<L: Lanes>(
        &self,
        shape: Shape,
        s: usize,
        values: &[Number],
        vectors: &Shared<'_, Vector>,
        scratch: Scratch<'_>,
    ) {
        let mut column = scratch.take(shape.column());
        let (values, _) = values.as_chunks::<LANES>();
        for (i, vector) in column.iter_mut().enumerate() {
            load::<L>(&values[(i << shape.lower) + s], vector);
        }
        self.network.split_column::<L, M>(&mut column);
        store_column::<L>(shape, s, &column, vectors);
    }

    /// The second, on one group.
    fn group<L: Lanes>(&self, shape: Shape, u: usize, group: &mut [Vector], values: &Shared<'_, Number>) {
        self.network.split_group::<L, M>(shape, u, group);
        let mut found = [Vector::ZERO; LANES];
        for s in 0..1 << shape.lower {
            let rows = std::array::from_fn(|lane| &group[(reversed(lane, 3) << shape.lower) + s]);
            across_lanes::<L, M>(rows, self.network.across(shape, u, s), &self.network.eighth, &mut found);
            let unit = reversed((u << shape.lower) + s, shape.log_size - SMALL_BELOW);
            for (x, vector) in found.iter().enumerate() {
                let start = reversed(x, 3) * shape.eighth() + LANES * unit;
                // SAFETY: units are different for different (u, s), and with them the places.
                let numbers = unsafe { values.part(start..start + LANES) };
                let [numbers] = numbers.as_chunks_mut::<LANES>().0 else { continue };
                let shift = self.shift.as_ref();
                let (lanes, units) = (shift.map(|shift| &shift.lanes[x]), shift.map(|shift| &shift.units[unit]));
                self.finish::<L>(vector, lanes, units, numbers);
            }
        }
    }

    /// Scales and shifts a vector of results.
    #[inline(never)]
    fn finish<L: Lanes>(
        &self,
        vector: &Vector,
        lanes: Option<&LaneFactor>,
        unit: Option<&Factor>,
        numbers: &mut [Number; LANES],
    ) {
        L::enter(
            #[inline(always)]
            || {
                let mut limbs = vector.load();
                for factor in [self.scale.as_ref(), unit].into_iter().flatten() {
                    limbs = multiply::<L, M>(&limbs, factor);
                }
                if let Some(factor) = lanes {
                    limbs = multiply::<L, M>(&limbs, factor);
                }
                to_words(&canonical::<L, M>(&limbs), numbers);
            },
        );
    }
}

impl Shift {
    fn new<M: ScalarField>(roots: &Roots<M>, log_size: u32) -> Self {
        if log_size < SMALL_BELOW {
            return Self { lanes: Vec::new(), units: roots.factors(1 << log_size, |i| -(i as i64)) };
        }
        let eighth = 1_i64 << (log_size - 3);
        let lane = |x: usize, lane: usize| -(reversed(x, 3) as i64 * eighth + lane as i64);
        Self {
            lanes: (0..LANES).map(|x| roots.lane_factor(|i| lane(x, i))).collect(),
            units: roots.factors(1 << (log_size - SMALL_BELOW), |unit| -(LANES as i64) * unit as i64),
        }
    }
}

/// Eight numbers into a vector.
#[inline(never)]
fn load<L: Lanes>(numbers: &[Number; LANES], vector: &mut Vector) {
    L::enter(
        #[inline(always)]
        || vector.store(&from_words::<L>(numbers)),
    );
}

/// A column into its places between passes. Only the piece of column `s` writes to them.
#[inline(never)]
pub(super) fn store_column<L: Lanes>(shape: Shape, s: usize, column: &[Vector], vectors: &Shared<'_, Vector>) {
    L::enter(
        #[inline(always)]
        || {
            for (i, vector) in column.iter().enumerate() {
                let (h, u) = (i >> shape.upper, i & ((1 << shape.upper) - 1));
                let place = shape.place(h, u, s);
                // SAFETY: no other piece of the pass has this s.
                let place = unsafe { vectors.part(place..place + 1) };
                place[0].copy::<L>(vector);
            }
        },
    );
}

/// The opposite, l by l and in each by u.
#[inline(never)]
pub(super) fn load_column<L: Lanes>(shape: Shape, s: usize, column: &mut [Vector], vectors: &Shared<'_, Vector>) {
    L::enter(
        #[inline(always)]
        || {
            for (i, vector) in column.iter_mut().enumerate() {
                let (l, u) = (i >> shape.upper, i & ((1 << shape.upper) - 1));
                let place = shape.place(l, u, s);
                // SAFETY: no other piece of the pass has this s.
                vector.copy::<L>(&unsafe { vectors.part(place..place + 1) }[0]);
            }
        },
    );
}
