"""Answers to a flood of demands: several under way, none held up by another."""

import threading
from functools import partial

import pytest

from offchain.services.answering import AT_ONCE, MOST_A_STEP, Send, answer_each
from offchain.services.errors import ChainUnreachable, CheckpointMismatch, TransactionReverted
from tests.support.lying_tree import refusal

PATIENCE_S = 20


def test_so_many_answers_are_under_way_that_a_block_takes_them_together() -> None:
    block = threading.Barrier(AT_ONCE)

    def mined() -> bool:
        block.wait(PATIENCE_S)  # broken, and so a failure, when answers wait for one another
        return True

    wanted = list(range(2 * AT_ONCE))
    assert answer_each(wanted, lambda _: mined) == (wanted, None)


def test_what_others_were_quicker_with_and_what_is_passed_over_is_not_told() -> None:
    sends: dict[str, Send | None] = {"ours": lambda: True, "theirs": lambda: False, "other": None}
    assert answer_each(list(sends), sends.__getitem__) == (["ours"], None)


@pytest.mark.parametrize("fault", [CheckpointMismatch("batch 1"), refusal("WrongContent")])
def test_what_is_wrong_with_one_is_told_when_the_others_are_answered(
    fault: CheckpointMismatch | TransactionReverted,
) -> None:
    def prepare(demand: int) -> Send:
        if demand == 0:
            raise CheckpointMismatch("first")
        return partial(send, demand)

    def send(demand: int) -> bool:
        if demand == 2:
            raise fault
        return True

    shown, told = answer_each([1, 2, 3], prepare)
    assert (shown, told) == ([1, 3], fault)
    shown, told = answer_each([2, 0, 3], prepare)
    assert shown == [3]
    assert isinstance(told, CheckpointMismatch)


def test_nothing_more_is_tried_when_the_chain_is_away() -> None:
    tried: list[int] = []

    def send(demand: int) -> bool:
        tried.append(demand)
        raise ChainUnreachable("away")

    shown, told = answer_each(list(range(40)), lambda demand: partial(send, demand), at_once=1)
    assert (shown, tried) == ([], [0])
    assert isinstance(told, ChainUnreachable)


def test_a_step_ends_so_that_everything_else_has_its_turn() -> None:
    shown, told = answer_each(list(range(MOST_A_STEP + 9)), lambda _: lambda: True)
    assert (shown, told) == (list(range(MOST_A_STEP)), None)
