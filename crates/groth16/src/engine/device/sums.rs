//! Multi-scalar multiplications in G1 and G2, many of them in the same launches.
