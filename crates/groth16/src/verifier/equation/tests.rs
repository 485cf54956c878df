use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;

use super::*;
use crate::verifier::tests::fixture::Fixture;

/// Verdicts alone would not show it if combinations always failed and each proof were looked at alone.
fn good_proofs_hold_together<E: Curve>() {
    for signals in [0, 1, 40] {
        let fixture = Fixture::<E>::new(signals);
        let key = Prepared::<E>::new(&fixture.key()).unwrap();
        let proofs = (0..33).map(|i| fixture.proof(i));
        let items = proofs.map(|proof| (0, key.read(&proof.bytes(), &proof.signal_bytes()).ok().unwrap()));
        let items: Vec<_> = items.collect();
        for count in [1, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33] {
            assert!(key.all_hold(&items[..count]), "{count} proofs of {signals} signals");
        }
        let twice: Vec<_> = (0..20)
            .map(|_| (0, key.read(&fixture.proof(0).bytes(), &fixture.proof(0).signal_bytes()).ok().unwrap()))
            .collect();
        assert!(key.all_hold(&twice), "one proof many times");
    }
}

#[test]
fn good_proofs_hold_together_on_bn254() {
    good_proofs_hold_together::<Bn254>();
}

#[test]
fn good_proofs_hold_together_on_bls12_381() {
    good_proofs_hold_together::<Bls12_381>();
}
