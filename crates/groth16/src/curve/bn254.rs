//! What BN254 has of its own: a fast test for membership in G2.

use ark_bn254::{Bn254, Config, Fq2, G2Affine, G2Projective};
use ark_ec::AffineRepr;
use ark_ec::bn::BnConfig;
use ark_ff::{AdditiveGroup, Field};
use outrigger_vector::{bn254, ntt};

use super::Curve;
use crate::engine::vector::Transforms;
use crate::engine::{Arithmetic, ProofEngine};

impl Curve for Bn254 {
    const ID: outrigger_types::Curve = outrigger_types::Curve::Bn254;

    type G1Lanes = bn254::G1;
    type G2Lanes = bn254::G2;
    type ScalarLanes = ntt::Bn254Scalars;

    fn arithmetic(engine: &dyn ProofEngine) -> &dyn Arithmetic<Self> {
        engine.bn254()
    }

    fn transforms() -> &'static Transforms<Self::ScalarLanes> {
        static TRANSFORMS: Transforms<ntt::Bn254Scalars> = Transforms::new();
        &TRANSFORMS
    }

    /// P is in the subgroup where `[x + 1]P + ψ([x]P) + ψ²([x]P) = ψ³([2x]P)`, with the curve's parameter x of 63 bits and
    /// the untwist-Frobenius-twist endomorphism ψ (Dai, Lin, Zhao, Zhou, "Fast Subgroup Membership Testings for G1, G2
    /// and GT on Pairing-friendly Curves", <https://eprint.iacr.org/2022/348>, section 5.1). arkworks' test multiplies
    /// by 6x², of 127 bits.
    ///
    /// Nothing else passes: a point for which this holds has an order that divides the norm of
    /// (x + 1) + xψ + xψ² − 2xψ³ in Z\[ψ\], ψ² − tψ + q = 0, and the only factor that this norm has in common with the
    /// order h₂·r of the whole group is r.
    fn is_in_g2(point: &G2Affine) -> bool {
        let multiple = point.mul_bigint(Config::X);
        let (once, twice) = (frobenius(&multiple), frobenius(&frobenius(&multiple)));
        multiple + point + once + twice == frobenius(&twice).double()
    }
}

/// The endomorphism ψ. On Jacobian coordinates: Z goes with its conjugate.
fn frobenius(point: &G2Projective) -> G2Projective {
    let conjugate = |element: &Fq2| element.frobenius_map(1);
    G2Projective {
        x: conjugate(&point.x) * Config::TWIST_MUL_BY_Q_X,
        y: conjugate(&point.y) * Config::TWIST_MUL_BY_Q_Y,
        z: conjugate(&point.z),
    }
}
