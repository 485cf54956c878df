// What snarkjs says of circuits, keys and proofs. Standard input is a list of tasks; prints a list of answers.
//   {do: "key", r1cs, curve, power, key}           makes a key with powers of tau of its own
//   {do: "verificationKey", key}                   the key's verification_key.json
//   {do: "witness", wasm, input, witness}          writes a witness
//   {do: "prove", key, witness, proof, public}     writes a proof
//   {do: "verify", vk, proof, public}              whether a proof is valid; vk, proof and public are values, not files
//   {do: "calldata", proof, public}                what a Solidity verifier is called with
//   {do: "verifier", key}                          {code, selector} of snarkjs's Solidity verifier, compiled by solc
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as snarkjs from "snarkjs";

const require = createRequire(import.meta.url);
const json = (path) => JSON.parse(readFileSync(path, "utf8"));
const save = (path, value) => writeFileSync(path, JSON.stringify(value));

// A run makes its own powers of tau: small ones, and nobody keeps what they were made from.
async function key({ r1cs, curve, power, key }) {
  const file = (name) => ({ type: "mem", name });
  const [started, prepared, first] = [file("started"), file("prepared"), file("first")];
  const field = await snarkjs.curves.getCurveFromName(curve);
  await snarkjs.powersOfTau.newAccumulator(field, power, started);
  const contributed = file("contributed");
  await snarkjs.powersOfTau.contribute(started, contributed, "interop", "entropy of a test");
  await snarkjs.powersOfTau.preparePhase2(contributed, prepared);
  await snarkjs.zKey.newZKey(r1cs, prepared, first);
  await snarkjs.zKey.contribute(first, key, "interop", "entropy of another test");
}

async function verifier({ key }) {
  const folder = new URL("node_modules/snarkjs/templates/", import.meta.url);
  const template = readFileSync(new URL("verifier_groth16.sol.ejs", folder), "utf8");
  const source = await snarkjs.zKey.exportSolidityVerifier(key, { groth16: template });
  const solc = require("solc");
  const settings = { outputSelection: { "*": { "*": ["evm.bytecode.object", "evm.methodIdentifiers"] } } };
  const input = { language: "Solidity", sources: { "verifier.sol": { content: source } }, settings };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const errors = (output.errors ?? []).filter((error) => error.severity === "error");
  if (errors.length > 0) throw new Error(errors[0].formattedMessage);
  const { bytecode, methodIdentifiers } = output.contracts["verifier.sol"].Groth16Verifier.evm;
  return { code: bytecode.object, selector: Object.values(methodIdentifiers)[0] };
}

// A point that is none makes snarkjs throw where others make it answer no: either way it does not accept.
async function verify({ vk, proof, public: signals }) {
  try {
    return await snarkjs.groth16.verify(vk, signals, proof);
  } catch {
    return false;
  }
}

const TASKS = {
  key,
  verifier,
  verify,
  verificationKey: ({ key }) => snarkjs.zKey.exportVerificationKey(key),
  witness: ({ wasm, input, witness }) => snarkjs.wtns.calculate(json(input), wasm, witness),
  prove: async ({ key, witness, proof, public: signals }) => {
    const made = await snarkjs.groth16.prove(key, witness);
    save(proof, made.proof);
    save(signals, made.publicSignals);
  },
  calldata: ({ proof, public: signals }) => snarkjs.groth16.exportSolidityCallData(proof, signals),
};

const answers = [];
for (const task of JSON.parse(readFileSync(0, "utf8"))) answers.push((await TASKS[task.do](task)) ?? null);
// snarkjs keeps threads that would not let the process end by itself.
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
