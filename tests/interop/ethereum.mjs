// Ethereum transactions of every type: ethers signs them and says what their hash and sender are.
// Prints a list of {raw, expected, is_for_any_chain}.
import { Transaction, Wallet, hexlify, keccak256, randomBytes, toBeHex } from "ethers";
import { createHash } from "node:crypto";

const COUNT_OF_EACH = 120;
const CHAIN = 1n;
const series = (label, i) => createHash("sha256").update(`${label} ${i}`).digest();
const number = (label, i, bits) => BigInt("0x" + series(label, i).toString("hex")) >> BigInt(256 - bits);
const address = (label, i) => hexlify(series(label, i).subarray(0, 20));

const access = (i) =>
  Array.from({ length: i % 3 }, (_, j) => ({
    address: address("accessed", i + j),
    storageKeys: Array.from({ length: (i + j) % 3 }, (_, k) => hexlify(series("slot", i + j + k))),
  }));

function fields(kind, i, authorization) {
  const common = {
    nonce: i % 7 === 0 ? 0 : Number(number("nonce", i, 20)),
    gasLimit: 21_000n + number("gas", i, 20),
    to: i % 11 === 0 && kind < 3 ? null : address("to", i),
    value: i % 5 === 0 ? 0n : number("value", i, 70),
    data: hexlify(randomBytes(i % 4 === 0 ? 0 : i * 3)),
  };
  const fees = { maxFeePerGas: number("fee", i, 40), maxPriorityFeePerGas: number("tip", i, 30), accessList: access(i) };
  switch (kind) {
    case -1:
      return { ...common, type: 0, gasPrice: number("price", i, 40) };
    case 0:
      return { ...common, type: 0, chainId: CHAIN, gasPrice: number("price", i, 40) };
    case 1:
      return { ...common, type: 1, chainId: CHAIN, gasPrice: number("price", i, 40), accessList: access(i) };
    case 2:
      return { ...common, type: 2, chainId: CHAIN, ...fees };
    case 3: {
      const blobVersionedHashes = [0, 1].slice(0, 1 + (i % 2)).map((j) => "0x01" + keccak256(toBeHex(i + j, 32)).slice(4));
      return { ...common, type: 3, chainId: CHAIN, ...fees, maxFeePerBlobGas: 1n + number("blob", i, 30), blobVersionedHashes };
    }
    default:
      return { ...common, type: 4, chainId: CHAIN, ...fees, authorizationList: [authorization] };
  }
}

async function make(kind, i) {
  const wallet = new Wallet(hexlify(series(`wallet ${kind}`, i)));
  const authority = new Wallet(hexlify(series("authority", i)));
  const authorization = authority.authorizeSync({ address: address("code", i), nonce: i, chainId: i % 2 ? CHAIN : 0n });
  const raw = await wallet.signTransaction(fields(kind, i, authorization));
  const known = Transaction.from(raw);
  const expected = { verdict: "valid", hash: known.hash, from: wallet.address.toLowerCase() };
  if (known.from !== wallet.address) throw new Error("ethers contradicts itself");
  if (kind === 4) expected.authorities = [authority.address.toLowerCase()];
  return { raw, expected, is_for_any_chain: known.chainId === 0n };
}

const all = [];
for (const kind of [-1, 0, 1, 2, 3, 4]) for (let i = 0; i < COUNT_OF_EACH; i++) all.push(await make(kind, i));
process.stdout.write(JSON.stringify(all));
