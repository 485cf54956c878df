//! Poseidon over BN254, two to one and others: lanes against light-poseidon.

use std::hint::black_box;

use ark_bn254::Fr;
use ark_ff::PrimeField;
use light_poseidon::{Poseidon, PoseidonHasher};
use outrigger_algorithms::Unit;
use outrigger_types::{ColumnBuf, HashAlgorithm, HashWork, Work};

#[path = "pairs.rs"]
mod pairs;

const ITEMS: usize = 512;

fn main() {
    let Some(unit) = Unit::detect() else {
        println!("NOT RUN: this machine has no AVX-512 IFMA");
        return;
    };
    for arity in [1, 2, 4, 12] {
        // Numbers of a generator of little worth: 248 bits each, so all below r.
        let mut state = 1_u64;
        let mut byte = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        let mut element = || [vec![0], (0..31).map(|_| byte()).collect()].concat();
        let items: Vec<Vec<u8>> = (0..ITEMS).map(|_| (0..arity).flat_map(|_| element()).collect()).collect();
        let messages = ColumnBuf::from_items(&items);
        let work = Work::Hash(HashWork { algorithm: HashAlgorithm::PoseidonBn254, messages });
        let mut peer = Poseidon::<Fr>::new_circom(arity).expect("parameters");
        pairs::compare(
            &format!("poseidon-bn254, {arity} to one"),
            ITEMS,
            || {
                black_box(outrigger_algorithms::lanes::run(unit, &work, 0..ITEMS));
            },
            || {
                for item in &items {
                    let inputs: Vec<Fr> = item.chunks(32).map(Fr::from_be_bytes_mod_order).collect();
                    black_box(peer.hash(&inputs).expect("a hash"));
                }
            },
        );
    }
}
