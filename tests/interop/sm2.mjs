// SM2 by sm-crypto: signs, or judges items from standard input (mode, key of 64 bytes, signature, message).
import smCrypto from "sm-crypto";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

const { sm2 } = smCrypto;
const bytes = (hex) => [...Buffer.from(hex, "hex")];

function sign(count) {
  return Array.from({ length: count }, (_, i) => {
    const { publicKey, privateKey } = sm2.generateKeyPairHex();
    const message = randomBytes(i % 3 === 0 ? 32 : i % 200).toString("hex");
    const signature = sm2.doSignature(bytes(message), privateKey, { hash: true, publicKey });
    return { public_key: publicKey.slice(2), signature, message };
  });
}

function holds({ public_key, signature, message, is_digest }) {
  try {
    return sm2.doVerifySignature(bytes(message), signature, "04" + public_key, { hash: !is_digest }) === true;
  } catch {
    return false;
  }
}

const [command, count] = process.argv.slice(2);
const answer = command === "sign" ? sign(Number(count)) : JSON.parse(readFileSync(0, "utf8")).map(holds);
process.stdout.write(JSON.stringify(answer));
