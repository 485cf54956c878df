"""SM2: gmssl and sm-crypto sign; gmssl, sm-crypto and OpenSSL judge good, spoilt and adversarial signatures.

gmssl has two known faults: it does not check that r and s are in 1..n (GB/T 32918.2, section 7.1, steps B1 and B2),
and it leaves the sum of two equal points in Jacobian coordinates, which happens with the keys G and -G. Its vote does
not count there. Elsewhere all three must agree before Outrigger is compared with them.
"""

import random
from multiprocessing import Pool

from gmssl import func, sm2

import node
import sm2_openssl
from cases import verdict, verify
from hash_functions import sm3
from mutate import in_hex, variants

# Each item is judged by two slow libraries; these numbers take them some 20 seconds on two cores.
SIGNED_BY_GMSSL = 150
SIGNED_BY_SM_CRYPTO = 350
DIGESTS = 100
IDENTITIES = 30

P = int(sm2.default_ecc_table["p"], 16)
N = int(sm2.default_ecc_table["n"], 16)
A = P - 3
G = tuple(int(sm2.default_ecc_table["g"][i : i + 64], 16) for i in (0, 64))


def groups():
    """Groups for sm2-message, fisco-sm2 and sm2-digest."""
    rng = random.Random(0x532)
    items = [_sign(rng.randbytes(rng.choice([32, rng.randrange(200)]))) for _ in range(SIGNED_BY_GMSSL)]
    items += [
        {field: bytes.fromhex(text) for field, text in item.items()}
        for item in node.judge("sm2.mjs", "sign", str(SIGNED_BY_SM_CRYPTO))
    ]
    items = variants(rng, items, ["public_key", "message", "signature"])
    verdicts = _judge(items, is_digest=False)
    yield verify("SM2, three judges: sm2-message", "sm2-message", in_hex(items), verdicts)
    yield from _fisco(items, verdicts)
    digests = variants(rng, [_sign_digest(rng) for _ in range(DIGESTS)], ["public_key", "digest", "signature"])
    digests += _adversarial(rng)
    verdicts = _judge([{**item, "message": item["digest"]} for item in digests], is_digest=True)
    yield verify("SM2, three judges: sm2-digest, adversarial ones too", "sm2-digest", in_hex(digests), verdicts)
    yield _identities(rng)


def _fisco(items, verdicts):
    """The messages of 32 bytes are what FISCO BCOS signs."""
    picked = [(item, wanted) for item, wanted in zip(items, verdicts) if len(item["message"]) == 32]
    short = [
        {"public_key": item["public_key"], "digest": item["message"], "signature": item["signature"]}
        for item, _ in picked
    ]
    long = [{**item, "signature": item["signature"] + item["public_key"]} for item in short]
    expected = [wanted for _, wanted in picked]
    yield verify("SM2, three judges: fisco-sm2, 64 bytes", "fisco-sm2", in_hex(short), expected)
    yield verify("SM2, three judges: fisco-sm2, 128 bytes", "fisco-sm2", in_hex(long), expected)


def _signer():
    secret = random.SystemRandom().randrange(1, N - 1)
    x, y = _times(secret, G)
    return _gmssl(f"{secret:064x}", f"{x:064x}{y:064x}")


def _gmssl(secret, key):
    signer = sm2.CryptSM2(secret, "")
    # The constructor strips zeros and fours from the front of a key, those of x included.
    signer.public_key = key
    return signer


def _sign(message):
    signer = _signer()
    signature = None
    while signature is None:
        signature = signer.sign_with_sm3(message)
    return {
        "public_key": bytes.fromhex(signer.public_key),
        "message": message,
        "signature": bytes.fromhex(signature),
    }


def _sign_digest(rng):
    signer, digest, signature = _signer(), rng.randbytes(32), None
    while signature is None:
        signature = signer.sign(digest, func.random_hex(64))
    return {"public_key": bytes.fromhex(signer.public_key), "digest": digest, "signature": bytes.fromhex(signature)}


def _adversarial(rng):
    """Signatures of sm2-digest at the ends of every range. For any s and t a digest can be found under which r = t - s
    fulfils the equation, which makes each rule the only one that is broken."""
    key = _times(rng.randrange(1, N), G)
    out = []
    for s in (1, 2, 2**200, N - 1):
        for t in (1, 2, N - 1, rng.randrange(1, N)):
            out += _with_aliases(key, (t - s) % N, s)
    # r small, so that r + n still has 32 bytes.
    out += _with_aliases(key, 5, rng.randrange(1, N))
    # t = 0 with an equation that would hold: x of s·G + 0·P.
    s = rng.randrange(1, N)
    x = _times(s, G)[0]
    out.append(_item(key, N - s, s, (N - s - x) % N))
    ends = (0, 1, N - 1, N, N + 1, 2**256 - 1)
    out += [_item(key, r, s, 7) for r in ends for s in ends]
    # Keys G and -G: both summands are multiples of one point, down to a doubling (s = t) and infinity (s = -t·(±1)).
    for known, d in ((G, 1), ((G[0], P - G[1]), N - 1)):
        for s, t in ((3, 3), (3, N - 3), (3, 4), (1, 1), (1, N - 1)):
            out += _with_aliases(known, (t - s) % N, s, d)
    return out


def _with_aliases(key, r, s, secret=None):
    """The signature (r, s) with the e that it is valid for, and the same with n added to whatever has room for it."""
    t = (r + s) % N
    point = _times((s + t * secret) % N, G) if secret else _add(_times(s, G), _times(t, key))
    e = (r - (point[0] if point else 0)) % N
    out = [_item(key, r, s, e)]
    if e + N < 2**256:
        out.append(_item(key, r, s, e + N))
    if r + N < 2**256:
        out.append(_item(key, r + N, s, e))
    if s + N < 2**256:
        out.append(_item(key, r, s + N, e))
    return out


def _item(key, r, s, e):
    word = lambda value: value.to_bytes(32, "big")
    return {"public_key": word(key[0]) + word(key[1]), "signature": word(r) + word(s), "digest": word(e)}


def _judge(items, is_digest):
    """What the three agree on, as verdicts."""
    with Pool(2) as pool:
        by_gmssl = pool.starmap_async(_gmssl_holds, [(item, is_digest) for item in items], chunksize=16)
        plain = [
            {"is_digest": is_digest, **{name: item[name].hex() for name in ("public_key", "signature", "message")}}
            for item in items
        ]
        by_sm_crypto = node.judge("sm2.mjs", "judge", given=plain)
        by_openssl = [
            sm2_openssl.holds(item["public_key"], item["signature"], item["message"], is_digest) for item in items
        ]
        by_gmssl = by_gmssl.get()
    for i, item in enumerate(items):
        votes = {by_sm_crypto[i], by_openssl[i]}
        if _gmssl_counts(item):
            votes.add(by_gmssl[i])
        if len(votes) != 1:
            raise SystemExit(
                f"interop: the judges of SM2 differ on {item}: "
                f"gmssl {by_gmssl[i]}, sm-crypto {by_sm_crypto[i]}, OpenSSL {by_openssl[i]}"
            )
    return [verdict(holds) for holds in by_openssl]


def _gmssl_holds(item, is_digest):
    judge = _gmssl("", item["public_key"].hex())
    try:
        check = judge.verify if is_digest else judge.verify_with_sm3
        return bool(check(item["signature"].hex(), item["message"]))
    except (TypeError, ValueError):
        # It fails on the point at infinity.
        return False


def _gmssl_counts(item):
    is_generator = item["public_key"][:32] == G[0].to_bytes(32, "big")
    return _is_in_range(item["signature"]) and _is_on_curve(item["public_key"]) and not is_generator


def _is_in_range(signature):
    return all(0 < int.from_bytes(half, "big") < N for half in (signature[:32], signature[32:]))


def _is_on_curve(key):
    x, y = (int.from_bytes(half, "big") for half in (key[:32], key[32:]))
    b = int(sm2.default_ecc_table["b"], 16)
    return x < P and y < P and (y * y - x * x * x - A * x - b) % P == 0


def _identities(rng):
    """Identities of every kind of length: e is made here, gmssl signs it, OpenSSL judges both together. The longest
    whose bits fit ENTL has 8,191 bytes; OpenSSL's limit is one below."""
    items, expected = [], []
    for i in range(IDENTITIES):
        identity = rng.randbytes([1, 15, 16, 17, 255, 256, 8_190, rng.randrange(1, 100)][i % 8])
        message = rng.randbytes(rng.randrange(100))
        signer = _signer()
        e = sm3(_z(identity, bytes.fromhex(signer.public_key)) + message)
        signature = None
        while signature is None:
            signature = signer.sign(e, func.random_hex(64))
        item = {
            "public_key": bytes.fromhex(signer.public_key),
            "signature": bytes.fromhex(signature),
            "message": message,
            "identity": identity if i % 5 else identity[:-1] + b"?",
        }
        items.append(item)
        expected.append(
            verdict(sm2_openssl.holds(item["public_key"], item["signature"], message, False, item["identity"]))
        )
    return verify("SM2, OpenSSL: sm2-message, identities", "sm2-message", in_hex(items), expected)


def _z(identity, key):
    table = sm2.default_ecc_table
    curve = bytes.fromhex(table["a"] + table["b"] + table["g"])
    return sm3((len(identity) * 8).to_bytes(2, "big") + identity + curve + key)


def _add(left, right):
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) if left == right else (y2 - y1) * pow(x2 - x1, -1, P)
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def _times(scalar, point):
    total = None
    for bit in bin(scalar)[2:]:
        total = _add(total, total)
        if bit == "1":
            total = _add(total, point)
    return total
