pragma circom 2.0.0;

// c = a * b * (a + 3), and d = a + b: one public input, two outputs, a wire that B does not use.
template Product() {
    signal input a;
    signal input b;
    signal output c;
    signal output d;
    signal ab;
    ab <== a * b;
    c <== ab * (a + 3);
    d <== a - 2 * b;
}

component main {public [a]} = Product();
