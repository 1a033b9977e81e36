"""The contract's margins are those of Python, on every bit, for accounts of every mode.

What is compared is `Margin.ofAccount` and `witness_margin`: scan risk from witness scenarios, the
add-ons of opened charges, tier curves, linear margin and collateral brackets, and which questions
are refused.
"""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from offchain.core.margin import Mode
from tests.support.margins import Deployed, Question, World, deployed, question, world

SEED = 36_360
BATCH = 500
CASES = 11_000


@pytest.fixture(scope="module")
def chain() -> Iterator[Deployed]:
    with deployed() as made:
        yield made


def questions_of(seed: int, count: int) -> tuple[World, list[Question]]:
    rng = random.Random(seed)  # noqa: S311 - reproducible data, not secrets
    made = world(rng)
    return made, [question(rng, made) for _ in range(count)]


def compare(chain: Deployed, seed: int, count: int) -> Counter[str]:
    """Compare question by question, many a call; return what was seen of which kind."""
    seen: Counter[str] = Counter()
    for first in range(0, count, BATCH):
        of, asked = questions_of(seed + first, min(BATCH, count - first))
        for place, (one, found) in enumerate(zip(asked, chain.answers_to(asked, of), strict=True)):
            expected = of.answer(one)
            assert found == expected, f"seed {seed + first}, question {place}: {one}"
            seen.update(kinds(one, expected))
    return seen


def kinds(one: Question, answer: tuple[int, int, int]) -> Iterator[str]:
    if not answer[2]:
        yield "refused"
        return
    yield Mode(one.leaf.mode).name
    if any(one.has_charges):
        yield f"{Mode(one.leaf.mode).name} with charges"
    if any(one.has_charges) and not all(one.has_charges):
        yield "some charges"
    if any(one.leaf.collateral_e8):
        yield "with collateral"
    if len(set(one.scenarios)) < len(one.scenarios):
        yield "one scenario for both"


def test_ten_thousand_random_margins_are_those_of_python_on_every_bit(chain: Deployed) -> None:
    seen = compare(chain, SEED, CASES)
    assert CASES - seen["refused"] >= 10_000, seen
    assert seen["refused"] >= 100, seen
    rest = ("PORTFOLIO", "CROSS", "ISOLATED", "PORTFOLIO with charges", "CROSS with charges")
    assert all(seen[kind] >= 800 for kind in (*rest, "with collateral")), seen
    assert seen["one scenario for both"] >= 1_000, seen
    assert seen["some charges"] >= 500, seen


@pytest.mark.deep
def test_a_hundred_thousand_random_margins_are_those_of_python(chain: Deployed) -> None:
    seen = compare(chain, 10 * SEED, 10 * CASES)
    assert 10 * CASES - seen["refused"] >= 100_000, seen
