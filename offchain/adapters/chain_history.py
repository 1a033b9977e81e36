"""What happened on chain: events by pages of blocks, and committed batches read back whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offchain.adapters.chain_abi import ContractInterface
from offchain.adapters.chain_node import Log, Node
from offchain.ledger.abi import unsigned
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.services.errors import BatchDataMissing, NodeRefused
from offchain.services.ports import InboxEntry

PAGE_BLOCKS = 2_000
"""Blocks asked for at once; halved when the node finds that too much."""


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

    `data` is the plain concatenation of the frames of the input log.
    """

    header: BatchHeader
    signature: bytes
    data: bytes
    batch_hash: bytes
    block: int
    transaction_hash: bytes


class History:
    """Reads the past of a deployment.

    Parameters
    ----------
    contracts : mapping
        By the names of the deployment.
    first_block : int
        Where the deployment begins; earlier blocks are not asked for.
    """

    def __init__(
        self, node: Node, contracts: Mapping[str, ContractInterface], first_block: int
    ) -> None:
        self.first_block = first_block
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
        """Yield the events of some contracts in order, page by page of an inclusive range."""
        block = self.first_block if first_block is None else max(first_block, self.first_block)
        last = self._node.block_number() if last_block is None else last_block
        addresses = [self._contracts[name].address for name in names]
        page = PAGE_BLOCKS
        while block <= last:
            stop = min(block + page - 1, last)
            try:
                found = self._node.logs(block, stop, addresses, topics)
            except NodeRefused:
                if page == 1:
                    raise
                page //= 2
                continue
            yield from found
            block = stop + 1

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

    def deposits(self, first_block: int, last_block: int) -> list[InboxEntry]:
        """Return the entries of the inbox that an inclusive range of blocks added, in order."""
        event = self._contracts["Inbox"].event_named("Deposited")
        entries = []
        for log in self.logs(["Inbox"], [event.topic], first_block, last_block):
            a = event.decode(log.topics, log.data)
            entry = InboxEntry(
                a["index"],
                a["owner"],
                a["subaccount"],
                a["asset"],
                a["amount"],
                a["prefix"],
                log.block,
            )
            entries.append(entry)
        return entries

    def committed_batches(
        self, first_block: int | None = None, last_block: int | None = None
    ) -> Iterator[CommittedBatch]:
        """Yield every committed batch in order; BatchDataMissing when one cannot be read back."""
        topic = self._contracts["Settlement"].event_named("BatchCommitted").topic
        for log in self.logs(["Settlement"], [topic], first_block, last_block):
            yield self._read_back(log)

    def committed_batch(self, batch_no: int) -> CommittedBatch:
        """Return one committed batch; BatchDataMissing when there is none or it is unreadable."""
        topic = self._contracts["Settlement"].event_named("BatchCommitted").topic
        known, block = self._seen
        topics = [topic, unsigned(batch_no, 256)]
        # The block of an earlier batch saves pages; after a reorganisation it may mislead.
        for first in (block if known <= batch_no else self.first_block, self.first_block):
            for log in self.logs(["Settlement"], topics, first):
                batch = self._read_back(log)
                self._seen = (batch_no, batch.block)
                return batch
        raise BatchDataMissing(f"batch {batch_no} was not committed since block {first}")

    def _read_back(self, log: Log) -> CommittedBatch:
        """Return the batch of a `BatchCommitted`, from the input of its transaction."""
        settlement = self._contracts["Settlement"]
        event = settlement.event_named("BatchCommitted").decode(log.topics, log.data)
        number, where = event["batchNo"], f"0x{log.transaction_hash.hex()}"
        found = self._node.transaction_input(log.transaction_hash)
        if found is None:
            raise BatchDataMissing(f"batch {number}: the node does not have transaction {where}")
        receiver, calldata = found
        arguments = settlement.function("commit").decode_input(calldata)
        if receiver != settlement.address or arguments is None:
            raise BatchDataMissing(f"batch {number}: transaction {where} is no direct commit")
        values, signature, data = arguments
        header = BatchHeader(*values)
        if batch_hash(header) != event["batchHash"]:
            raise BatchDataMissing(f"batch {number}: transaction {where} holds another header")
        return CommittedBatch(
            header, signature, data, event["batchHash"], log.block, log.transaction_hash
        )
