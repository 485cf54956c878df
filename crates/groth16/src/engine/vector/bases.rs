//! The points of a key as they lie in lanes.

use std::fmt;

use outrigger_vector::Unit;
use outrigger_vector::msm::{self, Bases};
use zeroize::Zeroizing;

use super::super::cpu::sparse::Coefficient;
use super::super::{PlainScalar, Tuning, tuning};
use super::numbers;
use crate::ProvingKey;
use crate::curve::{Curve, Points, RawField, RawPoint, point_bytes};

/// What engine vector keeps of a key: its points as they lie in lanes, without those that are infinity (of every wire that
/// does not occur in B the key has one), and its coefficients.
pub struct KeyBases<E: Curve> {
    pub(super) a: Query<E::G1Lanes>,
    pub(super) b1: Query<E::G1Lanes>,
    pub(super) b2: Query<E::G2Lanes>,
    pub(super) c: Query<E::G1Lanes>,
    pub(super) h: Query<E::G1Lanes>,
    /// Of the matrix A.
    pub(super) a_coefficients: Vec<Coefficient<E::ScalarField>>,
    /// Of the matrix B.
    pub(super) b_coefficients: Vec<Coefficient<E::ScalarField>>,
}

/// The points of one section.
pub(super) struct Query<C: msm::Curve> {
    pub(super) bases: Bases<C>,
    /// How many scalars belong to it.
    scalars: usize,
    /// The number of each point in the section, where some are left out.
    numbers: Option<Vec<u32>>,
}

impl<E: Curve> KeyBases<E> {
    /// In the current rayon pool. What was read of the key's file is released on the way, so that points are not in
    /// memory twice.
    pub(crate) fn new(unit: Unit, key: &ProvingKey<E>) -> Self {
        let most = multiples(key);
        let (a, b1) =
            rayon::join(|| Query::new(unit, &key.a_points(), most), || Query::new(unit, &key.b1_points(), most));
        key.release_points();
        let (c, h) =
            rayon::join(|| Query::new(unit, &key.c_points(), most), || Query::new(unit, &key.h_points(), most));
        key.release_points();
        let b2 = Query::new(unit, &key.b2_points(), most);
        key.release_points();
        let [a_coefficients, b_coefficients] = [&key.a, &key.b].map(Coefficient::all_of);
        Self { a, b1, b2, c, h, a_coefficients, b_coefficients }
    }

    /// Bytes of memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        let g1 = [&self.a, &self.b1, &self.c, &self.h];
        let points = g1.map(Query::memory_bytes).into_iter().sum::<usize>() + self.b2.memory_bytes();
        points + size_of_val(&*self.a_coefficients) + size_of_val(&*self.b_coefficients)
    }
}

impl<E: Curve> fmt::Debug for KeyBases<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBases").field("memory_bytes", &self.memory_bytes()).finish_non_exhaustive()
    }
}

/// How many multiples of each point may be kept.
fn multiples<E: Curve>(key: &ProvingKey<E>) -> usize {
    let Tuning { multiples_max, multiples_bytes_max, .. } = tuning();
    let points = 3 * key.summary.wires + key.summary.domain;
    let bytes = points * point_bytes::<E::G1Affine>() + key.summary.wires * point_bytes::<E::G2Affine>();
    multiples_max.min(1 + multiples_bytes_max / bytes.max(1))
}

impl<C: msm::Curve> Query<C> {
    fn new<A>(unit: Unit, points: &dyn Points<A>, most: usize) -> Self
    where
        A: RawPoint<BaseField: RawField<Number = C::Number>>,
    {
        let (scalars, cut) = (points.len(), tuning().cut);
        let present: Vec<u32> = (0..scalars as u32).filter(|i| !points.point(*i as usize).is_zero()).collect();
        if present.len() == scalars {
            let bases = Bases::prepare_with(unit, scalars, most, cut, |i| numbers(&points.point(i)));
            return Self { bases, scalars, numbers: None };
        }
        let bases =
            Bases::prepare_with(unit, present.len(), most, cut, |i| numbers(&points.point(present[i] as usize)));
        Self { bases, scalars, numbers: Some(present) }
    }

    /// The scalars of the points, where some are left out; there must be as many as the section has points.
    pub(super) fn picked(&self, scalars: &[PlainScalar]) -> Option<Zeroizing<Vec<PlainScalar>>> {
        let numbers = self.numbers.as_ref()?;
        Some(Zeroizing::new(numbers.iter().map(|i| scalars[*i as usize]).collect()))
    }

    /// How many points the section has, infinity included.
    pub(super) fn scalars(&self) -> usize {
        self.scalars
    }

    fn memory_bytes(&self) -> usize {
        self.bases.memory_bytes() + self.numbers.as_ref().map_or(0, |numbers| 4 * numbers.len())
    }
}
