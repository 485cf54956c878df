// Poseidon over BN254 with 1 to 16 inputs, and trees of it: circomlibjs and @zk-kit/lean-imt judge.
// Prints groups as cases.py describes them.
import { LeanIMT } from "@zk-kit/lean-imt";
import { buildPoseidonOpt } from "circomlibjs";
import { createHash } from "node:crypto";

const ITEMS_OF_EACH_ARITY = 64;
const ROOT_SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33, 100];
const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

const poseidon = await buildPoseidonOpt();
const hash = (elements) => BigInt(poseidon.F.toString(poseidon(elements)));

let counter = 0;
/** The next of a fixed series of field elements; the ends of the range come up too. */
function element() {
  counter += 1;
  if (counter % 31 === 0) return R - 1n;
  if (counter % 29 === 0) return 0n;
  return BigInt("0x" + createHash("sha256").update(`element ${counter}`).digest("hex")) % R;
}

const hex = (value) => value.toString(16).padStart(64, "0");
const many = (count, make) => Array.from({ length: count }, make);

function arity(inputs) {
  const items = many(ITEMS_OF_EACH_ARITY, () => many(inputs, element));
  return {
    name: `Poseidon of ${inputs}, circomlibjs`,
    arguments: ["hash", "--algorithm", "poseidon-bn254"],
    items: items.map((item) => item.map(hex).join("")),
    answers: "digests",
    expected: items.map((item) => "0x" + hex(hash(item))),
  };
}

function malformed() {
  const items = ["", "00", hex(R), hex(1n) + hex(R), hex(2n ** 256n - 1n), hex(1n).repeat(17), hex(1n) + "00"];
  return {
    name: "Poseidon of what is no list of elements",
    arguments: ["hash", "--algorithm", "poseidon-bn254"],
    items,
    answers: "digests",
    expected: items.map(() => null),
  };
}

function tree(name, size, root) {
  const leaves = many(size, element);
  return {
    name: `Merkle tree ${name}, ${size} leaves`,
    arguments: ["merkle", "--tree", name],
    items: leaves.map(hex),
    answers: "root",
    expected: "0x" + hex(root(leaves)),
  };
}

/** Filled up with zeros to a power of two. */
function padded(leaves) {
  let level = [...leaves];
  while (level.length & (level.length - 1)) level.push(0n);
  while (level.length > 1) level = many(level.length / 2, (_, i) => hash([level[2 * i], level[2 * i + 1]]));
  return level[0];
}

const lean = (leaves) => new LeanIMT((a, b) => hash([a, b]), leaves).root;

const groups = [
  ...many(16, (_, i) => arity(i + 1)),
  malformed(),
  ...ROOT_SIZES.flatMap((size) => [tree("lean-imt", size, lean), tree("poseidon", size, padded)]),
];
process.stdout.write(JSON.stringify(groups));
