"""What the command line says, and its exit status, where the input is wrong."""

import json

GOOD = {"public_key": "00" * 32, "signature": "00" * 64, "message": ""}

# What is wrong, the ruleset, the text of the items file, and words that the message must hold.
ITEMS = [
    ("not JSON", "solana-ed25519", "{", ["JSON array"]),
    ("not an array", "solana-ed25519", "{}", ["JSON array"]),
    ("an odd number of digits", "solana-ed25519", [{**GOOD, "signature": "abc"}], ["item 0", "signature", "hex"]),
    ("not hex", "solana-ed25519", [GOOD, {**GOOD, "public_key": "0xzz"}], ["item 1", "public_key", "hex"]),
    ("no signature", "solana-ed25519", [{"public_key": "", "message": ""}], ["item 0", "signature", "missing"]),
    ("no key", "solana-ed25519", [{"signature": "", "message": ""}], ["item 0", "public_key", "missing"]),
    ("no message", "solana-ed25519", [{"signature": "", "public_key": ""}], ["item 0", "message", "missing"]),
    ("message for digest", "bitcoin", [GOOD], ["item 0", "digest", "bitcoin"]),
    ("digest for message", "solana-ed25519", [{"public_key": "", "signature": "", "digest": ""}], ["message"]),
    ("an unknown ruleset", "ethereum", [GOOD], ["unknown ruleset", "ethereum-transaction"]),
]
BLOCK = {"number": "0x1", "transactionsRoot": "0x" + "00" * 32, "transactions": ["0x" + "11" * 32]}


def run(outrigger, tally):
    """Every bad input must end with status 2, an empty standard output and a message that helps."""
    rows = []
    for name, ruleset, items, words in ITEMS:
        text = items if isinstance(items, str) else json.dumps(items)
        path = outrigger.file("bad.json", text)
        rows += _refused(outrigger, name, ["verify", "--ruleset", ruleset, "--items", path], words)
    rows += _refused(outrigger, "a file that is not there", _items("/nonexistent/items.json"), ["/nonexistent", "read"])
    block = outrigger.file("hashes.json", json.dumps(BLOCK))
    words = ["eth_getBlockByNumber", "true"]
    rows += _refused(outrigger, "a block with hashes only", ["verify", "--ethereum-block", block], words)
    good = outrigger.file("good.json", json.dumps([GOOD]))
    rows += _refused(outrigger, "items without a ruleset", ["verify", "--items", good], ["--ruleset"])
    recover = ["recover", "--ruleset", "bip340", "--items", good]
    rows += _refused(outrigger, "recovery where no key is in it", recover, ["recover", "ethereum-transaction"])
    strings = outrigger.file("strings.json", json.dumps(["00", "0"]))
    hashing = ["hash", "--algorithm", "sha256", "--items", strings]
    rows += _refused(outrigger, "an odd message", hashing, ["item 1", "hex"])
    unknown = ["hash", "--algorithm", "md5", "--items", strings]
    rows += _refused(outrigger, "an unknown hash", unknown, ["md5", "keccak256"])
    tally.group("command line, bad input", rows)
    tally.group("command line, good input", _accepted(outrigger, good) + _away(outrigger, good))


def _items(path):
    return ["verify", "--ruleset", "solana-ed25519", "--items", path]


def _refused(outrigger, name, arguments, words):
    done = outrigger.call([*arguments, "--local", "--json"])
    missing = [word for word in words if word not in done.stderr]
    return [
        (f"{name}: status", done.returncode, 2),
        (f"{name}: standard output", done.stdout, ""),
        (f"{name}: words not in {done.stderr!r}", missing == [], True),
    ]


def _accepted(outrigger, good):
    """Status 0 whatever the verdicts, with and without JSON; hex with 0x and in capitals."""
    spelt = outrigger.file("spelt.json", json.dumps(["0xABCDEF", "abcdef", "0Xabcdef"]))
    digests = outrigger.answer(["hash", "--algorithm", "sha256", "--items", spelt, "--local", "--json"])["digests"]
    empty = outrigger.file("empty.json", "[]")
    rows = [("spellings of hex", len(set(digests)), 1)]
    for place in outrigger.PLACES:
        people = outrigger.call([*_items(good), *outrigger.place(place)])
        rows.append((f"status with a verdict of no, {place}", people.returncode, 0))
        nothing = outrigger.answer([*_items(empty), "--json", *outrigger.place(place)])
        rows.append((f"no items, {place}", nothing, {"verdicts": []}))
    return rows


def _away(outrigger, good):
    """A sidecar that is not there is a failure, never a verdict."""
    done = outrigger.call([*_items(good), "--json", "--endpoint", f"unix:{outrigger.folder}/nobody.sock"])
    return [
        ("no sidecar: status", done.returncode, 1),
        ("no sidecar: standard output", done.stdout, ""),
        ("no sidecar: a message", bool(done.stderr.strip()), True),
    ]
