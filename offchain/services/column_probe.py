"""What is shown of the columns under a root, compared with the honest ones."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from offchain.ledger.keccak import keccak256
from offchain.ledger.merkle import ListTree

Place = tuple[int, int]
"""Height above the leaves and index of a node."""


@dataclass(frozen=True, slots=True)
class ShownLeaf:
    """A leaf of a list tree and its siblings, leaf level first."""

    index: int
    leaf: bytes
    proof: tuple[bytes, ...]

    def nodes(self) -> dict[Place, bytes]:
        """Return every node that the siblings name or lead through."""
        node, index = self.leaf, self.index
        found = {(0, index): node}
        for height, sibling in enumerate(self.proof):
            found[height, index ^ 1] = sibling
            pair = sibling + node if index & 1 else node + sibling
            node, index = keccak256(pair), index >> 1
            found[height + 1, index] = node
        return found


class ColumnProbe:
    """Says which leaf of a posted tree to ask for.

    Parameters
    ----------
    own : ListTree
        The honest one.
    root : bytes
        The posted one.
    """

    def __init__(self, own: ListTree, root: bytes) -> None:
        self._own, self._root = own, root

    @property
    def depth(self) -> int:
        """Levels of the honest tree."""
        return len(self._own.levels) - 1

    def next(self, shown: Iterable[ShownLeaf]) -> int | None:
        """Return the place of a leaf to ask for; None when all that differs is known.

        Each answer leads at least one level deeper into a subtree that differs, so that after as
        many as the tree has levels a wrong leaf is known. Empty places of the padding are asked for
        as well, and nothing twice.
        """
        seen: set[int] = set()
        theirs: dict[Place, bytes] = {(self.depth, 0): self._root}
        for leaf in shown:
            nodes = leaf.nodes()
            seen.add(leaf.index)
            if len(leaf.proof) == self.depth and nodes[self.depth, 0] == self._root:
                theirs |= nodes
        return next((n for n in self._differing((self.depth, 0), theirs) if n not in seen), None)

    def _differing(self, place: Place, theirs: dict[Place, bytes]) -> Iterator[int]:
        """Yield the first leaf of every subtree that differs and is not known deeper."""
        height, index = place
        if theirs[place] == self._own.levels[height][index]:
            return
        children = ((height - 1, 2 * index), (height - 1, 2 * index + 1))
        if height == 0 or children[0] not in theirs:
            yield index << height
            return
        for child in children:
            yield from self._differing(child, theirs)
