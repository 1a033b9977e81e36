"""Demands for totals, epochs and columns, over a node."""

from dataclasses import astuple

from offchain.adapters.chain import Chain
from offchain.adapters.chain_court import CASH, COURT, contents_shown
from offchain.adapters.chain_history import ChainEvent
from offchain.adapters.chain_open import DemandsAtCourt, OpenAtCourt
from offchain.ledger.header import BatchHeader
from offchain.services.contents import ContentPlace, OpenContent, ShownContent
from offchain.services.ports import Signer, TransactionReceipt


class ChainContents(DemandsAtCourt):
    """A `ContentChain` of one deployment; each object remembers how far it has read. One thread."""

    def __init__(self, chain: Chain) -> None:
        super().__init__(chain)
        self._open = OpenAtCourt(chain, "ContentDemanded", _demand_of, self._is_demanded)

    def open_contents(self) -> list[OpenContent]:
        """Return the demands that are open, of any batch, in the order in which they were made."""
        return self._open.all()

    def shown_contents(self, hash_of_batch: bytes) -> list[ShownContent]:
        """Return the contents that were shown of a batch, in order."""
        return contents_shown(self._chain, hash_of_batch)

    def demand_content(
        self, signer: Signer, header: BatchHeader, what: int, opening: bytes
    ) -> TransactionReceipt:
        """Pay the bond and demand a content; `opening` leads to it from the header.

        Raises
        ------
        TransactionReverted
            The batch is not open, its window is over, it has no such content, or that is demanded
            already.
        """
        bond_e6 = int(self._chain.call(COURT, "bondE6"))
        self._chain.approve(signer, CASH, bond_e6, COURT)
        return self._chain.send(signer, COURT, "demandContent", header.values(), what, opening)

    def answer_content(
        self, signer: Signer, demand: OpenContent, header: BatchHeader, content: bytes
    ) -> TransactionReceipt:
        """Show a content that is demanded; the bond waits for the signer.

        Raises
        ------
        TransactionReverted
            It was shown already, it is too late, the batch is gone, or it has another hash.
        """
        values = (demand.id, header.values(), astuple(demand.place), content)
        return self._chain.send(signer, COURT, "answerContent", *values)

    def settle_content(
        self, signer: Signer, demand: OpenContent, header: BatchHeader
    ) -> TransactionReceipt:
        """Have a batch reverted of which nobody showed a content in time.

        Of a batch that is gone, this only gives the bond back.

        Raises
        ------
        TransactionReverted
            There is still time to answer, or the demand is settled.
        """
        return self._chain.send(signer, COURT, "settleUnanswered", demand.id, header.values())


def _demand_of(event: ChainEvent) -> OpenContent:
    said = event.arguments
    return OpenContent(
        said["id"],
        said["batchNo"],
        said["batchHash"],
        ContentPlace(*said["place"]),
        said["challenger"],
        said["until"],
    )
