"""Where the past of a deployment begins, asked of nodes that keep old states and of others."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from offchain.adapters.first_block import first_block_of
from offchain.services.errors import ChainUnreachable, NodeRefused

LAST = 30_000_000
SETTLEMENT, REGISTRY, LATE = b"\x01" * 20, b"\x02" * 20, b"\x03" * 20
SENDER = b"\x51" * 20


@dataclass
class Past:
    """A node that knows since when contracts are there, with the states of the last `kept` blocks.

    Attributes
    ----------
    is_silent : bool
        Of older states it says that nothing was there, where another one refuses.
    """

    since: Mapping[bytes, int]
    last: int = LAST
    kept: int = LAST + 1
    is_silent: bool = False
    senders: Mapping[int, bytes] | None = None
    asked: list[int] = field(default_factory=list)

    def block_number(self) -> int:
        return self.last

    def code(self, address: bytes, block: int | None = None) -> bytes:
        assert block is not None
        return b"\x60" if self._knows(block) and block >= self.since[address] else b""

    def balance(self, address: bytes, block: int | None = None) -> int:
        assert (address, block is None) == (SENDER, False)
        return 10**18 if self._knows(block or 0) else 0

    def first_sender(self, block: int) -> bytes | None:
        return SENDER if self.senders is None else self.senders.get(block)

    def _knows(self, block: int) -> bool:
        assert 0 <= block <= self.last
        self.asked.append(block)
        if block > self.last - self.kept:
            return True
        if self.is_silent:
            return False
        raise NodeRefused("missing trie node")


@pytest.mark.parametrize("since", [1, 2, 3, 17_654_321, LAST - 1, LAST])
def test_it_is_the_block_in_which_the_code_appeared(since: int) -> None:
    node = Past({SETTLEMENT: since})
    assert first_block_of(node, [SETTLEMENT]) == since
    assert len(node.asked) <= 30


def test_the_first_of_several_contracts_counts_and_later_ones_cost_one_question() -> None:
    node = Past({SETTLEMENT: 9_000, REGISTRY: 8_990, LATE: 20_000})
    assert first_block_of(node, [SETTLEMENT, LATE]) == 9_000
    alone = len(node.asked)
    assert first_block_of(node, [SETTLEMENT, REGISTRY, LATE]) == 8_990
    node.asked.clear()
    assert first_block_of(node, [SETTLEMENT]) == 9_000
    assert alone == len(node.asked) + 1


def test_what_was_there_from_the_beginning_has_all_of_the_past() -> None:
    assert first_block_of(Past({SETTLEMENT: 0}), [SETTLEMENT]) == 0
    assert first_block_of(Past({SETTLEMENT: 0}, last=0), [SETTLEMENT]) == 0


@pytest.mark.parametrize("is_silent", [True, False])
@pytest.mark.parametrize("kept", [1, 128, 90_000])
def test_a_node_without_old_states_is_not_believed(kept: int, *, is_silent: bool) -> None:
    node = Past({SETTLEMENT: 9_000}, kept=kept, is_silent=is_silent)
    assert first_block_of(node, [SETTLEMENT]) == 0


def test_a_block_without_transactions_is_not_the_one_of_a_creation() -> None:
    node = Past({SETTLEMENT: 9_000}, senders={})
    assert first_block_of(node, [SETTLEMENT]) == 0


def test_a_node_that_answers_nothing_or_not_at_all_is_asked_from_the_beginning() -> None:
    class Odd(Past):
        def code(self, address: bytes, block: int | None = None) -> bytes:
            del address, block
            return bytes(None)  # type: ignore[call-overload, no-any-return] # as web3 does of null

    class Gone(Past):
        def code(self, address: bytes, block: int | None = None) -> bytes:
            raise ChainUnreachable(f"{address.hex()} {block}")

    for kind in (Odd, Gone):
        assert first_block_of(kind({SETTLEMENT: 9}), [SETTLEMENT]) == 0
