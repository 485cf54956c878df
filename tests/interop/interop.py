"""Compares Outrigger's answers with libraries that are not ours, in process and through a sidecar.

Usage: interop.py BINARY FOLDER [NAME...]: FOLDER is for scratch files, names pick some of the checks.
"""

import os
import sys
import time

import bls_python
import cavp
import command_line
import ecdsa_openssl
import ed25519_openssl
import ethereum
import hash_functions
import merkle_trees
import node
import proofs
import shared_data
import sm2_three
from cases import Tally
from outrigger import Outrigger

SHARED_DATA = os.environ.get("INTEROP_SHARED_DATA", os.path.join("..", "shared", "data"))


def _groups(make):
    def run(outrigger, tally):
        for group in make():
            tally.run(outrigger, group)

    return run


def _shared_data(outrigger, tally):
    if os.path.isdir(SHARED_DATA):
        shared_data.run(outrigger, tally, SHARED_DATA)
    elif os.environ.get("CI") == "true":
        raise SystemExit(f"interop: {SHARED_DATA} is missing, and CI is true")
    else:
        print(f"!!!!!! skipped: real blocks and signatures, for there is no {SHARED_DATA}")


CHECKS = {
    "command-line": command_line.run,
    "shared-data": _shared_data,
    "cavp": _groups(cavp.groups),
    "ecdsa": _groups(ecdsa_openssl.groups),
    "ed25519": _groups(ed25519_openssl.groups),
    "hashes": _groups(hash_functions.groups),
    "merkle": merkle_trees.run,
    "poseidon": _groups(lambda: node.judge("poseidon.mjs")),
    "ethereum": ethereum.run,
    "bls": _groups(bls_python.groups),
    "noble": _groups(lambda: node.judge("secp256k1_ed25519_bls.mjs")),
    "sm2": _groups(sm2_three.groups),
    "proofs": proofs.run,
}


def main():
    """Runs the checks; the exit status is 1 where an answer differs."""
    binary, folder, *names = sys.argv[1:]
    tally = Tally()
    with Outrigger(os.path.abspath(binary), folder) as outrigger:
        for name in names or CHECKS:
            start = time.monotonic()
            CHECKS[name](outrigger, tally)
            print(f"-- {name}: {time.monotonic() - start:.1f} s", flush=True)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
