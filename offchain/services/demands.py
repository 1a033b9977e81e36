"""Demands: how anybody finds out what stands below a checkpoint root that is not its own.

The sum tree of a checkpoint is not posted. An operator shows it path by path when it is demanded
(`offchain.services.path_answers`), or its batch is reverted. This module is for who demands::

    inquiry = Inquiry(chain, signer)             # chain: DemandChain, e.g. ChainDemands(chain)
    finding = inquiry.step(header, own)          # own: the honest Checkpoint of this batch
    finding.walk                                 # ShownWalk: a leaf or node that is wrong
    finding.reverted                             # True: nobody answered, the batch is gone
    finding.asked                                # the account whose path was demanded just now
    finding.until_s                              # an open demand must be answered until then

Call `step` again and again while the batch is open and its `checkpoint_root` is not that of `own`.
It needs no memory: what was shown stands on chain, whoever asked. At most 20 answers lead to a
`ShownWalk`, which goes into the evidence of kind 7, rule OWED::

    (walk.root.root_hash, packed sums of walk.root, walk.account, walk.down_to(walk.account))

The rest of that evidence is about `walk.account` in the honest state. `CheckpointProbe` alone says
what to ask next, without a chain.

Of a batch that is honest, whoever replays it can show every path as well as its operator, and has
the bond for it; so no operator falls because it was away for an hour::

    defend(chain, signer, header, own)           # the accounts whose paths were shown
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offchain.ledger.checkpoint import Checkpoint
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.services.checkpoint_probe import CheckpointProbe, ShownPath, ShownWalk
from offchain.services.errors import TransactionReverted
from offchain.services.ports import Signer, TransactionReceipt

__all__ = [
    "CheckpointProbe",
    "DemandChain",
    "Finding",
    "Inquiry",
    "OpenDemand",
    "ShownPath",
    "ShownWalk",
    "defend",
    "show",
]

OVERTAKEN = frozenset(
    {"DemandExists", "NoSuchDemand", "AnswerTooLate", "BatchGone", "NotOpen", "WrongHeader"}
)
"""Refusals that mean that somebody else was quicker, or that the batch has gone."""


@dataclass(frozen=True, slots=True)
class OpenDemand:
    """A path that must be shown.

    Attributes
    ----------
    until_s : int
        Last second to answer. [s since 1970]
    """

    id: bytes
    batch_no: int
    batch_hash: bytes
    account: int
    challenger: bytes
    until_s: int


class DemandChain(Protocol):
    """The court as demands need it."""

    def block_time(self) -> int:
        """Return the time of the newest block. [s since 1970]"""
        ...

    def open_demands(self) -> Sequence[OpenDemand]:
        """Return the demands that are open, of any batch."""
        ...

    def shown_paths(self, hash_of_batch: bytes) -> Sequence[ShownPath]:
        """Return the paths that were shown of a batch."""
        ...

    def demand(self, signer: Signer, header: BatchHeader, account: int) -> TransactionReceipt:
        """Pay the bond and demand a path."""
        ...

    def answer(
        self, signer: Signer, demand: OpenDemand, header: BatchHeader, shown: ShownPath
    ) -> TransactionReceipt:
        """Show a path that is demanded; the bond waits for the signer."""
        ...

    def settle_unanswered(
        self, signer: Signer, demand: OpenDemand, header: BatchHeader
    ) -> TransactionReceipt:
        """Have a batch reverted of which nobody showed the path in time."""
        ...

    def claim_bonds(self, signer: Signer) -> int:
        """Pay the signer the bonds that wait for it, and return them. [USD e-6]"""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step of an inquiry did or found; see the top of the module."""

    walk: ShownWalk | None = None
    asked: int | None = None
    until_s: int | None = None
    reverted: bool = False


class Inquiry:
    """Asks for path after path until it knows what is wrong, or has the batch reverted.

    Parameters
    ----------
    signer : Signer
        Pays gas and bonds; a bond is lost with each answer, which the bounty outweighs.
    """

    def __init__(self, chain: DemandChain, signer: Signer) -> None:
        self._chain, self._signer = chain, signer

    def step(self, header: BatchHeader, own: Checkpoint) -> Finding:
        """Look at the answers and demand the next path, or settle what nobody answered.

        Raises
        ------
        ChainUnreachable
            The node does not answer; another step may.
        TransactionReverted
            A demand is refused for good: the window of the batch is over, or there is no bond.
        """
        hash_of_batch = batch_hash(header)
        probe = CheckpointProbe(own, header.checkpoint_root)
        wanted = probe.next(self._chain.shown_paths(hash_of_batch))
        if wanted is None:
            return Finding()
        if isinstance(wanted, ShownWalk):
            return Finding(walk=wanted)
        waiting = [d for d in self._chain.open_demands() if d.batch_hash == hash_of_batch]
        now = self._chain.block_time()
        overdue = next((d for d in waiting if d.until_s < now), None)
        if overdue is not None:
            return Finding(reverted=self._settle(overdue, header))
        same = next((d for d in waiting if d.account == wanted), None)
        if same is not None:
            return Finding(until_s=same.until_s)
        return self._ask(header, wanted)

    def _ask(self, header: BatchHeader, account: int) -> Finding:
        try:
            self._chain.demand(self._signer, header, account)
        except TransactionReverted as reverted:
            if reverted.name in OVERTAKEN:
                return Finding()
            raise
        return Finding(asked=account)

    def _settle(self, overdue: OpenDemand, header: BatchHeader) -> bool:
        try:
            self._chain.settle_unanswered(self._signer, overdue, header)
        except TransactionReverted as reverted:
            if reverted.name in OVERTAKEN:
                return False
            raise
        return True


def defend(chain: DemandChain, signer: Signer, header: BatchHeader, own: Checkpoint) -> list[int]:
    """Show what is demanded of a batch that is honest, for the bonds; return the accounts.

    Nothing is shown of a batch whose checkpoint is another than `own`.

    Raises
    ------
    ChainUnreachable
        The node does not answer; another step may.
    """
    if own.root.hash != header.checkpoint_root:
        return []
    wanted = batch_hash(header)
    mine = [demand for demand in chain.open_demands() if demand.batch_hash == wanted]
    return [d.account for d in mine if show(chain, signer, d, header, own)]


def show(
    chain: DemandChain,
    signer: Signer,
    demand: OpenDemand,
    header: BatchHeader,
    checkpoint: Checkpoint,
) -> bool:
    """Answer one demand; False when somebody was quicker, or it is too late.

    Raises
    ------
    TransactionReverted
        The court refuses the path.
    """
    try:
        chain.answer(signer, demand, header, ShownPath.of(checkpoint, demand.account))
    except TransactionReverted as reverted:
        if reverted.name in OVERTAKEN:
            return False
        raise
    return True
