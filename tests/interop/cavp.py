"""NIST CAVP files as PyPI `cryptography_vectors` carries them, the SM3 vectors of OSCCA, and sign.input of Ed25519."""

import hashlib
import os
import re

import cryptography_vectors
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from cases import REFUSED, VALID, hashes, verify
from ecdsa_openssl import ORDER_P256
from ed25519_openssl import RULESETS

ED25519_LINES = 1_024


def groups():
    """All of them."""
    yield from _sig_ver()
    for name, algorithm in (("SHA256", "sha256"), ("SHA3_256", "sha3-256")):
        for size in ("ShortMsg", "LongMsg"):
            yield _sha(f"hashes/{name[:4]}/{name}{size}.rsp", algorithm)
    yield _sha("hashes/SM3/oscca.txt", "sm3")
    yield from _ed25519()


def _open(path):
    return open(os.path.join(os.path.dirname(cryptography_vectors.__file__), path), encoding="utf-8")


def _sig_ver():
    """SigVer of P-256 with SHA-256. NIST's rule has no low S, so each case goes to both rulesets of the curve: as it
    is to ethereum-p256verify, and with the lower of s and n - s, which holds exactly where s does, to fabric, where
    the cases with high S must be invalid as they are."""
    with _open("asymmetric/ECDSA/FIPS_186-3/SigVer.rsp") as file:
        section = re.search(r"\[P-256,SHA-256\](.*?)(\n\[|\Z)", file.read(), re.S).group(1)
    plain, low, as_is = [], [], []
    expected, expected_as_is = [], []
    for case in section.split("\n\n"):
        fields = dict(re.findall(r"^(\w+) = (.*)$", case, re.M))
        if "Msg" not in fields:
            continue
        message, r, s = bytes.fromhex(fields["Msg"]), int(fields["R"], 16), int(fields["S"], 16)
        key = fields["Qx"].rjust(64, "0") + fields["Qy"].rjust(64, "0")
        digest = hashlib.sha256(message).hexdigest()
        plain.append({"public_key": key, "digest": digest, "signature": f"{r:064x}{s:064x}"})
        item = {"public_key": "04" + key, "message": message.hex()}
        low.append({**item, "signature": encode_dss_signature(r, min(s, (ORDER_P256 - s) % ORDER_P256)).hex()})
        as_is.append({**item, "signature": encode_dss_signature(r, s).hex()})
        is_valid = fields["Result"].startswith("P")
        expected.append(VALID if is_valid else REFUSED)
        expected_as_is.append(VALID if is_valid and s <= ORDER_P256 // 2 else REFUSED)
    yield verify("SigVer.rsp P-256: ethereum-p256verify", "ethereum-p256verify", plain, expected)
    yield verify("SigVer.rsp P-256: fabric, S made low", "fabric", low, expected)
    yield verify("SigVer.rsp P-256: fabric, S as it is", "fabric", as_is, expected_as_is)


def _sha(path, algorithm):
    with _open(path) as file:
        found = re.findall(r"Len = (\d+)\s+Msg = ([0-9a-f]*)\s+MD = ([0-9a-f]+)", file.read())
    messages = [bytes.fromhex(message)[: int(bits) // 8] for bits, message, _ in found]
    return hashes(f"{os.path.basename(path)}: {algorithm}", algorithm, messages, [bytes.fromhex(md) for *_, md in found])


def _ed25519():
    items = []
    with _open("asymmetric/Ed25519/sign.input") as file:
        for line in list(file)[:ED25519_LINES]:
            _, key, message, signed = line.split(":")[:4]
            items.append({"public_key": key, "message": message, "signature": signed[:128]})
    for ruleset in RULESETS:
        yield verify(f"sign.input of Ed25519: {ruleset}", ruleset, items, [VALID] * len(items))
