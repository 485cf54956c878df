pragma circom 2.1.0;

include "poseidon.circom";

// Shows that a leaf is in a binary Poseidon tree with a known root, without showing the leaf or its place.
template MerkleMembership(depth) {
    // The root, public.
    signal input root;
    // The leaf, a field element.
    signal input leaf;
    // The sibling at each level, from the leaf up.
    signal input siblings[depth];
    // For each level, 0 where our node is the left child and 1 where it is the right one: the bits of the leaf's
    // index, the lowest first.
    signal input path[depth];

    signal node[depth + 1];
    signal left[depth];
    signal right[depth];
    component hash[depth];
    node[0] <== leaf;
    for (var level = 0; level < depth; level++) {
        path[level] * (path[level] - 1) === 0;
        // The node and its sibling, exchanged where the path says so.
        left[level] <== path[level] * (siblings[level] - node[level]) + node[level];
        right[level] <== node[level] + siblings[level] - left[level];
        hash[level] = Poseidon2();
        hash[level].in[0] <== left[level];
        hash[level].in[1] <== right[level];
        node[level + 1] <== hash[level].out;
    }
    root === node[depth];
}

component main { public [root] } = MerkleMembership(32);
