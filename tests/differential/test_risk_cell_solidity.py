"""The contract's risk cells are those of Python, on every bit: losses, values, deltas, vegas."""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from offchain.adapters.compiler import ROOT
from offchain.core.instruments import SHAPE_KINDS, FeedKind, Kind, Underlying
from offchain.core.parameters import ScanParameters, Skew, Tail
from offchain.core.units import (
    DAY_NS,
    ONE_E6,
    ONE_E8,
    SCENARIOS,
    YEAR_NS,
    PriceE8,
    RatioE6,
)
from offchain.ledger.keccak import keccak256
from tests.support.random_markets import LARGEST, START_NS, asked_of, random_question
from tests.support.risk_cells import OTHERS, Deployed, Question, deployed, table_bytes

SEED = 19_760
BATCH = 50
EDGES = (0, 13, 26, 27, 28, 34, 35)
"""Scenarios: both ends of the grid, its middle, two tails, both tilts."""
MOVES_E6 = (1 - ONE_E6, 9 * ONE_E6, -1, 0, 1, 9 * ONE_E6, 1 - ONE_E6)
SCANS = tuple(
    ScanParameters(
        price_range_e6=RatioE6(range_e6),
        vol_up_e6=RatioE6(10 * ONE_E6),
        vol_down_e6=RatioE6(ONE_E6),
        min_vol_up_e8=minimum,
        vol_power_short_e6=RatioE6(power),
        vol_power_long_e6=RatioE6(power),
        tails=tuple(Tail(move, RatioE6(weight)) for move in MOVES_E6),
        skews=(
            Skew(RatioE6(slope), RatioE6(cap), absolute=False),
            Skew(RatioE6(-slope), RatioE6(cap), absolute=True),
        ),
    )
    for range_e6, minimum, power, weight, slope, cap in (
        (999_999, 1, 0, ONE_E6, 10 * ONE_E6, 999_999),
        (1, 5 * ONE_E8, ONE_E6, 1, -10 * ONE_E6, 0),
    )
)
SHAPES = (
    (),
    (1, 1, 1, 1),
    (LARGEST,) * 4,
    (5 * ONE_E8, 3 * ONE_E8, 9 * ONE_E8, ONE_E8 + 10_000),
    (5 * ONE_E8, ONE_E8, ONE_E8, 5 * ONE_E8),
    (ONE_E8 + 1, 2 * ONE_E8, 5 * ONE_E8, ONE_E8 + 9_999),
)
"""What the four feeds carry at, and beyond, the ends of their ranges."""
REMAINING_NS = (-1, 0, 1, DAY_NS - 1, 730 * DAY_NS, 100 * YEAR_NS)


@pytest.fixture(scope="module")
def chain() -> Iterator[Deployed]:
    with deployed() as made:
        yield made


def questions_of(seed: int, count: int, scenarios: int) -> list[Question]:
    rng = random.Random(seed)  # noqa: S311 - reproducible data, not secrets
    return [random_question(rng, scenarios) for _ in range(count)]


def compare(chain: Deployed, questions: list[Question]) -> int:
    """Compare question by question, many a call; return the number of losses."""
    for first in range(0, len(questions), BATCH):
        asked = questions[first : first + BATCH]
        given = iter(chain.answers_to(asked))
        for place, question in enumerate(asked, first):
            expected = question.answers()
            found = [next(given) for _ in expected]
            assert found == expected, f"question {place}: {question}"
        assert next(given, None) is None
    return sum(question.losses for question in questions)


def test_ten_thousand_random_cells_are_those_of_python_on_every_bit(chain: Deployed) -> None:
    """Seeded; about one in ten is linear, the others are options of both kinds."""
    assert compare(chain, questions_of(SEED, 500, 6)) >= 10_000


def test_every_scenario_of_whole_rows_is_that_of_python_on_every_bit(chain: Deployed) -> None:
    questions = questions_of(SEED + 1, 12, SCENARIOS)
    assert all(sorted(q.scenarios) == list(range(SCENARIOS)) for q in questions)
    assert compare(chain, questions) >= 12 * 2 * SCENARIOS


def edge_questions() -> Iterator[Question]:
    """Yield markets in which every number is at an end of its range."""
    terms = Underlying(0, "ANY", 1, PriceE8(1))
    rng = random.Random(SEED)  # noqa: S311 - reproducible data, not secrets
    for remaining, shape in product(REMAINING_NS, SHAPES):
        expiry = START_NS + remaining
        strikes = (1, LARGEST, 1 << 40)
        rows = [(kind, expiry, k) for kind in (Kind.CALL, Kind.PUT) for k in strikes]
        for forward, volatility in product((1, LARGEST), (1, 10 * ONE_E8 + 1)):
            feeds = {FeedKind.INDEX: LARGEST + 1 - forward, FeedKind.FORWARD: forward}
            feeds |= {
                FeedKind.VOLATILITY: volatility,
                **dict(zip(SHAPE_KINDS, shape, strict=False)),
            }
            asked = asked_of(terms, rows, feeds, START_NS)
            scan = rng.choice(SCANS)
            changed = replace(asked.parameters, scan=(scan,))
            yield replace(asked, parameters=changed, scenarios=EDGES)


def test_cells_at_the_ends_of_every_range_are_those_of_python(chain: Deployed) -> None:
    assert compare(chain, list(edge_questions())) >= 6_000


@pytest.mark.deep
def test_a_hundred_thousand_random_cells_are_those_of_python(chain: Deployed) -> None:
    assert compare(chain, questions_of(SEED + 2, 5_000, 6)) >= 100_000


def test_the_contract_names_the_hash_of_the_table_that_python_computes() -> None:
    """A STOP, then the coefficients; `NormalTable` and `RiskCells` refuse anything else."""
    code = b"\x00" + table_bytes()
    assert len(code) == 20_481
    named = (ROOT / "contracts/libraries/Normal.sol").read_text()
    assert f"0x{keccak256(code).hex()};" in named


def test_most_random_cells_lose_or_gain_something() -> None:
    width = 6 + len(OTHERS)
    losses = [
        number
        for question in questions_of(SEED, 50, 6)
        for place, number in enumerate(question.answers())
        if place % width < 6
    ]
    assert sum(loss != 0 for loss in losses) * 2 > len(losses)


def test_one_question_has_a_loss_for_each_scenario_and_four_more_numbers() -> None:
    (question,) = questions_of(SEED, 1, 5)
    assert len(question.answers()) == len(question.instruments) * (5 + len(OTHERS))
