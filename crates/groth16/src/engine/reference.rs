//! Engine reference: arkworks behind the seam. The judge of the other engines, and the way back when one of them fails.

use ark_ec::VariableBaseMSM;
use ark_ff::{AdditiveGroup, Field};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use zeroize::Zeroizing;

use super::domain::Domain;
use super::{Arithmetic, Failure, PlainScalar, rows_fit, same_length};
use crate::Control;
use crate::curve::{Curve, Points, RawPoint, RawScalar};
use crate::key::Rows;

/// Points that are multiplied between two looks at the control: some tens of milliseconds in G1, a hundred in G2.
const POINTS_AT_ONCE: usize = 1 << 14;

/// Engine reference.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReferenceArithmetic;

impl<E: Curve> Arithmetic<E> for ReferenceArithmetic {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn sparse_product(
        &self,
        rows: &Rows<E::ScalarField>,
        witness: &[PlainScalar],
        domain: usize,
        control: &Control,
    ) -> Result<Vec<E::ScalarField>, Failure> {
        rows_fit(rows, domain)?;
        let mut products = vec![E::ScalarField::ZERO; domain];
        let mut start = 0;
        for (row, (product, &end)) in products.iter_mut().zip(&rows.ends).enumerate() {
            if row % 1024 == 0 {
                control.check()?;
            }
            for &(wire, coefficient) in &rows.terms[start..end as usize] {
                let value = E::ScalarField::from_raw_limbs(witness[wire as usize]);
                *product += rows.coefficients[coefficient as usize] * value;
            }
            start = end as usize;
        }
        Ok(products)
    }

    fn quotient(
        &self,
        a: Vec<E::ScalarField>,
        b: Vec<E::ScalarField>,
        control: &Control,
    ) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
        same_length(a.len(), b.len())?;
        let c = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
        let mut on_coset = [Zeroizing::new(a), Zeroizing::new(b), Zeroizing::new(c)];
        for values in &mut on_coset {
            Arithmetic::<E>::ntt(self, values, true, false, control)?;
            Arithmetic::<E>::ntt(self, values, false, true, control)?;
        }
        let [a, b, c] = &on_coset;
        Ok(Zeroizing::new((0..a.len()).map(|i| (a[i] * b[i] - c[i]).plain_limbs()).collect()))
    }

    fn ntt(&self, values: &mut [E::ScalarField], inverse: bool, coset: bool, control: &Control) -> Result<(), Failure> {
        control.check()?;
        let domain = domain::<E>(values.len(), coset)?;
        let mut transformed = Zeroizing::new(values.to_vec());
        if inverse {
            domain.ifft_in_place(&mut *transformed);
        } else {
            domain.fft_in_place(&mut *transformed);
        }
        values.copy_from_slice(&transformed);
        Ok(())
    }

    fn msm_g1(
        &self,
        points: &dyn Points<E::G1Affine>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<E::G1, Failure> {
        msm(points, scalars, control)
    }

    fn msm_g2(
        &self,
        points: &dyn Points<E::G2Affine>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<E::G2, Failure> {
        msm(points, scalars, control)
    }
}

/// arkworks' domain, but with snarkjs's roots of unity.
fn domain<E: Curve>(length: usize, coset: bool) -> Result<Radix2EvaluationDomain<E::ScalarField>, Failure> {
    let roots = Domain::new::<E>(length)?;
    let inverse = |element: E::ScalarField| element.inverse().expect("neither a root of unity nor a power of two is 0");
    let size_as_field_element = E::ScalarField::from(length as u64);
    let domain = Radix2EvaluationDomain {
        size: length as u64,
        log_size_of_group: roots.log_size,
        size_as_field_element,
        size_inv: inverse(size_as_field_element),
        group_gen: roots.generator,
        group_gen_inv: inverse(roots.generator),
        offset: E::ScalarField::ONE,
        offset_inv: E::ScalarField::ONE,
        offset_pow_size: E::ScalarField::ONE,
    };
    if !coset {
        return Ok(domain);
    }
    Ok(domain.get_coset(roots.shift()?).expect("a root of unity is not 0"))
}

fn msm<A>(points: &dyn Points<A>, scalars: &[PlainScalar], control: &Control) -> Result<A::Group, Failure>
where
    A: RawPoint<ScalarField: RawScalar>,
{
    same_length(points.len(), scalars.len())?;
    let mut sum = A::Group::ZERO;
    for (start, scalars) in (0..).step_by(POINTS_AT_ONCE).zip(scalars.chunks(POINTS_AT_ONCE)) {
        control.check()?;
        let bases: Vec<A> = (start..start + scalars.len()).map(|i| points.point(i)).collect();
        let scalars: Option<Vec<A::ScalarField>> =
            scalars.iter().map(|limbs| A::ScalarField::from_plain_limbs(*limbs)).collect();
        let scalars = scalars.ok_or_else(|| Failure::Fault("a scalar is not below the order of the group".into()))?;
        sum += A::Group::msm_unchecked(&bases, &Zeroizing::new(scalars));
    }
    Ok(sum)
}
