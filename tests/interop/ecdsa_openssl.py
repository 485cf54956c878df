"""ECDSA on P-256 and secp256k1: OpenSSL (through PyPI `cryptography`) signs and judges."""

import random

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cases import REFUSED, VALID, verdict, verify
from mutate import COUNT, in_hex, variants

ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ORDER_SECP256K1 = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DIGEST = ec.ECDSA(Prehashed(hashes.SHA256()))
MESSAGE = ec.ECDSA(hashes.SHA256())


def groups():
    """Groups for fabric, ethereum-p256verify and bitcoin."""
    rng = random.Random(0x5EED)
    yield from _fabric(rng)
    yield _p256verify(rng)
    yield from _bitcoin(rng)


def holds(curve, key, der, data, form):
    """OpenSSL's verdict; whatever does not decode is no."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(curve, key).verify(der, data, form)
    except (InvalidSignature, ValueError):
        return False
    return True


def _point(private, compressed=False):
    form = PublicFormat.CompressedPoint if compressed else PublicFormat.UncompressedPoint
    return private.public_key().public_bytes(Encoding.X962, form)


def _fabric(rng):
    low, high = [], []
    for _ in range(COUNT):
        private = ec.generate_private_key(ec.SECP256R1())
        message = rng.randbytes(rng.randrange(300))
        r, s = decode_dss_signature(private.sign(message, MESSAGE))
        s = min(s, ORDER_P256 - s)
        item = {"public_key": _point(private), "message": message}
        low.append({**item, "signature": encode_dss_signature(r, s)})
        high.append({**item, "signature": encode_dss_signature(r, ORDER_P256 - s)})
    items = variants(rng, low, ["public_key", "message", "signature"])
    expected = [verdict(_is_fabric(item)) for item in items]
    yield verify("P-256, OpenSSL: fabric", "fabric", in_hex(items), expected)
    yield verify("P-256, OpenSSL: fabric, high S", "fabric", in_hex(high), ["invalid"] * len(high))
    yield _fabric_encodings(low[0])


def _is_fabric(item):
    if not holds(ec.SECP256R1(), item["public_key"], item["signature"], item["message"], MESSAGE):
        return False
    return decode_dss_signature(item["signature"])[1] <= ORDER_P256 // 2


def _fabric_encodings(good):
    """Where Go's rules and OpenSSL's part ways, by Go's."""
    der = good["signature"]
    r_end = 4 + der[3]
    cases = [
        (der + b"\x00", VALID),  # bytes after the sequence
        (bytes([0x30, der[1] + 2]) + der[2:] + b"\x05\x00", VALID),  # an element after S
        (b"\x30\x81" + der[1:], "malformed"),  # a length longer than it must be
        (bytes([0x30, der[1] + 1, 0x02, der[3] + 1, 0x00]) + der[4:], REFUSED),  # a needless zero, unless needed
        (der[:-1], "malformed"),
        (bytes([0x30, r_end - 2]) + der[2:r_end], "malformed"),  # no S
        (b"", "malformed"),
    ]
    if der[4] == 0:
        # R already begins with a zero: a second one is needless for certain.
        cases[3] = (cases[3][0], "malformed")
    items = in_hex([{**good, "signature": signature} for signature, _ in cases])
    return verify("P-256: fabric, encodings by Go's rules", "fabric", items, [wanted for _, wanted in cases])


def _p256verify(rng):
    items = []
    for _ in range(COUNT):
        private = ec.generate_private_key(ec.SECP256R1())
        digest = rng.randbytes(32)
        r, s = decode_dss_signature(private.sign(digest, DIGEST))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        items.append({"public_key": _point(private)[1:], "digest": digest, "signature": signature})
    items = variants(rng, items, ["public_key", "digest", "signature"])
    items += _edges(items[0], ORDER_P256)

    def judge(item):
        r, s = (int.from_bytes(half, "big") for half in (item["signature"][:32], item["signature"][32:]))
        der = encode_dss_signature(r, s)
        return holds(ec.SECP256R1(), b"\x04" + item["public_key"], der, item["digest"], DIGEST)

    expected = [verdict(judge(item)) for item in items]
    return verify("P-256, OpenSSL: ethereum-p256verify", "ethereum-p256verify", in_hex(items), expected)


def _edges(good, order):
    """Signatures with r and s at the ends of their range, and keys that are no point."""
    ends = [value.to_bytes(32, "big") for value in (0, 1, order - 1, order, order + 1, 2**256 - 1)]
    items = [{**good, "signature": r + s} for r in ends for s in ends]
    items += [{**good, "public_key": key} for key in (bytes(64), b"\xff" * 64, bytes(63) + b"\x01")]
    return items


def _bitcoin(rng):
    items, high = [], []
    for i in range(COUNT):
        private = ec.generate_private_key(ec.SECP256K1())
        digest = rng.randbytes(32)
        signature = private.sign(digest, DIGEST)
        item = {"public_key": _point(private, compressed=i % 2 == 0), "digest": digest}
        r, s = decode_dss_signature(signature)
        items.append({**item, "signature": signature})
        high.append({**item, "signature": encode_dss_signature(r, max(s, ORDER_SECP256K1 - s))})
    items = variants(rng, items, ["public_key", "digest", "signature"]) + high
    # Hybrid keys, which Bitcoin takes and PyPI `cryptography` does not, so that OpenSSL is shown the plain form.
    for item in [item for item in items[: 2 * COUNT] if item["public_key"][0] == 4]:
        items.append({**item, "public_key": bytes([6]) + item["public_key"][1:]})
        items.append({**item, "public_key": bytes([7]) + item["public_key"][1:]})

    def judge(item):
        return holds(ec.SECP256K1(), _without_hybrid(item["public_key"]), item["signature"], item["digest"], DIGEST)

    expected = [verdict(judge(item)) for item in items]
    yield verify("secp256k1, OpenSSL: bitcoin", "bitcoin", in_hex(items), expected)


def _without_hybrid(key):
    """The plain form of a hybrid key whose prefix says the parity of y; other keys as they are."""
    is_hybrid = len(key) == 65 and key[0] == 6 + key[-1] % 2
    return b"\x04" + key[1:] if is_hybrid else key
