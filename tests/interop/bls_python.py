"""BLS12-381 of Ethereum's consensus layer: py_ecc and milagro sign and judge."""

import random

import milagro_bls_binding as milagro
from py_ecc.bls import G2ProofOfPossession as py_ecc

from cases import REFUSED, VALID, verdict, verify

SIGNED = 16
SET_SIZES = (1, 2, 5, 16)
# py_ecc takes a second for a pairing or two; it judges this many of each kind, milagro all.
JUDGED_BY_BOTH = 3
INFINITY_KEY = bytes([0xC0]) + bytes(47)
INFINITY_SIGNATURE = bytes([0xC0]) + bytes(95)


def groups():
    """Groups for single signatures and for each mode of sets."""
    rng = random.Random(0xB15)
    secrets = [rng.randrange(1, 2**250) for _ in range(SIGNED)]
    keys = [py_ecc.SkToPk(secret) for secret in secrets]
    scalars = [secret.to_bytes(32, "big") for secret in secrets]
    yield _singles(rng, scalars, keys)
    yield _aggregates(rng, scalars, keys)
    yield _fast(rng, scalars, keys)
    yield _empty(rng, keys)


def _agreed(rows, by_milagro, by_py_ecc):
    """The judges' verdicts on rows of arguments."""
    votes = [_vote(by_milagro, row) for row in rows]
    for row, vote in list(zip(rows, votes))[:JUDGED_BY_BOTH]:
        if _vote(by_py_ecc, row) != vote:
            raise SystemExit(f"interop: the judges of BLS differ on {row}")
    return [verdict(vote) for vote in votes]


def _vote(judge, row):
    try:
        return bool(judge(*row))
    except Exception:  # Each library has its own way to say that bytes do not decode.
        return False


def _singles(rng, scalars, keys):
    rows = []
    for i, (scalar, key) in enumerate(zip(scalars, keys)):
        message = rng.randbytes(32)
        signature = milagro.Sign(scalar, message)
        changed = bytearray(signature)
        changed[rng.randrange(1, 96)] ^= 1 << rng.randrange(8)
        rows.append((key, message, signature))
        rows.append((keys[i - 1], message, signature))
        rows.append((key, message[:-1] + bytes([message[-1] ^ 1]), signature))
        rows.append((key, message, bytes(changed)))
    rows.append((INFINITY_KEY, bytes(32), INFINITY_SIGNATURE))
    rows.append((keys[0], bytes(32), INFINITY_SIGNATURE))
    items = [
        {"public_key": key.hex(), "message": message.hex(), "signature": signature.hex()}
        for key, message, signature in rows
    ]
    expected = _agreed(rows, milagro.Verify, py_ecc.Verify)
    return verify("BLS12-381, py_ecc and milagro: single", "ethereum-consensus", items, expected)


def _aggregates(rng, scalars, keys):
    rows = []
    for size in SET_SIZES:
        messages = [rng.randbytes(32) for _ in range(size)]
        signature = milagro.Aggregate([milagro.Sign(scalar, one) for scalar, one in zip(scalars, messages)])
        rows.append((keys[:size], messages, signature))
        rows.append((keys[:size], messages[:-1] + [bytes(32)], signature))
        rows.append((keys[size - 1 :: -1], messages, signature))
    items = [
        {
            "public_keys": [key.hex() for key in some],
            "messages": [message.hex() for message in messages],
            "signature": signature.hex(),
            "mode": "aggregate",
        }
        for some, messages, signature in rows
    ]
    expected = _agreed(rows, milagro.AggregateVerify, py_ecc.AggregateVerify)
    return verify("BLS12-381, py_ecc and milagro: aggregate", "ethereum-consensus", items, expected)


def _fast(rng, scalars, keys):
    rows = []
    for size in SET_SIZES:
        message = rng.randbytes(32)
        signature = milagro.Aggregate([milagro.Sign(scalar, message) for scalar in scalars[:size]])
        rows.append((keys[:size], message, signature))
        rows.append((keys[: size - 1] + [INFINITY_KEY], message, signature))
        rows.append((keys[:size] + [INFINITY_KEY], message, signature))
        rows.append((keys[: size - 1], message, signature))
    items = [_fast_item(row, None) for row in rows]
    expected = _agreed(rows, milagro.FastAggregateVerify, py_ecc.FastAggregateVerify)
    return verify("BLS12-381, py_ecc and milagro: fast aggregate", "ethereum-consensus", items, expected)


def _fast_item(row, mode):
    some, message, signature = row
    item = {"public_keys": [key.hex() for key in some], "message": message.hex(), "signature": signature.hex()}
    return {**item, "mode": mode} if mode else item


def _empty(rng, keys):
    """No keys: only Ethereum's own variant, with the signature at infinity, is valid (consensus specs, Altair,
    `eth_fast_aggregate_verify`)."""
    message = rng.randbytes(32)
    other = milagro.Sign((5).to_bytes(32, "big"), message)
    cases = [
        (_fast_item(([], message, INFINITY_SIGNATURE), "fast-aggregate"), REFUSED),
        (_fast_item(([], message, INFINITY_SIGNATURE), "ethereum-fast-aggregate"), VALID),
        (_fast_item(([], message, other), "ethereum-fast-aggregate"), REFUSED),
        (_fast_item(([keys[0]], message, INFINITY_SIGNATURE), "ethereum-fast-aggregate"), REFUSED),
        ({"public_keys": [], "messages": [], "signature": INFINITY_SIGNATURE.hex(), "mode": "aggregate"}, REFUSED),
    ]
    items, expected = [item for item, _ in cases], [wanted for _, wanted in cases]
    return verify("BLS12-381: sets without keys", "ethereum-consensus", items, expected)
