//! The proving fields of the kernels against arkworks, in both of their forms.

use ark_ff::PrimeField;
use ark_std::test_rng;
use outrigger_device::Argument;
use outrigger_kernels::Program;

use super::here;
use crate::curve::RawField;

/// Elements that a check gives for each pair.
const CHECKS: usize = 11;
/// Random pairs beside those of edges.
const RANDOM: usize = 30;
const GROUP: u32 = 8;

/// Pairs of 0, 1, R^-1 mod m, m - 1, numbers of full and of empty words, and random ones.
fn pairs<F: PrimeField + RawField>() -> Vec<(F, F)> {
    let mut rng = test_rng();
    let r = F::from(2u64).pow([8 * F::BYTES as u64]);
    let full = F::from_le_bytes_mod_order(&vec![0xFF; F::BYTES - 1]);
    let sparse = F::from(u64::from(u32::MAX)) * F::from(2u64).pow([160]);
    let one = F::from(1u64);
    let mut edges = vec![F::from(0u64), one, -one, one + one, r, -r, one / r, -one / r, full, sparse, -sparse];
    edges.push(full / r);
    let mut pairs: Vec<(F, F)> = edges.iter().flat_map(|a| edges.iter().map(|b| (*a, *b))).collect();
    pairs.extend((0..RANDOM).map(|_| (F::rand(&mut rng), F::rand(&mut rng))));
    pairs
}

fn raw<F: RawField>(elements: impl IntoIterator<Item = F>) -> Vec<u8> {
    let write = |element: F| {
        let mut bytes = vec![0; F::BYTES];
        element.write_montgomery(&mut bytes);
        bytes
    };
    elements.into_iter().flat_map(write).collect()
}

/// What the kernel must give for a pair.
fn expected<F: PrimeField + RawField>(a: F, b: F) -> [F; CHECKS] {
    let r = F::from(2u64).pow([8 * F::BYTES as u64]);
    // An element whose lowest word is a small number, in the form in which elements lie in memory.
    let flags = F::from(2 * u64::from(a.is_zero()) + u64::from(a == b)) / r;
    let inverse = a.inverse().unwrap_or(a);
    [a + b, a - b, -a, a + a, a * b, a * a, a / r, a * r, inverse, if a == b { a } else { b }, flags]
}

fn check<F: PrimeField + RawField>(program: &str, kernel: &str) {
    let pairs = pairs::<F>();
    let [first, second] = [raw(pairs.iter().map(|pair| pair.0)), raw(pairs.iter().map(|pair| pair.1))];
    let mut queue = here::device().queue().expect("a queue");
    queue.load(Program::find(program).expect("the program")).expect("it is compiled");
    let [a, b] = [&first, &second].map(|bytes| {
        let buffer = queue.allocate(bytes.len()).expect("memory");
        queue.write(&buffer, 0, bytes).expect("written");
        buffer
    });
    let results = queue.allocate(CHECKS * first.len()).expect("memory");
    let count = u32::try_from(pairs.len()).expect("few");
    let arguments: [Argument<'_>; 4] = [(&a).into(), (&b).into(), (&results).into(), count.into()];
    queue.launch(kernel, count.div_ceil(GROUP), GROUP, &arguments).expect("started");
    let mut found = vec![0; CHECKS * first.len()];
    queue.read(&results, 0, &mut found).expect("read");
    for ((a, b), found) in pairs.iter().zip(found.chunks(CHECKS * F::BYTES)) {
        let expected = expected(*a, *b);
        for (place, (expected, found)) in expected.iter().zip(found.chunks(F::BYTES)).enumerate() {
            assert_eq!(raw([*expected]), found, "{kernel}, result {place} of {a} and {b}");
        }
    }
}

#[test]
fn fields_agree_with_arkworks() {
    check::<ark_bn254::Fq>("proving_fields", "check_bn254_q");
    check::<ark_bn254::Fr>("proving_fields", "check_bn254_r");
    check::<ark_bls12_381::Fq>("proving_fields", "check_bls12_381_q");
    check::<ark_bls12_381::Fr>("proving_fields", "check_bls12_381_r");
}

#[test]
fn fields_in_carry_chains_agree_with_arkworks() {
    check::<ark_bn254::Fq>("proving_fields_chains", "check_chains_bn254_q");
    check::<ark_bn254::Fr>("proving_fields_chains", "check_chains_bn254_r");
    check::<ark_bls12_381::Fq>("proving_fields_chains", "check_chains_bls12_381_q");
    check::<ark_bls12_381::Fr>("proving_fields_chains", "check_chains_bls12_381_r");
}
