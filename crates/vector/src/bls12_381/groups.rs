//! The groups G1 and G2 for [`crate::msm`].

use crate::lanes::Lanes;
use crate::msm::{Curve, in_lanes};

mod field;
mod quadratic;

/// The order r of both groups.
const ORDER: [u64; 4] = [0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48];

/// G1: y² = x³ + 4 over the field of p elements. A coordinate is one number of six words, times 2³⁸⁴.
#[derive(Clone, Copy, Debug)]
pub struct G1;

/// G2: y² = x³ + 4 + 4i over the field of p² elements. A coordinate a + b·i is two numbers, a first.
#[derive(Clone, Copy, Debug)]
pub struct G2;

impl Curve for G1 {
    type Number = [u64; 6];
    type Row = field::Row;
    type Coordinate<L: Lanes> = field::Fp<L>;
    const ORDER: [u64; 4] = ORDER;

    in_lanes!();
}

impl Curve for G2 {
    type Number = [[u64; 6]; 2];
    type Row = quadratic::Row;
    type Coordinate<L: Lanes> = quadratic::Fp2<L>;
    const ORDER: [u64; 4] = ORDER;

    in_lanes!();
}
