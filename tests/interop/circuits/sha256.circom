pragma circom 2.1.0;

// A message of 512 bits, with its padding two blocks: 62,528 constraints, a domain of 2^16. Compiled in tests only,
// against circomlib from npm, and never shipped. circom2 finds includes below its working directory only: run it in the
// folder that has node_modules, with `-l node_modules`.
include "circomlib/circuits/sha256/sha256.circom";

component main = Sha256(512);
