//! Circuits of any size, for benches and tests.

use outrigger_types::Curve;
use zeroize::Zeroizing;

use crate::curve::RawScalar;
use crate::formats::r1cs::Term;
use crate::{R1cs, Witness};

/// The least size that [`synthetic`] makes.
pub const LOG2_SIZE_MIN: u32 = 2;
/// The greatest size that [`synthetic`] makes: a key of it has some hundred gigabytes.
pub const LOG2_SIZE_MAX: u32 = 26;

/// A circuit whose key has a domain of 2^`log2_size`, and a witness of it.
///
/// It is a chain of 2^`log2_size` − 2 multiplications x_{i+2} = x_{i+1}·(x_{i+1} + x_i), the last of which is the
/// public output. Every value is of full width, which is the hardest case for the multi-scalar multiplications:
/// circuits of circom have mostly zeros and ones. The values are the same each time.
///
/// # Panics
/// Where the size is not from [`LOG2_SIZE_MIN`] to [`LOG2_SIZE_MAX`].
pub fn synthetic(log2_size: u32, curve: Curve) -> (R1cs, Witness) {
    assert!((LOG2_SIZE_MIN..=LOG2_SIZE_MAX).contains(&log2_size), "a size of 2^{log2_size}");
    let constraints = (1 << log2_size) - 2;
    let r1cs = chain(constraints, curve);
    let values = match curve {
        Curve::Bn254 => chain_values::<ark_bn254::Fr>(constraints),
        Curve::Bls12_381 => chain_values::<ark_bls12_381::Fr>(constraints),
    };
    (r1cs, Witness::new(curve, values))
}

/// Wires: the constant one, the output x_{n+1}, then x_0 to x_n; for n constraints.
fn chain(constraints: u32, curve: Curve) -> R1cs {
    const ONE: [u64; 4] = [1, 0, 0, 0];
    let wire = |i: u32| -> Term { if i == constraints + 1 { (1, ONE) } else { (2 + i, ONE) } };
    let mut r1cs = R1cs::new(curve, constraints as usize + 3, 1, 0, 2).expect("the wires are counted right");
    for i in 0..constraints {
        let pushed = r1cs.push(&[wire(i + 1)], &[wire(i), wire(i + 1)], &[wire(i + 2)]);
        pushed.expect("the wires are there");
    }
    r1cs
}

fn chain_values<F: RawScalar>(constraints: u32) -> Zeroizing<Vec<[u64; 4]>> {
    let mut values = Zeroizing::new(Vec::with_capacity(constraints as usize + 4));
    // One third and one fifth: numbers of full width.
    let [mut before, mut last] = [3u64, 5].map(|small| F::from(small).inverse().expect("not zero"));
    values.extend([[1, 0, 0, 0], [0; 4], before.plain_limbs(), last.plain_limbs()]);
    for _ in 0..constraints {
        (before, last) = (last, last * (last + before));
        values.push(last.plain_limbs());
    }
    values[1] = values.pop().expect("there is at least one constraint");
    values
}
