//! Signatures of keys with tables, of all three curves: beside those of keys without, and beside plain numbers. They
//! are made backwards, from the scalars of the equation, so that those can be anything.

mod model;

use super::*;
use crate::{Unit, p256, secp256k1, sm2};
use model::{Model, Number, Rng};

/// An answer of lanes, in one form for all curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Open,
}

impl From<p256::Outcome> for Answer {
    fn from(outcome: p256::Outcome) -> Self {
        match outcome {
            p256::Outcome::Valid => Self::Yes,
            p256::Outcome::Invalid => Self::No,
            p256::Outcome::Undecided => Self::Open,
            p256::Outcome::OffCurve => panic!("the keys here are on the curve"),
        }
    }
}

impl From<secp256k1::Verdict> for Answer {
    fn from(verdict: secp256k1::Verdict) -> Self {
        match verdict {
            secp256k1::Verdict::Valid => Self::Yes,
            secp256k1::Verdict::Invalid => Self::No,
            secp256k1::Verdict::Exceptional => Self::Open,
            secp256k1::Verdict::NoPoint => panic!("the keys here are on the curve"),
        }
    }
}

/// A key with its table.
struct Key<C> {
    /// The number that G is taken times.
    secret: Number,
    point: [Number; 2],
    table: Table<C>,
}

/// A signature, its key by number.
#[derive(Clone, Copy, Debug)]
struct Signed {
    key: usize,
    digest: Number,
    r: Number,
    s: Number,
    y_is_odd: bool,
    x_is_above_order: bool,
}

/// A curve under test.
trait Tested: Tabled {
    const MODEL: Model;
    /// (e, r, s) for which the equation has these scalars and sum.
    fn numbers(scalars: [Number; 2], x: Number) -> [Number; 3];
    fn verify(unit: Unit, keys: &[Key<Self>], signed: &[Signed]) -> Vec<Answer>;
    fn verify_known(unit: Unit, keys: &[Key<Self>], signed: &[Signed]) -> Vec<Answer>;
}

/// u₁ = e/s, u₂ = r/s.
fn ecdsa(model: &Model, [u1, u2]: [Number; 2], x: Number) -> [Number; 3] {
    let r = model.reduced_by_order(x);
    let s = model.scalar_times(r, model.scalar_inverse(u2));
    [model.scalar_times(u1, s), r, s]
}

macro_rules! outcomes_of {
    ($module:ident) => {
        fn verify(unit: Unit, keys: &[Key<Self>], signed: &[Signed]) -> Vec<Answer> {
            let of =
                |&Signed { key, digest, r, s, .. }: &Signed| $module::Signature { key: keys[key].point, digest, r, s };
            let signatures: Vec<_> = signed.iter().map(of).collect();
            $module::verify(unit, &signatures).into_iter().map(Answer::from).collect()
        }

        fn verify_known(unit: Unit, keys: &[Key<Self>], signed: &[Signed]) -> Vec<Answer> {
            let of = |&Signed { key, digest, r, s, .. }: &Signed| $module::KnownSignature {
                table: &keys[key].table,
                digest,
                r,
                s,
            };
            let signatures: Vec<_> = signed.iter().map(of).collect();
            $module::verify_known(unit, &signatures).into_iter().map(Answer::from).collect()
        }
    };
}

impl Tested for p256::P256 {
    const MODEL: Model = Model::of::<Self>(p256::PRIME, p256::ORDER);

    fn numbers(scalars: [Number; 2], x: Number) -> [Number; 3] {
        ecdsa(&Self::MODEL, scalars, x)
    }

    outcomes_of!(p256);
}

impl Tested for sm2::Sm2 {
    const MODEL: Model = Model::of::<Self>(sm2::PRIME, sm2::ORDER);

    /// s and t = r + s are the scalars, and r = e + x.
    fn numbers([s, t]: [Number; 2], x: Number) -> [Number; 3] {
        let r = Self::MODEL.scalar_minus(t, s);
        [Self::MODEL.scalar_minus(r, Self::MODEL.reduced_by_order(x)), r, s]
    }

    outcomes_of!(sm2);
}

impl Tested for secp256k1::Secp256k1 {
    const MODEL: Model = Model::SECP256K1;

    fn numbers(scalars: [Number; 2], x: Number) -> [Number; 3] {
        ecdsa(&Self::MODEL, scalars, x)
    }

    fn verify(unit: Unit, keys: &[Key<Self>], signed: &[Signed]) -> Vec<Answer> {
        let of = |&Signed { key, digest, r, s, .. }: &Signed| {
            let [x, y] = keys[key].point;
            secp256k1::Item { digest, r, s, x, y, nonce: secp256k1::Nonce::Any }
        };
        let items: Vec<_> = signed.iter().map(of).collect();
        secp256k1::verify(unit, &items).into_iter().map(Answer::from).collect()
    }

    fn verify_known(unit: Unit, keys: &[Key<Self>], signed: &[Signed]) -> Vec<Answer> {
        answers_by_nonce(unit, keys, signed, |_| secp256k1::Nonce::Any)
    }
}

fn answers_by_nonce(
    unit: Unit,
    keys: &[Key<secp256k1::Secp256k1>],
    signed: &[Signed],
    nonce: impl Fn(&Signed) -> secp256k1::Nonce,
) -> Vec<Answer> {
    let of = |signed: &Signed| {
        let &Signed { key, digest, r, s, .. } = signed;
        secp256k1::KnownSignature { table: &keys[key].table, digest, r, s, nonce: nonce(signed) }
    };
    let signatures: Vec<_> = signed.iter().map(of).collect();
    secp256k1::verify_known(unit, &signatures).into_iter().map(Answer::from).collect()
}

fn units() -> Vec<Unit> {
    let detected = Unit::detect();
    if detected.is_none() {
        eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so only the portable lanes were judged");
    }
    std::iter::once(Unit::PORTABLE).chain(detected).collect()
}

/// Keys of these secrets.
fn keys<C: Tested>(secrets: &[Number]) -> Vec<Key<C>> {
    let key = |&secret: &Number| {
        let point = C::MODEL.multiple_of_base(secret).expect("no secret is 0");
        Key { secret, point, table: Table::new(point[0], point[1]).expect("on the curve") }
    };
    secrets.iter().map(key).collect()
}

/// The signature whose equation has these scalars; where they sum to infinity, one that holds nowhere.
fn signed<C: Tested>(keys: &[Key<C>], key: usize, scalars: [Number; 2]) -> (Signed, Answer) {
    let model = C::MODEL;
    let total = model.scalar_plus(scalars[0], model.scalar_times(scalars[1], keys[key].secret));
    let (sum, answer) = match model.multiple_of_base(total) {
        Some(sum) => (sum, Answer::Yes),
        None => (model.base, Answer::No),
    };
    let [digest, r, s] = C::numbers(scalars, sum[0]);
    let x_is_above_order = model.reduced_by_order(sum[0]) != sum[0];
    (Signed { key, digest, r, s, y_is_odd: sum[1][0] & 1 == 1, x_is_above_order }, answer)
}

/// Both paths on both units; the number of answers left open by the path of tables. Open is allowed only where
/// `may_be_open`.
fn check<C: Tested>(keys: &[Key<C>], items: &[(Signed, Answer)], may_be_open: bool) -> usize {
    let signed: Vec<Signed> = items.iter().map(|(signed, _)| *signed).collect();
    let mut open = 0;
    for unit in units() {
        let (plain, known) = (C::verify(unit, keys, &signed), C::verify_known(unit, keys, &signed));
        for (i, ((signed, right), (plain, known))) in items.iter().zip(plain.iter().zip(&known)).enumerate() {
            assert!(plain == right || *plain == Answer::Open, "item {i} without table on {}: {signed:?}", unit.name());
            let is_open = may_be_open && *known == Answer::Open;
            assert!(known == right || is_open, "item {i} on {}: {known:?} is not {right:?}", unit.name());
            open += usize::from(is_open);
        }
    }
    open
}

fn mutated<C: Tested>((mut signed, _): (Signed, Answer), which: usize) -> (Signed, Answer) {
    let number = match which % 3 {
        0 => &mut signed.digest,
        1 => &mut signed.r,
        _ => &mut signed.s,
    };
    number[which / 3 % 4] ^= 2 << (which % 61);
    (signed, Answer::No)
}

/// Random signatures of some keys, every length of a batch, and a bad one in each lane.
fn check_random<C: Tested>() {
    let mut rng = Rng(0x7ab1e5);
    let secrets: Vec<Number> = (0..5).map(|_| rng.scalar(&C::MODEL)).collect();
    let keys = keys::<C>(&secrets);
    let one = |rng: &mut Rng, key| signed(&keys, key, [rng.scalar(&C::MODEL), rng.scalar(&C::MODEL)]);
    let pool: Vec<_> = (0..48).map(|i| one(&mut rng, i % keys.len())).collect();
    for length in 0..=17 {
        check(&keys, &pool[length..2 * length], false);
    }
    let mut mixed = pool.clone();
    for i in 0..mixed.len() {
        // Lane i mod 8 of group i div 8, each lane once.
        if i % 9 == 0 || i >= 44 {
            mixed[i] = mutated::<C>(pool[i], i);
        }
    }
    check(&keys, &mixed, false);
    check(&keys, &pool, false);
    // Several blocks of a tree, the last one short.
    for length in [64, 65, 150] {
        let many: Vec<_> = mixed.iter().chain(&pool).cycle().take(length).copied().collect();
        check(&keys, &many, false);
    }
}

/// Keys and scalars that meet exceptional cases, in one lane beside honest ones.
fn check_special<C: Tested>() {
    let model = C::MODEL;
    let one = [1, 0, 0, 0];
    let small = |number: u64| [number, 0, 0, 0];
    let minus = |number| model.scalar_minus([0; 4], number);
    let lambda = model::LAMBDA;
    let mut rng = Rng(0x5bec1a1);
    let some = rng.scalar(&model);
    let secrets = [one, minus(one), small(2), minus(small(3)), lambda, minus(lambda), some, minus(small(1 << 8))];
    let keys = keys::<C>(&secrets);
    let mut items = Vec::new();
    let mut special = Vec::new();
    for (key, &secret) in secrets.iter().enumerate() {
        let (a, b) = (rng.scalar(&model), rng.scalar(&model));
        let same = model.scalar_times(b, secret);
        // Equal digits, equal and opposite halves of the sum, small and large numbers.
        let scalars = [
            [a, a],
            [a, minus(a)],
            [same, b],
            [minus(same), b],
            [small(1), small(1)],
            [small(3), minus(small(2))],
            [minus(one), minus(one)],
            [small(1 << 40), a],
            [model.scalar_times(small(2), same), b],
        ];
        for scalars in scalars {
            // r + s = t and r, s must not be 0.
            let (item, answer) = signed(&keys, key, scalars);
            if item.r != [0; 4] && item.s != [0; 4] {
                special.push((item, answer));
            }
        }
    }
    for (i, item) in special.iter().enumerate() {
        items.clear();
        items.extend((0..8).map(|lane| signed(&keys, 6, [small(lane + 5), some])));
        check(&keys, &items, false);
        items[i % 8] = *item;
        let open = check(&keys, &items[i % 8..=i % 8], true);
        // The exception is its own lane's alone.
        assert_eq!(check(&keys, &items, true), open, "item {i}");
    }
    // All of them among those of several blocks.
    items.clear();
    for (i, item) in special.iter().enumerate() {
        items.extend([*item, signed(&keys, 6, [small(i as u64 + 5), some])]);
    }
    let alone: usize = special.iter().map(|item| check(&keys, std::slice::from_ref(item), true)).sum();
    assert!(alone > 0, "some are exceptional");
    assert_eq!(check(&keys, &items, true), alone);
}

#[test]
fn p256_is_right() {
    check_random::<p256::P256>();
    check_special::<p256::P256>();
}

#[test]
fn sm2_is_right() {
    check_random::<sm2::Sm2>();
    check_special::<sm2::Sm2>();
}

#[test]
fn secp256k1_is_right() {
    check_random::<secp256k1::Secp256k1>();
    check_special::<secp256k1::Secp256k1>();
}

/// R must be the one of two points that is asked for.
#[test]
fn nonces_of_secp256k1_are_right() {
    use secp256k1::Nonce;

    let mut rng = Rng(0x0dd);
    let model = Model::SECP256K1;
    let keys = keys::<secp256k1::Secp256k1>(&[rng.scalar(&model), rng.scalar(&model)]);
    let items: Vec<Signed> =
        (0..21).map(|i| signed(&keys, i % 2, [rng.scalar(&model), rng.scalar(&model)]).0).collect();
    for unit in units() {
        let right =
            |signed: &Signed| Nonce::Point { x_is_above_order: signed.x_is_above_order, y_is_odd: signed.y_is_odd };
        let mirrored = |signed: &Signed| Nonce::Point { x_is_above_order: false, y_is_odd: !signed.y_is_odd };
        let above = |signed: &Signed| Nonce::Point { x_is_above_order: true, y_is_odd: signed.y_is_odd };
        let mixed = |signed: &Signed| if signed.y_is_odd { Nonce::Any } else { right(signed) };
        assert!(answers_by_nonce(unit, &keys, &items, right).iter().all(|answer| *answer == Answer::Yes));
        assert!(answers_by_nonce(unit, &keys, &items, mixed).iter().all(|answer| *answer == Answer::Yes));
        assert!(answers_by_nonce(unit, &keys, &items, mirrored).iter().all(|answer| *answer == Answer::No));
        assert!(answers_by_nonce(unit, &keys, &items, above).iter().all(|answer| *answer == Answer::No));
    }
}

/// Schnorr signatures of keys with even and odd y, beside those without tables.
#[test]
fn schnorr_is_right() {
    let mut rng = Rng(0x5c40);
    let model = Model::SECP256K1;
    let secrets: Vec<Number> = (0..6).map(|_| rng.scalar(&model)).collect();
    let keys = keys::<secp256k1::Secp256k1>(&secrets);
    assert!(keys.iter().any(|key| key.table.y_is_odd()) && keys.iter().any(|key| !key.table.y_is_odd()));
    let mut items = Vec::new();
    for i in 0..25 {
        let key = &keys[i % keys.len()];
        let (s, challenge) = (rng.scalar(&model), rng.scalar(&model));
        let product = model.scalar_times(challenge, key.secret);
        // s·G − e·P for the P with even y.
        let sum = if key.table.y_is_odd() { model.scalar_plus(s, product) } else { model.scalar_minus(s, product) };
        let [x, y] = model.multiple_of_base(sum).expect("not infinity");
        // The opposite where the y of R is odd, which must be even.
        let negated = |number| if y[0] & 1 == 1 { model.scalar_minus([0; 4], number) } else { number };
        items.push((i % keys.len(), x, negated(s), negated(challenge)));
    }
    for unit in units() {
        for bad in 0..4 {
            let known: Vec<_> = items
                .iter()
                .map(|&(key, mut r, mut s, mut challenge)| {
                    match bad {
                        0 => {}
                        1 => r[0] ^= 1,
                        2 => s = model.scalar_minus([0; 4], s),
                        _ => challenge[3] ^= 1 << 60,
                    }
                    secp256k1::KnownSchnorr { table: &keys[key].table, r, s, challenge }
                })
                .collect();
            let plain: Vec<_> = known
                .iter()
                .zip(&items)
                .map(|(known, item)| {
                    let secp256k1::KnownSchnorr { r, s, challenge, .. } = *known;
                    secp256k1::Schnorr { r, s, challenge, x: keys[item.0].point[0] }
                })
                .collect();
            let answers = secp256k1::verify_schnorr_known(unit, &known);
            assert_eq!(answers, secp256k1::verify_schnorr(unit, &plain));
            let wanted = if bad == 0 { secp256k1::Verdict::Valid } else { secp256k1::Verdict::Invalid };
            assert!(answers.iter().all(|answer| *answer == wanted), "{bad}");
        }
    }
}
