"""Hash functions: hashlib, pycryptodome, blake3 and OpenSSL judge."""

import hashlib
import random

import blake3
from Crypto.Hash import keccak
from cryptography.hazmat.primitives import hashes as openssl

from cases import hashes

# Every length up to two blocks of the widest function (136 bytes, SHA3-256) and a few around powers of two.
LENGTHS = [*range(0, 300), *(size + d for size in (512, 1_024, 2_048, 4_096, 65_536) for d in (-1, 0, 1))]
RANDOM_COUNT = 700
FIXED_COUNT = 1_000


def sha256(data):
    """FIPS 180-4."""
    return hashlib.sha256(data).digest()


def sha256d(data):
    """SHA-256 twice."""
    return sha256(sha256(data))


def keccak256(data):
    """Keccak with its original padding."""
    return keccak.new(digest_bits=256, data=data).digest()


def sm3(data):
    """GB/T 32905, by OpenSSL."""
    state = openssl.Hash(openssl.SM3())
    state.update(data)
    return state.finalize()


FUNCTIONS = {
    "sha256": sha256,
    "sha256d": sha256d,
    "keccak256": keccak256,
    "sha3-256": lambda data: hashlib.sha3_256(data).digest(),
    "sm3": sm3,
    "blake2b-256": lambda data: hashlib.blake2b(data, digest_size=32).digest(),
    "blake3": lambda data: blake3.blake3(data).digest(),
}


def groups():
    """For each function: every short length, random lengths, and a column of fixed stride."""
    rng = random.Random(0x4A54)
    lengths = LENGTHS + [rng.randrange(3_000) for _ in range(RANDOM_COUNT)]
    varying = [rng.randbytes(length) for length in lengths]
    fixed = [rng.randbytes(64) for _ in range(FIXED_COUNT)]
    for name, function in FUNCTIONS.items():
        for form, messages in (("any length", varying), ("64 bytes", fixed)):
            yield hashes(f"{name}, {form}", name, messages, [function(message) for message in messages])
