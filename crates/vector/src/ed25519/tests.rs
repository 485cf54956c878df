use super::*;

fn units() -> Vec<Unit> {
    let detected = Unit::detect();
    if detected.is_none() {
        eprintln!("NOT RUN on AVX-512: this machine has none");
    }
    [Some(Unit::PORTABLE), detected].into_iter().flatten().collect()
}

/// The encoding of the base point: y = 4/5.
const BASE: [u8; 32] = {
    let mut bytes = [0x66; 32];
    bytes[0] = 0x58;
    bytes
};

fn scalar(words: [u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (word, bytes) in words.iter().zip(bytes.chunks_exact_mut(8)) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

fn wide(scalar: [u8; 32]) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&scalar);
    bytes
}

/// \[S\]B − \[k\]B for S = k + 1 is B, whatever k: all windows of both tables, and their edges.
#[test]
fn both_tables_have_the_multiples_of_the_base_point() {
    let mut scalars: Vec<[u64; 4]> = (0..252)
        .map(|bit| {
            let mut words = [0; 4];
            words[bit / 64] = 1 << (bit % 64);
            words
        })
        .collect();
    scalars.extend((0..600).map(|small| [small, 0, 0, 0]));
    // L − 2.
    scalars.push([0x5812_631a_5cf5_d3eb, 0x14de_f9de_a2f7_9cd6, 0, 1 << 60]);
    let pairs: Vec<_> = scalars.iter().map(|&k| (scalar([k[0] + 1, k[1], k[2], k[3]]), wide(scalar(k)))).collect();
    let signatures: Vec<_> = pairs.iter().map(|(s, hash)| Signature { key: &BASE, r: &BASE, s, hash }).collect();
    for unit in units() {
        let expected = Equation { key_is_point: true, holds: true };
        assert!(equations(unit, &signatures).iter().all(|equation| *equation == expected), "{}", unit.name());
        let expected = CofactorEquation { are_points: true, holds: true };
        assert!(cofactor_equations(unit, &signatures).iter().all(|equation| *equation == expected));
        let points = decode_points(unit, &[&BASE]);
        let mut terms: Vec<_> = signatures
            .iter()
            .map(|signature| Term { key: 0, r: 0, s: signature.s, hash: signature.hash, coefficient: [0xa7; 16] })
            .collect();
        assert!(sum_holds(unit, &points, &terms), "{}", unit.name());
        assert!(sum_holds(unit, &points, &[]), "no terms");
        terms[300].s = &[0; 32];
        assert!(!sum_holds(unit, &points, &terms), "{}", unit.name());
    }
}

/// y from 0 to 25 and from p − 25 to 2²⁵⁵ − 1, and which of them are of small order.
#[test]
fn small_orders() {
    let mut encodings: Vec<[u8; 32]> = (0..26).map(|y| scalar([y, 0, 0, 0])).collect();
    encodings.extend((0..44).map(|less| scalar([u64::MAX - less, u64::MAX, u64::MAX, u64::MAX >> 1])));
    let small: Vec<_> = encodings.iter().filter(|encoding| has_small_order(encoding)).collect();
    // 0, 1, p − 1, p and p + 1.
    assert_eq!(small.len(), 5);
    let references: Vec<_> = encodings.iter().collect();
    for unit in units() {
        let are_points = are_points(unit, &references);
        let points = decode_points(unit, &references);
        assert!((0..references.len()).all(|n| are_points[n] == points.is_point(n)));
        for (encoding, is_point) in encodings.iter().zip(are_points) {
            // 2³·P of a small P is the identity: the equation with S = k = 0 says so of R = P.
            let signature = Signature { key: &BASE, r: encoding, s: &[0; 32], hash: &[0; 64] };
            let expected = CofactorEquation { are_points: is_point, holds: is_point && has_small_order(encoding) };
            assert_eq!(cofactor_equations(unit, &[signature]), [expected]);
        }
    }
}
