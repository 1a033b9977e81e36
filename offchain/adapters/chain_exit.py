"""The way out over a node: freezing, refunds, claims, exits and forced operations.

Everything comes from chain data alone; whoever calls pays gas and needs no other right.
"""

from dataclasses import astuple

from offchain.adapters.chain import Chain
from offchain.adapters.chain_freeze import ChainFreeze
from offchain.ledger.header import batch_hash
from offchain.ledger.inbox import InboxEntry, prefix_of
from offchain.services.errors import CheckpointMismatch, InboxMismatch, TransactionReverted
from offchain.services.exit_plan import (
    ClaimOutput,
    CollectDeferred,
    ExitAccount,
    FinalBooks,
    RefundDeposit,
    StartExits,
    WayOut,
    refundable,
    replay_final,
)
from offchain.services.freezing import FreezeChance, FreezeOutlook
from offchain.services.ports import Signer, TransactionReceipt

DONE_BEFORE = frozenset(
    {"AlreadyClaimed", "AlreadyRefunded", "AlreadyStarted", "AlreadyExited", "NothingOwed"}
)
"""Refusals that mean that somebody else was quicker: the money is out."""


class ChainExit:
    """What is owed to whom, and the calls that pay it.

    Parameters
    ----------
    chain : Chain
        Of the deployment, which may be found from the settlement contract alone.
    """

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    # Freezing

    def outlook(self) -> FreezeOutlook:
        """Return whether the venue is frozen, and else whether and when it may be."""
        return ChainFreeze(self.chain, self._entry).outlook()

    def freeze(self, signer: Signer, chance: FreezeChance) -> TransactionReceipt:
        """Freeze the venue for ever; TransactionReverted when there is still time."""
        return ChainFreeze(self.chain, lambda _: chance.entry).freeze(signer, chance)

    # What is owed

    def entries(self) -> list[InboxEntry]:
        """Return every entry of the inbox, in order.

        A node may leave out events, or tell of others: they are held to the prefix hash that the
        inbox itself keeps, so that no deposit is overlooked.

        Raises
        ------
        InboxMismatch
            They are not the entries of the inbox.
        """
        chain = self.chain
        count = chain.inbox_count()
        found = chain.inbox_entries(chain.deployment.block_number, chain.block_number())
        entries = [entry.content() for entry in found]
        if len(entries) < count:
            raise InboxMismatch(
                f"the inbox has {count} entries, the node tells of {len(entries)}; ask another one"
            )
        stored = chain.inbox_prefix(len(entries))
        if [entry.index for entry in entries] != list(range(1, len(entries) + 1)):
            raise InboxMismatch("the node leaves out entries of the inbox; ask another one")
        if prefix_of(entries) != stored:
            raise InboxMismatch("the node tells of other entries than the inbox has")
        return entries

    def _entry(self, index: int) -> InboxEntry | None:
        """Return one entry, None when there is none; asked for only while nothing is frozen."""
        return next((entry for entry in self.entries() if entry.index == index), None)

    def final_books(self) -> FinalBooks:
        """Return what the final batches say.

        Raises
        ------
        CheckpointMismatch
            The batches that the node shows do not lead to the hash that the contract holds.
        BatchDataMissing
            The node does not have the data of one.
        """
        number, root = self.chain.call("Settlement", "checkpoint")
        batches = self.chain.committed_batches()
        books = replay_final(((batch.header, batch.data) for batch in batches), int(number))
        if books.start is not None:
            shown = books.start.header
            stored = self.chain.batch_hash_of(int(number))
            if (batch_hash(shown), shown.checkpoint_root) != (stored, bytes(root)):
                raise CheckpointMismatch(
                    f"batch {number} has the hash 0x{stored.hex()}, the node shows another one; "
                    "ask another one"
                )
        return books

    def refunds(self) -> list[RefundDeposit]:
        """Return the deposits that no final batch consumed, paid ones included."""
        return list(refundable(self.entries(), int(self.chain.call("Settlement", "finalCursor"))))

    @property
    def assets(self) -> range:
        """The numbers of the assets that the vault lists, cash first."""
        return range(int(self.chain.call("CollateralVault", "collateralCount")) + 1)

    def is_started(self) -> bool:
        """Return whether the terms of all exits are fixed."""
        return any(self.chain.call("Exit", "checkpointRoot"))

    def is_paid(self, way: ClaimOutput | RefundDeposit) -> bool:
        """Return whether an output or a deposit was paid."""
        if isinstance(way, ClaimOutput):
            return bool(self.chain.call("Settlement", "isClaimed", way.output.id))
        return bool(self.chain.call("Exit", "isRefunded", way.entry.index))

    def payouts(self, way: ExitAccount) -> dict[int, int]:
        """Return what an account is still to be paid by asset, zeros left out. [engine units]"""
        done = int(self.chain.call("Exit", "exitedAssets", way.leaf.account))
        left = [a for a in range(len(way.leaf.collateral_e8) + 1) if not done >> a & 1]
        leaf = astuple(way.leaf)
        found = {asset: int(self.chain.call("Exit", "payoutOf", leaf, asset)) for asset in left}
        return {asset: units for asset, units in found.items() if units}

    def deferred(self, asset: int, owner: bytes) -> int:
        """Return what the vault still holds of claims that were paid in part. [engine units]"""
        return int(self.chain.call("CollateralVault", "owedTo", asset, owner))

    # Paying

    def carry_out(self, signer: Signer, way: WayOut) -> TransactionReceipt | None:
        """Send one call; None when somebody else was quicker.

        Raises
        ------
        TransactionReverted
            The contract, or the token that it would pay in, refuses.
        """
        name, function, arguments = call_of(way)
        try:
            return self.chain.send(signer, name, function, *arguments)
        except TransactionReverted as reverted:
            if reverted.name in DONE_BEFORE:
                return None
            raise


def call_of(way: WayOut) -> tuple[str, str, list[object]]:
    """Return contract, function and arguments of a call."""
    match way:
        case ClaimOutput(header, output, index, proof):
            arguments = [header.values(), astuple(output), index, list(proof)]
            return "Settlement", "claim", arguments
        case RefundDeposit(entry):
            return "Exit", "refund", [astuple(entry)]
        case StartExits(header, totals, root):
            sums = astuple(root.sums)
            return "Exit", "start", [header.values(), astuple(totals), sums, root.root_hash]
        case ExitAccount(leaf, path, assets):
            return "Exit", "exit", [astuple(leaf), path, assets]
        case CollectDeferred(asset, owner):
            return "CollateralVault", "collect", [asset, owner]
