//! Poseidon as its paper says it, one line a step. It judges the evaluation that serves.

use ark_bn254::Fr;
use ark_ff::Field;

use super::parameters::{FULL_ROUNDS, Matrix, Parameters};

/// The hash of `parameters.width - 1` elements.
pub(super) fn hash(parameters: &Parameters, inputs: &[Fr]) -> Fr {
    assert_eq!(inputs.len() + 1, parameters.width);
    let mut state = vec![Fr::from(0_u64)];
    state.extend_from_slice(inputs);
    for (round, constants) in parameters.round_constants.iter().enumerate() {
        let is_full = round < FULL_ROUNDS / 2 || round >= FULL_ROUNDS / 2 + parameters.partial_rounds;
        state.iter_mut().zip(constants).for_each(|(element, constant)| *element += constant);
        let raised = if is_full { parameters.width } else { 1 };
        state[..raised].iter_mut().for_each(|element| *element = element.pow([5]));
        state = multiply(&parameters.matrix, &state);
    }
    state[0]
}

fn multiply(matrix: &Matrix, state: &[Fr]) -> Vec<Fr> {
    matrix.iter().map(|row| row.iter().zip(state).map(|(entry, element)| *entry * element).sum()).collect()
}
