"""The block from which on a deployment has a past, asked of a node that keeps old states."""

from collections.abc import Sequence
from typing import Protocol

from offchain.services.errors import ChainError


class OldStates(Protocol):
    """A node, as far as it is asked for states of the past."""

    def block_number(self) -> int:
        """Return the number of the newest block."""
        ...

    def code(self, address: bytes, block: int | None = None) -> bytes:
        """Return the code at an address after a block."""
        ...

    def balance(self, address: bytes, block: int | None = None) -> int:
        """Return the balance of an address after a block. [wei]"""
        ...

    def first_sender(self, block: int) -> bytes | None:
        """Return who sent the first transaction of a block; None when it has none."""
        ...


def first_block_of(node: OldStates, addresses: Sequence[bytes]) -> int:
    """Return the first block in which one of some contracts has code; 0 when the node cannot tell.

    All of them must have code now. It takes some 25 requests for the first contract of a chain of
    30 million blocks, and mostly one for each of the others.

    A node without old states mostly refuses. One that answers as if nothing had been there is found
    out: whoever sent the first transaction of a block had money for it in the block before.
    """
    try:
        first = node.block_number()
        for address in addresses:
            if first > 0 and node.code(address, first - 1):
                first = _appeared(node, address, first - 1)
        return first if _has_states(node, first - 1) else 0
    except (ChainError, TypeError):  # web3 stumbles over a null instead of code
        return 0


def _appeared(node: OldStates, address: bytes, last: int) -> int:
    """Return the first block with code at an address, which has some after the last one."""
    before, after = -1, last
    while after - before > 1:
        middle = (before + after) // 2
        if node.code(address, middle):
            after = middle
        else:
            before = middle
    return after


def _has_states(node: OldStates, block: int) -> bool:
    """Tell whether the node knows what was after a block."""
    if block < 0:
        return False
    sender = node.first_sender(block + 1)
    return sender is not None and node.balance(sender, block) > 0
