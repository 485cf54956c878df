/* GmSSL 3.3 as a peer: SM2 from bytes to verdict. Its assembly for amd64 has to be built in (ENABLE_SM2_AMD64, the
 * default on that platform), or it is slower by half. */
#define _POSIX_C_SOURCE 200809L

#include <gmssl/sm2.h>
#include <gmssl/version.h>

#include "adapter.h"

struct state {
    SM2_VERIFY_CTX context;
};

static struct state *state_new(void) {
    struct state *state = calloc(1, sizeof *state);
    if (state == NULL) adapter_die("out of memory");
    return state;
}

static void state_free(struct state *state) { free(state); }

/* The key, from 64 bytes or 65; decoding checks that the point is on the curve. */
static bool take_key(SM2_KEY *key, const struct item *item) {
    SM2_Z256_POINT point;
    if (item->key.length < 64) return false;
    return sm2_z256_point_from_bytes(&point, item->key.data + item->key.length - 64) == 1 &&
           sm2_key_set_public_key(key, &point) == 1;
}

static bool take_signature(SM2_SIGNATURE *signature, const struct item *item) {
    if (item->signature.length < 64) return false;
    memcpy(signature->r, item->signature.data, 32);
    memcpy(signature->s, item->signature.data + 32, 32);
    return true;
}

static bool sm2_digest(struct state *state, const struct item *item) {
    (void)state;
    SM2_KEY key;
    SM2_SIGNATURE signature;
    return item->message.length == 32 && take_key(&key, item) && take_signature(&signature, item) &&
           sm2_do_verify(&key, item->message.data, &signature) == 1;
}

/* Z and the hash of the message, then the same equation. */
static bool sm2_message(struct state *state, const struct item *item) {
    (void)state;
    SM2_KEY key;
    SM2_SIGNATURE signature;
    SM3_CTX hash;
    uint8_t z[32], digest[32];
    if (!take_key(&key, item) || !take_signature(&signature, item)) return false;
    if (sm2_compute_z(z, &key.public_key, SM2_DEFAULT_ID, SM2_DEFAULT_ID_LENGTH) != 1) return false;
    sm3_init(&hash);
    sm3_update(&hash, z, sizeof z);
    sm3_update(&hash, item->message.data, item->message.length);
    sm3_finish(&hash, digest);
    return sm2_do_verify(&key, digest, &signature) == 1;
}

static const struct ruleset RULESETS[] = {
    {"sm2-message", sm2_message},
    {"fisco-sm2", sm2_message},
    {"sm2-digest", sm2_digest},
    {NULL, NULL},
};

int main(void) {
    struct adapter adapter = {"gmssl", gmssl_version_str(), RULESETS, state_new, state_free};
    return adapter_main(&adapter);
}
