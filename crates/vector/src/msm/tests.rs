//! Against a plain model: numbers by shifts and additions, points by doubling and adding one at a time.

use std::ops::ControlFlow;

use super::{Bases, Curve, Cut, Msm, Stopped, msm};
use crate::Unit;
use crate::{bls12_381, bn254};
use model::{Coordinate, Fp, Fp2, Point};

mod model;

/// Points 1·G to so many.
const POINTS: u64 = 48;

/// A curve of which the model knows a generator.
trait Modelled: Curve {
    type Coordinate: model::Coordinate<Number = Self::Number>;
    const GENERATOR: [<Self as Modelled>::Coordinate; 2];
}

impl Modelled for bn254::G1 {
    type Coordinate = Fp<[u64; 4]>;
    const GENERATOR: [Fp<[u64; 4]>; 2] = [Fp([1, 0, 0, 0]), Fp([2, 0, 0, 0])];
}

impl Modelled for bn254::G2 {
    type Coordinate = Fp2<[u64; 4]>;
    const GENERATOR: [Fp2<[u64; 4]>; 2] = [
        Fp2(
            Fp([0x46de_bd5c_d992_f6ed, 0x6743_22d4_f75e_dadd, 0x426a_0066_5e5c_4479, 0x1800_deef_121f_1e76]),
            Fp([0x97e4_85b7_aef3_12c2, 0xf1aa_4933_35a9_e712, 0x7260_bfb7_31fb_5d25, 0x198e_9393_920d_483a]),
        ),
        Fp2(
            Fp([0x4ce6_cc01_66fa_7daa, 0xe3d1_e769_0c43_d37b, 0x4aab_7180_8dcb_408f, 0x12c8_5ea5_db8c_6deb]),
            Fp([0x55ac_dadc_d122_975b, 0xbc4b_3133_70b3_8ef3, 0xec9e_99ad_690c_3395, 0x0906_89d0_585f_f075]),
        ),
    ];
}

impl Modelled for bls12_381::G1 {
    type Coordinate = Fp<[u64; 6]>;
    const GENERATOR: [Fp<[u64; 6]>; 2] = [
        Fp([
            0xfb3a_f00a_db22_c6bb,
            0x6c55_e83f_f97a_1aef,
            0xa14e_3a3f_171b_ac58,
            0xc368_8c4f_9774_b905,
            0x2695_638c_4fa9_ac0f,
            0x17f1_d3a7_3197_d794,
        ]),
        Fp([
            0x0caa_2329_46c5_e7e1,
            0xd03c_c744_a288_8ae4,
            0x00db_18cb_2c04_b3ed,
            0xfcf5_e095_d5d0_0af6,
            0xa09e_30ed_741d_8ae4,
            0x08b3_f481_e3aa_a0f1,
        ]),
    ];
}

impl Modelled for bls12_381::G2 {
    type Coordinate = Fp2<[u64; 6]>;
    const GENERATOR: [Fp2<[u64; 6]>; 2] = [
        Fp2(
            Fp([
                0xd480_56c8_c121_bdb8,
                0x0bac_0326_a805_bbef,
                0xb451_0b64_7ae3_d177,
                0xc6e4_7ad4_fa40_3b02,
                0x2608_0527_2dc5_1051,
                0x024a_a2b2_f08f_0a91,
            ]),
            Fp([
                0xe5ac_7d05_5d04_2b7e,
                0x334c_f112_1394_5d57,
                0xb5da_61bb_dc7f_5049,
                0x596b_d0d0_9920_b61a,
                0x7dac_d3a0_8827_4f65,
                0x13e0_2b60_5271_9f60,
            ]),
        ),
        Fp2(
            Fp([
                0xe193_5486_08b8_2801,
                0x923a_c9cc_3bac_a289,
                0x6d42_9a69_5160_d12c,
                0xadfd_9baa_8cbd_d3a7,
                0x8cc9_cdc6_da2e_351a,
                0x0ce5_d527_727d_6e11,
            ]),
            Fp([
                0xaaa9_075f_f05f_79be,
                0x3f37_0d27_5cec_1da1,
                0x2674_92ab_572e_99ab,
                0xcb3e_287e_85a7_63af,
                0x32ac_d2b0_2bc2_8b99,
                0x0606_c4a0_2ea7_34cc,
            ]),
        ),
    ];
}

type Scalar = [u64; 4];

/// Points by their logarithms, below the order; 0 is infinity. And a scalar for each.
type Terms = Vec<(Scalar, Scalar)>;

struct Judge<C: Modelled> {
    generator: Point<<C as Modelled>::Coordinate>,
    /// 1·G, 2·G, …
    multiples: Vec<[C::Number; 2]>,
    units: Vec<Unit>,
}

impl<C: Modelled> Judge<C> {
    fn new() -> Self {
        let units = [Some(Unit::PORTABLE), Unit::detect()];
        if units[1].is_none() {
            eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so its sums were not checked");
        }
        let generator = Point::affine(C::GENERATOR);
        let multiples = (1..=POINTS).map(|i| generator.times(&[i, 0, 0, 0]).numbers().expect("no infinity"));
        Self { generator, multiples: multiples.collect(), units: units.into_iter().flatten().collect() }
    }

    /// The coordinates of a point whose logarithm, or its negative, is small.
    fn point(&self, logarithm: &Scalar) -> Option<[C::Number; 2]> {
        let multiple = |number: &Scalar| self.multiples[usize::try_from(number[0] - 1).expect("a small one")];
        if logarithm == &[0; 4] {
            return None;
        }
        if logarithm[1..] == [0; 3] {
            return Some(multiple(logarithm));
        }
        let [x, y] = multiple(&model::minus(&C::ORDER, logarithm));
        Some([x, <<C as Modelled>::Coordinate>::negated(&y)])
    }

    fn check(&self, what: &str, terms: &Terms) {
        let sum = terms.iter().fold([0; 4], |sum, (logarithm, scalar)| {
            model::sum_mod(&sum, &model::product_mod(logarithm, scalar, &C::ORDER), &C::ORDER)
        });
        let expected = self.generator.times(&sum).numbers();
        let scalars: Vec<Scalar> = terms.iter().map(|(_, scalar)| *scalar).collect();
        for unit in &self.units {
            // In plain words multiples take long to make.
            let most: &[usize] = match terms.len() {
                ..10 => &[1, 3, 100],
                10..100 if *unit != Unit::PORTABLE => &[1, 3, 100],
                _ if *unit != Unit::PORTABLE => &[1, 100],
                _ => &[1],
            };
            // Of a small cut there are many parts, of few windows each or of a piece of one.
            let small = Cut { digits_at_once: 16, window_bits_max: 5 };
            let cuts = most.iter().map(|most| (*most, Cut::default())).chain([(1, small)]);
            for (most, cut) in cuts {
                let bases = Bases::<C>::prepare_with(*unit, terms.len(), most, cut, |i| self.point(&terms[i].0));
                assert!(bases.multiples() <= most);
                let found = msm(*unit, &bases, &scalars, &mut || ControlFlow::Continue(())).expect("nobody stops it");
                assert_eq!(
                    found,
                    expected,
                    "{what}, {} terms, {most} multiples, {cut:?}, {}",
                    terms.len(),
                    unit.name()
                );
            }
        }
    }

    fn negative(number: u64) -> Scalar {
        model::minus(&C::ORDER, &[number, 0, 0, 0])
    }

    fn check_all(&self) {
        let mut random = Random(0x5eed);
        let small = |i: usize| [1 + i as u64 % POINTS, 0, 0, 0];
        for count in [0, 1, 2, 7, 8, 9, 17, 40] {
            self.check("random", &(0..count).map(|i| (small(i), random.scalar::<C>())).collect());
        }
        let mut edges = vec![[0; 4], [1, 0, 0, 0], Self::negative(1), Self::negative(2), [2, 0, 0, 0]];
        let half: Scalar = std::array::from_fn(|i| C::ORDER[i] >> 1 | C::ORDER.get(i + 1).map_or(0, |next| next << 63));
        edges.extend([half, model::minus(&half, &[1, 0, 0, 0]), model::minus(&C::ORDER, &half)]);
        for bit in (0..255).step_by(5).filter(|bit| *bit < 64 * 3 + C::ORDER[3].ilog2() as usize) {
            let power: Scalar = std::array::from_fn(|i| if i == bit / 64 { 1 << (bit % 64) } else { 0 });
            edges.extend([power, model::minus(&C::ORDER, &power), model::minus(&power, &[1, 0, 0, 0])]);
        }
        self.check("edges", &edges.iter().enumerate().map(|(i, scalar)| (small(i), *scalar)).collect());
        for count in [2, 30, 700] {
            let (one, other) = (random.scalar::<C>(), random.scalar::<C>());
            let unit = [1, 0, 0, 0];
            let all = |term: &mut dyn FnMut(usize) -> (Scalar, Scalar)| -> Terms { (0..count).map(term).collect() };
            self.check("the same point", &all(&mut |_| (small(6), random.scalar::<C>())));
            self.check("the same point and scalar", &all(&mut |_| (small(6), one)));
            self.check("the same point, ones", &all(&mut |_| (small(6), unit)));
            self.check("the same scalar", &all(&mut |i| (small(i), one)));
            let alternating =
                |i: usize| if i.is_multiple_of(2) { small(i / 2) } else { Self::negative(small(i / 2)[0]) };
            self.check("P and −P", &all(&mut |i| (alternating(i), one)));
            self.check("P and −P, ones", &all(&mut |i| (alternating(i), unit)));
            self.check("few points and scalars", &all(&mut |i| (small(i % 3), if i % 5 < 2 { one } else { other })));
            self.check("infinities", &all(&mut |i| (if i % 3 == 0 { [0; 4] } else { small(i) }, one)));
            self.check(
                "negative infinities",
                &all(&mut |i| (if i % 3 == 0 { [0; 4] } else { small(i) }, Self::negative(77))),
            );
            self.check("only infinities", &all(&mut |_| ([0; 4], one)));
            self.check("small scalars", &all(&mut |i| (small(i), [i as u64 % 9, 0, 0, 0])));
            self.check("bits", &all(&mut |i| (small(i), [i as u64 % 7 % 2, 0, 0, 0])));
        }
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn scalar<C: Curve>(&mut self) -> Scalar {
        let mut words: Scalar = std::array::from_fn(|_| self.next());
        words[3] %= C::ORDER[3];
        words
    }
}

#[test]
fn g1_of_bn254() {
    Judge::<bn254::G1>::new().check_all();
}

#[test]
fn g2_of_bn254() {
    Judge::<bn254::G2>::new().check_all();
}

#[test]
fn g1_of_bls12_381() {
    Judge::<bls12_381::G1>::new().check_all();
}

#[test]
fn g2_of_bls12_381() {
    Judge::<bls12_381::G2>::new().check_all();
}

#[test]
fn parts_come_in_any_order_and_stop_when_told() {
    let judge = Judge::<bn254::G1>::new();
    let mut random = Random(1);
    let scalars: Vec<Scalar> = (0..40).map(|_| random.scalar::<bn254::G1>()).collect();
    let logarithm = |i: usize| [1 + i as u64, 0, 0, 0];
    for (unit, most) in judge.units.iter().flat_map(|unit| [1, 4, 100].map(|most| (unit, most))) {
        let bases = Bases::<bn254::G1>::prepare_with(*unit, scalars.len(), most, Cut::default(), |i| {
            judge.point(&logarithm(i))
        });
        assert_eq!(bases.multiples() > 1, most > 1);
        let alone = msm(*unit, &bases, &scalars, &mut || ControlFlow::Continue(())).expect("nobody stops it");
        let several = Msm::new(*unit, &bases, &scalars, 1000).expect("scalars below the order");
        assert!(several.parts() > 10);
        let mut parts = Vec::new();
        for part in (0..several.parts()).rev() {
            assert!(part == 0 || several.cost(part) > 0);
            assert!(matches!(several.sum_part(part, &mut || ControlFlow::Break(())), Err(Stopped)));
            parts.push(several.sum_part(part, &mut || ControlFlow::Continue(())).expect("nobody stops it"));
        }
        assert_eq!(several.finish(&parts), alone);
    }
}

#[test]
fn scalars_must_fit() {
    let bases = Bases::<bn254::G1>::prepare(Unit::PORTABLE, 1, |_| None);
    for scalars in [vec![], vec![bn254::G1::ORDER], vec![[u64::MAX; 4]], vec![[1, 0, 0, 0]; 2]] {
        assert!(Msm::new(Unit::PORTABLE, &bases, &scalars, 1).is_none());
    }
}
