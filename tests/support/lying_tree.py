"""Checkpoint trees as a liar builds them, any node replaced, and a court that keeps the paths."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from offchain.ledger.checkpoint import Checkpoint, ExitLeaf, exit_node
from offchain.ledger.header import BatchHeader, batch_hash
from offchain.ledger.keccak import ZERO32, keccak256
from offchain.ledger.merkle import ACCOUNT_TREE_DEPTH
from offchain.ledger.sum_tree import SUM_BYTES, WORD_BYTES
from offchain.services.checkpoint_probe import Place, ShownPath, ShownWalk
from offchain.services.demands import OpenDemand
from offchain.services.errors import TransactionReverted
from offchain.services.ports import Signer, TransactionReceipt

BOND_E6 = 100_000_000
REVEAL_S = 60


class LyingTree:
    """A sum tree over some leaves, with some nodes that are something else.

    Parameters
    ----------
    leaves : iterable of ExitLeaf
        At any places.
    lies : mapping
        Packed nodes that stand where others belong.
    """

    def __init__(self, leaves: Iterable[ExitLeaf], lies: Mapping[Place, bytes] = {}) -> None:
        self._leaves = {leaf.account: leaf for leaf in leaves}
        level = {account: exit_node(leaf).packed() for account, leaf in self._leaves.items()}
        self.empty = bytes(len(next(iter(level.values()))))
        self.nodes: dict[Place, bytes] = {}
        for height in range(ACCOUNT_TREE_DEPTH + 1):
            level |= {index: node for (at, index), node in lies.items() if at == height}
            self.nodes |= {(height, index): node for index, node in level.items()}
            above = {index // 2 for index in level}
            level = {i: _above(*self._children(height, i)) for i in above}
        top = self.node(ACCOUNT_TREE_DEPTH, 0)
        self.root = _checkpoint_root(top)

    def node(self, height: int, index: int) -> bytes:
        """Return a node as it stands."""
        return self.nodes.get((height, index), self.empty)

    def shown(self, account: int) -> ShownPath:
        """Return what this tree has to show of a place."""
        siblings = [self.node(h, account >> h ^ 1) for h in range(ACCOUNT_TREE_DEPTH)]
        return ShownPath(account, self._leaves.get(account), b"".join(siblings))

    def can_show(self, account: int) -> bool:
        """Tell whether the court takes what is shown of a place."""
        return root_shown(self.shown(account)) == self.root

    def _children(self, height: int, index: int) -> tuple[bytes, bytes]:
        return self.node(height, 2 * index), self.node(height, 2 * index + 1)


def leaves_of(checkpoint: Checkpoint) -> list[ExitLeaf]:
    """Return all leaves of a checkpoint."""
    return [checkpoint.leaf(account) for account in range(checkpoint.count)]


def honest(checkpoint: Checkpoint) -> LyingTree:
    """Return the tree of a checkpoint without a lie."""
    return LyingTree(leaves_of(checkpoint))


def with_leaf(checkpoint: Checkpoint, leaf: ExitLeaf) -> LyingTree:
    """Return the tree of a checkpoint with another leaf, or one more."""
    return LyingTree([*leaves_of(checkpoint), leaf])


def richer(leaf: ExitLeaf, by: int = 1) -> ExitLeaf:
    """Return a leaf that is owed more. [USD e-6]"""
    return replace(leaf, equity_e6=leaf.equity_e6 + by)


def packed(node_hash: bytes, *sums: int) -> bytes:
    """Return a node."""
    return node_hash + b"".join(amount.to_bytes(SUM_BYTES) for amount in sums)


def sums_of(node: bytes) -> tuple[int, ...]:
    """Return the sums of a packed node."""
    places = range(WORD_BYTES, len(node), SUM_BYTES)
    return tuple(int.from_bytes(node[i : i + SUM_BYTES]) for i in places)


def root_shown(path: ShownPath) -> bytes:
    """Return the checkpoint root that a path leads to, as the contract climbs."""
    size = len(path.path) // ACCOUNT_TREE_DEPTH
    node = exit_node(path.leaf).packed() if path.leaf else bytes(size)
    for height in range(ACCOUNT_TREE_DEPTH):
        sibling = path.path[height * size : (height + 1) * size]
        pair = (sibling, node) if path.account >> height & 1 else (node, sibling)
        node = _above(*pair)
    return _checkpoint_root(node)


def end_of(walk: ShownWalk, posted_root: bytes) -> bytes:
    """Follow a walk as the judge does and return the node at its end, packed; assert each step."""
    of = walk.root.sums
    sums = (of.equity_e6, of.owed_e6, of.debt_e6, *of.collateral_e8)
    node = packed(walk.root.root_hash, *sums)
    assert _checkpoint_root(node) == posted_root
    for level, children in enumerate(walk.nodes):
        assert keccak256(children) == node[:WORD_BYTES]
        half = len(children) // 2
        side = walk.account >> (ACCOUNT_TREE_DEPTH - 1 - level) & 1
        node = children[side * half : (side + 1) * half]
    return node


def _above(left: bytes, right: bytes) -> bytes:
    if not any(left + right):
        return left
    sums = [a + b for a, b in zip(sums_of(left), sums_of(right), strict=True)]
    return packed(keccak256(left + right), *sums)


def _checkpoint_root(node: bytes) -> bytes:
    sums = node[WORD_BYTES:]
    head = node[:WORD_BYTES] + (64).to_bytes(32) + len(sums).to_bytes(32)
    return keccak256(head + sums + bytes(-len(sums) % 32))


def refusal(name: str) -> TransactionReverted:
    """Return what the court's error of this name becomes."""
    return TransactionReverted("Court", name, {})


class MemoryCourt:
    """The court's rules for demands, in memory; it knows the headers that are open."""

    def __init__(self, *headers: BatchHeader) -> None:
        self.headers = {batch_hash(header): header for header in headers}
        self.time_s = 1_000
        self.open: dict[bytes, OpenDemand] = {}
        self.shown: dict[bytes, list[ShownPath]] = {}
        self.bonds: dict[bytes, int] = {}
        self.reverted: list[int] = []
        self.calls: list[str] = []
        self.refuse_next: str | None = None

    def block_time(self) -> int:
        return self.time_s

    def open_demands(self) -> list[OpenDemand]:
        return list(self.open.values())

    def shown_paths(self, hash_of_batch: bytes) -> list[ShownPath]:
        return self.shown.get(hash_of_batch, [])

    def demand(self, signer: Signer, header: BatchHeader, account: int) -> TransactionReceipt:
        receipt = self._take("demand")
        hash_of_batch = batch_hash(header)
        if hash_of_batch not in self.headers:
            raise refusal("NotOpen")
        number = keccak256(hash_of_batch + account.to_bytes(32))
        until = self.time_s + REVEAL_S
        self.open[number] = OpenDemand(
            number, header.batch_no, hash_of_batch, account, signer.address, until
        )
        return receipt

    def answer(
        self, signer: Signer, demand: OpenDemand, header: BatchHeader, shown: ShownPath
    ) -> TransactionReceipt:
        receipt = self._take("answer")
        if demand.id not in self.open:
            raise refusal("NoSuchDemand")
        if root_shown(shown) != header.checkpoint_root or shown.account != demand.account:
            raise refusal("WrongPath")
        del self.open[demand.id]
        self.shown.setdefault(demand.batch_hash, []).append(shown)
        self.bonds[signer.address] = self.bonds.get(signer.address, 0) + BOND_E6
        return receipt

    def settle_unanswered(
        self, signer: Signer, demand: OpenDemand, header: BatchHeader
    ) -> TransactionReceipt:
        receipt = self._take("settle")
        if self.time_s <= demand.until_s:
            raise refusal("AnswerStillOpen")
        del self.open[demand.id]
        self.bonds[demand.challenger] = self.bonds.get(demand.challenger, 0) + BOND_E6
        self.headers.pop(batch_hash(header))
        self.reverted.append(header.batch_no)
        assert signer.address
        return receipt

    def claim_bonds(self, signer: Signer) -> int:
        self._take("claim")
        return self.bonds.pop(signer.address, 0)

    def _take(self, call: str) -> TransactionReceipt:
        self.calls.append(call)
        if self.refuse_next is not None:
            name, self.refuse_next = self.refuse_next, None
            raise refusal(name)
        return TransactionReceipt(call, ZERO32, 1, 0, 0, b"")
