"""Ed25519: OpenSSL (through PyPI `cryptography`) signs and judges."""

import random

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cases import verdict, verify
from mutate import COUNT, in_hex, variants

RULESETS = ["libra-ed25519", "solana-ed25519", "ed25519-zip215"]


def groups():
    """The same items under each ruleset: the rules differ only where a point of small order or an encoding that
    is not canonical comes in, and none does here but by a chance of 2^-250."""
    rng = random.Random(0xED25519)
    items = []
    for _ in range(COUNT):
        private = Ed25519PrivateKey.generate()
        message = rng.randbytes(rng.randrange(300))
        key = private.public_key().public_bytes_raw()
        items.append({"public_key": key, "message": message, "signature": private.sign(message)})
    items = variants(rng, items, ["public_key", "message", "signature"])
    expected = [verdict(holds(item)) for item in items]
    for ruleset in RULESETS:
        yield verify(f"Ed25519, OpenSSL: {ruleset}", ruleset, in_hex(items), expected)


def holds(item):
    """OpenSSL's verdict."""
    try:
        Ed25519PublicKey.from_public_bytes(item["public_key"]).verify(item["signature"], item["message"])
    except (InvalidSignature, ValueError):
        return False
    return True
