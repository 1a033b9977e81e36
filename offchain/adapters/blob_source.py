"""Where blobs are read from: a development node, or the beacon API. What comes is not trusted."""

import re
from collections.abc import Sequence
from typing import Any, Protocol

import httpx

from offchain.adapters.blobs import versioned_hash
from offchain.adapters.chain_node import Block, Node
from offchain.ledger.blob_data import ELEMENTS, WORD_BYTES
from offchain.ledger.errors import EncodingError
from offchain.services.errors import BlobMissing, ChainUnreachable, NodeRefused

MAX_ANSWER_BYTES = 32 << 20
"""More than every blob of a block as text."""
TIMEOUT_S = 30.0
BLOB = re.compile(f"0x[0-9a-fA-F]{{{2 * ELEMENTS * WORD_BYTES}}}$")
BLOB_BY_HASH = "anvil_getBlobByHash"
_NO_SUCH = 404


class BlobSource(Protocol):
    """Serves blobs that the chain named, while it has them."""

    def fetch(self, block: Block, hashes: Sequence[bytes]) -> Sequence[bytes]:
        """Return what the source has of some blobs of a block, in any order, or more."""
        ...


def read_blobs(source: BlobSource, block: Block, hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the blobs of a block with these versioned hashes, each checked against its own.

    Raises
    ------
    BlobMissing
        The source does not have one of them, whatever else it sends.
    ChainUnreachable
        The source does not answer.
    """
    found = {_hash_or_none(blob): blob for blob in source.fetch(block, hashes)}
    for known in hashes:
        if known not in found:
            raise BlobMissing(f"blob 0x{known.hex()} of block {block.number} is not served")
    return tuple(found[known] for known in hashes)


class NodeBlobs:
    """Blobs that a development node keeps, by JSON-RPC."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def fetch(self, block: Block, hashes: Sequence[bytes]) -> Sequence[bytes]:
        """Return what the node has of some blobs; BlobMissing when it is of another kind."""
        try:
            texts = [self._node.request(BLOB_BY_HASH, "0x" + known.hex()) for known in hashes]
        except NodeRefused as fault:
            raise BlobMissing(
                f"block {block.number}: this node serves no blobs: {fault}"
            ) from fault
        return _blobs(texts)


class BeaconBlobs:
    """Blobs of a beacon node, or of an archive with the same API. Safe for several threads.

    Parameters
    ----------
    url : str
        Its address, before `/eth/v1`.
    """

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._http = httpx.Client(base_url=url, timeout=timeout_s, trust_env=False)
        self._slots: tuple[int, int] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def fetch(self, block: Block, hashes: Sequence[bytes]) -> Sequence[bytes]:
        """Return what the node has of some blobs of the slot of a block, or of all of them."""
        wanted = [("versioned_hashes", "0x" + known.hex()) for known in hashes]
        texts = self._get(f"/eth/v1/beacon/blobs/{self._slot(block)}", wanted)
        return _blobs(texts) if isinstance(texts, list) else []

    def _slot(self, block: Block) -> int:
        if self._slots is None:
            genesis = self._get("/eth/v1/beacon/genesis")
            spec = self._get("/eth/v1/config/spec")
            try:
                self._slots = int(genesis["genesis_time"]), int(spec["SECONDS_PER_SLOT"])
            except (KeyError, TypeError, ValueError) as fault:
                raise ChainUnreachable(f"{self._url} is no beacon node: {fault!r}") from fault
        start, length = self._slots
        if length <= 0 or block.time_s < start:
            raise ChainUnreachable(f"{self._url} is of another chain: it began at {start}")
        return (block.time_s - start) // length

    def _get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        """Return the `data` of an answer, nothing when the node has no such thing."""
        try:
            with self._http.stream("GET", path, params=list(query)) as answer:
                if answer.status_code == _NO_SUCH:
                    return None
                answer.raise_for_status()
                body = b""
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > MAX_ANSWER_BYTES:
                        raise ChainUnreachable(f"{self._url}{path}: the answer is too long")
            return httpx.Response(200, content=body).json()["data"]
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise ChainUnreachable(f"{self._url}{path}: {fault}") from fault
        except (KeyError, TypeError, ValueError) as fault:
            raise ChainUnreachable(f"{self._url}{path} makes no sense: {fault!r}") from fault


def _blobs(texts: Sequence[object]) -> list[bytes]:
    """Return what looks like a blob among the elements of an answer."""
    return [bytes.fromhex(text[2:]) for text in texts if isinstance(text, str) and BLOB.match(text)]


def _hash_or_none(blob: bytes) -> bytes | None:
    try:
        return versioned_hash(blob)
    except EncodingError:  # an element beyond the modulus
        return None
