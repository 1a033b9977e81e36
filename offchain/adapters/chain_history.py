"""What happened on chain: events by pages of blocks, and committed batches read back whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offchain.adapters.blob_source import BlobSource, read_blobs
from offchain.adapters.blobs import blob_hash
from offchain.adapters.chain_abi import ContractInterface
from offchain.adapters.chain_node import Log, Node
from offchain.ledger.blob_data import hash_of_blobs, pack, unpack
from offchain.ledger.header import DATA_KIND_BLOBS, BatchHeader, batch_hash
from offchain.ledger.keccak import keccak256
from offchain.services.errors import BatchDataMissing, ChainUnreachable, NodeRefused
from offchain.services.ports import InboxEntry

PAGE_BLOCKS = 2_000
"""Blocks asked for at once; halved when the node finds that too much."""
CALM_PAGES = 16
"""After so many pages in a row that were not too much, the next is twice as long."""


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """One event of one of our contracts; `arguments` by name, addresses as 20 bytes."""

    contract: str
    name: str
    arguments: Mapping[str, Any]
    block: int
    log_index: int
    transaction_hash: bytes


@dataclass(frozen=True, slots=True)
class CommittedBatch:
    """A batch as it was committed: all of it comes from the chain.

    `data` is what was posted: the frames of the input log, then the trace. `blobs` held it, as
    they came; none when it was calldata.
    """

    header: BatchHeader
    signature: bytes
    data: bytes
    batch_hash: bytes
    block: int
    transaction_hash: bytes
    blobs: tuple[bytes, ...] = ()

    @property
    def data_hash(self) -> bytes:
        """What `daHash` has to be, from the data alone.

        Blobs that hold anything besides the data give another one than the header's.
        """
        if self.header.da_kind != DATA_KIND_BLOBS:
            return keccak256(self.data)
        return self.header.da_hash if pack(self.data) == self.blobs else blob_hash(self.data)


@dataclass(frozen=True, slots=True)
class _Commit:
    """A commit as its transaction says it; `data` is empty when blobs hold it."""

    header: BatchHeader
    signature: bytes
    data: bytes
    batch_hash: bytes
    blob_hashes: tuple[bytes, ...]


class History:
    """Reads the past of a deployment.

    Parameters
    ----------
    contracts : mapping
        By the names of the deployment.
    first_block : int
        Where the deployment begins; earlier blocks are not asked for.
    blobs : BlobSource
        Serves the blobs of those batches whose data is in them.
    """

    def __init__(
        self,
        node: Node,
        contracts: Mapping[str, ContractInterface],
        first_block: int,
        blobs: BlobSource,
    ) -> None:
        self.first_block, self._blobs = first_block, blobs
        self._node, self._contracts = node, dict(contracts)
        self._by_address = {c.address: (name, c) for name, c in contracts.items()}
        self._seen: tuple[int, int] = (0, first_block)  # a batch and the block of its commit

    def logs(
        self,
        names: Sequence[str],
        topics: Sequence[bytes | None] = (),
        first_block: int | None = None,
        last_block: int | None = None,
    ) -> Iterator[Log]:
        """Yield the events of some contracts in order, page by page of an inclusive range.

        Raises
        ------
        ChainUnreachable
            The node tells of what it was not asked, or of one event twice.
        """
        block = self.first_block if first_block is None else max(first_block, self.first_block)
        last = self._node.block_number() if last_block is None else last_block
        addresses = [self._contracts[name].address for name in names]
        page, calm = PAGE_BLOCKS, 0
        while block <= last:
            stop = min(block + page - 1, last)
            try:
                found = self._node.logs(block, stop, addresses, topics)
            except NodeRefused:
                if page == 1:
                    raise
                page, calm = page // 2, 0
                continue
            yield from _as_asked(found, block, stop, addresses)
            block, calm = stop + 1, calm + 1
            if calm == CALM_PAGES:
                page, calm = min(2 * page, PAGE_BLOCKS), 0

    def events(
        self,
        names: Sequence[str] | None = None,
        first_block: int | None = None,
        last_block: int | None = None,
    ) -> Iterator[ChainEvent]:
        """Yield the decoded events of some contracts, or of all, in order of the chain.

        Events that the ABI of their contract does not have are left out.
        """
        for log in self.logs(names or tuple(self._contracts), (), first_block, last_block):
            name, contract = self._by_address[log.address]
            event = contract.event(log.topics[0]) if log.topics else None
            if event is not None:
                arguments = event.decode(log.topics, log.data)
                yield ChainEvent(
                    name, event.name, arguments, log.block, log.log_index, log.transaction_hash
                )

    def inbox_entries(self, first_block: int, last_block: int) -> list[InboxEntry]:
        """Return the entries of the inbox that an inclusive range of blocks added, in order."""
        event = self._contracts["Inbox"].event_named("Enqueued")
        entries = []
        for log in self.logs(["Inbox"], [event.topic], first_block, last_block):
            a = event.decode(log.topics, log.data)
            entry = InboxEntry(
                a["kind"],
                a["index"],
                a["time"],
                a["owner"],
                a["subaccount"],
                a["place"],
                a["amount"],
                a["key"],
                a["prefix"],
                log.block,
            )
            entries.append(entry)
        return entries

    def committed_batches(
        self, first_block: int | None = None, last_block: int | None = None
    ) -> Iterator[CommittedBatch]:
        """Yield every batch that stands, in order; BatchDataMissing when one is unreadable."""
        for log in self._standing(first_block, last_block).values():
            yield self._read_back(log)

    def committed_batch(self, batch_no: int) -> CommittedBatch:
        """Return one committed batch; BatchDataMissing when there is none or it is unreadable."""
        return self._read_back(self._commit_of(batch_no))

    def committed_header(self, batch_no: int) -> BatchHeader:
        """Return the header of a committed batch, whether or not its blobs are still served."""
        return self._read_commit(self._commit_of(batch_no)).header

    def batch_of(self, event: ChainEvent) -> CommittedBatch:
        """Return the batch of a `BatchCommitted`, whether it stands or was reverted since."""
        for log in self.logs([event.contract], (), event.block, event.block):
            if log.log_index == event.log_index:
                return self._read_back(log)
        raise BatchDataMissing(f"block {event.block} has no commit any more")

    def _commit_of(self, batch_no: int) -> Log:
        """Return where a batch was committed."""
        known, block = self._seen
        # The block of an earlier batch saves pages; after a reorganisation it may mislead.
        for first in (block if known <= batch_no else self.first_block, self.first_block):
            log = self._standing(first).get(batch_no)
            if log is not None:
                self._seen = (batch_no, log.block)
                return log
        raise BatchDataMissing(f"batch {batch_no} was not committed since block {first}")

    def _standing(
        self, first_block: int | None = None, last_block: int | None = None
    ) -> dict[int, Log]:
        """Return the commits in a range of blocks by number, without those that were reverted."""
        settlement = self._contracts["Settlement"]
        committed = settlement.event_named("BatchCommitted").topic
        reverted = settlement.event_named("BatchReverted").topic
        standing: dict[int, Log] = {}
        for log in self.logs(["Settlement"], (), first_block, last_block):
            if log.topics[0] in {committed, reverted}:
                number = int.from_bytes(log.topics[1])
                while standing and next(reversed(standing)) >= number:
                    standing.popitem()
                if log.topics[0] == committed:
                    standing[number] = log
        return standing

    def _read_back(self, log: Log) -> CommittedBatch:
        """Return the batch of a `BatchCommitted`, its data from wherever it was posted."""
        commit = self._read_commit(log)
        data, blobs = commit.data, tuple[bytes, ...]()
        if commit.header.da_kind == DATA_KIND_BLOBS:
            blobs = read_blobs(self._blobs, self._node.block(log.block), commit.blob_hashes)
            data = unpack(blobs, commit.header.da_length)
        return CommittedBatch(
            commit.header,
            commit.signature,
            data,
            commit.batch_hash,
            log.block,
            log.transaction_hash,
            blobs,
        )

    def _read_commit(self, log: Log) -> _Commit:
        """Return what the transaction of a `BatchCommitted` says."""
        settlement = self._contracts["Settlement"]
        event = settlement.event_named("BatchCommitted").decode(log.topics, log.data)
        number, where = event["batchNo"], f"0x{log.transaction_hash.hex()}"
        sent = self._node.transaction(log.transaction_hash)
        if sent is None:
            raise BatchDataMissing(f"batch {number}: the node does not have transaction {where}")
        arguments = settlement.function("commit").decode_input(sent.calldata)
        if sent.receiver != settlement.address or arguments is None:
            raise BatchDataMissing(f"batch {number}: transaction {where} is no direct commit")
        values, signature, data = arguments
        header = BatchHeader(*values)
        if batch_hash(header) != event["batchHash"]:
            raise BatchDataMissing(f"batch {number}: transaction {where} holds another header")
        is_in_blobs = header.da_kind == DATA_KIND_BLOBS
        if is_in_blobs and hash_of_blobs(sent.blob_hashes) != header.da_hash:
            raise BatchDataMissing(f"batch {number}: transaction {where} carries other blobs")
        return _Commit(header, signature, data, event["batchHash"], sent.blob_hashes)


def _as_asked(
    found: Sequence[Log], first: int, last: int, addresses: Sequence[bytes]
) -> Sequence[Log]:
    """Return events in the order of the chain, if they are what a node was asked for."""
    ordered = sorted(found, key=lambda log: (log.block, log.log_index))
    for log in ordered:
        if log.address not in addresses or not first <= log.block <= last or not log.topics:
            raise ChainUnreachable(
                f"eth_getLogs: asked for blocks {first} to {last}, the node tells of "
                f"0x{log.address.hex()} in block {log.block}"
            )
    places = {(log.block, log.log_index) for log in ordered}
    if len(places) != len(ordered):
        raise ChainUnreachable(f"eth_getLogs: blocks {first} to {last} have one event twice")
    return ordered
