"""What is shown of a checkpoint, compared with the honest one until what is wrong is known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from offchain.ledger.checkpoint import Checkpoint, CheckpointRoot, ExitLeaf, ExitSums, exit_node
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.merkle import ACCOUNT_TREE_DEPTH
from offchain.ledger.sum_tree import FIXED_SUMS, SUM_BYTES, WORD_BYTES, SumNode

Place = tuple[int, int]
"""Height above the leaves and index of a node."""


@dataclass(frozen=True, slots=True)
class ShownPath:
    """A place of a checkpoint and its siblings, leaf level first; no leaf when it is empty."""

    account: int
    leaf: ExitLeaf | None
    path: bytes

    @classmethod
    def of(cls, checkpoint: Checkpoint, account: int) -> "ShownPath":
        """Return the path of any place of a checkpoint; EncodingError beyond the tree."""
        leaf = checkpoint.leaf(account) if account < checkpoint.count else None
        return cls(account, leaf, checkpoint.path(account))

    @property
    def collaterals(self) -> int:
        """How many assets the tree has."""
        return (len(self.path) // ACCOUNT_TREE_DEPTH - WORD_BYTES) // SUM_BYTES - FIXED_SUMS

    def nodes(self) -> dict[Place, bytes]:
        """Return every node that the path names or leads through, packed, as the court climbs."""
        size, index = len(self.path) // ACCOUNT_TREE_DEPTH, self.account
        node = exit_node(self.leaf).packed() if self.leaf else bytes(size)
        found = {(0, index): node}
        for height in range(ACCOUNT_TREE_DEPTH):
            sibling = self.path[height * size : (height + 1) * size]
            found[height, index ^ 1] = sibling
            node = _above(sibling, node) if index & 1 else _above(node, sibling)
            index >>= 1
            found[height + 1, index] = node
        return found


@dataclass(frozen=True, slots=True)
class ShownWalk:
    """The way down to a node of a posted checkpoint that is not the honest one.

    Attributes
    ----------
    root : CheckpointRoot
        What the posted `checkpoint_root` is the hash of.
    account : int
        Whose leaf is wrong, or lies below the node that is.
    nodes : tuple of bytes
        Preimages of the nodes on the way, the root's first, down to the parent of the wrong one.
    """

    root: CheckpointRoot
    account: int
    nodes: tuple[bytes, ...]

    def down_to(self, account: int) -> tuple[bytes, ...]:
        """Return the preimages on the way to the account; none for another one."""
        return self.nodes if account == self.account else ()


class CheckpointProbe:
    """Compares what is shown of a posted checkpoint with the honest one.

    Parameters
    ----------
    own : Checkpoint
        The honest one.
    posted_root : bytes
        The header's `checkpoint_root`.
    """

    def __init__(self, own: Checkpoint, posted_root: bytes) -> None:
        self._own, self._posted_root = own, posted_root

    def next(self, shown: Iterable[ShownPath]) -> int | ShownWalk | None:
        """Return the account to ask for, or what is wrong; None when the roots are the same.

        Each answer leads at least one level deeper into a subtree that differs: the 20th shows the
        leaf, or one beside it. Paths of other trees are passed over.
        """
        if self._own.root.hash == self._posted_root:
            return None
        theirs: dict[Place, bytes] = {}
        ours: dict[Place, bytes] = {}
        for path in shown:
            nodes = path.nodes()
            if _root_of(nodes).hash == self._posted_root:
                theirs |= nodes
                ours |= ShownPath.of(self._own, path.account).nodes()
        place = (ACCOUNT_TREE_DEPTH, 0)
        nodes_above: list[bytes] = []
        while place in theirs:
            height, index = place
            is_end = height == 0 or theirs[place][:WORD_BYTES] == ZERO32
            if is_end:
                root = _root_of(theirs)
                return ShownWalk(root, index << height, tuple(nodes_above))
            pair = ((height - 1, 2 * index), (height - 1, 2 * index + 1))
            if pair[0] not in theirs:
                break
            nodes_above.append(theirs[pair[0]] + theirs[pair[1]])
            place = _worse(theirs, ours, pair)
        height, index = place
        return index << height


def _worse(theirs: dict[Place, bytes], ours: dict[Place, bytes], pair: Sequence[Place]) -> Place:
    """Return which of two children differs; of both, the one of which more is known."""
    left, right = (place for place in pair)
    if theirs[left] == ours[left]:
        return right
    if theirs[right] == ours[right]:
        return left
    height, index = right
    return right if height and (height - 1, 2 * index) in theirs else left


def _above(left: bytes, right: bytes) -> bytes:
    """Return the packed node above two; of two that are nothing, nothing."""
    if not any(left) and not any(right):
        return left
    return SumNode(keccak256(left + right), _sums(left, right)).packed()


def _sums(*nodes: bytes) -> tuple[int, ...]:
    places = range(WORD_BYTES, len(nodes[0]), SUM_BYTES)
    return tuple(sum(int.from_bytes(n[i : i + SUM_BYTES]) for n in nodes) for i in places)


def _root_of(nodes: dict[Place, bytes]) -> CheckpointRoot:
    packed = nodes[ACCOUNT_TREE_DEPTH, 0]
    equity, owed, debt, *collateral = _sums(packed)
    return CheckpointRoot(packed[:WORD_BYTES], ExitSums(equity, owed, debt, tuple(collateral)))
