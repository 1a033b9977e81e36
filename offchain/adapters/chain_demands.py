"""Demands for the paths of a checkpoint, over a node."""

from dataclasses import astuple
from typing import Any

from offchain.adapters.chain import Chain
from offchain.adapters.chain_court import CASH, COURT
from offchain.adapters.chain_history import ChainEvent
from offchain.ledger.checkpoint import ExitLeaf
from offchain.ledger.header import BatchHeader
from offchain.services.demands import OpenDemand, ShownPath
from offchain.services.ports import Signer, TransactionReceipt

NO_OWNER = bytes(20)
REREAD_BLOCKS = 64
"""The chain may have taken back so many blocks since they were read."""


class ChainDemands:
    """A `DemandChain` of one deployment; each object remembers how far it has read. One thread."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._read_to = chain.deployment.block_number - 1
        self._demands: dict[bytes, OpenDemand] = {}

    def block_time(self) -> int:
        """Return the time of the newest block. [s since 1970]"""
        return self._chain.block_time()

    def open_demands(self) -> list[OpenDemand]:
        """Return the demands that are open, of any batch, in the order in which they were made."""
        last = self._chain.block_number()
        first = min(self._read_to, last) - REREAD_BLOCKS + 1
        for event in self._events("Demanded", first, last):
            found = _demand_of(event)
            self._demands.pop(found.id, None)  # one that is made again comes last
            self._demands[found.id] = found
        self._read_to = last
        self._demands = {n: d for n, d in self._demands.items() if self._is_open(n)}
        return list(self._demands.values())

    def _is_open(self, number: bytes) -> bool:
        _, opened_at, _, _ = self._chain.call(COURT, "demandOf", number)
        return bool(opened_at)

    def shown_paths(self, hash_of_batch: bytes) -> list[ShownPath]:
        """Return the paths that were shown of a batch, in order."""
        events = self._events("Answered", None, None)
        return [_path_of(e) for e in events if e.arguments["batchHash"] == hash_of_batch]

    def _events(self, name: str, first: int | None, last: int | None) -> list[ChainEvent]:
        events = self._chain.history.events((COURT,), first, last)
        return [event for event in events if event.name == name]

    def demand(self, signer: Signer, header: BatchHeader, account: int) -> TransactionReceipt:
        """Pay the bond and demand the path of a place under the checkpoint of a batch.

        Raises
        ------
        TransactionReverted
            The batch is not open, its window is over, or the path is demanded already.
        """
        bond_e6 = int(self._chain.call(COURT, "bondE6"))
        self._chain.approve(signer, CASH, bond_e6, COURT)
        return self._chain.send(signer, COURT, "demand", header.values(), account)

    def answer(
        self, signer: Signer, demand: OpenDemand, header: BatchHeader, shown: ShownPath
    ) -> TransactionReceipt:
        """Show a path that is demanded; the bond waits for the signer.

        Raises
        ------
        TransactionReverted
            It was shown already, it is too late, the batch is gone, or it is no path of its tree.
        """
        leaf, is_empty = shown.leaf, shown.leaf is None
        if leaf is None:
            leaf = ExitLeaf(shown.account, NO_OWNER, 0, 0, 0, 0, (0,) * shown.collaterals)
        values = (demand.id, header.values(), astuple(leaf), is_empty, shown.path)
        return self._chain.send(signer, COURT, "answer", *values)

    def settle_unanswered(
        self, signer: Signer, demand: OpenDemand, header: BatchHeader
    ) -> TransactionReceipt:
        """Have a batch reverted of which nobody showed the path in time.

        Of a batch that is gone, this only gives the bond back.

        Raises
        ------
        TransactionReverted
            There is still time to answer, or the demand is settled.
        """
        return self._chain.send(signer, COURT, "settleUnanswered", demand.id, header.values())

    def claim_bonds(self, signer: Signer) -> int:
        """Pay the signer the bonds that wait for it, and return them. [USD e-6]"""
        bond_e6 = int(self._chain.call(COURT, "bondOf", signer.address))
        if bond_e6:
            self._chain.send(signer, COURT, "claimBond")
        return bond_e6


def _demand_of(event: ChainEvent) -> OpenDemand:
    said = event.arguments
    return OpenDemand(
        said["id"],
        said["batchNo"],
        said["batchHash"],
        said["account"],
        said["challenger"],
        said["until"],
    )


def _path_of(event: ChainEvent) -> ShownPath:
    said = event.arguments
    account, *_ = leaf = said["leaf"]
    return ShownPath(account, None if said["isEmpty"] else _leaf_of(leaf), said["path"])


def _leaf_of(values: tuple[Any, ...]) -> ExitLeaf:
    account, owner, subaccount, equity, owed, debt, collateral = values
    holder = bytes.fromhex(owner[2:])
    return ExitLeaf(account, holder, subaccount, equity, owed, debt, tuple(collateral))
