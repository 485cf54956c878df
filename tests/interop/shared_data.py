"""Real input beside the repository: a block of Ethereum's main net, signatures of Fabric and of FISCO BCOS."""

import json
import os

from cases import REFUSED, VALID, verify

# Fabric's messages have some 35,000 bits each, so only a sample of them is flipped; 37 is prime to 8, so that every
# place within a byte comes up.
MESSAGE_BIT_STEP = 37


def run(outrigger, tally, folder):
    """Checks everything in `folder`."""
    _block(outrigger, tally, os.path.join(folder, "ethereum-mainnet-block-15571241.json"))
    fabric = _read(folder, "fabric-endorsements.json")
    _all_valid(outrigger, tally, "fabric", fabric)
    for i, item in enumerate(fabric):
        mutants = _flips(item, {"message": MESSAGE_BIT_STEP})
        _none_valid(outrigger, tally, f"shared data, fabric {i}, one bit changed", "fabric", mutants)
    for ruleset, items in _read(folder, "fisco-bcos-signatures.json").items():
        _all_valid(outrigger, tally, ruleset, items)
        for i, item in enumerate(items):
            _none_valid(outrigger, tally, f"shared data, {ruleset} {i}, one bit changed", ruleset, _flips(item, {}))


def _read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


def _all_valid(outrigger, tally, ruleset, items):
    tally.run(outrigger, verify(f"shared data, {ruleset}", ruleset, items, [VALID] * len(items)))


def _none_valid(outrigger, tally, name, ruleset, mutants):
    tally.run(outrigger, verify(name, ruleset, mutants, [REFUSED] * len(mutants)))


def _flips(item, steps):
    """The item with one bit changed, for every bit of every field, or every so many of one in `steps`."""
    mutants = []
    for field, step in ((field, steps.get(field, 1)) for field in item if field != "note"):
        data = bytes.fromhex(item[field])
        bits = len(data) * 8
        for bit in sorted({*range(0, bits, step), bits - 1}):
            changed = bytearray(data)
            changed[bit // 8] ^= 0x80 >> bit % 8
            mutants.append({**item, field: changed.hex()})
    return mutants


def _block(outrigger, tally, path):
    with open(path, encoding="utf-8") as file:
        block = json.load(file)
    block = block.get("result", block)
    wrapped = outrigger.file("wrapped.json", json.dumps({"jsonrpc": "2.0", "id": 1, "result": block}))
    for place in outrigger.PLACES:
        for form, file in (("bare", path), ("wrapped", wrapped)):
            answer = outrigger.answer(["verify", "--ethereum-block", file, "--json", *outrigger.place(place)])
            rows = [("transactionsRoot", answer["transactions_root"], block["transactionsRoot"])]
            rows.append(("number of transactions", len(answer["transactions"]), len(block["transactions"])))
            for i, (claim, found) in enumerate(zip(block["transactions"], answer["transactions"])):
                rows.append((f"hash {i}", found["hash"], claim["hash"].lower()))
                rows.append((f"from {i}", found["from"], claim["from"].lower()))
                rows.append((f"verdict {i}", found["verdict"], VALID))
            tally.group(f"shared data, block {int(block['number'], 16)}, {form}, {place}", rows)
