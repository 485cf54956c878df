//! Hashing to G1 (RFC 9380, BLS12381G1_XMD:SHA-256_SSWU_RO_), from the expanded message on.

use super::base::{Fp, Limbs, from_wide_bytes, is_odd, number_of_hex, product, products, root_powers, small};
use super::curve::{Affine, Jacobian, add, add_affines, times_parameter};
use super::field::Field;
use super::points::{Points, are_finite, filled};
use crate::lanes::{LANES, Lanes};

/// The points of messages, which were expanded to two elements, and their images. What is not fine met an exceptional
/// case, as no message does that anybody knows.
pub(super) fn hash<L: Lanes>(messages: &[[u8; 128]]) -> Points<Limbs> {
    let mut started = Vec::with_capacity(2 * messages.len().div_ceil(LANES));
    for messages in messages.chunks(LANES) {
        let elements = filled(&messages.iter().map(|message| message.as_chunks::<64>().0).collect::<Vec<_>>());
        started.push(start::<L>(&elements.map(|both| &both[0])));
        started.push(start::<L>(&elements.map(|both| &both[1])));
    }
    let (mut powers, mut inverses) = (Vec::with_capacity(started.len()), Vec::with_capacity(started.len()));
    for started in &started {
        powers.push(started.w);
        inverses.push(started.d);
    }
    root_powers(&mut powers);
    L::enter(
        #[inline(always)]
        || Fp::<L>::invert_all(&mut inverses),
    );
    let mut points = Points::with_capacity(messages.len());
    let parts = started.as_chunks().0.iter().zip(powers.as_chunks().0).zip(inverses.as_chunks().0);
    for (messages, ((started, powers), inverses)) in messages.chunks(LANES).zip(parts) {
        let (point, image) = finish(started, powers, inverses);
        points.push(messages.len(), &point, !0);
        points.push_images(messages.len(), &image);
    }
    points.fine = are_finite::<L, Fp<L>>(&points.points);
    points
}

/// A of the isogenous curve y² = x³ + A·x + B.
const A: Limbs =
    number_of_hex(b"00144698a3b8e9433d693a02c96d4982b0ea985383ee66a8d8e8981aefd881ac98936f8da0e0f97f5cf428082d584c1d");
/// B of it.
const B: Limbs =
    number_of_hex(b"12e2908d11688030018b12e8753eee3b2016c1f0f24f4070a0b9c14fcef35ef55a23215a316ceaa5d1cc48e98e172be0");
/// √−11, for the other candidate of the map: its Z is 11.
const ROOT_OF_MINUS_11: Limbs =
    number_of_hex(b"04610e003bd3ac94dfa9246c390d7a78942602029175a4ca366d601f33f3946e3ed39794735c38315d874bc1d70637c3");

/// Eight elements on their way by the simplified SWU map.
///
/// x₁ = −B/A·(1 + 1/(Z²u⁴ + Zu²)) and x₂ = Zu²·x₁ with Z = 11; one of both is the x of a point. With x₁ = n/d, the
/// value of the curve's polynomial is (…)/d³, so that w = (…)·d is a square exactly where the value is. The power of w
/// that gives its root gives √−w where it is none, and √−11 times that is the root of Z·w.
struct Started<L> {
    u: Fp<L>,
    /// Zu².
    zuu: Fp<L>,
    n: Fp<L>,
    d: Fp<L>,
    w: Fp<L>,
}

/// From 64 bytes.
#[inline(never)]
fn start<L: Lanes>(bytes: &[&[u8; 64]; 8]) -> Started<L> {
    L::enter(
        #[inline(always)]
        || {
            let u = from_wide_bytes::<L>(*bytes);
            let zuu = product(&Field::square(&u), &Fp::constant(&const { small(11) }));
            let sum = Field::square(&zuu).add(&zuu);
            let (a, b) = (Fp::constant(&A), Fp::constant(&B));
            let [n, d] = products(&Fp::one().add(&sum), &b, &sum, &a);
            let d = d.neg::<4>();
            let dd = Field::square(&d);
            // n³ + A·n·d² + B·d³.
            let [add, last] = products(&dd, &a, &product(&dd, &d), &b);
            let terms = product(&Field::square(&n).add(&add), &n);
            let w = product(&terms.add(&last), &d);
            Started { u, zuu, n, d, w }
        },
    )
}

impl<L: Lanes> Started<L> {
    /// The points of the isogenous curve, from the power of w and the inverse of d.
    #[inline(always)]
    fn points(&self, power: &Fp<L>, inverse: &Fp<L>) -> Affine<Fp<L>> {
        let root = product(power, &self.w);
        let is_square = Field::square(&root).equals::<4>(&self.w);
        let [zuuu, other] = products(&self.zuu, &self.u, &root, &Fp::constant(&ROOT_OF_MINUS_11));
        let [other_y, other_x] = products(&zuuu, &other, &self.zuu, &self.n);
        let (x, y) = (other_x.select(is_square, &self.n), other_y.select(is_square, &root));
        let [x, y] = products(&x, inverse, &y, &Field::square(inverse));
        let turn = is_odd(&y.canonical()) ^ is_odd(&self.u.canonical());
        Affine { x, y: y.select(turn, &y.neg::<4>()) }
    }
}

/// The point of the subgroup that two mapped elements give, and \[|z|\] times it; z = 0 where a case is exceptional.
#[inline(never)]
fn finish<L: Lanes>(
    started: &[Started<L>; 2],
    powers: &[Fp<L>; 2],
    inverses: &[Fp<L>; 2],
) -> (Jacobian<L, Fp<L>>, Jacobian<L, Fp<L>>) {
    L::enter(
        #[inline(always)]
        || {
            let mut points = [Affine { x: Fp::zero(), y: Fp::zero() }; 2];
            let mut degenerate = 0;
            for i in 0..2 {
                points[i] = started[i].points(&powers[i], &inverses[i]);
                // Where d is 0, which no known message gives, x₁ is another formula.
                degenerate |= Field::is_zero(&started[i].d);
            }
            let sum = isogeny(&add_affines(&points[0], &points[1]));
            // The cofactor: 1 − z = 1 + |z|.
            let mut point = times_parameter(&sum);
            add(&mut point, &sum);
            point.z = point.z.select(degenerate, &Fp::zero());
            (point, times_parameter(&point))
        },
    )
}

/// The isogeny of degree eleven to the curve of G1. With the polynomials N and h of the constants it is Vélu's, up to
/// a factor: (x, y) ↦ (N/(11h)², y·(N′h − 2Nh′)/(11h)³). RFC 9380 lists N/121, h², the numerator of y over 1331, h³.
#[inline(never)]
fn isogeny<L: Lanes>(point: &Jacobian<L, Fp<L>>) -> Jacobian<L, Fp<L>> {
    L::enter(
        #[inline(always)]
        || {
            // All in x and z², of which each polynomial has the same degree in every term.
            let zz = Field::square(&point.z);
            let mut power = Fp::one();
            let (mut n, mut n_derived) = (Fp::one(), Fp::zero());
            let (mut h, mut h_derived) = (Fp::one(), Fp::zero());
            for (i, coefficient) in NUMERATOR.iter().enumerate() {
                power = product(&power, &zz);
                n_derived = product(&n_derived, &point.x).add(&n);
                n = product(&n, &point.x).add(&product(&power, &Fp::constant(coefficient)));
                if let Some(coefficient) = KERNEL.get(i) {
                    h_derived = product(&h_derived, &point.x).add(&h);
                    h = product(&h, &point.x).add(&product(&power, &Fp::constant(coefficient)));
                }
            }
            let derived = product(&n_derived, &h).sub::<4>(&product(&n.double(), &h_derived));
            let z = product(&product(&h, &point.z), &Fp::constant(&const { small(11) }));
            Jacobian::new(n, product(&derived, &point.y), z)
        },
    )
}

/// N without its leading 1, highest first.
static NUMERATOR: [Limbs; 11] = [
    number_of_hex(b"095fc13ab9e92ad4476d6e3eb3a56680f682b4ee96f7d03776df533978f31c1593174e4b4b7865002d6384d168ecdd0a"),
    number_of_hex(b"04e191198fb0b670f56e5bb36434c322563036138e4314008ace68587ddb0a83824a49af4209a889ce74c108e919f68b"),
    number_of_hex(b"0c1a3784b0b69f918c6576e46b265c603adc96424813ae770555d3d09dec9edb34fcdfd99b8024aad8d60a58abd6ab28"),
    number_of_hex(b"0990b39b1545d7f3990ca675e6c070c715af1ac4f6f9aab95cd52b05e28fa1b119f5fe26c973a01f3089b1c3bcf375a4"),
    number_of_hex(b"0d20f79145ee9f35035eb4485a8940705e481de8641f0c42165fdad250df0a5d84105c94491b1df3cf4f73c93475edfa"),
    number_of_hex(b"069e074638eeab73a3b7b2e2fa9fc54b33b081fdbd70ef8b8d6758948ac6d2d388a13b2b8e7fe14e18bd96caa6f2f41e"),
    number_of_hex(b"183f63e4654b1979ad4a84532f7e099d6d92b7c6efc1d8b2faa622e45e37ec2bfb991ce5556a9bdca5545a728ca528d0"),
    number_of_hex(b"05b098e05c2aabf1e6143c24142c25324c6dcc53ad565d704de934aa345920b145b4fe75d201aef640487751fe98ab0a"),
    number_of_hex(b"0071d592bc054e3b8bffc75b81aefafa0a97f03b9114cd1363513aecfeb7610341a16b39ec1f2da1df687186972af9c6"),
    number_of_hex(b"1413c543388686bc391125039a3d376fa96fc987a0b99952dbc05e4a373ff99c5106b174c8985431036ff03dfb54edea"),
    number_of_hex(b"00753e5b010b5c2aed6ce5ba4aa4cf117b975dfef6ff2c0a82e8d47835d0591edad4178b01e37966fba894887c542cb9"),
];

/// h, whose roots are the x of the kernel's points, likewise.
static KERNEL: [Limbs; 5] = [
    number_of_hex(b"04afe09d5cf4956a23b6b71f59d2b3407b415a774b7be81bbb6fa99cbc798e0ac98ba725a5bc328016b1c268b4766e85"),
    number_of_hex(b"094440f65f408a6e930e16e3e92dd17bf60d6e9679a8d3d58593de55ac23703042d609537eb3549aac234d896ca82944"),
    number_of_hex(b"1335c502c1f54c49aceea65e87fd7203ba0f626f305fc0cfd606a5dae9f3c8e81a4b3b69600129fabd307c69bf319d39"),
    number_of_hex(b"0264908af037bcede00d054cf5d4775e83eb6cf63c76b969f8ed174fb59fcff78d201f46f6cfc4ed6552e59ce75177b0"),
    number_of_hex(b"133341fb0962a34cb0504a9c4fada0a5090d38679b4c040d5d1c3afb023a3409fcc0815fea66d8b02bbef9c8b5a66e07"),
];
