/* From witnesses to the scalars of the H points over BLS12-381, for a batch of proofs of one circuit: sparse products, transforms.
 *
 * Elements are 8 words in Montgomery's form, one after the other; n = 2^log_size is the order of the domain. `values` are
 * 3 * proofs polynomials of n elements: a of each proof, then b, then c. Indexes of elements of a batch stay below 2^32.
 *
 * bls12_381_rows          a row of the matrix times each witness. `witnesses` are `wire_count` plain numbers for each proof; ends,
 *                   wires, terms, coefficients: see proving/rows.inc. The product of row i of proof p goes to i of polynomial
 *                   first + p. Work-item p * n + i has it
 * bls12_381_rows_pieces   pieces of rows of more than terms_max terms. `pieces` are 4 words each: where its wires start and end, and
 *                   its terms. Work-item p * piece_count + i has piece i of proof p; its sum goes to `sums` at that place
 * bls12_381_rows_join     the pieces of a long row together. `long_rows` are 3 words each: the row, its first piece, the one
 *                   after its last. Group p * long_count + i has row i of proof p; groups have a power of two of work-items
 * bls12_381_transform_pass
 *                   one pass of the transforms first to first + count - 1, see proving/transform.h and transform.inc. A group
 *                   has a tile of 2^(levels + columns) elements, at most TRANSFORM_TILE: group g that of polynomial
 *                   first + g mod count with number g / count. `fractions`: 16 words for each log_size from 0 on, 1/n in
 *                   Montgomery's form and as a plain number
 * bls12_381_transform_roots
 *                   both tables of roots for transforms up to 2^log_size, from powers of a root of unity of twice that order;
 *                   the first 2^low_bits, and as many of the one after them as there are. Work-item i has element i
 * bls12_381_transform_reorder
 *                   from bit-reversed to natural order. Work-item i writes element i
 *
 * Ranges: elements below the modulus, in and out; plain numbers too. Cost for an element of the domain: one product to begin
 * c, 3 to end it; for each level of each of six transforms half a product, with the first levels of the inverse free: see
 * README.md. References: proving/transform.inc, proving/rows.inc. */

#include "fields/bls12_381_r.inc"

#define FIELD bls12_381_r
#define ROWS(name) bls12_381_rows_##name
#include "proving/rows.inc"

#include "proving/transform.h"
#define FIELD bls12_381_r
#define TRANSFORM(name) bls12_381_transform_##name
#include "proving/transform.inc"
#define TRANSFORM(name) bls12_381_transform_##name

KERNEL void bls12_381_rows(GLOBAL const u32 *witnesses, GLOBAL const u32 *ends, GLOBAL const u32 *wires,
                   GLOBAL const u32 *terms, GLOBAL const u32 *coefficients, GLOBAL u32 *values, u32 wire_count, u32 rows,
                   u32 terms_max, u32 log_size, u32 first, u32 proofs) {
    u32 i = GLOBAL_ID();
    u32 proof = i >> log_size;
    if (proof >= proofs) return;
    bls12_381_rows_row(witnesses, wire_count, ends, wires, terms, coefficients, values, rows, terms_max,
               (first << log_size) + i, proof, i - (proof << log_size));
}

KERNEL void bls12_381_rows_pieces(GLOBAL const u32 *witnesses, GLOBAL const u32 *pieces, GLOBAL const u32 *wires,
                          GLOBAL const u32 *terms, GLOBAL const u32 *coefficients, GLOBAL u32 *sums, u32 wire_count,
                          u32 piece_count, u32 proofs) {
    u32 i = GLOBAL_ID();
    u32 proof = i / piece_count;
    if (proof >= proofs) return;
    bls12_381_rows_piece_of_row(witnesses, wire_count, pieces, wires, terms, coefficients, sums, i, proof,
                        i - proof * piece_count);
}

KERNEL_COOPERATIVE void bls12_381_rows_join(GLOBAL const u32 *sums, GLOBAL const u32 *long_rows, GLOBAL u32 *values,
                                    u32 long_count, u32 piece_count, u32 log_size, u32 first) {
    LOCAL u32 kept[8 * GROUP_MAX];
    u32 proof = GROUP_ID() / long_count;
    GLOBAL const u32 *long_row = long_rows + 3u * (GROUP_ID() - proof * long_count);
    u64 before = (u64)proof * piece_count;
    bls12_381_rows_gather(kept, sums, before + long_row[1], before + long_row[2]);
    BARRIER_LOCAL();
    for (u32 distance = LOCAL_SIZE() >> 1; distance > 0; distance >>= 1) {
        bls12_381_rows_fold(kept, distance);
        BARRIER_LOCAL();
    }
    if (LOCAL_ID() == 0) {
        bls12_381_transform_write(values, log_size, first + proof, long_row[0], bls12_381_rows_kept(kept, 0));
    }
}

KERNEL_COOPERATIVE void bls12_381_transform_pass(GLOBAL u32 *values, GLOBAL const u32 *plain_roots,
                                         GLOBAL const u32 *coset_roots, GLOBAL const u32 *fractions, u32 log_size,
                                         u32 low, u32 levels, u32 columns, u32 first, u32 count, u32 proofs,
                                         u32 mode) {
#include "proving/transform_pass.inc"
}

KERNEL void bls12_381_transform_roots(GLOBAL const u32 *powers, GLOBAL const u32 *high_powers, GLOBAL u32 *plain_roots,
                              GLOBAL u32 *coset_roots, u32 log_size, u32 low_bits) {
    u32 i = GLOBAL_ID();
    if (i >> log_size) return;
    bls12_381_transform_root(powers, high_powers, plain_roots, coset_roots, log_size, low_bits, i);
}

KERNEL void bls12_381_transform_reorder(GLOBAL const u32 *values, GLOBAL u32 *reordered, GLOBAL const u32 *coset_roots,
                                GLOBAL const u32 *fractions, u32 log_size, u32 mode) {
    u32 i = GLOBAL_ID();
    if (i >> log_size) return;
    bls12_381_transform_reorder_element(values, reordered, coset_roots, fractions, log_size, mode, i);
}
