"""SM2 by OpenSSL's libcrypto, which PyPI `cryptography` does not show: called through ctypes."""

import ctypes
import ctypes.util

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

# SubjectPublicKeyInfo of id-ecPublicKey on the curve 1.2.156.10197.1.301, up to the point.
HEADER = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")


def _load():
    name = ctypes.util.find_library("crypto")
    if name is None:
        raise SystemExit("interop: libcrypto of OpenSSL 3 is missing; install OpenSSL")
    library = ctypes.CDLL(name)
    pointer = ctypes.c_void_p
    for function, result in (
        ("d2i_PUBKEY", pointer),
        ("EVP_MD_CTX_new", pointer),
        ("EVP_PKEY_CTX_new", pointer),
        ("EVP_sm3", pointer),
    ):
        getattr(library, function).restype = result
    library.EVP_PKEY_CTX_set1_id.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int]
    library.EVP_MD_CTX_set_pkey_ctx.argtypes = [pointer, pointer]
    library.EVP_DigestVerifyInit.argtypes = [pointer] * 5
    library.EVP_DigestVerify.argtypes = [pointer, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    library.EVP_PKEY_CTX_new.argtypes = [pointer, pointer]
    library.EVP_PKEY_verify_init.argtypes = [pointer]
    library.EVP_PKEY_verify.argtypes = [pointer, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    for function in ("EVP_PKEY_free", "EVP_PKEY_CTX_free", "EVP_MD_CTX_free"):
        getattr(library, function).argtypes = [pointer]
        getattr(library, function).restype = None
    return library


CRYPTO = _load()


def holds(key, signature, message, is_digest, identity=b"1234567812345678"):
    """OpenSSL's verdict on a key of 64 bytes and a signature r‖s; `message` is e itself where `is_digest`."""
    encoded = HEADER + key
    start = ctypes.c_char_p(encoded)
    public = CRYPTO.d2i_PUBKEY(None, ctypes.byref(start), ctypes.c_long(len(encoded)))
    if not public:
        return False
    der = encode_dss_signature(*(int.from_bytes(half, "big") for half in (signature[:32], signature[32:])))
    context = CRYPTO.EVP_PKEY_CTX_new(public, None)
    try:
        if is_digest:
            if CRYPTO.EVP_PKEY_verify_init(context) != 1:
                raise RuntimeError("EVP_PKEY_verify_init")
            return CRYPTO.EVP_PKEY_verify(context, der, len(der), message, len(message)) == 1
        return _with_identity(public, context, der, message, identity)
    finally:
        CRYPTO.EVP_PKEY_CTX_free(context)
        CRYPTO.EVP_PKEY_free(public)


def _with_identity(public, context, der, message, identity):
    state = CRYPTO.EVP_MD_CTX_new()
    try:
        if CRYPTO.EVP_PKEY_CTX_set1_id(context, identity, len(identity)) != 1:
            raise RuntimeError("EVP_PKEY_CTX_set1_id")
        CRYPTO.EVP_MD_CTX_set_pkey_ctx(state, context)
        if CRYPTO.EVP_DigestVerifyInit(state, None, CRYPTO.EVP_sm3(), None, public) != 1:
            raise RuntimeError("EVP_DigestVerifyInit")
        return CRYPTO.EVP_DigestVerify(state, der, len(der), message, len(message)) == 1
    finally:
        CRYPTO.EVP_MD_CTX_free(state)
