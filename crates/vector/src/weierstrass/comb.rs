//! Tables of points, and their sums, on curves with a = −3.

use super::field::{Element, subtract};
use super::inversion::invert_all;
use super::known::{KnownCurve, Product, add_up};
use super::multiples::{Multiple, Packed, odd_multiples, pack_by_lane};
use super::point::{Affine, Point, double_all};
use super::tables::{MULTIPLES, PLACES, Table, Tabled, WIDTH};
use super::{Curve, Outcome, Verdicts, decode, verdicts};
use crate::Unit;
use crate::lanes::{LANES, Lanes};
use crate::radix52::from_words;
use crate::scratch::Scratch;
use crate::unit::on_lanes;

impl<C: Curve> Tabled for C {
    fn rows(unit: Unit, point: [[u64; 4]; 2]) -> Option<Vec<Packed>> {
        let in_range = point.iter().all(|number| subtract(*number, C::WORDS).1);
        if in_range { on_lanes!(unit, L => rows::<C, L>(point)) } else { None }
    }
}

impl<C: Curve> KnownCurve for C {
    type Order = C::Order;
    type Affine<L: Lanes> = Affine<C, L>;

    fn base_table() -> &'static Table<Self> {
        C::base_table()
    }
}

/// A [`Product`] and the abscissa that its sum should have, below the order. The order more, where that is below p,
/// is an answer too.
pub(crate) type KnownQuestion<'a, C, L> = (Product<'a, C, L>, [L; 5]);

/// As [`super::answer`], of keys that have tables.
#[inline(always)]
pub(crate) fn answer_known<C: Curve, L: Lanes>(questions: &[KnownQuestion<'_, C, L>]) -> Vec<[Outcome; LANES]> {
    let mut products = Vec::with_capacity(questions.len());
    for (product, _) in questions {
        products.push(*product);
    }
    if products.is_empty() {
        return Vec::new();
    }
    let tree = add_up(&products);
    let mut outcomes = Vec::with_capacity(questions.len());
    for (group, (_, abscissa)) in questions.iter().enumerate() {
        let [a, b] = tree.pair(group);
        let sum = Element::<C, L>::from_plain(abscissa).loose().plus(&a.x).plus(&b.x).carry(); // < 3.2p
        let (run, rise) = (b.x.loose().plus_modulus::<2>().minus(&a.x), b.y.loose().plus_modulus::<2>().minus(&a.y));
        let run_squared = run.carry().square().carry(); // < 1.7p
        // The abscissa of the sum is rise²/run² less those of the points.
        let difference = sum.mul(&run_squared).plus_modulus::<2>().minus(&rise.carry().square().carry()).fold();
        outcomes.push(verdicts(&Verdicts {
            on_curve: !0,
            exceptional: tree.exceptional[group] | run_squared.loose().fold().is_zero(),
            holds: difference.is_zero(),
            abscissa: *abscissa,
        }));
    }
    outcomes
}

/// The rows of a table. Eight places at once: the points 2^(8·i)·Q go into lanes, each with its odd multiples.
#[inline(always)]
fn rows<C: Curve, L: Lanes>(point: [[u64; 4]; 2]) -> Option<Vec<Packed>> {
    let (key, on_curve) = decode::<C, L>(&[from_words(&[point[0]; LANES]), from_words(&[point[1]; LANES])]);
    if on_curve == 0 {
        return None;
    }
    let mut tops = Vec::with_capacity(PLACES / LANES);
    let mut inverses = Vec::with_capacity(PLACES / LANES);
    let mut power = [Point { x: key.x, y: key.y, z: Element::one() }];
    for _ in 0..PLACES / LANES {
        let mut lanes = power[0];
        for lane in 1..LANES {
            double_all(&mut power, WIDTH);
            let from_here = !0 << lane;
            lanes.x = lanes.x.blend(from_here, &power[0].x);
            lanes.y = lanes.y.blend(from_here, &power[0].y);
            lanes.z = lanes.z.blend(from_here, &power[0].z);
        }
        double_all(&mut power, WIDTH);
        tops.push(lanes);
        inverses.push(lanes.z);
    }
    invert_all(&mut inverses, &mut Vec::new());
    let mut multiples: Scratch<Multiple<C, L>> = Scratch::new(MULTIPLES * tops.len());
    for (i, multiples) in multiples.chunks_exact_mut(MULTIPLES).enumerate() {
        let squared = inverses[i].square().carry();
        let cubed = squared.mul(&inverses[i]).carry();
        let affine = Affine { x: tops[i].x.mul(&squared).fold(), y: tops[i].y.mul(&cubed).fold() };
        inverses[i] = odd_multiples(&affine, multiples);
    }
    invert_all(&mut inverses, &mut Vec::new());
    let mut rows = vec![Packed::default(); PLACES * MULTIPLES];
    let mut packed = vec![Packed::default(); MULTIPLES * LANES];
    for (i, multiples) in multiples.chunks_exact(MULTIPLES).enumerate() {
        pack_by_lane(multiples, &inverses[i], &mut packed);
        for (j, row) in packed.iter().enumerate() {
            rows[(i * LANES + j % LANES) * MULTIPLES + j / LANES] = *row;
        }
    }
    Some(rows)
}
