// Prints poseidon-constants.circom: the constants of Poseidon over BN254 for two inputs, in the form in which
// poseidon.circom uses them.
//
// Round constants and matrix come from the Grain shift register of appendix E of the Poseidon paper
// (https://eprint.iacr.org/2019/458), as the authors' generate_parameters_grain.sage draws them. The rest is linear
// algebra: see poseidon.circom for what it is good for.

const r = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const FIELD_BITS = 254;
const WIDTH = 3;
const FULL_ROUNDS = 8;
const PARTIAL_ROUNDS = 57;

const mod = (x) => ((x % r) + r) % r;

function power(base, exponent) {
    let result = 1n;
    for (let square = mod(base); exponent > 0n; exponent >>= 1n, square = mod(square * square)) {
        if (exponent & 1n) result = mod(result * square);
    }
    return result;
}

const inverse = (x) => {
    if (mod(x) === 0n) throw new Error("0 has no inverse");
    return power(x, r - 2n);
};

class Grain {
    constructor() {
        // Prime field, S-box x^5, then the numbers, each with its highest bit first, then ones: 80 bits.
        const fields = [[1, 2], [0, 4], [FIELD_BITS, 12], [WIDTH, 12], [FULL_ROUNDS, 10], [PARTIAL_ROUNDS, 10]];
        const bits = fields.map(([value, length]) => value.toString(2).padStart(length, "0")).join("").padEnd(80, "1");
        this.state = [...bits].map(Number);
        for (let i = 0; i < 160; i++) this.step();
    }

    step() {
        const bit = [62, 51, 38, 23, 13, 0].reduce((sum, tap) => sum ^ this.state[tap], 0);
        this.state.shift();
        this.state.push(bit);
        return bit;
    }

    // Of two bits, the second counts only where the first is 1.
    bit() {
        while (!this.step()) this.step();
        return this.step();
    }

    integer() {
        return BigInt("0b" + Array.from({ length: FIELD_BITS }, () => this.bit()).join(""));
    }

    // A round constant: integers that are not below r are passed over.
    constant() {
        let value;
        do value = this.integer();
        while (value >= r);
        return value;
    }

    // A point of the matrix: reduced.
    point() {
        return mod(this.integer());
    }
}

const list = (length, entry) => Array.from({ length }, (_, i) => entry(i));
const dot = (a, b) => mod(a.reduce((sum, x, i) => sum + x * b[i], 0n));
const apply = (matrix, vector) => matrix.map((row) => dot(row, vector));
const column = (matrix, j) => matrix.map((row) => row[j]);
const transpose = (matrix) => list(WIDTH, (j) => column(matrix, j));
// vector + scale * other
const combine = (vector, scale, other) => vector.map((x, i) => mod(x + scale * other[i]));

// Gauss and Jordan.
function invert(matrix) {
    const rows = matrix.map((row, i) => [...row, ...list(WIDTH, (j) => BigInt(i === j))]);
    for (let pivot = 0; pivot < WIDTH; pivot++) {
        const found = rows.findIndex((row, i) => i >= pivot && row[pivot] !== 0n);
        [rows[pivot], rows[found]] = [rows[found], rows[pivot]];
        const scale = inverse(rows[pivot][pivot]);
        rows[pivot] = rows[pivot].map((x) => mod(x * scale));
        rows.forEach((row, i) => {
            if (i !== pivot) rows[i] = combine(row, -row[pivot], rows[pivot]);
        });
    }
    return rows.map((row) => row.slice(WIDTH));
}

const grain = new Grain();
const roundConstants = list(FULL_ROUNDS + PARTIAL_ROUNDS, () => list(WIDTH, () => grain.constant()));
const points = list(2 * WIDTH, () => grain.point());
const matrix = list(WIDTH, (i) => list(WIDTH, (j) => inverse(points[i] + points[WIDTH + j])));

// A partial round takes the state s to F s + g y, where y is the fifth power of the first element.
const g = column(matrix, 0);
const F = matrix.map((row) => [0n, ...row.slice(1)]);

// The characteristic polynomial of F is x (x² - a1 x - a2): its first column is 0.
const a1 = mod(F[1][1] + F[2][2]);
const a2 = mod(F[1][2] * F[2][1] - F[1][1] * F[2][2]);

// The columns of T are g, F g - a1 g and F² g - a1 F g - a2 g: T is the basis of the controller canonical form.
const Fg = apply(F, g);
const T = transpose([g, combine(Fg, -a1, g), combine(combine(apply(F, Fg), -a1, Fg), -a2, g)]);

// Constants of the partial rounds, and of the full round after them, gathered into one number a round: `rest` is
// what the state has beyond T times the history, and each addition is chosen so that its first element stays 0.
const half = FULL_ROUNDS / 2;
let rest = list(WIDTH, () => 0n);
const additions = list(PARTIAL_ROUNDS, (k) => {
    const next = combine(apply(F, rest), 1n, roundConstants[half + k + 1]);
    const addition = mod(next[0] * inverse(g[0]));
    rest = combine(next, -addition, g);
    return addition;
});

// The constants of the full round after the partial ones are in `rest`.
const fullRounds = [...roundConstants.slice(0, half + 1), ...roundConstants.slice(half + PARTIAL_ROUNDS + 1)];

const show = (value, indent = "        ") =>
    Array.isArray(value) ? `[\n${value.map((x) => indent + "    " + show(x, indent + "    ")).join(",\n")}\n${indent}]` : `${value}`;
const func = (name, comment, value) => `\n// ${comment}\nfunction ${name}() {\n    return ${show(value, "    ")};\n}\n`;

process.stdout.write(
    [
        "// Generated by poseidon-constants.mjs; `build` makes it anew.\n",
        "pragma circom 2.1.0;\n",
        func("POSEIDON_FULL_CONSTANTS", "What the first four rounds, the first partial one and the last three rounds add.", fullRounds),
        func("POSEIDON_MATRIX", "What each round multiplies the state by.", matrix),
        func("POSEIDON_FEEDBACK", "Partial rounds: the weights of the last two values in the next one.", [a1, a2]),
        func("POSEIDON_ADDITIONS", "Partial rounds: what each adds to the next value.", additions),
        func("POSEIDON_STATE_OF_HISTORY", "From the last three values to the state.", T),
        func("POSEIDON_HISTORY_OF_STATE", "From the state to the three values that would have led to it.", invert(T)),
        func("POSEIDON_REST", "What the state after the partial rounds has beyond that, the next round's constants included.", rest),
    ].join(""),
);
