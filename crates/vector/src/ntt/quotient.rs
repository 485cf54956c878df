//! From the values of a and b on a domain to those of a·b − c on its coset: what a Groth16 prover asks for.

use std::fmt;
use std::marker::PhantomData;

use super::arithmetic::{
    Factor, LIMBS, PRODUCT, Vector, WEAK, canonical, from_words, multiply, plain_butterfly, to_words, weaken,
};
use super::factors::{Roots, power_of_two};
use super::levels::{Eighth, across_lanes, merge, merge_eight};
use super::pieces::{Schedule, Scratch, Shared, Workspace, run_each};
use super::shape::{Network, SMALL_BELOW, Shape, reversed};
use super::transform::{load_column, store_column};
use super::{Form, Number, ScalarField, SizeError, check_size};
use crate::lanes::{LANES, Lanes};
use crate::montgomery::Element;
use crate::radix52::BITS;
use crate::unit::{Unit, on_lanes};

/// a, b and c.
const POLYNOMIALS: usize = 3;

/// The step of a proof between the rows of the circuit and the H points, for 2^k constraints: with c = a∘b, three
/// inverse transforms, three forward ones to the coset, and a·b − c there.
///
/// Takes 38 bytes of tables an element, and 120 of a [`Workspace`].
pub struct Quotient<M> {
    unit: Unit,
    log_size: u32,
    inverse: Network,
    forward: Forward,
    /// 2^k and the forms of Montgomery, out of the product and of c.
    product_scale: Factor,
    scale: Factor,
    field: PhantomData<M>,
}

/// Values of a and b from a place on, as many as there is room for in each.
pub type Values<'a> = &'a (dyn Fn(usize, [&mut [Number]; 2]) + Sync);

/// Values of a and b that are on their way, and are overwritten before their memory is given back.
struct Pair<const N: usize>([[Number; N]; 2]);

impl<const N: usize> Drop for Pair<N> {
    fn drop(&mut self) {
        self.0 = [[[0; 4]; N]; 2];
        std::hint::black_box(&self.0);
    }
}

/// The factors of decimation in time from bit-reversed coefficients to natural values on the coset.
struct Forward {
    /// Of the first three levels.
    eight: [Factor; 7],
    /// For each l, those of the levels over s; see [`merge`]. Of a small transform, all.
    lower: Vec<Factor>,
    /// For each s and l, those of the levels over u.
    upper: Vec<Factor>,
    /// Seven for each s and u, of the transform across lanes.
    across: Vec<Factor>,
    eighth: Eighth,
}

impl<M> fmt::Debug for Quotient<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quotient").field("log_size", &self.log_size).finish_non_exhaustive()
    }
}

impl<M: ScalarField> Quotient<M> {
    /// Makes the tables for 2^`log_size` elements: `input` is the form of a and b, `output` that of the results.
    ///
    /// # Errors
    /// The field has no root of unity of twice the order.
    pub fn new(unit: Unit, log_size: u32, input: Form, output: Form) -> Result<Self, SizeError> {
        check_size::<M>(log_size, true)?;
        let roots = Roots::<M>::new(unit, log_size);
        // Transformed, a and b are 2^(k + f) times themselves, and c is 2^(k + 2f − 260) times itself, f being the
        // exponent of their form; the product that is subtracted from is over 2^260 as well.
        let reduction = i64::from(BITS) * LIMBS as i64;
        let scale = output.exponent() - 2 * input.exponent() - i64::from(log_size) + reduction;
        Ok(Self {
            unit,
            log_size,
            inverse: Network::new(&roots, log_size, -1, false),
            forward: Forward::new(&roots, log_size),
            product_scale: power_of_two::<M>(unit, scale - i64::from(log_size)),
            scale: power_of_two::<M>(unit, scale),
            field: PhantomData,
        })
    }

    /// (A·B − C)(w·w_i) for each i: `a` and `b` are the values of A and B at the powers w_i of the domain's generator,
    /// C has the value a·b at each, and w is the root of that generator of twice its order. Results are below p.
    ///
    /// # Errors
    /// What the schedule stops for; the results are then anything.
    ///
    /// # Panics
    /// Where there are not 2^k of each.
    pub fn run<S: Schedule>(
        &self,
        a: &[Number],
        b: &[Number],
        quotient: &mut [Number],
        workspace: &mut Workspace,
        schedule: &S,
    ) -> Result<(), S::Stop> {
        assert_eq!([a.len(), b.len()], [1 << self.log_size; 2], "the size of the transforms");
        let values = |start: usize, [to_a, to_b]: [&mut [Number]; 2]| {
            to_a.copy_from_slice(&a[start..start + to_a.len()]);
            to_b.copy_from_slice(&b[start..start + to_b.len()]);
        };
        self.run_from(&values, quotient, workspace, schedule)
    }

    /// As [`Quotient::run`], with values of a and b that are computed as they are needed, and need no memory:
    /// `values(start, [a, b])` writes those from `start` on, all of a small transform or eight. Each is asked for once,
    /// by the threads of the schedule.
    ///
    /// # Errors
    /// What the schedule stops for; the results are then anything.
    ///
    /// # Panics
    /// Where there is no room for 2^k results.
    pub fn run_from<S: Schedule>(
        &self,
        values: Values<'_>,
        quotient: &mut [Number],
        workspace: &mut Workspace,
        schedule: &S,
    ) -> Result<(), S::Stop> {
        assert_eq!(quotient.len(), 1 << self.log_size, "the size of the transforms");
        if self.log_size < SMALL_BELOW {
            let (_, scratch) = workspace.divide(0);
            let quotient = Shared::new(quotient);
            return run_each(schedule, 1, |_| {
                // SAFETY: there is one piece.
                let quotient = unsafe { quotient.part(0..1 << self.log_size) };
                on_lanes!(self.unit, L => self.small::<L>(values, quotient, scratch));
            });
        }
        let shape = Shape::new(self.log_size);
        let (vectors, scratch) = workspace.divide(POLYNOMIALS * shape.eighth());
        let mut polynomials = vectors.chunks_exact_mut(shape.eighth()).map(Shared::new);
        let polynomials: [Shared<'_, Vector>; POLYNOMIALS] =
            std::array::from_fn(|_| polynomials.next().expect("three polynomials"));
        run_each(schedule, 1 << shape.lower, |s| {
            on_lanes!(self.unit, L => self.column::<L>(shape, s, values, &polynomials, scratch));
        })?;
        run_each(schedule, 1 << shape.upper, |u| {
            for polynomial in &polynomials {
                // SAFETY: each piece has a group of its own.
                let group = unsafe { polynomial.part(shape.place(0, u, 0)..shape.place(0, u + 1, 0)) };
                on_lanes!(self.unit, L => self.group::<L>(shape, u, group));
            }
        })?;
        let quotient = Shared::new(quotient);
        run_each(schedule, 1 << shape.lower, |s| {
            on_lanes!(self.unit, L => self.last::<L>(shape, s, &polynomials, &quotient, scratch));
        })
    }

    fn small<L: Lanes>(&self, values: Values<'_>, quotient: &mut [Number], scratch: Scratch<'_>) {
        let n = quotient.len();
        let mut found = Pair([[[0; 4]; 1 << (SMALL_BELOW - 1)]; 2]);
        let [a, b] = &mut found.0;
        let (a, b) = (&mut a[..n], &mut b[..n]);
        values(0, [a, b]);
        let mut memory = scratch.take(POLYNOMIALS * n);
        let (va, rest) = memory.split_at_mut(n);
        let (vb, vc) = rest.split_at_mut(n);
        for i in 0..n {
            load_pair::<L, M>([&[a[i]; LANES], &[b[i]; LANES]], [&mut va[i], &mut vb[i], &mut vc[i]]);
        }
        for vectors in [&mut *va, vb, vc] {
            self.inverse.split_small::<L, M>(vectors);
            merge::<L, M>(vectors, &self.forward.lower);
        }
        for i in 0..n {
            let mut numbers = [[0; 4]; LANES];
            self.finish::<L>([&va[i], &vb[i], &vc[i]], &mut numbers);
            quotient[i] = numbers[0];
        }
    }

    /// The first pass: the inverse levels over h and u, of one s.
    fn column<L: Lanes>(
        &self,
        shape: Shape,
        s: usize,
        values: Values<'_>,
        polynomials: &[Shared<'_, Vector>; POLYNOMIALS],
        scratch: Scratch<'_>,
    ) {
        let mut memory = scratch.take(POLYNOMIALS * shape.column());
        let (va, rest) = memory.split_at_mut(shape.column());
        let (vb, vc) = rest.split_at_mut(shape.column());
        let mut found = Pair([[[0; 4]; LANES]; 2]);
        let [a, b] = &mut found.0;
        for i in 0..shape.column() {
            let at = (i << shape.lower) + s;
            values(LANES * at, [a, b]);
            load_pair::<L, M>([a, b], [&mut va[i], &mut vb[i], &mut vc[i]]);
        }
        for (column, polynomial) in memory.chunks_exact_mut(shape.column()).zip(polynomials) {
            self.inverse.split_column::<L, M>(column);
            store_column::<L>(shape, s, column, polynomial);
        }
    }

    /// The second: the inverse levels over s and l and the forward ones, of one u.
    fn group<L: Lanes>(&self, shape: Shape, u: usize, group: &mut [Vector]) {
        self.inverse.split_group::<L, M>(shape, u, group);
        let mut found = [Vector::ZERO; LANES];
        for s in 0..1 << shape.lower {
            let rows = std::array::from_fn(|lane| &group[(reversed(lane, 3) << shape.lower) + s]);
            across_lanes::<L, M>(rows, self.inverse.across(shape, u, s), &self.inverse.eighth, &mut found);
            merge_eight::<L, M>(&mut found, &self.forward.eight);
            L::enter(
                #[inline(always)]
                || {
                    for l in 0..LANES {
                        group[(l << shape.lower) + s].copy::<L>(&found[l]);
                    }
                },
            );
        }
        let blocks = group.chunks_exact_mut(1 << shape.lower);
        for (block, factors) in blocks.zip(self.forward.lower.chunks_exact(1 << shape.lower)) {
            merge::<L, M>(block, factors);
        }
    }

    /// The third: the forward levels over u and h, of one s, and a·b − c.
    fn last<L: Lanes>(
        &self,
        shape: Shape,
        s: usize,
        polynomials: &[Shared<'_, Vector>; POLYNOMIALS],
        quotient: &Shared<'_, Number>,
        scratch: Scratch<'_>,
    ) {
        let mut memory = scratch.take(POLYNOMIALS * shape.column());
        let size = 1 << shape.upper;
        for (columns, polynomial) in memory.chunks_exact_mut(shape.column()).zip(polynomials) {
            load_column::<L>(shape, s, columns, polynomial);
            for (l, column) in columns.chunks_exact_mut(size).enumerate() {
                let at = (s * LANES + l) << shape.upper;
                merge::<L, M>(column, &self.forward.upper[at..at + size]);
            }
        }
        let mut columns = memory.chunks_exact(shape.column());
        let columns: [&[Vector]; POLYNOMIALS] = std::array::from_fn(|_| columns.next().expect("three columns"));
        let mut found = [[Vector::ZERO; LANES]; POLYNOMIALS];
        for u in 0..size {
            let unit = (s << shape.upper) + u;
            let factors = &self.forward.across[7 * unit..7 * unit + 7];
            for (found, column) in found.iter_mut().zip(columns) {
                let rows = std::array::from_fn(|l| &column[(l << shape.upper) + u]);
                across_lanes::<L, M>(rows, factors, &self.forward.eighth, found);
            }
            let [a, b, c] = &found;
            for x in 0..LANES {
                let start = reversed(x, 3) * shape.eighth() + LANES * ((u << shape.lower) + s);
                // SAFETY: no other piece of the pass has this s.
                let numbers = unsafe { quotient.part(start..start + LANES) };
                let [numbers] = numbers.as_chunks_mut::<LANES>().0 else { continue };
                self.finish::<L>([&a[x], &b[x], &c[x]], numbers);
            }
        }
    }

    /// a·b − c of one vector.
    #[inline(never)]
    fn finish<L: Lanes>(&self, [a, b, c]: [&Vector; POLYNOMIALS], numbers: &mut [Number; LANES]) {
        L::enter(
            #[inline(always)]
            || {
                // 10p times 3p is within 35p², so the product is below 2p.
                let a = Element::<L, M, LIMBS>::from_limbs(multiply::<L, M>(&a.load(), &self.product_scale));
                let b = Element::<L, M, LIMBS>::from_limbs(weaken::<L, M>(&b.load()));
                let product = a.mul(&b);
                let c = multiply::<L, M>(&c.load(), &self.scale);
                let [_, difference] = plain_butterfly::<L, M, PRODUCT>(product.limbs(), &c);
                to_words(&canonical::<L, M>(&difference), numbers);
            },
        );
    }
}

/// Values of a and b, and their product over 2²⁶⁰.
#[inline(never)]
fn load_pair<L: Lanes, M: ScalarField>([a, b]: [&[Number; LANES]; 2], [to_a, to_b, to_c]: [&mut Vector; POLYNOMIALS]) {
    L::enter(
        #[inline(always)]
        || {
            let (a, b) = (from_words::<L>(a), from_words::<L>(b));
            to_a.store(&a);
            to_b.store(&b);
            // Each below 2²⁵⁶ < 6p, on BLS12-381 3p.
            let product = Element::<L, M, LIMBS>::from_limbs(a).mul(&Element::from_limbs(b));
            to_c.store(product.limbs());
        },
    );
}

impl Forward {
    fn new<M: ScalarField>(roots: &Roots<M>, log_size: u32) -> Self {
        let n = 1_i64 << log_size;
        // Place j of a pair of blocks of `stride`.
        let factor = |stride: usize, j: usize| (1 + 2 * j as i64) * (n / 2 / stride as i64);
        let eighth = Eighth::new(roots, log_size, 1);
        if log_size < SMALL_BELOW {
            let lower = roots.factors(1 << log_size, |i| {
                let stride = 1 << i.max(1).ilog2();
                factor(stride, i.max(1) - stride)
            });
            return Self { eight: [eighth.roots[0]; 7], lower, upper: Vec::new(), across: Vec::new(), eighth };
        }
        let shape = Shape::new(log_size);
        let first = roots.factors(7, |i| {
            let stride = 1 << (i + 1).ilog2();
            factor(stride, i + 1 - stride)
        });
        let mut eight = [first[0]; 7];
        eight.copy_from_slice(&first);
        let lower = roots.factors(LANES << shape.lower, |i| {
            let (l, i) = (i >> shape.lower, (i & ((1 << shape.lower) - 1)).max(1));
            let stride = 1 << i.ilog2();
            factor(LANES * stride, (i - stride) * LANES + l)
        });
        let upper = roots.factors(shape.eighth(), |i| {
            let (s, l) = (i >> shape.upper >> 3, i >> shape.upper & 7);
            let i = (i & ((1 << shape.upper) - 1)).max(1);
            let stride = 1 << i.ilog2();
            factor((LANES * stride) << shape.lower, (((i - stride) << shape.lower) + s) * LANES + l)
        });
        let across = roots.factors(7 << (log_size - SMALL_BELOW), |i| {
            let (r, s, u) = (i % 7 + 1, (i / 7) >> shape.upper, (i / 7) & ((1 << shape.upper) - 1));
            r as i64 * (1 + 16 * ((u << shape.lower) + s) as i64)
        });
        Self { eight, lower, upper, across, eighth }
    }
}

const _: () = assert!(WEAK * PRODUCT <= 35);
