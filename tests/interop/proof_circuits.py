"""Circuits to prove: their files, inputs, and how circom2 compiles those that are sources here."""

import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys

import node

HERE = os.path.dirname(os.path.abspath(__file__))
SHIPPED = os.path.join(HERE, "..", "..", "crates", "groth16", "circuits")
# Orders of the scalar fields, by the names that circom and snarkjs have for the curves.
SCALARS = {
    "bn128": 21888242871839275222246405745257275088548364400416034343698204186575808495617,
    "bls12381": 52435875175126190479447740508185965837690552500527637822603658699938581184513,
}
SECONDS_MAX = 300


class Circuit:
    """A circuit's files, and where its witnesses and proofs are."""

    def __init__(self, name, folder, curve="bn128", **files):
        self.name, self.curve, self.folder = name, curve, folder
        self.r1cs, self.wasm = files.get("r1cs"), files["wasm"]
        self.key, self.vk = files.get("key", self.path("zkey")), files.get("vk", self.path("vk.json"))
        self.input = self.path("input.json")

    def path(self, name):
        """A file of this circuit in the scratch folder."""
        return os.path.join(self.folder, f"{self.name}.{name}".replace(" ", "-"))

    def proof(self, maker):
        """The files of a proof that somebody made."""
        return {"proof": self.path(f"{maker}.proof.json"), "public": self.path(f"{maker}.public.json")}


def install(home):
    """Sets INTEROP_NODE, which everything below reads, where it is not set: npm's packages, installed into `home`."""
    if "INTEROP_NODE" in os.environ:
        return
    os.makedirs(home, exist_ok=True)
    for file in [os.path.join(HERE, "package.json"), *glob.glob(os.path.join(HERE, "*.mjs"))]:
        shutil.copy(file, home)
    if not os.path.isdir(os.path.join(home, "node_modules", "snarkjs")):
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
        subprocess.run(command, cwd=home, stdout=sys.stderr, check=True)
    os.environ["INTEROP_NODE"] = home


def merkle(folder):
    """Ours, of depth 32: 7,744 constraints, hardly any wire 0 or 1."""
    files = {kind: os.path.join(SHIPPED, f"merkle-membership.{kind}") for kind in ("r1cs", "wasm")}
    circuit = Circuit("merkle-membership", folder, **files)
    save(circuit.input, node.judge("merkle_inputs.mjs"))
    return circuit


MESSAGE = hashlib.sha512(b"64 bytes to be hashed in a circuit").digest()


def sha256(folder):
    """circomlib's, of the 64 bytes of MESSAGE: 59,281 constraints, nearly all wires 0 or 1."""
    circuit = _compiled("sha256", folder, "bn128")
    save(circuit.input, {"in": [str(byte >> (7 - i) & 1) for byte in MESSAGE for i in range(8)]})
    return circuit


def semaphore(folder, depth):
    """Semaphore with the keys of its ceremony, which come without an R1CS."""
    base = os.path.join(os.environ["INTEROP_NODE"], "node_modules", "@zk-kit", "semaphore-artifacts")
    base = os.path.join(base, f"semaphore-{depth}")
    circuit = Circuit(f"semaphore-{depth}", folder, wasm=f"{base}.wasm", key=f"{base}.zkey", vk=f"{base}.json")
    # The path is shorter than the tree may be, and padded.
    siblings = [_number(f"sibling {i}") for i in range(depth - 3)]
    inputs = {
        "secret": _number("secret"),
        "merkleProofLength": str(len(siblings)),
        "merkleProofIndex": str(0x1A2B3 % 2 ** len(siblings)),
        "merkleProofSiblings": siblings + ["0"] * (depth - len(siblings)),
        "scope": "32",
        "message": "4711",
    }
    save(circuit.input, inputs)
    return circuit


def chain(folder, curve):
    """Fifty constraints on either curve."""
    circuit = _compiled("chain", folder, curve)
    save(circuit.input, {"start": "3", "constant": str(SCALARS[curve] - 5)})
    return circuit


def _number(label):
    """248 bits, so below the order of any field here."""
    return str(int.from_bytes(hashlib.sha256(label.encode()).digest()[:31], "big"))


def _compiled(name, folder, curve):
    """A circuit of circuits/, compiled by circom2, which sees files below its working folder only."""
    home, out = os.environ["INTEROP_NODE"], os.path.join("circuits", curve)
    os.makedirs(os.path.join(home, out), exist_ok=True)
    with open(os.path.join(HERE, "circuits", f"{name}.circom"), encoding="utf-8") as source:
        write(os.path.join(home, "circuits", f"{name}.circom"), source.read())
    options = ["--r1cs", "--wasm", "--O2", "--prime", curve, "-l", "node_modules", "-o", out]
    command = ["node", os.path.join("node_modules", "circom2", "cli.js"), f"circuits/{name}.circom", *options]
    subprocess.run(command, cwd=home, stdout=subprocess.DEVNULL, timeout=SECONDS_MAX, check=True)
    base = os.path.join(home, out, name)
    wasm = os.path.join(home, out, f"{name}_js", f"{name}.wasm")
    return Circuit(f"{name} {curve}", folder, curve, r1cs=f"{base}.r1cs", wasm=wasm)


def load(path):
    """A JSON file."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save(path, value):
    """Writes a JSON file."""
    write(path, json.dumps(value))


def write(path, text):
    """Writes a text file."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
