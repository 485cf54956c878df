//! Many equations in one product of pairings.

use std::collections::HashMap;

use blst::Pairing;
use outrigger_types::{Output, Verdict};

use super::arrangement::{Arrangement, Coefficient};

/// The equation of one set, e(g, signature) = Π e(keyⱼ, H(messageⱼ)), up to the order of the arguments.
pub(super) struct Equation<'a, A: Arrangement> {
    /// Where its verdict goes.
    pub(super) place: usize,
    pub(super) signature: A::Signature,
    /// At least one key with its message.
    pub(super) factors: Vec<(A::Key, &'a [u8])>,
}

/// Writes the verdict of each equation: all at once, and where that fails each alone.
pub(super) fn judge<A: Arrangement>(equations: &[Equation<'_, A>], output: &mut Output) {
    let all_hold = equations.len() > 1 && product_holds(equations);
    for equation in equations {
        output.verdicts[equation.place] = Verdict::from_equation(all_hold || holds(equation));
    }
}

/// Whether one equation holds.
fn holds<A: Arrangement>(equation: &Equation<'_, A>) -> bool {
    let mut product = Pairing::new(true, A::DST);
    let mut factors = equation.factors.iter();
    factors.all(|(key, message)| A::multiply(&mut product, key, message, None))
        && equals::<A>(product, &equation.signature)
}

/// Whether the equations hold together, each to the power of a fresh coefficient. Keys of one message are added up
/// before the pairing. False also where the operating system gives no randomness: then each is checked alone, which
/// needs none.
fn product_holds<A: Arrangement>(equations: &[Equation<'_, A>]) -> bool {
    let Some(coefficients) = fresh_coefficients(equations.len()) else {
        return false;
    };
    let mut product = Pairing::new(true, A::DST);
    for (message, Group { keys, coefficients }) in by_message(equations, &coefficients) {
        let is_finite = match (&keys[..], &coefficients[..]) {
            // blst applies the coefficient on the side of the pairing where it is cheaper.
            ([key], [coefficient]) => A::multiply(&mut product, key, message, Some(coefficient)),
            _ => A::multiply(&mut product, &A::combine_keys(&keys, &coefficients), message, None),
        };
        if !is_finite {
            return false;
        }
    }
    let signatures: Vec<_> = equations.iter().map(|equation| equation.signature.clone()).collect();
    equals::<A>(product, &A::combine_signatures(&signatures, &coefficients))
}

fn equals<A: Arrangement>(mut product: Pairing<'_>, signature: &A::Signature) -> bool {
    product.commit();
    product.finalverify(Some(&A::signature_side(signature)))
}

/// The keys over one message, each with the coefficient of its equation.
struct Group<A: Arrangement> {
    keys: Vec<A::Key>,
    coefficients: Vec<Coefficient>,
}

fn by_message<'a, A: Arrangement>(
    equations: &[Equation<'a, A>],
    coefficients: &[Coefficient],
) -> HashMap<&'a [u8], Group<A>> {
    let mut groups = HashMap::with_capacity(equations.len());
    for (equation, coefficient) in equations.iter().zip(coefficients) {
        for (key, message) in &equation.factors {
            let group = groups.entry(*message).or_insert_with(|| Group { keys: Vec::new(), coefficients: Vec::new() });
            group.keys.push(key.clone());
            group.coefficients.push(*coefficient);
        }
    }
    groups
}

/// `count` numbers between 1 and 2¹²⁸ − 1, little-endian, from the operating system's generator; `None` where it
/// fails.
fn fresh_coefficients(count: usize) -> Option<Vec<Coefficient>> {
    let mut coefficients = vec![[0; 16]; count];
    getrandom::fill(coefficients.as_flattened_mut()).ok()?;
    for coefficient in &mut coefficients {
        if *coefficient == [0; 16] {
            coefficient[0] = 1;
        }
    }
    Some(coefficients)
}
