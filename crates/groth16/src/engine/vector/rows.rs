//! From a witness to the quotient: the rows of A and B times the witness, and the transforms.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use outrigger_vector::Unit;
use outrigger_vector::ntt::Number;
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::super::cpu::sparse::{Matrix, ROWS_AT_ONCE, one};
use super::super::{Failure, PlainScalar, WORK_TERM, Watch, rows_fit, tuning, work_of_quotient};
use crate::curve::{Curve, RawScalar};
use crate::{ProvingKey, Stage};

/// See [`super::super::Arithmetic::quotient_of`].
pub(super) fn quotient<E: Curve>(
    unit: Unit,
    key: &ProvingKey<E>,
    witness: &[PlainScalar],
    watch: &mut Watch<'_>,
) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
    let domain = key.summary.domain;
    rows_fit(&key.a, domain)?;
    rows_fit(&key.b, domain)?;
    let (kept, one) = (key.bases(unit), one());
    let matrices = [(&key.a, &kept.a_coefficients), (&key.b, &kept.b_coefficients)]
        .map(|(rows, coefficients)| Matrix { rows, coefficients, one });
    let terms = WORK_TERM * (key.a.terms.len() + key.b.terms.len()) as u64;
    let share = terms as f64 / work_of_quotient(key) as f64;
    if domain < tuning().large_domain_min {
        before_transforms::<E>(unit, matrices, witness, domain, share, watch)
    } else {
        within_transforms::<E>(unit, matrices, witness, domain, share, watch)
    }
}

/// Row after row, then the transforms.
fn before_transforms<E: Curve>(
    unit: Unit,
    matrices: [Matrix<'_, E::ScalarField>; 2],
    witness: &[PlainScalar],
    domain: usize,
    share: f64,
    watch: &mut Watch<'_>,
) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
    let (begin, control) = (Instant::now(), watch.control);
    let [mut a, mut b] = [(); 2].map(|()| Zeroizing::new(vec![[0; 4]; domain]));
    let chunks = a.par_chunks_mut(ROWS_AT_ONCE).zip(b.par_chunks_mut(ROWS_AT_ONCE)).enumerate();
    chunks.with_max_len(1).try_for_each(|(chunk, (to_a, to_b))| {
        control.check()?;
        multiply(&matrices, chunk * ROWS_AT_ONCE, [to_a, to_b], witness);
        Ok::<_, Failure>(())
    })?;
    watch.timings.add(Stage::SparseProduct, begin.elapsed());
    watch.tell(Stage::Ntt, share);
    let begin = Instant::now();
    let values = |start: usize, [to_a, to_b]: [&mut [Number]; 2]| {
        to_a.copy_from_slice(&a[start..start + to_a.len()]);
        to_b.copy_from_slice(&b[start..start + to_b.len()]);
    };
    let mut quotient = Zeroizing::new(vec![[0; 4]; domain]);
    E::transforms().quotient(unit, &values, &mut quotient, watch.control)?;
    watch.timings.add(Stage::Ntt, begin.elapsed());
    Ok(quotient)
}

/// Of so many requests for products one is timed: a clock takes as long as a short row.
const TIMED: usize = 16;

/// As the first pass of the transforms asks for them, eight rows at a time: the products of large circuits are never in
/// memory. The rows are not asked for in their order, which small circuits would notice.
fn within_transforms<E: Curve>(
    unit: Unit,
    matrices: [Matrix<'_, E::ScalarField>; 2],
    witness: &[PlainScalar],
    domain: usize,
    share: f64,
    watch: &mut Watch<'_>,
) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
    let begin = Instant::now();
    watch.tell(Stage::Ntt, share);
    let nanoseconds = AtomicU64::new(0);
    let values = |start: usize, to: [&mut [Number]; 2]| {
        let begin = (start / to[0].len()).is_multiple_of(TIMED).then(Instant::now);
        multiply(&matrices, start, to, witness);
        if let Some(begin) = begin {
            nanoseconds.fetch_add(begin.elapsed().as_nanos() as u64, Ordering::Relaxed);
        }
    };
    let mut quotient = Zeroizing::new(vec![[0; 4]; domain]);
    E::transforms().quotient(unit, &values, &mut quotient, watch.control)?;
    // Of all threads together; they run side by side.
    let timed = TIMED as u64 * nanoseconds.into_inner() / rayon::current_num_threads() as u64;
    let whole = begin.elapsed();
    let of_products = Duration::from_nanos(timed).min(whole);
    watch.timings.add(Stage::SparseProduct, of_products);
    watch.timings.add(Stage::Ntt, whole.saturating_sub(of_products));
    Ok(quotient)
}

/// The rows from `start` on, of both matrices, times the witness.
fn multiply<F: RawScalar>(
    matrices: &[Matrix<'_, F>; 2],
    start: usize,
    to: [&mut [Number]; 2],
    witness: &[PlainScalar],
) {
    for (matrix, to) in matrices.iter().zip(to) {
        for (row, number) in (start..).zip(to) {
            *number = matrix.product(row, witness).raw_limbs();
        }
    }
}
