"""The end of a batch: what its header says, against what follows from its records."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property

from offchain.ledger.abi import WORD
from offchain.ledger.batch import Batch
from offchain.ledger.checkpoint import Checkpoint, CheckpointRoot, ExitSums, exit_node
from offchain.ledger.epoch import Epoch
from offchain.ledger.keccak import ZERO32
from offchain.ledger.sum_tree import SUM_BYTES, SumNode, parent, root_from
from offchain.ledger.totals import Totals, totals_hash
from offchain.services.watch.disclosures import Disclosures
from offchain.services.watch.judges.structure import BlobProofs, no_blobs
from offchain.services.watch.moment import Witness
from offchain.services.watch.posted import Archive, PostedTrace


@dataclass(frozen=True)
class Closing:
    """A batch all of whose steps hold.

    Attributes
    ----------
    witness : Witness
        The honest state after the last record.
    honest : Batch
        What the records make.
    checkpoint : Checkpoint
        Of `honest`, with leaves and paths.
    before : Closed or None
        Of the batch before.
    """

    trace: PostedTrace
    archive: Archive
    witness: Witness
    honest: Batch
    checkpoint: Checkpoint
    before: "Closed | None"
    disclosures: Disclosures
    blobs: BlobProofs = no_blobs

    @cached_property
    def totals(self) -> Totals | None:
        """The totals behind the hash of the header, if anybody can know them."""
        wanted = self.trace.header.totals_hash
        return next((t for t in self._totals_guesses() if totals_hash(t) == wanted), None)

    def _totals_guesses(self) -> Iterator[Totals]:
        """Yield the honest totals, and those in which one number is left as it was, or left out."""
        honest = self.honest.totals
        yield honest
        yield from self.disclosures.totals()
        befores = [self.before.totals] if self.before else []
        yield from befores
        for field in fields(Totals):
            value = getattr(honest, field.name)
            nothing = (0,) * len(value) if isinstance(value, tuple) else 0
            for other in (*[getattr(t, field.name) for t in befores], nothing):
                yield replace(honest, **{field.name: other})

    @cached_property
    def walk(self) -> "Walk | None":
        """The checkpoint behind the root of the header, if anybody can know it."""
        wanted = self.trace.header.checkpoint_root
        return next((w for w in self._checkpoint_guesses() if w.root.hash == wanted), None)

    def _checkpoint_guesses(self) -> Iterator["Walk"]:
        honest = self.checkpoint
        yield Walk(honest, honest.root)
        if self.before is not None:
            yield Walk(self.before.checkpoint, self.before.checkpoint.root)
        sums = honest.root.sums
        without = (
            replace(sums, equity_e6=0),
            replace(sums, owed_e6=0),
            replace(sums, debt_e6=0),
        )
        for other in without:
            yield Walk(honest, CheckpointRoot(honest.root.root_hash, other))
        for account in range(honest.count):
            yield from _one_other(honest, account)

    def epochs(self) -> Iterator[tuple[int, Epoch]]:
        """Yield the epochs of the batch with their places."""
        yield from enumerate(self.honest.epochs)


@dataclass(frozen=True, slots=True)
class Closed:
    """What is kept of a batch that was honest."""

    totals: Totals
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Walk:
    """A checkpoint in which at most one leaf is another than in a tree that is known."""

    tree: Checkpoint
    root: CheckpointRoot
    account: int = -1
    leaf: SumNode | None = None

    def down_to(self, account: int) -> tuple[bytes, ...]:
        """Return the preimages of the nodes on the way to an account, root first."""
        if self.leaf is not None and account != self.account:
            return ()
        node = self.leaf or leaf_node(self.tree, account)
        path = self.tree.path(account)
        size = len(node.packed())
        found: list[bytes] = []
        for height, start in enumerate(range(0, len(path), size)):
            sibling = path[start : start + size]
            pair = (sibling, node.packed())
            left, right = pair if account >> height & 1 else pair[::-1]
            found.append(left + right)
            node = root_of_pair(left, right, size)
        while found and not any(found[0]):
            del found[0]
        return tuple(reversed(found))


def leaf_node(tree: Checkpoint, account: int) -> SumNode:
    """Return the leaf of an account as a node; an empty one when there is none."""
    if account < tree.count:
        return exit_node(tree.leaf(account))
    return SumNode(ZERO32, (0,) * (3 + len(tree.root.sums.collateral_e8)))


def root_of_pair(left: bytes, right: bytes, size: int) -> SumNode:
    """Return the node above two packed ones."""
    return parent(_unpack(left, size), _unpack(right, size))


def _unpack(packed: bytes, size: int) -> SumNode:
    sums = [int.from_bytes(packed[i : i + SUM_BYTES]) for i in range(WORD, size, SUM_BYTES)]
    return SumNode(packed[:WORD], tuple(sums))


def _one_other(tree: Checkpoint, account: int) -> Iterator[Walk]:
    """Yield trees in which an account is left out, or is owed nothing, or keeps its debt."""
    leaf = tree.leaf(account)
    variants = (
        SumNode(ZERO32, (0,) * len(leaf.sums())),
        exit_node(replace(leaf, equity_e6=0)),
        exit_node(replace(leaf, owed_e6=0, debt_e6=0)),
        exit_node(replace(leaf, debt_e6=leaf.owed_e6)),
        exit_node(replace(leaf, collateral_e8=(0,) * len(leaf.collateral_e8))),
    )
    path = tree.path(account)
    for node in variants:
        root = root_from(node, account, path)
        equity, owed, debt, *collateral = root.sums
        sums = ExitSums(equity, owed, debt, tuple(collateral))
        yield Walk(tree, CheckpointRoot(root.hash, sums), account, node)
