"""Transactions: signed here, numbered here, bounded in gas, and waited for."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import rlp  # type: ignore[import-untyped] # it has none
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from web3.types import TxParams

from offchain.adapters.blobs import Sidecar, sidecar
from offchain.adapters.chain_abi import ContractInterface, Function, checksum
from offchain.adapters.chain_node import Mined, Node
from offchain.services.errors import (
    NodeRefused,
    ReceiptMissing,
    TransactionRefused,
    TransactionReverted,
)
from offchain.services.ports import Signer, TransactionReceipt

GAS_MARGIN_E2 = 120
"""Gas limit over the estimate [%]: the state may move between estimate and block."""
MAX_GAS = 16_777_216
"""No transaction may carry more (EIP-7825)."""
PRIORITY_FEE_WEI = 1_000_000_000
WRAPPER_VERSION = b"\x01"
"""Of blobs with cell proofs beside a transaction (EIP-7594)."""
NONCE_ATTEMPTS = 3
RECEIPT_TIMEOUT_S = 60
_NONCE_WORDS = ("nonce", "replacement transaction underpriced")


@dataclass(slots=True)
class GasUse:
    """Gas of all transactions of one call, for reports. [gas]"""

    count: int = 0
    total: int = 0
    largest: int = 0
    smallest: int = 0

    def add(self, gas: int) -> None:
        """Count one transaction."""
        self.smallest = min(self.smallest, gas) if self.count else gas
        self.largest = max(self.largest, gas)
        self.count += 1
        self.total += gas

    @property
    def mean(self) -> int:
        """Mean gas, rounded down; 0 before the first."""
        return self.total // self.count if self.count else 0


class Sender:
    """Sends transactions for any number of signers. Safe to use from several threads.

    Attributes
    ----------
    gas_by_call : dict[str, GasUse]
        By contract and function.
    """

    def __init__(
        self, node: Node, chain_id: int, receipt_timeout_s: float = RECEIPT_TIMEOUT_S
    ) -> None:
        self.gas_by_call: dict[str, GasUse] = {}
        self._node, self._chain_id, self._timeout_s = node, chain_id, receipt_timeout_s
        self._nonces: dict[bytes, int] = {}  # of signers with transactions under way
        self._under_way: Counter[bytes] = Counter()
        self._locks: dict[bytes, threading.Lock] = {}
        self._lock = threading.Lock()

    def send(
        self,
        signer: Signer,
        contract: ContractInterface,
        function: Function,
        arguments: Sequence[object],
        blobs: Sequence[bytes] = (),
    ) -> TransactionReceipt:
        """Send one call, with blobs perhaps, and wait until it is in a block.

        Raises
        ------
        TransactionReverted
            The contract refuses, at estimation or in the block; with its error by name.
        TransactionRefused
            It needs more gas than a transaction may carry, or the node will not have it.
        ReceiptMissing
            No receipt came in time.
        ChainUnreachable
            The node does not answer.
        """
        call = f"{contract.name}.{function.name}"
        calldata = function.encode(arguments)
        request: dict[str, Any] = {
            "from": checksum(signer.address),
            "to": contract.checksum_address,
            "data": "0x" + calldata.hex(),
        }
        beside = sidecar(blobs) if blobs else None
        if beside is not None:
            request |= self._blob_fields(beside)
        gas = self._gas_limit(call, request)
        with self._lock_of(signer.address):
            transaction_hash = self._submit(call, signer, request | {"gas": gas}, beside)
            self._under_way[signer.address] += 1
        try:
            mined = self._node.receipt(call, transaction_hash, self._timeout_s)
        except ReceiptMissing:
            with self._lock_of(signer.address):
                self._nonces.pop(signer.address, None)  # it may have left the node's pool
            raise
        finally:
            self._forget_nonce(signer.address)
        if not mined.succeeded:
            raise self._why(call, request, mined)
        with self._lock:
            self.gas_by_call.setdefault(call, GasUse()).add(mined.gas_used)
        return TransactionReceipt(
            call,
            transaction_hash,
            mined.block,
            mined.gas_used,
            mined.gas_price_wei,
            calldata,
            mined.blob_gas_used,
            mined.blob_gas_price_wei,
        )

    def _blob_fields(self, beside: Sidecar) -> dict[str, Any]:
        """Return what a transaction says of its blobs; they pay at most twice what they cost now.

        The price moves by an eighth from block to block.
        """
        fee_wei = 2 * self._node.blob_base_fee_wei()  # never zero
        hashes = ["0x" + known.hex() for known in beside.versioned_hashes]
        return {"maxFeePerBlobGas": hex(fee_wei), "blobVersionedHashes": hashes}

    def _forget_nonce(self, address: bytes) -> None:
        """Ask the node again once nothing is under way: its chain may have been reorganised."""
        with self._lock_of(address):
            self._under_way[address] -= 1
            if not self._under_way[address]:
                self._nonces.pop(address, None)

    def _gas_limit(self, call: str, request: dict[str, Any]) -> int:
        estimate = self._node.estimate_gas(call, cast(TxParams, request))
        if estimate > MAX_GAS:
            raise TransactionRefused(f"{call} needs {estimate} gas, at most {MAX_GAS} may be used")
        return min(estimate * GAS_MARGIN_E2 // 100, MAX_GAS)

    def _lock_of(self, address: bytes) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(address, threading.Lock())

    def _submit(
        self, call: str, signer: Signer, request: dict[str, Any], beside: Sidecar | None
    ) -> bytes:
        """Sign and hand over under the next nonce; ask the node for it when ours is wrong."""
        fee_wei = 2 * self._node.block().base_fee_wei + PRIORITY_FEE_WEI
        refusal = ""
        for _ in range(NONCE_ATTEMPTS):
            nonce = self._nonces.get(signer.address)
            if nonce is None:
                nonce = self._node.nonce(signer.address)
            fields = {name: value for name, value in request.items() if name != "from"} | {
                "type": 2 if beside is None else 3,
                "chainId": self._chain_id,
                "nonce": nonce,
                "maxFeePerGas": fee_wei,
                "maxPriorityFeePerGas": PRIORITY_FEE_WEI,
                "value": 0,
            }
            self._nonces.pop(signer.address, None)  # unknown again unless the node takes it
            try:
                transaction_hash = self._node.send_raw(
                    call, _wrapped(signed(fields, signer), beside)
                )
            except NodeRefused as fault:
                refusal = str(fault)
                if not any(word in refusal for word in _NONCE_WORDS):
                    raise TransactionRefused(refusal) from fault
                continue
            self._nonces[signer.address] = nonce + 1
            return transaction_hash
        raise TransactionRefused(f"{call}: the node refused {NONCE_ATTEMPTS} nonces: {refusal}")

    def _why(self, call: str, request: dict[str, Any], mined: Mined) -> TransactionReverted:
        """Return why a mined transaction failed, as far as repeating it now says."""
        try:
            self._node.estimate_gas(call, cast(TxParams, request))
        except TransactionReverted as reverted:
            return reverted
        where = {"transaction": mined.transaction_hash, "block": mined.block}
        return TransactionReverted(call, "Unknown", dict[str, object](where))


def signed(fields: dict[str, Any], signer: Signer) -> bytes:
    """Return the bytes of a transaction, signed by a key that stays with its holder."""
    digest = bytes(TypedTransaction.from_dict(fields).hash())
    signature = signer.sign(digest)
    parts = {
        "r": int.from_bytes(signature[:32]),
        "s": int.from_bytes(signature[32:64]),
        "v": signature[64] - 27,
    }
    return bytes(TypedTransaction.from_dict(fields | parts).encode())


def _wrapped(raw: bytes, beside: Sidecar | None) -> bytes:
    """Return a signed transaction as a node's pool takes it: with its blobs and their proofs.

    Made here, since eth-account would load the trusted setup anew for each of them.
    """
    if beside is None:
        return raw
    parts = [list(beside.blobs), list(beside.commitments), list(beside.cell_proofs)]
    return raw[:1] + bytes(rlp.encode([rlp.decode(raw[1:]), WRAPPER_VERSION, *parts]))
