/* Purpose: the operations of the proving fields one by one, in carry chains: what a device is checked with, since
 * nothing but it can judge its carries.
 *
 * Arguments: `first` and `second` hold `count` elements in Montgomery's form, one after the other; `pairs` gets eleven
 *   elements for each pair, see `proving/fields_check.inc`.
 * Items: work-item i has pair i.
 * Ranges: elements are below the modulus, in and out.
 * Cost: an inversion and five products. */

#define LIMBS_CHAINS

#include "fields/bn254_q.inc"
#include "fields/bn254_r.inc"
#include "fields/bls12_381_q.inc"
#include "fields/bls12_381_r.inc"

#define CHECK bn254_q_check
#define FIELD bn254_q
#define FIELD_WORDS 8
#include "proving/fields_check.inc"

KERNEL void check_chains_bn254_q(GLOBAL const u32 *first, GLOBAL const u32 *second, GLOBAL u32 *pairs, u32 count) {
    u32 i = GLOBAL_ID();
    if (i < count) bn254_q_check(first, second, pairs, i);
}

#define CHECK bn254_r_check
#define FIELD bn254_r
#define FIELD_WORDS 8
#include "proving/fields_check.inc"

KERNEL void check_chains_bn254_r(GLOBAL const u32 *first, GLOBAL const u32 *second, GLOBAL u32 *pairs, u32 count) {
    u32 i = GLOBAL_ID();
    if (i < count) bn254_r_check(first, second, pairs, i);
}

#define CHECK bls12_381_q_check
#define FIELD bls12_381_q
#define FIELD_WORDS 12
#include "proving/fields_check.inc"

KERNEL void check_chains_bls12_381_q(GLOBAL const u32 *first, GLOBAL const u32 *second, GLOBAL u32 *pairs, u32 count) {
    u32 i = GLOBAL_ID();
    if (i < count) bls12_381_q_check(first, second, pairs, i);
}

#define CHECK bls12_381_r_check
#define FIELD bls12_381_r
#define FIELD_WORDS 8
#include "proving/fields_check.inc"

KERNEL void check_chains_bls12_381_r(GLOBAL const u32 *first, GLOBAL const u32 *second, GLOBAL u32 *pairs, u32 count) {
    u32 i = GLOBAL_ID();
    if (i < count) bls12_381_r_check(first, second, pairs, i);
}
