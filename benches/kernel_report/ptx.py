"""The fields of the kernels, and their PTX run against the integers: what the host build cannot judge."""

import collections
import random
import re
import sys

# A field: its file, the prefix of its functions, its modulus, whether residues are Montgomery's with R = 2^(32 words),
# and below what those are that its sum and the second part of its difference take, and that the others take; the words
# of an element, and its type.
Field = collections.namedtuple("Field", "name file prefix modulus is_montgomery addend_limit limit words type",
                               defaults=[2**256, 8, "u256"])


def proving_field(name, prefix, modulus, words=8):
    """A field of `prime.inc`: everything is below the modulus."""
    return Field(name, f"fields/{prefix}.inc", prefix, modulus, True, modulus, modulus, words, prefix)


BN254_U, BLS12_381_X = 4965661367192848881, -0xD201000000010000
BLS12_381_R = BLS12_381_X**4 - BLS12_381_X**2 + 1
FIELDS = [
    Field("2^255 - 19", "fields/field25519.inc", "fe25519", 2**255 - 19, False, 2**255 + 2**11),
    Field("secp256k1 p", "fields/secp256k1_p.inc", "secp256k1_p", 2**256 - 2**32 - 977, False, 2**256),
    Field("secp256k1 n", "fields/secp256k1_n.inc", "secp256k1_n",
          0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141, True, 2**256),
    Field("P-256 p", "fields/p256_p.inc", "p256_p", 2**256 - 2**224 + 2**192 + 2**96 - 1, True, 2**256),
    Field("P-256 n", "fields/p256_n.inc", "p256_n",
          0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551, True, 2**256),
    Field("SM2 p", "fields/sm2_p.inc", "sm2_p", 2**256 - 2**224 - 2**96 + 2**64 - 1, True, 2**256),
    Field("SM2 n", "fields/sm2_n.inc", "sm2_n",
          0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123, True, 2**256),
    proving_field("BN254 q", "bn254_q", 36 * BN254_U**4 + 36 * BN254_U**3 + 24 * BN254_U**2 + 6 * BN254_U + 1),
    proving_field("BN254 r", "bn254_r", 36 * BN254_U**4 + 36 * BN254_U**3 + 18 * BN254_U**2 + 6 * BN254_U + 1),
    proving_field("BLS12-381 q", "bls12_381_q", (BLS12_381_X - 1)**2 * BLS12_381_R // 3 + BLS12_381_X, words=12),
    proving_field("BLS12-381 r", "bls12_381_r", BLS12_381_R),
]
# How often each operation of a field is run in PTX.
PTX_RUNS = 200


def check_field(field, target, ptx):
    """Runs the PTX of a field's operations against the integers."""
    bodies = {name: body for name, body in re.findall(r"\.entry of_(\w+)\(.*?\)\s*\{(.*?)\n\}", ptx, re.S)}
    draw = random.Random(f"{field.name} {target}")
    divisor = 2**(32 * field.words) if field.is_montgomery else 1
    m = field.modulus
    result_limit = m if field.limit == m else 2**256
    expected = {
        "product": lambda a, b: a * b * pow(divisor, -1, m),
        "square": lambda a, b: a * a * pow(divisor, -1, m),
        "sum": lambda a, b: a + b,
        "difference": lambda a, b: a - b,
    }
    for name, operation in expected.items():
        program = Ptx(bodies[name])
        for _ in range(PTX_RUNS):
            a = number(draw, field.addend_limit if name == "sum" else field.limit, field)
            b = number(draw, field.addend_limit if name in ("sum", "difference") else field.limit, field)
            words = [value >> 32 * i & 0xFFFFFFFF for value in (a, b) for i in range(field.words)] + [0]
            program.run(words)
            result = sum(word << 32 * i for i, word in enumerate(words[:field.words]))
            if (result - operation(a, b)) % m != 0 or result >= result_limit:
                sys.exit(f"{field.file}: the {name} of {a:#x} and {b:#x} is wrong on {target}: {result:#x}")


def number(draw, limit, field):
    """A number below a limit, often one at an edge or of words that are."""
    kind, modulus, bits = draw.randrange(4), field.modulus, 32 * field.words
    if kind == 0:
        value = draw.choice([0, 1, modulus - 1, modulus, modulus + 1, 2 * modulus, limit - 1, 2**(bits - 1), 2**(bits - 1) - 1])
    elif kind == 1:
        value = sum(draw.choice([0, 1, 0x80000000, 0xFFFFFFFF]) << 32 * i for i in range(field.words))
    else:
        value = draw.getrandbits(bits)
    return value if value < limit else value % limit


class Ptx:
    """An interpreter for the little of PTX that straight arithmetic needs."""

    def __init__(self, body):
        # Comments and blocks go; what is in braces otherwise is a pair of registers.
        body = re.sub(r"//[^\n]*", "", body)
        body = re.sub(r";\s*\}", ";", re.sub(r"\{\s*\.reg", ".reg", body))
        self.steps, self.labels = [], {}
        for statement in re.findall(r"\$\w+:|[^;:]+;", body):
            statement = statement.strip().rstrip(";").strip()
            if statement.endswith(":"):
                self.labels[statement[:-1]] = len(self.steps)
            elif statement and not statement.startswith("."):
                guard, name, operands = re.match(r"(?:@(!?%p\d+)\s+)?([\w.]+)\s*(.*)", statement, re.S).groups()
                self.steps.append((guard, name, re.findall(r"\{[^}]*\}|[^,\s]+", operands)))

    def run(self, words):
        """Runs the kernel on one array of words, which it reads and writes."""
        registers, carry, at = {}, 0, 0

        def value(operand, width=32):
            # Numbers are written with signs, also where they are taken without.
            return registers[operand] if operand.startswith("%") else int(operand, 0) & ((1 << width) - 1)

        def place(operand):
            base, offset = re.fullmatch(r"\[(%rd\d+)(?:\+(\d+))?\]", operand).groups()
            return (registers[base] + int(offset or 0)) // 4

        while True:
            guard, name, operands = self.steps[at]
            at += 1
            if guard and registers[guard.lstrip("!")] == guard.startswith("!"):
                continue
            parts = name.split(".")
            kind, bits = parts[0], 1 if parts[-1] == "pred" else 64 if parts[-1].endswith("64") else 32
            if kind == "ret":
                return
            if kind == "bra":
                at = self.labels[operands[0]]
                continue
            if kind == "st":
                words[place(operands[0])] = value(operands[1])
                continue
            if kind == "ld":
                registers[operands[0]] = 0 if parts[1] == "param" else words[place(operands[1])]
                continue
            if kind == "cvta":
                registers[operands[0]] = value(operands[1])
                continue
            if kind == "mov" and operands[0].startswith("{"):
                low, high = re.findall(r"[%\w]+", operands[0])
                registers[low], registers[high] = value(operands[1]) & 0xFFFFFFFF, value(operands[1]) >> 32
                continue
            if kind == "mov" and operands[1].startswith("{"):
                low, high = re.findall(r"[-%\w]+", operands[1])
                registers[operands[0]] = value(high) << 32 | value(low)
                continue
            given = [value(operand, 64 if parts[1] == "wide" and n == 2 else bits) for n, operand in
                     enumerate(operands[1:])]
            if kind in ("add", "addc"):
                result = given[0] + given[1] + (carry if kind == "addc" else 0)
            elif kind in ("sub", "subc"):
                result = given[0] - given[1] - (carry if kind == "subc" else 0)
            elif kind in ("mul", "mad", "madc"):
                result = given[0] * given[1]
                if parts[1] == "wide":
                    bits = 64
                elif parts[1] == "hi":
                    result >>= 32
                else:
                    result &= (1 << bits) - 1
                result += (given[2] if kind != "mul" else 0) + (carry if kind == "madc" else 0)
            elif kind == "shl":
                result = given[0] << given[1]
            elif kind == "shr" and parts[1][0] in "ub":
                result = given[0] >> given[1]
            elif kind == "shf" and parts[1] == "l" and given[2] < 32:
                result = (given[1] << 32 | given[0]) << given[2] >> 32
            elif kind in ("and", "or", "xor"):
                result = {"and": int.__and__, "or": int.__or__, "xor": int.__xor__}[kind](given[0], given[1])
            elif kind in ("mov", "cvt"):
                result = given[0]
            elif kind == "neg":
                result = -given[0]
            elif kind == "not":
                result = ~given[0]
            elif kind == "selp":
                result = given[0] if given[2] else given[1]
            elif kind == "setp" and parts[1] in ("eq", "ne", "lt", "le", "gt", "ge") and (
                    parts[1] in ("eq", "ne") or parts[2][0] == "u"):
                order = (given[0] > given[1]) - (given[0] < given[1])
                result = {"eq": order == 0, "ne": order != 0, "lt": order < 0, "le": order <= 0, "gt": order > 0,
                          "ge": order >= 0}[parts[1]]
            else:
                raise ValueError(f"not known of PTX: {name} {operands}")
            if kind in ("cvt",):
                bits = int(parts[1][1:])
            if "cc" in parts:
                carry = result >> bits & 1
            registers[operands[0]] = result & ((1 << bits) - 1) if kind != "setp" else int(result)
