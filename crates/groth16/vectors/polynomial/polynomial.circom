pragma circom 2.0.0;

// y = x^5 + 3·k·x^2 − 7, and z = 1 where x is zero, else 0; x is private, k public.
template Polynomial() {
    signal input x;
    signal input k;
    signal output y;
    signal output z;
    signal square;
    signal fourth;
    signal fifth;
    signal inverse;
    square <== x * x;
    fourth <== square * square;
    fifth <== fourth * x;
    y <== 3 * k * square + fifth - 7;
    inverse <-- x != 0 ? 1 / x : 0;
    z <== 1 - x * inverse;
    x * z === 0;
}

component main {public [k]} = Polynomial();
