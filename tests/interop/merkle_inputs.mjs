// Inputs of our Merkle membership circuit, from circomlibjs's Poseidon: a path of 32 siblings to a root.
import { buildPoseidon } from "circomlibjs";
import { createHash } from "node:crypto";

const DEPTH = 32;
const INDEX = 0x9e3779b9;
const poseidon = await buildPoseidon();
const hash = (left, right) => poseidon.F.toObject(poseidon([left, right]));
// 248 bits, so below the order of the field.
const element = (label) => BigInt("0x" + createHash("sha256").update(label).digest("hex")) >> 8n;

const leaf = element("leaf");
const siblings = Array.from({ length: DEPTH }, (_, level) => element(`sibling ${level}`));
const path = siblings.map((_, level) => (INDEX >>> level) & 1);
const root = siblings.reduce((node, sibling, i) => (path[i] ? hash(sibling, node) : hash(node, sibling)), leaf);
const texts = (values) => values.map(String);
console.log(JSON.stringify({ root: `${root}`, leaf: `${leaf}`, siblings: texts(siblings), path: texts(path) }));
