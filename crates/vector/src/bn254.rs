//! BN254 (also alt_bn128): its groups G1 and G2, for [`crate::msm`].

mod field;
mod quadratic;

use crate::lanes::Lanes;
use crate::msm::{Curve, in_lanes};
use field::Fp;
use quadratic::Fp2;

/// The order r of both groups.
const ORDER: [u64; 4] = [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];

/// G1: y² = x³ + 3 over the field of p elements. A coordinate is one number of four words.
#[derive(Clone, Copy, Debug)]
pub struct G1;

/// G2: y² = x³ + 3/(9 + i) over the field of p² elements. A coordinate a + b·i is two numbers, a first.
#[derive(Clone, Copy, Debug)]
pub struct G2;

impl Curve for G1 {
    type Number = [u64; 4];
    type Row = field::Row;
    type Coordinate<L: Lanes> = Fp<L>;
    const ORDER: [u64; 4] = ORDER;

    in_lanes!();
}

impl Curve for G2 {
    type Number = [[u64; 4]; 2];
    type Row = quadratic::Row;
    type Coordinate<L: Lanes> = Fp2<L>;
    const ORDER: [u64; 4] = ORDER;

    in_lanes!();
}
