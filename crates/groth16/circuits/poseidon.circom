pragma circom 2.1.0;

include "poseidon-constants.circom";

// The Poseidon hash of two field elements over BN254: x^5, width 3, 8 full and 57 partial rounds, capacity 0, the
// first element of the last state. It agrees with circomlib's Poseidon(2).
//
// Full rounds are as the paper has them (https://eprint.iacr.org/2019/458). In a partial round only the first
// element goes through the S-box, so the state s moves as a linear system with one input: s' = F s + g y, y being
// the fifth power of s[0]. In the controller canonical form of that system (Kailath, Linear Systems, 1980, 2.3) the
// state is a matrix times the last three values of one sequence z, and a round is
//
//     z[k+1] = s[0]^5 + a1 z[k] + a2 z[k-1] + constant        with s[0] = b1 z[k] + b2 z[k-1] + b3 z[k-2].
//
// So a round costs three constraints of at most four terms and nothing more. Written with the state itself, a
// round either needs linear constraints beside the three, or its combinations grow with each round that went before.
template Poseidon2() {
    signal input in[2];
    signal output out;

    var CONSTANTS[8][3] = POSEIDON_FULL_CONSTANTS();
    var M[3][3] = POSEIDON_MATRIX();
    var FEEDBACK[2] = POSEIDON_FEEDBACK();
    var ADDITIONS[57] = POSEIDON_ADDITIONS();
    var STATE_OF_HISTORY[3][3] = POSEIDON_STATE_OF_HISTORY();
    var HISTORY_OF_STATE[3][3] = POSEIDON_HISTORY_OF_STATE();
    var REST[3] = POSEIDON_REST();

    // The second, fourth and fifth powers of what enters each S-box of a full round.
    signal square[8][3];
    signal fourth[8][3];
    signal fifth[8][3];
    // In a partial round, of its one S-box, and the sequence.
    signal z_square[57];
    signal z_fourth[57];
    signal z[57];

    // Linear combinations of signals, with the next round's constants added already.
    var state[3] = [CONSTANTS[0][0], CONSTANTS[0][1] + in[0], CONSTANTS[0][2] + in[1]];

    for (var round = 0; round < 8; round++) {
        if (round == 4) {
            // z[k], z[k-1], z[k-2].
            var history[3] = [0, 0, 0];
            for (var i = 0; i < 3; i++) {
                for (var j = 0; j < 3; j++) {
                    history[i] += HISTORY_OF_STATE[i][j] * state[j];
                }
            }
            for (var k = 0; k < 57; k++) {
                var first = 0;
                for (var j = 0; j < 3; j++) {
                    first += STATE_OF_HISTORY[0][j] * history[j];
                }
                z_square[k] <== first * first;
                z_fourth[k] <== z_square[k] * z_square[k];
                z[k] <== z_fourth[k] * first + FEEDBACK[0] * history[0] + FEEDBACK[1] * history[1] + ADDITIONS[k];
                history[2] = history[1];
                history[1] = history[0];
                history[0] = z[k];
            }
            for (var i = 0; i < 3; i++) {
                state[i] = REST[i];
                for (var j = 0; j < 3; j++) {
                    state[i] += STATE_OF_HISTORY[i][j] * history[j];
                }
            }
        }
        for (var i = 0; i < 3; i++) {
            square[round][i] <== state[i] * state[i];
            fourth[round][i] <== square[round][i] * square[round][i];
            fifth[round][i] <== fourth[round][i] * state[i];
        }
        for (var i = 0; i < 3; i++) {
            state[i] = round < 7 ? CONSTANTS[round + 1][i] : 0;
            for (var j = 0; j < 3; j++) {
                state[i] += M[i][j] * fifth[round][j];
            }
        }
    }
    out <== state[0];
}
