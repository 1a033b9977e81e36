"""Demands for the paths of a checkpoint, over a node."""

from dataclasses import astuple
from typing import Any

from offchain.adapters.chain import Chain
from offchain.adapters.chain_court import CASH, COURT
from offchain.adapters.chain_history import ChainEvent
from offchain.adapters.chain_open import DemandsAtCourt, OpenAtCourt
from offchain.ledger.checkpoint import ExitLeaf
from offchain.ledger.header import BatchHeader
from offchain.services.demands import OpenDemand, ShownPath
from offchain.services.ports import Signer, TransactionReceipt

NO_OWNER = bytes(20)


class ChainDemands(DemandsAtCourt):
    """A `DemandChain` of one deployment; each object remembers how far it has read. One thread."""

    def __init__(self, chain: Chain) -> None:
        super().__init__(chain)
        self._open = OpenAtCourt(chain, "Demanded", _demand_of, self._is_demanded)

    def open_demands(self) -> list[OpenDemand]:
        """Return the demands that are open, of any batch, in the order in which they were made."""
        return self._open.all()

    def shown_paths(self, hash_of_batch: bytes) -> list[ShownPath]:
        """Return the paths that were shown of a batch, in order."""
        return [
            _path_of(event)
            for event in self._chain.history.events((COURT,))
            if event.name == "Answered" and event.arguments["batchHash"] == hash_of_batch
        ]

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
