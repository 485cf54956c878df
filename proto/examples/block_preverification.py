"""A node has a block checked in one call before it executes it; its own check of a transaction is then a lookup.

    pip install grpcio grpcio-tools eth-hash[pycryptodome]
    python -m grpc_tools.protoc -I proto --python_out=. --grpc_python_out=. proto/outrigger/v1/signature.proto
    python proto/examples/block_preverification.py unix:/run/outrigger/outrigger.sock transactions.json

The file is a JSON array of raw transactions in hex, as eth_getRawTransactionByHash gives each.
"""

import json
import sys
import time

import grpc
from eth_hash.auto import keccak
from outrigger.v1 import signature_pb2 as v1
from outrigger.v1 import signature_pb2_grpc

# A block is worthless to a validator after this.
DEADLINE_SECONDS = 0.5
# As often as the sidecar says that it has no room now.
ATTEMPTS_MAX = 5


def preverify(service, chain_id, raw):
    """Senders of the transactions whose signatures hold, by transaction hash."""
    request = v1.VerifyEthereumTransactionsRequest(
        count=len(raw),
        transactions=v1.Column(data=b"".join(raw), lengths=[len(one) for one in raw]),
        chain_id=chain_id,
        priority=v1.PRIORITY_BLOCK,
    )
    answer = patiently(lambda: service.VerifyEthereumTransactions(request, timeout=DEADLINE_SECONDS))
    # What is not one verdict an item is no answer: a node must never take it for one.
    if len(answer.verdicts) != len(raw) or len(answer.hashes) != 32 * len(raw):
        raise RuntimeError("the answer has another shape than the request")
    return {
        answer.hashes[32 * i:32 * i + 32]: answer.senders[20 * i:20 * i + 20]
        for i, verdict in enumerate(answer.verdicts)
        if verdict == v1.VERDICT_VALID
    }


def patiently(call):
    """The answer of a call; one that is refused for want of room is made again after a moment."""
    for attempt in range(ATTEMPTS_MAX):
        try:
            return call()
        except grpc.RpcError as error:
            is_busy = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
            if not is_busy or attempt + 1 == ATTEMPTS_MAX:
                raise
            time.sleep(0.05 * 2**attempt)


def main():
    endpoint, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        raw = [bytes.fromhex(one.removeprefix("0x")) for one in json.load(file)]
    # The path of a socket, which gRPC would name otherwise, is no authority that HTTP/2 allows.
    with grpc.insecure_channel(endpoint, options=[("grpc.default_authority", "localhost")]) as channel:
        senders = preverify(signature_pb2_grpc.SignatureServiceStub(channel), 1, raw)
    for transaction in raw:
        name = keccak(transaction)
        sender = senders.get(name)
        print(f"0x{name.hex()} from 0x{sender.hex()}" if sender else f"0x{name.hex()} rejected")


if __name__ == "__main__":
    main()
