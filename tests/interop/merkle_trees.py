"""Merkle trees of bytes: a few recursive lines each, straight from the definitions, judge roots and proofs."""

import json
import random

from hash_functions import FUNCTIONS, sha256d

SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 100, 255, 257, 1_000]
TREES = [
    ("rfc6962", "sha256"),
    ("rfc6962", "sm3"),
    ("binary", "sha256"),
    ("binary", "keccak256"),
    ("binary", "sha3-256"),
    ("binary", "sm3"),
    ("binary", "blake2b-256"),
    ("binary", "blake3"),
    ("bitcoin", "sha256d"),
]


def run(outrigger, tally):
    """Checks roots of every size and one proof of each."""
    rng = random.Random(0x3E4C1E)
    for place in outrigger.PLACES:
        for tree, algorithm in TREES:
            rows = []
            for size in SIZES:
                leaves = [rng.randbytes(32 if tree == "bitcoin" else rng.randrange(80)) for _ in range(size)]
                index = rng.randrange(size)
                rows += _check(outrigger, place, tree, algorithm, leaves, index)
            tally.group(f"Merkle tree {tree} of {algorithm}, {place}", rows)
        _traps(outrigger, tally, place)


def _ask(outrigger, place, tree, algorithm, leaves, *more):
    arguments = ["merkle", "--tree", tree, "--algorithm", algorithm, *more]
    return outrigger.ask(place, arguments, [leaf.hex() for leaf in leaves])


def _check(outrigger, place, tree, algorithm, leaves, index):
    function = FUNCTIONS[algorithm]
    wanted = "0x" + _root(tree, function, leaves).hex()
    answer = _ask(outrigger, place, tree, algorithm, leaves, "--prove", str(index))
    proof = answer["proof"]
    own = "0x" + _leaf(tree, function, leaves[index]).hex()
    node = bytes.fromhex(proof["leaf_hash"][2:])
    for step in proof["siblings"]:
        sibling = bytes.fromhex(step["hash"][2:])
        node = _node(tree, function, *((sibling, node) if step["side"] == "left" else (node, sibling)))
    name = f"{len(leaves)} leaves"
    return [
        (f"{name}, root", answer["root"], wanted),
        (f"{name}, leaf {index} as it enters", proof["leaf_hash"], own),
        (f"{name}, proof of leaf {index}", "0x" + node.hex(), wanted),
    ]


def _leaf(tree, function, leaf):
    prefix = {"rfc6962": b"\x00"}.get(tree, b"")
    return leaf if tree == "bitcoin" else function(prefix + leaf)


def _node(tree, function, left, right):
    return function({"rfc6962": b"\x01"}.get(tree, b"") + left + right)


def _root(tree, function, leaves):
    """The root as RFC 6962, section 2.1, defines it; Bitcoin's differs in its lone nodes."""
    if tree == "bitcoin":
        level = leaves
        while len(level) > 1:
            level = level + level[-1:] if len(level) % 2 else level
            level = [sha256d(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
        return level[0]
    if len(leaves) == 1:
        return _leaf(tree, function, leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = (_root(tree, function, half) for half in (leaves[:split], leaves[split:]))
    return _node(tree, function, left, right)


def _traps(outrigger, tally, place):
    """What has no root, or a root that it must not share."""
    three = [bytes([i]) * 32 for i in (1, 2, 3)]
    cases = [
        ("bitcoin, last leaf repeated (CVE-2012-2459)", "bitcoin", "sha256d", three + three[-1:], "invalid", None),
        ("bitcoin, a leaf of 31 bytes", "bitcoin", "sha256d", [bytes(31)], "malformed", None),
        ("rfc6962, no leaves", "rfc6962", "sha256", [], "valid", "0x" + FUNCTIONS["sha256"](b"").hex()),
        ("binary, no leaves", "binary", "sha256", [], "malformed", None),
    ]
    rows = []
    for name, tree, algorithm, leaves, verdict, root in cases:
        path = outrigger.file("trap.json", json.dumps([leaf.hex() for leaf in leaves]))
        arguments = ["merkle", "--tree", tree, "--algorithm", algorithm, "--items", path, "--json"]
        done = outrigger.call([*arguments, *outrigger.place(place)])
        rows.append((name, json.loads(done.stdout), {"verdict": verdict, "root": root, "leaves": len(leaves)}))
    tally.group(f"Merkle trees, traps, {place}", rows)
