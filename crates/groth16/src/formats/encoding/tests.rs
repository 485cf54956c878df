use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::UniformRand;
use ark_serialize::CanonicalSerialize;

use super::*;
use crate::formats::{json, vectors};

fn points<E: Curve>() -> (Vec<E::G1Affine>, Vec<E::G2Affine>) {
    let mut rng = ark_std::test_rng();
    let mut g1: Vec<_> = (0..20).map(|_| E::G1::rand(&mut rng).into_affine()).collect();
    let mut g2: Vec<_> = (0..20).map(|_| E::G2::rand(&mut rng).into_affine()).collect();
    let special1 = [E::G1Affine::zero(), E::G1::generator().into_affine(), (-E::G1::generator()).into_affine()];
    let special2 = [E::G2Affine::zero(), E::G2::generator().into_affine(), (-E::G2::generator()).into_affine()];
    g1.extend(special1);
    g2.extend(special2);
    (g1, g2)
}

fn round_trips<E: Curve>() {
    let (g1, g2) = points::<E>();
    for point in g1 {
        let bytes = g1_to_bytes::<E>(&point);
        assert_eq!(bytes.len(), 2 * E::ID.base_bytes());
        assert_eq!(g1_from_bytes::<E>(&bytes), Some(point));
        assert_eq!(decompress_point::<E, E::G1Affine>(&compress_point::<E, _>(&point)), Some(point));
    }
    for point in g2 {
        let bytes = g2_to_bytes::<E>(&point);
        assert_eq!(bytes.len(), 4 * E::ID.base_bytes());
        assert_eq!(g2_from_bytes::<E>(&bytes), Some(point));
        assert_eq!(decompress_point::<E, E::G2Affine>(&compress_point::<E, _>(&point)), Some(point));
    }
}

#[test]
fn points_survive() {
    round_trips::<Bn254>();
    round_trips::<Bls12_381>();
}

#[test]
fn compressed_points_of_bls12_381_are_those_of_arkworks() {
    let (g1, g2) = points::<Bls12_381>();
    for point in g1 {
        let mut judge = Vec::new();
        point.serialize_compressed(&mut judge).expect("into memory");
        assert_eq!(compress_point::<Bls12_381, _>(&point), judge);
    }
    for point in g2 {
        let mut judge = Vec::new();
        point.serialize_compressed(&mut judge).expect("into memory");
        assert_eq!(compress_point::<Bls12_381, _>(&point), judge);
    }
}

/// arkworks has the same x and the same sign on BN254, in its own order: little-endian, flags in the last byte, where
/// bit 7 says that y is the larger one.
#[test]
fn signs_on_bn254_are_those_of_arkworks() {
    let (g1, g2) = points::<Bn254>();
    let judged = |mut judge: Vec<u8>, infinite: bool| {
        judge.reverse();
        let is_larger = judge[0] & 0x80 != 0;
        judge[0] &= 0x3F;
        judge[0] |= if infinite {
            0x40
        } else if is_larger {
            0xC0
        } else {
            0x80
        };
        judge
    };
    for point in g1 {
        let mut judge = Vec::new();
        point.serialize_compressed(&mut judge).expect("into memory");
        assert_eq!(compress_point::<Bn254, _>(&point), judged(judge, point.is_zero()));
    }
    for point in g2 {
        let mut judge = Vec::new();
        point.serialize_compressed(&mut judge).expect("into memory");
        assert_eq!(compress_point::<Bn254, _>(&point), judged(judge, point.is_zero()));
    }
}

/// The generator (1, 2) as gnark-crypto marshals it.
#[test]
fn the_generator_of_bn254_has_the_smaller_y() {
    let bytes = compress_point::<Bn254, _>(&ark_bn254::G1Affine::generator());
    assert_eq!(hex::encode(bytes), format!("80{:0>62}", 1));
}

#[test]
fn raw_points_are_in_the_order_of_eip_197() {
    // EIP-197 gives the generator of G2 with the imaginary part first.
    let bytes = g2_to_bytes::<Bn254>(&ark_bn254::G2Affine::generator());
    assert_eq!(hex::encode(&bytes[..32]), "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2");
    assert_eq!(hex::encode(&bytes[32..64]), "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed");
}

#[test]
fn a_proof_survives_compression() {
    for vectors in vectors::ALL {
        let proof = json::read_proof(vectors.proof.as_bytes(), vectors.public.as_bytes()).expect("a good proof");
        let bytes = compress(&proof).expect("good points");
        assert_eq!(bytes.len(), vectors.curve.proof_bytes() / 2);
        assert_eq!(decompress(vectors.curve, &bytes, proof.public_signals.clone()), Ok(proof));
    }
}

#[test]
fn bad_bytes_are_refused() {
    for vectors in vectors::ALL {
        let proof = json::read_proof(vectors.proof.as_bytes(), b"[]").expect("a good proof");
        let good = compress(&proof).expect("good points");
        for end in 0..good.len() {
            assert!(decompress(vectors.curve, &good[..end], Vec::new()).is_err());
        }
        assert!(decompress(vectors.curve, &good, vec![0; 31]).is_err());
        // Flags that say nothing, infinity with a rest, x not below q.
        let firsts: &[(u8, u8)] = match vectors.curve {
            CurveId::Bn254 => &[(0x00, 1), (0x20, 1), (0x40, 1), (0x60, 0), (0xBF, 0xFF), (0xFF, 0xFF)],
            CurveId::Bls12_381 => &[(0x00, 1), (0x20, 1), (0x60, 0), (0xC0, 1), (0xE0, 0), (0x9F, 0xFF), (0xBF, 0xFF)],
        };
        for (first, rest) in firsts {
            let mut bytes = good.clone();
            bytes[..vectors.curve.base_bytes()].fill(*rest);
            bytes[0] = *first;
            assert!(decompress(vectors.curve, &bytes, Vec::new()).is_err(), "{first:x} {rest:x}");
        }
        let short = Proof { bytes: proof.bytes[1..].to_vec(), ..proof.clone() };
        assert!(compress(&short).is_err());
        let mut off = proof;
        let last = off.bytes.len() - 1;
        off.bytes[last] ^= 1;
        assert!(compress(&off).is_err());
    }
}

#[test]
fn coordinates_of_q_are_refused() {
    for curve in CurveId::ALL {
        let mut q = crate::formats::primes::base_prime(curve);
        q.reverse();
        let zero = vec![0; q.len()];
        // (0, q) and (q, 0) would be infinity if they were reduced.
        for bytes in [[zero.clone(), q.clone()].concat(), [q, zero].concat()] {
            let refused = match curve {
                CurveId::Bn254 => g1_from_bytes::<Bn254>(&bytes).is_none(),
                CurveId::Bls12_381 => g1_from_bytes::<Bls12_381>(&bytes).is_none(),
            };
            assert!(refused);
        }
    }
}
