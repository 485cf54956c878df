/* OpenSSL 3's libcrypto as a peer: P-256, strict Ed25519 and SM2, from bytes to verdict.
 *
 * P-256 goes through the functions on EC_KEY, which are deprecated but have none of the providers' overhead, with one
 * group a thread: the fastest way that the library has. Ed25519 and SM2 have the EVP interface only. */
#define _POSIX_C_SOURCE 200809L
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "adapter.h"

struct state {
    EC_KEY *key;
    EC_POINT *point;
    BIGNUM *half_order;
    EVP_MD_CTX *hashing;
};

static struct state *state_new(void) {
    struct state *state = calloc(1, sizeof *state);
    if (state == NULL) adapter_die("out of memory");
    state->key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    state->hashing = EVP_MD_CTX_new();
    state->half_order = BN_new();
    if (state->key == NULL || state->hashing == NULL || state->half_order == NULL) adapter_die("out of memory");
    const EC_GROUP *group = EC_KEY_get0_group(state->key);
    state->point = EC_POINT_new(group);
    if (state->point == NULL || !BN_rshift1(state->half_order, EC_GROUP_get0_order(group))) adapter_die("out of memory");
    return state;
}

static void state_free(struct state *state) {
    EC_POINT_free(state->point);
    EC_KEY_free(state->key);
    BN_free(state->half_order);
    EVP_MD_CTX_free(state->hashing);
    free(state);
}

/* ECDSA on P-256 with a key of 65 bytes; decoding a point checks that it is on the curve. */
static bool p256(struct state *state, const uint8_t *key, const uint8_t *digest, const ECDSA_SIG *signature) {
    const EC_GROUP *group = EC_KEY_get0_group(state->key);
    return EC_POINT_oct2point(group, state->point, key, 65, NULL) == 1 &&
           EC_KEY_set_public_key(state->key, state->point) == 1 &&
           ECDSA_do_verify(digest, SHA256_DIGEST_LENGTH, signature, state->key) == 1;
}

static bool fabric(struct state *state, const struct item *item) {
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256(item->message.data, item->message.length, digest);
    const uint8_t *der = item->signature.data;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)item->signature.length);
    bool is_valid = signature != NULL && item->key.length == 65 &&
                    BN_cmp(ECDSA_SIG_get0_s(signature), state->half_order) <= 0 &&
                    p256(state, item->key.data, digest, signature);
    ECDSA_SIG_free(signature);
    return is_valid;
}

static bool p256verify(struct state *state, const struct item *item) {
    if (item->key.length != 64 || item->signature.length != 64 || item->message.length != 32) return false;
    uint8_t key[65] = {4};
    memcpy(key + 1, item->key.data, 64);
    BIGNUM *r = BN_bin2bn(item->signature.data, 32, NULL), *s = BN_bin2bn(item->signature.data + 32, 32, NULL);
    ECDSA_SIG *signature = ECDSA_SIG_new();
    if (r == NULL || s == NULL || signature == NULL || !ECDSA_SIG_set0(signature, r, s)) adapter_die("out of memory");
    bool is_valid = p256(state, key, item->message.data, signature);
    ECDSA_SIG_free(signature);
    return is_valid;
}

/* OpenSSL takes points of small order, which the strict rulesets refuse: two comparisons less work. */
static bool ed25519(struct state *state, const struct item *item) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, item->key.data, item->key.length);
    bool is_valid = key != NULL && EVP_DigestVerifyInit(state->hashing, NULL, NULL, NULL, key) == 1 &&
                    EVP_DigestVerify(state->hashing, item->signature.data, item->signature.length, item->message.data,
                                     item->message.length) == 1;
    EVP_MD_CTX_reset(state->hashing);
    EVP_PKEY_free(key);
    return is_valid;
}

/* SubjectPublicKeyInfo of a key on SM2's curve, up to x‖y. */
static const uint8_t SM2_HEADER[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                     0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x03, 0x42, 0x00, 0x04};

static EVP_PKEY *sm2_key(const struct item *item) {
    uint8_t encoded[sizeof SM2_HEADER + 64];
    if (item->key.length < 64) return NULL;
    memcpy(encoded, SM2_HEADER, sizeof SM2_HEADER);
    memcpy(encoded + sizeof SM2_HEADER, item->key.data + item->key.length - 64, 64);
    const uint8_t *start = encoded;
    return d2i_PUBKEY(NULL, &start, sizeof encoded);
}

/* The DER form of the first 64 bytes of a signature; to be freed by OPENSSL_free. */
static int sm2_der(const struct item *item, uint8_t **der) {
    if (item->signature.length < 64) return -1;
    BIGNUM *r = BN_bin2bn(item->signature.data, 32, NULL), *s = BN_bin2bn(item->signature.data + 32, 32, NULL);
    ECDSA_SIG *signature = ECDSA_SIG_new();
    if (r == NULL || s == NULL || signature == NULL || !ECDSA_SIG_set0(signature, r, s)) adapter_die("out of memory");
    int length = i2d_ECDSA_SIG(signature, der);
    ECDSA_SIG_free(signature);
    return length;
}

static bool sm2_message(struct state *state, const struct item *item) {
    static const uint8_t identity[] = "1234567812345678";
    uint8_t *der = NULL;
    int length = sm2_der(item, &der);
    EVP_PKEY *key = sm2_key(item);
    EVP_PKEY_CTX *context = key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);
    bool is_valid = false;
    if (context != NULL && length > 0 && EVP_PKEY_CTX_set1_id(context, identity, sizeof identity - 1) == 1) {
        EVP_MD_CTX_set_pkey_ctx(state->hashing, context);
        is_valid = EVP_DigestVerifyInit(state->hashing, NULL, EVP_sm3(), NULL, key) == 1 &&
                   EVP_DigestVerify(state->hashing, der, (size_t)length, item->message.data, item->message.length) == 1;
        EVP_MD_CTX_reset(state->hashing);
    }
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    OPENSSL_free(der);
    return is_valid;
}

static bool sm2_digest(struct state *state, const struct item *item) {
    (void)state;
    uint8_t *der = NULL;
    int length = sm2_der(item, &der);
    EVP_PKEY *key = sm2_key(item);
    EVP_PKEY_CTX *context = key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);
    bool is_valid = context != NULL && length > 0 && EVP_PKEY_verify_init(context) == 1 &&
                    EVP_PKEY_verify(context, der, (size_t)length, item->message.data, item->message.length) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    OPENSSL_free(der);
    return is_valid;
}

static const struct ruleset RULESETS[] = {
    {"fabric", fabric},           {"ethereum-p256verify", p256verify},
    {"libra-ed25519", ed25519},   {"solana-ed25519", ed25519},
    {"sm2-message", sm2_message}, {"fisco-sm2", sm2_message},
    {"sm2-digest", sm2_digest},   {NULL, NULL},
};

int main(void) {
    struct adapter adapter = {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING), RULESETS, state_new, state_free};
    return adapter_main(&adapter);
}
