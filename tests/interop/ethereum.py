"""Raw Ethereum transactions of every type, judged by ethers."""

import json

import node


def run(outrigger, tally):
    """Sends them in one list; then each of the bad ones."""
    made = node.judge("ethereum.mjs")
    path = outrigger.file("transactions.json", json.dumps([one["raw"] for one in made]))
    unknown = outrigger.file("unknown.json", json.dumps([made[0]["raw"], "0x7b" + made[-1]["raw"][4:]]))
    for place in outrigger.PLACES:
        flags = ["--json", "--chain-id", "1", *outrigger.place(place)]
        found = outrigger.answer(["verify", "--ethereum-transactions", path, *flags])["transactions"]
        rows = [(one["raw"][:40], got, one["expected"]) for one, got in zip(made, found)]
        rows.append(("number of transactions", len(found), len(made)))
        tally.group(f"Ethereum transactions of types 0 to 4, ethers, {place}", rows)
        other = ["--json", "--chain-id", "5", *outrigger.place(place)]
        found = outrigger.answer(["verify", "--ethereum-transactions", path, *other])["transactions"]
        # Legacy transactions from before EIP-155 name no chain.
        rows = [
            (one["raw"][:40], got["verdict"] == "valid", one["is_for_any_chain"]) for one, got in zip(made, found)
        ]
        tally.group(f"Ethereum transactions for another chain, {place}", rows)
        done = outrigger.call(["verify", "--ethereum-transactions", unknown, *flags])
        answer = json.loads(done.stdout)
        rows = [
            ("status", done.returncode, 3),
            ("verdicts", [one["verdict"] for one in answer["transactions"]] == ["valid", "unprocessed"], True),
            ("root", answer["transactions_root"], None),
            ("a reason for no root", bool(answer.get("transactions_root_reason")), True),
        ]
        tally.group(f"Ethereum transactions, an unknown type, {place}", rows)

