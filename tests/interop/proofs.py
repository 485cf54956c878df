"""Groth16: keys, witnesses, proofs and calldata against npm snarkjs, and snarkjs's Solidity verifier in an EVM."""

import copy
import hashlib
import json
import os
import subprocess
import time

import node
import proof_circuits
from proof_circuits import SCALARS, SECONDS_MAX, Circuit, load, save, write

# Orders of the base fields: a point of y has its negative at p - y.
BASES = {
    "bn128": 21888242871839275222246405745257275088696311157297823662689037894645226208583,
    "bls12381": int(
        "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16
    ),
}
# Powers of tau of a key that snarkjs makes: room for 128 constraints.
POWER = 7
# Who makes proofs: snarkjs; we, from inputs; we, from snarkjs's witness.
MAKERS = THEIRS, OURS, MIXED = ("theirs", "ours", "ours-of-theirs")
# An OpenCL device of ours, whose kernels may have to be compiled first.
DEVICE = "device"
DEVICE_SECONDS_MAX = 1200
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What a Solidity verifier answers.
YES, NO = "0" * 63 + "1", "0" * 64


def run(outrigger, tally):
    """Each circuit: what snarkjs makes of our files, then what both say of the proofs of both, and of damaged ones."""
    _compiled_circuits(tally)
    folder = outrigger.folder
    merkle, sha256 = proof_circuits.merkle(folder), proof_circuits.sha256(folder)
    chains = [proof_circuits.chain(folder, curve) for curve in SCALARS]
    semaphores = [proof_circuits.semaphore(folder, depth) for depth in (20, 32)]
    for circuit in (merkle, sha256, *chains):
        _must(outrigger, ["setup", "--r1cs", circuit.r1cs, "--key", circuit.key, "--vk", circuit.vk])
    for circuit in (merkle, sha256, *semaphores, *chains, *_with_keys_of_snarkjs(chains)):
        _check(outrigger, tally, circuit)
    _on_device(outrigger, tally, (merkle, semaphores[0], *chains))
    digest = int("".join(load(sha256.proof(OURS)["public"])), 2)
    expected = hashlib.sha256(proof_circuits.MESSAGE).hexdigest()
    tally.group("sha256 in a circuit", [("hashlib's digest", f"{digest:064x}", expected)])
    for circuit in (merkle, semaphores[0]):
        _solidity(tally, circuit)


def _compiled_circuits(tally):
    """What is compiled and checked in comes from the sources beside it."""
    command = [os.path.join(proof_circuits.SHIPPED, "build"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    tally.group("compiled circuits are those of their sources", [(done.stderr[-500:], done.returncode, 0)])


def _with_keys_of_snarkjs(circuits):
    """The same circuits with keys that snarkjs makes, from powers of tau of its own."""
    others = []
    for circuit in circuits:
        files = {"r1cs": circuit.r1cs, "wasm": circuit.wasm}
        others.append(Circuit(f"{circuit.name} key of snarkjs", circuit.folder, circuit.curve, **files))
        others[-1].input = circuit.input
    keys = [{"do": "key", "r1cs": it.r1cs, "curve": it.curve, "power": POWER, "key": it.key} for it in others]
    exports = [{"do": "verificationKey", "key": it.key} for it in others]
    for other, vk in zip(others, node.judge("proofs.mjs", given=keys + exports)[len(keys):]):
        save(other.vk, vk)
    return others


def _check(outrigger, tally, circuit):
    """Verifying key, witness, proofs and calldata of one circuit."""
    theirs, ours = circuit.path("theirs.wtns"), circuit.path("ours.wtns")
    vk, *_ = node.judge("proofs.mjs", given=[
        {"do": "verificationKey", "key": circuit.key},
        {"do": "witness", "wasm": circuit.wasm, "input": circuit.input, "witness": theirs},
        {"do": "prove", "key": circuit.key, "witness": theirs, **circuit.proof(THEIRS)},
    ])
    inputs = ["--wasm", circuit.wasm, "--input", circuit.input, "--save-witness", ours]
    _must(outrigger, _prove(circuit, OURS, inputs))
    _must(outrigger, _prove(circuit, MIXED, ["--witness", theirs]))
    rows = [("the verifying key", load(circuit.vk) == vk, True), ("the witness", _bytes(ours) == _bytes(theirs), True)]
    rows += _verdicts(outrigger, circuit, vk)
    if circuit.curve == "bn128":
        rows += _calldata(circuit)
    tally.group(f"groth16, {circuit.name}", rows)


def _on_device(outrigger, tally, circuits):
    """Proofs that an OpenCL device makes, through a sidecar of their own; snarkjs says what they are."""
    state, place = os.path.join(outrigger.folder, "on-device"), os.path.join(outrigger.folder, "on-device.sock")
    os.makedirs(state)
    # Kernels that the tests have compiled need not be compiled again.
    cache = os.environ.get("OUTRIGGER_KERNELS", os.path.join(ROOT, "target", "tmp", "cache", "outrigger", "kernels"))
    config = outrigger.file(
        "on-device.toml",
        f'[engines]\nopencl = "all"\n[devices]\nhang_max = "120s"\nkernel_cache = "{cache}"\n'
        f'[proving]\ndirectory = "{state}"\n[listen]\nunix = "{place}"\nadmin = ""\n',
    )
    endpoint, rows = ["--endpoint", f"unix:{place}"], []
    with open(os.path.join(state, "log"), "wb") as log:
        command = [outrigger.binary, "serve", "--config", config]
        sidecar = subprocess.Popen(command, stdout=log, stderr=log, env=outrigger.environment)
    try:
        for circuit in circuits:
            files = circuit.proof(DEVICE)
            add = ["circuits", "add", "--name", circuit.name, "--key", circuit.key, "--json", *endpoint]
            name = json.loads(_patiently(outrigger, add))["circuit"]
            prove = ["prove", "--circuit", name, "--witness", circuit.path("theirs.wtns"), "--backend", "opencl"]
            _patiently(outrigger, [*prove, "--proof", files["proof"], "--public", files["public"], *endpoint])
            proof, signals = _proof_of(circuit, DEVICE)
            answer, = node.judge("proofs.mjs", given=[
                {"do": "verify", "vk": load(circuit.vk), "proof": proof, "public": signals}
            ])
            rows.append((f"snarkjs: {circuit.name}", answer, True))
    finally:
        sidecar.terminate()
        sidecar.wait()
    rows.append(("a proof is repeated", "is repeated" in _text(os.path.join(state, "log")), False))
    tally.group("groth16 on an OpenCL device", rows)


def _patiently(outrigger, arguments):
    """What a command prints that must succeed, as soon as the sidecar and its device are ready for it."""
    until = time.monotonic() + DEVICE_SECONDS_MAX
    while True:
        done = outrigger.call(arguments)
        if done.returncode == 0:
            return done.stdout
        if time.monotonic() > until:
            raise SystemExit(f"outrigger {' '.join(arguments)}: status {done.returncode}\n{done.stderr[-2000:]}")
        time.sleep(1)


def _prove(circuit, maker, secret):
    files = circuit.proof(maker)
    constraints = ["--r1cs", circuit.r1cs] if circuit.r1cs else []
    # The parameters of a Solidity verifier are made for BN254 only.
    calldata = ["--calldata", circuit.path(f"{maker}.calldata")] if circuit.curve == "bn128" else []
    outputs = ["--proof", files["proof"], "--public", files["public"], *calldata]
    return ["prove", "--local", "--key", circuit.key, *secret, *constraints, *outputs]


def _verdicts(outrigger, circuit, vk):
    """What both say of every proof, and of the same proofs damaged."""
    cases = []
    for maker in MAKERS:
        proof, signals = _proof_of(circuit, maker)
        cases.append((maker, proof, signals, True))
        cases += [(f"{maker}, {what}", *bad, False) for what, *bad in _damaged(circuit.curve, proof, signals)]
    tasks = [{"do": "verify", "vk": vk, "proof": proof, "public": signals} for _, proof, signals, _ in cases]
    rows = []
    for (what, proof, signals, is_good), answer in zip(cases, node.judge("proofs.mjs", given=tasks)):
        rows.append((f"snarkjs: {what}", answer, is_good))
        rows.append((f"ours: {what}", _is_valid(outrigger, circuit, proof, signals), is_good))
    return rows


def _damaged(curve, proof, signals):
    """Proofs that are not valid: off the curve, on it but another point, other signals, a signal not reduced."""
    for field, place in (("pi_a", [0]), ("pi_b", [1, 0]), ("pi_c", [1])):
        yield f"{field} with a bit flipped", _changed(proof, field, place, lambda value: value ^ 1), signals
    for field in ("pi_a", "pi_c"):
        yield f"{field} negated", _changed(proof, field, [1], lambda value: BASES[curve] - value), signals
    for i in sorted({0, len(signals) - 1}):
        yield f"signal {i} with a bit flipped", proof, _with(signals, i, int(signals[i]) ^ 1)
        yield f"signal {i} not reduced", proof, _with(signals, i, int(signals[i]) + SCALARS[curve])


def _changed(proof, field, place, change):
    bad = copy.deepcopy(proof)
    holder = bad[field]
    for index in place[:-1]:
        holder = holder[index]
    holder[place[-1]] = str(change(int(holder[place[-1]])))
    return bad


def _with(values, index, value):
    return [*values[:index], str(value), *values[index + 1:]]


def _is_valid(outrigger, circuit, proof, signals):
    """Whether we find a proof valid. One that cannot be read is refused with status 2: a no as well."""
    files = [outrigger.file("judged.proof.json", json.dumps(proof)), outrigger.file("judged.json", json.dumps(signals))]
    arguments = ["--vk", circuit.vk, "--proof", files[0], "--public", files[1], "--json"]
    done = outrigger.call(["verify-proof", "--local", *arguments])
    return done.returncode == 0 and json.loads(done.stdout)["verdict"] == "valid"


def _calldata(circuit):
    """Our calldata, character by character."""
    proofs = [_proof_of(circuit, maker) for maker in (OURS, MIXED)]
    tasks = [{"do": "calldata", "proof": proof, "public": signals} for proof, signals in proofs]
    answers = node.judge("proofs.mjs", given=tasks)
    return [(f"calldata, {maker}", _text(circuit.path(f"{maker}.calldata")).strip(), answer)
            for maker, answer in zip((OURS, MIXED), answers)]


def _solidity(tally, circuit):
    """snarkjs's Solidity verifier in an EVM: our calldata, and the same with a bit of each word flipped."""
    verifier, = node.judge("proofs.mjs", given=[{"do": "verifier", "key": circuit.key}])
    words = _flat(json.loads(f"[{_text(circuit.path(f'{OURS}.calldata'))}]"))
    calls = [words] + [_with(words, i, f"{int(word, 16) ^ 1:#066x}") for i, word in enumerate(words)]
    code, lines = circuit.path("code.hex"), circuit.path("calls.hex")
    write(code, verifier["code"])
    write(lines, "\n".join(verifier["selector"] + "".join(word[2:] for word in call) for call in calls))
    command = [os.environ["INTEROP_EVM"], code, lines]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=SECONDS_MAX, check=True)
    answers = done.stdout.split()
    rows = [(f"call {i}", answer, NO if i else YES) for i, answer in enumerate(answers)]
    tally.group(f"Solidity verifier, {circuit.name}", [*rows, ("calls", len(answers), len(calls))])


def _flat(value):
    return [word for part in value for word in _flat(part)] if isinstance(value, list) else [value]


def _proof_of(circuit, maker):
    files = circuit.proof(maker)
    return load(files["proof"]), load(files["public"])


def _must(outrigger, arguments):
    done = outrigger.call(arguments)
    if done.returncode != 0:
        raise SystemExit(f"outrigger {' '.join(arguments)}: status {done.returncode}\n{done.stderr[-2000:]}")


def _text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _bytes(path):
    with open(path, "rb") as file:
        return file.read()
