//! Engine vector: eight field elements at a time, on AVX-512.
//!
//! The arithmetic is that of `outrigger_vector` ([`msm`], [`outrigger_vector::ntt`]); here is how the work of a proof is
//! divided among threads, and what is kept from one proof to the next: the points of a key as they lie in lanes, the
//! tables of transforms, and their memory. Nothing here runs in constant time, as with engine cpu.

mod bases;
mod rows;
mod sums;
mod transforms;

use outrigger_vector::{Unit, msm, ntt};
use rayon::prelude::*;
use zeroize::Zeroizing;

pub use bases::KeyBases;
pub use transforms::Transforms;

use super::cpu::CpuArithmetic;
use super::{
    Arithmetic, Failure, Multiplication, PlainScalar, Summands, Sums, Watch, quotient_then_sums, same_length, tuning,
};
use crate::curve::{Curve, Points, RawField, RawPoint, RawScalar};
use crate::key::Rows;
use crate::{Control, ProvingKey, Stage, Stop};
use sums::Sum;

/// Engine vector.
#[derive(Clone, Copy, Debug)]
pub struct VectorArithmetic {
    unit: Unit,
}

impl VectorArithmetic {
    /// With this implementation of the lanes.
    pub const fn new(unit: Unit) -> Self {
        Self { unit }
    }
}

impl<E: Curve> Arithmetic<E> for VectorArithmetic {
    fn name(&self) -> &'static str {
        "vector"
    }

    fn sparse_product(
        &self,
        rows: &Rows<E::ScalarField>,
        witness: &[PlainScalar],
        domain: usize,
        control: &Control,
    ) -> Result<Vec<E::ScalarField>, Failure> {
        Arithmetic::<E>::sparse_product(&CpuArithmetic, rows, witness, domain, control)
    }

    fn quotient(
        &self,
        a: Vec<E::ScalarField>,
        b: Vec<E::ScalarField>,
        control: &Control,
    ) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
        let (a, b) = (Zeroizing::new(a), Zeroizing::new(b));
        same_length(a.len(), b.len())?;
        let mut quotient = Zeroizing::new(vec![[0; 4]; a.len()]);
        let values = |start: usize, [to_a, to_b]: [&mut [PlainScalar]; 2]| {
            for (to, from) in [(to_a, &a), (to_b, &b)] {
                to.iter_mut().zip(&from[start..]).for_each(|(to, from)| *to = from.raw_limbs());
            }
        };
        E::transforms().quotient(self.unit, &values, &mut quotient, control)?;
        Ok(quotient)
    }

    fn ntt(&self, values: &mut [E::ScalarField], inverse: bool, coset: bool, control: &Control) -> Result<(), Failure> {
        control.check()?;
        let mut numbers = Zeroizing::new(values.iter().map(RawScalar::raw_limbs).collect::<Vec<_>>());
        E::transforms().transform(self.unit, &mut numbers, inverse, coset, control)?;
        for (value, number) in values.iter_mut().zip(numbers.iter()) {
            *value = E::ScalarField::from_raw_limbs(*number);
        }
        Ok(())
    }

    fn msm_g1(
        &self,
        points: &dyn Points<E::G1Affine>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<E::G1, Failure> {
        self.over::<E::G1Lanes, E::G1Affine>(points)(scalars, control)
    }

    fn msm_g2(
        &self,
        points: &dyn Points<E::G2Affine>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<E::G2, Failure> {
        self.over::<E::G2Lanes, E::G2Affine>(points)(scalars, control)
    }

    fn over_g1<'a>(&'a self, points: &'a dyn Points<E::G1Affine>) -> Multiplication<'a, E::G1> {
        self.over::<E::G1Lanes, E::G1Affine>(points)
    }

    fn over_g2<'a>(&'a self, points: &'a dyn Points<E::G2Affine>) -> Multiplication<'a, E::G2> {
        self.over::<E::G2Lanes, E::G2Affine>(points)
    }

    fn quotient_of(
        &self,
        key: &ProvingKey<E>,
        witness: &[PlainScalar],
        watch: &mut Watch<'_>,
    ) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
        rows::quotient(self.unit, key, witness, watch)
    }

    fn sums(&self, summands: &Summands<'_, E>, watch: &mut Watch<'_>) -> Result<Sums<E>, Failure> {
        sums::of_proof(self.unit, summands, watch)
    }

    fn sums_of_proof(
        &self,
        key: &ProvingKey<E>,
        witness: &[PlainScalar],
        watch: &mut Watch<'_>,
    ) -> Result<Sums<E>, Failure> {
        if key.summary.domain < tuning().large_domain_min {
            sums::with_quotient(self.unit, key, witness, watch)
        } else {
            quotient_then_sums(self, key, witness, watch)
        }
    }
}

impl VectorArithmetic {
    fn over<C, A>(&self, points: &dyn Points<A>) -> Multiplication<'static, A::Group>
    where
        C: msm::Curve<Number = <A::BaseField as RawField>::Number>,
        A: RawPoint<BaseField: RawField>,
    {
        let unit = self.unit;
        let bases = msm::Bases::<C>::prepare(unit, points.len(), |i| numbers(&points.point(i)));
        Box::new(move |scalars, control| {
            same_length(bases.count(), scalars.len())?;
            control.check()?;
            let sum = Sum::new(unit, &bases, scalars)?;
            sums::run(&[(&sum, Stage::MsmG1)], control, &|_, _| {})?;
            Ok(point::<A>(sum.total()?).into())
        })
    }
}

/// The coordinates of a point in Montgomery form; `None` for infinity.
fn numbers<A: RawPoint<BaseField: RawField>>(point: &A) -> Option<[<A::BaseField as RawField>::Number; 2]> {
    point.xy().map(|(x, y)| [x.number(), y.number()])
}

/// The inverse of [`numbers`].
fn point<A: RawPoint<BaseField: RawField>>(numbers: Option<[<A::BaseField as RawField>::Number; 2]>) -> A {
    match numbers {
        Some([x, y]) => A::from_xy_unchecked(A::BaseField::of_number(x), A::BaseField::of_number(y)),
        None => A::zero(),
    }
}

/// The rayon pool around the caller, and its control.
struct Pool<'a> {
    control: &'a Control,
}

impl ntt::Schedule for Pool<'_> {
    type Stop = Stop;

    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) -> Result<(), Stop> {
        (0..count).into_par_iter().with_max_len(1).try_for_each(|i| {
            self.control.check()?;
            piece(i);
            Ok(())
        })
    }
}
