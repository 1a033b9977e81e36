"""One node over JSON-RPC: reads with typed faults and bounded time, through web3."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import requests
from eth_abi.exceptions import DecodingError
from eth_typing import URI, BlockNumber
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, Retry
from web3 import HTTPProvider, Web3
from web3.exceptions import (
    ContractLogicError,
    TimeExhausted,
    TransactionNotFound,
    Web3Exception,
    Web3RPCError,
)
from web3.providers.rpc.utils import ExceptionRetryConfiguration
from web3.types import BlockIdentifier, FilterParams, RPCEndpoint, TxParams

from offchain.adapters.chain_abi import ContractInterface, Function, RevertDecoder, checksum
from offchain.services.errors import (
    ChainUnreachable,
    NodeRefused,
    ReceiptMissing,
    TransactionReverted,
)

READ_TIMEOUT_S = 20
RETRIES = 3
"""Attempts of a read; a transaction is never sent again by the transport."""
REPEATABLE = (
    "eth_chainId",
    "eth_blobBaseFee",
    "eth_blockNumber",
    "eth_call",
    "eth_estimateGas",
    "eth_getBalance",
    "eth_getBlockByNumber",
    "eth_getCode",
    "eth_getLogs",
    "eth_getTransactionByHash",
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
)
TOO_MANY_REQUESTS = 429
PAUSES = 6
"""Times to wait when a node says that it is asked too often; about half a minute together."""
LONGEST_PAUSE_S = 20
REFUSALS = frozenset({400, 413, 422})
"""Answers of a web server that say that what was asked is too much, or wrong."""
MOST_WORDS = 200
CONNECTIONS = 16
POLL_S = 0.01
ONE_BLOCK_LATER = frozenset({"RevealTooEarly", "NotAnnounced"})
"""Refusals of what follows from a call, in the very block of that call."""
_REQUEST_FAULTS = (requests.RequestException, ConnectionError)


class _Patience(Retry):
    """Asks again when a node refuses because it is asked too often, and never waits for long.

    Such a request was not looked at, so that a transaction may be handed over again as well.
    """

    def __init__(self, **limits: Any) -> None:
        super().__init__(
            **{
                "total": PAUSES,
                "connect": 0,
                "read": 0,
                "other": 0,
                "redirect": 0,
                "status": PAUSES,
                "allowed_methods": None,
                "status_forcelist": (TOO_MANY_REQUESTS,),
                "backoff_factor": 0.5,
                "backoff_max": LONGEST_PAUSE_S,
                "raise_on_status": False,
                "raise_on_redirect": False,
            }
            | limits
        )

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Return how long the node asks to wait, bounded. [s]"""
        asked = super().get_retry_after(response)
        return None if asked is None else min(asked, LONGEST_PAUSE_S)


@dataclass(frozen=True, slots=True)
class Block:
    """What we use of a block's header."""

    number: int
    time_s: int
    hash: bytes
    base_fee_wei: int


@dataclass(frozen=True, slots=True)
class Log:
    """One event as the node returns it."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    log_index: int
    transaction_hash: bytes


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction that is in a block; one without blobs used no blob gas."""

    transaction_hash: bytes
    succeeded: bool
    block: int
    gas_used: int
    gas_price_wei: int
    blob_gas_used: int
    blob_gas_price_wei: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What a transaction says: to whom, what, and which blobs it carries."""

    receiver: bytes
    calldata: bytes
    blob_hashes: tuple[bytes, ...]


class Node:
    """A connection to one node. Safe to use from several threads.

    Parameters
    ----------
    url : str
        HTTP address of the node.
    timeout_s : float
        Bound on each request. [s]

    Attributes
    ----------
    reverts : RevertDecoder
        Names the errors of reverted calls; set it once the contracts are known.
    """

    def __init__(self, url: str, timeout_s: float = READ_TIMEOUT_S) -> None:
        self.url = url
        self.reverts = RevertDecoder(())
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(CONNECTIONS, CONNECTIONS, _Patience()))
        retry = ExceptionRetryConfiguration(
            (requests.ConnectionError,), RETRIES, backoff_factor=0.1, method_allowlist=REPEATABLE
        )
        provider = HTTPProvider(
            URI(url),
            request_kwargs={"timeout": timeout_s},
            session=self._session,
            exception_retry_configuration=retry,
        )
        provider.global_ccip_read_enabled = False  # a contract must not send us to a URL
        self.web3 = Web3(provider)
        self.web3.middleware_onion.clear()  # we format, validate and fill in ourselves

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def chain_id(self) -> int:
        """Return the chain id."""
        with self._faults("eth_chainId"):
            return self.web3.eth.chain_id

    def code(self, address: bytes, block: int | None = None) -> bytes:
        """Return the code at an address after a block, the newest one by default; or nothing."""
        at: BlockIdentifier = "latest" if block is None else BlockNumber(block)
        with self._faults("eth_getCode"):
            return bytes(self.web3.eth.get_code(_text(address), at))

    def balance(self, address: bytes, block: int | None = None) -> int:
        """Return the balance of an address after a block, the newest one by default. [wei]"""
        at: BlockIdentifier = "latest" if block is None else BlockNumber(block)
        with self._faults("eth_getBalance"):
            return int(self.web3.eth.get_balance(_text(address), at))

    def first_sender(self, block: int) -> bytes | None:
        """Return who sent the first transaction of a block; None when it has none."""
        with self._faults("eth_getBlock"):
            sent = self.web3.eth.get_block(block, full_transactions=True)["transactions"]
        return bytes.fromhex(cast(Any, sent[0])["from"][2:]) if sent else None

    def nonce(self, address: bytes) -> int:
        """Return the next nonce of an address, transactions that wait included."""
        with self._faults("eth_getTransactionCount"):
            return self.web3.eth.get_transaction_count(_text(address), "pending")

    def block_number(self) -> int:
        """Return the number of the newest block."""
        with self._faults("eth_blockNumber"):
            return self.web3.eth.block_number

    def block(self, number: int | None = None) -> Block:
        """Return a block, the newest one by default."""
        with self._faults("eth_getBlock"):
            found = self.web3.eth.get_block("latest" if number is None else number)
            return Block(
                int(found["number"]),
                int(found["timestamp"]),
                bytes(found["hash"]),
                int(found.get("baseFeePerGas", 0)),
            )

    def call(
        self,
        contract: ContractInterface,
        function: Function,
        arguments: Sequence[object] = (),
        sender: bytes | None = None,
        block: int | None = None,
    ) -> tuple[Any, ...]:
        """Return what a view function returned after a block, the newest one by default."""
        transaction = {"to": contract.checksum_address, "data": function.encode(arguments)}
        if sender is not None:
            transaction["from"] = checksum(sender)
        with self._faults(f"{contract.name}.{function.name}"):
            at: BlockIdentifier = "latest" if block is None else BlockNumber(block)
            data = bytes(self.web3.eth.call(cast(TxParams, transaction), at))
            return function.decode_output(data)

    def estimate_gas(self, call: str, transaction: TxParams) -> int:
        """Return the gas that a transaction needs now; TransactionReverted when it would fail.

        A node estimates on the newest block. What is refused only there is asked of the next one.
        """
        try:
            with self._faults(call):
                return self.web3.eth.estimate_gas(transaction)
        except TransactionReverted as reverted:
            if reverted.name not in ONE_BLOCK_LATER:
                raise
        with self._faults(call):
            return self.web3.eth.estimate_gas(transaction, "pending")

    def send_raw(self, call: str, raw: bytes) -> bytes:
        """Hand over a signed transaction and return its hash."""
        with self._faults(call):
            return bytes(self.web3.eth.send_raw_transaction(raw))

    def receipt(self, call: str, transaction_hash: bytes, timeout_s: float) -> Mined:
        """Wait for a receipt; ReceiptMissing when none comes in time."""
        with self._faults(call, transaction_hash):
            found = self.web3.eth.wait_for_transaction_receipt(
                cast(Any, transaction_hash), timeout_s, POLL_S
            )
        return Mined(
            transaction_hash,
            found["status"] == 1,
            int(found["blockNumber"]),
            int(found["gasUsed"]),
            int(found.get("effectiveGasPrice", 0)),
            _number(found.get("blobGasUsed", 0)),
            _number(found.get("blobGasPrice", 0)),
        )

    def blob_base_fee_wei(self) -> int:
        """Return what a unit of blob gas costs in the next block. [wei]"""
        return _number(self.request("eth_blobBaseFee"))

    def transaction(self, transaction_hash: bytes) -> Sent | None:
        """Return what a transaction says, or None when the node does not have it."""
        with self._faults("eth_getTransactionByHash"):
            try:
                found = self.web3.eth.get_transaction(cast(Any, transaction_hash))
            except TransactionNotFound:
                return None
        receiver = found.get("to")
        return Sent(
            bytes.fromhex(receiver[2:]) if receiver else b"",
            bytes(found["input"]),
            tuple(bytes(known) for known in found.get("blobVersionedHashes", ())),
        )

    def logs(
        self,
        first_block: int,
        last_block: int,
        addresses: Sequence[bytes],
        topics: Sequence[bytes | None] = (),
    ) -> list[Log]:
        """Return the events of an inclusive range of blocks, in order; the caller bounds it."""
        request: dict[str, object] = {
            "fromBlock": first_block,
            "toBlock": last_block,
            "address": [checksum(address) for address in addresses],
            "topics": [None if topic is None else "0x" + topic.hex() for topic in topics],
        }
        with self._faults("eth_getLogs"):
            found = self.web3.eth.get_logs(cast(FilterParams, request))
        return [
            Log(
                bytes.fromhex(log["address"][2:]),
                tuple(bytes(topic) for topic in log["topics"]),
                bytes(log["data"]),
                int(log["blockNumber"]),
                int(log["logIndex"]),
                bytes(log["transactionHash"]),
            )
            for log in found
        ]

    def request(self, method: str, *arguments: object) -> Any:
        """Return the result of a method that web3 does not know, such as those of a devnet."""
        with self._faults(method):
            response = self.web3.provider.make_request(RPCEndpoint(method), list(arguments))
            if "error" in response:
                raise NodeRefused(f"{method}: {response['error']}")
            return response.get("result")

    @contextmanager
    def _faults(self, call: str, transaction_hash: bytes | None = None) -> Iterator[None]:
        """Turn what web3 and its transport raise into our own faults."""
        try:
            yield
        except ContractLogicError as fault:
            raise self._reverted(call, fault) from fault
        except TimeExhausted as fault:
            raise ReceiptMissing(call, transaction_hash or b"") from fault
        except requests.HTTPError as fault:
            answer = fault.response
            if answer is not None and answer.status_code in REFUSALS:
                raise NodeRefused(f"{call}: {answer.text[:MOST_WORDS]}") from fault
            raise ChainUnreachable(f"{call}: {self.url}: {fault}") from fault
        except _REQUEST_FAULTS as fault:
            raise ChainUnreachable(f"{call}: {self.url}: {fault}") from fault
        except Web3RPCError as fault:
            raise NodeRefused(f"{call}: {fault.message}") from fault
        except (Web3Exception, DecodingError, ValueError) as fault:
            raise ChainUnreachable(f"{call}: {self.url} makes no sense: {fault}") from fault

    def _reverted(self, call: str, fault: ContractLogicError) -> TransactionReverted:
        data = fault.data
        if isinstance(data, str) and data.startswith("0x"):
            decoded = self.reverts.decode(bytes.fromhex(data[2:]))
            return TransactionReverted(call, decoded.name, decoded.arguments)
        return TransactionReverted(call, "Unknown", {"message": str(fault.message)})


def _text(address: bytes) -> Any:
    """Return an address as web3 takes it."""
    return checksum(address)


def _number(value: Any) -> int:
    """Return a quantity that web3 may or may not have converted."""
    return int(value, 16) if isinstance(value, str) else int(value)
