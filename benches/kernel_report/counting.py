"""Products and squares of a signature, counted in the host build of the kernels."""

import collections
import hashlib
import os
import pathlib
import re

# A kernel that is counted: its program; the words of an item that is valid, by column; the C that makes the tables, the
# groups of eight work-items that this takes, and bytes; the C that verifies; the words of an item's output; and what
# is expected of the best known way, in products and squares together and in integer multiplications: None of kernels
# that take a whole group for an item, which are for their length alone.
Counted = collections.namedtuple(
    "Counted", "kernel program item tables groups table_bytes call output expected expected_multiplications",
    defaults=(None, None))

# The work-items of a group: GROUP_MAX of the host.
GROUP = 8

# Runs one group on a valid item each, or on one, and prints what the fields counted; then the products and squares of the
# longest way through: those of the work-item that had most of them, from barrier to barrier, and how many ways these are.
HARNESS = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
@COUNTERS@
#define KERNEL_HOST
#define HOST_THREADS
#include "platform.h"
_Thread_local struct host_place host_place;
static pthread_barrier_t barrier;
static int is_counted;
static unsigned long since[2 * @GROUP@], length[3];
/* What this work-item counted since the last barrier; one of the group takes the most of all. */
static void end_way(void) {
    unsigned long *own = since + 2 * host_place.local;
    static _Thread_local unsigned long before[2];
    own[0] = -before[0], own[1] = -before[1], before[0] = before[1] = 0;
    @COUNTED@
    own[0] += before[0], own[1] += before[1];
    if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
        unsigned long most = 0;
        for (size_t i = 1; i < @GROUP@; i++)
            if (since[2 * i] + since[2 * i + 1] > since[2 * most] + since[2 * most + 1]) most = i;
        length[0] += since[2 * most], length[1] += since[2 * most + 1], length[2]++;
    }
    pthread_barrier_wait(&barrier);
}
void host_barrier(void) {
    if (is_counted) end_way();
    else pthread_barrier_wait(&barrier);
}
#include "@PROGRAM@.cl"
static const u32 item[] = {@ITEM@};
#define WORDS (sizeof(item) / sizeof(item[0]))
static u32 items[WORDS * @COUNT@], results[(2 + @OUTPUT@) * @COUNT@];
static u32 offsets[@COUNT@ + 1];
static u8 message[@COUNT@];
static void *tables;
static unsigned group_number;
static unsigned long sums[2 * FIELD_COUNT];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *work(void *place) {
    host_place.group = group_number, host_place.local = (unsigned)(size_t)place, host_place.size = @GROUP@;
    if (is_counted) {
        @CALL@;
        end_way();
        pthread_mutex_lock(&lock);
        @ADD@
        pthread_mutex_unlock(&lock);
    } else {
        @TABLES@;
    }
    return 0;
}
static void run(void) {
    pthread_t threads[@GROUP@];
    for (size_t i = 0; i < @GROUP@; i++) pthread_create(&threads[i], 0, work, (void *)i);
    for (size_t i = 0; i < @GROUP@; i++) pthread_join(threads[i], 0);
}
int main(void) {
    tables = calloc(1, @TABLE_BYTES@);
    for (u32 w = 0; w < WORDS; w++)
        for (u32 i = 0; i < @COUNT@; i++) items[w * @COUNT@ + i] = item[w];
    pthread_barrier_init(&barrier, 0, @GROUP@);
    for (group_number = 0; group_number < @GROUPS@; group_number++) run();
    group_number = 0, is_counted = 1;
    run();
    for (u32 i = 0; i < @COUNT@; i++)
        if (results[i] != VERDICT_VALID) return 1;
    for (u32 i = 0; i < FIELD_COUNT; i++) printf("%lu %lu\n", sums[2 * i] / @GROUP@, sums[2 * i + 1] / @GROUP@);
    printf("%lu %lu %lu\n", length[0], length[1], length[2]);
    free(tables);
    return 0;
}
"""


class Curve:
    """y^2 = x^3 + ax + b, in affine coordinates."""

    def __init__(self, p, a, n, x, y):
        self.p, self.a, self.n, self.base = p, a, n, (x, y)

    def add(self, one, other):
        if one is None or other is None:
            return one or other
        (x, y), (u, v) = one, other
        if x == u and (y + v) % self.p == 0:
            return None
        if one == other:
            slope = (3 * x * x + self.a) * pow(2 * y, -1, self.p)
        else:
            slope = (v - y) * pow(u - x, -1, self.p)
        w = (slope * slope - x - u) % self.p
        return w, (slope * (x - w) - y) % self.p

    def times(self, scalar, point):
        result = None
        for bit in bin(scalar)[2:]:
            result = self.add(result, result)
            if bit == "1":
                result = self.add(result, point)
        return result


SECP256K1 = Curve(2**256 - 2**32 - 977, 0, 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
                  0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
                  0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)
P256 = Curve(2**256 - 2**224 + 2**192 + 2**96 - 1, -3,
             0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
             0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
             0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
SM2 = Curve(2**256 - 2**224 - 2**96 + 2**64 - 1, -3,
            0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
            0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
            0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)


def drawn(name, curve):
    """A scalar that nothing is special about."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest(), "big") % (curve.n - 1) + 1


def ecdsa(curve, secret=None):
    """A digest, r, s, the key, and whether y of the nonce's point is odd."""
    secret, nonce, digest = (secret or drawn("secret", curve)), drawn("nonce", curve), drawn("digest", curve)
    x, y = curve.times(nonce, curve.base)
    r = x % curve.n
    s = pow(nonce, -1, curve.n) * (digest + r * secret) % curve.n
    return digest, r, s, *curve.times(secret, curve.base), y & 1


def sm2(secret=None):
    """e, r, s and the key."""
    secret, nonce, digest = (secret or drawn("secret", SM2)), drawn("nonce", SM2), drawn("digest", SM2)
    r = (digest + SM2.times(nonce, SM2.base)[0]) % SM2.n
    s = pow(1 + secret, -1, SM2.n) * (nonce - r * secret) % SM2.n
    return digest, r, s, *SM2.times(secret, SM2.base)


def words(*numbers):
    """Eight words of each number."""
    return [number >> 32 * i & 0xFFFFFFFF for number in numbers for i in range(8)]


def counted():
    """The kernels that are counted."""
    digest, r, s, x, y, y_is_odd = ecdsa(SECP256K1)
    yield Counted("secp256k1_verify", "secp256k1", words(digest, r, s, x, y) + [0], "secp256k1_tables(tables)", 512,
                  1 << 19, "secp256k1_verify(tables, items, results, @COUNT@, 0, 0)", 0, 2135, 126_000)
    # The nonce's point is known: NONCE_IS_POINT.
    yield Counted("secp256k1_recover", "secp256k1", words(digest, r, s) + [4 | y_is_odd], "secp256k1_tables(tables)",
                  512, 1 << 19, "secp256k1_recover(tables, items, results, @COUNT@, 0, 0)", 21, 2415, 142_000)
    of_parts = "secp256k1_base_comb(tables)", 4, 1 << 18
    yield Counted("secp256k1_verify_in_parts", "secp256k1", words(digest, r, s, x, y) + [0], *of_parts,
                  "secp256k1_verify_in_parts(tables, items, results, @COUNT@, 0, 0)", 0)
    yield Counted("secp256k1_recover_in_parts", "secp256k1", words(digest, r, s) + [4 | y_is_odd], *of_parts,
                  "secp256k1_recover_in_parts(tables, items, results, @COUNT@, 0, 0)", 21)
    # The key of a known signer is G, so that its comb is the one that there is.
    digest, r, s, x, y, _ = ecdsa(SECP256K1, 1)
    yield Counted("secp256k1_verify_known", "secp256k1", words(digest, r, s, x, y) + [0, 0],
                  *of_parts, "secp256k1_verify_known(tables, tables, items, results, @COUNT@, 0, 0)", 0, 712, 53_000)
    yield Counted("secp256k1_verify_known_in_parts", "secp256k1", words(digest, r, s, x, y) + [0, 0], *of_parts,
                  "secp256k1_verify_known_in_parts(tables, tables, items, results, @COUNT@, 0, 0)", 0)
    for program, curve, sign in (("p256", P256, lambda secret: ecdsa(P256, secret)[:5]), ("sm2", SM2, sm2)):
        tables = f"{program}_tables(tables)", 4, 1 << 18
        digest, r, s, x, y = sign(None)
        yield Counted(f"{program}_verify", program, words(r, s, x, y, digest), *tables,
                      f"{program}_verify(tables, items, results, @COUNT@, 0, 0)", 0, 3000, 215_000)
        yield Counted(f"{program}_verify_in_parts", program, words(r, s, x, y, digest), *tables,
                      f"{program}_verify_in_parts(tables, items, results, @COUNT@, 0, 0)", 0)
        digest, r, s, x, y = sign(1)
        yield Counted(f"{program}_verify_known", program, words(r, s, x, y, digest) + [0], *tables,
                      f"{program}_verify_known(tables, tables, items, results, @COUNT@, 0, 0)", 0, 712, 53_000)
        yield Counted(f"{program}_verify_known_in_parts", program, words(r, s, x, y, digest) + [0], *tables,
                      f"{program}_verify_known_in_parts(tables, tables, items, results, @COUNT@, 0, 0)", 0)
    # RFC 8032, section 7.1, test 1: of the empty message.
    key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                 "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")
    item = words(*(int.from_bytes(bytes.fromhex(part), "little") for part in (key, signature[:64], signature[64:])))
    for kernel in ("ed25519_strict", "ed25519_zip215"):
        yield Counted(kernel, "ed25519", item, "ed25519_tables(tables)", 129, 32_769 * 96,
                      f"{kernel}(items, message, offsets, tables, results, @COUNT@, 0, 0)", 0, 2990, 172_000)
        yield Counted(f"{kernel}_in_parts", "ed25519", item, "ed25519_comb(tables)", 20, 32 * 129 * 96,
                      f"{kernel}_in_parts(items, message, offsets, tables, results, @COUNT@, 0, 0)", 0)


COUNTED = list(counted())


def count(item, fields, includes, folder, run):
    """Products and squares in each field of `fields`, a work-item; and those of the longest way through, with the number
    of barriers on it."""
    folder = pathlib.Path(folder)
    source, binary = folder / f"{item.kernel}.c", folder / item.kernel
    own = item.program == "ed25519"
    counter = "fe25519_{}" if own else "FIELD_FN({})"
    lines = [f"static _Thread_local unsigned long {f.prefix}_products, {f.prefix}_squares;" for f in fields]
    lines += [f"#define COUNT_PRODUCT() ({counter.format('products')}++)",
              f"#define COUNT_SQUARE() ({counter.format('squares')}++)", f"#define FIELD_COUNT {len(fields)}"]
    add = [f"sums[{2 * i}] += {f.prefix}_products, sums[{2 * i + 1}] += {f.prefix}_squares;"
           for i, f in enumerate(fields)]
    parts = {
        "COUNTERS": "\n".join(lines), "ADD": " ".join(add), "PROGRAM": item.program,
        "ITEM": ", ".join(f"{word:#x}u" for word in item.item), "CALL": item.call, "TABLES": item.tables,
        "TABLE_BYTES": item.table_bytes, "GROUPS": item.groups, "OUTPUT": item.output, "GROUP": GROUP,
        "COUNT": GROUP if item.expected else 1,
        "COUNTED": " ".join(f"before[0] += {f.prefix}_products, before[1] += {f.prefix}_squares;" for f in fields),
    }
    text = HARNESS
    for name in (*parts, "COUNT"):
        text = text.replace(f"@{name}@", str(parts[name]))
    source.write_text(text)
    compiler = [os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-w"]
    run([*compiler, *includes, source, "-o", binary, "-pthread"])
    *counts, (products, squares, ways) = [tuple(map(int, line.split())) for line in run([binary]).splitlines()]
    return counts, (products, squares, ways - 1)
