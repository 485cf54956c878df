pragma circom 2.1.0;

// Small, and of either curve: x squared, plus a constant that is public, fifty times. The last value is public.
template Chain(length) {
    signal input start;
    signal input constant;
    signal output last;

    signal x[length + 1];
    x[0] <== start;
    for (var i = 0; i < length; i++) {
        x[i + 1] <== x[i] * x[i] + constant;
    }
    last <== x[length];
}

component main { public [constant] } = Chain(50);
