// Recoverable ECDSA and BIP 340 on secp256k1, the small-order matrix of ZIP 215, and BLS with signatures in G1:
// @noble/curves signs and judges. Prints groups as cases.py describes them.
import { bls12_381 } from "@noble/curves/bls12-381";
import { ed25519 } from "@noble/curves/ed25519";
import { schnorr, secp256k1 } from "@noble/curves/secp256k1";
import { keccak_256 } from "@noble/hashes/sha3";
import { createHash } from "node:crypto";

const COUNT = 1_000;
const BLS_COUNT = 12;
const N = secp256k1.CURVE.n;
const REFUSED = ["invalid", "malformed"];

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const number = (bytes) => BigInt("0x" + hex(bytes));
const word = (value) => Buffer.from(value.toString(16).padStart(64, "0"), "hex");
const series = (label, i) => createHash("sha256").update(`${label} ${i}`).digest();
const verdict = (holds) => (holds ? "valid" : REFUSED);
const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));

const verify = (name, ruleset, items, expected) => ({
  name,
  arguments: ["verify", "--ruleset", ruleset],
  items,
  answers: "verdicts",
  expected,
});

function flip(bytes, place) {
  const changed = Buffer.from(bytes);
  changed[(place >> 3) % changed.length] ^= 1 << (place & 7);
  return changed;
}

/** Signatures r‖s‖v and spoilt copies, with what recovers from each by noble, or null. */
function recoverable() {
  const items = [];
  for (let i = 0; i < COUNT; i++) {
    const secret = series("secret", i);
    const digest = series("digest", i);
    const signed = secp256k1.sign(digest, secret, { lowS: true });
    const signature = Buffer.concat([signed.toCompactRawBytes(), Buffer.from([signed.recovery])]);
    const key = Buffer.from(secp256k1.getPublicKey(secret, false)).subarray(1);
    const high = Buffer.concat([word(signed.r), word(N - signed.s), Buffer.from([1 - signed.recovery])]);
    const place = number(series("place", i)) % 512n;
    items.push({ key, digest, signature });
    items.push({ key, digest, signature: high });
    items.push({ key, digest, signature: flip(signature, Number(place)) });
    items.push({ key, digest: flip(digest, Number(place) % 256), signature });
  }
  const { key, digest } = items[0];
  for (const r of [0n, 1n, N - 1n, N, 2n ** 256n - 1n])
    for (const s of [0n, 1n, N - 1n, N])
      for (const v of [0, 1]) items.push({ key, digest, signature: Buffer.concat([word(r), word(s), Buffer.from([v])]) });
  return items;
}

function recovers({ digest, signature }, allowHighS) {
  const [r, s] = [number(signature.subarray(0, 32)), number(signature.subarray(32, 64))];
  if (r === 0n || r >= N || s === 0n || s >= N || (!allowHighS && s > N / 2n)) return null;
  try {
    const point = new secp256k1.Signature(r, s).addRecoveryBit(signature[64]).recoverPublicKey(digest);
    return Buffer.from(point.toRawBytes(false)).subarray(1);
  } catch {
    return null;
  }
}

const address = (key) => "0x" + hex(keccak_256(key).subarray(12));

function* recovery() {
  const items = recoverable();
  const plain = items.map(({ digest, signature }) => ({ digest: hex(digest), signature: hex(signature) }));
  for (const [ruleset, allowHighS] of [
    ["ethereum-transaction", false],
    ["ethereum-precompile", true],
    ["fisco-secp256k1", true],
  ]) {
    const keys = items.map((item) => recovers(item, allowHighS));
    yield {
      name: `secp256k1, noble: recover by ${ruleset}`,
      arguments: ["recover", "--ruleset", ruleset],
      items: plain,
      answers: "items",
      expected: keys.map((key) =>
        key === null
          ? { public_key: null, address: null }
          : { verdict: "valid", public_key: "0x" + hex(key), address: address(key) },
      ),
    };
    const expected = items.map((item, i) => verdict(keys[i] !== null && keys[i].equals(item.key)));
    const withKeys = items.map((item, i) => ({ ...plain[i], public_key: hex(item.key) }));
    yield verify(`secp256k1, noble: ${ruleset}, by key`, ruleset, withKeys, expected);
    const withAddresses = items.map((item, i) => ({ ...plain[i], address: address(item.key) }));
    yield verify(`secp256k1, noble: ${ruleset}, by address`, ruleset, withAddresses, expected);
  }
}

function bip340() {
  const items = [];
  for (let i = 0; i < COUNT; i++) {
    const secret = series("schnorr", i);
    const message = series("message", i);
    const good = { public_key: schnorr.getPublicKey(secret), message, signature: schnorr.sign(message, secret) };
    const field = ["public_key", "message", "signature"][i % 3];
    items.push(good, { ...good, [field]: flip(good[field], Number(number(series("place", i)) % 512n)) });
  }
  const expected = items.map((item) => verdict(schnorr.verify(item.signature, item.message, item.public_key)));
  const hexed = items.map((item) => Object.fromEntries(Object.entries(item).map(([field, value]) => [field, hex(value)])));
  return verify("secp256k1, noble: bip340", "bip340", hexed, expected);
}

/** Every pair of encodings of points of small order as A and R with S = 0, and with S = L. */
function zip215() {
  const P = 2n ** 255n - 19n;
  const encodings = new Set();
  for (const y of [0n, 1n, P - 1n, P, P + 1n, orderEight(), P - orderEight()])
    for (const sign of [0n, 1n]) encodings.add(hex(littleEndian(y | (sign << 255n))));
  const scalars = [littleEndian(0n), littleEndian(ed25519.CURVE.n)];
  const items = [];
  for (const key of encodings)
    for (const r of encodings)
      for (const s of scalars) items.push({ public_key: key, message: hex("Zcash"), signature: r + hex(s) });
  const expected = items.map((item) => {
    try {
      return verdict(ed25519.verify(item.signature, item.message, item.public_key, { zip215: true }));
    } catch {
      return REFUSED;
    }
  });
  return verify("Ed25519, noble: ed25519-zip215, points of small order", "ed25519-zip215", items, expected);
}

/** The y of a point of order eight (ZIP 215's test vectors): three doublings lead to the identity, two do not. */
function orderEight() {
  const encoding = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
  const point = ed25519.ExtendedPoint.fromHex(encoding);
  const isOfOrderEight = point.double().double().double().equals(ed25519.ExtendedPoint.ZERO);
  if (!isOfOrderEight || point.double().double().equals(ed25519.ExtendedPoint.ZERO)) throw new Error("another order");
  return point.toAffine().y;
}

const littleEndian = (value) => Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();

function blsMinSig() {
  const { shortSignatures } = bls12_381;
  const items = [];
  for (let i = 0; i < BLS_COUNT; i++) {
    const secret = bls12_381.utils.randomPrivateKey();
    const message = series("bls", i);
    const point = shortSignatures.hash(message);
    const signature = shortSignatures.sign(point, secret).toBytes();
    const good = { public_key: hex(shortSignatures.getPublicKey(secret).toBytes()), message: hex(message) };
    items.push([{ ...good, signature: hex(signature) }, "valid"]);
    items.push([{ ...good, signature: hex(flip(signature, 8 * 20 + i)) }, REFUSED]);
    items.push([{ ...good, signature: hex(signature), message: hex(series("other", i)) }, "invalid"]);
  }
  const [plain, expected] = [items.map(([item]) => item), items.map(([, wanted]) => wanted)];
  return verify("BLS12-381, noble: bls-min-sig", "bls-min-sig", plain, expected);
}

process.stdout.write(JSON.stringify([...recovery(), bip340(), zip215(), blsMinSig()]));
