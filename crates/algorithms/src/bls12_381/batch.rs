//! Many equations in one product of pairings.

use blst::Pairing;
use outrigger_types::{Output, Verdict};

use super::arrangement::{Arrangement, Term};

/// The equation of one set, e(g, signature) = Π e(keyⱼ, H(messageⱼ)), up to the order of the arguments.
pub(super) struct Equation<'a, A: Arrangement> {
    /// Where its verdict goes.
    pub(super) place: usize,
    pub(super) signature: A::Signature,
    /// At least one key with its message.
    pub(super) factors: Vec<(A::Key, &'a [u8])>,
}

impl<A: Arrangement> Equation<'_, A> {
    fn multiply_into(&self, product: &mut Pairing<'_>, coefficient: Option<&[u8; 16]>) -> bool {
        self.factors.iter().enumerate().all(|(n, (key, message))| {
            let signature = (n == 0).then_some(&self.signature);
            A::multiply(product, &Term { key, signature, message }, coefficient)
        })
    }
}

/// Writes the verdict of each equation: all at once, and where that fails each alone.
pub(super) fn judge<A: Arrangement>(equations: &[Equation<'_, A>], output: &mut Output) {
    let all_hold = equations.len() > 1 && product_holds(equations);
    for equation in equations {
        output.verdicts[equation.place] = Verdict::from_equation(all_hold || holds(equation));
    }
}

fn holds<A: Arrangement>(equation: &Equation<'_, A>) -> bool {
    let mut product = Pairing::new(true, A::DST);
    if !equation.multiply_into(&mut product, None) {
        return false;
    }
    product.commit();
    product.finalverify(None)
}

/// Whether the equations hold together, each to the power of a fresh coefficient. False also where the operating
/// system gives no randomness: then each is checked alone, which needs none.
fn product_holds<A: Arrangement>(equations: &[Equation<'_, A>]) -> bool {
    let Some(coefficients) = fresh_coefficients(equations.len()) else {
        return false;
    };
    let mut product = Pairing::new(true, A::DST);
    for (equation, coefficient) in equations.iter().zip(&coefficients) {
        if !equation.multiply_into(&mut product, Some(coefficient)) {
            return false;
        }
    }
    product.commit();
    product.finalverify(None)
}

/// `count` numbers between 1 and 2¹²⁸ − 1, little-endian, from the operating system's generator; `None` where it
/// fails.
fn fresh_coefficients(count: usize) -> Option<Vec<[u8; 16]>> {
    let mut coefficients = vec![[0; 16]; count];
    getrandom::fill(coefficients.as_flattened_mut()).ok()?;
    for coefficient in &mut coefficients {
        if *coefficient == [0; 16] {
            coefficient[0] = 1;
        }
    }
    Some(coefficients)
}
